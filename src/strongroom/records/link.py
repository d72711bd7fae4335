"""Tying rows: a lookup of the child for 1:N, a row of the intersect table for N:N (SM-110 to SM-113, WA-160 to
WA-167).

Associations of the security tables (roles of users, members of teams, users of column profiles) are not Append but
acts with rules of their own: `security_rules` registers who may do them.
"""

from strongroom.access.messages import does_not_exist
from strongroom.access.resolve import require_usable
from strongroom.audit.entries import Action
from strongroom.errors import NotFound, PreconditionFailed
from strongroom.ids import Reference
from strongroom.records import refusals
from strongroom.records.authorize import demand, demand_existing, demand_privilege
from strongroom.records.rules import Event
from strongroom.records.session import Session
from strongroom.records.trail import record_act
from strongroom.records.update import update_row
from strongroom.schema.model import ManyToMany, Relationship, Rights
from strongroom.store.protocol import Row, Value


def associate(session: Session, link: Relationship | ManyToMany, first: Reference, second: Reference) -> None:
    """Tie two rows. 1:N: `first` is the parent, `second` the child. N:N: `first` is of `table1` (WA-160, WA-161)."""
    require_usable(session.caller)
    if isinstance(link, Relationship):
        _demand_ends(link.referenced_table, link.referencing_table, first, second)
        update_row(session, session.table(second.table), second.id, {link.referencing_column: first})
        return
    one, other = _authorized_ends(session, link, first, second)
    session.rules.run_link(Event.BEFORE_LINK, session, link, one.id, other.id)
    if not session.transaction.link(link, one.id, other.id):
        raise PreconditionFailed("Cannot insert duplicate key.", code="0x80040237")
    record_act(session, one, _action(link, tied=True), _change(link, None, other))
    session.rules.run_link(Event.AFTER_LINK, session, link, one.id, other.id)


def disassociate(session: Session, link: Relationship | ManyToMany, first: Reference, second: Reference) -> None:
    """Untie two rows; 404 when they are not tied (WA-163)."""
    require_usable(session.caller)
    if isinstance(link, Relationship):
        _demand_ends(link.referenced_table, link.referencing_table, first, second)
        child_table = session.table(second.table)
        demand_privilege(session, child_table, Rights.WRITE)
        child = session.transaction.row(child_table, second.id)
        if child is None:
            raise does_not_exist(child_table, second.id)
        demand(session, Rights.WRITE, child)
        if child.values.get(link.referencing_column) != first:
            raise NotFound(f"{second.table} With Id = {second.id} is not linked to {first.table} {first.id}.")
        update_row(session, child_table, second.id, {link.referencing_column: None})
        return
    one, other = _authorized_ends(session, link, first, second)
    session.rules.run_link(Event.BEFORE_UNLINK, session, link, one.id, other.id)
    if not session.transaction.unlink(link, one.id, other.id):
        raise NotFound(f"{first.table} {first.id} and {second.table} {second.id} are not linked.")
    record_act(session, one, _action(link, tied=False), _change(link, other, None))
    session.rules.run_link(Event.AFTER_UNLINK, session, link, one.id, other.id)


def _authorized_ends(session: Session, link: ManyToMany, first: Reference, second: Reference) -> tuple[Row, Row]:
    """Both rows, with Append on each (SM-113), unless the association has rules of its own."""
    _demand_ends(link.table1, link.table2, first, second)
    if not session.rules.governs(link):
        return (
            demand_existing(session, session.table(first.table), first.id, Rights.APPEND),
            demand_existing(session, session.table(second.table), second.id, Rights.APPEND),
        )
    return _existing(session, first), _existing(session, second)


def _existing(session: Session, reference: Reference) -> Row:
    table = session.table(reference.table)
    row = session.transaction.row(table, reference.id)
    if row is None:
        raise does_not_exist(table, reference.id)
    return row


def _demand_ends(first_table: str, second_table: str, first: Reference, second: Reference) -> None:
    """WA-165."""
    if (first.table, second.table) != (first_table, second_table):
        raise refusals.wrong_ends(first_table, second_table, first, second)


_ACTIONS = {
    "systemuserroles_association": (Action.ASSIGN_ROLE_TO_USER, Action.REMOVE_ROLE_FROM_USER),
    "teamroles_association": (Action.ASSIGN_ROLE_TO_TEAM, Action.REMOVE_ROLE_FROM_TEAM),
    "teammembership_association": (Action.ADD_MEMBERS, Action.REMOVE_MEMBERS),
}


def _action(link: ManyToMany, *, tied: bool) -> Action:
    added, removed = _ACTIONS.get(link.schema_name, (Action.ASSOCIATE, Action.DISASSOCIATE))
    return added if tied else removed


def _change(link: ManyToMany, old: Row | None, new: Row | None) -> dict[str, tuple[Value, Value]]:
    """Told under the name of the relationship."""
    return {link.schema_name: (old and old.reference(), new and new.reference())}
