"""Sections 25 and 27: functions, actions and limits (WA-380 to WA-413, WA-430 to WA-434)."""

from urllib.parse import quote

import pytest
from tests.wire.client import NOBODY, NS, Api, Json, unique
from tests.wire.conftest import Person


def reference(entity_set: str, row: str, mark: str = "'") -> str:
    """An entity argument as clients write it."""
    return quote(f"{{{mark}@odata.id{mark}:{mark}{entity_set}({row}){mark}}}")


def user(row: str) -> Json:
    return {"@odata.type": f"{NS}.systemuser", "systemuserid": row}


def granted(row: str, to: str, mask: str) -> Json:
    target = {"@odata.type": f"{NS}.account", "accountid": row}
    return {"Target": target, "PrincipalAccess": {"Principal": user(to), "AccessMask": mask}}


def rights_of(api: Api, principal: str, row: str) -> str:
    call = f"systemusers({principal})/{NS}.RetrievePrincipalAccess(Target=@t)?@t={reference('accounts', row)}"
    return str(api.get(call)["AccessRights"])


def test_forms_of_a_call(api: Api) -> None:
    """WA-380, WA-382, WA-383: with and without parentheses, arguments inline and by alias."""
    me = api.get("WhoAmI")
    assert api.get("WhoAmI()") == me
    assert me["@odata.context"] == f"{api.root}$metadata#{NS}.WhoAmIResponse"
    assert {"BusinessUnitId", "UserId", "OrganizationId"} <= set(me)
    member = f"{NS}.EndpointAccessType'Default'"
    inline = api.get(f"RetrieveCurrentOrganization(AccessType={member})")
    assert inline == api.get(f"RetrieveCurrentOrganization(AccessType=@p1)?@p1={member}")
    assert {
        "OrganizationId",
        "FriendlyName",
        "OrganizationVersion",
        "EnvironmentId",
        "UrlName",
        "UniqueName",
        "State",
    } <= (set(inline["Detail"]))
    assert set(inline["Detail"]["Endpoints"]) >= {"Count", "Keys", "Values"}
    parts = api.get("RetrieveVersion")["Version"].split(".")
    assert (parts[:2], len(parts)) == (["9", "2"], 4)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "WhoAmI(Foo=1)", 400),
        ("GET", "RetrieveCurrentOrganization()", 400),
        ("GET", "RetrieveCurrentOrganization(AccessType=@p1)", 400),
        ("GET", f"RetrieveCurrentOrganization(AccessType={NS}.EndpointAccessType'Bogus')", 400),
        ("GET", "RetrieveTotalRecordCount(EntityNames=5)", 400),
        ("POST", "WhoAmI", 404),
        ("GET", "GrantAccess", 404),
        ("GET", "NoSuchFunction()", 404),
        ("POST", "NoSuchAction", 404),
        ("GET", f"systemusers({NOBODY})/RetrieveUserPrivileges", 404),
    ],
)
def test_calls_that_do_not_fit(api: Api, method: str, path: str, status: int) -> None:
    """WA-380: unknown and missing parameters 400; the unqualified bound name 404."""
    api.refused(method, path, {} if method == "POST" else None, status=status)


def test_parameter_names_are_case_sensitive(api: Api, reader: Person) -> None:
    """WA-380."""
    row = api.new("accounts", {"name": unique()})
    body = granted(row, reader.id, "ReadAccess")
    api.refused("POST", "GrantAccess", {"target": body["Target"], **body}, status=400, says="target")
    api.refused("POST", "GrantAccess", {"Target": body["Target"]}, status=400, says="PrincipalAccess")


@pytest.mark.parametrize(
    "name",
    ["WinOpportunity", "QualifyLead", "SetState", "Assign", "AssociateEntities", "ExecuteWorkflow", "SendEmail"],
)
def test_documented_names_that_are_not_offered_are_501(api: Api, name: str) -> None:
    """WA-59, WA-399, WA-402, WA-409."""
    for method in ("GET", "POST"):
        api.refused(method, name, {} if method == "POST" else None, status=501, says=name)


def test_privileges_of_a_user(api: Api, reader: Person, unit: str) -> None:
    """WA-386, WA-393, WA-412: depths as names."""
    answer = api.get(f"systemusers({reader.id})/{NS}.RetrieveUserPrivileges")
    read = next(each for each in answer["RolePrivileges"] if each["PrivilegeName"] == "prvReadAccount")
    assert (read["Depth"], read["BusinessUnitId"]) == ("Basic", unit)
    by_role = api.get(f"RetrieveRolePrivilegesRole(RoleId={reader.role})")["RolePrivileges"]
    assert {each["PrivilegeId"] for each in by_role} <= {each["PrivilegeId"] for each in answer["RolePrivileges"]}
    names = {each["name"] for each in api.rows("RetrievePrivilegeSet()")}
    assert {"prvReadAccount", "prvActOnBehalfOfAnotherUser"} <= names


def test_sharing(api: Api, reader: Person) -> None:
    """WA-387 to WA-390, WA-381, WA-411: rights in a fixed order, any order on input, both forms of a row."""
    row = api.new("accounts", {"name": unique()})
    assert rights_of(api, reader.id, row) == "CreateAccess"  # a right on no row in particular
    assert api.send("POST", "GrantAccess", granted(row, reader.id, "WriteAccess,ReadAccess")).status_code == 204
    assert rights_of(api, reader.id, row) == "ReadAccess, CreateAccess"  # Write takes the privilege, too
    shared = f"RetrieveSharedPrincipalsAndAccess(Target=@t)?@t={reference('accounts', row, chr(34))}"
    (access,) = api.get(shared)["PrincipalAccesses"]
    assert (access["AccessMask"], access["Principal"]["systemuserid"]) == ("ReadAccess, WriteAccess", reader.id)
    changed = granted(row, reader.id, "AssignAccess, DeleteAccess, ReadAccess")
    changed["Target"] = {"@odata.id": f"accounts({row})"}
    assert api.send("POST", "ModifyAccess", changed).status_code == 204
    assert api.get(shared)["PrincipalAccesses"][0]["AccessMask"] == "ReadAccess, DeleteAccess, AssignAccess"
    api.refused("POST", "GrantAccess", granted(row, reader.id, "Bogus"), status=400)
    revoked = {"Target": changed["Target"], "Revokee": user(reader.id)}
    assert api.send("POST", "RevokeAccess", revoked).status_code == 204
    assert api.get(shared)["PrincipalAccesses"] == []
    api.refused("POST", "GrantAccess", granted(NOBODY, reader.id, "ReadAccess"), status=404)


def test_teams_and_roles(api: Api, reader: Person, unit: str) -> None:
    """WA-391, WA-392, WA-412: members; privileges with depths as names and numbers."""
    me = api.get("WhoAmI")["UserId"]
    binds = {"businessunitid@odata.bind": f"businessunits({unit})"}
    team_body = {"name": unique("team"), "teamtype": 1, "administratorid@odata.bind": f"systemusers({me})", **binds}
    team = api.new("teams", team_body)
    members = f"teams({team})/teammembership_association?$select=systemuserid"
    for action, found in (("AddMembersTeam", [reader.id]), ("RemoveMembersTeam", [])):
        body = {"Members": [user(reader.id)]}
        assert api.send("POST", f"teams({team})/{NS}.{action}", body).status_code == 204
        assert [row["systemuserid"] for row in api.rows(members)] == found

    role = api.new("roles", {"name": unique("role"), **binds})
    wanted = "privileges?$select=privilegeid&$filter=name eq '{}'"
    read, write = (api.rows(wanted.format(name))[0]["privilegeid"] for name in ("prvReadAccount", "prvWriteAccount"))

    def held() -> dict[str, str]:
        rows = api.get(f"RetrieveRolePrivilegesRole(RoleId={role})")["RolePrivileges"]
        return {row["PrivilegeName"]: row["Depth"] for row in rows}

    local = {"PrivilegeId": read, "Depth": "Local", "BusinessUnitId": unit, "PrivilegeName": "prvReadAccount"}
    assert api.send("POST", f"roles({role})/{NS}.AddPrivilegesRole", {"Privileges": [local]}).status_code == 204
    assert held() == {"prvReadAccount": "Local"}
    deep = {"Privileges": [{"PrivilegeId": write, "Depth": 2}]}
    assert api.send("POST", f"roles({role})/{NS}.ReplacePrivilegesRole", deep).status_code == 204
    assert held() == {"prvWriteAccount": "Deep"}
    removed = {"PrivilegeId": write}
    assert api.send("POST", f"roles({role})/{NS}.RemovePrivilegeRole", removed).status_code == 204
    assert held() == {}
    bogus = {"Privileges": [{"PrivilegeId": read, "Depth": "Bogus"}]}
    api.refused("POST", f"roles({role})/{NS}.AddPrivilegesRole", bogus, status=400)


def test_record_counts(api: Api) -> None:
    """WA-394, WA-238."""
    api.new("accounts", {"name": unique()})
    for call in (
        "RetrieveTotalRecordCount(EntityNames=['account','contact'])",
        'RetrieveTotalRecordCount(EntityNames=@p)?@p=["account","contact"]',
    ):
        found = api.get(call)["EntityRecordCountCollection"]
        assert (found["Count"], found["IsReadOnly"], found["Keys"]) == (2, False, ["account", "contact"])
        assert found["Values"][0] >= 1


def test_history(api: Api) -> None:
    """WA-395 to WA-398: of a record, of one column, in pages, in detail; and its deletion."""
    row = api.new("accounts", {"name": "before"})
    assert api.send("PATCH", f"accounts({row})", {"name": "after"}).status_code == 204
    target = f"Target=@t{{}})?@t={reference('accounts', row)}"
    history = api.get(f"RetrieveRecordChangeHistory({target.format('')}")["AuditDetailCollection"]
    assert {"MoreRecords", "PagingCookie", "TotalRecordCount", "Count", "AuditDetails"} <= set(history)
    newest = history["AuditDetails"][0]
    assert newest["@odata.type"] == f"#{NS}.AttributeAuditDetail"
    assert (newest["OldValue"]["name"], newest["NewValue"]["name"]) == ("before", "after")
    page = "&@p=" + quote('{"PageNumber":1,"Count":1}')
    paged = api.get(f"RetrieveRecordChangeHistory({target.format(',PagingInfo=@p')}{page}")["AuditDetailCollection"]
    assert (paged["MoreRecords"], len(paged["AuditDetails"])) == (True, 1)
    column = ",AttributeLogicalName='name'"
    assert api.get(f"RetrieveAttributeChangeHistory({target.format(column)}")["AuditDetailCollection"]["Count"] == 2
    audit = api.rows(f"audits?$select=auditid&$filter=_objectid_value eq {row} and operation eq 2")[0]["auditid"]
    detail = api.get(f"audits({audit})/{NS}.RetrieveAuditDetails")["AuditDetail"]
    assert {"InvalidNewValueAttributes", "LocLabelLanguageCode", "DeletedAttributes", "OldValue", "NewValue"} <= set(
        detail
    )
    deleted = api.send("POST", "DeleteRecordChangeHistory", {"Target": {"@odata.id": f"accounts({row})"}})
    assert deleted.json()["DeletedEntriesCount"] == 2


def test_the_trail_is_read_only(api: Api, reader: Person) -> None:
    """WA-413."""
    row = api.new("contacts", {"lastname": unique()})
    assert api.send("DELETE", f"contacts({row})").status_code == 204
    me = api.get("WhoAmI")["UserId"]
    where = f"operation eq 3 and objecttypecode eq 'contact' and _userid_value eq {me} and _objectid_value eq {row}"
    (entry,) = api.rows(f"audits?$filter={where}")
    for method, path in (
        ("POST", "audits"),
        ("PATCH", f"audits({entry['auditid']})"),
        ("DELETE", f"audits({entry['auditid']})"),
    ):
        answer = api.send(method, path, None if method == "DELETE" else {"action": 1})
        assert answer.status_code in (400, 405), answer.text
    api.refused("GET", "audits", status=403, code="0x80040220", headers=reader.acting)


def test_initialize_from(api: Api) -> None:
    """WA-400."""
    row = api.new("accounts", {"name": unique()})
    call = "InitializeFrom(EntityMoniker=@p1,TargetEntityName=@p2,TargetFieldType=@p3)"
    rest = f"&@p2='contact'&@p3={NS}.TargetFieldType'ValidForCreate'"
    answer = api.get(f"{call}?@p1={reference('accounts', row)}{rest}")
    assert answer["parentcustomerid_account@odata.bind"] == f"/accounts({row})"


def test_answers_carry_what_is_left_of_the_limits(api: Api) -> None:
    """WA-432."""
    headers = api.send("GET", "accounts?$top=1&$select=name").headers
    assert int(headers["x-ms-ratelimit-burst-remaining-xrm-requests"]) >= 0
    assert float(headers["x-ms-ratelimit-time-remaining-xrm-requests"]) >= 0


@pytest.mark.parametrize(
    "path",
    [
        "accounts(",
        "accounts)",
        "accounts('",
        "(((",
        "accounts/((",
        "accounts?$filter=((((",
        "accounts?$apply=((((",
        "accounts?$expand=((((",
        "accounts?fetchXml=%00",
        "accounts?sql=%00",
        "WhoAmI(((",
        "RetrieveTotalRecordCount(EntityNames=[[[[[)",
        "EntityDefinitions(((",
        "EntityDefinitions(LogicalName='account')/Attributes(",
        "$batch",
        "%ff%fe",
    ],
)
def test_nothing_malformed_ends_in_a_5xx(api: Api, path: str) -> None:
    """WA-434."""
    for method in ("GET", "POST", "PATCH", "PUT", "DELETE"):
        answer = api.send(method, path, content=b"{" if method != "GET" else None)
        assert answer.status_code < 500, f"{method} {path}: {answer.text}"
        assert answer.json()["error"]["message"]
