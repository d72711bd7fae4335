"""Twins: the rows of `activitypointer`, one for each activity in its own table (`schema.activities`).

A twin has the key, id, owner, unit and version of its row, and the same shares. Whatever changes a row of an activity
table in the store changes its twin in the same transaction; nothing else writes `activitypointer`. How twins follow a
changed schema is the matter of `store.twin_fitting`; `strongroom check` compares twins and rows.
"""

from collections.abc import Iterator, Mapping

from strongroom.schema.activities import POINTER, has_twins, twin_columns
from strongroom.schema.model import Table
from strongroom.store.dialect import quote
from strongroom.store.protocol import Row, Value
from strongroom.store.shape import VERSION
from strongroom.store.work import Work


def pointer_of(work: Work, table: Table) -> Table | None:
    """`activitypointer`, when rows of `table` have twins in it."""
    return work.schema.tables.get(POINTER) if has_twins(table) else None


def twin(pointer: Table, row: Row) -> Row:
    """The twin that `row` has, from the values that are known of the row."""
    values = {name: row.values[name] for name in twin_columns(pointer, row.table) if name in row.values}
    return Row(pointer, row.key, row.id, row.owner, row.unit, row.version, values)


def shared_changes(pointer: Table, table: Table, changes: Mapping[str, Value]) -> dict[str, Value]:
    """What of a change of an activity its twin shows too."""
    return {name: changes[name] for name in twin_columns(pointer, table) if name in changes}


def settle(work: Work, table: Table) -> None:
    """Put twins where the rows of `table` have just gone: into the units and to the versions of these."""
    name = quote(POINTER)
    work.connection.execute(
        f"update {name} set unit = t.unit, {VERSION} = t.{VERSION} from {quote(table.logical_name)} t"
        f" where t.id = {name}.id and {name}.unit <> t.unit"
    )


def doubts(work: Work) -> Iterator[str]:
    """Activities without a twin that is as they are, and twins without an activity."""
    pointer = work.schema.tables.get(POINTER)
    if pointer is None:
        return
    activities = 0
    for table in work.schema.tables.values():
        if not has_twins(table):
            continue
        name = quote(table.logical_name)
        same = ("id", pointer.primary_id, "owner", "unit", VERSION, *twin_columns(pointer, table))
        equal = " and ".join(f"p.{quote(each)} is not distinct from t.{quote(each)}" for each in same)
        unlike = _number(
            work, f"select count(*) from {name} t where not exists (select 1 from {POINTER} p where {equal})"
        )
        activities += _number(work, f"select count(*) from {name}")
        if unlike:
            yield f"{POINTER}: {unlike} rows of {table.logical_name} are not there as they are"
    twins = _number(work, f"select count(*) from {POINTER}")
    if twins != activities:
        yield f"{POINTER}: there are {twins} rows for {activities} activities"


def _number(work: Work, sql: str) -> int:
    return work.connection.query(sql)[0][0]
