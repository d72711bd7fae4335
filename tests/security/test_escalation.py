"""Attempts of people with limited roles to get more than they have. Each is refused with its status and code, and
what it was aimed at is as it was.

Refusals of the privilege check are 403 `0x80040220` (SM-150), of the row 403 `0x80048306` (SM-151).
"""

from uuid import uuid4

import pytest
from tests.security.realm import NS, Realm, privileges

NO_PRIVILEGE = (403, "0x80040220")
NO_ACCESS = (403, "0x80048306")
NOT_WRITABLE = (400, "0x80040203")
ADMINISTRATOR_TEMPLATE = "627090ff-40a3-4053-8790-584edc5be201"


def administrator_role(realm: Realm, unit: str) -> str:
    """The copy of System Administrator in a unit."""
    found = realm.get("admin", f"roles?$filter=_businessunitid_value eq {unit} and name eq 'System Administrator'")
    return str(found.rows[0]["roleid"])


def new_name() -> str:
    """A name that no other row has."""
    return f"n{uuid4()}"


def in_unit(unit: str) -> dict[str, str]:
    """The binding of a business unit."""
    return {"businessunitid@odata.bind": f"/businessunits({unit})"}


# --- roles -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["ann", "hal"])
@pytest.mark.parametrize("role", ["boss", "administrator"])
@pytest.mark.parametrize("side", ["user", "role"])
def test_nobody_gives_oneself_a_role_that_holds_more(realm: Realm, who: str, role: str, side: str) -> None:
    """SM-29, WA-161: from either end of the association."""
    north = realm.ids["north"]
    role_id = administrator_role(realm, north) if role == "administrator" else realm.copy_of(realm.ids["boss"], north)
    me = realm.people[who]
    if side == "user":
        path, body = f"systemusers({me})/systemuserroles_association/$ref", realm.ref("roles", role_id)
    else:
        path, body = f"roles({role_id})/systemuserroles_association/$ref", realm.ref("systemusers", me)
    assert realm.send(who, "POST", path, body).refusal == NO_PRIVILEGE


@pytest.mark.parametrize("column", ["parentrootroleid", "parentroleid", "roletemplateid"])
def test_a_new_role_cannot_pretend_to_be_another(realm: Realm, column: str) -> None:
    """SM-23, SM-64: what makes a role a copy or System Administrator is not written by callers."""
    north = realm.ids["north"]
    target = (
        f"/roletemplates({ADMINISTRATOR_TEMPLATE})"
        if column == "roletemplateid"
        else f"/roles({administrator_role(realm, north)})"
    )
    made = realm.create("roles", {"name": new_name(), **in_unit(north), f"{column}@odata.bind": target}, by="hal")
    row = realm.get("admin", f"roles({made})").json
    assert (row["_parentrootroleid_value"], row["_parentroleid_value"], row["_roletemplateid_value"]) == (
        made,
        None,
        None,
    )


def test_a_new_user_or_team_does_not_come_with_a_role_that_the_maker_lacks(realm: Realm) -> None:
    """SM-29, WA-120: a deep insert associates by the same rules."""
    north = realm.ids["north"]
    roles = [f"/roles({administrator_role(realm, north)})"]
    name = new_name()
    user = {"firstname": "x", "lastname": name, "domainname": name, **in_unit(north)}
    team = {"name": name, "administratorid@odata.bind": f"/systemusers({realm.people['hal']})", **in_unit(north)}

    asked = {**user, "systemuserroles_association@odata.bind": roles}
    assert realm.send("hal", "POST", "systemusers", asked).refusal == NO_PRIVILEGE
    asked = {**team, "teamroles_association@odata.bind": roles}
    assert realm.send("hal", "POST", "teams", asked).refusal == NO_PRIVILEGE
    assert realm.get("admin", f"systemusers?$filter=domainname eq '{name}'").rows == []
    assert realm.get("admin", f"teams?$filter=name eq '{name}'").rows == []


@pytest.mark.parametrize("message", ["AddPrivilegesRole", "ReplacePrivilegesRole"])
def test_a_role_does_not_get_a_privilege_that_its_editor_lacks(realm: Realm, message: str) -> None:
    """SM-29."""
    mine = realm.create("roles", {"name": new_name(), **in_unit(realm.ids["north"])}, by="hal")
    body = {"Privileges": [{"PrivilegeId": realm.schema.privileges_by_name["prvReadAccount"].id, "Depth": "Basic"}]}
    assert realm.send("hal", "POST", f"roles({mine})/{NS}{message}", body).refusal == NO_PRIVILEGE


def test_the_privileges_of_a_role_are_not_written_beside_the_messages(realm: Realm) -> None:
    """SM-29, SM-64, WA-169: neither by rows nor by `$ref`, not even by administrators."""
    role = realm.ids["boss"]
    privilege = realm.schema.privileges_by_name["prvReadContact"].id
    path = f"roles({role})/roleprivileges_association"
    assert realm.send("hal", "POST", f"{path}/$ref", realm.ref("privileges", privilege)).refusal == NO_PRIVILEGE
    assert realm.send("admin", "POST", f"{path}/$ref", realm.ref("privileges", privilege)).refusal == NOT_WRITABLE
    assert realm.send("admin", "DELETE", f"{path}({privilege})/$ref").refusal == NOT_WRITABLE
    for who in ("hal", "admin"):
        assert realm.send(who, "POST", "roleprivilegescollection", {"privilegedepthmask": 8}).refusal == NOT_WRITABLE


def test_a_role_of_teams_is_not_opened_to_their_members_by_somebody_who_holds_less(realm: Realm) -> None:
    """SM-29, SM-43: `isinherited` decides what a role's Basic privileges reach."""
    role = realm.role(new_name(), realm.ids["root"], {"prvReadAccount": "Basic"}, inherited=False)
    assert realm.send("hal", "PATCH", f"roles({role})", {"isinherited": 1}).refusal == NO_PRIVILEGE
    realm.must("admin", "PATCH", f"roles({role})", {"isinherited": 1})


def test_a_role_that_reaches_from_another_unit_is_not_widened_by_somebody_who_reaches_less(realm: Realm) -> None:
    """SM-23, SM-29: a change of the original holds for its copies below, where the caller has no reach."""
    north = realm.ids["north"]
    below = realm.unit(new_name(), north)
    role = realm.role(new_name(), north, {})
    own = realm.role(new_name(), north, {"prvReadAccount": "Local", "prvReadRole": "Local", "prvWriteRole": "Local"})
    editor = new_name()
    realm.user(editor, north, own)
    body = {"Privileges": [{"PrivilegeId": realm.schema.privileges_by_name["prvReadAccount"].id, "Depth": "Local"}]}
    path = f"roles({role})/{NS}AddPrivilegesRole"

    realm.team(new_name(), below, role, members=[editor])
    assert realm.send(editor, "POST", path, body).refusal == NO_PRIVILEGE


def test_copies_of_roles_are_not_edited(realm: Realm) -> None:
    """SM-23: 400 `0x80044152`."""
    copy = realm.copy_of(realm.ids["keeper"], realm.ids["north"])
    body = {"Privileges": [{"PrivilegeId": realm.schema.privileges_by_name["prvReadRole"].id, "Depth": "Global"}]}
    assert realm.send("hal", "PATCH", f"roles({copy})", {"name": "x"}).refusal == (400, "0x80044152")
    assert realm.send("hal", "POST", f"roles({copy})/{NS}AddPrivilegesRole", body).refusal == (400, "0x80044152")
    assert realm.send("hal", "DELETE", f"roles({copy})").refusal == (400, "0x80044152")


# --- teams, units and the hierarchy ----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["$ref", "message", "from the user"])
def test_nobody_joins_a_team_whose_roles_hold_more(realm: Realm, way: str) -> None:
    """SM-29, SM-58."""
    team, me = realm.ids["bosses"], realm.people["hal"]
    member = {"@odata.type": f"{NS}systemuser", "systemuserid": me}
    asked = {
        "$ref": (f"teams({team})/teammembership_association/$ref", realm.ref("systemusers", me)),
        "message": (f"teams({team})/{NS}AddMembersTeam", {"Members": [member]}),
        "from the user": (f"systemusers({me})/teammembership_association/$ref", realm.ref("teams", team)),
    }[way]
    assert realm.send("hal", "POST", *asked).refusal == NO_PRIVILEGE


def rich_unit(realm: Realm) -> str:
    """A business unit whose default team holds the role *boss*."""
    unit = realm.unit(new_name(), realm.ids["root"])
    team = realm.get("admin", f"teams?$filter=_businessunitid_value eq {unit} and isdefault eq true").rows[0]["teamid"]
    realm.give(f"teams({team})/teamroles_association", realm.ids["boss"], unit)
    return unit


def mover(realm: Realm) -> str:
    """Somebody who may move users and teams, and nothing else."""
    name = new_name()
    rights = privileges(("systemuser", "team", "businessunit"), "Global", realm.schema)
    rights |= {"prvReparentUser": "Global", "prvReparentTeam": "Global", "prvDisableUser": "Global"}
    realm.user(name, realm.ids["north"], realm.role(new_name(), realm.ids["root"], rights))
    return name


def test_nobody_moves_into_a_unit_whose_default_team_holds_more(realm: Realm) -> None:
    """SM-29, SM-53: who comes into a unit joins its default team."""
    unit, who = rich_unit(realm), mover(realm)
    me = f"systemusers({realm.people[who]})"
    assert realm.send(who, "PATCH", me, in_unit(unit)).refusal == NO_PRIVILEGE
    name = new_name()
    user = {"firstname": "x", "lastname": name, "domainname": name, **in_unit(unit)}
    assert realm.send(who, "POST", "systemusers", user).refusal == NO_PRIVILEGE
    assert realm.get(who, f"{me}?$select=_businessunitid_value").json["_businessunitid_value"] == realm.ids["north"]
    realm.must(who, "PATCH", me, in_unit(realm.ids["south"]))


@pytest.mark.parametrize("column", ["manager", "position", "unit", "state"])
def test_write_on_users_does_not_change_who_is_below_whom(realm: Realm, column: str) -> None:
    """SM-141, SM-144: prvAssignManager, prvReparentUser and prvDisableUser stand beside prvWriteUser."""
    position = realm.create("positions", {"name": new_name()})
    change = {
        "manager": {"parentsystemuserid@odata.bind": f"/systemusers({realm.people['hal']})"},
        "position": {"positionid@odata.bind": f"/positions({position})"},
        "unit": in_unit(realm.ids["south"]),
        "state": {"isdisabled": True},
    }[column]
    if column == "position":
        give = realm.role(new_name(), realm.ids["root"], privileges(("position",), "Global", realm.schema))
        realm.give(f"systemusers({realm.people['hal']})/systemuserroles_association", give, realm.ids["north"])
    target = "ann" if column == "unit" else "bob"
    assert realm.send("hal", "PATCH", f"systemusers({realm.people[target]})", change).refusal == NO_PRIVILEGE


def test_write_on_teams_does_not_move_them(realm: Realm) -> None:
    """SM-26, SM-27: prvReparentTeam stands beside prvWriteTeam."""
    team = realm.team(new_name(), realm.ids["north"])
    assert realm.send("hal", "PATCH", f"teams({team})", in_unit(realm.ids["south"])).refusal == NO_PRIVILEGE


def test_a_user_does_not_edit_oneself_without_the_privilege(realm: Realm) -> None:
    """SM-21: one's own row too."""
    assert realm.send("ann", "PATCH", f"systemusers({realm.people['ann']})", {"accessmode": 4}).refusal == NO_PRIVILEGE


# --- impersonation ---------------------------------------------------------------------------------------------------


def actor(realm: Realm) -> str:
    """Somebody who may act for others, and reads own accounts."""
    name = new_name()
    rights = {"prvActOnBehalfOfAnotherUser": "Global", "prvReadAccount": "Basic"}
    realm.user(name, realm.ids["north"], realm.role(new_name(), realm.ids["root"], rights))
    return name


def for_admin(realm: Realm) -> dict[str, str]:
    """The header that asks to act for the administrator."""
    return {"MSCRMCallerID": str(realm.people["admin"])}


def test_nobody_acts_for_others_without_the_privilege(realm: Realm) -> None:
    """SM-68: 403 `0x8004a110`."""
    assert realm.send("ann", "GET", "accounts", headers=for_admin(realm)).refusal == (403, "0x8004a110")
    assert realm.send("ann", "GET", "WhoAmI()", headers=for_admin(realm)).refusal == (403, "0x8004a110")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "contacts"), ("GET", "principalobjectaccessset"), ("GET", "audits"), ("DELETE", "accounts({account})")],
)
def test_acting_for_an_administrator_does_not_add_privileges(realm: Realm, method: str, path: str) -> None:
    """SM-68, WA-420: a privilege counts only when both hold it."""
    path = path.format(account=realm.ids["account of ann"])
    assert realm.send(actor(realm), method, path, headers=for_admin(realm)).refusal == NO_PRIVILEGE


def test_acting_for_an_administrator_does_not_hand_out_roles(realm: Realm) -> None:
    """SM-29, SM-68."""
    who = actor(realm)
    role = realm.copy_of(realm.ids["boss"], realm.ids["north"])
    path = f"systemusers({realm.people[who]})/systemuserroles_association/$ref"
    assert realm.send(who, "POST", path, realm.ref("roles", role), headers=for_admin(realm)).refusal == NO_PRIVILEGE


def test_acting_for_an_administrator_does_not_explain_the_access_of_others(realm: Realm) -> None:
    """SM-68, section 16: administrators may ask about anyone."""
    principal = f"@p={{'@odata.id':'systemusers({realm.people['bob']})'}}"
    target = f"@t={{'@odata.id':'accounts({realm.ids['account of bob']})'}}"
    path = f"sr_ExplainAccess(Principal=@p,Target=@t,Right=@r)?{principal}&{target}&@r='ReadAccess'"
    assert realm.send(actor(realm), "GET", path, headers=for_admin(realm)).status == 403
    assert realm.get("ann", path).status == 403


def in_batch(realm: Realm, who: str, request: str, *, change_set: bool = False) -> str:
    """The answer to a batch of one request, with its status line inside."""
    part = f"Content-Type: application/http\r\nContent-ID: 1\r\n\r\n{request}\r\n"
    if change_set:
        part = f"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n{part}\r\n--c--\r\n"
    body = f"--b\r\n{part}\r\n--b--\r\n".encode()
    return realm.send(who, "POST", "$batch", body, headers={"content-type": "multipart/mixed; boundary=b"}).text


@pytest.mark.parametrize("change_set", [False, True])
def test_a_part_of_a_batch_does_not_act_for_others(realm: Realm, change_set: bool) -> None:
    """WA-420."""
    admin, account = realm.people["admin"], realm.ids["account of bob"]
    head = f"accounts({account}) HTTP/1.1\r\nMSCRMCallerID: {admin}\r\nContent-Type: application/json\r\n\r\n"
    request = f"PATCH /api/data/v9.2/{head}{{}}" if change_set else f"GET /api/data/v9.2/{head}"
    text = in_batch(realm, "ann", request, change_set=change_set)
    assert ("HTTP/1.1 400" if change_set else "HTTP/1.1 403") in text
    assert "Account of bob" not in text


def test_a_part_of_a_batch_does_not_reach_rows_of_others(realm: Realm) -> None:
    """SM-3."""
    account = realm.ids["account of bob"]
    body = '{"name":"mine"}'
    head = f"accounts({account}) HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{body}"
    for change_set in (False, True):
        assert "0x80048306" in in_batch(realm, "ann", f"PATCH /api/data/v9.2/{head}", change_set=change_set)


def test_a_batch_is_for_one_environment(realm: Realm) -> None:
    """R5: a part that names another environment is not answered by this one."""
    assert "HTTP/1.1 400" in in_batch(realm, "ann", "GET /e/other/api/data/v9.2/accounts HTTP/1.1\r\n\r\n")
    own = realm.environment.name
    assert "HTTP/1.1 200" in in_batch(realm, "ann", f"GET /e/{own}/api/data/v9.2/accounts HTTP/1.1\r\n\r\n")
