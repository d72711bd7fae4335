"""The benchmark's data set has the shape that the performance page asks for."""

from collections import Counter

import pytest

from strongroom.ids import Guid, Reference
from strongroom.jobs.demo import BenchCompany, bench_company
from strongroom.schema.standard_tables import standard_schema

ROOT = Guid("00000000-0000-7000-8000-000000000001")
ACCOUNTS = 10_000


@pytest.fixture(scope="module")
def made() -> BenchCompany:
    return bench_company(1, ACCOUNTS, root_unit=ROOT)


def test_the_numbers_are_those_of_the_page(made: BenchCompany):
    people = made.people
    members = Counter(team for team, _ in people.members)

    assert (len(people.units), len(people.users), len(people.teams), len(people.roles)) == (1000, 2000, 200, 20)
    assert (min(members.values()), max(members.values())) == (3, 43)
    assert sum("parentsystemuserid" in row for row in people.users) > 1800


def test_the_tree_is_at_most_six_deep_and_skewed(made: BenchCompany):
    depth: dict[object, int] = {ROOT: 0}
    below: Counter[object] = Counter()
    above: dict[object, Guid] = {}
    for row in made.people.units:
        parent = row["parentbusinessunitid"]
        assert isinstance(parent, Reference)
        depth[row["businessunitid"]] = depth[parent.id] + 1
        above[row["businessunitid"]] = parent.id
        unit: object = row["businessunitid"]
        while unit in above:
            unit = above[unit]
            below[unit] += 1

    assert max(depth.values()) == 6
    assert sum(below[unit] == 0 for unit in above) > 500
    assert sorted(below[unit] for unit in above)[-1] > 200


def test_an_account_has_21_columns_of_the_catalogue_and_unordered_names(made: BenchCompany):
    rows = list(made.account_rows())
    names = [str(row["name"]) for row in rows]
    columns = standard_schema().tables["account"].columns

    assert len(rows) == ACCOUNTS
    assert all(len(row) == 21 and row.keys() <= columns.keys() for row in rows[:100])
    assert len(set(names)) == ACCOUNTS
    assert names[:100] != sorted(names[:100])


def test_owners_have_a_long_tail(made: BenchCompany):
    owners = Counter(row["ownerid"] for row in made.account_rows())

    assert len(owners) > 1500
    assert owners.most_common(1)[0][1] > 10 * ACCOUNTS / 2200


def test_archetypes_see_what_they_stand_for(made: BenchCompany):
    found = {each.name: each for each in made.archetypes}
    wanted = {"own": 0.0014, "bu": 0.002, "deep_s": 0.011, "deep_m": 0.052, "deep_l": 0.2, "global": 1, "mixed": 0.063}

    assert found.keys() == wanted.keys()
    for name, share in wanted.items():
        assert share / 2 < found[name].visible < share * 2, name
    assert (found["own"].owners, found["bu"].units) == (3, 1)
    assert found["deep_s"].units < found["deep_m"].units < found["deep_l"].units
    assert found["mixed"].owners > 31


def test_what_an_archetype_sees_is_what_was_expected(made: BenchCompany):
    """Counted on the rows: own rows and rows of the unit, for the archetype that is in no team."""
    local = next(each for each in made.archetypes if each.name == "bu")
    people = made.people
    users = {row["systemuserid"]: row["businessunitid"] for row in people.users}
    teams = {row["teamid"]: row["businessunitid"] for row in people.teams}
    unit = users[local.user]

    seen = 0
    for row in made.account_rows():
        owner = row["ownerid"]
        assert isinstance(owner, Reference)
        seen += (users if owner.table == "systemuser" else teams)[owner.id] == unit

    assert abs(seen / ACCOUNTS - local.visible) < 0.001


def test_an_archetype_holds_one_role(made: BenchCompany):
    held = Counter(user for user, _ in made.people.user_roles)

    assert all(held[archetype.user] == 1 for archetype in made.archetypes)


def test_six_percent_of_the_shares_are_with_the_mixed_user(made: BenchCompany):
    mixed = next(each for each in made.archetypes if each.name == "mixed")
    shares = list(made.shares())

    assert len(shares) == ACCOUNTS // 20
    assert sum(share.principal.id == mixed.user for share in shares) == len(shares) * 6 // 100
    assert len({(share.row, share.principal) for share in shares}) == len(shares)


def test_the_mixed_user_manages_thirty_in_its_own_unit(made: BenchCompany):
    mixed = next(each for each in made.archetypes if each.name == "mixed")
    managers = {row["systemuserid"]: row.get("parentsystemuserid") for row in made.people.users}
    units = {row["systemuserid"]: row["businessunitid"] for row in made.people.users}

    def is_below(user: object) -> bool:
        manager = managers[user]
        return isinstance(manager, Reference) and (manager.id == mixed.user or is_below(manager.id))

    below = [user for user in managers if is_below(user)]
    assert len(below) == 30
    assert {units[user] for user in below} == {units[mixed.user]}
