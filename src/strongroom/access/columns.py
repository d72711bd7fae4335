"""Secured columns: a second gate behind the row (section 12 of the security model).

A profile opens a column for its users and for the members of its teams, in the whole organisation; profiles add up
(SM-131). System Administrators hold a built-in profile that opens everything (SM-65). Row access never opens a
column, and a column never opens a row (SM-130). A single value of one row can be shared (SM-134), and what is read may
be masked (SM-137).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from strongroom.access.caller import Caller
from strongroom.access.masking import Mask
from strongroom.access.plan import ColumnAccess, Plan
from strongroom.errors import AccessDenied
from strongroom.ids import Guid
from strongroom.schema.changes.columns import companion_names
from strongroom.schema.model import ColumnType, Rights, Table

Columns = Mapping[str, Mapping[str, ColumnAccess]]
"""Table → column → what is open (SM-131)."""

EVERYTHING = (
    ColumnAccess.READ
    | ColumnAccess.CREATE
    | ColumnAccess.UPDATE
    | ColumnAccess.READ_UNMASKED_ONE
    | ColumnAccess.READ_UNMASKED_ALL
)

_NOTHING_SECURED: Mapping[str, ColumnAccess] = MappingProxyType({})
_NO_PROFILES: Mapping[str, ColumnAccess] = MappingProxyType({})
_NO_RULES: Mapping[str, Mask] = MappingProxyType({})

_TOLD_OF = frozenset({ColumnType.FILE, ColumnType.IMAGE, ColumnType.MONEY})
"""Types of columns whose companions tell what they hold: a file's name, an image's address, an amount in the base
currency."""

_VALUES_IN_AUDIT = ("audit", "changedata")
"""What rows held before and after, of secured columns too."""
_WRITES = {ColumnAccess.CREATE: ("0x8004f502", "create"), ColumnAccess.UPDATE: ("0x8004f507", "update")}


def mask_of(caller: Caller, table: Table) -> Mapping[str, ColumnAccess]:
    """What the caller may do with each secured column of `table` (SM-131); unsecured columns are not in it, but for
    those that tell of a secured file, image or amount (`_TOLD_OF`).

    Behind an impersonation a column is open when it is open to both (WA-420).
    """
    secured = [name for name, column in table.columns.items() if column.is_secured]
    if not secured:
        return _NOTHING_SECURED
    mask = dict.fromkeys(secured, EVERYTHING)
    for opened in (_opened_to(each, table) for each in _behind(caller)):
        if opened is not None:
            mask = {name: access & opened.get(name, ColumnAccess.NONE) for name, access in mask.items()}
    for name in secured:
        mask.update(dict.fromkeys(_told_by(table, name), mask[name]))
    return MappingProxyType(mask)


def never_closed(table: Table) -> frozenset[str]:
    """The columns that whoever may read rows of `table` may read: what no plan's mask closes, and no door hides."""
    closed = {name for name, column in table.columns.items() if column.is_secured or not column.valid_for_read}
    for name in tuple(closed):
        closed.update(_told_by(table, name))
    closed.update(name for place, name in (_VALUES_IN_AUDIT,) if place == table.logical_name)
    return frozenset(table.columns.keys() - closed)


def without_old_values(plan: Plan, caller: Caller) -> Plan:
    """A plan for the trail: what rows held before and after is for administrators here. Everybody else asks for the
    history of a row, which shows what its reader may see (SM-132, SM-173)."""
    if opens_trail(caller):
        return plan
    return replace(plan, mask={**plan.mask, _VALUES_IN_AUDIT[1]: ColumnAccess.NONE})


def _told_by(table: Table, name: str) -> list[str]:
    """The columns beside this one that tell what it holds."""
    column = table.columns[name]
    return [each for each in companion_names(column) if each in table.columns] if column.type in _TOLD_OF else []


def gated(plan: Plan, caller: Caller) -> Plan:
    """`plan` with the masking rules of its secured columns, and those of which the caller has values shared."""
    secured = [name for name in plan.mask if plan.table.columns[name].is_secured]
    if not secured:
        return plan
    rules = caller.facts.masking.get(plan.table.logical_name, _NO_RULES)
    masking = {name: rules[name] for name in secured if name in rules and plan.table.columns[name].type.is_text}
    access = ColumnAccess.UPDATE if plan.right is Rights.WRITE else ColumnAccess.READ
    shared = {name: sets for name in secured if (sets := _sharers(caller, plan, name, access))}
    return replace(plan, masking=masking, shared_values=shared) if masking or shared else plan


def _sharers(caller: Caller, plan: Plan, column: str, access: ColumnAccess) -> tuple[frozenset[int], ...]:
    """The principals with whom a value must be shared, for each of caller and real caller whom no profile serves;
    none when the profiles are enough, or when nothing of the column is shared with one of the two."""
    sets: list[frozenset[int]] = []
    for each in _behind(caller):
        opened = _opened_to(each, plan.table)
        if opened is not None and access not in opened.get(column, ColumnAccess.NONE):
            if plan.table.columns[column].metadata_id not in each.facts.shared_columns:
                return ()
            sets.append(frozenset({each.key, *(team.key for team in each.facts.teams)}))
    return tuple(sets)


def _behind(caller: Caller) -> tuple[Caller, ...]:
    return (caller,) if caller.initiated_by is None else (caller, caller.initiated_by)


def _opened_to(caller: Caller, table: Table) -> Mapping[str, ColumnAccess] | None:
    """What the profiles of this user alone open; None for everything (SM-65)."""
    if caller.is_system_administrator:
        return None
    return caller.facts.column_permissions.get(table.logical_name, _NO_PROFILES)


def added(*opened: Columns) -> Columns:
    """What several profiles, or users and teams, open together (SM-131)."""
    found: dict[str, dict[str, ColumnAccess]] = {}
    for each in opened:
        for table, columns in each.items():
            known = found.setdefault(table, {})
            for column, access in columns.items():
                known[column] = known.get(column, ColumnAccess.NONE) | access
    return found


def decides(plan: Plan, column: str) -> bool:
    """Whether the caller may let `column` decide which rows are found or in what order (SM-136). Behind a mask that
    takes the permission to read all values unmasked (SM-137); values shared one by one do not count."""
    needed = ColumnAccess.READ | (ColumnAccess.READ_UNMASKED_ALL if column in plan.masking else ColumnAccess.NONE)
    return is_open(plan, column, needed)


def opens_trail(caller: Caller) -> bool:
    """Whether the caller may see the trail as it is stored, with the values of every column: administrators, while
    nothing is masked (SM-65)."""
    return caller.administers and not caller.facts.masking


def open_to_shares(
    plan: Plan, columns: Iterable[str], held: Callable[[frozenset[int]], Mapping[Guid, ColumnAccess]]
) -> frozenset[str]:
    """Those of `columns` that value shares of one row open to the plan's caller (SM-134).

    `held` says what the row's shares give to one of a set of principals, by the column's metadata id.
    """
    access = ColumnAccess.UPDATE if plan.right is Rights.WRITE else ColumnAccess.READ
    return frozenset(
        name
        for name in columns
        if (sets := plan.shared_values.get(name))
        and all(
            access in held(principals).get(plan.table.columns[name].metadata_id, ColumnAccess.NONE)
            for principals in sets
        )
    )


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
    """403 `0x8004f504`: a secured column decides which rows are found or in what order (SM-136, SM-137)."""
    return AccessDenied(
        f"The caller does not have permission to read every value of the secured column '{column}' of "
        f"'{table.logical_name}' (unmasked, when it is masked), so it cannot be used to filter, sort, group, aggregate "
        "or join.",
        code="0x8004f504",
        details={"column": column},
    )
