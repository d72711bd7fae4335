"""Who has a right on a row: `explain` turned round, for thousands of users in one go (SM-164).

The answer is the decision procedure's, user by user. What makes it quick is that most of what is known of a user has
no bearing on one row and one right. A *view* of the question keeps what has: the roles that hold one of the two
privileges that count (the right's own, and Read for hierarchy security), and the teams that hold such a role, own the
row or have a share on it. Users of whom the same is left, and to whom the row does not belong and is not shared, and
who are above nobody who has anything to do with it, get the same answer, so it is worked out for one of them.

Example: 2,000 users, of whom 1,900 hold *Seller* in one of twelve units and 40 also belong to the team that owns the
row. Twelve plans are made for the many, a few more for the members of the team, one for the owner's manager.

A property test holds the answer against `explain` for every user of random worlds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from strongroom.access.caller import AccessMode, SecurityFacts
from strongroom.access.check import SecuredRow
from strongroom.access.directory import Directory, User
from strongroom.access.explain import Question, decide
from strongroom.access.plan import Reason
from strongroom.access.resolve import resolve
from strongroom.access.view import View, reaching_roles, view_of
from strongroom.ids import Guid, Key
from strongroom.schema.model import Rights, Schema


@dataclass(frozen=True, slots=True)
class Access:
    """One user who has the right, with every reason."""

    user: User
    reasons: tuple[Reason, ...]


def who_can(directory: Directory, schema: Schema, question: Question) -> list[Access]:
    """Every user who has the right, with all reasons, in the order of their keys. A row that does not exist (`row` is
    None) is nobody's."""
    row = question.row
    if row is None:
        return []
    view = view_of(question.table, question.right, row)
    if view is None:
        return [
            Access(user, reasons)
            for user in directory.users.values()
            if (reasons := _reasons(directory.facts_of(user.key), schema, question))
        ]
    apart = view.principals | _above(directory, question.right, row)
    groups = _Groups(directory, view, question, row)
    found: list[Access] = []
    answers: dict[Group, tuple[Reason, ...]] = {}
    for user in directory.users.values():
        if user.key in apart:
            reasons = _reasons(view.of(directory.facts_of(user.key)), schema, question)
        else:
            group = groups.of(user)
            if group is None:
                continue
            known = answers.get(group)
            if known is None:
                known = answers[group] = _reasons(groups.facts(user, group), schema, question)
            reasons = known
        if reasons:
            found.append(Access(user, reasons))
    return found


Group = tuple[bool, AccessMode, tuple[Guid, ...], tuple[Key, ...]]
"""What is left of a user in the view: disabled or not, access mode, roles held directly, teams."""


class _Groups:
    """Users by what is left of them. Those whom no role could bring to the unit of the row, and no team to its owner
    or its shares, are left out at once."""

    def __init__(self, directory: Directory, view: View, question: Question, row: SecuredRow) -> None:
        self._directory = directory
        self._roles = frozenset(role for role in directory.roles if view.matters(directory, role))
        reaching = reaching_roles(directory, question.table, question.right, row)
        self._reaching = self._roles & reaching
        owners = [team.key for team in directory.teams.values() if team.owns_rows]
        held = {team: frozenset(directory.roles_of.get(team, ())) for team in owners}
        involved = view.principals & directory.teams.keys()
        self._teams = frozenset({team for team, roles in held.items() if roles & self._roles} | involved)
        self._ways = frozenset({team for team, roles in held.items() if roles & reaching} | involved)
        disabled = {unit for unit in directory.units.units if directory.units.is_disabled(unit)}
        self._disabled = frozenset(disabled)

    def of(self, user: User) -> Group | None:
        """The group of a user; None for one who has no way to the row."""
        directory = self._directory
        held = directory.roles_of.get(user.key, ())
        teams = directory.teams_of.get(user.key, ())
        if self._reaching.isdisjoint(held) and self._ways.isdisjoint(teams):
            return None
        return (
            user.is_disabled or user.unit in self._disabled,
            user.access_mode,
            tuple([role for role in held if role in self._roles]),
            tuple([team for team in teams if team in self._teams]),
        )

    def facts(self, user: User, group: Group) -> SecurityFacts:
        """The facts of one of a group, as far as they go."""
        _, _, roles, teams = group
        return self._directory.narrowed(user, roles, teams)


def _reasons(facts: SecurityFacts, schema: Schema, question: Question) -> tuple[Reason, ...]:
    reasons, _ = decide(resolve(facts, schema, 0), question)
    return reasons


def _above(directory: Directory, right: Rights, row: SecuredRow) -> set[Key]:
    """Users who may be above somebody to whom the row belongs or is shared: their hierarchy has to be looked at."""
    settings = directory.settings
    if not settings.hierarchy_enabled:
        return set()
    principals = [share.principal for share in row.shares if right in share.direct]
    if row.owner is not None:
        principals.append(row.owner)
    acting = _acting(directory, principals)
    if settings.hierarchy_by_position:
        return _holders_of_positions_above(directory, acting)
    found: set[Key] = set()
    for _ in range(settings.hierarchy_depth):
        acting = {
            manager for key in acting if (manager := directory.users[key].manager) is not None and manager not in found
        }
        found |= acting
    return found


def _acting(directory: Directory, principals: Sequence[Key]) -> set[Key]:
    """The users behind users and teams."""
    found: set[Key] = set()
    for principal in principals:
        if principal in directory.users:
            found.add(principal)
        else:
            found.update(directory.members_of.get(principal, ()))
    return found


def _holders_of_positions_above(directory: Directory, acting: Iterable[Key]) -> set[Key]:
    above: set[Guid] = set()
    for start in {directory.users[key].position for key in acting}:
        position = directory.positions.get(start) if start is not None else None
        for _ in range(directory.settings.hierarchy_depth):
            position = None if position is None or position.parent is None else directory.positions.get(position.parent)
            if position is not None:
                above.add(position.id)
    return {user.key for user in directory.users.values() if user.position in above}
