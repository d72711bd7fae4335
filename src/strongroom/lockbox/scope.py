"""What a request asks for, as a value: tables, verbs, secured columns (TS-1502, TS-1504)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from strongroom.access.modes import ADMINISTRATION_TABLES
from strongroom.errors import InvalidRequest
from strongroom.identity.directory import text
from strongroom.schema.model import Rights, Schema, Table
from strongroom.schema.platform_tables import PLATFORM_TYPE_CODES
from strongroom.store.protocol import Row, Value

VERBS: Mapping[str, Rights] = {
    "read": Rights.READ,
    "create": Rights.CREATE,
    "write": Rights.WRITE,
    "delete": Rights.DELETE,
    "append": Rights.APPEND,
    "append-to": Rights.APPEND_TO,
}
"""Giving rows away and sharing them is not support's business."""

MOST_TABLES = 100


@dataclass(frozen=True, slots=True)
class Scope:
    """Tables by their logical names, verbs of `VERBS`, secured columns as `table.column`."""

    tables: frozenset[str]
    verbs: frozenset[str]
    columns: frozenset[str] = frozenset()

    @property
    def rights(self) -> Rights:
        """The verbs as rights."""
        found = Rights.NONE
        for verb in self.verbs:
            found |= VERBS[verb]
        return found

    @property
    def opened(self) -> dict[str, frozenset[str]]:
        """The secured columns by table."""
        found: dict[str, set[str]] = {}
        for each in self.columns:
            table, _, column = each.partition(".")
            found.setdefault(table, set()).add(column)
        return {table: frozenset(names) for table, names in found.items()}

    def within(self, wider: "Scope") -> bool:
        """Whether nothing is in it that is not in the other one."""
        return self.tables <= wider.tables and self.verbs <= wider.verbs and self.columns <= wider.columns

    def values(self) -> dict[str, Value]:
        """The scope as columns of a row."""
        return {
            "scopetables": " ".join(sorted(self.tables)),
            "scopeverbs": " ".join(sorted(self.verbs)),
            "scopecolumns": " ".join(sorted(self.columns)) or None,
        }


def scope_in(row: Row) -> Scope:
    """The scope in a row."""
    found = (frozenset(text(row, name).split()) for name in ("scopetables", "scopeverbs", "scopecolumns"))
    return Scope(*found)


def read_scope(tables: Iterable[str], verbs: Iterable[str], columns: Iterable[str] = ()) -> Scope:
    """The scope that somebody writes. Raises `InvalidRequest` (`scope-missing`, `bad-verb`)."""
    found = Scope(
        *(frozenset(each.strip().lower() for each in given if each.strip()) for given in (tables, verbs, columns))
    )
    if not found.tables or not found.verbs:
        raise _wrong("scope-missing", "Tables", "A request names the tables and the verbs that it needs.")
    if len(found.tables) > MOST_TABLES:
        raise _wrong("scope-missing", "Tables", f"A request names at most {MOST_TABLES} tables.")
    unknown = sorted(found.verbs - VERBS.keys())
    if unknown:
        raise _wrong("bad-verb", "Verbs", f"'{unknown[0][:40]}' is no verb of support; these are: {', '.join(VERBS)}.")
    return found


def check_scope(schema: Schema, scope: Scope) -> None:
    """Refuse a scope that an environment cannot have: unknown tables and columns, and changes of what decides about
    access or is evidence."""
    for name in sorted(scope.tables):
        if name not in schema.tables:
            raise _wrong("unknown-table", "Tables", f"The environment has no table '{name[:100]}'.")
        if is_guarded(schema.tables[name]) and scope.verbs - {"read"}:
            raise _wrong("scope-not-possible", "Tables", f"'{name}' can be read by support, and not changed.")
    for table, columns in scope.opened.items():
        known = schema.tables[table].columns if table in scope.tables else None
        for column in sorted(columns):
            if known is None or column not in known or not known[column].is_secured:
                raise _wrong("unknown-column", "Columns", f"'{table}.{column}' is no secured column of the scope.")


def is_guarded(table: Table) -> bool:
    """Whether a table decides about access, or is evidence: support may be let read it, and never change it."""
    return table.logical_name in ADMINISTRATION_TABLES or table.object_type_code in PLATFORM_TYPE_CODES


def whole_scope(schema: Schema) -> Scope:
    """What an emergency opens: every table that holds business data, to be read and put right."""
    tables = frozenset(
        name
        for name, table in schema.tables.items()
        if table.privileges and not table.is_intersect and not is_guarded(table)
    )
    return Scope(tables, frozenset(("read", "write")))


def _wrong(reason: str, target: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, details={"reason": reason, "rule": "TS-1502", "target": target})
