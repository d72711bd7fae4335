"""Who is below whom: SM-141 to SM-149."""

from collections.abc import Iterable

from people import CITY, NORTH, SOUTH, UNITS

from access_schema import guid
from strongroom.access.caller import SecuritySettings
from strongroom.access.hierarchy import Person, Position, levels_below
from strongroom.ids import Guid, Key

BOSS = Key(1)


def managers(*, depth: int = 3, same_unit: bool = False, disabled: bool = True) -> SecuritySettings:
    return SecuritySettings(
        hierarchy_enabled=True,
        hierarchy_depth=depth,
        hierarchy_same_unit=same_unit,
        hierarchy_disabled_users=disabled,
    )


POSITIONS = SecuritySettings(hierarchy_enabled=True, hierarchy_by_position=True)


def levels(people: Iterable[Person], settings: SecuritySettings, positions: Iterable[Position] = ()) -> dict[Key, int]:
    by_key = {person.key: person for person in people}
    return levels_below(BOSS, by_key, {position.id: position for position in positions}, settings, UNITS)


def chain(length: int, unit: Key = NORTH) -> list[Person]:
    """The boss, a report, the report's report, and so on."""
    return [Person(BOSS, unit), *(Person(Key(i + 2), unit, Key(i + 1)) for i in range(length))]


def test_reports_count_down_to_the_configured_depth() -> None:
    """SM-141."""
    assert levels(chain(4), managers(depth=3)) == {2: 1, 3: 2, 4: 3}
    assert levels(chain(4), managers(depth=1)) == {2: 1}


def test_nobody_is_below_when_hierarchy_security_is_off_or_the_caller_is_unknown() -> None:
    """SM-140."""
    assert levels(chain(2), SecuritySettings()) == {}
    assert levels(chain(2)[1:], managers()) == {}


def test_a_subordinate_must_sit_in_the_managers_unit_or_below_whatever_lies_between() -> None:
    """SM-143."""
    people = [Person(BOSS, NORTH), Person(Key(2), SOUTH, BOSS), Person(Key(3), CITY, Key(2))]

    assert levels(people, managers(same_unit=True)) == {3: 2}
    assert levels(people, managers()) == {2: 1, 3: 2}  # SM-148


def test_those_who_are_enabled_count_when_the_disabled_do_not() -> None:
    """SM-149: the switch takes away the disabled and whom only they lead to, and nobody else."""
    people = [*chain(2), Person(Key(9), NORTH, BOSS, is_disabled=True)]

    assert levels(people, managers(disabled=False)) == {2: 1, 3: 2}
    assert levels(people, managers()) == {2: 1, 3: 2, 9: 1}


def test_the_chain_ends_at_disabled_users_when_they_do_not_count() -> None:
    """SM-149."""
    people = [Person(BOSS, NORTH), Person(Key(2), NORTH, BOSS, is_disabled=True), Person(Key(3), NORTH, Key(2))]

    assert levels(people, managers()) == {2: 1, 3: 2}
    assert levels(people, managers(disabled=False)) == {}


def test_a_loop_of_managers_ends_and_nobody_is_below_themselves() -> None:
    """SM-149."""
    people = [Person(BOSS, NORTH, manager=Key(3)), *chain(2)[1:]]

    assert levels(people, managers()) == {2: 1, 3: 2}


def position(name: str, parent: str | None = None, *, active: bool = True) -> Position:
    return Position(guid(name), guid(parent) if parent else None, active)


def holder(key: int, name: str | None) -> Person:
    where: Guid | None = guid(name) if name else None
    return Person(Key(key), SOUTH, position=where)


TREE = [
    position("head"),
    position("left", "head"),
    position("right", "head"),
    position("leaf", "left"),
    position("twig", "leaf"),
]


def test_positions_reach_downwards_and_neither_sideways_nor_to_equals() -> None:
    """SM-144: managers and units do not matter."""
    people = [
        holder(1, "left"),
        holder(2, "left"),
        holder(3, "right"),
        holder(4, "leaf"),
        holder(5, "twig"),
        holder(6, "head"),
    ]

    assert levels(people, POSITIONS, TREE) == {4: 1, 5: 2}


def test_users_without_a_position_neither_see_nor_are_seen() -> None:
    """SM-145."""
    assert levels([holder(1, None), holder(2, "leaf")], POSITIONS, TREE) == {}
    assert levels([holder(1, "left"), holder(2, None)], POSITIONS, TREE) == {}


def test_an_inactive_position_breaks_the_path() -> None:
    """SM-145."""
    broken = [position("head"), position("left", "head", active=False), position("leaf", "left")]

    assert levels([holder(1, "head"), holder(2, "left"), holder(3, "leaf")], POSITIONS, broken) == {}


def test_positions_count_down_to_the_configured_depth() -> None:
    """SM-144."""
    settings = SecuritySettings(hierarchy_enabled=True, hierarchy_by_position=True, hierarchy_depth=1)

    assert levels([holder(1, "left"), holder(4, "leaf"), holder(5, "twig")], settings, TREE) == {4: 1}
