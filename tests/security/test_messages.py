"""Messages are doors too: what acts on a row, or tells about it, takes the rights that the plain way takes."""

import pytest
from tests.security.realm import NS, Json, Realm, privileges
from tests.security.test_escalation import NO_ACCESS, NO_PRIVILEGE, new_name


def entity(table: str, row: object) -> Json:
    """A row as messages name it."""
    return {"@odata.type": f"{NS}{table}", f"{table}id": str(row)}


@pytest.mark.parametrize("who", ["ann", "hal"])
def test_moving_a_user_does_not_bring_its_rows(realm: Realm, who: str) -> None:
    """WA-406: SetBusinessSystemUser assigns, and needs what an assign needs."""
    path = f"systemusers({realm.people['bob']})/{NS}SetBusinessSystemUser"
    body = {
        "BusinessUnit": entity("businessunit", realm.ids["north"]),
        "ReassignPrincipal": entity("systemuser", realm.people[who]),
    }
    assert realm.send(who, "POST", path, body).status == 403
    assert realm.get("bob", f"accounts({realm.ids['account of bob']})").status == 200


def test_who_may_move_users_does_not_take_their_rows(realm: Realm) -> None:
    """SM-90: Assign is asked for every row."""
    who = new_name()
    rights = privileges(("systemuser", "businessunit"), "Global", realm.schema) | {"prvReparentUser": "Global"}
    rights |= privileges(("account", "contact", "task"), "Basic", realm.schema)
    realm.user(who, realm.ids["north"], realm.role(new_name(), realm.ids["root"], rights))
    body = {
        "BusinessUnit": entity("businessunit", realm.ids["north"]),
        "ReassignPrincipal": entity("systemuser", realm.people[who]),
    }
    answer = realm.send(who, "POST", f"systemusers({realm.people['bob']})/{NS}SetBusinessSystemUser", body)
    assert answer.refusal == NO_ACCESS
    assert realm.get(who, f"accounts({realm.ids['account of bob']})").refusal == NO_ACCESS


def test_the_manager_is_not_set_by_its_message_either(realm: Realm) -> None:
    """SM-141: prvAssignManager."""
    path = f"systemusers({realm.people['bob']})/{NS}SetParentSystemUser"
    body = {"Parent": entity("systemuser", realm.people["hal"]), "KeepChildUsers": True}
    assert realm.send("hal", "POST", path, body).refusal == NO_PRIVILEGE


@pytest.mark.parametrize("into", ["ann", "bob"])
def test_a_merge_reaches_both_rows_or_none(realm: Realm, into: str) -> None:
    """SM-114."""
    other = "bob" if into == "ann" else "ann"
    body = {
        "Target": entity("account", realm.ids[f"account of {into}"]),
        "Subordinate": entity("account", realm.ids[f"account of {other}"]),
        "PerformParentingChecks": False,
    }
    assert realm.send("ann", "POST", "Merge", body).refusal == NO_ACCESS


def test_a_team_of_a_row_is_not_joined_without_share(realm: Realm) -> None:
    """SM-57, SM-73."""
    template = realm.create(
        "teamtemplates", {"teamtemplatename": new_name(), "objecttypecode": 1, "defaultaccessrightsmask": 3}
    )
    path = f"systemusers({realm.people['ann']})/{NS}AddUserToRecordTeam"
    body = {
        "Record": entity("account", realm.ids["account of bob"]),
        "TeamTemplate": entity("teamtemplate", template),
    }
    assert realm.send("ann", "POST", path, body).refusal == NO_ACCESS


@pytest.mark.parametrize(
    "path",
    [
        "RetrieveAccessOrigin(ObjectId={row},LogicalName='account',PrincipalId={bob})",
        "systemusers({bob})/Microsoft.Dynamics.CRM.RetrievePrincipalAccessInfo(ObjectId={row},EntityName='account')",
        "InitializeFrom(EntityMoniker=@t,TargetEntityName='contact',"
        "TargetFieldType=Microsoft.Dynamics.CRM.TargetFieldType'ValidForCreate')?@t={target}",
        "RetrieveSharedPrincipalsAndAccess(Target=@t)?@t={target}",
    ],
)
def test_what_tells_about_a_row_takes_read_on_it(realm: Realm, path: str) -> None:
    """SM-170, SM-79."""
    row = realm.ids["account of bob"]
    target = f"{{'@odata.id':'accounts({row})'}}"
    asked = path.format(row=row, bob=realm.people["bob"], target=target)
    assert realm.get("ann", asked).refusal == NO_ACCESS
    assert realm.get("nobody", asked).refusal == (403, "0x80042f09")


def test_who_else_has_access_is_for_administrators(realm: Realm) -> None:
    """SM-164."""
    target = f"@t={{'@odata.id':'accounts({realm.ids['account of ann']})'}}"
    path = f"sr_WhoCan(Target=@t,Right=@r)?{target}&@r='ReadAccess'"
    assert realm.get("ann", path).status == 403
    assert realm.get("admin", path).status == 200


def test_the_roles_of_others_are_rows(realm: Realm) -> None:
    """SM-3: RetrieveAadUserRoles shows roles that the caller may read; one's own are always told."""
    ids = {
        who: realm.get("admin", f"systemusers({realm.people[who]})").json["azureactivedirectoryobjectid"]
        for who in ("ann", "bob")
    }
    assert realm.get("ann", f"RetrieveAadUserRoles(DirectoryObjectId={ids['bob']})").refusal == NO_PRIVILEGE
    assert len(realm.get("hal", f"RetrieveAadUserRoles(DirectoryObjectId={ids['bob']})").rows) == 1
    assert len(realm.get("ann", f"RetrieveAadUserRoles(DirectoryObjectId={ids['ann']})").rows) == 1


# --- who may do nothing ----------------------------------------------------------------------------------------


def test_a_user_without_roles_gets_no_further_than_its_own_name(realm: Realm) -> None:
    """SM-62, SM-172."""
    assert realm.get("nobody", "WhoAmI()").status == 200
    for path in ("accounts", f"accounts({realm.ids['account of ann']})", "accounts/$count", "systemusers"):
        assert realm.get("nobody", path).refusal == (403, "0x80042f09")
    assert realm.send("nobody", "POST", "accounts", {"name": "x"}).refusal == (403, "0x80042f09")


@pytest.mark.parametrize("how", ["user", "unit", "unit above"])
def test_a_disabled_user_gets_nowhere_from_the_next_request_on(realm: Realm, how: str) -> None:
    """SM-4, SM-60, SM-61, WA-23: also not as somebody for whom others act."""
    above = realm.unit(new_name(), realm.ids["root"])
    unit = realm.unit(new_name(), above)
    who = new_name()
    user = realm.user(who, unit, realm.ids["seller"])
    assert realm.get(who, "accounts").status == 200

    target = {"user": f"systemusers({user})", "unit": f"businessunits({unit})", "unit above": f"businessunits({above})"}
    realm.must("admin", "PATCH", target[how], {"isdisabled": True})
    assert realm.get(who, "accounts").status == 401
    assert realm.get(who, "WhoAmI()").status == 401
    acting = realm.send("admin", "GET", "accounts", headers={"MSCRMCallerID": user})
    assert acting.refusal == (403, "0x80040225")

    realm.must("admin", "PATCH", target[how], {"isdisabled": False})
    assert realm.get(who, "accounts").status == 200
