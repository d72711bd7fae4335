"""What can be written to a table, prepared once: the check of every column, the defaults, the lookups.

A `TableForm` is a pure function of its table and kept in a cache: bulk creation asks it once and then does no more
per row than the row's own values need.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from strongroom.records import refusals
from strongroom.records.column_values import Check, check_for
from strongroom.schema.model import Column, ColumnType, Ownership, RequiredLevel, SourceType, Table
from strongroom.store.layout import OWNER_COLUMNS, is_stored
from strongroom.store.protocol import Value

_SERVER_FILLED = frozenset({ColumnType.BOOLEAN, ColumnType.PICKLIST, ColumnType.STATE, ColumnType.STATUS})
_DIRECTORY_IDS = frozenset({("systemuser", "azureactivedirectoryobjectid")})
"""Ids of a directory outside, which callers give here because no directory writes them."""

_NEVER_ASKED = frozenset({ColumnType.MANAGEDPROPERTY, ColumnType.PARTYLIST, ColumnType.UNIQUEIDENTIFIER})


@dataclass(frozen=True)
class TableForm:
    """How rows of one table are written.

    `on_create` and `on_update` have the check of each column that may be written then. Columns that exist but may
    not are in neither: they are ignored (WA-111). `defaults` are the values of a row that names nothing.
    """

    table: Table
    on_create: Mapping[str, Check]
    on_update: Mapping[str, Check]
    defaults: Mapping[str, Value]
    required: tuple[str, ...]
    """SystemRequired columns that the caller must give: the platform has no value of its own for them (WA-112)."""

    kept: frozenset[str]
    """SystemRequired columns that can never be emptied."""

    generated: tuple[str, ...]
    """SystemRequired GUIDs that the platform makes when none is given."""

    money: tuple[tuple[str, str | None], ...]
    """Money columns that callers write, each with its `_base` companion when the table has one (WA-85)."""

    images: frozenset[str]
    """Image columns: what is written there are pictures, what is stored is the id of a content (WA-370)."""

    secured: frozenset[str]
    names: frozenset[str]
    """All columns of the table, stored or not."""

    def checked(self, values: Mapping[str, Value], checks: Mapping[str, Check]) -> dict[str, Value]:
        """`values` as the store keeps them; columns that cannot be written are left out, unknown ones refused."""
        checked: dict[str, Value] = {}
        for name, value in values.items():
            check = checks.get(name)
            if check is not None:
                checked[name] = check(value)
            elif name not in self.names:
                raise refusals.undeclared(self.table, name)
        return checked


@lru_cache(maxsize=1024)
def form_of(table: Table) -> TableForm:
    """The form of `table`."""
    columns = [c for c in table.columns.values() if _is_writable_kind(table, c)]
    on_create = {c.logical_name: check_for(c, table.logical_name) for c in columns if _valid_on_create(table, c)}
    on_update = {c.logical_name: check_for(c, table.logical_name) for c in columns if _valid_on_update(table, c)}
    on_create.pop(table.primary_id, None)
    on_update.pop(table.primary_id, None)
    required = [c for c in columns if c.required is RequiredLevel.SYSTEM_REQUIRED and c.logical_name in on_create]
    stored = {c.logical_name for c in table.columns.values() if is_stored(table, c)}
    return TableForm(
        table=table,
        on_create=MappingProxyType(on_create),
        on_update=MappingProxyType(on_update),
        defaults=MappingProxyType(_defaults(table)),
        required=tuple(c.logical_name for c in required if c.type not in _SERVER_FILLED and c.type not in _NEVER_ASKED),
        kept=frozenset(c.logical_name for c in required),
        generated=tuple(
            c.logical_name
            for c in required
            if c.type is ColumnType.UNIQUEIDENTIFIER and c.logical_name not in OWNER_COLUMNS
        ),
        money=tuple(
            (c.logical_name, base if (base := f"{c.logical_name}_base") in stored else None)
            for c in columns
            if c.type is ColumnType.MONEY and not c.logical_name.endswith("_base") and c.logical_name in stored
        ),
        images=frozenset(c.logical_name for c in columns if c.type is ColumnType.IMAGE),
        secured=frozenset(c.logical_name for c in table.columns.values() if c.is_secured),
        names=frozenset(table.columns),
    )


def _is_writable_kind(table: Table, column: Column) -> bool:
    if column.type in (ColumnType.MANAGEDPROPERTY, ColumnType.PARTYLIST) or column.source_type is not SourceType.SIMPLE:
        return False
    if table.ownership is Ownership.USER and column.logical_name in OWNER_COLUMNS:
        return False
    return is_stored(table, column)


def _valid_on_create(table: Table, column: Column) -> bool:
    """`statecode` may be given on create although the metadata says no (WA-122)."""
    identity = (table.logical_name, column.logical_name)
    return column.valid_for_create or column.type is ColumnType.STATE or identity in _DIRECTORY_IDS


def _valid_on_update(table: Table, column: Column) -> bool:
    """A team's type may be asked to change: the rules of teams answer (SM-56)."""
    identity = (table.logical_name, column.logical_name)
    if column.valid_for_update or column.type is ColumnType.STATE:
        return True
    return identity in _DIRECTORY_IDS or identity == ("team", "teamtype")


def _defaults(table: Table) -> dict[str, Value]:
    """The values that the platform gives to columns that a new row does not name."""
    defaults: dict[str, Value] = {}
    for column in table.columns.values():
        if not is_stored(table, column) or column.source_type is not SourceType.SIMPLE:
            continue
        is_required = column.required is RequiredLevel.SYSTEM_REQUIRED
        value: Value = None
        if column.type is ColumnType.BOOLEAN:
            value = bool(column.default) if column.default is not None or is_required else None
        elif column.type is ColumnType.PICKLIST:
            value = column.default
            if value is None and is_required and column.options:
                value = column.options[0].value
        if value is not None:
            defaults[column.logical_name] = value
    return defaults
