"""Columns that the platform fills: who and when, the organization, names made of other columns (WA-122, WA-421)."""

from collections.abc import Mapping
from functools import lru_cache

from strongroom.ids import Guid, Reference
from strongroom.records.environment_facts import organization_id
from strongroom.records.session import Session
from strongroom.schema.model import ColumnType, RequiredLevel, Table
from strongroom.store.layout import is_stored
from strongroom.store.protocol import Value

DEFAULT_SOLUTION = Guid("fd140aaf-4df4-11dd-bd17-0019b9312238")
"""The id that the default solution has in every environment."""

_NEVER_OVERWRITTEN = "1900-01-01T00:00:00Z"
_PERSONS = frozenset({"contact", "lead", "systemuser"})
_NAME_PARTS = ("firstname", "lastname")
_OBJECT_LOOKUPS = ("objectid", "parentid", "regardingobjectid")


@lru_cache(maxsize=1024)
def _present(table: Table) -> frozenset[str]:
    return frozenset(name for name, column in table.columns.items() if is_stored(table, column))


@lru_cache(maxsize=1024)
def _component_values(table: Table) -> Mapping[str, Value]:
    """Fixed values of customizable components: the bookkeeping columns that every role or profile carries."""
    fixed: dict[str, Value] = {
        "componentstate": 0,
        "ismanaged": False,
        "overwritetime": _NEVER_OVERWRITTEN,
        "solutionid": DEFAULT_SOLUTION,
    }
    return {
        name: value
        for name, value in fixed.items()
        if (column := table.columns.get(name)) is not None
        and column.required is RequiredLevel.SYSTEM_REQUIRED
        and not column.valid_for_create
    }


def of_new_rows(session: Session, table: Table) -> dict[str, Value]:
    """What every row that this session creates in `table` has in common."""
    present = _present(table)
    behalf = session.initiating_user
    values: dict[str, Value] = {
        "createdon": session.now,
        "modifiedon": session.now,
        "createdby": session.user,
        "modifiedby": session.user,
        "createdonbehalfby": behalf,
        "modifiedonbehalfby": behalf,
    }
    values = {name: value for name, value in values.items() if name in present}
    if table.is_activity and "activitytypecode" in present:
        values["activitytypecode"] = table.logical_name
    return {**values, **_component_values(table)}


def of_changed_row(session: Session, table: Table) -> dict[str, Value]:
    """What every change sets besides the columns that it names."""
    present = _present(table)
    values: dict[str, Value] = {
        "modifiedon": session.now,
        "modifiedby": session.user,
        "modifiedonbehalfby": session.initiating_user,
    }
    return {name: value for name, value in values.items() if name in present}


def organization_of(session: Session, table: Table) -> dict[str, Value]:
    """The `organizationid` of a new row of `table`, a lookup or a bare GUID; nothing where there is no such column."""
    column = table.columns.get("organizationid")
    if column is None or column.valid_for_create or "organizationid" not in _present(table):
        return {}
    organization = organization_id(session)
    if column.type is ColumnType.UNIQUEIDENTIFIER:
        return {"organizationid": organization}
    return {"organizationid": Reference("organization", organization)}


def complete_names(table: Table, before: Mapping[str, Value], changes: dict[str, Value]) -> None:
    """`fullname` of persons: first name, space, last name (WA-443)."""
    if table.logical_name in _PERSONS and not changes.keys().isdisjoint(_NAME_PARTS):
        parts = [changes.get(name, before.get(name)) for name in _NAME_PARTS]
        changes["fullname"] = " ".join(str(part) for part in parts if part) or None


def complete_object_type(table: Table, changes: dict[str, Value]) -> None:
    """`objecttypecode` follows the lookup that it describes."""
    column = table.columns.get("objecttypecode")
    if column is None or column.type is not ColumnType.ENTITYNAME or changes.get("objecttypecode") is not None:
        return
    for name in _OBJECT_LOOKUPS:
        value = changes.get(name)
        if isinstance(value, Reference):
            changes["objecttypecode"] = value.table
