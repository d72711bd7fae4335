"""Random bodies: rows, references, arguments of operations, metadata; whole, of the wrong types, or broken."""

import json

from tests.property.draws import DATES, Draw
from tests.property.queries import Queries

from strongroom.messages import Kind, Operation
from strongroom.schema.model import Column, ColumnType, Schema, Table

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

NS = "Microsoft.Dynamics.CRM."
_ATTRIBUTE_KINDS = (
    *("String", "Memo", "Integer", "Decimal", "Money", "Boolean", "DateTime", "Picklist", "MultiSelectPicklist"),
    *("Lookup", "File", "Image", "BigInt", "Double", "State", "Nothing"),
)


class Bodies:
    """Makes JSON for one schema."""

    def __init__(self, draw: Draw, schema: Schema, queries: Queries) -> None:
        self.draw = draw
        self.schema = schema
        self.queries = queries

    def junk(self, depth: int = 0) -> Json:
        """Any JSON value."""
        draw = self.draw
        match draw.number(0, 8 if depth < 3 else 5):
            case 0:
                return None
            case 1:
                return draw.chance(0.5)
            case 2:
                return draw.pick((0, -1, 2**31, 2**63, 2**70, 10**30))
            case 3:
                return draw.pick((0.5, -1e300, 1e-300, 5.0))
            case 4 | 5:
                return draw.text()
            case 6 | 7:
                return {draw.text() or "a": self.junk(depth + 1) for _ in range(draw.number(0, 3))}
            case _:
                return [self.junk(depth + 1) for _ in range(draw.number(0, 3))]

    def value(self, column: Column) -> Json:
        """A value for a column: right in most cases."""
        draw = self.draw
        if draw.slips(0.2):
            return self.junk()
        if draw.chance(0.05):
            return None
        kind = column.type
        if kind is ColumnType.BOOLEAN:
            return draw.pick((True, False, 0, 1, 2) if draw.is_wild else (True, False))
        if kind.is_choice:
            return draw.pick([option.value for option in column.options] or [1]) if not draw.slips(0.2) else 987654
        if kind in (ColumnType.INTEGER, ColumnType.BIGINT):
            return draw.pick((0, 1, 50, 100, -1, 2**31 - 1, 2**31, "12", 7.0) if draw.is_wild else (1, 5))
        if kind in (ColumnType.DECIMAL, ColumnType.MONEY, ColumnType.DOUBLE):
            return draw.pick((0, 1.5, 12.6789, -3, 1e12, 1e22, "8.25", "1e400") if draw.is_wild else (0, 1.5, 12.6789))
        if kind is ColumnType.DATETIME:
            return draw.pick((*DATES, "2024-05-01", "yesterday") if draw.is_wild else ("2024-05-01",))
        if kind is ColumnType.UNIQUEIDENTIFIER:
            return self.queries.row_id("account")
        if kind is ColumnType.MULTISELECT:
            return draw.pick(("1,2", "", "x", "1,,2"))
        text = draw.text()
        return text[: column.max_length] if column.max_length and not draw.slips(0.2) else text

    def row(self, table: Table, depth: int = 0) -> dict[str, Json]:
        """The body of a create or an update."""
        draw = self.draw
        plain = [c for c in table.columns.values() if not c.type.is_lookup]
        body: dict[str, Json] = {c.logical_name: self.value(c) for c in draw.some(plain, 4)}
        if table.primary_name and draw.chance(0.8):
            body[table.primary_name] = draw.text()[:100]
        parents = self.schema.parents_of(table.logical_name)
        if parents and draw.chance(0.35):
            relationship = draw.pick(parents)
            target = self.schema.tables[relationship.referenced_table]
            body[f"{relationship.lookup_nav}@odata.bind"] = self.reference(target)
        if parents and draw.chance(0.06) and depth < 12:
            relationship = draw.pick(parents)
            body[relationship.lookup_nav] = self.row(self.schema.tables[relationship.referenced_table], depth + 1)
        children = self.schema.children_of(table.logical_name)
        if children and draw.chance(0.08) and depth < 4:
            relationship = draw.pick(children)
            child = self.schema.tables[relationship.referencing_table]
            body[relationship.collection_nav] = [self.row(child, depth + 1) for _ in range(draw.number(0, 2))]
        if draw.slips(0.2):
            body[draw.name(list(table.columns))] = self.junk()
        if draw.chance(0.05):
            body["ownerid@odata.bind"] = self.reference(
                self.schema.tables[draw.pick(("systemuser", "team", "account"))]
            )
        return body

    def reference(self, table: Table) -> Json:
        """A reference to a row, as `@odata.bind` and `@odata.id` hold it."""
        draw = self.draw
        text = f"{table.entity_set_name}({self.queries.key(table)})"
        if not draw.is_wild:
            return text
        return draw.pick((text, f"/{text}", f"http://127.0.0.1/api/data/v9.2/{text}", "$1", draw.spoilt(text), None, 5))

    def entity(self, table: Table) -> dict[str, Json]:
        """A row as an argument of an operation."""
        return {"@odata.type": f"{NS}{table.logical_name}", table.primary_id: self.queries.row_id(table.logical_name)}

    def argument(self, kind: Kind) -> Json:
        """An argument of about the right kind."""
        draw = self.draw
        if draw.slips(0.3):
            return self.junk()
        table = self.schema.tables[draw.pick(("account", "contact", "systemuser", "team", "role", "task"))]
        match kind:
            case Kind.GUID:
                return self.queries.row_id(table.logical_name)
            case Kind.INTEGER:
                return draw.pick((0, 1, -1, 2**40))
            case Kind.BOOLEAN:
                return draw.chance(0.5)
            case Kind.REFERENCE:
                return draw.pick((self.entity(table), {"@odata.id": self.reference(table)}, {}))
            case Kind.REFERENCES:
                return [self.entity(table) for _ in range(draw.number(0, 2))]
            case Kind.STRINGS:
                return [draw.name(list(self.schema.tables)) for _ in range(draw.number(0, 3))]
            case Kind.COMPLEX:
                rights = draw.pick(("ReadAccess", "ReadAccess, WriteAccess", "Nothing", "", 5))
                return draw.pick(
                    (
                        {"Principal": self.entity(table), "AccessMask": rights},
                        {"PageNumber": draw.pick((1, 0, "x")), "Count": draw.pick((5, -1, True))},
                        {"PropertyNames": ["LogicalName"], "AllProperties": True},
                    )
                )
            case Kind.COMPLEXES:
                privilege: Json = {
                    "PrivilegeId": self.queries.row_id("privilege"),
                    "Depth": draw.pick(("Basic", "x", 3)),
                }
                query: Json = {
                    "EntityName": table.logical_name,
                    "ColumnSet": {"AllColumns": True},
                    "Criteria": self.junk(),
                }
                return draw.pick(([privilege], [query], [self.junk()], []))
            case _:
                return draw.text()

    def arguments(self, operation: Operation) -> dict[str, Json]:
        """The body of an action."""
        given = {p.name: self.argument(p.kind) for p in operation.parameters if self.draw.chance(0.85)}
        if self.draw.slips(0.2):
            given[self.draw.text()] = self.junk()
        return given

    def label(self) -> Json:
        if self.draw.chance(0.1):
            return self.junk()
        return {"LocalizedLabels": [{"Label": self.draw.text(), "LanguageCode": 1033}]}

    def attribute(self) -> dict[str, Json]:
        """The definition of a column."""
        draw = self.draw
        kind = draw.pick(_ATTRIBUTE_KINDS)
        body: dict[str, Json] = {
            "@odata.type": f"{NS}{kind}AttributeMetadata",
            "SchemaName": draw.pick(("new_Plain", "new_x" + str(draw.number(0, 9999)), "noprefix", draw.text())),
            "DisplayName": self.label(),
            "RequiredLevel": draw.pick(({"Value": "None"}, {"Value": "Never"}, 5)),
        }
        extras: tuple[tuple[str, Json], ...] = (
            ("MaxLength", draw.pick((10, 0, -5, 10**9, "x", None))),
            ("MinValue", draw.pick((0, 10**40, "a"))),
            ("MaxValue", draw.pick((5, -(10**40), []))),
            ("Precision", draw.pick((2, 99, -1))),
            ("FormatName", draw.pick(({"Value": "Text"}, {"Value": 5}, "Text"))),
            ("OptionSet", draw.pick(({"Options": [{"Value": 1, "Label": self.label()}]}, {"Options": 5}, self.junk()))),
            ("Targets", draw.pick((["account"], ["nothing"], "x"))),
            ("IsPrimaryName", draw.chance(0.5)),
        )
        body |= dict(draw.some(extras, 4))
        return body

    def definition(self) -> dict[str, Json]:
        """The definition of a table, a relationship, a choice or a key."""
        draw = self.draw
        name = draw.pick(("new_T" + str(draw.number(0, 9999)), "account", "x", draw.text()))
        match draw.number(0, 4):
            case 0:
                return {
                    "@odata.type": f"{NS}EntityMetadata",
                    "SchemaName": name,
                    "DisplayName": self.label(),
                    "DisplayCollectionName": self.label(),
                    "OwnershipType": draw.pick(("UserOwned", "OrganizationOwned", "None", 5)),
                    "Attributes": [self.attribute() for _ in range(draw.number(0, 2))],
                }
            case 1:
                lookup: Json = {"SchemaName": name + "Id", "DisplayName": self.label()}
                return {
                    "@odata.type": f"{NS}OneToManyRelationshipMetadata",
                    "SchemaName": name,
                    "ReferencedEntity": draw.name(list(self.schema.tables)),
                    "ReferencingEntity": draw.name(list(self.schema.tables)),
                    "Lookup": draw.pick((lookup, self.junk())),
                    "CascadeConfiguration": draw.pick((None, {"Delete": "Sometimes"}, {"Delete": "Cascade"}, [])),
                }
            case 2:
                return {
                    "@odata.type": f"{NS}ManyToManyRelationshipMetadata",
                    "SchemaName": name,
                    "Entity1LogicalName": draw.name(list(self.schema.tables)),
                    "Entity2LogicalName": draw.name(list(self.schema.tables)),
                    "IntersectEntityName": draw.pick((name.lower(), "account", draw.text())),
                }
            case 3:
                options: list[Json] = [
                    {"Value": draw.pick((1, 1, "x", 2**40)), "Label": self.label()} for _ in range(2)
                ]
                return {"@odata.type": f"{NS}OptionSetMetadata", "Name": name, "Options": options}
            case _:
                return {
                    "SchemaName": name,
                    "KeyAttributes": [draw.name(["name", "accountnumber"])],
                    "DisplayName": self.label(),
                }

    def encoded(self, value: Json) -> bytes:
        """`value` as the bytes of a body: sometimes broken on the way."""
        draw = self.draw
        data = json.dumps(value, ensure_ascii=draw.chance(0.5)).encode("utf-8", "surrogatepass")
        if not draw.slips(0.2):
            return data
        match draw.number(0, 8):
            case 0:
                return data[: draw.number(0, len(data))]
            case 1:
                return b"\xef\xbb\xbf" + data
            case 2:
                return data.replace(b'"', b"\xff", 1)
            case 3:
                return b"[" * draw.pick((50, 101, 5000)) + data
            case 4:
                return b'{"a":' * draw.pick((50, 101, 3000)) + b"1" + b"}" * 101
            case 5:
                return draw.data(draw.number(1, 200))
            case 6:
                return data.replace(b"{", b'{"name":"a","name":"b",', 1)
            case 7:
                return draw.spoilt(data.decode("utf-8", "replace")).encode("utf-8", "surrogatepass")
            case _:
                return draw.pick((b"null", b"NaN", b"[]", b'"x"', b'{"name":"\\ud800"}', b"{" + b" " * 100_000 + b"}"))

    def literal(self, kind: Kind) -> str:
        """An argument inside the parentheses of a function call."""
        draw = self.draw
        if kind in (Kind.STRING, Kind.ENUM):
            return "'" + draw.text() + "'"
        value = self.argument(kind)
        return value if isinstance(value, str) and draw.chance(0.5) else json.dumps(value)
