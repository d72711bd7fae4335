"""The security tables' own rules: units, users, teams, roles, settings, profiles (SM-13, SM-20 to SM-30, SM-50 to
SM-64).
"""

import pytest
from tests.worlds import ROLES_OF_TEAMS, ROLES_OF_USERS, World, depths, team, user

from strongroom.access.caller import SYSTEM_ADMINISTRATOR_TEMPLATE
from strongroom.errors import AccessDenied, InvalidRequest, NotFound, PreconditionFailed, StrongroomError
from strongroom.ids import Guid, Reference
from strongroom.records import (
    RolePrivilege,
    add_members,
    add_privileges,
    associate,
    disassociate,
    remove_members,
    remove_privilege,
    replace_privileges,
    role_privileges,
)
from strongroom.schema.changes import NewColumn
from strongroom.schema.model import ColumnType, Depth, Rights

READ = {"account": {Rights.READ: Depth.LOCAL}}


def unit_reference(unit: Guid) -> Reference:
    return Reference("businessunit", unit)


def members_of(world: World, team_id: Guid) -> set[Guid]:
    with world.database.read() as transaction:
        return set(
            transaction.linked(transaction.schema.many_to_many["teammembership_association"], team_id, from_first=True)
        )


def roles_of(world: World, holder: Reference) -> list[Guid]:
    name = ROLES_OF_TEAMS if holder.table == "team" else ROLES_OF_USERS
    with world.database.read() as transaction:
        return transaction.linked(transaction.schema.many_to_many[name], holder.id, from_first=True)


def code_of(error: pytest.ExceptionInfo[StrongroomError]) -> tuple[int, str]:
    return error.value.status, error.value.code


# --- business units ------------------------------------------------------------------------------------------------


def test_a_new_unit_has_its_team_and_the_roles_of_its_parent(world: World) -> None:
    """SM-23, SM-52."""
    role = world.role("Seller", READ)
    north = world.unit("North")
    city = world.unit("City", north)

    default = world.default_team(city)
    assert (default.values["name"], default.values["teamtype"]) == ("City", 0)
    in_north, in_city = world.copy_of(role, north), world.copy_of(role, city)
    row = world.row("role", in_city)
    assert row.values["name"] == "Seller"
    assert row.values["parentroleid"] == Reference("role", in_north)
    assert row.values["parentrootroleid"] == Reference("role", role)


def test_a_new_role_appears_in_every_unit_below_its_own(world: World) -> None:
    """SM-23."""
    north, south = world.unit("North"), world.unit("South")
    city = world.unit("City", north)
    role = world.role("Seller", READ, unit=north)

    places = {row.values["businessunitid"] for row in world.rows("role", parentrootroleid=Reference("role", role))}
    assert places == {unit_reference(north), unit_reference(city)}
    assert unit_reference(south) not in places


def test_the_default_team_is_renamed_with_its_unit(world: World) -> None:
    """SM-52."""
    north = world.unit("North")
    world.update("businessunit", north, name="Nord")
    assert world.default_team(north).values["name"] == "Nord"


def test_a_moved_unit_keeps_the_role_copies_that_are_still_above(world: World) -> None:
    """SM-28: the others go with their assignments."""
    north, south = world.unit("North"), world.unit("South")
    city = world.unit("City", north)
    everywhere, northern = world.role("Everywhere", READ), world.role("Northern", READ, unit=north)
    southern = world.role("Southern", READ, unit=south)
    ann = user(world.user("Ann", city, everywhere, northern))
    kept = world.copy_of(everywhere, city)

    world.update("businessunit", city, parentbusinessunitid=unit_reference(south))

    assert roles_of(world, ann) == [kept]
    assert world.row("role", kept).values["parentroleid"] == Reference("role", world.copy_of(everywhere, south))
    assert world.copy_of(southern, city)
    assert world.rows("role", parentrootroleid=Reference("role", northern), businessunitid=unit_reference(city)) == []


def test_the_tree_has_one_root_and_no_loops(world: World) -> None:
    """SM-13."""
    north = world.unit("North")
    city = world.unit("City", north)
    for unit, parent in ((north, city), (north, north), (world.root, north)):
        with pytest.raises(InvalidRequest):
            world.update("businessunit", unit, parentbusinessunitid=unit_reference(parent))
    for changes in ({"parentbusinessunitid": None},):
        with pytest.raises(InvalidRequest):
            world.change("businessunit", north, changes)
    with pytest.raises(InvalidRequest):
        world.update("businessunit", world.root, isdisabled=True)


def test_a_unit_goes_only_disabled_and_empty(world: World) -> None:
    """SM-13: its default team and role copies go with it."""
    world.role("Seller", READ)
    north = world.unit("North")
    default = world.default_team(north)
    with pytest.raises(InvalidRequest, match="must be disabled"):
        world.delete("businessunit", north)
    world.update("businessunit", north, isdisabled=True)
    ann = world.user("Ann", north)
    with pytest.raises(StrongroomError) as refusal:
        world.delete("businessunit", north)
    assert code_of(refusal) == (405, "0x80040227")

    world.update("systemuser", ann, businessunitid=unit_reference(world.root))
    world.delete("businessunit", north)
    assert world.find("team", default.id) is None
    assert world.rows("role", businessunitid=unit_reference(north)) == []
    with pytest.raises(InvalidRequest):
        world.delete("businessunit", world.root)


def test_units_are_created_below_the_reach_of_a_deep_grant(world: World) -> None:
    """SM-12: the unit that counts is the new one; Local never reaches it."""
    north, south = world.unit("North"), world.unit("South")
    table = world.table("businessunit")

    def maker(name: str, depth: Depth) -> Guid:
        rights = (Rights.READ, Rights.CREATE, Rights.APPEND, Rights.APPEND_TO)
        privileges = {r: depth for r in rights if depth in table.privileges[r].depths}
        return world.user(name, north, world.role(name, {"businessunit": privileges}))

    deep, local = maker("Deep", Depth.DEEP), maker("Local", Depth.LOCAL)
    values = {"name": "City", "parentbusinessunitid": unit_reference(north)}
    city = world.make("businessunit", values, deep)
    assert world.row("businessunit", city).values["parentbusinessunitid"] == unit_reference(north)
    for by, parent in ((local, north), (deep, south)):
        with pytest.raises(AccessDenied) as refusal:
            world.make("businessunit", {"name": "X", "parentbusinessunitid": unit_reference(parent)}, by)
        assert refusal.value.code == "0x80048306"


def test_a_unit_without_parent_comes_below_the_root(world: World) -> None:
    """SM-13."""
    unit = world.create("businessunit", name="New")
    assert world.row("businessunit", unit).values["parentbusinessunitid"] == unit_reference(world.root)


# --- users ---------------------------------------------------------------------------------------------------------


def test_a_user_is_in_the_default_team_of_its_unit_and_only_there(world: World) -> None:
    """SM-53: also after a move."""
    north = world.unit("North")
    ann = world.user("Ann", north)
    assert members_of(world, world.default_team(north).id) == {ann}

    world.update("systemuser", ann, businessunitid=unit_reference(world.root))
    assert members_of(world, world.default_team(north).id) == set()
    assert ann in members_of(world, world.default_team(world.root).id)


def test_a_user_that_moves_loses_its_roles_and_takes_its_rows_along(world: World) -> None:
    """SM-26, SM-27."""
    north, south = world.unit("North"), world.unit("South")
    ann = world.user("Ann", north, world.role("Own", {"account": depths(Depth.BASIC)}))
    account = world.create("account", by=ann, name="A")

    world.update("systemuser", ann, businessunitid=unit_reference(south))
    assert roles_of(world, user(ann)) == []
    assert world.owning_unit("account", account) == south


def test_no_two_users_share_a_sign_in_name_or_directory_id(world: World) -> None:
    directory = "AAAAAAAA-1111-4111-8111-111111111111"
    world.user("Ann", None, azureactivedirectoryobjectid=directory)
    bob = world.user("Bob")
    for changes in ({"domainname": "ANN@test"}, {"azureactivedirectoryobjectid": directory}):
        with pytest.raises(PreconditionFailed):
            world.change("systemuser", bob, changes)


def test_nobody_manages_somebody_above(world: World) -> None:
    """SM-149."""
    ann, bob = world.user("Ann"), world.user("Bob")
    world.update("systemuser", bob, parentsystemuserid=user(ann))
    for manager in (bob, ann):
        with pytest.raises(InvalidRequest) as refusal:
            world.update("systemuser", ann, parentsystemuserid=user(manager))
        assert refusal.value.code == "0x80041d25"


def test_the_last_administrator_stays(world: World) -> None:
    """SM-64: neither disabled, nor without the role, nor deleted."""
    (role,) = roles_of(world, user(world.admin))
    with pytest.raises(InvalidRequest) as disabling:
        world.update("systemuser", world.admin, isdisabled=True)
    with pytest.raises(InvalidRequest) as taking, world.administrating() as session:
        disassociate(session, session.schema.many_to_many[ROLES_OF_USERS], user(world.admin), Reference("role", role))
    with pytest.raises(InvalidRequest) as deleting:
        world.delete("systemuser", world.admin)
    assert [e.value.code for e in (disabling, taking, deleting)] == ["0x80041d2f", "0x80041d30", "0x80041d30"]

    other = world.user("Ann")
    world.give_role(role, user(other))
    world.update("systemuser", world.admin, by=other, isdisabled=True)
    assert world.row("systemuser", world.admin).values["isdisabled"] is True


def test_a_user_that_owns_rows_cannot_be_deleted(world: World) -> None:
    ann = world.user("Ann", None, world.role("Own", {"account": depths(Depth.BASIC)}))
    account = world.create("account", by=ann, name="A")
    with pytest.raises(InvalidRequest, match="owns rows"):
        world.delete("systemuser", ann)
    world.delete("account", account)
    world.delete("systemuser", ann)
    assert world.find("systemuser", ann) is None


def test_a_team_that_moves_loses_its_roles_and_takes_its_rows_along(world: World) -> None:
    """SM-26, SM-27."""
    north, south = world.unit("North"), world.unit("South")
    deals = world.team("Deals", north, world.role("Own", {"account": depths(Depth.BASIC)}))
    account = world.create("account", name="A", ownerid=team(deals))
    world.update("team", deals, businessunitid=unit_reference(south))
    assert roles_of(world, team(deals)) == []
    assert world.owning_unit("account", account) == south


# --- teams ---------------------------------------------------------------------------------------------------------


def test_a_default_team_is_neither_renamed_moved_nor_deleted(world: World) -> None:
    """SM-52."""
    north = world.unit("North")
    default = world.default_team(north).id
    for changes, code in (
        ({"name": "X"}, "0x8004830a"),
        ({"businessunitid": unit_reference(world.root)}, "0x80048308"),
    ):
        with pytest.raises(InvalidRequest) as refusal:
            world.change("team", default, changes)
        assert refusal.value.code == code
    with pytest.raises(InvalidRequest) as refusal:
        world.delete("team", default)
    assert refusal.value.code == "0x80048307"


def test_the_members_of_a_default_team_are_not_set_by_hand(world: World) -> None:
    """SM-53."""
    north = world.unit("North")
    default, ann, bob = world.default_team(north).id, world.user("Ann", north), world.user("Bob")
    with pytest.raises(InvalidRequest) as adding, world.administrating() as session:
        add_members(session, default, [bob])
    with pytest.raises(InvalidRequest) as removing, world.administrating() as session:
        remove_members(session, default, [ann])
    assert (adding.value.code, removing.value.code) == ("0x8004830b", "0x8004830c")


def test_adding_members_twice_is_fine_and_removing_a_stranger_is_not(world: World) -> None:
    """SM-58."""
    ann, bob = world.user("Ann"), world.user("Bob")
    deals = world.team("Deals", members=[ann])
    with world.administrating() as session:
        add_members(session, deals, [ann, bob, bob])
    assert members_of(world, deals) == {ann, bob}
    with world.administrating() as session:
        remove_members(session, deals, [bob])
    with pytest.raises(NotFound), world.administrating() as session:
        remove_members(session, deals, [bob])


def test_members_are_added_by_those_who_write_the_team_and_hold_its_roles(world: World) -> None:
    """SM-58, SM-29."""
    teams = {"team": depths(Depth.GLOBAL, (Rights.READ, Rights.WRITE)), "systemuser": {Rights.READ: Depth.GLOBAL}}
    keeper = world.user("Kim", None, world.role("Keeper", teams))
    reader = world.user("Rita", None, world.role("Reader", {"team": {Rights.READ: Depth.GLOBAL}}))
    plain, mighty = world.team("Plain"), world.team("Mighty", None, world.role("Mighty", READ))

    with world.acting(keeper) as session:
        add_members(session, plain, [reader])
    for by, where in ((reader, plain), (keeper, mighty)):
        with pytest.raises(AccessDenied) as refusal, world.acting(by) as session:
            add_members(session, where, [keeper])
        assert refusal.value.code == "0x80040220"


def test_an_access_team_neither_owns_nor_holds(world: World) -> None:
    """SM-55, SM-56: nor does it turn back, nor a team that owns rows or holds roles into one."""
    role = world.role("Own", {"account": depths(Depth.BASIC)})
    access = world.team("Access", kind=1)
    profile = world.create("fieldsecurityprofile", name="P")
    with pytest.raises(InvalidRequest) as holding:
        world.give_role(role, team(access))
    with pytest.raises(InvalidRequest) as opening, world.administrating() as session:
        link = session.schema.many_to_many["teamprofiles_association"]
        associate(session, link, team(access), Reference("fieldsecurityprofile", profile))
    assert (holding.value.code, opening.value.code) == ("0x80048331", "0x80048331")

    owner = world.team("Owner", None, role)
    for changed, code in ((access, "0x80048337"), (owner, "0x80048336")):
        kind = 0 if changed == access else 1
        with pytest.raises(InvalidRequest) as refusal:
            world.update("team", changed, teamtype=kind)
        assert refusal.value.code == code
    world.create("account", name="A", ownerid=team(owner))
    with pytest.raises(InvalidRequest) as turning:
        world.update("team", owner, teamtype=1)
    with pytest.raises(InvalidRequest) as deleting:
        world.delete("team", owner)
    assert (turning.value.code, deleting.value.code) == ("0x80048337", "0x8004830e")


def test_a_group_team_takes_only_roles_that_members_inherit(world: World) -> None:
    """SM-51."""
    group = world.team("Group", kind=2)
    with pytest.raises(InvalidRequest) as refusal:
        world.give_role(world.role("Only", READ, team_only=True), team(group))
    assert refusal.value.code == "0x80048350"
    world.give_role(world.role("Both", READ), team(group))


# --- roles ---------------------------------------------------------------------------------------------------------


def test_copies_are_read_only_and_follow_the_original(world: World) -> None:
    """SM-23."""
    north = world.unit("North")
    role = world.role("Seller", READ)
    copy = world.copy_of(role, north)
    privilege = world.table("account").privileges[Rights.READ].id
    for act in (
        lambda: world.update("role", copy, name="X"),
        lambda: world.delete("role", copy),
        lambda: _add(world, copy, privilege, Depth.BASIC),
    ):
        with pytest.raises(InvalidRequest) as refusal:
            act()
        assert refusal.value.code == "0x80044152"

    world.update("role", role, name="Vendor", isinherited=0)
    assert world.row("role", copy).values["name"] == "Vendor"
    assert world.row("role", copy).values["isinherited"] == 0
    world.delete("role", role)
    assert world.find("role", copy) is None


def _add(world: World, role: Guid, privilege: Guid, depth: Depth, by: Guid | None = None) -> None:
    with world.acting(by or world.admin) as session:
        add_privileges(session, role, [RolePrivilege(privilege, depth)])


def held(world: World, role: Guid) -> dict[Guid, Depth]:
    with world.administrating() as session:
        return {entry.privilege: entry.depth for entry in role_privileges(session, role)}


def test_privileges_are_added_widened_replaced_and_removed(world: World) -> None:
    """SM-30: copies show what the original holds."""
    owned = world.table("account").privileges
    read, write = owned[Rights.READ].id, owned[Rights.WRITE].id
    north = world.unit("North")
    role = world.role("Seller", READ)

    _add(world, role, read, Depth.DEEP)
    _add(world, role, write, Depth.BASIC)
    assert held(world, role) == held(world, world.copy_of(role, north)) == {read: Depth.DEEP, write: Depth.BASIC}
    with world.administrating() as session:
        replace_privileges(session, role, [RolePrivilege(read, Depth.LOCAL)])
    assert held(world, role) == {read: Depth.LOCAL}
    with world.administrating() as session:
        remove_privilege(session, role, read)
    assert held(world, role) == {}


def test_a_privilege_must_exist_and_have_the_depth(world: World) -> None:
    """SM-30."""
    role = world.role("Seller")
    product = world.table("product").privileges[Rights.READ].id
    with pytest.raises(AccessDenied) as refusal:
        _add(world, role, product, Depth.LOCAL)
    assert refusal.value.code == "0x800404bb"
    with pytest.raises(InvalidRequest, match="There is no privilege"):
        _add(world, role, Guid("99999999-9999-4999-8999-999999999999"), Depth.GLOBAL)


def test_system_administrator_is_fixed(world: World) -> None:
    """SM-64."""
    template = Reference("roletemplate", SYSTEM_ADMINISTRATOR_TEMPLATE)
    role = world.rows("role", roletemplateid=template)[0].id
    with pytest.raises(InvalidRequest) as editing:
        world.update("role", role, name="X")
    with pytest.raises(InvalidRequest) as narrowing, world.administrating() as session:
        replace_privileges(session, role, [])
    with pytest.raises(InvalidRequest) as deleting:
        world.delete("role", role)
    assert [e.value.code for e in (editing, narrowing, deleting)] == ["0x80041d31", "0x80041d31", "0x80041d2e"]


def test_a_role_is_given_in_its_own_unit_unless_there_is_matrix_access(world: World) -> None:
    """SM-24, SM-25."""
    north = world.unit("North")
    role = world.role("Seller", READ)
    ann = user(world.user("Ann", north))
    with pytest.raises(InvalidRequest) as refusal:
        world.give_role(role, ann, unit=world.root)
    assert refusal.value.code == "0x80041409"

    matrix = "EnableOwnershipAcrossBusinessUnits"
    world.update("organization", world.born.organization, orgdborgsettings=f"<O><{matrix}>true</{matrix}></O>")
    world.give_role(role, ann, unit=world.root)
    assert roles_of(world, ann) == [role]


def test_nobody_gives_more_than_they_hold(world: World) -> None:
    """SM-29: roles and privileges alike."""
    manage = {
        "role": depths(Depth.GLOBAL, (Rights.READ, Rights.WRITE, Rights.ASSIGN)),
        "systemuser": {Rights.READ: Depth.GLOBAL},
    }
    known = {
        table: {r: d for r, d in rights.items() if r in world.table(table).privileges}
        for table, rights in manage.items()
    }
    giver = world.user("Gil", None, world.role("Giver", {**known, **READ}))
    small, large = world.role("Small", READ), world.role("Large", {"account": {Rights.READ: Depth.DEEP}})
    ann = user(world.user("Ann"))
    link = world.schema.many_to_many[ROLES_OF_USERS]
    with world.acting(giver) as session:
        associate(session, link, ann, Reference("role", small))
    with pytest.raises(AccessDenied) as refusal, world.acting(giver) as session:
        associate(session, link, ann, Reference("role", large))
    assert refusal.value.code == "0x80040220"
    with pytest.raises(AccessDenied):
        _add(world, small, world.table("account").privileges[Rights.WRITE].id, Depth.BASIC, by=giver)


def test_an_impersonated_administrator_gives_no_more_than_the_real_user_holds(world: World) -> None:
    """SM-29, SM-68: both must hold a privilege."""
    act = {"prvActOnBehalfOfAnotherUser": Depth.GLOBAL}
    known = world.table("role").privileges
    manage = {"role": {r: Depth.GLOBAL for r in (Rights.READ, Rights.ASSIGN, Rights.WRITE) if r in known}}
    manage["systemuser"] = {Rights.READ: Depth.GLOBAL}
    butler = world.user("Butler", None, world.role("Butler", manage, by_name=act))
    seller = world.role("Seller", READ)
    with pytest.raises(AccessDenied), world.acting(world.admin, behind=butler) as session:
        associate(session, session.schema.many_to_many[ROLES_OF_USERS], user(butler), Reference("role", seller))
    with pytest.raises(AccessDenied), world.acting(world.admin, behind=butler) as session:
        add_privileges(
            session, seller, [RolePrivilege(world.table("account").privileges[Rights.WRITE].id, Depth.BASIC)]
        )


def test_standard_roles_keep_up_with_new_tables(world: World) -> None:
    """SM-20, SM-64, SM-66."""
    template = Reference("roletemplate", SYSTEM_ADMINISTRATOR_TEMPLATE)
    role = world.rows("role", roletemplateid=template)[0].id
    table = world.new_table("thing")
    privileges = {privilege.id for privilege in world.table(table).privileges.values()}
    assert {held(world, role)[privilege] for privilege in privileges} == {Depth.GLOBAL}


# --- settings and profiles -----------------------------------------------------------------------------------------


def test_settings_must_be_xml_and_there_is_one_organization(world: World) -> None:
    """SM-25."""
    with pytest.raises(InvalidRequest, match="must be XML"):
        world.update("organization", world.born.organization, orgdborgsettings="<a>")
    with pytest.raises(StrongroomError):
        world.create("organization", name="Another")
    with pytest.raises(StrongroomError):
        world.delete("organization", world.born.organization)


def test_switching_matrix_access_off_sets_owning_units_back(world: World) -> None:
    """SM-25."""
    north = world.unit("North")
    matrix = "EnableOwnershipAcrossBusinessUnits"
    world.update("organization", world.born.organization, orgdborgsettings=f"<O><{matrix}>true</{matrix}></O>")
    account = world.create("account", name="A", owningbusinessunit=unit_reference(north))
    assert world.owning_unit("account", account) == north

    world.update("organization", world.born.organization, orgdborgsettings=f"<O><{matrix}>false</{matrix}></O>")
    assert world.owning_unit("account", account) == world.root


def test_a_column_permission_needs_a_secured_column(world: World) -> None:
    """SM-131."""
    table = world.new_table("thing", NewColumn("new_secret", ColumnType.STRING, is_secured=True))
    profile = Reference("fieldsecurityprofile", world.create("fieldsecurityprofile", name="P"))
    row = {"entityname": table, "canread": 4, "cancreate": 0, "canupdate": 0, "fieldsecurityprofileid": profile}
    world.make("fieldpermission", {**row, "attributelogicalname": "new_secret"})
    for column in ("new_name", "new_none"):
        with pytest.raises(InvalidRequest) as refusal:
            world.make("fieldpermission", {**row, "attributelogicalname": column})
        assert refusal.value.code == ("0x8004f508" if column == "new_name" else "0x80040203")


def test_naming_a_secured_column_without_permission_fails_the_write(world: World) -> None:
    """SM-133: even with null."""
    table = world.new_table("thing", NewColumn("new_secret", ColumnType.STRING, is_secured=True))
    ann = world.user("Ann", None, world.role("Own", {table: depths(Depth.BASIC)}))
    thing = world.create(table, by=ann, new_name="t")
    for act, code in (
        (lambda: world.create(table, by=ann, new_secret=None), "0x8004f502"),
        (lambda: world.update(table, thing, by=ann, new_secret=None), "0x8004f507"),
    ):
        with pytest.raises(AccessDenied) as refusal:
            act()
        assert refusal.value.code == code
