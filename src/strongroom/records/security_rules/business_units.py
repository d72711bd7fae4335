"""Business units: one tree with one root, each unit with its default team and its copies of the roles above
(SM-13, SM-23, SM-28, SM-52).
"""

from strongroom.access.messages import does_not_exist
from strongroom.errors import DeleteRestricted, InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.records.possessions import holds_rows
from strongroom.records.rules import Event, Rules
from strongroom.records.security_rules.roles import copy_into, is_copy, roles_in
from strongroom.records.security_rules.teams import add_default_team, default_team
from strongroom.records.session import Session
from strongroom.records.trail import record_deletions
from strongroom.records.update import write_changes
from strongroom.store.protocol import Row, Value

_PARENT = "parentbusinessunitid"


def register(rules: Rules) -> None:
    """Hang the rules of business units in the verbs."""
    rules.on(Event.BEFORE_CREATE, "businessunit", _begin, name="business units: below the root unless told")
    rules.on(Event.AFTER_CREATE, "businessunit", _equip, name="business units: default team and role copies")
    rules.on(Event.BEFORE_UPDATE, "businessunit", _demand_changeable, name="business units: root and loops")
    rules.on(Event.AFTER_UPDATE, "businessunit", _follow, name="business units: team name and role copies follow")
    rules.on(Event.BEFORE_DELETE, "businessunit", _clear, name="business units: only disabled and empty ones go")


def root_unit(session: Session) -> Row:
    """The unit without a parent."""
    root = next(unit for unit in session.transaction.unit_tree().units.values() if unit.parent is None)
    table = session.table("businessunit")
    row = session.transaction.row(table, root.id)
    if row is None:
        raise does_not_exist(table, root.id)
    return row


# --- registered ----------------------------------------------------------------------------------------------------


def _begin(session: Session, _row: Row, values: dict[str, Value]) -> None:
    if values.get(_PARENT) is None:
        values[_PARENT] = root_unit(session).reference()
    values.setdefault("isdisabled", False)


def _equip(session: Session, row: Row, _: dict[str, Value]) -> None:
    add_default_team(session, row)
    parent = row.values.get(_PARENT)
    if isinstance(parent, Reference):
        for role in roles_in(session, parent.id):
            copy_into(session, role, row)


def _demand_changeable(session: Session, row: Row, changes: dict[str, Value]) -> None:
    is_root = row.values.get(_PARENT) is None
    if is_root and changes.get("isdisabled"):
        raise InvalidRequest("The root business unit cannot be disabled.")
    if _PARENT not in changes:
        return
    parent = changes[_PARENT]
    if is_root:
        if parent is not None:
            raise InvalidRequest("The root business unit cannot be moved.")
        return
    if not isinstance(parent, Reference):
        raise InvalidRequest("Every business unit but the root has a parent.")
    target = session.transaction.unit_key(parent.id)
    if target in session.transaction.unit_tree().subtree(row.key):
        raise InvalidRequest("A business unit cannot come under itself or a unit below it: that would make a loop.")


def _follow(session: Session, row: Row, before: dict[str, Value]) -> None:
    if "name" in before and before["name"] != row.values.get("name"):
        team = default_team(session, row.reference())
        if team is not None:
            write_changes(session, team, {"name": row.values.get("name")})
    if _PARENT in before and before[_PARENT] != row.values.get(_PARENT):
        _refit_roles(session, row)


def _refit_roles(session: Session, moved: Row) -> None:
    """After a move: copies of roles that are no longer above disappear with their assignments, new ones come, and the
    rest stay as they are (SM-28). Units above come before those below."""
    transaction, table = session.transaction, session.table("businessunit")
    tree = transaction.unit_tree()
    below = sorted(tree.subtree(moved.key), key=lambda key: len(tree.path_to_root(key)))
    for key in below:
        unit = transaction.row(table, tree.units[key].id)
        parent = unit.values.get(_PARENT) if unit is not None else None
        if unit is None or not isinstance(parent, Reference):
            continue
        above = {_root_of(role): role for role in roles_in(session, parent.id)}
        present = {_root_of(role): role for role in roles_in(session, unit.id)}
        gone = [role for root, role in present.items() if is_copy(role) and root not in above]
        record_deletions(session, gone)
        transaction.delete(session.table("role"), gone)
        for root, role in above.items():
            copy = present.get(root)
            if copy is None:
                copy_into(session, role, unit)
            elif copy.values.get("parentroleid") != role.reference():
                write_changes(session, copy, {"parentroleid": role.reference()})


def _root_of(role: Row) -> Guid:
    root = role.values.get("parentrootroleid")
    return root.id if isinstance(root, Reference) else role.id


def _clear(session: Session, row: Row, _: dict[str, Value]) -> None:
    """A unit goes when it is disabled and has no units, users or rows; its default team goes with it (SM-13)."""
    if row.values.get(_PARENT) is None:
        raise InvalidRequest("The root business unit cannot be deleted.")
    if not row.values.get("isdisabled"):
        raise InvalidRequest("A business unit must be disabled before it can be deleted.")
    transaction = session.transaction
    has_units = len(transaction.unit_tree().subtree(row.key)) > 1
    users = transaction.rows_where(session.table("systemuser"), {"businessunitid": row.reference()}, limit=1)
    if has_units or users or holds_rows(session, row.key):
        raise DeleteRestricted(
            "The business unit still has business units, users or rows and cannot be deleted; move them first."
        )
    team = default_team(session, row.reference())
    if team is not None:
        record_deletions(session, [team])
        transaction.delete(team.table, [team])
