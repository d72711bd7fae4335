"""Every door through which rows can be seen, and what the oracle says must be seen there (R5, SM-3, SM-5).

A door is a function of a `Visitor`: it sends requests as one user and asserts that the answers show exactly the rows
that the oracle lets that user read. Nothing here knows how the product decides.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from tests.differential.doors_world import BUSINESS, NAMES, Doubled

from oracle.decision import decide
from strongroom.environment import Environment
from strongroom.identity import TokenClaims
from strongroom.identity.conditional.gate import Verdict
from strongroom.ids import new_guid
from strongroom.webapi.http import Request, Response
from strongroom.webapi.service import respond

ROOT = "http://127.0.0.1:8000/api/data/v9.2/"
_PLATFORM = ("systemuser", "team", "businessunit")
_REFERRING = {
    "account": ("primarycontactid", "contact"),
    "contact": ("parentcustomerid", "account"),
    "task": ("regardingobjectid", "account"),
    "new_ticket": ("new_account", "account"),
}


class Visitor:
    """One user at the doors of one environment. `sees` has the names of readable rows by table, or the code with
    which the table is refused."""

    def __init__(self, environment: Environment, doubled: Doubled, user: str) -> None:
        self.environment = environment
        self.doubled = doubled
        self.user = user
        self.names = {row_id: name for name, row_id in doubled.ids.items()}
        with environment.database.read() as transaction:
            self.schema = transaction.schema
        self.decided = {name: decide(doubled.oracle, user, "Read", row) for name, row in doubled.oracle["rows"].items()}
        self.sees = {table: self._sees(table) for table in doubled.oracle["tables"]}
        self.requests = 0

    def _sees(self, table: str) -> set[str] | str:
        rows = self.doubled.rows_of(table)
        denials = {self.decided[name][2] for name in rows}
        if "missing-privilege" in denials:
            return "0x80040220"
        if "no-roles" in denials:
            return "0x80042f09"
        return {name for name in rows if self.decided[name][0]}

    def visible(self, table: str) -> set[str]:
        """The readable rows of a table that may be read."""
        sees = self.sees[table]
        assert isinstance(sees, set)
        return sees

    @property
    def is_disabled(self) -> bool:
        return any(denial == "user-disabled" for _, _, denial in self.decided.values())

    def value(self, name: str, column: str) -> Any:
        """A column of a row; a lookup is the name of a row."""
        return self.doubled.values[name].get(column)

    # --- requests ---

    def send(
        self, path: str, *, headers: dict[str, str] | None = None, method: str = "GET", body: bytes = b""
    ) -> Response:
        """One request of this user. `path` is written plainly and quoted here."""
        self.requests += 1
        now = datetime.now(UTC)
        user = self.doubled.ids[self.user]
        claims = TokenClaims(user, self.environment.id, new_guid(self.environment.clock), "", now, now)
        address, _, query = path.partition("?")
        request = Request(
            method,
            quote(address, safe="/()=,'@$"),
            quote(query, safe="/()=,'@$&:%"),
            headers or {},
            body,
            ROOT,
            self.environment.new_id(),
            "127.0.0.1",
        )
        return respond(self.environment, request, claims, Verdict())

    def get(self, path: str, size: int | None = None) -> Any:
        """The JSON of a GET that must succeed."""
        headers = {} if size is None else {"prefer": f"odata.maxpagesize={size}"}
        answer = self.send(path, headers=headers)
        assert answer.status == 200, f"{self.user}: {path}: {answer.status} {answer.body.decode()}"
        return json.loads(answer.body)

    def rows(self, path: str, size: int | None = None) -> list[dict[str, Any]]:
        """The rows of a list over all its pages."""
        found: list[dict[str, Any]] = []
        page = self.get(path, size)
        while True:
            assert size is None or len(page["value"]) <= size
            found += page["value"]
            link = page.get("@odata.nextLink")
            if link is None:
                return found
            assert page["value"], "a page that is not the last has rows"
            headers = {"prefer": f"odata.maxpagesize={size}"}
            address, _, query = link.removeprefix(ROOT).partition("?")
            page = self._follow(address, query, headers)

    def _follow(self, address: str, query: str, headers: dict[str, str]) -> Any:
        now = datetime.now(UTC)
        claims = TokenClaims(
            self.doubled.ids[self.user], self.environment.id, new_guid(self.environment.clock), "", now, now
        )
        self.requests += 1
        request = Request("GET", address, query, headers, b"", ROOT, self.environment.new_id(), "127.0.0.1")
        answer = respond(self.environment, request, claims, Verdict())
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def refused(self, path: str, code: str) -> None:
        """A GET that must be refused with 403 and this code."""
        answer = self.send(path)
        assert (answer.status, json.loads(answer.body)["error"]["code"]) == (403, code), f"{self.user}: {path}"

    def named(self, table: str, rows: Iterable[dict[str, Any]], key: str | None = None) -> list[str]:
        """The names of rows in an answer."""
        key = key or self.schema.tables[table].primary_id
        return [self.names[row[key]] for row in rows]

    def same(self, table: str, path: str, expected: Iterable[str], size: int | None = None) -> list[str]:
        """A list that must show exactly the expected rows, each once; their names in its order."""
        found = self.named(table, self.rows(path, size))
        wanted = sorted(expected)
        assert sorted(found) == wanted, f"{self.user}: {path}\nshows {sorted(found)}\nmust show {wanted}"
        return found

    def set(self, table: str) -> str:
        """The entity set of a table."""
        return self.schema.tables[table].entity_set_name

    def key(self, table: str) -> str:
        """The primary key of a table."""
        return self.schema.tables[table].primary_id

    def reads(self, *tables: str) -> bool:
        """Whether this user may read all of these tables at all."""
        return all(isinstance(self.sees[table], set) for table in tables)

    def parent(self, name: str, table: str) -> str | None:
        """The readable row that a row's lookup leads to."""
        column, target = _REFERRING[table]
        parent = self.value(name, column)
        return parent if parent is not None and parent in self.visible(target) else None


Door = Callable[[Visitor], None]


def everything_is_refused(visitor: Visitor) -> None:
    """SM-60, SM-61: a disabled user gets nowhere."""
    for table in visitor.sees:
        assert visitor.send(visitor.set(table)).status == 401


def single_rows(visitor: Visitor) -> None:
    """SM-5, SM-151, SM-152: each row alone, and its columns."""
    for table, sees in visitor.sees.items():
        for name in visitor.doubled.rows_of(table):
            path = f"{visitor.set(table)}({visitor.doubled.ids[name]})"
            if isinstance(sees, str):
                visitor.refused(path, sees)
            elif name in sees:
                visitor.get(f"{path}?$select={visitor.key(table)}")
            else:
                visitor.refused(path, "0x80048306")
                visitor.refused(f"{path}/{visitor.key(table)}", "0x80048306")


def lists(visitor: Visitor) -> None:
    """SM-5, SM-153: lists, counts, every page size; and lists inside a batch."""
    for table, sees in visitor.sees.items():
        path, key = visitor.set(table), visitor.key(table)
        if isinstance(sees, str):
            visitor.refused(path, sees)
            visitor.refused(f"{path}/$count", sees)
            continue
        for size in (None, 1, 2, 7):
            visitor.same(table, f"{path}?$select={key}", sees, size)
        page = visitor.get(f"{path}?$select={key}&$count=true", 1)
        assert page["@odata.count"] == len(sees)
        assert int(visitor.send(f"{path}/$count").body.decode("utf-8-sig")) == len(sees)
        assert len(visitor.rows(f"{path}?$select={key}&$top=2")) == min(2, len(sees))
        part = f"Content-Type: application/http\r\n\r\nGET /api/data/v9.2/{path}?$select={key} HTTP/1.1\r\n\r\n"
        headers = {"content-type": "multipart/mixed; boundary=b"}
        answer = visitor.send("$batch", headers=headers, method="POST", body=f"--b\r\n{part}\r\n--b--\r\n".encode())
        text = answer.body.decode()
        inner = json.loads(text[text.index("{") : text.rindex("}") + 1])
        assert set(visitor.named(table, inner["value"])) == sees


def totals(visitor: Visitor) -> None:
    """WA-238."""
    for table, sees in visitor.sees.items():
        path = f"RetrieveTotalRecordCount(EntityNames=['{table}'])"
        if isinstance(sees, str):
            visitor.refused(path, sees)
        else:
            assert visitor.get(path)["EntityRecordCountCollection"]["Values"] == [len(sees)]


def filters(visitor: Visitor) -> None:
    """Conditions on a row's own columns narrow what is seen, their opposites too."""
    for table in NAMES:
        if not visitor.reads(table):
            continue
        sees, column, path = visitor.visible(table), NAMES[table], visitor.set(table)
        key = visitor.key(table)
        is_b = {name for name in sees if "b" in str(visitor.value(name, column)).lower()}
        visitor.same(table, f"{path}?$select={key}&$filter=contains({column},'b')", is_b)
        visitor.same(table, f"{path}?$select={key}&$filter=not contains({column},'b')", sees - is_b)
        if table in _REFERRING:
            lookup, _ = _REFERRING[table]
            bound = {name for name in sees if visitor.value(name, lookup) is not None}
            visitor.same(table, f"{path}?$select={key}&$filter=_{lookup}_value ne null", bound, 2)
            visitor.same(table, f"{path}?$select={key}&$filter=_{lookup}_value eq null", sees - bound, 2)


def orders(visitor: Visitor) -> None:
    """Every order shows the same rows, over every page."""
    for table in NAMES:
        if not visitor.reads(table):
            continue
        column, path = NAMES[table], f"{visitor.set(table)}?$select={visitor.key(table)}"
        for size in (1, 2, 7):
            for order in (column, f"{column} desc", "createdon desc", f"{visitor.key(table)} desc"):
                visitor.same(table, f"{path}&$orderby={order}", visitor.visible(table), size)
    if visitor.reads("account"):
        path = "accounts?$select=accountid&$orderby=numberofemployees"
        for way in ("", " desc"):
            found = visitor.same("account", path + way, visitor.visible("account"), 2)
            numbers = [visitor.value(name, "numberofemployees") or 0 for name in found]
            assert numbers == sorted(numbers, reverse=bool(way))


def expands(visitor: Visitor) -> None:
    """SM-153: a parent that may not be read is null, and children that may not be read are not there."""
    for table, (lookup, target) in _REFERRING.items():
        if not visitor.reads(table):
            continue
        relationship = next(
            each
            for each in visitor.schema.relationships.values()
            if (each.referencing_table, each.referencing_column, each.referenced_table) == (table, lookup, target)
        )
        inside = f"($select={visitor.key(target)})"
        up = f"{visitor.set(table)}?$select={visitor.key(table)}&$expand={relationship.lookup_nav}{inside}"
        if not visitor.reads(target):
            refusal = visitor.sees[target]
            assert isinstance(refusal, str)
            visitor.refused(up, refusal)
            continue
        for row in visitor.rows(up, 3):
            name = visitor.names[row[visitor.key(table)]]
            parent = row[relationship.lookup_nav]
            shown = None if parent is None else visitor.names[parent[visitor.key(target)]]
            assert shown == visitor.parent(name, table), f"{visitor.user}: {up}: {name}"
        nav = relationship.collection_nav
        down = f"{visitor.set(target)}?$select={visitor.key(target)}&$expand={nav}($select={visitor.key(table)})"
        children = _children(visitor, table)
        for row in visitor.rows(down, 3):
            name = visitor.names[row[visitor.key(target)]]
            assert sorted(visitor.named(table, row[nav])) == sorted(children.get(name, [])), f"{visitor.user}: {down}"
        for name in visitor.visible(target):
            path = f"{visitor.set(target)}({visitor.doubled.ids[name]})/{nav}"
            visitor.same(table, f"{path}?$select={visitor.key(table)}", children.get(name, []), 1)
            assert int(visitor.send(f"{path}/$count").body.decode("utf-8-sig")) == len(children.get(name, []))
        for name in visitor.visible(table):
            _navigation(visitor, table, name, relationship.lookup_nav)
        _lambdas(visitor, table, target, nav, children)
        _through(visitor, table, relationship.lookup_nav, target)


def _children(visitor: Visitor, table: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in visitor.visible(table):
        parent = visitor.parent(name, table)
        if parent is not None:
            found.setdefault(parent, []).append(name)
    return found


def _navigation(visitor: Visitor, table: str, name: str, nav: str) -> None:
    """The row behind a lookup by its path: shown, refused, or not there."""
    lookup, target = _REFERRING[table]
    answer = visitor.send(f"{visitor.set(table)}({visitor.doubled.ids[name]})/{nav}")
    points_to = visitor.value(name, lookup)
    if points_to is None:
        assert answer.status in (204, 404), answer.status
    elif points_to in visitor.visible(target):
        assert visitor.named(target, [json.loads(answer.body)]) == [points_to]
    else:
        assert answer.status == 403, answer.body


def _lambdas(visitor: Visitor, table: str, target: str, nav: str, children: dict[str, list[str]]) -> None:
    """`any` and `all` over children speak of readable ones only."""
    path, column = f"{visitor.set(target)}?$select={visitor.key(target)}", NAMES[table]
    parents = visitor.visible(target)

    def is_b(name: str) -> bool:
        return "b" in str(visitor.value(name, column)).lower()

    some = {name for name in parents if any(is_b(child) for child in children.get(name, []))}
    every = {name for name in parents if all(is_b(child) for child in children.get(name, []))}
    visitor.same(target, f"{path}&$filter={nav}/any()", set(children))
    visitor.same(target, f"{path}&$filter={nav}/any(c:contains(c/{column},'b'))", some, 2)
    visitor.same(target, f"{path}&$filter=not {nav}/any(c:contains(c/{column},'b'))", parents - some, 2)
    visitor.same(target, f"{path}&$filter={nav}/all(c:contains(c/{column},'b'))", every)


def _through(visitor: Visitor, table: str, nav: str, target: str) -> None:
    """Conditions, orders and groups through a lookup: a row that may not be read is as if it were not there."""
    path, key, column = visitor.set(table), visitor.key(table), NAMES[target]
    sees = visitor.visible(table)
    behind = {name: visitor.parent(name, table) for name in sees}

    def text(parent: str | None) -> str | None:
        return None if parent is None else str(visitor.value(parent, column))

    is_b = {name for name, parent in behind.items() if "b" in (text(parent) or "").lower()}
    visitor.same(table, f"{path}?$select={key}&$filter=contains({nav}/{column},'b')", is_b)
    visitor.same(table, f"{path}?$select={key}&$filter={nav}/{column} eq null", {n for n in sees if behind[n] is None})
    for size in (1, 7):
        visitor.same(table, f"{path}?$select={key}&$orderby={nav}/{column} desc", sees, size)
    groups = visitor.get(f"{path}?$apply=groupby(({nav}/{column}),aggregate($count as n))")["value"]
    counted: Counter[str | None] = Counter()
    for group in groups:
        shown = next((value for name, value in group.items() if name != "n"), None)
        counted[None if shown is None else str(shown).lower()] += group["n"]
    wanted = Counter(None if text(parent) is None else str(text(parent)).lower() for parent in behind.values())
    assert counted == wanted, f"{visitor.user}: groups of {path} by {nav}/{column}: {groups}"


def aggregates(visitor: Visitor) -> None:
    """Counts, sums and groups are over readable rows: OData, FetchXML and SQL alike."""
    for table in NAMES:
        if not visitor.reads(table):
            continue
        sees, path, key = visitor.visible(table), visitor.set(table), visitor.key(table)
        assert visitor.get(f"{path}?$apply=aggregate($count as n)")["value"][0]["n"] == len(sees)
        counted = f"<attribute name='{key}' alias='n' aggregate='count'/>"
        fetch = f"<fetch aggregate='true'><entity name='{table}'>{counted}</entity></fetch>"
        assert visitor.get(f"{path}?fetchXml={quote(fetch)}")["value"][0]["n"] == len(sees)
        assert visitor.get(f"{path}?sql=select count(*) as n from {table}")["value"][0]["n"] == len(sees)
        column = NAMES[table]
        groups = visitor.get(f"{path}?$apply=groupby(({column}),aggregate($count as n))")["value"]
        grouped = Counter({str(group[column]).lower(): group["n"] for group in groups})
        assert grouped == Counter(str(visitor.value(name, column)).lower() for name in sees)
    if visitor.reads("account"):
        total = sum(visitor.value(name, "numberofemployees") or 0 for name in visitor.visible("account"))
        answer = visitor.get(
            "accounts?$apply=aggregate(numberofemployees with sum as s,numberofemployees with max as m)"
        )
        assert (answer["value"][0]["s"] or 0) == total


def fetches(visitor: Visitor) -> None:
    """FetchXML: plain, and with linked rows that must, may, or must not be there."""
    for table, (lookup, target) in _REFERRING.items():
        if not visitor.reads(table):
            continue
        key, far = visitor.key(table), visitor.key(target)
        visitor.same(table, _fetch(visitor, table, ""), visitor.visible(table), 2)
        link = f"<link-entity name='{target}' from='{far}' to='{lookup}' link-type='%s' alias='x'>%s</link-entity>"
        if not visitor.reads(target):
            refusal = visitor.sees[target]
            assert isinstance(refusal, str)
            for kind in ("inner", "outer", "exists", "any"):
                asked = link % (kind, "")
                visitor.refused(
                    _fetch(visitor, table, f"<filter>{asked}</filter>" if kind == "any" else asked), refusal
                )
            continue
        sees = visitor.visible(table)
        bound = {name for name in sees if visitor.parent(name, table) is not None}
        visitor.same(table, _fetch(visitor, table, link % ("inner", f"<attribute name='{far}'/>")), bound, 2)
        visitor.same(table, _fetch(visitor, table, link % ("exists", "")), bound)
        visitor.same(table, _fetch(visitor, table, link % ("in", "")), bound)
        visitor.same(table, _fetch(visitor, table, f"<filter>{link % ('any', '')}</filter>"), bound)
        visitor.same(table, _fetch(visitor, table, f"<filter>{link % ('not any', '')}</filter>"), sees - bound)
        outer = visitor.rows(_fetch(visitor, table, link % ("outer", f"<attribute name='{far}' alias='far'/>")), 2)
        assert sorted(visitor.named(table, outer)) == sorted(sees)
        for row in outer:
            shown = row.get("far")
            expected = visitor.parent(visitor.names[row[key]], table)
            assert (None if shown is None else visitor.names[shown]) == expected
        sql = f"select t.{key}, p.{far} as far from {table} t join {target} p on t.{lookup} = p.{far}"
        visitor.same(table, f"{visitor.set(table)}?sql={sql}", bound)
        counted = visitor.get(
            f"{visitor.set(table)}?sql=select count(*) as n from {table} t join {target} p on t.{lookup} = p.{far}"
        )
        assert counted["value"][0]["n"] == len(bound)


def _fetch(visitor: Visitor, table: str, inside: str) -> str:
    xml = f"<fetch><entity name='{table}'><attribute name='{visitor.key(table)}'/>{inside}</entity></fetch>"
    return f"{visitor.set(table)}?fetchXml={quote(xml)}"


def alternate_keys(visitor: Visitor) -> None:
    """WA-75: the address by key opens what the address by id opens."""
    sees = visitor.sees["new_ticket"]
    for name in visitor.doubled.rows_of("new_ticket"):
        path = f"new_tickets(new_code='{visitor.value(name, 'new_code')}')"
        if isinstance(sees, str):
            visitor.refused(path, sees)
        elif name in sees:
            assert visitor.get(f"{path}?$select=new_ticketid")["new_ticketid"] == visitor.doubled.ids[name]
        else:
            visitor.refused(path, "0x80048306")


def questions(visitor: Visitor) -> None:
    """SM-160, SM-170: what is told about access is what access is, with the oracle's reasons."""
    me = visitor.doubled.ids[visitor.user]
    for table in BUSINESS:
        for name in visitor.doubled.rows_of(table):
            target = f"{{'@odata.id':'{visitor.set(table)}({visitor.doubled.ids[name]})'}}"
            if visitor.sees[table] == "0x80042f09":
                continue
            access = f"systemusers({me})/Microsoft.Dynamics.CRM.RetrievePrincipalAccess(Target=@t)?@t={target}"
            allowed, reasons, _ = visitor.decided[name]
            assert ("ReadAccess" in visitor.get(access)["AccessRights"]) == allowed
            explain = (
                "sr_ExplainAccess(Principal=@p,Target=@t,Right=@r)"
                f"?@p={{'@odata.id':'systemusers({me})'}}&@t={target}&@r='ReadAccess'"
            )
            answer = visitor.get(explain)
            assert answer["Allowed"] == allowed
            assert {reason["Code"] for reason in answer["Reasons"]} == reasons


DOORS: tuple[Door, ...] = (
    single_rows,
    lists,
    totals,
    filters,
    orders,
    expands,
    aggregates,
    fetches,
    alternate_keys,
    questions,
)
