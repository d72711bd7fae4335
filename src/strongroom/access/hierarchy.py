"""Who is below whom (section 13): by managers, or by positions.

The answer is a number of steps for every subordinate. What the caller may do with it is the matter of
`access.planning`; which rows are a subordinate's is the matter of its teams, which the store reads for those found.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from strongroom.access.caller import SecuritySettings, Subordinate, UnitTree
from strongroom.ids import Guid, Key


@dataclass(frozen=True, slots=True)
class Person:
    """A user as the hierarchy sees it. `manager` is `parentsystemuserid`, `position` is `positionid`."""

    key: Key
    unit: Key
    manager: Key | None = None
    position: Guid | None = None
    is_disabled: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """A node of the position tree; an inactive one breaks the paths through it (SM-145)."""

    id: Guid
    parent: Guid | None
    is_active: bool = True


Reports = Mapping[Key, Sequence[Person]]
"""The users who report to a user, directly."""


@dataclass(frozen=True)
class PositionTree:
    """The active positions from the top down, and who holds each."""

    below: Mapping[Guid, Sequence[Guid]]
    holders: Mapping[Guid, Sequence[Key]]


@dataclass(frozen=True)
class People:
    """All users and positions of the environment, with names and teams by user."""

    people: Mapping[Key, Person]
    positions: Mapping[Guid, Position]
    names: Mapping[Key, tuple[Guid, str]]
    teams: Mapping[Key, Sequence[tuple[Key, bool]]]
    """Team keys, each with whether the team owns rows."""
    reports: Reports
    tree: PositionTree


def subordinates(known: People, user: Key, settings: SecuritySettings, units: UnitTree) -> tuple[Subordinate, ...]:
    """Those below `user`, nearest first, each with the principals that act for them (SM-146)."""
    levels = levels_below(user, known.people, known.positions, settings, units, known.reports, known.tree)
    found: list[Subordinate] = []
    for key, level in sorted(levels.items(), key=lambda item: (item[1], item[0])):
        identity, name = known.names[key]
        teams = known.teams.get(key, ())
        found.append(
            Subordinate(
                key,
                identity,
                name,
                level,
                owning_principals=frozenset({key, *(team for team, owns in teams if owns)}),
                sharing_principals=frozenset({key, *(team for team, _ in teams)}),
            )
        )
    return tuple(found)


def levels_below(
    me: Key,
    people: Mapping[Key, Person],
    positions: Mapping[Guid, Position],
    settings: SecuritySettings,
    units: UnitTree,
    reports: Reports | None = None,
    tree: PositionTree | None = None,
) -> dict[Key, int]:
    """The subordinates of `me` and how many steps below they are, 1 up to the configured depth; empty when hierarchy
    security is off. Loops, which the platform refuses to store (SM-149), end the walk. `reports` is
    `reports_of(people)` and `tree` is `position_tree`, for those who ask for many."""
    if not settings.hierarchy_enabled or me not in people:
        return {}
    if settings.hierarchy_by_position:
        tree = tree or position_tree(people.values(), positions)
        found = _by_position(people[me], tree, positions, settings.hierarchy_depth)
    else:
        found = _by_manager(people[me], reports or reports_of(people.values()), settings, units)
    if not settings.hierarchy_disabled_users:
        found = {key: level for key, level in found.items() if not people[key].is_disabled}
    return found


def reports_of(people: Iterable[Person]) -> Reports:
    """Who reports to whom."""
    reports: dict[Key, list[Person]] = {}
    for person in people:
        if person.manager is not None:
            reports.setdefault(person.manager, []).append(person)
    return reports


def _by_manager(me: Person, reports: Reports, settings: SecuritySettings, units: UnitTree) -> dict[Key, int]:
    """Reports, their reports, and so on (SM-141). The units of those between do not matter (SM-143, SM-148)."""
    levels: dict[Key, int] = {}
    units_of: dict[Key, Key] = {}
    row = [me]
    for level in range(1, settings.hierarchy_depth + 1):
        row = [report for manager in row for report in reports.get(manager.key, ())]
        row = [report for report in row if report.key != me.key and report.key not in levels]
        if not settings.hierarchy_disabled_users:  # SM-149: the chain ends at them
            row = [report for report in row if not report.is_disabled]
        levels.update((report.key, level) for report in row)
        units_of.update((report.key, report.unit) for report in row)
    if settings.hierarchy_same_unit and levels:
        here = units.subtree(me.unit)
        levels = {key: level for key, level in levels.items() if units_of[key] in here}
    return levels


def position_tree(people: Iterable[Person], positions: Mapping[Guid, Position]) -> PositionTree:
    """The tree without inactive positions: a path does not lead through them (SM-145)."""
    below: dict[Guid, list[Guid]] = {}
    holders: dict[Guid, list[Key]] = {}
    for position in positions.values():
        if position.is_active and position.parent is not None:
            below.setdefault(position.parent, []).append(position.id)
    for person in people:
        if person.position is not None:
            holders.setdefault(person.position, []).append(person.key)
    return PositionTree(below, holders)


def _by_position(me: Person, tree: PositionTree, positions: Mapping[Guid, Position], depth: int) -> dict[Key, int]:
    """Users whose position has mine as its k-th ancestor, through active positions only (SM-144, SM-145)."""
    mine = positions.get(me.position) if me.position is not None else None
    if mine is None or not mine.is_active:
        return {}
    found: dict[Key, int] = {}
    seen = {mine.id}
    row = [mine.id]
    for level in range(1, depth + 1):
        row = [each for above in row for each in tree.below.get(above, ()) if each not in seen]
        seen.update(row)
        for position in row:
            found.update((key, level) for key in tree.holders.get(position, ()))
    return found
