"""Teams: default teams that follow their business unit, what each kind may own and hold, and who joins them
(section 5 of the security model).
"""

from strongroom.access.caller import TeamType
from strongroom.access.resolve import require_privilege
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Key, Reference
from strongroom.records.authorize import demand_existing
from strongroom.records.create import store_new
from strongroom.records.possessions import move_possessions, owns_rows
from strongroom.records.rules import Event, Rules
from strongroom.records.security_rules.handing_out import demand_coverage
from strongroom.records.security_rules.leaving_units import remove_direct_roles
from strongroom.records.session import Session
from strongroom.schema.model import ManyToMany, Rights
from strongroom.store.protocol import Row, Value

MEMBERSHIP = "teammembership_association"
_UNIT = "businessunitid"


def register(rules: Rules) -> None:
    """Hang the rules of teams in the verbs."""
    rules.on(Event.BEFORE_CREATE, "team", _begin, name="teams: made by hand is no default team")
    rules.on(Event.BEFORE_UPDATE, "team", _demand_changeable, name="teams: default teams follow their unit")
    rules.on(Event.AFTER_UPDATE, "team", _follow_unit, name="teams: roles and rows follow to another unit")
    rules.on(Event.BEFORE_DELETE, "team", _demand_deletable, name="teams: default teams and owners stay")
    rules.on_link(Event.BEFORE_LINK, MEMBERSHIP, _demand_joining, name="teams: who adds whom", replaces_append=True)
    rules.on_link(Event.BEFORE_UNLINK, MEMBERSHIP, _demand_leaving, name="teams: who takes whom out")
    rules.on_link(
        Event.BEFORE_LINK, "teamprofiles_association", _demand_profiles, name="teams: access teams hold no profiles"
    )


def add_default_team(session: Session, unit: Row) -> Row:
    """The team of all users of a new business unit, named like it (SM-52)."""
    return store_new(
        session,
        session.table("team"),
        {
            "name": unit.values.get("name"),
            _UNIT: unit.reference(),
            "administratorid": session.user,
            "teamtype": TeamType.OWNER.value,
            "isdefault": True,
        },
    )


def default_team(session: Session, unit: Reference) -> Row | None:
    """The default team of a business unit."""
    teams = session.transaction.rows_where(session.table("team"), {_UNIT: unit})
    return next((team for team in teams if team.values.get("isdefault")), None)


def demand_joining_unit(session: Session, unit: Value) -> None:
    """Whoever comes into a business unit joins its default team, and gets the roles of that team: nobody is put there
    by somebody who does not hold them (SM-29, SM-53)."""
    team = default_team(session, unit) if isinstance(unit, Reference) else None
    if team is not None:
        _demand_roles_held(session, team.id)


def move_to_default_team(session: Session, user: Guid, old: Reference | None, new: Reference | None) -> None:
    """Take a user out of the default team of its old unit and into that of its new one (SM-53)."""
    association = session.schema.many_to_many[MEMBERSHIP]
    for unit, move in ((old, session.transaction.unlink), (new, session.transaction.link)):
        team = default_team(session, unit) if unit is not None else None
        if team is not None:
            move(association, team.id, user)


# --- registered ----------------------------------------------------------------------------------------------------


def _begin(_session: Session, _row: Row, values: dict[str, Value]) -> None:
    values["isdefault"] = False
    values["systemmanaged"] = False
    if values.get("teamtype") is None:
        values["teamtype"] = TeamType.OWNER.value


def _demand_changeable(session: Session, row: Row, changes: dict[str, Value]) -> None:
    if row.values.get("isdefault"):
        if changes.get("name", row.values.get("name")) != row.values.get("name"):
            raise InvalidRequest("The default team is named like its business unit.", code="0x8004830a")
        if changes.get(_UNIT, row.values.get(_UNIT)) != row.values.get(_UNIT):
            raise InvalidRequest("The default team cannot move to another business unit.", code="0x80048308")
    if changes.get(_UNIT, row.values.get(_UNIT)) != row.values.get(_UNIT):
        require_privilege(session.caller, "prvReparentTeam")
    kind = changes.get("teamtype")
    if kind is None or kind == row.values.get("teamtype"):
        return
    if row.values.get("teamtype") == TeamType.ACCESS.value:
        raise InvalidRequest("An access team cannot become a team of another type.", code="0x80048337")
    if kind == TeamType.ACCESS.value:
        _demand_empty_handed(session, row)


def _demand_empty_handed(session: Session, row: Row) -> None:
    """What a team must not have to become an access team (SM-56)."""
    if row.values.get("isdefault") or owns_rows(session, row.key):
        raise InvalidRequest("A team that owns rows cannot become an access team.", code="0x80048337")
    for name in ("teamroles_association", "teamprofiles_association"):
        if session.transaction.linked(session.schema.many_to_many[name], row.id, from_first=True):
            raise InvalidRequest(
                "A team with roles or column profiles cannot become an access team.", code="0x80048336"
            )


def _follow_unit(session: Session, row: Row, before: dict[str, Value]) -> None:
    if _UNIT in before and before[_UNIT] != row.values.get(_UNIT):
        leave_unit(session, row)


def leave_unit(session: Session, principal: Row) -> None:
    """What follows a user or team to its new business unit: not its roles (SM-26), but its rows (SM-27)."""
    settings = session.transaction.settings()
    if not (settings.matrix_access and settings.keep_roles_on_unit_change):
        remove_direct_roles(session, principal)
    if not (settings.matrix_access and not settings.always_move_record):
        move_possessions(session, principal)


def _demand_deletable(session: Session, row: Row, _: dict[str, Value]) -> None:
    if row.values.get("isdefault") and row.values.get(_UNIT) not in session.doomed:
        raise InvalidRequest("The default team of a business unit cannot be deleted.", code="0x80048307")
    if owns_rows(session, row.key):
        raise InvalidRequest("A team that owns rows cannot be deleted; assign its rows first.", code="0x8004830e")


def _demand_joining(session: Session, _: ManyToMany, team_id: Guid, user: Guid) -> None:
    """Write on the team (SM-58); the team's roles must be the caller's to hand out (SM-29)."""
    team = demand_existing(session, session.table("team"), team_id, Rights.WRITE)
    if team.values.get("isdefault"):
        raise InvalidRequest("The members of a default team are the users of its business unit.", code="0x8004830b")
    _demand_not_kept(team)
    demand_existing(session, session.table("systemuser"), user, Rights.READ)
    _demand_roles_held(session, team_id)


def _demand_roles_held(session: Session, team: Guid) -> None:
    """The caller holds what the roles of a team would give to a new member (SM-29)."""
    association = session.schema.many_to_many["teamroles_association"]
    roles = session.transaction.rows(
        session.table("role"), session.transaction.linked(association, team, from_first=True)
    )
    demand_coverage(session, [(role, role.unit or Key(0)) for role in roles.values()])


def _demand_leaving(session: Session, _: ManyToMany, team_id: Guid, _user: Guid) -> None:
    team = demand_existing(session, session.table("team"), team_id, Rights.WRITE)
    if team.values.get("isdefault"):
        raise InvalidRequest("The members of a default team are the users of its business unit.", code="0x8004830c")
    _demand_not_kept(team)


def _demand_profiles(session: Session, _: ManyToMany, team_id: Guid, _profile: Guid) -> None:
    team = session.transaction.row(session.table("team"), team_id)
    if team is not None and team.values.get("teamtype") == TeamType.ACCESS.value:
        raise InvalidRequest("An access team cannot hold column security profiles.", code="0x80048331")


def _demand_not_kept(team: Row) -> None:
    """The members of a team that the platform keeps for a row come and go by its messages, which ask more (SM-57)."""
    if team.values.get("systemmanaged"):
        raise InvalidRequest(
            "The platform keeps this access team for a row: AddUserToRecordTeam and RemoveUserFromRecordTeam change "
            "its members."
        )
