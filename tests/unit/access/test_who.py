"""Who can, from a directory in memory, where property tests do not look (SM-145, SM-164)."""

from dataclasses import dataclass, replace

import pytest
from people import ACCOUNT, ADA, BO, CITY, CY, DEALS, NORTH, PRODUCT, ROOT, SCHEMA, UNITS, team

from access_schema import column, guid, schema, table
from strongroom.access.caller import AccessMode, Role, SecuritySettings
from strongroom.access.check import SecuredRow, nowhere
from strongroom.access.directory import Directory, User
from strongroom.access.explain import Question, explain
from strongroom.access.hierarchy import Position
from strongroom.access.plan import Reason
from strongroom.access.reasons import Code
from strongroom.access.view import helpful_teams, view_of
from strongroom.access.who import who_can
from strongroom.ids import Guid, Key
from strongroom.query.ast import Predicate
from strongroom.schema.model import ColumnType, Depth, Ownership, Rights

READ = ACCOUNT.privileges[Rights.READ].id
SELLER = Role(guid("seller in north"), guid("seller"), "seller", NORTH)
TOP, MIDDLE, LOW = guid("top"), guid("middle"), guid("low")


def directory(settings: SecuritySettings | None = None, **positions: Guid) -> Directory:
    """Ada, Bo and Cy of north sell; their positions are in a line."""
    people = {"ada": ADA, "bo": BO, "cy": CY}
    return Directory(
        units=UNITS,
        settings=settings or SecuritySettings(),
        users={key: User(key, guid(name), name, NORTH, position=positions.get(name)) for name, key in people.items()},
        teams={},
        team_directory_ids={},
        teams_of={},
        roles={SELLER.id: SELLER},
        roles_of=dict.fromkeys(people.values(), (SELLER.id,)),
        privileges={SELLER.root_id: {READ: Depth.BASIC}},
        origins={SELLER.root_id: ROOT},
        positions={
            TOP: Position(TOP, None),
            MIDDLE: Position(MIDDLE, TOP),
            LOW: Position(LOW, MIDDLE),
        },
    )


def found(here: Directory, row: SecuredRow | None) -> dict[str, list[str]]:
    """User → codes."""
    question = Question(ACCOUNT, Rights.READ, row)
    return {each.user.name: [str(reason.code) for reason in each.reasons] for each in who_can(here, SCHEMA, question)}


def everywhere(_: Predicate) -> bool:
    """The answer of a store in which every other row is reached."""
    return True


def test_a_row_that_does_not_exist_is_nobodys() -> None:
    assert found(directory(), None) == {}


def test_positions_count_up_to_the_depth_of_the_hierarchy() -> None:
    """SM-144: Cy's row; Bo is one step above, Ada two."""
    row = SecuredRow(CY, NORTH)
    for depth, above in ((1, {"bo"}), (2, {"ada", "bo"})):
        settings = SecuritySettings(hierarchy_enabled=True, hierarchy_by_position=True, hierarchy_depth=depth)
        here = directory(settings, ada=TOP, bo=MIDDLE, cy=LOW)

        assert found(here, row) == {"cy": [Code.ROLE_BASIC_OWN], **{name: [Code.HIERARCHY_POSITION] for name in above}}


def test_a_row_without_owner_is_reached_by_no_hierarchy() -> None:
    settings = SecuritySettings(hierarchy_enabled=True)
    here = directory(settings)
    wide = replace(here, privileges={SELLER.root_id: {PRODUCT.privileges[Rights.READ].id: Depth.GLOBAL}})

    access = who_can(wide, SCHEMA, Question(PRODUCT, Rights.READ, SecuredRow(None, None)))

    assert [each.user.name for each in access] == ["ada", "bo", "cy"]


def test_users_alike_but_for_state_or_mode_are_not_taken_for_each_other() -> None:
    """SM-60, SM-63, SM-164."""
    here = directory()
    users = {
        **here.users,
        BO: replace(here.users[BO], access_mode=AccessMode.ADMINISTRATIVE),
        CY: replace(here.users[CY], is_disabled=True),
    }
    local = replace(here, users=users, privileges={SELLER.root_id: {READ: Depth.LOCAL}})

    assert found(local, SecuredRow(Key(99), NORTH)) == {"ada": [Code.ROLE_LOCAL_BU]}
    assert found(local, SecuredRow(Key(99), CITY)) == {}


def test_tables_that_take_the_access_of_others_are_asked_user_by_user() -> None:
    """SM-10: anything may matter, so nothing is left out of the view."""
    tables = schema(
        [
            table("account"),
            table(
                "customeraddress",
                Ownership.NONE,
                columns=[column("parentid", ColumnType.LOOKUP, targets=("account",))],
                privileges={},
            ),
        ]
    )
    here = directory()
    row = SecuredRow(None, None)
    address = tables.tables["customeraddress"]
    question = Question(address, Rights.READ, row, elsewhere=everywhere)

    assert view_of(address, Rights.READ, row) is None
    assert [each.user.name for each in who_can(here, tables, question)] == ["ada", "bo", "cy"]
    assert {each.reasons for each in who_can(here, tables, question)} == {(Reason(Code.PARENT),)}
    assert who_can(here, tables, replace(question, elsewhere=nowhere)) == []
    assert helpful_teams(here, here.facts_of(ADA), address, Rights.READ, row) == []


@pytest.mark.parametrize(("depth", "above"), [(1, {"bo"}), (2, {"ada", "bo"}), (3, {"ada", "bo"})])
def test_managers_count_up_to_the_depth_of_the_hierarchy(depth: int, above: set[str]) -> None:
    """SM-141: Cy reports to Bo, Bo to Ada; the row is Cy's."""
    here = directory(SecuritySettings(hierarchy_enabled=True, hierarchy_depth=depth))
    users = {
        **here.users,
        BO: replace(here.users[BO], manager=ADA),
        CY: replace(here.users[CY], manager=BO),
    }

    reported = replace(here, users=users)

    assert found(reported, SecuredRow(CY, NORTH)) == {
        "cy": [Code.ROLE_BASIC_OWN],
        **{name: [Code.HIERARCHY_MANAGER] for name in above},
    }


def test_a_row_of_a_team_is_reached_by_managers_of_its_members() -> None:
    """SM-146; a share on the row as well."""
    here = directory(SecuritySettings(hierarchy_enabled=True))
    deals = team("Deals", DEALS)
    users = {**here.users, CY: replace(here.users[CY], manager=BO)}
    shared = replace(here, users=users, teams={DEALS: deals}, teams_of={CY: (DEALS,)})
    by_team, by_share = SecuredRow(DEALS, CITY), SecuredRow(Key(99), CITY, [Share(CY, Rights.READ, Rights.NONE)])

    assert found(shared, by_team) == {"bo": [Code.HIERARCHY_MANAGER], "cy": [Code.OWNER_TEAM]}
    assert found(shared, by_share) == {"bo": [Code.HIERARCHY_MANAGER], "cy": [Code.SHARE_DIRECT]}


def test_reasons_are_those_of_an_explanation_with_their_sources() -> None:
    """SM-160, SM-164: also where everybody is asked one by one."""
    here = directory()
    question = Question(ACCOUNT, Rights.READ, SecuredRow(ADA, NORTH))

    (access,) = who_can(here, SCHEMA, question)

    assert access.reasons == explain(here.facts_of(ADA), SCHEMA, question).reasons
    assert access.reasons[0].sources == (("role", SELLER.id, "seller"),)


@dataclass(frozen=True)
class Share:
    """A share as security sees it."""

    principal: Key
    direct: Rights
    inherited: Rights
