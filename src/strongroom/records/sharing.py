"""Sharing rows with users and teams (SM-70 to SM-79), and asking who has what (SM-170).

Order of checks (SM-124): the Share privilege, existence, reach; then whether the caller has what it gives (SM-74), and
that the principal is not the owner (SM-75). Rights that a direct share gains or loses run down the relationships
(SM-80, SM-82).
"""

from strongroom.access.check import SecuredRow, rights_on
from strongroom.access.messages import does_not_exist
from strongroom.access.plan import Branch, Plan
from strongroom.access.resolve import require_usable, resolve
from strongroom.access.rights import RIGHT_NAMES
from strongroom.access.sharing import lacking, mask_after_grant, mask_after_modify
from strongroom.audit.entries import Action
from strongroom.errors import InvalidRequest
from strongroom.ids import Key, Reference
from strongroom.query.ast import Predicate
from strongroom.records import inheritance
from strongroom.records.authorize import demand_existing, reaches, refusal_of
from strongroom.records.owners import facts_of
from strongroom.records.pointers import itself
from strongroom.records.session import Session
from strongroom.records.shapes import PrincipalShare
from strongroom.records.trail import record_act
from strongroom.schema.model import Rights
from strongroom.store.protocol import Row, Share


def grant_access(session: Session, target: Reference, principal: Reference, rights: Rights) -> None:
    """Add `rights` to what `principal` has on `target` directly (SM-76)."""
    row, key = _shareable(session, target, principal)
    demand_held_rights(session, row, rights)
    _demand_not_owner(row, key)
    _demand_own_row(session, row, principal)
    share = share_of(session, row, key)
    set_direct(session, row, share, mask_after_grant(share.direct, rights), principal, Action.SHARE)


def modify_access(session: Session, target: Reference, principal: Reference, rights: Rights) -> None:
    """Replace the direct share of `principal` (SM-77)."""
    row, key = _shareable(session, target, principal)
    demand_held_rights(session, row, rights)
    _demand_not_owner(row, key)
    _demand_own_row(session, row, principal)
    set_direct(session, row, share_of(session, row, key), mask_after_modify(rights), principal, Action.MODIFY_SHARE)


def revoke_access(session: Session, target: Reference, principal: Reference) -> None:
    """End the direct share of `principal` (SM-78)."""
    row, key = _shareable(session, target, principal)
    set_direct(session, row, share_of(session, row, key), Rights.NONE, principal, Action.UNSHARE)


def principal_access(session: Session, target: Reference, principal: Reference) -> Rights:
    """The rights of a user or team on a row (SM-170). Asking about others needs Read on the row."""
    require_usable(session.caller)
    table = session.table(target.table)
    facts = facts_of(session, principal)
    if principal.id == session.caller.id:
        row = session.transaction.row(table, target.id)
        if row is None:
            raise does_not_exist(table, target.id)
    else:
        row = demand_existing(session, table, target.id, Rights.READ)
    asked = resolve(facts, session.schema, session.transaction.stamp.security_epoch)
    shares = session.transaction.shares(table, [row.key]).get(row.key, ()) if table.has_owner else ()
    return rights_on(asked, table, SecuredRow(row.owner, row.unit, shares), lambda p: _elsewhere(session, row, p))


def shared_principals(session: Session, target: Reference) -> list[PrincipalShare]:
    """Whom a row is shared with, by either mask (SM-79). Asking needs Read on the row."""
    require_usable(session.caller)
    row = demand_existing(session, session.table(target.table), target.id, Rights.READ)
    if not row.table.has_owner:
        return []
    shares = session.transaction.shares(row.table, [row.key]).get(row.key, ())
    return [
        PrincipalShare(session.transaction.principal(share.principal), share.direct | share.inherited)
        for share in shares
    ]


# --- pieces --------------------------------------------------------------------------------------------------------


def _shareable(session: Session, target: Reference, principal: Reference) -> tuple[Row, Key]:
    """The row that the caller may share (SM-73), and the key of the principal."""
    require_usable(session.caller)
    target = itself(session, target, Rights.SHARE)
    table = session.table(target.table)
    row = demand_existing(session, table, target.id, Rights.SHARE)
    if not table.has_owner:
        raise InvalidRequest(f"Rows of '{table.logical_name}' cannot be shared: the table is {table.ownership.value}.")
    return row, facts_of(session, principal).key


def demand_held_rights(session: Session, row: Row, rights: Rights) -> None:
    """Nobody grants what they do not have themselves (SM-74)."""
    for right in RIGHT_NAMES:
        if right in lacking(Rights.NONE, rights) and not reaches(session, right, row):
            raise refusal_of(session, right, row)


def _demand_not_owner(row: Row, principal: Key) -> None:
    """SM-75."""
    if row.owner == principal:
        raise InvalidRequest(
            "The owner of a row has all rights on it; it cannot be shared with the owner.", code="0x80040214"
        )


def _demand_own_row(session: Session, row: Row, principal: Reference) -> None:
    """The access team that the platform keeps for one row has shares on no other (SM-57)."""
    team = session.transaction.row(session.table("team"), principal.id) if principal.table == "team" else None
    if (
        team is not None
        and team.values.get("systemmanaged")
        and team.values.get("regardingobjectid") != row.reference()
    ):
        raise InvalidRequest(
            "The access team is kept by the platform for another row; this row cannot be shared with it.",
            code="0x80048339",
        )


def share_of(session: Session, row: Row, principal: Key) -> Share:
    """What a principal has on a row; empty masks when nothing."""
    for share in session.transaction.shares(row.table, [row.key]).get(row.key, ()):
        if share.principal == principal:
            return share
    return Share(principal, Rights.NONE, Rights.NONE)


def set_direct(session: Session, row: Row, share: Share, direct: Rights, principal: Reference, action: Action) -> None:
    """Make `direct` the direct mask of a share, pass on what that gives and takes, and record it."""
    inheritance.set_direct(session, row, share, direct)
    change = {"principalid": (principal, principal), "accessrightsmask": (int(share.direct), int(direct))}
    record_act(session, row, action, change)


def _elsewhere(session: Session, row: Row, predicate: Predicate) -> bool:
    """Whether a branch that looks at other rows holds: asked of the store as a plan of that branch alone."""
    return session.transaction.allows(Plan(row.table, Rights.READ, (Branch(predicate, ()),)), row)
