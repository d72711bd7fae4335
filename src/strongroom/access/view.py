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
from strongroom.schema.model import Ownership, Rights, Table


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

    def could_help(self, directory: Directory, team: Team) -> bool:
        """Whether belonging to a team could change the answer: by its roles, or because it owns or shares the row."""
        if team.key in self.principals:
            return True
        return team.owns_rows and any(self.matters(directory, role) for role in directory.roles_of.get(team.key, ()))

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
