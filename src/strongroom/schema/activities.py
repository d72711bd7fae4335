"""Activities: the tables whose rows are emails, calls, tasks, and `activitypointer`, which holds all of them.

A row of an activity table has a *twin* in `activitypointer` with the same id, owner, unit, version and shares, and
the columns that both tables have. Twins are kept by the store (`store.twins`) and by nothing else: whatever is asked
of `activitypointer` reads them, whatever is done to one is done to the row itself. A lookup to `activitypointer` leads
to the twin of the row that it names, whichever activity table that row is in.
"""

from functools import lru_cache

from strongroom.schema.model import ColumnType, Relationship, Schema, SourceType, Table

POINTER = "activitypointer"
PARTIES = "activityparty"
REGARDING = "regardingobjectid"
_OWN = frozenset({"versionnumber", "owningbusinessunit", "owningteam", "owninguser"})
_WITHOUT_TWIN = frozenset({ColumnType.PARTYLIST, ColumnType.FILE, ColumnType.IMAGE, ColumnType.OWNER})


def has_twins(table: Table) -> bool:
    """Whether rows of the table are activities with a twin in `activitypointer`."""
    return table.is_activity and table.logical_name != POINTER


def tables_behind(schema: Schema, name: str) -> tuple[str, ...]:
    """What a lookup that points to a row of table `name` may say of its table: for `activitypointer` any activity."""
    if name != POINTER:
        return (name,)
    return tuple(table.logical_name for table in schema.tables.values() if table.is_activity)


@lru_cache(maxsize=256)
def twin_columns(pointer: Table, table: Table) -> tuple[str, ...]:
    """The columns that a twin takes over, by name: those of the same type that both tables have.

    A column that is secured in the activity's own table stays empty in the twin: `activitypointer` has security of its
    own for it, which may be wider (SM-130, SM-132).
    """
    return tuple(
        name
        for name, column in pointer.columns.items()
        if (own := table.columns.get(name)) is not None
        and own.type is column.type
        and column.type not in _WITHOUT_TWIN
        and SourceType.SIMPLE is own.source_type is column.source_type
        and not own.is_secured
        and name != pointer.primary_id
        and name not in _OWN
    )


def cascading_children(schema: Schema, table: str) -> list[Relationship]:
    """The relationships through which what happens to a row of `table` reaches other rows.

    Twins follow their rows and are reached by none. What points to the twin of an activity hangs on the activity.
    """
    found = [each for each in schema.children_of(table) if each.referencing_table != POINTER]
    known = schema.tables.get(table)
    if known is not None and has_twins(known):
        found += [each for each in schema.children_of(POINTER) if each.referencing_table != POINTER]
    return found
