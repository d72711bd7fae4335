"""The environment's security group (SM-69): who may enter at all.

`organization.usergroupid` holds the id of a group in the directory. Its members here are those of the group team
(type 2 or 3) with this `azureactivedirectoryobjectid`. Nobody else enters, but administrators; the check itself is
`access.resolve.require_entry`. A user who is taken out of the team is disabled, not deleted, and stays so until
somebody enables it: coming back into the group gives no access that was taken by hand.
"""

from strongroom.access.caller import TeamType
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid
from strongroom.records.rules import Event, Rules
from strongroom.records.security_rules.administrators import holds_administrator_role
from strongroom.records.security_rules.teams import MEMBERSHIP
from strongroom.records.session import Session
from strongroom.records.update import write_changes
from strongroom.schema.model import ManyToMany
from strongroom.store.protocol import Row, Value

_GROUP = "usergroupid"
_GROUP_TEAMS = (TeamType.SECURITY_GROUP.value, TeamType.OFFICE_GROUP.value)


def register(rules: Rules) -> None:
    """Hang the rules of the group in the verbs."""
    rules.on(Event.BEFORE_UPDATE, "organization", _demand_group, name="entry: the group has a team")
    rules.on_link(Event.AFTER_UNLINK, MEMBERSHIP, _disable, name="entry: who leaves the group is disabled")


def _demand_group(session: Session, _row: Row, changes: dict[str, Value]) -> None:
    group = changes.get(_GROUP)
    if group is None:
        return
    teams = session.transaction.rows_where(session.table("team"), {"azureactivedirectoryobjectid": group})
    if not any(team.values.get("teamtype") in _GROUP_TEAMS for team in teams):
        raise InvalidRequest(
            f"'{_GROUP}' names the directory group whose members may enter; make a group team (type 2 or 3) with "
            f"'azureactivedirectoryobjectid' {group} first."
        )


def _disable(session: Session, _: ManyToMany, team_id: Guid, user_id: Guid) -> None:
    entry_team = session.transaction.settings().entry_team
    team = session.transaction.row(session.table("team"), team_id) if entry_team is not None else None
    if team is None or team.key != entry_team or holds_administrator_role(session, user_id):
        return
    user = session.transaction.row(session.table("systemuser"), user_id)
    if user is not None and not user.values.get("isdisabled"):
        write_changes(session, user, {"isdisabled": True})
