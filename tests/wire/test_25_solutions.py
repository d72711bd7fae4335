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
