"""Section 26: impersonation and optional parameters (WA-420 to WA-426)."""

import pytest
from tests.servers import RunningServer
from tests.wire.client import NOBODY, Api, Person, unique


def test_an_administrator_acts_for_another_user(api: Api, reader: Person) -> None:
    """WA-420: by directory id or by id, in any spelling; the first wins."""
    me = api.get("WhoAmI")["UserId"]
    for headers in (
        {"CallerObjectId": reader.object_id},
        {"CallerObjectId": reader.object_id.upper()},
        {"MSCRMCallerID": reader.id},
        {"MSCRMCallerID": f"{{{reader.id.upper()}}}"},
        {"CallerObjectId": reader.object_id, "MSCRMCallerID": me},
    ):
        assert api.get("WhoAmI", headers)["UserId"] == reader.id, headers


@pytest.mark.parametrize("name", ["CallerObjectId", "MSCRMCallerID"])
def test_a_caller_that_is_not_there_is_refused(api: Api, name: str) -> None:
    """WA-420: malformed 400, unknown 403."""
    api.refused("GET", "WhoAmI", status=400, says=name, headers={name: "abc"})
    api.refused("GET", "WhoAmI", status=403, headers={name: NOBODY})


def test_a_disabled_user_is_not_acted_for(api: Api, unit: str) -> None:
    """WA-420."""
    name = f"{unique('gone').replace(' ', '')}@wire"
    body = {"firstname": "Gone", "lastname": unique(), "domainname": name, "internalemailaddress": f"{name}.example"}
    user = api.new("systemusers", {**body, "businessunitid@odata.bind": f"businessunits({unit})"})
    api.send("PATCH", f"systemusers({user})", {"isdisabled": True})
    api.refused("GET", "accounts", status=403, headers={"MSCRMCallerID": user})
    api.refused("GET", "WhoAmI", status=403, headers={"MSCRMCallerID": user})


def test_acting_for_others_is_a_privilege(api: Api, server: RunningServer, reader: Person) -> None:
    """WA-420."""
    theirs = Api(api.root, server.token("reader@wire"), api.http)
    me = api.get("WhoAmI")["UserId"]
    says = "User does not have the privilege to act on behalf another user."

    assert theirs.get("WhoAmI")["UserId"] == reader.id
    theirs.refused("GET", "WhoAmI", status=403, code="0x8004a110", says=says, headers={"MSCRMCallerID": me})


def test_effective_rights_are_those_of_both(api: Api, reader: Person) -> None:
    """WA-420: the administrator may, the user may not."""
    api.refused("GET", "tasks", status=403, code="0x80040220", says=reader.id, headers=reader.acting)
    assert api.send("GET", "accounts?$top=1", headers=reader.acting).status_code == 200


def test_rows_tell_who_acted_for_whom(api: Api, reader: Person) -> None:
    """WA-421: in the row and in the audit trail."""
    me = api.get("WhoAmI")["UserId"]
    row = api.new("accounts", {"name": unique()}, reader.acting)
    names = [
        "_createdby_value",
        "_createdonbehalfby_value",
        "_modifiedby_value",
        "_modifiedonbehalfby_value",
        "_ownerid_value",
    ]
    shown = api.get(f"accounts({row})?$select={','.join(names)}")
    assert [shown[name] for name in names] == [reader.id, me, reader.id, me, reader.id]
    entry = api.rows(f"audits?$select=_userid_value,_callinguserid_value&$filter=_objectid_value eq {row}")[0]
    assert (entry["_userid_value"], entry["_callinguserid_value"]) == (reader.id, me)
    plain = api.new("accounts", {"name": unique()})
    assert api.get(f"accounts({plain})?$select=_createdonbehalfby_value")["_createdonbehalfby_value"] is None


def test_headers_of_dataverse_are_accepted(api: Api) -> None:
    """WA-422, WA-424, WA-426: with the names in any case."""
    headers = {
        "MSCRM.SuppressDuplicateDetection": "true",
        "MSCRM.SolutionUniqueName": "Default",
        "MSCRM.Mergelabels": "true",
        "Consistency": "Strong",
    }
    assert api.send("POST", "accounts", {"name": unique()}, headers=headers).status_code == 204


def test_a_tag_is_kept_with_the_audit_entry(api: Api) -> None:
    """WA-425: on every request."""
    tag = unique("import")
    assert api.send("GET", f"accounts?$top=1&tag={tag}").status_code == 200
    row = api.new(f"accounts?tag={tag}", {"name": unique()})
    entry = api.rows(f"audits?$filter=_objectid_value eq {row}")[0]
    assert tag in str(entry["useradditionalinfo"] or "") + str(entry["additionalinfo"] or "")


def test_a_change_of_rights_holds_for_the_next_request(api: Api, unit: str, reader: Person) -> None:
    """WA-426, SM-4."""
    role = api.new("roles", {"name": unique("more"), "businessunitid@odata.bind": f"businessunits({unit})"})
    privilege = api.rows("privileges?$select=privilegeid&$filter=name eq 'prvReadCurrency'")
    if not privilege:
        privilege = api.rows("privileges?$select=privilegeid&$filter=name eq 'prvReadTransactionCurrency'")
    body = {"Privileges": [{"PrivilegeId": privilege[0]["privilegeid"], "Depth": "Global"}]}
    api.send("POST", f"roles({role})/Microsoft.Dynamics.CRM.AddPrivilegesRole", body)
    path = f"systemusers({reader.id})/systemuserroles_association"
    api.refused("GET", "transactioncurrencies", status=403, headers=reader.acting)
    api.send("POST", f"{path}/$ref", {"@odata.id": f"roles({role})"})
    assert api.send("GET", "transactioncurrencies", headers=reader.acting).status_code == 200
    api.send("DELETE", f"{path}({role})/$ref")
    api.refused("GET", "transactioncurrencies", status=403, headers=reader.acting)
