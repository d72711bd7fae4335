"""The entries of the trail: one row of `audit` for each row that a verb changed, in the change's transaction.

An entry says who (`userid`, and `callinguserid` behind an impersonation), when, what (`operation`, `action`,
`objectid`) and which columns (`attributemask`: their column numbers). `changedata` is a JSON object:

    {"changedAttributes":[{"logicalName":"name","oldValue":"Ada","newValue":"Bea"}, …]}

Old and new are null where there was nothing. Values are JSON's own where they can be: numbers of money and decimal
columns are text, so that no digit is lost; a lookup is `table,id`. Columns that are not audited are left out, and
tables that are not audited leave no entries at all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

import orjson

from strongroom.ids import EMPTY_GUID, Guid, Reference
from strongroom.schema.model import Column, ColumnType, Table
from strongroom.store.layout import is_stored
from strongroom.store.protocol import Value


class Operation(Enum):
    """`audit.operation`."""

    CREATE = 1
    UPDATE = 2
    DELETE = 3
    ACCESS = 4


class Action(Enum):
    """`audit.action`: the finer name of what happened."""

    CREATE = 1
    UPDATE = 2
    DELETE = 3
    ACTIVATE = 4
    DEACTIVATE = 5
    CASCADE = 11
    MERGE = 12
    ASSIGN = 13
    SHARE = 14
    RETRIEVE = 15
    ADD_MEMBERS = 35
    REMOVE_MEMBERS = 36
    ASSOCIATE = 33
    DISASSOCIATE = 34
    MODIFY_SHARE = 48
    UNSHARE = 49
    ASSIGN_ROLE_TO_TEAM = 53
    REMOVE_ROLE_FROM_TEAM = 54
    ASSIGN_ROLE_TO_USER = 55
    REMOVE_ROLE_FROM_USER = 56
    ADD_PRIVILEGES = 57
    REMOVE_PRIVILEGES = 58
    REPLACE_PRIVILEGES = 59
    USER_ACCESS_VIA_WEB = 64
    USER_ACCESS_VIA_SERVICE = 65
    CHANGE_AT_ENTITY_LEVEL = 102
    CHANGE_AT_ATTRIBUTE_LEVEL = 103
    CHANGE_AT_ORGANIZATION_LEVEL = 104
    ENTITY_AUDIT_STARTED = 105
    ATTRIBUTE_AUDIT_STARTED = 106
    AUDIT_ENABLED = 107
    ENTITY_AUDIT_STOPPED = 108
    ATTRIBUTE_AUDIT_STOPPED = 109
    AUDIT_DISABLED = 110
    AUDIT_LOG_DELETION = 111
    USER_ACCESS_AUDIT_STARTED = 112
    USER_ACCESS_AUDIT_STOPPED = 113
    IP_FIREWALL = 118
    """A request from an address that the IP firewall would keep out, let in to be audited (TS-308)."""

    RESTORED = 10002
    """Our own: an older state, or another environment's, was put in place (`audit.forks`)."""

    REFUSED = 10001
    """Our own: an attempt that was refused (`audit.refusals`)."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who did what the entries tell, and in which unit of work. `calling` is the real user of an impersonation."""

    user: Reference
    calling: Reference | None
    transaction: Guid | None
    now: str
    note: str | None = None
    """The client's tag and request id (WA-425)."""
    address: str | None = None
    request_id: str | None = None


Changes = Mapping[str, tuple[Value, Value]]
"""Column → (old, new)."""

_NOTHING: Changes = {}


def entry(
    author: Author,
    table: Table,
    row: Guid,
    operation: Operation,
    action: Action,
    changes: Changes = _NOTHING,
) -> dict[str, Value] | None:
    """The `audit` row for a change of one row; None when the table is not audited.

    Names in `changes` that are no columns (the principal of a share, the relationship of a link) are always kept.
    """
    if not table.is_audited:
        return None
    columns = _audited_columns(table)
    kept = [(name, pair) for name, pair in changes.items() if name in columns or name not in table.columns]
    return _row(
        author,
        table,
        row,
        operation,
        action,
        ",".join([str(columns[name]) for name, _ in kept if name in columns]),
        [{"logicalName": name, "oldValue": pair[0], "newValue": pair[1]} for name, pair in kept],
    )


def creation(author: Author, table: Table, row: Guid, values: Mapping[str, Value]) -> dict[str, Value] | None:
    """The entry for a new row: every audited value that somebody gave it.

    Left out is what follows from the metadata: nulls, values that equal their column's default, and values that the
    platform works out and nobody can give (`revenue_base`). A table has dozens of those, and an entry for each row.
    """
    return next(iter(creations(author, table, ((row, values),))), None)


def creations(author: Author, table: Table, rows: Iterable[tuple[Guid, Mapping[str, Value]]]) -> list[dict[str, Value]]:
    """`creation` for many rows of one table, in their order."""
    if not table.is_audited:
        return []
    columns, about = _given_columns(table), table.logical_name
    shared = _entry(author, Reference(about, EMPTY_GUID), Operation.CREATE, Action.CREATE, "", [])
    entries: list[dict[str, Value]] = []
    for row, values in rows:
        numbers: list[str] = []
        told: list[dict[str, Value]] = []
        for name, value in values.items():
            if value is not None and name in columns:
                number, default = columns[name]
                if value != default:
                    numbers.append(number)
                    told.append({"logicalName": name, "oldValue": None, "newValue": value})
        mask, data = ",".join(numbers), _changedata(told)
        entries.append({**shared, "objectid": Reference(about, row), "attributemask": mask, "changedata": data})
    return entries


def unmasked_reading(author: Author, table: Table, row: Guid, columns: Sequence[str]) -> dict[str, Value]:
    """The entry for values that were read without their masks (SM-138): which, not what they were. It is written even
    when the table or its columns are not audited."""
    numbers = [str(table.columns[name].column_number) for name in columns]
    read: list[dict[str, Value]] = [{"logicalName": name, "oldValue": None, "newValue": None} for name in columns]
    return _row(author, table, row, Operation.ACCESS, Action.RETRIEVE, ",".join(numbers), read)


def question(author: Author, table: Table, row: Guid, name: str, asked: str) -> dict[str, Value]:
    """The entry for a question about access (SM-165): what was asked, of which row, not the answer. It is written
    whether or not the table is audited."""
    told: list[dict[str, Value]] = [{"logicalName": name, "oldValue": None, "newValue": asked}]
    return _row(author, table, row, Operation.ACCESS, Action.RETRIEVE, "", told)


def told(author: Author, about: Reference, operation: Operation, action: Action, changes: Changes) -> dict[str, Value]:
    """The entry for what is always told, of a row that need not exist: old and new by names that are no columns."""
    changed: list[dict[str, Value]] = [
        {"logicalName": name, "oldValue": old, "newValue": new} for name, (old, new) in changes.items()
    ]
    return _entry(author, about, operation, action, "", changed)


_GIVEN_BY_RULES = frozenset({"ownerid", "statecode", "statuscode"})


class _Given(NamedTuple):
    number: str
    default: int | None


@lru_cache(maxsize=512)
def _given_columns(table: Table) -> dict[str, _Given]:
    """Columns whose values a creation tells: number, and the default that goes without saying."""
    return {
        name: _Given(str(number), table.columns[name].default)
        for name, number in _audited_columns(table).items()
        if table.columns[name].valid_for_create or name in _GIVEN_BY_RULES
    }


def _row(
    author: Author,
    table: Table,
    row: Guid,
    operation: Operation,
    action: Action,
    mask: str,
    changed: list[dict[str, Value]],
) -> dict[str, Value]:
    return _entry(author, Reference(table.logical_name, row), operation, action, mask, changed)


def _entry(
    author: Author,
    about: Reference,
    operation: Operation,
    action: Action,
    mask: str,
    changed: list[dict[str, Value]],
) -> dict[str, Value]:
    return {
        "createdon": author.now,
        "operation": operation.value,
        "action": action.value,
        "objectid": about,
        "objecttypecode": about.table,
        "userid": author.user,
        "callinguserid": author.calling,
        "transactionid": author.transaction,
        "attributemask": mask,
        "changedata": _changedata(changed),
        "useradditionalinfo": author.note,
        "clientaddress": author.address,
        "correlationid": author.request_id,
    }


def _changedata(changed: Sequence[Mapping[str, Value]]) -> str:
    return orjson.dumps({"changedAttributes": changed}, default=_plain).decode()


def _plain(value: object) -> object:
    """What orjson does not write itself; a `Reference` arrives here too, because it is a tuple with names."""
    if isinstance(value, Reference):
        return f"{value.table},{value.id}"
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"The audit cannot write a {type(value).__name__}.")


@lru_cache(maxsize=1024)
def _audited_columns(table: Table) -> Mapping[str, int]:
    """Audited columns that hold a value, or show the owner, with their numbers."""
    return {
        name: column.column_number
        for name, column in table.columns.items()
        if column.is_audited and (is_stored(table, column) or name in _OWNER_NAMES)
    }


_OWNER_NAMES = frozenset({"ownerid", "owningbusinessunit"})


def parse_value(column: Column, value: Value) -> Value:
    """A value of `column` as the store keeps it, from what `changedata` holds."""
    if not isinstance(value, str):
        return value
    if column.type.is_lookup and "," in value:
        table, _, row = value.partition(",")
        return Reference(table, Guid(row))
    return Decimal(value) if column.type in (ColumnType.MONEY, ColumnType.DECIMAL) else value
