"""Section 25: solutions over the Web API (WA-405)."""

import base64
from pathlib import Path

import pytest
from tests.wire.client import Api

_FOLDER = Path(__file__).parents[1] / "data" / "solutions"


def _zip(name: str) -> str:
    return base64.b64encode((_FOLDER / name).read_bytes()).decode()


def test_an_imported_table_is_there_for_the_next_request(api: Api) -> None:
    """WA-405: 204, and the table, its rows and its solution are there."""
    answer = api.send(
        "POST", "ImportSolution", {"CustomizationFile": _zip("test-engine.zip"), "PublishWorkflows": True}
    )

    assert answer.status_code == 204
    assert api.new(_set_of(api, "te_key"), {"te_name": "first"})
    (solution,) = api.get("solutions?$select=version,ismanaged&$filter=uniquename eq 'TestEngine'")["value"]
    assert (solution["version"], solution["ismanaged"]) == ("1.0.0.1", False)
    components = api.get(f"solutioncomponents?$filter=_solutionid_value eq {solution['solutionid']}")["value"]
    assert {each["componenttype"] for each in components} >= {1, 2, 20, 26, 60}


def test_an_imported_view_gives_its_rows(api: Api) -> None:
    """WA-262, WA-405: by `savedQuery`, with the columns that the file names."""
    _import(api, "test-engine.zip")
    rows = _set_of(api, "te_key")
    api.new(rows, {"te_name": "seen by a view"})
    (view, *_) = api.rows(
        "savedqueries?$select=name,savedqueryid&$filter=returnedtypecode eq 'te_key' and querytype eq 0"
        " and startswith(name,'Active')"
    )

    found = api.rows(f"{rows}?savedQuery={view['savedqueryid']}")
    assert "seen by a view" in [row["te_name"] for row in found]
    assert all({"te_name", "createdon"} <= set(row) for row in found)


def test_staging_tells_the_plan_and_changes_nothing(api: Api) -> None:
    """WA-405."""
    told = api.send("POST", "StageSolution", {"CustomizationFile": _zip("vendor-integration.zip")}).json()

    results = told["StageSolutionResults"]
    assert results["SolutionDetails"]["SolutionUniqueName"] == "VendorIntegration"
    assert "wait" in {step["Verdict"] for step in results["Steps"]}
    tables = {each["LogicalName"] for each in api.get("EntityDefinitions?$select=LogicalName")["value"]}
    assert "o25fs_vendorcharacteristic" not in tables


@pytest.mark.parametrize(
    ("file", "says"), [("not base64!", "base64"), (base64.b64encode(b"no zip").decode(), "not a zip")]
)
def test_what_is_no_solution_is_400(api: Api, file: str, says: str) -> None:
    """WA-405."""
    api.refused("POST", "ImportSolution", {"CustomizationFile": file}, status=400, says=says)


def _set_of(api: Api, table: str) -> str:
    return api.get(f"EntityDefinitions(LogicalName='{table}')?$select=EntitySetName")["EntitySetName"]


def test_an_export_is_the_solution_as_it_is_now(api: Api) -> None:
    """WA-405: import, export, import what was exported: 204, and nothing is lost."""
    _import(api, "column-level-security.zip")
    name = "ColumnLevelSecuritySampleSolution"

    exported = api.send("POST", "ExportSolution", {"SolutionName": name, "Managed": False}).json()["ExportSolutionFile"]

    steps = api.send("POST", "StageSolution", {"CustomizationFile": exported}).json()["StageSolutionResults"]["Steps"]
    assert {step["Verdict"] for step in steps} <= {"same", "keep"}
    assert api.send("POST", "ImportSolution", {"CustomizationFile": exported}).status_code == 204
    api.refused("POST", "ExportSolution", {"SolutionName": "unheard"}, status=404, says="unheard")


def test_an_imported_role_gives_what_it_grants_and_an_imported_profile_the_columns(api: Api, unit: str) -> None:
    """SM-21, SM-32, SM-139: by HTTP, as a user who has nothing but them."""
    assert (
        api.send("POST", "ImportSolution", {"CustomizationFile": _zip("column-level-security.zip")}).status_code == 204
    )
    rows = _set_of(api, "sample_example")
    row = api.new(rows, {"sample_name": "Seen", "sample_governmentid": "AB-1"})
    person = _new_user(api, unit)
    acting = {"MSCRMCallerID": person}
    one = f"{rows}({row})?$select=sample_name,sample_governmentid"
    assert api.send("GET", one, headers=acting).status_code == 403

    (role,) = api.rows("roles?$select=roleid&$filter=name eq 'Column-level security sample role'")
    link = {"@odata.id": f"{api.root}roles({role['roleid']})"}
    assert api.send("POST", f"systemusers({person})/systemuserroles_association/$ref", link).status_code == 204
    seen = api.get(one, acting)
    assert (seen["sample_name"], seen["sample_governmentid"]) == ("Seen", None)
    body = {"sample_name": "Changed"}
    assert api.send("PATCH", f"{rows}({row})", body, headers=acting).status_code == 204
    assert api.send("GET", "accounts", headers=acting).status_code == 403

    (profile,) = api.rows("fieldsecurityprofiles?$filter=name eq 'Example Field Security Profile'")
    link = {"@odata.id": f"{api.root}fieldsecurityprofiles({profile['fieldsecurityprofileid']})"}
    assert api.send("POST", f"systemusers({person})/systemuserprofiles_association/$ref", link).status_code == 204
    assert api.get(one, acting)["sample_governmentid"] == "AB-1"


def _import(api: Api, name: str) -> None:
    answer = api.send("POST", "ImportSolution", {"CustomizationFile": _zip(name)})
    assert answer.status_code == 204, answer.text


def _new_user(api: Api, unit: str) -> str:
    body = {
        "firstname": "Solution",
        "lastname": "Reader",
        "domainname": "solution@wire",
        "internalemailaddress": "solution@wire.example",
        "businessunitid@odata.bind": f"businessunits({unit})",
    }
    return api.new("systemusers", body)


def test_components_are_put_into_a_solution_and_taken_out_again(api: Api) -> None:
    """WA-405: AddSolutionComponent, RemoveSolutionComponent."""
    publisher = api.rows("publishers?$select=publisherid&$top=1")[0]["publisherid"]
    made = {"uniquename": "wireparts", "friendlyname": "Parts", "version": "1.0.0.0"}
    solution = api.new("solutions", {**made, "publisherid@odata.bind": f"/publishers({publisher})"})
    account = api.get("EntityDefinitions(LogicalName='account')?$select=MetadataId")["MetadataId"]
    part = {"ComponentId": account, "ComponentType": 1, "SolutionUniqueName": "wireparts"}
    filtered = f"solutioncomponents?$filter=_solutionid_value eq {solution}"

    added = api.send("POST", "AddSolutionComponent", {**part, "AddRequiredComponents": False})
    assert added.status_code == 200, added.text
    assert [each["objectid"] for each in api.rows(filtered)] == [account]

    component = {"@odata.type": "Microsoft.Dynamics.CRM.solutioncomponent", "solutioncomponentid": account}
    body = {"SolutionComponent": component, "ComponentType": 1, "SolutionUniqueName": "wireparts"}
    assert api.send("POST", "RemoveSolutionComponent", body).status_code == 200
    assert api.rows(filtered) == []
    api.refused("POST", "RemoveSolutionComponent", body, status=404, says="has no component")
    api.refused("POST", "AddSolutionComponent", {**part, "ComponentType": 77}, status=400, says="77")
    api.refused("POST", "AddSolutionComponent", {**part, "SolutionUniqueName": "none"}, status=404, says="none")


def test_deleting_a_managed_solution_removes_what_it_brought(api: Api) -> None:
    """WA-405: its tables and their rows go, at once for every client."""
    _import(api, "polymorphic-lookup.zip")
    (solution,) = api.rows("solutions?$filter=uniquename eq 'polymorphiclookupexamplesolution'")
    books = _set_of(api, "sample_book")
    api.new(books, {"sample_name": "One"})

    assert api.send("DELETE", f"solutions({solution['solutionid']})").status_code == 204

    assert api.send("GET", books).status_code == 404
    assert api.rows("solutions?$filter=uniquename eq 'polymorphiclookupexamplesolution'") == []
