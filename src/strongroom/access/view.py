"""What bears on one row and one right, of all that is known of a principal.

A user has hundreds of privileges and may be in dozens of teams; a question about one row hangs on a few of them: the
roles that hold one of the two privileges that count (the right's own, and Read for hierarchy security), and the teams
that own the row or have a share on it. Resolving facts that a view has cut down costs microseconds.
"""

from dataclasses import dataclass, replace

from strongroom.access.caller import SYSTEM_ADMINISTRATOR_TEMPLATE, HeldRole, SecurityFacts, Team
from strongroom.access.check import SecuredRow
from strongroom.access.directory import Directory
from strongroom.ids import Guid, Key
from strongroom.schema.model import Depth, Ownership, Rights, Table


@dataclass(frozen=True, slots=True)
class View:
    """What matters of users and teams for one row and one right."""

    privileges: frozenset[Guid]
    principals: frozenset[Key]
    """The owner of the row, and everybody with a share on it."""

    def matters(self, directory: Directory, role: Guid) -> bool:
        """Whether a role copy could change the answer."""
        held = directory.roles[role]
        return held.template_id == SYSTEM_ADMINISTRATOR_TEMPLATE or not self.privileges.isdisjoint(
            directory.privileges.get(held.root_id, ())
        )

    def of(self, facts: SecurityFacts) -> SecurityFacts:
        """`facts` without what has no bearing on the question. Somebody with roles keeps one: see SM-62."""
        roles = tuple(held for held in facts.roles if self._holds(facts, held))
        return replace(
            facts,
            roles=roles or facts.roles[:1],
            role_privileges={
                held.role.root_id: {
                    privilege: depth
                    for privilege, depth in facts.role_privileges.get(held.role.root_id, {}).items()
                    if privilege in self.privileges
                }
                for held in roles
            },
        )

    def _holds(self, facts: SecurityFacts, held: HeldRole) -> bool:
        return held.role.template_id == SYSTEM_ADMINISTRATOR_TEMPLATE or not self.privileges.isdisjoint(
            facts.role_privileges.get(held.role.root_id, ())
        )


def view_of(table: Table, right: Rights, row: SecuredRow) -> View | None:
    """The view of a question; None when the access to the row hangs on other rows, so that anything may matter."""
    if table.ownership is Ownership.NONE:
        return None
    privileges = {table.privileges[each].id for each in (right, Rights.READ) if each in table.privileges}
    principals = {share.principal for share in row.shares}
    if row.owner is not None:
        principals.add(row.owner)
    return View(frozenset(privileges), frozenset(principals))


def reaching_roles(directory: Directory, table: Table, right: Rights, row: SecuredRow) -> frozenset[Guid]:
    """Role copies whose depth could bring somebody to the row without owning it (SM-32 to SM-35). It leaves out nobody
    who has access: what a role really gives is for the plan to say."""
    privilege = table.privileges.get(right)
    above = frozenset[Key]()
    if row.unit is not None:
        above = frozenset(unit.key for unit in directory.units.path_to_root(row.unit))
    found: set[Guid] = set()
    for role in directory.roles.values():
        depth = None if privilege is None else directory.privileges.get(role.root_id, {}).get(privilege.id)
        reaches = (
            role.template_id == SYSTEM_ADMINISTRATOR_TEMPLATE
            or depth is Depth.GLOBAL
            or (depth is Depth.DEEP and role.unit in above)
            or (depth is Depth.LOCAL and role.unit == row.unit)
        )
        if reaches:
            found.add(role.id)
    return frozenset(found)


def helpful_teams(
    directory: Directory, facts: SecurityFacts, table: Table, right: Rights, row: SecuredRow
) -> list[Team]:
    """The teams that could give a user access by being joined; whether they do is for `explain` to try (SM-162).

    Somebody who has a way to the row already (owns it, has a share, is above one who does) may only lack the
    privilege, which any role of a team brings. Everybody else needs a team that brings a way.
    """
    view = view_of(table, right, row)
    if view is None:
        return list(directory.teams.values())
    mine = {facts.key, *(team.key for team in facts.teams)}
    for below in facts.subordinates:
        mine |= below.owning_principals | below.sharing_principals
    if mine.isdisjoint(view.principals):
        roles = reaching_roles(directory, table, right, row)
    else:
        roles = frozenset(role for role in directory.roles if view.matters(directory, role))
    return [
        team
        for team in directory.teams.values()
        if team.key in view.principals
        or (team.owns_rows and not roles.isdisjoint(directory.roles_of.get(team.key, ())))
    ]
