"""Deleting rows with what hangs on them (section 9 of the security model).

First the whole set is found: the rows named and, transitively, their children through relationships that cascade;
the caller needs Delete on each (SM-104). Then no child of a Restrict relationship may be left outside the set,
whether the caller sees it or not (SM-101, SM-103). Then children of RemoveLink relationships lose their link and what
they inherited through it (SM-102, SM-86), and the set goes, children before parents.
"""

from collections.abc import Callable, Iterable, Sequence

from strongroom.ids import Guid
from strongroom.records import refusals
from strongroom.records.authorize import demand
from strongroom.records.create import refuse_direct_writes
from strongroom.records.inheritance import leave
from strongroom.records.record_teams import remove_teams_of
from strongroom.records.rules import Event
from strongroom.records.session import Session
from strongroom.records.trail import record_deletions, record_update
from strongroom.schema.activities import PARTIES, cascading_children
from strongroom.schema.model import Relationship, Rights, Table
from strongroom.store.layout import OWNER_COLUMNS, VALUE_SHARES
from strongroom.store.protocol import Row


def delete_rows(session: Session, rows: Sequence[Row], *, is_platform: bool = False) -> None:
    """Delete rows of one table, on which the caller has been authorized, with their cascades.

    With `is_platform` nobody needs a right on the children: the platform itself cleans up after a table that goes.
    """
    if rows and not (is_platform and rows[0].table.logical_name == PARTIES):
        refuse_direct_writes(rows[0].table)
    doomed = with_children(session, rows, lambda child: None if is_platform else demand(session, Rights.DELETE, child))
    session.doomed = frozenset(row.reference() for row in doomed.values())
    for row in doomed.values():
        session.rules.run(Event.BEFORE_DELETE, session, row, {})
    groups = by_table(doomed.values())
    for group in groups:
        relationship = restricting(session, group, doomed)
        if relationship is not None:
            raise refusals.delete_restricted(group[0].table, group[0].id, relationship.schema_name)
    for group in groups:
        _remove_links(session, group, doomed)
        remove_teams_of(session, group)
    record_deletions(session, doomed.values())
    for group in reversed(groups):
        session.transaction.delete(group[0].table, group)
    for row in doomed.values():
        session.rules.run(Event.AFTER_DELETE, session, row, {})
    session.doomed = frozenset()


_Identity = tuple[str, Guid]
Doomed = dict[_Identity, Row]


def with_children(session: Session, rows: Iterable[Row], authorize: Callable[[Row], None]) -> Doomed:
    """The rows and all that the delete takes along, parents before children. `authorize` is called with each child,
    and raises when it may not go (SM-104)."""
    doomed: Doomed = {_identity(row): row for row in rows}
    waiting = by_table(doomed.values())
    while waiting:
        group = waiting.pop(0)
        found: list[Row] = []
        for relationship in _relationships(session, group[0].table, "Cascade"):
            for child in session.transaction.children(relationship, [row.id for row in group]):
                if _identity(child) not in doomed:
                    if child.table.logical_name != VALUE_SHARES:  # they go as shares do
                        authorize(child)
                    doomed[_identity(child)] = child
                    found.append(child)
        waiting += by_table(found)
    return doomed


def restricting(session: Session, group: Sequence[Row], doomed: Doomed) -> Relationship | None:
    """A Restrict relationship with a child that is not among what goes, whether or not anybody sees that child
    (SM-101, SM-103). `group` are rows of one table."""
    for relationship in _relationships(session, group[0].table, "Restrict"):
        for child in session.transaction.children(relationship, [row.id for row in group]):
            if _identity(child) not in doomed:
                return relationship
    return None


def _remove_links(session: Session, group: Sequence[Row], doomed: Doomed) -> None:
    """Empty the lookups of children that stay; no right on them is needed (SM-102)."""
    for relationship in _relationships(session, group[0].table, "RemoveLink"):
        column = relationship.referencing_column
        for child in session.transaction.children(relationship, [row.id for row in group]):
            if _identity(child) in doomed:
                continue
            old = child.values.get(column)
            session.transaction.update(child, {column: None})
            record_update(session, child, {column: (old, None)})
            for row in group:
                leave(session, relationship, child, row.id)


def _relationships(session: Session, table: Table, how: str) -> list[Relationship]:
    """Relationships to children whose lookups are stored, with this Delete setting."""
    tables = session.schema.tables
    return [
        relationship
        for relationship in cascading_children(session.schema, table.logical_name)
        if relationship.cascade.delete == how
        and (child := tables.get(relationship.referencing_table)) is not None
        and not (child.has_owner and relationship.referencing_column in OWNER_COLUMNS)
    ]


def by_table(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows in groups of one table, in the order of the first of each."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.table.logical_name, []).append(row)
    return list(groups.values())


def _identity(row: Row) -> _Identity:
    return row.table.logical_name, row.id
