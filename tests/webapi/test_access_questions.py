"""Questions about access over HTTP: who can, what somebody sees, and what a change would do, on both engines."""

import json
from urllib.parse import quote

import pytest
from tests.webapi.conftest import Wire

from strongroom.audit.entries import Action, Operation

NOBODY = "00000000-0000-7000-8000-000000000009"


def at(path: str) -> str:
    return quote(json.dumps({"@odata.id": path}))


def preview(change: dict[str, object], rights: str | None = None) -> str:
    more = f",Rights='{quote(rights)}'" if rights else ""
    return f"sr_PreviewChange(Change=@c{more})?@c={quote(json.dumps(change))}"


def explain(principal: str, target: str) -> str:
    return f"sr_ExplainAccess(Principal=@p,Target=@t,Right='ReadAccess')?@p={at(principal)}&@t={at(target)}"


def bound(path: str) -> dict[str, str]:
    return {"@odata.id": path}


def test_who_can_lists_the_users_with_their_reasons(wire: Wire) -> None:
    """SM-164: the seller owns the row, the administrator may do everything."""
    account = wire.create("accounts", {"name": "Mine"}, "seller")

    answer = wire.send("GET", f"sr_WhoCan(Target=@t,Right='WriteAccess')?@t={at(f'accounts({account})')}")

    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["@odata.context"].endswith("$metadata#Strongroom.WhoCanSeeResponse")
    assert (body["Right"], body["Count"]) == ("WriteAccess", len(body["Users"]))
    seller = next(user for user in body["Users"] if user["Id"] == wire.ids["seller"])
    assert [reason["Code"] for reason in seller["Reasons"]] == ["role-basic-own"]
    assert {source["Table"] for source in seller["Reasons"][0]["Sources"]} == {"role"}


def test_what_can_counts_what_somebody_sees(wire: Wire) -> None:
    seller = f"systemusers({wire.ids['seller']})"
    own = wire.send("GET", f"sr_WhatCan(Principal=@p)?@p={at(seller)}", user="seller").json()
    listed = wire.send("GET", "accounts?$count=true&$top=1", user="seller").json()["@odata.count"]

    counted = {each["Table"]: each["Rows"] for each in own["Tables"]}
    assert counted.get("account", 0) == listed
    assert counted["contact"] >= 1


def test_an_explanation_tells_who_gave_the_share(wire: Wire) -> None:
    account = wire.create("accounts", {"name": "Shared"})
    access = {"Principal": {"systemuserid": wire.ids["seller"]}, "AccessMask": "ReadAccess"}
    target = {"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": account}
    assert wire.send("POST", "GrantAccess", {"Target": target, "PrincipalAccess": access}).status_code == 204

    answer = wire.send("GET", explain(f"systemusers({wire.ids['seller']})", f"accounts({account})")).json()

    (reason,) = answer["Reasons"]
    assert reason["Code"] == "share-direct"
    (giver,) = reason["GivenBy"]
    assert (giver["Table"], bool(giver["Id"]), bool(giver["On"])) == ("systemuser", True, True)


def test_a_preview_tells_who_gains_and_loses_and_changes_nothing(wire: Wire) -> None:
    """The rights of a role change come from its privileges; nothing of it is there afterwards."""
    wire.create("accounts", {"name": "Owned"}, "seller")
    change: dict[str, object] = {
        "Kind": "RolePrivileges",
        "Role": bound(f"roles({wire.ids['role']})"),
        "Set": [{"Privilege": "prvReadAccount", "Depth": "Global"}],
        "Remove": ["prvWriteAccount"],
    }
    before = wire.witness.state()

    answer = wire.send("GET", preview(change))

    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["@odata.context"].endswith("$metadata#Strongroom.PreviewChangeResponse")
    by_right = {(each["Table"], each["Right"]): each for each in body["Tables"]}
    read, write = by_right["account", "ReadAccess"], by_right["account", "WriteAccess"]
    mine = wire.send("GET", "accounts?$count=true&$top=1", user="seller").json()["@odata.count"]
    everything = wire.send("GET", "accounts?$count=true&$top=1").json()["@odata.count"]
    assert (read["RowsGained"], read["RowsLost"]) == (everything - mine, 0)
    assert write["RowsLost"] >= 1
    (user,) = [each for each in read["Users"] if each["Id"] == wire.ids["seller"]]
    assert user["Gained"] == everything - mine
    assert {example["Change"] for example in read["Examples"]} == {"gained"}
    assert len(read["Examples"]) <= 10
    after = wire.witness.state()
    assert [each for each in after.rows if each[0] != "audit"] == [each for each in before.rows if each[0] != "audit"]


KINDS: tuple[dict[str, object], ...] = (
    {"Kind": "TakeRole", "Principal": "seller", "Role": "role"},
    {"Kind": "GiveRole", "Principal": "team", "Role": "role"},
    {"Kind": "JoinTeam", "Team": "team", "User": "seller"},
    {"Kind": "LeaveTeam", "Team": "team", "User": "seller"},
    {"Kind": "MovePrincipal", "Principal": "seller", "BusinessUnit": "unit"},
    {"Kind": "MoveBusinessUnit", "BusinessUnit": "unit", "Parent": "root"},
    {"Kind": "DisableBusinessUnit", "BusinessUnit": "unit"},
    {"Kind": "EnableBusinessUnit", "BusinessUnit": "unit"},
    {"Kind": "SetManager", "User": "seller", "Manager": "admin"},
    {"Kind": "SetManager", "User": "seller", "Manager": None},
    {"Kind": "SetPosition", "User": "seller", "Position": "position"},
    {"Kind": "DisableUser", "User": "seller"},
    {"Kind": "EnableUser", "User": "seller"},
    {"Kind": "SetAccessMode", "User": "seller", "AccessMode": 2},
    {"Kind": "SetHierarchy", "Enabled": True, "ByPosition": False, "Depth": 2},
    {"Kind": "ProfileColumns", "Profile": "profile", "Columns": []},
    {"Kind": "GiveProfile", "Principal": "seller", "Profile": "profile"},
    {"Kind": "TakeProfile", "Principal": "seller", "Profile": "profile"},
    {"Kind": "Share", "Target": "account", "Principal": "seller", "Rights": "ReadAccess, WriteAccess"},
    {"Kind": "ModifyShare", "Target": "account", "Principal": "seller", "Rights": "WriteAccess"},
    {"Kind": "Unshare", "Target": "account", "Principal": "seller"},
)


@pytest.fixture(scope="module")
def places(wire: Wire) -> dict[str, str]:
    """The rows that changes name."""
    units = wire.send("GET", "businessunits?$select=_parentbusinessunitid_value").json()["value"]
    root = next(each["businessunitid"] for each in units if each["_parentbusinessunitid_value"] is None)
    admin = wire.send("GET", "WhoAmI").json()["UserId"]
    unit = wire.create("businessunits", {"name": "Below", "parentbusinessunitid@odata.bind": f"/businessunits({root})"})
    team = {
        "name": "Some team",
        "teamtype": 0,
        "businessunitid@odata.bind": f"/businessunits({root})",
        "administratorid@odata.bind": f"/systemusers({admin})",
    }
    return {
        "root": f"businessunits({root})",
        "unit": f"businessunits({unit})",
        "admin": f"systemusers({admin})",
        "seller": f"systemusers({wire.ids['seller']})",
        "role": f"roles({wire.ids['role']})",
        "team": f"teams({wire.create('teams', team)})",
        "position": f"positions({wire.create('positions', {'name': 'Somewhere'})})",
        "profile": f"fieldsecurityprofiles({wire.create('fieldsecurityprofiles', {'name': 'Some profile'})})",
        "account": f"accounts({wire.account})",
    }


@pytest.mark.parametrize("change", KINDS, ids=lambda change: str(change["Kind"]))
def test_every_kind_of_change_can_be_previewed(wire: Wire, places: dict[str, str], change: dict[str, object]) -> None:
    named = {
        name: bound(places[value]) if isinstance(value, str) and value in places else value
        for name, value in change.items()
    }

    answer = wire.send("GET", preview(named, "ReadAccess"))

    assert answer.status_code == 200, answer.text
    assert {"Tables", "Columns"} <= answer.json().keys()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"Kind": "GiveRoles"}, ("'GiveRoles' is no kind of change", "GiveRole")),
        ({}, ("needs 'Kind'",)),
        ({"Kind": "JoinTeam", "Team": "seller", "User": "seller"}, ("'Team' is a row of team, not of systemuser",)),
        ({"Kind": "JoinTeam", "Team": "team"}, ("needs 'User'",)),
        ({"Kind": "DisableUser", "User": "seller", "Enabled": True}, ("has no 'Enabled'",)),
        ({"Kind": "SetAccessMode", "User": "seller", "AccessMode": 9}, ("from 0 to 5",)),
        ({"Kind": "SetAccessMode", "User": "seller"}, ("needs 'AccessMode'",)),
        ({"Kind": "SetHierarchy", "Enabled": 1}, ("'Enabled' is true or false",)),
        ({"Kind": "RolePrivileges", "Role": "role", "Set": {}}, ("'Set' is a list",)),
        ({"Kind": "RolePrivileges", "Role": "role", "Set": [1]}, ("Each member of 'Set'",)),
        ({"Kind": "RolePrivileges", "Role": "role", "Set": [{"Privilege": "prvReadAccount"}]}, ("has a Depth",)),
        ({"Kind": "RolePrivileges", "Role": "role", "Remove": ["prvReadAcount"]}, ("prvReadAccount",)),
        (
            {"Kind": "MoveBusinessUnit", "BusinessUnit": "root", "Parent": "unit"},
            ("root business unit cannot be moved",),
        ),
        ({"Kind": "MoveBusinessUnit", "BusinessUnit": "unit", "Parent": "unit"}, ("loop",)),
        ({"Kind": "DisableBusinessUnit", "BusinessUnit": "root"}, ("root business unit cannot be disabled",)),
        ({"Kind": "Share", "Target": "account", "Principal": "seller", "Rights": "Read"}, ("not an access right",)),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(
    wire: Wire, places: dict[str, str], change: dict[str, object], says: tuple[str, ...]
) -> None:
    named = {
        name: bound(places[value]) if isinstance(value, str) and value in places else value
        for name, value in change.items()
    }

    answer = wire.send("GET", preview(named))

    assert answer.status_code == 400, answer.text
    for part in says:
        assert part in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"Kind": "SetManager", "User": "seller", "Manager": "seller"}, 400, "0x80041d25"),
        ({"Kind": "DisableUser", "User": f"systemusers({NOBODY})"}, 404, "0x80040217"),
        ({"Kind": "Share", "Target": "account", "Principal": "admin", "Rights": "ReadAccess"}, 400, "0x80040214"),
        ({"Kind": "MovePrincipal", "Principal": "default", "BusinessUnit": "unit"}, 400, "0x80048308"),
        ({"Kind": "JoinTeam", "Team": "default", "User": "seller"}, 400, "0x8004830b"),
    ],
)
def test_what_could_not_be_saved_is_refused_with_the_same_error(
    wire: Wire, places: dict[str, str], change: dict[str, object], status: int, code: str
) -> None:
    default = wire.send("GET", "teams?$filter=isdefault eq true&$top=1").json()["value"][0]["teamid"]
    known = {**places, "default": f"teams({default})", f"systemusers({NOBODY})": f"systemusers({NOBODY})"}
    named = {
        name: bound(known[value]) if isinstance(value, str) and value in known else value
        for name, value in change.items()
    }

    answer = wire.send("GET", preview(named))

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text


def test_questions_about_others_are_for_administrators(wire: Wire, places: dict[str, str]) -> None:
    """No caller learns more than it may read."""
    for path in (
        f"sr_WhoCan(Target=@t)?@t={at(places['account'])}",
        f"sr_WhatCan(Principal=@p)?@p={at(places['admin'])}",
        preview({"Kind": "DisableUser", "User": bound(places["seller"])}),
    ):
        wire.refused("GET", path, status=403, code="0x80048405", says=("System Administrator",), user="seller")


def test_a_right_that_is_none_or_cannot_be_counted_is_refused(wire: Wire, places: dict[str, str]) -> None:
    target, seller = at(places["account"]), at(places["seller"])
    for path in (
        f"sr_WhoCan(Target=@t,Right='Reading')?@t={target}",
        f"sr_WhoCan(Target=@t,Right='ReadAccess,WriteAccess')?@t={target}",
        f"sr_WhatCan(Principal=@p,Right='CreateAccess')?@p={seller}",
        preview({"Kind": "DisableUser", "User": bound(places["seller"])}, "CreateAccess"),
    ):
        assert wire.send("GET", path).status_code == 400


def test_each_question_leaves_an_entry_in_the_trail(wire: Wire, places: dict[str, str]) -> None:
    """SM-165: reads of security data are audited, under the row that they are about."""
    account = wire.create("accounts", {"name": "Asked about"})
    wire.send("GET", f"sr_WhoCan(Target=@t)?@t={at(f'accounts({account})')}")
    wire.send("GET", explain(places["seller"], f"accounts({account})"))

    entries = wire.send(
        "GET", f"audits?$filter=_objectid_value eq {account}&$orderby=createdon&$select=operation,action,changedata"
    ).json()["value"]

    asked = [json.loads(entry["changedata"])["changedAttributes"][0] for entry in entries if entry["operation"] == 4]
    assert {(entry["operation"], entry["action"]) for entry in entries[1:]} == {
        (Operation.ACCESS.value, Action.RETRIEVE.value)
    }
    assert [each["logicalName"] for each in asked] == ["sr_WhoCan", "sr_ExplainAccess"]
    assert asked[1]["newValue"].startswith("ReadAccess of systemuser,")


def test_metadata_lists_the_questions(wire: Wire) -> None:
    """WA-65, WA-410."""
    text = wire.send("GET", "$metadata").text

    for name, space in (
        ("sr_WhoCan", "WhoCanSee"),
        ("sr_WhatCan", "WhatCanSee"),
        ("sr_PreviewChange", "PreviewChange"),
    ):
        assert f'Name="{name}"' in text
        assert f"Strongroom.{space}" in text
