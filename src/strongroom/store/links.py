"""N:N links: rows of the intersect table of an association."""

from strongroom.ids import Guid, Key, Reference, new_guid
from strongroom.schema.model import ManyToMany
from strongroom.store import rows
from strongroom.store.dialect import quote
from strongroom.store.protocol import Row
from strongroom.store.rows import SECURITY_TABLES
from strongroom.store.work import Work


def linked(work: Work, association: ManyToMany, row_id: Guid, *, from_first: bool) -> list[Guid]:
    """The ids at the other end, in the order in which they were linked."""
    near, far = (association.column1, association.column2) if from_first else (association.column2, association.column1)
    found = work.connection.query(
        f"select {quote(far)} from {quote(association.intersect)} where {quote(near)} = ? order by id", (row_id,)
    )
    return [Guid(other) for (other,) in found]


def link(work: Work, association: ManyToMany, first: Guid, second: Guid) -> bool:
    """Tie two rows; False when they are tied already."""
    work.must_write()
    if _link_keys(work, association, first, second):
        return False
    intersect = work.table(association.intersect)
    ends: dict[str, object] = {}
    for column, table, end in (
        (association.column1, association.table1, first),
        (association.column2, association.table2, second),
    ):
        ends[column] = Reference(table, end) if intersect.columns[column].type.is_lookup else end
    tie = Row(intersect, Key(0), new_guid(work.clock), None, None, 0, ends)
    rows.insert(work, intersect, [tie])
    return True


def unlink(work: Work, association: ManyToMany, first: Guid, second: Guid) -> bool:
    """Untie two rows; False when they were not tied."""
    work.must_write()
    keys = _link_keys(work, association, first, second)
    for key in keys:
        work.connection.execute(f"delete from {quote(association.intersect)} where id = ?", (key,))
    if keys and association.intersect in SECURITY_TABLES:
        work.bump_security_epoch(association.intersect)
    return bool(keys)


def _link_keys(work: Work, association: ManyToMany, first: Guid, second: Guid) -> list[Key]:
    found = work.connection.query(
        f"select id from {quote(association.intersect)}"
        f" where {quote(association.column1)} = ? and {quote(association.column2)} = ?",
        (first, second),
    )
    return [Key(key) for (key,) in found]
