"""What changes do to rows, and how their difference is counted: lots, shares, rows counted once (SM-25 to SM-28)."""

from dataclasses import dataclass, replace

import pytest
from people import ACCOUNT, ADA, BO, CITY, CY, DEALS, NORTH, ROOT, SCHEMA, SOUTH, UNITS, role, team

from access_schema import column, guid, schema, table
from strongroom.access.caller import AccessMode, Role, SecuritySettings, Subordinate, TeamType, UnitTree
from strongroom.access.changes import (
    Effects,
    Membership,
    PrincipalMoved,
    ProfileColumns,
    RoleHeld,
    RolePrivileges,
    UnitMoved,
    applied,
    effects,
)
from strongroom.access.difference import NO_REACH, Part, Seen, columns, compare, reaches, same
from strongroom.access.directory import Directory, Profile, User
from strongroom.access.ground import Ground, Lot, Shares, lots_of
from strongroom.access.plan import ColumnAccess, Reach
from strongroom.errors import IntegrityViolation
from strongroom.ids import Guid, Key
from strongroom.schema.model import ColumnType, Depth, Ownership, Rights

READ_ACCOUNT = ACCOUNT.privileges[Rights.READ].id
SELLER = Role(guid("seller in north"), guid("seller"), "seller", NORTH)
LOW = Role(guid("low in city"), guid("low"), "low", CITY)
AT_NORTH, AT_CITY = team("North", Key(21), unit=NORTH, default=True), team("City", Key(22), unit=CITY, default=True)
MOVER = Role(guid("boss in south"), guid("boss"), "boss", SOUTH)


@dataclass(frozen=True)
class Shared:
    """A share with the row that it is on."""

    row: Key
    id: Guid
    principal: Key
    direct: Rights
    inherited: Rights = Rights.NONE
    owner: Key = BO
    unit: Key = SOUTH


def directory(settings: SecuritySettings | None = None) -> Directory:
    """Ada of north sells; Bo of city holds a role that begins at north, and one of city itself."""
    seller_at_city = replace(SELLER, id=guid("seller in city"), unit=CITY)
    return Directory(
        units=UNITS,
        settings=settings or SecuritySettings(),
        users={
            ADA: User(ADA, guid("ada"), "ada", NORTH),
            BO: User(BO, guid("bo"), "bo", CITY),
            CY: User(CY, guid("cy"), "cy", SOUTH, is_disabled=True),
        },
        teams={each.key: each for each in (team("Deals", DEALS), AT_NORTH, AT_CITY)},
        team_directory_ids={},
        teams_of={ADA: (AT_NORTH.key,), BO: (AT_CITY.key,)},
        roles={each.id: each for each in (SELLER, seller_at_city, LOW)},
        roles_of={ADA: (SELLER.id,), BO: (seller_at_city.id, LOW.id), DEALS: (SELLER.id,)},
        privileges={SELLER.root_id: {READ_ACCOUNT: Depth.LOCAL}, LOW.root_id: {}},
        origins={SELLER.root_id: NORTH, LOW.root_id: CITY, guid("top"): ROOT},
        profiles={guid("p"): Profile(guid("p"), "p", {"account": {"ssn": ColumnAccess.READ}})},
        profiles_of={ADA: frozenset({guid("p")})},
    )


# --- changes and their effects --------------------------------------------------------------------------------------


def test_a_user_that_moves_changes_default_teams_and_loses_direct_roles() -> None:
    """SM-26, SM-53."""
    moved = applied(directory(), PrincipalMoved(ADA, CITY))

    assert (moved.users[ADA].unit, moved.teams_of[ADA], moved.roles_of[ADA]) == (CITY, (AT_CITY.key,), ())
    assert moved.roles_of[BO] == directory().roles_of[BO]


def test_a_team_that_moves_loses_its_roles_and_keeps_its_members() -> None:
    """SM-26."""
    moved = applied(directory(), PrincipalMoved(DEALS, SOUTH))

    assert (moved.teams[DEALS].unit, moved.roles_of[DEALS], moved.teams_of) == (SOUTH, (), directory().teams_of)


@pytest.mark.parametrize(
    ("matrix", "keeps", "roles"), [(True, True, (SELLER.id,)), (True, False, ()), (False, True, ())]
)
def test_roles_stay_with_who_moves_only_with_matrix_access_and_the_switch(
    matrix: bool, keeps: bool, roles: tuple[Guid, ...]
) -> None:
    """SM-26."""
    here = directory(SecuritySettings(matrix_access=matrix, keep_roles_on_unit_change=keeps))

    assert applied(here, PrincipalMoved(ADA, CITY)).roles_of[ADA] == roles


def test_who_stays_where_it_is_changes_nothing() -> None:
    here = directory()

    assert applied(here, PrincipalMoved(ADA, NORTH)) is here
    assert effects(here, PrincipalMoved(ADA, NORTH)) == Effects()
    assert effects(here, PrincipalMoved(DEALS, NORTH)) == Effects()
    assert Effects().is_nothing


@pytest.mark.parametrize(
    ("matrix", "always", "follow"),
    [(False, True, True), (False, False, True), (True, True, True), (True, False, False)],
)
def test_rows_follow_who_owns_them_unless_matrix_access_leaves_them(matrix: bool, always: bool, follow: bool) -> None:
    """SM-27; the user's own row always goes."""
    found = effects(
        directory(SecuritySettings(matrix_access=matrix, always_move_record=always)), PrincipalMoved(ADA, CITY)
    )

    assert found == Effects(possessions={ADA: CITY} if follow else {}, principals={ADA: CITY})
    assert not found.is_nothing


def test_a_unit_that_moves_loses_copies_of_what_is_no_longer_above_it_and_gets_others() -> None:
    """SM-28: what is the unit's own stays, and so does what is above both places."""
    here = directory()

    moved, found = applied(here, UnitMoved(CITY, SOUTH)), effects(here, UnitMoved(CITY, SOUTH))

    assert moved.roles_of[BO] == (LOW.id,)
    assert moved.roles_of[ADA] == (SELLER.id,)
    assert moved.units.units[CITY].parent == SOUTH
    assert found == Effects(roles_gone={CITY: 1}, roles_new={})
    assert effects(replace(here, origins={MOVER.root_id: SOUTH}), UnitMoved(CITY, SOUTH)) == Effects(
        roles_new={CITY: 1}
    )


def test_nobody_joins_or_holds_anything_twice() -> None:
    here = directory()

    joined = applied(applied(here, Membership(DEALS, ADA, True)), Membership(DEALS, ADA, True))
    held = applied(here, RoleHeld(ADA, SELLER, True))

    assert joined.teams_of[ADA] == (DEALS, AT_NORTH.key)
    assert held.roles_of[ADA] == (SELLER.id,)
    assert applied(joined, Membership(DEALS, ADA, False)).teams_of[ADA] == (AT_NORTH.key,)
    assert applied(here, RoleHeld(CY, LOW, True)).roles_of[CY] == (LOW.id,)


def test_a_change_of_a_profile_is_told_column_by_column_for_whom_it_reaches() -> None:
    """SM-131."""
    here = directory()
    later = applied(here, ProfileColumns(guid("p"), {"account": {"ssn": ColumnAccess.UPDATE}}))

    (found,) = columns(here, later, SCHEMA)

    assert (found.user.name, found.table, found.column) == ("ada", "account", "ssn")
    assert (found.before, found.after) == (ColumnAccess.READ, ColumnAccess.UPDATE)
    assert here.profiles[guid("p")].columns == {"account": {"ssn": ColumnAccess.READ}}
    bare = schema([table("plain", columns=[column("note")])])
    assert columns(here, later, bare) == []


# --- lots -----------------------------------------------------------------------------------------------------------


def test_lots_go_along_with_their_owner_and_principals_with_themselves() -> None:
    """SM-27."""
    moves = Effects(possessions={ADA: CITY}, principals={BO: SOUTH})
    counts: dict[tuple[int, int], int] = {(ADA, NORTH): 4, (BO, CITY): 2, (0, SOUTH): 1}

    assert lots_of(ACCOUNT, counts, moves) == [
        Lot(4, (ADA, NORTH), (ADA, CITY)),
        Lot(2, (BO, CITY), (BO, CITY)),
        Lot(1, (0, SOUTH), (0, SOUTH)),
    ]
    for name in ("systemuser", "team"):
        assert lots_of(SCHEMA.tables[name], {(BO, CITY): 1}, moves) == [Lot(1, (BO, CITY), (BO, SOUTH))]


def test_role_copies_come_and_go_in_lots_of_their_own() -> None:
    """SM-28."""
    found = lots_of(
        SCHEMA.tables["role"], {(0, CITY): 5, (0, NORTH): 7}, Effects(roles_gone={CITY: 2}, roles_new={CITY: 3})
    )

    assert found == [
        Lot(3, (0, CITY), (0, CITY)),
        Lot(7, (0, NORTH), (0, NORTH)),
        Lot(2, (0, CITY), None),
        Lot(3, None, (0, CITY)),
    ]
    ground = Ground(found, [], [], Rights.READ)
    assert ground.thinned == {(0, CITY)}
    everything = Reach(True, frozenset(), frozenset(), frozenset(), frozenset(), ())
    assert ground.size(ground.before.reached(everything)) == 12
    assert ground.size(ground.after.reached(everything)) == 13


def test_counters_that_do_not_know_a_shared_row_stop_the_count() -> None:
    """An invariant of ours is broken: stop, never guess."""
    with pytest.raises(
        IntegrityViolation, match=r"^The counters do not know the owner and unit of a row that is shared\.$"
    ):
        Ground([Lot(1, (ADA, NORTH), (ADA, NORTH))], [Shared(Key(1), guid("x"), CY, Rights.READ)], [], Rights.READ)


# --- differences ----------------------------------------------------------------------------------------------------


def reach(*owners: Key, shared: frozenset[int] = frozenset(), directly: frozenset[int] = frozenset()) -> Reach:
    return Reach(False, frozenset(owners), frozenset(), shared, directly, ())


ADA_USER, BO_USER = (User(key, guid(str(key)), str(key), NORTH) for key in (ADA, BO))
LOTS = [Lot(10, (ADA, NORTH), (ADA, NORTH)), Lot(7, (BO, SOUTH), (BO, SOUTH))]


def test_a_lot_that_is_gained_counts_without_the_rows_that_were_shared_before() -> None:
    shares = [Shared(Key(1), guid("x"), CY, Rights.READ), Shared(Key(2), guid("y"), CY, Rights.WRITE)]
    ground = Ground(LOTS, shares, shares, Rights.READ)
    before, after = reach(shared=frozenset({CY})), reach(BO, shared=frozenset({CY}))

    gaining, losing = (compare(ground, [Seen(ADA_USER, *sides)]) for sides in ((before, after), (after, before)))

    assert [(each.gained, each.lost) for each in gaining.users] == [(6, 0)]
    assert (gaining.gained.count(ground), gaining.lost.count(ground)) == (6, 0)
    assert [(each.gained, each.lost) for each in losing.users] == [(0, 6)]
    assert (losing.gained.count(ground), losing.lost.count(ground)) == (0, 6)


def test_shared_rows_that_come_and_go_count_one_by_one_outside_of_the_lots() -> None:
    """A right in the inherited mask counts for shares of both masks, and not for direct ones."""
    x = Shared(Key(1), guid("x"), CY, Rights.READ)
    y = Shared(Key(2), guid("y"), CY, Rights.NONE, Rights.READ)
    own = Shared(Key(3), guid("z"), CY, Rights.READ, owner=ADA, unit=NORTH)
    ground = Ground(LOTS, [x, own], [x, y, own], Rights.READ)
    by_either, by_direct = (reach(ADA, **{kind: frozenset({CY})}) for kind in ("shared", "directly"))

    either = compare(ground, [Seen(ADA_USER, by_either, by_either)])
    direct = compare(ground, [Seen(ADA_USER, by_direct, by_direct)])
    lost = compare(ground, [Seen(ADA_USER, by_direct, reach(ADA))])

    assert [(each.gained, each.lost) for each in either.users] == [(1, 0)]
    assert list(either.gained.singles) == [Key(2)]
    assert direct.users == ()
    assert [(each.gained, each.lost) for each in lost.users] == [(0, 1)]


def test_a_row_that_two_users_gain_counts_once() -> None:
    shares = [Shared(Key(1), guid("x"), CY, Rights.READ), Shared(Key(2), guid("y"), CY, Rights.READ)]
    ground = Ground(LOTS, shares, shares, Rights.READ)

    by_lot = compare(ground, [Seen(each, NO_REACH, reach(BO)) for each in (ADA_USER, BO_USER)])
    by_share = compare(ground, [Seen(each, NO_REACH, reach(shared=frozenset({CY}))) for each in (ADA_USER, BO_USER)])
    by_both = compare(
        ground,
        [
            Seen(ADA_USER, reach(shared=frozenset({CY})), reach(BO, shared=frozenset({CY}))),
            Seen(BO_USER, NO_REACH, reach(shared=frozenset({CY}))),
        ],
    )

    assert (by_lot.gained.count(ground), by_lot.gained.first) == (7, {1: ADA_USER})
    assert (by_share.gained.count(ground), by_share.gained.singles) == (2, {Key(1): ADA_USER, Key(2): ADA_USER})
    assert by_both.gained.count(ground) == 7, "Bo gains the two that Ada had, Ada the five others"
    assert [each.gained for each in by_both.users] == [5, 2]


def test_a_row_that_one_gains_by_share_and_another_with_its_lot_counts_once() -> None:
    shares = [
        Shared(Key(1), guid("x"), CY, Rights.READ),
        Shared(Key(2), guid("y"), CY, Rights.READ, owner=ADA, unit=NORTH),
    ]
    ground = Ground(LOTS, shares, shares, Rights.READ)

    found = compare(
        ground, [Seen(ADA_USER, NO_REACH, reach(BO)), Seen(BO_USER, NO_REACH, reach(shared=frozenset({CY})))]
    )

    assert [each.gained for each in found.users] == [7, 2]
    assert found.gained.count(ground) == 8, "the lot of seven, and one row of another lot"
    assert [found.gained.is_single(ground, Key(row)) for row in (1, 2)] == [False, True]


def test_what_one_user_had_by_share_another_gains_with_the_lot() -> None:
    part = Part()
    part.add(ADA_USER, frozenset({1}), [(1, Key(1)), (1, Key(2))], [])
    part.add(BO_USER, frozenset({1}), [(1, Key(2)), (1, Key(3))], [])
    ground = Ground(LOTS, [], [], Rights.READ)

    assert (part.lots, part.first, part.count(ground)) == ({1: frozenset({Key(2)})}, {1: ADA_USER}, 6)

    part.add(BO_USER, frozenset({1}), [], [])
    part.add(ADA_USER, frozenset({1}), [(1, Key(1))], [])

    assert (part.lots, part.count(ground)) == ({1: frozenset()}, 7)


def test_users_whose_reach_stays_are_looked_at_only_where_rows_move() -> None:
    here = directory()
    later = applied(here, RolePrivileges(SELLER.root_id, {READ_ACCOUNT: Depth.DEEP}))

    changed = reaches(here, later, SCHEMA, [ACCOUNT], Rights.READ, frozenset())["account"]
    moving = reaches(here, here, SCHEMA, [ACCOUNT], Rights.READ, frozenset({"account"}))["account"]

    ((name, before, after),) = [(seen.user.name, seen.before.units, seen.after.units) for seen in changed]
    assert (name, before, after) == ("ada", {NORTH}, {NORTH, CITY}), "Bo's city has nothing below it"
    assert [seen.user.name for seen in moving] == ["ada", "bo"], "Cy is disabled and reaches nothing"
    assert all(seen.before == seen.after for seen in moving)
    assert reaches(here, here, SCHEMA, [ACCOUNT], Rights.READ, frozenset()) == {"account": []}


def test_rows_that_take_the_access_of_others_cannot_be_counted() -> None:
    """Their plans look at other rows, so neither owners nor units tell how many there are."""
    parent = column("parentid", ColumnType.LOOKUP, targets=("account",))
    plain = table("customeraddress", Ownership.NONE, columns=[parent])
    odd = replace(plain, privileges=ACCOUNT.privileges)
    here = directory()
    for address, moving in ((plain, True), (odd, False)):
        tables = schema([ACCOUNT, address])
        moved = frozenset({"customeraddress"})
        if moving:
            assert reaches(here, here, tables, [address], Rights.READ, moved) == {"customeraddress": []}
        else:
            with pytest.raises(IntegrityViolation, match="customeraddress cannot be counted"):
                reaches(here, here, tables, [address], Rights.READ, moved)


def test_sharers_are_those_of_both_sides() -> None:
    seen = Seen(ADA_USER, reach(shared=frozenset({1}), directly=frozenset({2})), reach(shared=frozenset({3})))

    assert seen.sharers == {1, 2, 3}


def test_a_held_role_is_kept_by_its_holder_alone() -> None:
    """The directory of a change is another one: what was asked about stays what it is."""
    here = directory()

    applied(here, RoleHeld(BO, role("boss", SOUTH).role, True))

    assert here.roles_of == directory().roles_of
    assert here.roles.keys() == directory().roles.keys()


OTHER_TEAM = team("Other", Key(70))
CHANGED: dict[str, object] = {
    "units": UnitTree({**UNITS.units}),
    "settings": SecuritySettings(hierarchy_depth=9),
    "unit": CITY,
    "is_disabled": True,
    "access_mode": AccessMode.READ,
    "teams": (OTHER_TEAM,),
    "roles": (role("other"),),
    "role_privileges": {guid("seller"): {READ_ACCOUNT: Depth.DEEP}},
    "subordinates": (Subordinate(BO, guid("bo"), "bo", 1, frozenset({BO}), frozenset({BO})),),
    "column_permissions": {"account": {"ssn": ColumnAccess.UPDATE}},
}


def test_facts_that_decide_alike_are_the_same_and_nothing_else() -> None:
    """Users of whom nothing changed are not looked at: a change of anything that decides must be seen."""
    here = directory().facts_of(ADA)

    assert same(here, replace(here))
    assert same(here, replace(here, name="another", directory_object_id=guid("x")))
    for name, value in CHANGED.items():
        assert not same(here, replace(here, **{name: value})), name  # pyright: ignore[reportArgumentType]  # one field at a time


def test_the_facts_of_a_team_are_its_own() -> None:
    """SM-47."""
    here = replace(
        directory(),
        team_directory_ids={DEALS: guid("group")},
        profiles_of={DEALS: frozenset({guid("p")})},
        teams={**directory().teams, Key(80): team("Club", Key(80), TeamType.ACCESS)},
        roles_of={**directory().roles_of, Key(80): (SELLER.id,)},
    )

    deals, club = here.facts_of(DEALS), here.facts_of(Key(80))

    assert (deals.id, deals.key, deals.name, deals.unit) == (guid("Deals"), DEALS, "Deals", NORTH)
    assert (deals.is_team, deals.is_disabled, deals.access_mode) == (True, False, AccessMode.READ_WRITE)
    assert (deals.team, deals.teams, deals.subordinates) == (here.teams[DEALS], (), ())
    assert (deals.directory_object_id, club.directory_object_id) == (guid("group"), None)
    assert deals.units is here.units
    assert deals.settings is here.settings
    assert [(held.role, held.via_team) for held in deals.roles] == [(SELLER, None)]
    assert deals.role_privileges == {SELLER.root_id: {READ_ACCOUNT: Depth.LOCAL}}
    assert deals.column_permissions == {"account": {"ssn": ColumnAccess.READ}}
    assert (club.roles, club.column_permissions) == ((), {})


def test_subordinates_are_listed_nearest_first() -> None:
    """SM-146."""
    people = {
        Key(4): User(Key(4), guid("dee"), "dee", NORTH, manager=ADA),
        BO: replace(directory().users[BO], manager=CY, unit=NORTH),
        CY: replace(directory().users[CY], manager=ADA, unit=NORTH),
        ADA: directory().users[ADA],
    }
    here = replace(directory(SecuritySettings(hierarchy_enabled=True)), users=people)

    assert [(below.name, below.level) for below in here.subordinates_of(ADA)] == [("cy", 1), ("dee", 1), ("bo", 2)]
    assert replace(here, settings=SecuritySettings()).subordinates_of(ADA) == ()


def test_lots_that_move_are_reached_before_where_they_were_and_after_where_they_are() -> None:
    ground = Ground([Lot(3, (ADA, NORTH), (ADA, CITY))], [], [], Rights.READ)
    north, city = (Reach(False, frozenset(), frozenset({each}), frozenset(), frozenset(), ()) for each in (NORTH, CITY))

    assert (ground.before.reached(north), ground.after.reached(north)) == ({0}, frozenset())
    assert (ground.before.reached(city), ground.after.reached(city)) == (frozenset(), {0})
    (found,) = compare(ground, [Seen(ADA_USER, north, north)]).users
    assert (found.gained, found.lost) == (0, 3)


def test_shares_of_all_principals_of_a_reach_count() -> None:
    """With one and with the others, by either mask and directly."""
    rows = [Shared(Key(number), guid(str(number)), Key(90 + number), Rights.READ) for number in range(4)]
    shares = Shares(rows, Rights.READ)
    wanted = frozenset({Key(91), Key(92)})

    assert shares.reached(reach(shared=wanted)) == {Key(1), Key(2)}
    assert shares.reached(reach(directly=wanted)) == {Key(1), Key(2)}
    assert shares.reached(reach(shared=frozenset({Key(90)}), directly=wanted)) == {Key(0), Key(1), Key(2)}


def test_what_is_lost_is_told_with_who_loses_it() -> None:
    ground = Ground(LOTS, [], [], Rights.READ)

    found = compare(ground, [Seen(ADA_USER, reach(BO), NO_REACH), Seen(BO_USER, reach(BO), NO_REACH)])

    assert found.lost.first == {1: ADA_USER}
    assert found.lost.count(ground) == 7
    assert [each.user for each in found.users] == [ADA_USER, BO_USER]


def test_tables_looked_at_together_are_reached_as_each_alone() -> None:
    """One plan serves tables of one kind on which a user holds the same grants: what makes a kind must not be missed.
    Users reach their own row (SM-12), hierarchy security needs Read (SM-140), and a table may be left out of it."""
    made = schema(
        [
            table("account"),
            table("ticket"),
            table("secret", hierarchy=False),
            table("product", Ownership.ORGANIZATION),
            table("systemuser", Ownership.BUSINESS),
            table("team", Ownership.BUSINESS),
        ]
    )
    held = {
        made.tables[name].privileges[right].id: Depth.LOCAL
        for name, rights in {
            "account": (Rights.READ, Rights.WRITE),
            "ticket": (Rights.WRITE,),
            "secret": (Rights.READ, Rights.WRITE),
            "systemuser": (Rights.READ, Rights.WRITE),
            "team": (Rights.READ, Rights.WRITE),
        }.items()
        for right in rights
    }
    before = replace(
        directory(SecuritySettings(hierarchy_enabled=True)),
        users={**directory().users, CY: replace(directory().users[CY], manager=ADA, unit=CITY)},
        privileges={},
    )
    after = replace(before, privileges={SELLER.root_id: held})
    everything = list(made.tables.values())
    for right in (Rights.READ, Rights.WRITE):
        together = reaches(before, after, made, everything, right, frozenset())

        alone = {each.logical_name: reaches(before, after, made, [each], right, frozenset()) for each in everything}
        assert together == {name: found[name] for name, found in alone.items()}
    of_users, of_teams = together["systemuser"], together["team"]
    assert [seen.after.owners for seen in of_users] == [{ADA}, {BO}]
    assert [seen.after.owners for seen in of_teams] == [frozenset(), frozenset()]
    assert [CY in seen.after.owners for seen in together["account"]] == [True, False]
    assert [CY in seen.after.owners for seen in together["ticket"]] == [False, False]
