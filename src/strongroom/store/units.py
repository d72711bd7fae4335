"""Putting rows into the business unit of their owner, a whole table at once (SM-25, SM-27).

A user with a hundred thousand rows moves in one statement a table: the rows get the unit and a new version each, and
the counters follow by the numbers that were moved, the shares of the rows by the owner that they know.
"""

from collections.abc import Sequence

from strongroom.ids import Key
from strongroom.schema.activities import POINTER
from strongroom.schema.model import Table
from strongroom.store import share_keys, twins
from strongroom.store.dialect import quote
from strongroom.store.shape import VERSION
from strongroom.store.work import Work


def settle_units(work: Work, table: Table, owners: Sequence[Key] | None = None) -> int:
    """Give each row of a user-owned table the unit of its owner where it has another; the number of rows changed.

    `owners` narrows it to the rows of these users and teams, None means everybody's.
    """
    work.must_write()
    if table.logical_name == POINTER:
        return 0  # twins go with their rows
    name, parameters = quote(table.logical_name), ()
    condition = "t.unit <> p.unit"
    if owners is not None:
        condition += f" and {work.engine.keys_in('t.owner')}"
        parameters = (work.engine.as_list(list(owners)),)
    source = f"{name} t join {share_keys.HOMES} p on p.id = t.owner where {condition}"
    places = work.connection.query(
        f"select t.owner, t.unit, p.unit, count(*) from {source} group by t.owner, t.unit, p.unit", parameters
    )
    number = sum(count for *_, count in places)
    if not number:
        return 0
    before = work.take_versions(number) - 1
    versions = f", {quote(VERSION)} = ? + n.number" if work.shape(table).has_version else ""
    work.connection.execute(
        f"update {name} set unit = n.home{versions} from (select t.id as id, p.unit as home,"
        f" row_number() over (order by t.id) as number from {source}) n where {name}.id = n.id",
        ((before, *parameters) if versions else parameters),
    )
    moved = sorted({owner for owner, *_ in places})
    pointer = twins.pointer_of(work, table)
    if pointer is not None:
        twins.settle(work, table)
    for each in (table,) if pointer is None else (table, pointer):
        for owner, old, new, count in places:
            work.counters.move(each, (owner, old), (owner, new), count)
        share_keys.follow_homes(work, each, moved)
    return number
