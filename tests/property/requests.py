"""Random requests: method, path, query, headers and body from the grammars, as `service.respond` takes them."""

import re
from dataclasses import dataclass

from tests.property.bodies import NS, Bodies, Json
from tests.property.draws import GUIDS, NASTY, Draw
from tests.property.queries import Queries

from strongroom.messages import operations
from strongroom.schema.model import Schema, Table
from strongroom.webapi.http import Response

METHODS = ("GET", "GET", "GET", "POST", "PATCH", "DELETE", "PUT", "HEAD")
FAVOURITES = ("account", "contact", "task", "opportunity", "incident", "annotation", "team", "connection")
TYPES = ("application/json", "application/json; charset=utf-8", "text/plain", "application/xml", "", "multipart/mixed")
PREFERENCES = ("return=representation", 'odata.include-annotations="*"', "odata.maxpagesize=2")
_GUID = re.compile("[0-9a-f]{8}-[0-9a-f-]{27}")
_ADDRESS = re.compile(rf"/(\w+)\(({_GUID.pattern})\)$")
_MOST_KNOWN, _FEWEST_KNOWN = 40, 3
ROOTS = ("EntityDefinitions", "RelationshipDefinitions", "GlobalOptionSetDefinitions", "$metadata", "")


@dataclass(frozen=True, slots=True)
class Drawn:
    """One random request; `path` and `query` as they stand in the URL."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    def __str__(self) -> str:
        url = f"{self.path}?{self.query}" if self.query else self.path
        return f"{self.method} {url[:600]!r} {self.headers} {self.body[:600]!r}"


class Requests:
    """An endless source of requests for one environment. `ids` grows as rows are made."""

    def __init__(self, draw: Draw, schema: Schema, ids: dict[str, list[str]]) -> None:
        self.draw = draw
        self.schema = schema
        self.ids = ids
        self.queries = Queries(draw, schema, ids)
        self.bodies = Bodies(draw, schema, self.queries)

    def next(self) -> Drawn:
        """One more."""
        draw = self.draw
        draw.is_wild = draw.chance(0.45)
        match draw.number(0, 19):
            case 0 | 1:
                made = self._operation()
            case 2 | 3:
                made = self._metadata()
            case 4 | 5:
                made = self.batch()
            case 6:
                made = self._navigation()
            case 7:
                made = self._reference()
            case 8:
                made = self._bulk()
            case 9:
                path = "/".join(draw.text() for _ in range(draw.number(0, 4)))
                made = Drawn(draw.pick(METHODS), draw.escaped(path), draw.escaped(draw.text()), {}, b"")
            case 10 | 11 | 12 | 13:
                made = self._list()
            case _:
                made = self._row()
        return Drawn(made.method, made.path, made.query, self._headers(made), made.body)

    def learn(self, sent: Drawn, answer: Response) -> None:
        """Know the rows that were made, and forget those that are gone."""
        address = answer.header("OData-EntityId")
        matched = _ADDRESS.search(address or "")
        table = self.schema.entity_sets.get(matched[1]) if matched else None
        if matched is not None and table is not None:
            known = self.ids.setdefault(table.logical_name, [])
            if matched[2] not in known:
                known.append(matched[2])
            del known[:-_MOST_KNOWN]
        elif sent.method == "DELETE" and answer.status == 204 and (gone := _GUID.search(sent.path)):
            for known in self.ids.values():
                if gone[0] in known and len(known) > _FEWEST_KNOWN:
                    known.remove(gone[0])

    def table(self) -> Table:
        name = self.draw.pick(FAVOURITES) if self.draw.chance(0.75) else self.draw.pick(list(self.schema.tables))
        return self.schema.tables[name]

    def _set(self, table: Table) -> str:
        return table.entity_set_name if not self.draw.slips(0.05) else self.draw.spoilt(table.entity_set_name)

    def _list(self) -> Drawn:
        table = self.table()
        tail = self.draw.pick(("", "", "", "", "/$count", "/$value", "/")) if self.draw.is_wild else ""
        method = self.draw.pick(METHODS) if self.draw.slips(0.2) else "GET"
        path = self.draw.escaped(self._set(table)) + tail
        return Drawn(method, path, self.queries.options(table), {}, b"" if method == "GET" else self._row_body(table))

    def _row_body(self, table: Table) -> bytes:
        return self.bodies.encoded(self.bodies.row(table) if not self.draw.slips(0.1) else self.bodies.junk())

    def _row(self) -> Drawn:
        draw = self.draw
        table = self.table()
        method = draw.pick(METHODS if draw.is_wild else ("POST", "PATCH", "GET", "DELETE"))
        path = self._set(table)
        if method != "POST" or draw.slips(0.05):
            path += f"({self.queries.key(table)})"
        query = self.queries.options(table) if draw.slips(0.2) else ""
        body = self._row_body(table) if method in ("POST", "PATCH", "PUT") or draw.slips(0.05) else b""
        return Drawn(method, draw.escaped(path), query, {}, body)

    def _change(self) -> Drawn:
        made = self._row()
        while made.method in ("GET", "HEAD") and not self.draw.slips(0.1):
            made = self._row()
        return made

    def _navigation(self) -> Drawn:
        draw = self.draw
        table = self.table()
        names = [*table.columns, *self.queries.parents(table), *self.queries.children(table)]
        path = f"{self._set(table)}({self.queries.key(table)})/{draw.name(names)}"
        path += draw.pick(("", "", "/$value", "/$count", "/$ref", f"/{draw.name(names)}", "(x)", "/a/b/c/d"))
        method = draw.pick(METHODS)
        value = {"value": self.bodies.junk()} if draw.chance(0.5) else self.bodies.row(self.table())
        query = self.queries.options(table) if draw.chance(0.2) else ""
        return Drawn(
            method, draw.escaped(path), query, {}, self.bodies.encoded(value) if method in ("PUT", "POST") else b""
        )

    def _reference(self) -> Drawn:
        draw = self.draw
        table = self.table()
        many = [a.nav1 for a in self.schema.many_to_many.values() if a.table1 == table.logical_name]
        nav = draw.name([*self.queries.parents(table), *self.queries.children(table), *many])
        path = f"{self._set(table)}({self.queries.key(table)})/{nav}"
        method = draw.pick(("POST", "PUT", "DELETE", "GET", "PATCH"))
        target = self.bodies.reference(self.table())
        query = f"$id={draw.escaped(str(target))}" if method == "DELETE" and draw.chance(0.5) else ""
        if method == "DELETE" and draw.chance(0.4):
            path += f"({self.queries.key(table)})"
        body = {"@odata.id": target} if not draw.slips(0.2) else self.bodies.junk()
        return Drawn(method, draw.escaped(path + "/$ref"), query, {}, self.bodies.encoded(body))

    def _operation(self) -> Drawn:
        draw = self.draw
        operation = draw.pick(list(operations().values()))
        name = operation.name
        prefix = ""
        if operation.bound_to:
            table = self.schema.tables[draw.pick(operation.bound_to)]
            prefix, name = f"{table.entity_set_name}({self.queries.key(table)})/", NS + name
        method = "GET" if operation.is_function else "POST"
        if draw.slips(0.1):
            method = draw.pick(METHODS)
        if not operation.is_function:
            return Drawn(
                method, draw.escaped(prefix + name), "", {}, self.bodies.encoded(self.bodies.arguments(operation))
            )
        arguments = {p.name: self.bodies.literal(p.kind) for p in operation.parameters if draw.chance(0.9)}
        if draw.chance(0.5):
            call = ",".join(f"{n}=@p{i}" for i, n in enumerate(arguments))
            query = "&".join(f"@p{i}={draw.escaped(v)}" for i, v in enumerate(arguments.values()))
            return Drawn(method, draw.escaped(f"{prefix}{name}({call})"), query, {}, b"")
        call = ",".join(f"{n}={v}" for n, v in arguments.items())
        return Drawn(method, draw.escaped(f"{prefix}{name}({call})"), "", {}, b"")

    def _bulk(self) -> Drawn:
        draw = self.draw
        table = self.table()
        name = draw.pick(("CreateMultiple", "UpdateMultiple", "UpsertMultiple", "DeleteMultiple", "Everything"))
        targets: list[Json] = [self.bodies.entity(table) | self.bodies.row(table) for _ in range(draw.number(0, 3))]
        body: Json = {"Targets": targets} if draw.chance(0.9) else {"Targets": self.bodies.junk()}
        return Drawn("POST", f"{self._set(table)}/{NS}{name}", "", {}, self.bodies.encoded(body))

    def _metadata(self) -> Drawn:
        draw = self.draw
        if not draw.is_wild and draw.chance(0.25):
            return self._definition()
        path = draw.pick(ROOTS)
        if path.endswith("Definitions"):
            name = draw.name(list(self.schema.tables))
            if draw.chance(0.7):
                path += draw.pick((f"(LogicalName='{name}')", f"({draw.pick(GUIDS)})", f"(SchemaName='{name}')", "(x)"))
            if draw.chance(0.5):
                path += "/" + draw.pick(
                    ("Attributes", "Keys", "OneToManyRelationships", "ManyToOneRelationships", "Nope")
                )
                if draw.chance(0.4):
                    path += f"(LogicalName='{draw.name(['name', 'accountid', 'statecode'])}')"
                if draw.chance(0.3):
                    path += f"/{NS}{draw.pick(('StringAttributeMetadata', 'PicklistAttributeMetadata', 'Nope'))}"
        method = draw.pick(("GET", "GET", "GET", "POST", "PUT", "DELETE", "PATCH"))
        pairs = draw.some(
            (
                ("$select", draw.name(["LogicalName", "SchemaName", "MetadataId", "DisplayName"])),
                ("$filter", f"LogicalName eq '{draw.text()}'"),
                (
                    "$filter",
                    f"{draw.pick(('IsPrivate', 'OwnershipType', 'Nope/Value'))} eq {self.queries.literal()}",
                ),
                ("$expand", draw.pick(("Attributes($select=LogicalName)", "Keys", "Nope", "Attributes($filter=x"))),
                ("$top", "5"),
                ("$count", "true"),
                ("annotations", "true"),
            ),
            2,
        )
        query = "&".join(f"{n}={draw.escaped(draw.spoilt(v) if draw.slips(0.2) else v)}" for n, v in pairs)
        body = b""
        if method in ("POST", "PUT"):
            body = self.bodies.encoded(
                draw.pick((self.bodies.attribute(), self.bodies.definition(), self.bodies.junk()))
            )
        return Drawn(method, draw.escaped(path), query, {}, body)

    def _definition(self) -> Drawn:
        """A change of metadata that is about right."""
        draw = self.draw
        method = draw.pick(("POST", "POST", "PUT", "DELETE"))
        column = draw.pick(("description", "new_plain", "fax", f"new_x{draw.number(0, 9999)}"))
        path, body = draw.pick(
            (
                ("EntityDefinitions", self.bodies.definition()),
                ("RelationshipDefinitions", self.bodies.definition()),
                ("EntityDefinitions(LogicalName='account')/Keys", self.bodies.definition()),
                ("EntityDefinitions(LogicalName='account')/Attributes", self.bodies.attribute()),
                ("GlobalOptionSetDefinitions", self.bodies.definition()),
            )
        )
        if method != "POST":
            path += f"(LogicalName='{column}')"
        return Drawn(method, draw.escaped(path), "", {}, b"" if method == "DELETE" else self.bodies.encoded(body))

    def batch(self) -> Drawn:
        """A `$batch` of up to four requests, some of them in a change set."""
        draw = self.draw
        lines: list[str] = []
        bodies: list[bytes] = []
        end = draw.pick((b"\r\n", b"\r\n", b"\n"))

        def part(number: int, *, changing: bool) -> bytes:
            inner = self._change() if changing or draw.chance(0.4) else self._list()
            target = inner.path + (f"?{inner.query}" if inner.query else "")
            target = draw.pick((target, f"/api/data/v9.2/{target}", "$1", "$1/name")) if draw.slips(0.3) else target
            head = [b"Content-Type: application/http", f"Content-ID: {draw.pick((number, 1, 'x y'))}".encode(), b""]
            head += [f"{inner.method} {target} HTTP/1.1".encode("latin-1"), b"Content-Type: application/json", b""]
            return end.join(head) + end + inner.body

        del lines
        for number in range(draw.number(0, 3)):
            if draw.chance(0.4):
                inner = b"".join(b"--c" + end + part(i, changing=True) + end for i in range(draw.number(0, 3)))
                bodies.append(b"Content-Type: multipart/mixed; boundary=c" + end * 2 + inner + b"--c--" + end)
            else:
                bodies.append(part(number, changing=False))
        body = b"".join(b"--b" + end + piece + end for piece in bodies) + b"--b--" + end
        if draw.slips(0.3):
            at = draw.number(0, len(body))
            body = body[:at] + draw.pick((b"", b"\xff", b"--b", end * 2, draw.data(5))) + body[at + draw.number(0, 5) :]
        kind = draw.pick(
            ("multipart/mixed; boundary=b", 'multipart/mixed;boundary="b"', "multipart/mixed", "text/plain")
        )
        header = kind if draw.slips(0.2) else "multipart/mixed; boundary=b"
        return Drawn("POST", "$batch", "", {"content-type": header}, body)

    def _headers(self, made: Drawn) -> dict[str, str]:
        draw = self.draw
        headers = dict(made.headers)
        if made.body and "content-type" not in headers:
            headers["content-type"] = draw.pick(TYPES) if draw.slips(0.1) else "application/json"
        if not draw.is_wild and draw.chance(0.4):
            headers["prefer"] = draw.pick(PREFERENCES)
        if draw.slips(0.3):
            headers |= dict(
                draw.some(
                    (
                        ("prefer", draw.pick(PREFERENCES)),
                        (
                            "prefer",
                            draw.pick(("odata.maxpagesize=x,return=x", ",,;=", 'a="', "odata.continue-on-error")),
                        ),
                        ("if-match", draw.pick(('W/"1"', "*", "x", 'W/"99999999999999999999"', "null", 'W/"1",W/"2"'))),
                        ("if-none-match", draw.pick(("*", "null", 'W/"5"', "'"))),
                        ("accept", draw.pick(("application/json", "*/*", "text/html", "a/b;q=x", ""))),
                        ("odata-version", draw.pick(("4.0", "4.01", "x"))),
                        ("mscrmcallerid", draw.pick((self.queries.row_id("systemuser"), "x"))),
                        ("callerobjectid", draw.pick(GUIDS)),
                        ("content-type", draw.pick(TYPES)),
                        ("mscrm.suppressduplicatedetection", "maybe"),
                        ("x-ms-client-request-id", draw.pick(NASTY).encode("ascii", "ignore").decode()[:50]),
                    ),
                    3,
                )
            )
        if "content-type" in made.headers and draw.chance(0.95):
            headers["content-type"] = made.headers["content-type"]
        return headers
