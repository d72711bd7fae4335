"""Messages about rows, people and their access, as clients send them (WA-401, WA-403, WA-406, WA-407, SM-57, SM-89,
SM-114, SM-171)."""

import json
from typing import cast

import pytest
from tests.security.realm import NS, ROOT, Answer, Json, Realm

READ_WRITE = 3


def entity(table: str, row: str) -> Json:
    """A row as an argument."""
    return {"@odata.type": f"{NS}{table}", f"{table}id": row}


def merge(realm: Realm, who: str, target: str, subordinate: str, content: Json | None = None, **more: object) -> Answer:
    body: Json = {"Target": entity("account", target), "Subordinate": entity("account", subordinate), **more}
    if content is not None:
        body["UpdateContent"] = {"@odata.type": f"{NS}account", **content}
    return realm.send(who, "POST", "Merge", body)


def account(realm: Realm, name: str, by: str = "admin", **values: object) -> str:
    return realm.create("accounts", {"name": name, **values}, by=by)


# --- access teams ------------------------------------------------------------------------------------------------


def test_a_user_is_added_to_the_access_team_of_a_row_and_taken_out(realm: Realm) -> None:
    """SM-57: the names of parameters, answer and navigation."""
    row = account(realm, "Shared by team")
    body = {"teamtemplatename": "Deal", "objecttypecode": 1, "defaultaccessrightsmask": READ_WRITE}
    template = realm.create("teamtemplates", body)
    arguments = {"Record": entity("account", row), "TeamTemplate": entity("teamtemplate", template)}
    bound = f"systemusers({realm.people['bob']})/{NS}"

    added = realm.must("admin", "POST", f"{bound}AddUserToRecordTeam", arguments)
    assert added.json["@odata.context"].endswith("$metadata#Microsoft.Dynamics.CRM.AddUserToRecordTeamResponse")
    team = added.json["AccessTeamId"]
    assert realm.get("bob", f"accounts({row})?$select=name").status == 200
    shown = realm.get("admin", f"teams({team})?$select=teamtype,systemmanaged&$expand=associatedteamtemplateid").json
    assert (shown["teamtype"], shown["systemmanaged"]) == (1, True)
    assert shown["associatedteamtemplateid"]["teamtemplateid"] == template
    listed = realm.get("admin", f"teamtemplates({template})/teamtemplate_Teams?$select=teamid").rows
    assert [each["teamid"] for each in listed] == [team]

    removed = realm.must("admin", "POST", f"{bound}RemoveUserFromRecordTeam", arguments)
    assert removed.json["AccessTeamId"] == team
    assert realm.get("bob", f"accounts({row})").status == 403
    assert realm.get("admin", f"teams({team})").status == 404


def test_an_owner_team_is_converted_by_its_message(realm: Realm) -> None:
    """SM-56."""
    team = realm.team("to convert", realm.ids["root"])
    assert realm.must("admin", "POST", f"teams({team})/{NS}ConvertOwnerTeamToAccessTeam").status == 204
    assert realm.get("admin", f"teams({team})?$select=teamtype").json["teamtype"] == 1
    full = realm.team("with a role", realm.ids["root"], realm.ids["reader"])
    refused = realm.send("admin", "POST", f"teams({full})/{NS}ConvertOwnerTeamToAccessTeam")
    assert refused.refusal == (400, "0x80048336")


# --- merge -------------------------------------------------------------------------------------------------------


def test_merge_moves_the_children_and_deactivates_the_subordinate(realm: Realm) -> None:
    """WA-401, SM-114."""
    target, subordinate = account(realm, "Stays"), account(realm, "Goes")
    contact = realm.create(
        "contacts", {"lastname": "C", "parentcustomerid_account@odata.bind": f"/accounts({subordinate})"}
    )
    task = realm.create(
        "tasks", {"subject": "T", "regardingobjectid_account_task@odata.bind": f"/accounts({subordinate})"}
    )

    content = {"accountnumber": "1234", "primarycontactid@odata.bind": f"/contacts({contact})"}
    assert merge(realm, "admin", target, subordinate, content, PerformParentingChecks=False).status == 204

    kept = realm.get("admin", f"accounts({target})?$select=name,accountnumber,_primarycontactid_value,statecode").json
    assert (kept["name"], kept["accountnumber"], kept["statecode"]) == ("Stays", "1234", 0)
    assert kept["_primarycontactid_value"] == contact
    gone = realm.get("admin", f"accounts({subordinate})?$select=merged,statecode,statuscode,_masterid_value").json
    assert (gone["merged"], gone["statecode"], gone["statuscode"]) == (True, 1, 2)
    assert gone["_masterid_value"] == target
    assert realm.get("admin", f"contacts({contact})").json["_parentcustomerid_value"] == target
    assert realm.get("admin", f"tasks({task})").json["_regardingobjectid_value"] == target


def test_merge_passes_the_access_to_the_target_on_to_children_that_arrive(realm: Realm) -> None:
    """SM-83, SM-86, SM-114: a child leaves one parent and comes under the other."""
    target, subordinate = account(realm, "Target"), account(realm, "Subordinate")
    task = realm.create(
        "tasks", {"subject": "T", "regardingobjectid_account_task@odata.bind": f"/accounts({subordinate})"}
    )
    realm.share("account", subordinate, "ann", "ReadAccess")
    realm.share("account", target, "bob", "ReadAccess")
    assert realm.get("ann", f"tasks({task})").status == 200
    merge(realm, "admin", target, subordinate)
    assert realm.get("ann", f"tasks({task})").status == 403
    assert realm.get("bob", f"tasks({task})").status == 200


@pytest.mark.parametrize(
    ("table", "body"),
    [("contact", {"lastname": "X"}), ("lead", {"lastname": "X", "subject": "X"}), ("account", {"name": "X"})],
)
def test_other_tables_merge_too(realm: Realm, table: str, body: Json) -> None:
    """WA-401."""
    one, two = (realm.create(f"{table}s", body) for _ in range(2))
    arguments = {"Target": entity(table, one), "Subordinate": entity(table, two), "PerformParentingChecks": False}
    assert realm.send("admin", "POST", "Merge", arguments).status == 204
    assert realm.get("admin", f"{table}s({two})?$select=merged").json["merged"] is True


def test_cases_merge_into_cancelled_and_merged(realm: Realm) -> None:
    """WA-401."""
    customer = account(realm, "Customer")
    body = {"title": "Case", "customerid_account@odata.bind": f"/accounts({customer})"}
    one, two = (realm.create("incidents", body) for _ in range(2))
    arguments = {"Target": entity("incident", one), "Subordinate": entity("incident", two)}
    assert realm.send("admin", "POST", "Merge", {**arguments, "PerformParentingChecks": True}).status == 204
    gone = realm.get("admin", f"incidents({two})?$select=statecode,statuscode").json
    assert (gone["statecode"], gone["statuscode"]) == (2, 2000)


def test_merge_takes_read_and_write_on_both_and_append_to_on_the_target(realm: Realm) -> None:
    """SM-114: nothing has changed after a refusal (SM-6)."""
    own, foreign = account(realm, "Own", by="ann"), account(realm, "Foreign")
    assert merge(realm, "ann", own, foreign, {"name": "Taken"}).refusal == (403, "0x80048306")
    assert merge(realm, "ann", foreign, own, {"name": "Taken"}).refusal == (403, "0x80048306")
    assert realm.get("admin", f"accounts({own})?$select=name").json["name"] == "Own"
    assert merge(realm, "rex", own, foreign).refusal == (403, "0x80040220")
    realm.share("account", foreign, "ann", "ReadAccess, WriteAccess")
    assert merge(realm, "ann", foreign, own).refusal == (403, "0x80048306"), "AppendTo is missing on the target"
    assert merge(realm, "ann", own, foreign).status == 204


def test_a_merge_moves_no_child_that_its_caller_may_not_write_and_append(realm: Realm) -> None:
    """SM-110, SM-111, SM-114, SM-6: a move opens a child to whom the target is shared with, so it is a change of it."""
    own, other = account(realm, "Own", by="ann"), account(realm, "Other")
    task = realm.create("tasks", {"subject": "T", "regardingobjectid_account_task@odata.bind": f"/accounts({other})"})
    realm.share("account", other, "ann", "ReadAccess, WriteAccess")  # which the task inherits
    assert merge(realm, "ann", own, other).refusal == (403, "0x80048306")
    assert realm.get("admin", f"tasks({task})").json["_regardingobjectid_value"] == other
    assert realm.get("admin", f"accounts({other})?$select=merged").json["merged"] is not True
    assert merge(realm, "admin", own, other).status == 204
    assert realm.get("admin", f"tasks({task})").json["_regardingobjectid_value"] == own


@pytest.mark.parametrize("message", ["PublishXml", "PublishAllXml"])
def test_publishing_takes_its_privilege(realm: Realm, message: str) -> None:
    """WA-349, SM-20: prvPublishCustomization, although nothing needs publishing."""
    assert realm.send("ann", "POST", message, {}).refusal == (403, "0x80040220")
    assert realm.send("admin", "POST", message, {}).status == 204


def test_what_cannot_be_merged_is_refused(realm: Realm) -> None:
    """WA-401."""
    one, two, three = account(realm, "1"), account(realm, "2"), account(realm, "3")
    assert merge(realm, "admin", one, one).status == 400
    assert merge(realm, "admin", one, two).status == 204
    assert merge(realm, "admin", three, two).status == 400, "merged already"
    child = account(realm, "Child", **{"parentaccountid@odata.bind": f"/accounts({three})"})
    assert merge(realm, "admin", one, child, PerformParentingChecks=True).status == 400
    task = realm.create("tasks", {"subject": "T"})
    wrong = {"Target": {"@odata.type": f"{NS}task", "activityid": task}, "Subordinate": entity("account", one)}
    assert realm.send("admin", "POST", "Merge", wrong).status == 400


def test_a_target_below_its_subordinate_loses_that_parent(realm: Realm) -> None:
    """SM-114: a row never becomes its own parent."""
    subordinate = account(realm, "Parent")
    target = account(realm, "Child", **{"parentaccountid@odata.bind": f"/accounts({subordinate})"})
    assert merge(realm, "admin", target, subordinate).status == 204
    assert realm.get("admin", f"accounts({target})").json["_parentaccountid_value"] is None


# --- inherited access --------------------------------------------------------------------------------------------


def test_reset_inherited_access_ends_parts_of_relationships_that_pass_nothing_on(realm: Realm) -> None:
    """SM-89."""
    parent = account(realm, "Parent")
    task = realm.create("tasks", {"subject": "T", "regardingobjectid_account_task@odata.bind": f"/accounts({parent})"})
    realm.share("account", parent, "ann", "ReadAccess")
    assert realm.get("ann", f"tasks({task})").status == 200
    query = (
        '<fetch><entity name="principalobjectaccess"><attribute name="principalobjectaccessid"/>'
        f'<filter><condition attribute="objectid" operator="eq" value="{task}"/></filter></entity></fetch>'
    )
    call = f"ResetInheritedAccess(FetchXml=@q)?@q='{query.replace('=', '%3D')}'"

    assert "on 0 shares" in realm.must("admin", "GET", call).json["ResetInheritedAccessResponse"]
    assert realm.get("ann", f"tasks({task})").status == 200, "the relationship still cascades"

    definition = "RelationshipDefinitions(SchemaName='Account_Tasks')"
    was = realm.get("admin", definition).json
    off = {**was["CascadeConfiguration"], "Share": "NoCascade", "Reparent": "NoCascade"}
    one_to_many = f"{NS}OneToManyRelationshipMetadata"
    realm.must("admin", "PUT", definition, {**was, "@odata.type": one_to_many, "CascadeConfiguration": off})
    try:
        assert realm.get("ann", f"tasks({task})").status == 200, "what was passed on stays until it is reset"
        assert realm.send("ann", "GET", call).status == 403
        assert "on 1 shares" in realm.must("admin", "GET", call).json["ResetInheritedAccessResponse"]
        assert realm.get("ann", f"tasks({task})").status == 403
    finally:
        realm.must("admin", "PUT", definition, {**was, "@odata.type": one_to_many})


# --- moving users ------------------------------------------------------------------------------------------------


def test_a_user_moves_with_its_rows_or_leaves_them_to_another(realm: Realm) -> None:
    """WA-406, SM-26, SM-27."""
    realm.user("moe", realm.ids["north"], realm.ids["seller"])
    row = account(realm, "Moe's", by="moe")
    move = f"systemusers({realm.people['moe']})/{NS}SetBusinessSystemUser"
    to_south: Json = {"BusinessUnit": entity("businessunit", realm.ids["south"])}
    stays = {"ReassignPrincipal": entity("systemuser", realm.people["moe"])}

    assert realm.must("admin", "POST", move, {**to_south, **stays}).status == 204
    assert realm.get("admin", f"accounts({row})").json["_owningbusinessunit_value"] == realm.ids["south"]
    assert realm.get("moe", "accounts").refusal == (403, "0x80042f09"), "roles are taken by a move"

    to_north = {"BusinessUnit": entity("businessunit", realm.ids["north"])}
    to_bob = {"ReassignPrincipal": entity("systemuser", realm.people["bob"])}
    realm.must("admin", "POST", move, {**to_north, **to_bob})
    shown = realm.get("admin", f"accounts({row})").json
    assert (shown["_ownerid_value"], shown["_owningbusinessunit_value"]) == (realm.people["bob"], realm.ids["south"])
    assert realm.send("ann", "POST", move, {**to_south, **stays}).status == 403
    assert realm.send("admin", "POST", move, {**to_south, **stays, "DoNotMoveAllRecords": True}).status == 400


def test_a_new_manager_keeps_the_reports_or_hands_them_up(realm: Realm) -> None:
    """WA-406."""
    for name in ("top", "mid", "low", "new"):
        realm.user(name, realm.ids["north"], realm.ids["seller"])

    def set_parent(who: str, parent: str, *, keep: bool) -> None:
        body = {"Parent": entity("systemuser", realm.people[parent]), "KeepChildUsers": keep}
        realm.must("admin", "POST", f"systemusers({realm.people[who]})/{NS}SetParentSystemUser", body)

    def parent_of(who: str) -> object:
        return realm.get("admin", f"systemusers({realm.people[who]})").json["_parentsystemuserid_value"]

    set_parent("mid", "top", keep=True)
    set_parent("low", "mid", keep=True)
    set_parent("mid", "new", keep=True)
    assert (parent_of("mid"), parent_of("low")) == (realm.people["new"], realm.people["mid"])
    set_parent("mid", "top", keep=False)
    assert (parent_of("mid"), parent_of("low")) == (realm.people["top"], realm.people["new"])
    looped = {"Parent": entity("systemuser", realm.people["mid"]), "KeepChildUsers": True}
    answer = realm.send("admin", "POST", f"systemusers({realm.people['top']})/{NS}SetParentSystemUser", looped)
    assert answer.refusal == (400, "0x80041d25")


# --- privileges --------------------------------------------------------------------------------------------------


def test_privileges_are_narrowed_by_ids_and_names(realm: Realm) -> None:
    """WA-407, SM-171."""
    known = realm.schema.privileges_by_name
    bound = f"systemusers({realm.people['ann']})/{NS}"
    directory = realm.get("admin", f"systemusers({realm.people['ann']})").json["azureactivedirectoryobjectid"]
    ids = json.dumps([known["prvReadAccount"].id, known["prvReadLead"].id])
    names = json.dumps(["prvReadAccount", "prvReadLead"])
    calls = (
        f"{bound}RetrieveUserSetOfPrivilegesByIds(PrivilegeIds=@p)?@p={ids}",
        f"{bound}RetrieveUserSetOfPrivilegesByNames(PrivilegeNames=@p)?@p={names}",
        f"{bound}RetrieveUserPrivilegeByPrivilegeId(PrivilegeId={known['prvReadAccount'].id})",
        f"{bound}RetrieveUserPrivilegeByPrivilegeName(PrivilegeName='prvReadAccount')",
        f"RetrieveAadUserSetOfPrivilegesByIds(DirectoryObjectId={directory},PrivilegeIds=@p)?@p={ids}",
        f"RetrieveAadUserSetOfPrivilegesByNames(DirectoryObjectId={directory},PrivilegeNames=@p)?@p={names}",
    )
    for call in calls:
        listed = cast("list[Json]", realm.must("admin", "GET", call).json["RolePrivileges"])
        assert [(each["PrivilegeName"], each["Depth"]) for each in listed] == [("prvReadAccount", "Basic")], call
    all_of_them = realm.must("admin", "GET", f"{bound}RetrieveUserPrivileges()").json["RolePrivileges"]
    asked = f"RetrieveAadUserPrivileges(DirectoryObjectId={directory})"
    assert realm.must("admin", "GET", asked).json["RolePrivileges"] == all_of_them
    roles = realm.must("admin", "GET", f"RetrieveAadUserRoles(DirectoryObjectId={directory})").json
    assert [role["name"] for role in cast("list[Json]", roles["value"])] == ["seller"]


def test_what_does_not_exist_is_named(realm: Realm) -> None:
    """WA-407, WA-56."""
    bound = f"systemusers({realm.people['ann']})/{NS}"
    unknown = realm.get("admin", f"{bound}RetrieveUserPrivilegeByPrivilegeName(PrivilegeName='prvFly')")
    assert unknown.status == 400
    assert "prvFly" in unknown.text
    nobody = "00000000-0000-0000-0000-000000000009"
    assert realm.get("admin", f"RetrieveAadUserPrivileges(DirectoryObjectId={nobody})").status == 404


def test_privileges_of_others_take_read_on_them(realm: Realm) -> None:
    """SM-171."""
    directory = realm.get("admin", f"systemusers({realm.people['ann']})").json["azureactivedirectoryobjectid"]
    for call in (
        f"RetrieveAadUserPrivileges(DirectoryObjectId={directory})",
        f"RetrieveAadUserRoles(DirectoryObjectId={directory})",
        f"systemusers({realm.people['ann']})/{NS}RetrieveUserPrivilegeByPrivilegeName(PrivilegeName='prvReadAccount')",
    ):
        assert realm.get("rex", call).status == 403, call
        assert realm.get("ann", call).status == 200, call


def test_roles_of_others_are_told_to_who_may_read_them(realm: Realm) -> None:
    """SM-3, WA-407."""
    directory = realm.get("admin", f"systemusers({realm.people['ann']})").json["azureactivedirectoryobjectid"]
    call = f"RetrieveAadUserRoles(DirectoryObjectId={directory})"
    assert realm.get("bob", call).refusal == (403, "0x80040220"), "Bob reads users, and no roles"
    assert len(realm.must("hal", "GET", call).json["value"]) == 1


# --- access of others --------------------------------------------------------------------------------------------


def test_access_info_tells_rights_by_source(realm: Realm) -> None:
    """SM-170: as RetrievePrincipalAccess, by roles, shares and hierarchy."""
    row = realm.create("accounts", {"name": "Info", "ownerid@odata.bind": f"/systemusers({realm.people['bob']})"})
    realm.share("account", row, "ann", "ReadAccess, WriteAccess")
    call = f"{NS}RetrievePrincipalAccessInfo(ObjectId={row},EntityName='account')"

    def info(who: str) -> Json:
        said = realm.must("admin", "GET", f"systemusers({realm.people[who]})/{call}").json["AccessInfo"]
        return cast(Json, json.loads(said))

    ann, bob = info("ann"), info("bob")
    assert ann["PoaAccessRights"] == "ReadAccess, WriteAccess"
    assert ann["HsmAccessRights"] == "None"
    assert "DeleteAccess" in bob["RoleAccessRights"]
    target = json.dumps({"@odata.id": f"{ROOT}accounts({row})"})
    for who, found in (("ann", ann), ("bob", bob)):
        asked = f"systemusers({realm.people[who]})/{NS}RetrievePrincipalAccess(Target=@t)?@t={target}"
        assert found["GrantedAccessRights"] == realm.must("admin", "GET", asked).json["AccessRights"]


def test_access_origin_says_where_read_comes_from(realm: Realm) -> None:
    """SM-160: the first source in the words of the documentation."""
    row = realm.create("accounts", {"name": "Origin", "ownerid@odata.bind": f"/systemusers({realm.people['bob']})"})

    def origin(who: str) -> str:
        call = f"RetrieveAccessOrigin(ObjectId={row},LogicalName='account',PrincipalId={realm.people[who]})"
        return cast(str, realm.must("admin", "GET", call).json["Response"])

    assert origin("bob") == f"PrincipalId is owner of object ({row})"
    assert origin("ann") == f"PrincipalId does not have access to object ({row})"
    assert "security role" in origin("rex")
    realm.share("account", row, "ann", "ReadAccess")
    assert "through a share" in origin("ann")
    team = realm.team("owners of origin", realm.ids["south"], realm.ids["seller"], members=("bob",))
    realm.must("admin", "PATCH", f"accounts({row})", {"ownerid@odata.bind": f"/teams({team})"})
    assert origin("bob") == f"PrincipalId is member of team ({team}) who is owner of object ({row})"


def test_asking_where_access_comes_from_takes_read_on_the_row(realm: Realm) -> None:
    """SM-170."""
    row = account(realm, "Unseen")
    call = f"RetrieveAccessOrigin(ObjectId={row},LogicalName='account',PrincipalId={realm.people['bob']})"
    assert realm.get("ann", call).status == 403
    assert realm.get("rex", call).status == 200


def test_questions_about_access_are_told_to_the_trail(realm: Realm) -> None:
    """SM-165: who asked about whom, of which row."""
    row = account(realm, "Asked about")
    bob = realm.people["bob"]
    realm.must("rex", "GET", f"RetrieveAccessOrigin(ObjectId={row},LogicalName='account',PrincipalId={bob})")
    call = f"{NS}RetrievePrincipalAccessInfo(ObjectId={row},EntityName='account')"
    realm.must("rex", "GET", f"systemusers({bob})/{call}")
    asked = f"_objectid_value eq {row} and operation eq 4 and _userid_value eq {realm.people['rex']}"
    told = realm.get("admin", f"audits?$filter={asked}&$orderby=createdon,auditid").rows
    assert [f"systemuser,{bob}" in str(each["changedata"]) for each in told] == [True, True]


# --- states ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "status", "valid"),
    [("Active", 1, True), ("inactive", 2, True), ("Active", 2, False), ("1", -1, True), ("Gone", 1, False)],
)
def test_valid_state_transitions(realm: Realm, state: str, status: int, valid: bool) -> None:
    """WA-403."""
    target = json.dumps({"@odata.id": f"{ROOT}accounts({realm.ids['account of ann']})"})
    call = f"IsValidStateTransition(Entity=@e,NewState='{state}',NewStatus={status})?@e={target}"
    assert realm.must("ann", "GET", call).json["IsValid"] is valid


def test_every_new_message_is_in_the_metadata(realm: Realm) -> None:
    """WA-65."""
    text = realm.get("admin", "$metadata", accept="application/xml").text
    for name in (
        "Merge",
        "AddUserToRecordTeam",
        "RetrieveAccessOrigin",
        "ResetInheritedAccess",
        "SetBusinessSystemUser",
    ):
        assert f'Name="{name}"' in text
