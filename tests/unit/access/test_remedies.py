"""Who can own rows, and what would help against closed columns and unfit owners (SM-92, SM-93, SM-134, SM-162)."""

from dataclasses import replace

import pytest
from people import ACCOUNT, BO, CITY, CLUB, DEALS, NORTH, SCHEMA, SOUTH, facts, role, team

from access_schema import guid, schema, table
from strongroom.access.caller import AccessMode, SecurityFacts, TeamType, Unit, UnitTree
from strongroom.access.directory import Profile
from strongroom.access.ownership import unfit_owner
from strongroom.access.plan import ColumnAccess, Plan
from strongroom.access.planning import plan_for
from strongroom.access.reasons import DenialCode
from strongroom.access.remedies import makes_owner, opens_column
from strongroom.access.resolve import resolve
from strongroom.schema.model import Depth, Ownership, Rights

READ, UPDATE, CREATE = ColumnAccess.READ, ColumnAccess.UPDATE, ColumnAccess.CREATE
ALL = {("account", right): Depth.BASIC for right in (Rights.READ, Rights.WRITE, Rights.CREATE)}
CLOSED = UnitTree({NORTH: Unit(NORTH, guid("north"), "north", None, is_disabled=True)})


def member(*roles: str, **more: object) -> SecurityFacts:
    """Ada with roles that may read and write accounts."""
    return facts(*(role(name) for name in roles), privileges=dict.fromkeys(roles, ALL), **more)  # pyright: ignore[reportArgumentType]  # the keywords of `facts`


def owner_team(
    name: str, *roles: str, columns: ColumnAccess = ColumnAccess.NONE, default: bool = False
) -> SecurityFacts:
    """A team as a principal, with roles that may read accounts, and what its profiles open of `ssn`."""
    asked = team(name, DEALS, default=default)
    opened = {"account": {"ssn": columns}} if columns else {}
    return facts(*(role(each) for each in roles), privileges=dict.fromkeys(roles, ALL), team=asked, columns=opened)


# --- owners ----------------------------------------------------------------------------------------------------------


def test_who_holds_read_on_the_table_can_own_its_rows() -> None:
    """SM-92."""
    assert unfit_owner(member("seller"), ACCOUNT) is None
    assert unfit_owner(owner_team("Deals", "seller"), ACCOUNT) is None
    assert unfit_owner(facts(role("blank")), ACCOUNT) is DenialCode.OWNER_CANNOT_READ
    assert unfit_owner(owner_team("Deals"), ACCOUNT) is DenialCode.OWNER_CANNOT_READ


def test_nobody_can_own_rows_of_a_table_that_nobody_can_read() -> None:
    bare = schema([table("account", Ownership.USER, privileges={})])

    assert unfit_owner(facts(of=bare), bare.tables["account"]) is DenialCode.OWNER_CANNOT_READ
    assert makes_owner(facts(of=bare), bare.tables["account"], DenialCode.OWNER_CANNOT_READ, ()) == ()


def test_disabled_users_and_users_of_disabled_units_cannot_own() -> None:
    """SM-61, SM-93."""
    assert unfit_owner(member("seller", disabled=True), ACCOUNT) is DenialCode.OWNER_DISABLED
    assert unfit_owner(member("seller", units=CLOSED), ACCOUNT) is DenialCode.OWNER_DISABLED


def test_an_access_team_cannot_own_whatever_else_is_wrong() -> None:
    """SM-55, SM-93."""
    club = facts(team=team("Club", CLUB, TeamType.ACCESS))

    assert unfit_owner(club, ACCOUNT) is DenialCode.OWNER_IS_ACCESS_TEAM
    assert makes_owner(club, ACCOUNT, DenialCode.OWNER_IS_ACCESS_TEAM, [owner_team("Deals", "seller")]) == ()


def test_a_caller_behind_an_impersonation_owns_by_what_both_hold() -> None:
    """SM-68, SM-92."""
    real = resolve(facts(role("blank"), key=BO, name="bo"), SCHEMA, 1)
    behind = resolve(member("seller"), SCHEMA, 1, real)

    assert unfit_owner(behind.facts, ACCOUNT, behind) is DenialCode.OWNER_CANNOT_READ
    assert unfit_owner(behind.facts, ACCOUNT, resolve(member("seller"), SCHEMA, 1)) is None


def test_a_disabled_owner_is_helped_by_being_enabled_only_when_that_is_all() -> None:
    """SM-162."""
    for disabled, expected in (
        (member("seller", disabled=True), ("enable-user",)),
        (member("blank", disabled=True, units=CLOSED), ()),
        (facts(role("blank"), disabled=True), ()),
    ):
        assert makes_owner(disabled, ACCOUNT, DenialCode.OWNER_DISABLED, [owner_team("Deals", "seller")]) == expected


def test_an_owner_who_cannot_read_is_helped_by_the_least_depth_or_a_team_that_can() -> None:
    """SM-162: default teams aside, and teams that bring nothing."""
    teams = [
        owner_team("Deals", "seller"),
        owner_team("Empty"),
        owner_team("Default", "seller", default=True),
    ]

    found = makes_owner(facts(role("blank")), ACCOUNT, DenialCode.OWNER_CANNOT_READ, teams)

    assert found == ("privilege:Basic", "team:Deals")
    land = schema([table("land", Ownership.ORGANIZATION)]).tables["land"]
    assert makes_owner(facts(role("blank")), land, DenialCode.OWNER_CANNOT_READ, ()) == ("privilege:Global",)


def test_an_owner_whose_access_mode_takes_read_away_is_helped_by_nothing() -> None:
    """SM-63."""
    clerk = member("seller", mode=AccessMode.ADMINISTRATIVE)

    assert unfit_owner(clerk, ACCOUNT) is DenialCode.OWNER_CANNOT_READ
    assert makes_owner(clerk, ACCOUNT, DenialCode.OWNER_CANNOT_READ, [owner_team("Deals", "seller")]) == ()


# --- columns ---------------------------------------------------------------------------------------------------------


def plan_of(asked: SecurityFacts, right: Rights) -> Plan:
    return plan_for(resolve(asked, SCHEMA, 0), ACCOUNT, right)


def profile(name: str, access: ColumnAccess) -> Profile:
    return Profile(guid(name), name, {"account": {"ssn": access}})


@pytest.mark.parametrize(
    ("right", "expected"),
    [
        (Rights.READ, ("profile:Reading", "value-share", "team:Readers")),
        (Rights.WRITE, ("profile:Writing", "value-share", "team:Writers")),
        (Rights.CREATE, ("profile:Writing", "team:Writers")),
    ],
)
def test_a_closed_column_is_opened_by_profiles_values_and_teams_that_open_it(
    right: Rights, expected: tuple[str, ...]
) -> None:
    """SM-131, SM-134, SM-162: a value can only be shared of a row that exists."""
    ada = member("seller")
    profiles = [profile("Reading", READ), profile("Writing", UPDATE | CREATE)]
    teams = [
        owner_team("Readers", columns=READ),
        replace(owner_team("Writers", columns=UPDATE | CREATE), team=team("Writers", CLUB)),
    ]

    found = opens_column(ada, SCHEMA, plan_of(ada, right), "ssn", profiles=profiles, teams=teams)

    assert found == expected


def test_what_profiles_open_already_adds_up_with_what_is_proposed() -> None:
    """SM-131: profiles add up, and other columns keep what they have."""
    ada = member("seller", columns={"account": {"ssn": CREATE}})

    found = opens_column(ada, SCHEMA, plan_of(ada, Rights.READ), "ssn", profiles=[profile("R", READ)], teams=[])

    assert found == ("profile:R", "value-share")


def test_an_access_team_is_proposed_no_profile_because_it_can_hold_none() -> None:
    """SM-55; a value can be shared with a team of any type (SM-134)."""
    club = replace(member("seller"), is_team=True, team=team("Club", CLUB, TeamType.ACCESS))
    deals = replace(member("seller"), is_team=True, team=team("Deals", DEALS))
    profiles = [profile("R", READ)]

    for asked, expected in ((club, ("value-share",)), (deals, ("profile:R", "value-share"))):
        plan = plan_of(asked, Rights.READ)
        assert opens_column(asked, SCHEMA, plan, "ssn", profiles=profiles, teams=[]) == expected


def test_units_play_no_part_in_columns() -> None:
    """SM-131."""
    for unit in (NORTH, CITY, SOUTH):
        ada = member("seller", unit=unit)
        assert opens_column(ada, SCHEMA, plan_of(ada, Rights.READ), "ssn", profiles=[], teams=[]) == ("value-share",)
