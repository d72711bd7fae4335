"""What bears on one row and one right: roles that reach it, teams that would help, and facts cut down (SM-162)."""

from dataclasses import dataclass, replace

import pytest
from people import ACCOUNT, ADA, BO, CITY, CY, NORTH, PRODUCT, ROOT, SOUTH, UNITS, facts, role, team

from access_schema import guid
from strongroom.access.caller import (
    SYSTEM_ADMINISTRATOR_TEMPLATE,
    HeldRole,
    Role,
    SecuritySettings,
    Subordinate,
    Team,
    TeamType,
)
from strongroom.access.check import SecuredRow
from strongroom.access.directory import Directory, User
from strongroom.access.view import helpful_teams, reaching_roles, view_of
from strongroom.ids import Guid, Key
from strongroom.schema.model import Depth, Rights

READ, WRITE = Rights.READ, Rights.WRITE
PRIVILEGE = ACCOUNT.privileges[READ].id
HERE = SecuredRow(BO, CITY)
"""A row of Bo in city, which is below north."""

DEPTHS = {
    "global": (Depth.GLOBAL, SOUTH),
    "deep here": (Depth.DEEP, CITY),
    "deep above": (Depth.DEEP, NORTH),
    "deep elsewhere": (Depth.DEEP, SOUTH),
    "local here": (Depth.LOCAL, CITY),
    "local above": (Depth.LOCAL, NORTH),
    "basic here": (Depth.BASIC, CITY),
}
REACHING = ["global", "deep here", "deep above", "local here"]


@dataclass(frozen=True)
class Share:
    """A share as security sees it."""

    principal: Key
    direct: Rights
    inherited: Rights = Rights.NONE


def copy(name: str, unit: Key, template: Guid | None = None) -> Role:
    return Role(guid(f"{name} in {unit}"), guid(name), name, unit, True, template)


ROLES = {name: copy(name, unit) for name, (_, unit) in DEPTHS.items()} | {
    "boss": copy("boss", ROOT, SYSTEM_ADMINISTRATOR_TEMPLATE),
    "other": copy("other", CITY),
    "unknown": copy("unknown", CITY),
}
PRIVILEGES = {guid(name): {PRIVILEGE: depth} for name, (depth, _) in DEPTHS.items()} | {
    guid("other"): {ACCOUNT.privileges[Rights.DELETE].id: Depth.GLOBAL},
}


def directory(*more: Team) -> Directory:
    """One owner team for each role, which holds that role alone, and `more` teams without any."""
    teams = {Key(100 + place): team(name, Key(100 + place)) for place, name in enumerate(ROLES)}
    held = {key: (ROLES[each.name].id,) for key, each in teams.items()}
    return Directory(
        units=UNITS,
        settings=SecuritySettings(),
        users={key: User(key, guid(str(key)), str(key), NORTH) for key in (ADA, BO, CY)},
        teams={**teams, **{each.key: each for each in more}},
        team_directory_ids={},
        teams_of={},
        roles={each.id: each for each in ROLES.values()},
        roles_of=held,
        privileges=PRIVILEGES,
        origins={},
    )


def names(teams: list[Team]) -> list[str]:
    return [each.name for each in teams]


def test_roles_reach_a_row_by_depth_and_unit_and_administrators_always() -> None:
    """SM-32 to SM-35, SM-64."""
    here = directory()

    found = reaching_roles(here, ACCOUNT, READ, HERE)

    assert {here.roles[each].name for each in found} == {*REACHING, "boss"}
    assert {here.roles[each].name for each in reaching_roles(here, ACCOUNT, WRITE, HERE)} == {"boss"}
    assert {here.roles[each].name for each in reaching_roles(here, PRODUCT, Rights.SHARE, HERE)} == {"boss"}
    nowhere = reaching_roles(here, ACCOUNT, READ, SecuredRow(None, None))
    assert {here.roles[each].name for each in nowhere} == {"global", "boss"}


def test_who_has_no_way_to_a_row_is_helped_by_teams_that_bring_one() -> None:
    """SM-162: by their roles, by owning the row, or by a share on it; a team that only owns other things does not."""
    owner, club = team("Owner", Key(50)), team("Club", Key(51), TeamType.ACCESS)
    here = directory(owner, club, team("Idle", Key(52)))
    row = SecuredRow(owner.key, CITY, [Share(club.key, READ)])

    assert names(helpful_teams(here, facts(), ACCOUNT, READ, row)) == [*REACHING, "boss", "Owner", "Club"]
    assert names(helpful_teams(here, facts(), ACCOUNT, READ, HERE)) == [*REACHING, "boss"]


@pytest.mark.parametrize(
    ("row", "teams", "below"),
    [
        (SecuredRow(ADA, CITY), (), ()),
        (SecuredRow(BO, CITY, [Share(ADA, READ)]), (), ()),
        (SecuredRow(Key(60), CITY), (team("Mine", Key(60)),), ()),
        (SecuredRow(CY, CITY), (), (Subordinate(CY, guid("cy"), "cy", 1, frozenset({CY}), frozenset({CY})),)),
        (
            SecuredRow(BO, CITY, [Share(Key(61), READ)]),
            (),
            (Subordinate(CY, guid("cy"), "cy", 1, frozenset({CY}), frozenset({CY, Key(61)})),),
        ),
    ],
)
def test_who_has_a_way_may_only_lack_the_privilege_which_any_role_brings(
    row: SecuredRow, teams: tuple[Team, ...], below: tuple[Subordinate, ...]
) -> None:
    """SM-162: owning the row, a share, or being above somebody; Basic is enough then."""
    here = directory(*teams)

    found = names(helpful_teams(here, facts(teams=teams, subordinates=below), ACCOUNT, READ, row))

    assert found == [*DEPTHS, "boss", *(each.name for each in teams)]


def test_an_access_team_brings_nothing_but_its_shares() -> None:
    """SM-54: even if roles were found on it."""
    here = directory()
    odd = {key: replace(each, type=TeamType.ACCESS) for key, each in here.teams.items()}

    assert helpful_teams(replace(here, teams=odd), facts(), ACCOUNT, READ, HERE) == []


def test_a_view_keeps_the_two_privileges_that_count_and_one_role_at_least() -> None:
    """SM-62, SM-140: Read comes along because hierarchy security asks for it."""
    view = view_of(ACCOUNT, WRITE, SecuredRow(BO, CITY, [Share(CY, READ)]))
    assert view is not None
    both = {("account", each): Depth.BASIC for each in (READ, WRITE, Rights.DELETE)}
    seller, blank, boss = role("seller"), role("blank"), role("administrator", ROOT)
    given = {"seller": both, "blank": {("account", Rights.DELETE): Depth.BASIC}}

    cut = view.of(facts(blank, seller, boss, privileges=given))
    bare = view.of(facts(blank, privileges=given))

    assert (view.principals, view.privileges) == (
        {BO, CY},
        {PRIVILEGE, ACCOUNT.privileges[WRITE].id},
    )
    assert cut.roles == (seller, boss)
    assert cut.role_privileges == {
        guid("seller"): {PRIVILEGE: Depth.BASIC, ACCOUNT.privileges[WRITE].id: Depth.BASIC},
        guid("administrator"): {},
    }
    assert (bare.roles, bare.role_privileges) == ((blank,), {})
    assert view.of(facts(blank, role("blank", CITY), privileges=given)).roles == (blank,)
    assert view.of(facts()).roles == ()
    here = directory()
    matters = {each.name for each in here.roles.values() if view.matters(here, each.id)}
    assert matters == {*DEPTHS, "boss"}


def test_a_view_of_a_row_without_owner_has_nobody_apart() -> None:
    view = view_of(PRODUCT, READ, SecuredRow(None, None))

    assert view is not None
    assert view.principals == frozenset()
    assert view_of(PRODUCT, Rights.SHARE, SecuredRow(None, None)) == replace(
        view, privileges=frozenset({PRODUCT.privileges[READ].id})
    )


def test_a_role_held_through_a_team_is_kept_with_its_team() -> None:
    deals = team("Deals", Key(11))
    held = HeldRole(role("seller").role, deals)
    view = view_of(ACCOUNT, READ, HERE)
    assert view is not None

    assert view.of(facts(held, privileges={"seller": {("account", READ): Depth.LOCAL}})).roles == (held,)


def test_a_team_whose_role_holds_the_right_itself_helps_who_has_a_way() -> None:
    """SM-162: without Read, which hierarchy security alone would ask for."""
    write = {guid("other"): {ACCOUNT.privileges[WRITE].id: Depth.BASIC}}
    here = replace(directory(), privileges=write)

    assert names(helpful_teams(here, facts(), ACCOUNT, WRITE, SecuredRow(ADA, CITY))) == ["boss", "other"]
