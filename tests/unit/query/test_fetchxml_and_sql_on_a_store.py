"""FetchXML and SQL find the same rows as plain loops over the generated company, on both engines.

The reader's tests say what tree a text becomes; these say that the tree means what the text says. Every row is
readable here: security has its own tests.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from tests.engines import ENGINES, Stores

from strongroom.access.plan import Branch, Plan
from strongroom.access.planned import PlannedSelect
from strongroom.ids import Guid, Key, Reference
from strongroom.jobs.demo import Row, company
from strongroom.query.ast import TRUE, And, Exists, Join, Not, Or, Predicate, ReadContext, Select, Source
from strongroom.query.fetchxml import continued, read_fetchxml
from strongroom.query.paging import make_fetch_cookie, read_fetch_cookie
from strongroom.query.sql import read_sql
from strongroom.schema.model import Rights
from strongroom.store import protocol
from strongroom.store.database import StoreDatabase
from strongroom.store.layout import fold
from strongroom.store.protocol import Transaction

ROOT = Guid("00000000-0000-7000-8000-000000000001")
CONTEXT = ReadContext("u", "b", (), "2026-06-30T00:00:00Z")
KEY = b"k" * 32
TABLES = ("account", "contact", "opportunity", "opportunityproduct", "task", "incident")


@dataclass(frozen=True)
class Filled:
    """A store with the company in it, and the rows that were put there."""

    database: StoreDatabase
    rows: Mapping[str, list[Row]]

    def select(self, select: Select) -> list[dict[str, object]]:
        """The whole answer, without paging."""
        with self.database.read() as transaction:
            return [
                dict(zip((output.name for output in select.outputs), row, strict=False))
                for row in _run(transaction, select)
            ]

    def fetch(self, text: str) -> list[dict[str, object]]:
        with self.database.read() as transaction:
            query = read_fetchxml(transaction.schema, text, CONTEXT, expected_table=None)
        return self.select(query.select)

    def sql(self, text: str) -> list[dict[str, object]]:
        with self.database.read() as transaction:
            return self.select(read_sql(transaction.schema, text, CONTEXT))


@pytest.fixture(scope="module", params=ENGINES)
def filled(stores: Stores, request: pytest.FixtureRequest) -> Iterator[Filled]:
    made = company(3, 60, root_unit=ROOT)
    with stores.opened(str(request.param)) as database:
        staff = made.people
        rows: dict[str, list[Row]] = {
            "businessunit": [{"businessunitid": ROOT, "name": "Root"}, *staff.units],
            "systemuser": list(staff.users),
            "team": list(staff.teams),
        }
        rows |= {batch.table: list(batch.rows()) for batch in made.batches() if batch.table in TABLES}
        with database.write() as transaction:
            for table, found in rows.items():
                _insert(transaction, table, found)
        yield Filled(database, rows)


def _insert(transaction: Transaction, name: str, found: list[Row]) -> None:
    table = transaction.schema.tables[name]
    new: list[protocol.Row] = []
    for row in found:
        owner = row.get("ownerid")
        key = transaction.principal_key(owner) if isinstance(owner, Reference) else None
        values: dict[str, protocol.Value] = {k: v for k, v in row.items() if k != "ownerid"}
        unit = Key(1) if key is not None else None
        new.append(protocol.Row(table, Key(0), Guid(str(row[table.primary_id])), key, unit, 0, values))
    transaction.insert(table, new)


def _run(transaction: Transaction, select: Select) -> list[tuple[object, ...]]:
    plans = {source.alias: Plan(source.table, Rights.READ, (Branch(TRUE, ()),)) for source in _sources(select)}
    return transaction.select(PlannedSelect(select, plans))


def _sources(select: Select) -> Iterator[Source]:
    yield select.source
    yield from _joined(select.joins)
    yield from _asked(select.where)


def _joined(joins: tuple[Join, ...]) -> Iterator[Source]:
    for join in joins:
        yield join.source
        yield from _asked(join.where)


def _asked(predicate: Predicate | None) -> Iterator[Source]:
    match predicate:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _asked(part)
        case Not(part):
            yield from _asked(part)
        case Exists(_, source, where, joins):
            yield source
            yield from _joined(joins)
            yield from _asked(where)
        case _:
            return


def fetch(inside: str, table: str = "account", more: str = "") -> str:
    return f'<fetch {more}><entity name="{table}">{inside}</entity></fetch>'


def ids(rows: list[dict[str, object]], name: str = "accountid") -> list[object]:
    return [row[name] for row in rows]


def text(row: Row, name: str) -> str:
    """A value as the store compares text."""
    return fold(str(row.get(name)))


def number(row: Row, name: str) -> Decimal:
    value = row[name]
    assert isinstance(value, int | Decimal)
    return Decimal(value)


def test_text_is_found_without_regard_to_case_in_any_script(filled: Filled):
    for row in filled.rows["account"][:30]:
        upper = str(row["name"]).upper()
        quoted = upper.replace("'", "''")

        found = filled.sql(f"SELECT accountid, name FROM account WHERE name = '{quoted}'")

        assert set(ids(found)) == {r["accountid"] for r in filled.rows["account"] if text(r, "name") == fold(upper)}


_CONDITIONS: dict[str, Callable[[Row], bool]] = {
    '<condition attribute="revenue" operator="gt" value="1000000"/>': lambda r: number(r, "revenue") > 1_000_000,
    '<condition attribute="industrycode" operator="in"><value>3</value><value>8</value></condition>': (
        lambda r: r["industrycode"] in (3, 8)
    ),
    '<condition attribute="donotemail" operator="eq" value="true"/>': lambda r: r["donotemail"] is True,
    '<condition attribute="parentaccountid" operator="null"/>': lambda r: "parentaccountid" not in r,
    '<condition attribute="createdon" operator="last-x-months" value="3"/>': (
        lambda r: str(r["createdon"]) >= "2026-03-30T00:00:00Z"
    ),
    '<condition attribute="name" operator="like" value="%a%"/>': lambda r: "a" in text(r, "name"),
    '<condition attribute="accountcategorycodename" operator="eq" value="preferred customer"/>': (
        lambda r: r["accountcategorycode"] == 1
    ),
    '<condition attribute="customertypecode" operator="not-between"><value>3</value><value>8</value></condition>': (
        lambda r: not 3 <= number(r, "customertypecode") <= 8
    ),
}


@pytest.mark.parametrize("condition", _CONDITIONS)
def test_conditions_of_many_types_agree_with_loops(filled: Filled, condition: str):
    found = filled.fetch(fetch(f"<no-attrs/><filter>{condition}</filter>"))

    assert set(ids(found)) == {row["accountid"] for row in filled.rows["account"] if _CONDITIONS[condition](row)}


def test_inner_and_outer_joins_agree_with_loops(filled: Filled):
    tasks: Counter[object] = Counter(
        row["regardingobjectid"].id
        for row in filled.rows["task"]
        if isinstance(row["regardingobjectid"], Reference) and row["statecode"] == 0
    )
    link = (
        '<attribute name="name"/><link-entity name="task" from="regardingobjectid" to="accountid" alias="t"'
        ' link-type="{}"><attribute name="subject"/><filter><condition attribute="statecode" operator="eq" value="0"/>'
        "</filter></link-entity>"
    )

    inner = Counter(ids(filled.fetch(fetch(link.format("inner")))))
    outer = Counter(ids(filled.fetch(fetch(link.format("outer")))))

    accounts = [row["accountid"] for row in filled.rows["account"]]
    assert inner == Counter({each: tasks[each] for each in accounts if tasks[each]})
    assert outer == Counter({each: max(tasks[each], 1) for each in accounts})
    sql = filled.sql(
        "SELECT a.accountid, t.subject FROM account a"
        " LEFT JOIN task t ON t.regardingobjectid = a.accountid AND t.statecode = 0"
    )
    assert Counter(ids(sql)) == outer


@pytest.mark.parametrize("kind", ["any", "not any", "all", "not all"])
def test_link_types_of_filters_agree_with_loops(filled: Filled, kind: str):
    """WA-244."""
    linked = {
        row["accountid"]: [
            task["statecode"] == 1
            for task in filled.rows["task"]
            if task["regardingobjectid"] == Reference("account", Guid(str(row["accountid"])))
        ]
        for row in filled.rows["account"]
    }
    keeps: dict[str, Callable[[list[bool]], bool]] = {
        "any": any,
        "not all": any,
        "not any": lambda done: not any(done),
        "all": lambda done: bool(done) and not any(done),
    }

    found = filled.fetch(
        fetch(
            f'<no-attrs/><filter><link-entity name="task" from="regardingobjectid" to="accountid" link-type="{kind}">'
            '<filter><condition attribute="statecode" operator="eq" value="1"/></filter></link-entity></filter>'
        )
    )

    assert set(ids(found)) == {account for account, done in linked.items() if keeps[kind](done)}


@pytest.mark.parametrize("kind", ["exists", "in", "matchfirstrowusingcrossapply"])
def test_links_that_do_not_multiply_give_each_row_once(filled: Filled, kind: str):
    link = f'<link-entity name="contact" from="parentcustomerid" to="accountid" link-type="{kind}"/>'

    found = ids(filled.fetch(fetch(f"<no-attrs/>{link}")))

    assert Counter(found) == Counter(row["accountid"] for row in filled.rows["account"])


def test_groups_and_aggregates_agree_with_loops(filled: Filled):
    found = filled.fetch(
        fetch(
            '<attribute name="industrycode" groupby="true" alias="kind"/>'
            '<attribute name="accountid" aggregate="count" alias="n"/>'
            '<attribute name="revenue" aggregate="sum" alias="s"/><attribute name="revenue" aggregate="max" alias="m"/>'
            '<order alias="n" descending="true"/>',
            more='aggregate="true"',
        )
    )
    by_kind: dict[object, list[Decimal]] = {}
    for row in filled.rows["account"]:
        revenue = row["revenue"]
        assert isinstance(revenue, Decimal)
        by_kind.setdefault(row["industrycode"], []).append(revenue)

    assert {row["kind"]: (row["n"], row["s"], row["m"]) for row in found} == {
        kind: (len(each), sum(each), max(each)) for kind, each in by_kind.items()
    }
    assert [row["n"] for row in found] == sorted((len(each) for each in by_kind.values()), reverse=True)
    sql = filled.sql(
        "SELECT industrycode AS kind, COUNT(*) AS n, SUM(revenue) AS s, MAX(revenue) AS m"
        " FROM account GROUP BY industrycode"
    )
    assert sorted(map(repr, sql)) == sorted(map(repr, found))


def test_parts_of_dates_group(filled: Filled):
    found = filled.fetch(
        fetch(
            '<attribute name="createdon" groupby="true" dategrouping="quarter" alias="q"/>'
            '<attribute name="createdon" groupby="true" dategrouping="year" alias="y"/>'
            '<attribute name="accountid" aggregate="count" alias="n"/>',
            more='aggregate="true"',
        )
    )
    months = [str(row["createdon"])[:7] for row in filled.rows["account"]]

    assert {(row["y"], row["q"]): row["n"] for row in found} == Counter(
        (int(month[:4]), (int(month[5:]) + 2) // 3) for month in months
    )


def test_distinct_rows_come_once_and_in_order(filled: Filled):
    cities = sorted({fold(str(row["address1_city"])) for row in filled.rows["account"]}, reverse=True)

    by_fetch = filled.fetch(
        fetch(
            '<attribute name="address1_city"/><order attribute="address1_city" descending="true"/>',
            more='distinct="true"',
        )
    )
    by_sql = filled.sql("SELECT DISTINCT address1_city FROM account ORDER BY address1_city DESC")

    for rows in (by_fetch, by_sql):
        assert [fold(str(row["address1_city"])) for row in rows] == cities


def test_names_of_lookups_are_found_and_sorted_by(filled: Filled):
    names = {row["contactid"]: str(row["fullname"]) for row in filled.rows["contact"]}
    found = filled.fetch(fetch('<attribute name="primarycontactidname"/><order attribute="primarycontactid"/>'))
    expected: list[str] = []
    for row in filled.rows["account"]:
        contact = row["primarycontactid"]
        assert isinstance(contact, Reference)
        expected.append(names[contact.id])

    assert [text(row, "primarycontactidname") for row in found] == sorted(map(fold, expected))


@pytest.mark.parametrize(
    "inside",
    [
        '<order attribute="industrycode"/>',
        '<order attribute="parentaccountid"/>',
        '<order attribute="revenue" descending="true"/><order attribute="name"/>',
        '<order attribute="address1_city"/>'
        '<link-entity name="contact" from="parentcustomerid" to="accountid" alias="c">'
        '<attribute name="contactid"/></link-entity>',
        '<link-entity name="task" from="regardingobjectid" to="accountid" alias="c" link-type="outer">'
        '<attribute name="activityid"/></link-entity>',
    ],
)
def test_a_walk_by_cookie_returns_every_row_once_wa_233(filled: Filled, inside: str):
    text = fetch(f'<attribute name="name"/>{inside}', more='count="7"')
    whole = [tuple(row.values()) for row in filled.fetch(fetch(f'<attribute name="name"/>{inside}'))]
    walked: list[tuple[object, ...]] = []
    cookie: str | None = None
    with filled.database.read() as transaction:
        for page in range(1, 60):
            query = read_fetchxml(transaction.schema, text, CONTEXT, expected_table=None)
            assert query.allows_cookie
            query = continued(replace(query, page=page, paging_cookie=cookie), KEY)
            found = _run(transaction, query.select)
            width = len(query.select.outputs)
            walked += [row[:width] for row in found[:7]]
            if len(found) <= 7:
                break
            cookie = make_fetch_cookie(found[6][width:], page + 1, query.fingerprint, KEY, id_name="accountid")
            assert read_fetch_cookie(cookie, query.fingerprint, KEY).values == tuple(found[6][width:])

    assert walked == whole


def test_a_walk_by_page_number_returns_every_row_once_where_there_is_no_cookie_wa_254(filled: Filled):
    inside = (
        '<attribute name="name"/><link-entity name="contact" from="contactid" to="primarycontactid" alias="c">'
        '<order attribute="fullname"/></link-entity>'
    )
    whole = ids(filled.fetch(fetch(inside)))
    walked: list[object] = []
    with filled.database.read() as transaction:
        for page in range(1, 11):
            text_of_page = fetch(inside, more=f'count="7" page="{page}"')
            query = read_fetchxml(transaction.schema, text_of_page, CONTEXT, expected_table=None)
            assert not query.allows_cookie
            walked += [row[1] for row in _run(transaction, query.select)[:7]]

    assert walked == whole
