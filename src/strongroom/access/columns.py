"""Secured columns: a second gate behind the row (section 12 of the security model).

A profile opens a column for its users and for the members of its teams, in the whole organisation; profiles add up
(SM-131). System Administrators hold a built-in profile that opens everything (SM-65). Row access never opens a
column, and a column never opens a row (SM-130).
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from strongroom.access.caller import Caller
from strongroom.access.plan import ColumnAccess, Plan
from strongroom.errors import AccessDenied
from strongroom.schema.model import Table

EVERYTHING = (
    ColumnAccess.READ
    | ColumnAccess.CREATE
    | ColumnAccess.UPDATE
    | ColumnAccess.READ_UNMASKED_ONE
    | ColumnAccess.READ_UNMASKED_ALL
)

_NOTHING_SECURED: Mapping[str, ColumnAccess] = MappingProxyType({})
_NO_PROFILES: Mapping[str, ColumnAccess] = MappingProxyType({})

_WRITES = {ColumnAccess.CREATE: ("0x8004f502", "create"), ColumnAccess.UPDATE: ("0x8004f507", "update")}


def mask_of(caller: Caller, table: Table) -> Mapping[str, ColumnAccess]:
    """What the caller may do with each secured column of `table` (SM-131); unsecured columns are not in it."""
    secured = [name for name, column in table.columns.items() if column.is_secured]
    if not secured:
        return _NOTHING_SECURED
    if caller.is_system_administrator:
        return MappingProxyType(dict.fromkeys(secured, EVERYTHING))
    opened = caller.facts.column_permissions.get(table.logical_name, _NO_PROFILES)
    return MappingProxyType({name: opened.get(name, ColumnAccess.NONE) for name in secured})


def is_open(plan: Plan, column: str, access: ColumnAccess) -> bool:
    """Whether the plan's caller may use `column` in this way; always so for columns that are not secured."""
    allowed = plan.mask.get(column)
    return allowed is None or access in allowed


def require_columns(plan: Plan, columns: Iterable[str], access: ColumnAccess) -> None:
    """Raise 403 when a write names a secured column without permission, whatever the value (SM-133).

    `access` is CREATE (`0x8004f502`) or UPDATE (`0x8004f507`). The message names the first such column.
    """
    for column in columns:
        if not is_open(plan, column, access):
            code, verb = _WRITES[access]
            raise AccessDenied(
                f"The caller does not have permission to {verb} the secured column '{column}' of "
                f"'{plan.table.logical_name}': no column security profile of the caller allows it.",
                code=code,
                details={"column": column},
            )


def closed_in_query(table: Table, column: str) -> AccessDenied:
    """403 `0x8004f504`: a secured column decides which rows are found or in what order (SM-136)."""
    return AccessDenied(
        f"The caller does not have permission to read the secured column '{column}' of '{table.logical_name}', so "
        "it cannot be used to filter, sort, group, aggregate or join.",
        code="0x8004f504",
        details={"column": column},
    )
