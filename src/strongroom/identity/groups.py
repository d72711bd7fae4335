"""Groups of the directory, and the teams that follow them (TS-726).

A team of an environment that names a directory group (`azureactivedirectoryobjectid`) has those of its members who are
users there: members, guests, or both, as `membershiptype` says. It is made to fit when somebody enters the environment
after a change of the directory, so that roles through it appear and go with membership. Teams of owners have nobody:
groups here have no owners.
"""

from strongroom.audit.entries import Action
from strongroom.errors import NotFound
from strongroom.identity.conditional.tables import GROUP, MEMBER
from strongroom.identity.directory import find, find_all, get, make, text
from strongroom.ids import Guid, Reference
from strongroom.records import Session
from strongroom.records.trail import record_act
from strongroom.store.protocol import Row, Transaction

_MEMBERSHIP = "teammembership_association"
_GROUP_TEAMS = (2, 3)
_BOTH, _MEMBERS, _GUESTS = 0, 1, 3


def group_named(transaction: Transaction, group: Guid) -> Row:
    """The group with this id. Raises `NotFound`."""
    row = transaction.row(transaction.schema.tables[GROUP], group)
    if row is None:
        raise NotFound("There is no such directory group.")
    return row


def add_member(session: Session, group: Row, person: Reference, source: str = "", shown: str = "") -> bool:
    """Put somebody into a group; False when they are in it already. `source` says who keeps the membership, `shown`
    how the person is called there, by their name unless given."""
    if find(session.transaction, MEMBER, directorygroupid=group.reference(), directoryuserid=person) is not None:
        return False
    values = {"directorygroupid": group.reference(), "directoryuserid": person, "source": source or None}
    name = shown or text(get(session.transaction, person), "name")
    make(session, MEMBER, {"name": name[:200] or "member", **values})
    session.transaction.bump_security_epoch()
    return True


def remove_member(session: Session, group: Row, person: Reference) -> bool:
    """Take somebody out of a group; False when they were not in it."""
    found = find_all(session.transaction, MEMBER, directorygroupid=group.reference(), directoryuserid=person)
    _delete(session, found)
    return bool(found)


def set_groups(session: Session, person: Reference, wanted: frozenset[Guid], source: str) -> None:
    """Make `wanted` the groups that one source puts somebody into; what others put them into stays."""
    kept = find_all(session.transaction, MEMBER, directoryuserid=person, source=source)
    have = {found.id: row for row in kept if isinstance(found := row.values.get("directorygroupid"), Reference)}
    _delete(session, [row for group, row in have.items() if group not in wanted])
    for group in sorted(wanted - have.keys()):
        add_member(session, group_named(session.transaction, group), person, source)


def members_of(transaction: Transaction, group: Reference) -> dict[Guid, str]:
    """Who is in a group, and how they are called there."""
    rows = transaction.rows_where(transaction.schema.tables[MEMBER], {"directorygroupid": group})
    return {
        found.id: text(row, "name") for row in rows if isinstance(found := row.values.get("directoryuserid"), Reference)
    }


def _delete(session: Session, rows: list[Row]) -> None:
    if rows:
        for row in rows:
            record_act(session, row, Action.DELETE, {})
        session.transaction.delete(session.table(MEMBER), rows)
        session.transaction.bump_security_epoch()


# --- teams -------------------------------------------------------------------------------------------------------


def all_groups(transaction: Transaction) -> frozenset[Guid]:
    """The ids of all groups of the directory."""
    return frozenset(row.id for row in transaction.rows_where(transaction.schema.tables[GROUP], {}))


def misfits(
    transaction: Transaction, user: Guid, groups: frozenset[Guid], known: frozenset[Guid], *, is_guest: bool
) -> list[tuple[Row, bool]]:
    """Group teams of an environment that a user is to join (True) or to leave, going by the groups of the person.

    Teams of groups that the directory does not have (`known`) are kept by hand.
    """
    association = transaction.schema.many_to_many[_MEMBERSHIP]
    table = transaction.schema.tables["team"]
    teams = [row for kind in _GROUP_TEAMS for row in transaction.rows_where(table, {"teamtype": kind})]
    if not teams:
        return []
    has = frozenset(transaction.linked(association, user, from_first=False))
    found: list[tuple[Row, bool]] = []
    for team in teams:
        followed = team.values.get("azureactivedirectoryobjectid")
        if followed not in known:
            continue
        kinds = (_BOTH, _GUESTS) if is_guest else (_BOTH, _MEMBERS)
        wanted = followed in groups and (team.values.get("membershiptype") or _BOTH) in kinds
        if wanted is not (team.id in has):
            found.append((team, wanted))
    return found


def follow(session: Session, user: Guid, changes: list[tuple[Row, bool]]) -> None:
    """Let a user join and leave teams, in the platform's name, with entries in the trail."""
    association = session.schema.many_to_many[_MEMBERSHIP]
    one = Reference("systemuser", user)
    for team, joins in changes:
        if joins:
            session.transaction.link(association, team.id, user)
            record_act(session, team, Action.ADD_MEMBERS, {_MEMBERSHIP: (None, one)})
        else:
            session.transaction.unlink(association, team.id, user)
            record_act(session, team, Action.REMOVE_MEMBERS, {_MEMBERSHIP: (one, None)})
