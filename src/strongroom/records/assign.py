"""Changing owners and owning units (section 8 of the security model).

An assign runs down the relationships whose Assign setting matches, from every row that changes owner; a row that has
the new owner already neither changes nor passes the change on (SM-94, SM-95). The caller needs Assign on each row that
changes (SM-96). Moving a row to another owning unit runs down in the same way and leaves owners alone (SM-98).
"""

from collections.abc import Callable

from strongroom.access.rights import SHAREABLE
from strongroom.audit.entries import Action
from strongroom.ids import Guid, Key, Reference
from strongroom.records.authorize import demand
from strongroom.records.inheritance import NO_CASCADE, matches, owner_changed, set_direct
from strongroom.records.owners import facts_of
from strongroom.records.session import Session
from strongroom.records.system_columns import of_changed_row
from strongroom.records.trail import owner_change, record_update
from strongroom.schema.activities import cascading_children
from strongroom.schema.model import Relationship, Rights, Table
from strongroom.store.protocol import Row, Share


def assign(session: Session, row: Row, owner: Reference) -> None:
    """Give `row` to `owner` and cascade. The caller has been authorized for `row` itself; the owner is valid."""
    new = facts_of(session, owner)
    if row.owner == new.key:
        return
    affected = affected_by_assign(session, row, new.key, lambda child: demand(session, Rights.ASSIGN, child))
    settings = session.transaction.settings()
    keeps_unit = settings.matrix_access and not settings.always_move_record
    losses: list[tuple[Row, Key]] = []
    for one in affected:
        old = one.owner
        if old is None:
            continue
        before = session.transaction.principal(old)
        unit = None if keeps_unit else new.unit
        session.transaction.update(one, of_changed_row(session, one.table), owner=new.key, unit=unit)
        record_update(session, one, owner_change(before, owner), Action.ASSIGN)
        losses.append((one, old))
    for one, old in losses:
        owner_changed(session, one, old)
        if settings.share_to_previous_owner:
            _share_with_previous(session, one, old)


def move(session: Session, row: Row, unit: Key) -> None:
    """Put `row` into another owning unit and cascade (SM-98)."""
    affected = _affected(
        session, row, lambda one: one.unit == unit, lambda child: demand(session, Rights.ASSIGN, child)
    )
    units = session.transaction.unit_tree().units
    for one in affected:
        before = None if one.unit is None else Reference("businessunit", units[one.unit].id)
        session.transaction.update(one, of_changed_row(session, one.table), unit=unit)
        after = Reference("businessunit", units[unit].id)
        record_update(session, one, {"owningbusinessunit": (before, after)}, Action.ASSIGN)


def affected_by_assign(session: Session, row: Row, owner: Key, authorize: Callable[[Row], None]) -> list[Row]:
    """The rows that change owner when `row` does (SM-94, SM-95). `authorize` is called with each row below it, and
    raises when it may not go (SM-96)."""
    return _affected(session, row, lambda one: one.owner == owner, authorize)


def _affected(
    session: Session, row: Row, is_there: Callable[[Row], bool], authorize: Callable[[Row], None]
) -> list[Row]:
    """`row` and every row below it that the cascade reaches, each authorized (SM-96), parents before children.

    `is_there` says that a row needs no change, and ends the cascade at it. Owners are still those before the change,
    which is what UserOwned compares.
    """
    if is_there(row):
        return []
    found: dict[tuple[str, Guid], Row] = {(row.table.logical_name, row.id): row}
    waiting = [row]
    while waiting:
        parent = waiting.pop(0)
        for relationship, child_table in _assigning(session, parent.table):
            for child in session.transaction.children(relationship, [parent.id]):
                identity = (child_table.logical_name, child.id)
                if identity in found or is_there(child):
                    continue
                if not matches(relationship.cascade.assign, child, parent.owner):
                    continue
                authorize(child)
                found[identity] = child
                waiting.append(child)
    return list(found.values())


def _assigning(session: Session, table: Table) -> list[tuple[Relationship, Table]]:
    tables = session.schema.tables
    return [
        (relationship, child)
        for relationship in cascading_children(session.schema, table.logical_name)
        if relationship.cascade.assign != NO_CASCADE
        and (child := tables.get(relationship.referencing_table)) is not None
        and child.has_owner
    ]


def _share_with_previous(session: Session, row: Row, previous: Key) -> None:
    """The previous owner keeps everything by a direct share, which cascades by Share (SM-99)."""
    known = session.transaction.shares(row.table, [row.key]).get(row.key, ())
    share = next((each for each in known if each.principal == previous), Share(previous, Rights.NONE, Rights.NONE))
    set_direct(session, row, share, SHAREABLE)
