"""Access teams that the platform keeps for single rows, made after a team template (SM-57).

A template names a table and a mask of rights. The first user who is added to a row by a template makes an access team
for that row and template, with a direct share of the template's rights; the last one who is taken out ends team and
share. The team remembers its row in `regardingobjectid` and its template in `teamtemplateid`, and is `systemmanaged`:
nobody else writes its members or shares other rows with it.

Example: the template *Deal team* (account, Read and Write). Bob is added to Contoso: the team `<Contoso>+<Deal team>`
comes, shares Contoso, and Bob is in it. Bob is taken out: team and share are gone.
"""

from collections.abc import Sequence

from strongroom.access.caller import TeamType
from strongroom.access.messages import does_not_exist
from strongroom.access.resolve import holds_privilege, require_usable
from strongroom.access.rights import RIGHT_NAMES, SHAREABLE
from strongroom.audit.entries import Action
from strongroom.errors import AccessDenied, InvalidRequest, NotFound
from strongroom.ids import Guid, Reference
from strongroom.records.authorize import demand_existing
from strongroom.records.create import store_new
from strongroom.records.owners import facts_of
from strongroom.records.security_rules.teams import MEMBERSHIP
from strongroom.records.session import Session
from strongroom.records.sharing import demand_held_rights, set_direct, share_of
from strongroom.records.trail import record_act, record_deletions
from strongroom.schema.model import Rights, Table
from strongroom.store.protocol import Row

_USER = "systemuser"


def add_user_to_record_team(session: Session, user: Guid, record: Reference, template: Guid) -> Guid:
    """Put a user into the access team of a row and template and return the team's id. A member already stays.

    The caller needs Share on the row, what the template gives (SM-74), and Read on the user; the user needs each of
    the template's privileges at some depth: 403 `0x80040231`.
    """
    row, rights, found = _asked(session, record, template)
    demand_existing(session, session.table(_USER), user, Rights.READ)
    demand_held_rights(session, row, rights)
    _demand_privileges(session, row.table, user, rights)
    team = found if found is not None else _make(session, row, template, rights)
    if session.transaction.link(session.schema.many_to_many[MEMBERSHIP], team.id, user):
        record_act(session, team, Action.ADD_MEMBERS, {MEMBERSHIP: (None, Reference(_USER, user))})
    return team.id


def remove_user_from_record_team(session: Session, user: Guid, record: Reference, template: Guid) -> Guid:
    """Take a user out of the access team of a row and template and return the team's id; 404 when not in it.

    With its last member the team goes, and its share. The caller needs Share on the row.
    """
    row, _, team = _asked(session, record, template)
    association = session.schema.many_to_many[MEMBERSHIP]
    if team is None or not session.transaction.unlink(association, team.id, user):
        raise NotFound(f"The user {user} is in no access team of {record.table} {record.id} by this template.")
    record_act(session, team, Action.REMOVE_MEMBERS, {MEMBERSHIP: (Reference(_USER, user), None)})
    if not session.transaction.linked(association, team.id, from_first=True):
        set_direct(session, row, share_of(session, row, team.key), Rights.NONE, team.reference(), Action.UNSHARE)
        _remove(session, [team])
    return team.id


def remove_teams_of(session: Session, rows: Sequence[Row]) -> None:
    """Remove the access teams that are kept for rows of one table that go: one look at their shares."""
    if not rows[0].table.has_owner:
        return
    transaction, teams = session.transaction, session.table("team")
    shares = transaction.shares(rows[0].table, [row.key for row in rows])
    principals = {share.principal for held in shares.values() for share in held}
    if not principals:
        return
    named = [one.id for key in sorted(principals) if (one := transaction.principal(key)).table == "team"]
    ids = {row.reference() for row in rows}
    found = transaction.rows(teams, named).values()
    _remove(session, [team for team in found if is_kept(team) and team.values.get("regardingobjectid") in ids])


def is_kept(team: Row) -> bool:
    """Whether the platform keeps the team for a row."""
    return bool(team.values.get("systemmanaged"))


# --- pieces --------------------------------------------------------------------------------------------------------


def _asked(session: Session, record: Reference, template_id: Guid) -> tuple[Row, Rights, Row | None]:
    """The row, which the caller may share, the rights of the template, and the team when there is one."""
    require_usable(session.caller)
    table, templates = session.table(record.table), session.table("teamtemplate")
    row = demand_existing(session, table, record.id, Rights.SHARE)
    template = session.transaction.row(templates, template_id)
    if template is None:
        raise does_not_exist(templates, template_id)
    if template.values.get("objecttypecode") != table.object_type_code:
        raise InvalidRequest(
            f"The team template is for rows of another table than '{table.logical_name}', whose type code is "
            f"{table.object_type_code}."
        )
    mask = template.values.get("defaultaccessrightsmask")
    rights = Rights(mask if isinstance(mask, int) else 0) & SHAREABLE
    teams = session.transaction.rows_where(
        session.table("team"),
        {"teamtemplateid": template.reference(), "regardingobjectid": row.reference(), "systemmanaged": True},
        limit=1,
    )
    return row, rights, teams[0] if teams else None


def _demand_privileges(session: Session, table: Table, user: Guid, rights: Rights) -> None:
    """The user holds each privilege that the template's rights stand on, at Basic at least (SM-57, SM-71)."""
    facts = facts_of(session, Reference(_USER, user))
    for right in RIGHT_NAMES:
        privilege = table.privileges.get(right)
        if right in rights and (privilege is None or not holds_privilege(facts, privilege)):
            name = privilege.name if privilege is not None else RIGHT_NAMES[right]
            raise AccessDenied(
                f"The user {user} does not hold {name}, which the team template gives; it needs it at Basic at least.",
                code="0x80040231",
            )


def _make(session: Session, row: Row, template: Guid, rights: Rights) -> Row:
    units = session.transaction.unit_tree().units
    unit = row.unit if row.unit is not None else session.caller.unit
    team = store_new(
        session,
        session.table("team"),
        {
            "name": f"{row.id}+{template}",
            "businessunitid": Reference("businessunit", units[unit].id),
            "administratorid": session.user,
            "teamtype": TeamType.ACCESS.value,
            "isdefault": False,
            "systemmanaged": True,
            "teamtemplateid": Reference("teamtemplate", template),
            "regardingobjectid": row.reference(),
        },
    )
    set_direct(session, row, share_of(session, row, team.key), rights, team.reference(), Action.SHARE)
    return team


def _remove(session: Session, teams: Sequence[Row]) -> None:
    if teams:
        record_deletions(session, teams)
        session.transaction.delete(teams[0].table, teams)
