"""What the OData reader makes runs on both engines, and finds what section 12 of the Web API says."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from tests.engines import ENGINES, Stores
from tests.unit.store.people import add, found, reference

from strongroom.access.plan import Branch, Plan
from strongroom.access.planned import PlannedSelect
from strongroom.query.ast import TRUE, And, Exists, Join, Not, Or, Predicate, ReadContext, Select, Source
from strongroom.query.odata import read_query, split_options
from strongroom.schema.model import Rights
from strongroom.store.database import StoreDatabase
from strongroom.store.transaction import StoreTransaction

USER = "00000000-0000-0000-0000-00000000000b"
CONTEXT = ReadContext(USER, USER, (), "2026-01-05T09:30:00Z", "Europe/Berlin")


@pytest.fixture(scope="module", params=ENGINES)
def world(request: pytest.FixtureRequest, stores: Stores) -> Iterator[StoreDatabase]:
    """Five accounts: A1 to A3 with a contact, A1 and A2 with tasks, A5 with nothing set but its name."""
    with stores.opened(str(request.param)) as database:
        _fill(database)
        yield database


@pytest.fixture
def rows(world: StoreDatabase) -> Iterator[StoreTransaction]:
    """A view of the world; these tests write nothing."""
    with world.read() as tx:
        yield tx


def _fill(database: StoreDatabase) -> None:
    with database.write() as tx:
        company = found(tx)
        ada, ben = company.ada, company.ben
        add(tx, "contact", 201, ada, firstname="Zoë", lastname="ÖZ", fullname="Zoë ÖZ")
        add(tx, "contact", 202, ben, firstname="Max", lastname="max", fullname="Max max")
        zoe, max_ = reference("contact", 201), reference("contact", 202)
        common = {"createdon": "2026-01-04T23:30:00Z"}
        add(
            tx,
            "account",
            101,
            ada,
            name="A1",
            revenue=Decimal("10.5"),
            numberofemployees=5,
            primarycontactid=zoe,
            **common,
        )
        add(tx, "account", 102, ada, name="A2", revenue=Decimal(20), numberofemployees=6, primarycontactid=max_)
        add(tx, "account", 103, ben, name="a3%", numberofemployees=7, primarycontactid=max_, creditonhold=True)
        add(tx, "account", 104, ben, name="A4", parentaccountid=reference("account", 101), industrycode=1)
        add(tx, "account", 105, company.deals, name="A5")
        for number, subject, done, account in (
            (301, "Call", 100, 101),
            (302, "Mail", 50, 101),
            (303, "Call", None, 102),
        ):
            regarding = reference("account", account)
            add(tx, "task", number, ada, subject=subject, percentcomplete=done, regardingobjectid=regarding)


def open_query(select: Select) -> PlannedSelect:
    """`select` with plans that let everything through: what is tested here is the query."""
    plans: dict[str, Plan] = {}

    def source(at: Source) -> None:
        plans[at.alias] = Plan(at.table, Rights.READ, (Branch(TRUE, ()),))

    def joins(found_joins: tuple[Join, ...]) -> None:
        for join in found_joins:
            source(join.source)

    def predicate(at: Predicate | None) -> None:
        match at:
            case And(parts) | Or(parts):
                for part in parts:
                    predicate(part)
            case Not(part):
                predicate(part)
            case Exists(_, inner, where, inner_joins):
                source(inner)
                joins(inner_joins)
                predicate(where)
            case _:
                pass

    source(select.source)
    joins(select.joins)
    predicate(select.where)
    return PlannedSelect(select, plans)


def select_of(tx: StoreTransaction, raw: str, table: str = "account") -> Select:
    return read_query(tx.schema, tx.schema.tables[table], split_options(raw), CONTEXT)


def names(tx: StoreTransaction, raw: str, table: str = "account") -> str:
    """The first output of each row, in one text."""
    return " ".join(str(row[0]) for row in tx.select(open_query(select_of(tx, raw, table))))


FOUND = {
    "name eq 'a1'": "A1",
    "name ne 'A1' and numberofemployees ne 6": "a3%",
    "revenue gt 10.49999": "A1 A2",
    "revenue eq 10.50001": "",
    "not (revenue eq 10.50001)": "A1 A2",
    "numberofemployees ge 5.5": "A2 a3%",
    "numberofemployees in (5,7)": "A1 a3%",
    "numberofemployees eq null": "A4 A5",
    "creditonhold": "a3%",
    "contains(name,'3[%]')": "a3%",
    "startswith(primarycontactid/fullname,'zoË')": "A1",
    "primarycontactid/lastname eq 'özx' or primarycontactid/lastname eq 'öz'": "A1",
    "primarycontactid/lastname eq primarycontactid/firstname": "A2 a3%",
    "primarycontactid/owninguser/fullname eq 'Ada Lovelace'": "A1",
    "primarycontactid eq null": "A4 A5",
    "_primarycontactid_value eq 00000000-0000-0000-0000-0000000000c9": "A1",
    "primarycontactid/contactid eq 00000000-0000-0000-0000-0000000000c9": "A1",
    "ownerid/fullname eq 'ben okri'": "a3% A4",
    "ownerid/name eq 'deals'": "A5",
    "_ownerid_value eq 00000000-0000-0000-0000-00000000000b": "A1 A2",
    "_owningteam_value ne null": "A5",
    "owningbusinessunit/name eq 'harbour'": "a3% A4",
    "parentaccountid/name eq 'A1'": "A4",
    "account_parent_account/any()": "A1",
    "Account_Tasks/any(t:t/subject eq 'call' and t/percentcomplete eq null)": "A2",
    "Account_Tasks/all(t:t/percentcomplete ge 50)": "A1 a3% A4 A5",
    "not Account_Tasks/any()": "a3% A4 A5",
    "Account_Tasks/any(t:t/owninguser/fullname eq primarycontactid/owninguser/fullname)": "A1",
    "Account_Tasks/any(t:$it/name eq 'A2')": "A2",
    "Microsoft.Dynamics.CRM.Today(PropertyName='createdon')": "A1",
    "Microsoft.Dynamics.CRM.EqualUserId(PropertyName='ownerid')": "A1 A2",
    "Microsoft.Dynamics.CRM.EqualUserOrUserHierarchy(PropertyName='ownerid')": "A1 A2 a3% A4",
    "Microsoft.Dynamics.CRM.Under(PropertyName='accountid',PropertyValue='00000000-0000-0000-0000-000000000065')": "A4",
    "Microsoft.Dynamics.CRM.NotIn(PropertyName='numberofemployees',PropertyValues=[\"5\"])": "A2 a3%",
    "1 eq 1 and null eq null and not ('a' gt 'b')": "A1 A2 a3% A4 A5",
}


def test_filters_find_their_rows(rows: StoreTransaction) -> None:
    found_rows = {text: names(rows, f"$select=name&$filter={text.replace('%', '%25')}") for text in FOUND}

    assert found_rows == {text: " ".join(sorted(expected.split(), key=str.lower)) for text, expected in FOUND.items()}


def test_orders_and_pages(rows: StoreTransaction) -> None:
    """WA-174: nulls first ascending, last descending."""
    assert names(rows, "$select=name&$orderby=numberofemployees desc&$top=3") == "a3% A2 A1"
    assert names(rows, "$select=name&$orderby=primarycontactid/fullname,name desc") == "A5 A4 a3% A2 A1"
    assert names(rows, "$select=name&$orderby=_primarycontactid_value desc,name") == "A1 A2 a3% A4 A5"


def test_aggregations(rows: StoreTransaction) -> None:
    apply = "$apply=groupby((primarycontactid/fullname),aggregate($count as n,revenue with sum as total))"
    select = select_of(rows, f"{apply}&$orderby=primarycontactid/fullname")

    assert rows.select(open_query(select)) == [
        (None, 2, None),
        ("Max max", 2, Decimal(20)),
        ("Zoë ÖZ", 1, Decimal("10.5")),
    ]


def _alternating(levels: int) -> str:
    text = "name eq 'A1'"
    for level in range(levels):
        connective, prefix = (("and", ""), ("or", "not "))[level % 2]
        text = f"name ne 'x' {connective} {prefix}({text})"
    return text


def _lambdas(levels: int) -> str:
    text = "v9/name ne 'x'"
    for level in reversed(range(levels)):
        owner = f"v{level - 1}/" if level else ""
        text = f"{owner}account_parent_account/any(v{level}:{text})"
    return text


@pytest.mark.parametrize(
    "text",
    [
        _alternating(99),
        _lambdas(10),
        " or ".join(f"name eq '{number}'" for number in range(500)),
        "parentaccountid/" * 60 + "name eq 'x'",
        f"name in ({','.join(repr(str(number)) for number in range(2000))})",
        " and ".join(f"Account_Tasks/any(t{number}:t{number}/subject eq '{number}')" for number in range(100)),
        "Account_Tasks/all(t:" + _alternating(90) + ")",
    ],
    ids=["nesting", "lambdas", "conditions", "joins", "values", "sub-selects", "all"],
)
def test_queries_at_the_limits_run(rows: StoreTransaction, text: str) -> None:
    """WA-196, WA-434: what the reader lets through, the engines carry."""
    assert isinstance(names(rows, f"$select=name&$filter={text}"), str)
