"""Section 25: solutions over the Web API (WA-405)."""

import base64
from pathlib import Path
from time import monotonic

import pytest
from tests.unit.solutions.exports import small
from tests.wire.client import Api, Json

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
    assert {step["Verdict"] for step in steps} <= {"same", "keep", "wait"}
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


# --- upgrades, layers, operations that nobody waits for ------------------------------------------------------------


def test_an_import_in_the_background_tells_how_far_it_is_and_how_it_ended(api: Api) -> None:
    """WA-405: ImportSolutionAsync, asyncoperations, importjobs, RetrieveSolutionImportResult."""
    job = "11111111-0000-4000-8000-000000000001"
    body = {"CustomizationFile": _zip("polymorphic-lookup.zip"), "ImportJobId": job}
    told = api.send("POST", "ImportSolutionAsync", body).json()
    assert told["ImportJobKey"] == job

    operation = _ended(api, told["AsyncOperationId"])

    assert (operation["statecode"], operation["statuscode"]) == (3, 30), operation
    row = api.get(f"importjobs({job})?$select=progress,solutionname,data,completedon")
    assert (row["progress"], row["solutionname"]) == (100, "polymorphiclookupexamplesolution")
    assert 'result="success"' in row["data"]
    result = api.get(f"RetrieveSolutionImportResult(ImportJobId={job})")["SolutionOperationResult"]
    assert (result["Status"], result["ErrorMessages"]) == ("Passed", [])
    assert _set_of(api, "sample_book")
    _uninstall(api, "polymorphiclookupexamplesolution")


def test_an_import_in_the_background_that_is_refused_leaves_nothing_but_its_reason(api: Api) -> None:
    """WA-405."""
    file = _made(_table("wire_Later"), version="1.0", managed="0", publisher="later", prefix="mscrmx")
    told = api.send("POST", "ImportSolutionAsync", {"CustomizationFile": file}).json()

    operation = _ended(api, told["AsyncOperationId"])

    assert operation["statuscode"] == 31
    assert "cannot be the prefix" in operation["friendlymessage"]
    result = api.get(f"RetrieveSolutionImportResult(ImportJobId={told['ImportJobKey']})")["SolutionOperationResult"]
    assert result["Status"] == "Failed"
    assert "cannot be the prefix" in result["ErrorMessages"][0]
    assert api.rows("solutions?$filter=uniquename eq 'wired'") == []


def test_a_staged_solution_is_imported_without_sending_it_again(api: Api) -> None:
    """WA-405: StageSolution, then ImportSolutionAsync with SolutionParameters."""
    file = _made(_table("wire_Staged"), name="wirestaged")
    staged = api.send("POST", "StageSolution", {"CustomizationFile": file}).json()["StageSolutionResults"]
    parameters = {"StageSolutionUploadId": staged["StageSolutionUploadId"]}

    told = api.send("POST", "ImportSolutionAsync", {"SolutionParameters": parameters}).json()

    assert _ended(api, told["AsyncOperationId"])["statuscode"] == 30
    assert _set_of(api, "wire_staged")
    api.refused("POST", "ImportSolutionAsync", {}, status=400, says="The solution is missing")
    _uninstall(api, "wirestaged")


def test_an_export_in_the_background_is_downloaded_when_it_is_done(api: Api) -> None:
    """WA-405: ExportSolutionAsync, DownloadSolutionExportData."""
    _made_here(api, "wireexport")
    told = api.send("POST", "ExportSolutionAsync", {"SolutionName": "wireexport", "Managed": False}).json()
    _ended(api, told["AsyncOperationId"])

    file = api.send("POST", "DownloadSolutionExportData", {"ExportJobId": told["ExportJobId"]}).json()

    whole = api.send("POST", "ExportSolution", {"SolutionName": "wireexport", "Managed": False}).json()
    assert file["ExportSolutionFile"] == whole["ExportSolutionFile"]
    api.refused("POST", "ExportSolutionAsync", {"SolutionName": "unheard"}, status=404, says="unheard")


def test_an_upgrade_removes_what_the_new_version_has_no_more_and_layers_tell_of_it(api: Api) -> None:
    """WA-405: StageAndUpgrade, HoldingSolution with DeleteAndPromote, msdyn_componentlayers."""
    first = _made(_table("wire_Up") + _table("wire_Down"), name="wireup")
    assert api.send("POST", "ImportSolution", {"CustomizationFile": first}).status_code == 204
    second = {"CustomizationFile": _made(_table("wire_Up"), name="wireup", version="2.0"), "HoldingSolution": True}
    assert api.send("POST", "ImportSolution", second).status_code == 204
    assert _set_of(api, "wire_down")

    promoted = api.send("POST", "DeleteAndPromote", {"UniqueName": "wireup"})
    assert promoted.status_code == 200, promoted.text

    assert api.send("GET", "EntityDefinitions(LogicalName='wire_down')").status_code == 404
    table = api.get("EntityDefinitions(LogicalName='wire_up')?$select=MetadataId,IsManaged,IsCustomizable")
    assert table["IsManaged"] is True
    third = {"CustomizationFile": _made(_table("wire_Up"), name="wireup", version="3.0")}
    assert api.send("POST", "StageAndUpgrade", third).json()["SolutionId"]
    layers = api.rows(
        f"msdyn_componentlayers?$select=msdyn_solutionname,msdyn_order,msdyn_changes&$filter=msdyn_componentid eq "
        f"'{table['MetadataId']}' and msdyn_solutioncomponentname eq 'Entity'"
    )
    assert [each["msdyn_solutionname"] for each in layers] == ["wireup"]
    assert api.send("POST", "msdyn_componentlayers", {"msdyn_name": "mine"}).status_code in (400, 403, 405)
    _uninstall(api, "wireup")


def test_a_managed_column_is_changed_on_top_given_back_and_never_deleted_by_hand(api: Api) -> None:
    """WA-323, WA-345, WA-405: IsComponentCustomizable, RemoveActiveCustomizations."""
    file = _made(_table("wire_Kept"), name="wirekept")
    assert api.send("POST", "ImportSolution", {"CustomizationFile": file}).status_code == 204
    path = "EntityDefinitions(LogicalName='wire_kept')/Attributes(LogicalName='wire_name')"
    column = api.get(path)
    label = {"LocalizedLabels": [{"Label": "Ours", "LanguageCode": 1033}]}
    assert api.send("PUT", path, {**column, "DisplayName": label}).status_code == 204
    asked = f"IsComponentCustomizable(ComponentId={column['MetadataId']},ComponentType=2)"
    assert api.get(asked)["IsComponentCustomizable"] is True
    layers = f"msdyn_componentlayers?$filter=msdyn_componentid eq '{column['MetadataId']}'&$orderby=msdyn_order"
    assert [each["msdyn_solutionname"] for each in api.rows(layers)] == ["wirekept", "Active"]

    api.refused("DELETE", "EntityDefinitions(LogicalName='wire_kept')", status=400, says="managed solution (wirekept)")
    given = {"SolutionComponentName": "Attribute", "ComponentId": column["MetadataId"]}
    assert api.send("POST", "RemoveActiveCustomizations", given).status_code == 204

    assert api.get(path)["DisplayName"]["UserLocalizedLabel"]["Label"] == "Name"
    assert [each["msdyn_solutionname"] for each in api.rows(layers)] == ["wirekept"]
    _uninstall(api, "wirekept")


def test_patches_and_clones_over_the_wire(api: Api) -> None:
    """WA-405: CloneAsPatch, CloneAsSolution; a solution with patches is locked."""
    _made_here(api, "wirepatched")
    clone = {"ParentSolutionUniqueName": "wirepatched", "DisplayName": "Patched"}
    patch = api.send("POST", "CloneAsPatch", {**clone, "VersionNumber": "1.0.1.0"}).json()["SolutionId"]
    name = api.get(f"solutions({patch})?$select=uniquename")["uniquename"]
    account = api.get("EntityDefinitions(LogicalName='account')?$select=MetadataId")["MetadataId"]
    part = {"ComponentId": account, "ComponentType": 1, "DoNotIncludeSubcomponents": True}
    locked = {**part, "SolutionUniqueName": "wirepatched"}
    api.refused("POST", "AddSolutionComponent", locked, status=400, says="has patches")
    assert api.send("POST", "AddSolutionComponent", {**part, "SolutionUniqueName": name}).status_code == 200

    api.refused("POST", "CloneAsSolution", {**clone, "VersionNumber": "1.0.9.0"}, status=400, says="1.1.0.0 or higher")
    whole = api.send("POST", "CloneAsSolution", {**clone, "VersionNumber": "1.1.0.0"}).json()["SolutionId"]

    components = api.rows(f"solutioncomponents?$filter=_solutionid_value eq {whole}")
    assert [each["objectid"] for each in components] == [account]
    assert api.send("GET", f"solutions({patch})").status_code == 404


# --- what needs what -----------------------------------------------------------------------------------------------


def test_what_others_need_is_listed_and_not_deleted(api: Api) -> None:
    """WA-345, WA-403: a shared choice, a column in a view, a table that a lookup leads to."""
    _choice_and_column(api)
    choice = api.get("GlobalOptionSetDefinitions(Name='wire_needed')?$select=MetadataId")["MetadataId"]
    column = api.get("EntityDefinitions(LogicalName='account')/Attributes(LogicalName='wire_needs')")["MetadataId"]
    form = {
        "name": "Wire needs",
        "objecttypecode": "account",
        "type": 2,
        "formxml": '<form><tabs><control datafieldname="wire_needs"/></tabs></form>',
        "formactivationstate": 1,
        "formpresentation": 0,
        "isdefault": False,
        "isdesktopenabled": True,
        "istabletenabled": True,
    }
    made = api.new("systemforms", form)

    asked = f"RetrieveDependenciesForDelete(ObjectId={choice},ComponentType=9)"
    assert [each["dependentcomponentobjectid"] for each in api.rows(asked)] == [column]
    dependents = api.rows(f"RetrieveDependentComponents(ObjectId={column},ComponentType=2)")
    assert {each["dependentcomponentobjectid"] for each in dependents} == {made}
    required = api.rows(f"RetrieveRequiredComponents(ObjectId={column},ComponentType=2)")
    assert choice in {each["requiredcomponentobjectid"] for each in required}
    path = "EntityDefinitions(LogicalName='account')/Attributes(LogicalName='wire_needs')"
    api.refused("DELETE", path, status=400, code="0x8004f01f", says="form 'Wire needs' uses the column")

    assert api.send("DELETE", f"systemforms({made})").status_code == 204
    assert api.send("DELETE", path).status_code == 204


def test_required_components_come_along_and_missing_ones_are_named(api: Api) -> None:
    """WA-405: AddRequiredComponents; RetrieveMissingDependencies before an export."""
    _choice_and_column(api)
    solution = _made_here(api, "wireneeds")
    choice = api.get("GlobalOptionSetDefinitions(Name='wire_needed')?$select=MetadataId")["MetadataId"]
    column = api.get("EntityDefinitions(LogicalName='account')/Attributes(LogicalName='wire_needs')")["MetadataId"]
    part = {"ComponentId": column, "ComponentType": 2, "SolutionUniqueName": "wireneeds"}
    missing = "RetrieveMissingDependencies(SolutionUniqueName='wireneeds')"

    assert api.send("POST", "AddSolutionComponent", {**part, "AddRequiredComponents": False}).status_code == 200
    assert [each["requiredcomponentobjectid"] for each in api.rows(missing)] == [choice]
    assert api.send("POST", "AddSolutionComponent", {**part, "AddRequiredComponents": True}).status_code == 200

    assert api.rows(missing) == []
    components = api.rows(f"solutioncomponents?$filter=_solutionid_value eq {solution}")
    assert {each["objectid"] for each in components} == {column, choice}


def test_a_managed_solution_that_others_need_says_who_before_it_is_removed(api: Api) -> None:
    """WA-403, WA-405: RetrieveDependenciesForUninstall."""
    file = _made(_table("wire_Wanted"), name="wirewanted")
    assert api.send("POST", "ImportSolution", {"CustomizationFile": file}).status_code == 204
    lookup = {
        "@odata.type": "Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata",
        "SchemaName": "wire_account_wanted",
        "ReferencedEntity": "wire_wanted",
        "ReferencingEntity": "account",
        "Lookup": {
            "@odata.type": "Microsoft.Dynamics.CRM.LookupAttributeMetadata",
            "SchemaName": "wire_WantedId",
            "DisplayName": {"LocalizedLabels": [{"Label": "Wanted", "LanguageCode": 1033}]},
        },
    }
    assert api.send("POST", "RelationshipDefinitions", lookup).status_code == 204

    needed = api.rows("RetrieveDependenciesForUninstall(SolutionUniqueName='wirewanted')")

    assert [each["dependentcomponentobjectid@Strongroom.Name"] for each in needed] == ["lookup account.wire_wantedid"]
    (solution,) = api.rows("solutions?$filter=uniquename eq 'wirewanted'")
    api.refused("DELETE", f"solutions({solution['solutionid']})", status=400, says="account.wire_wantedid looks up")
    assert api.send("DELETE", "RelationshipDefinitions(SchemaName='wire_account_wanted')").status_code == 204
    _uninstall(api, "wirewanted")


def _choice_and_column(api: Api) -> None:
    if api.send("GET", "GlobalOptionSetDefinitions(Name='wire_needed')").status_code == 404:
        choice = {
            "@odata.type": "Microsoft.Dynamics.CRM.OptionSetMetadata",
            "Name": "wire_needed",
            "DisplayName": {"LocalizedLabels": [{"Label": "Needed", "LanguageCode": 1033}]},
            "Options": [{"Value": 1, "Label": {"LocalizedLabels": [{"Label": "One", "LanguageCode": 1033}]}}],
        }
        assert api.send("POST", "GlobalOptionSetDefinitions", choice).status_code == 204
    ident = api.get("GlobalOptionSetDefinitions(Name='wire_needed')?$select=MetadataId")["MetadataId"]
    column = {
        "@odata.type": "Microsoft.Dynamics.CRM.PicklistAttributeMetadata",
        "SchemaName": "wire_Needs",
        "DisplayName": {"LocalizedLabels": [{"Label": "Needs", "LanguageCode": 1033}]},
        "GlobalOptionSet@odata.bind": f"/GlobalOptionSetDefinitions({ident})",
    }
    path = "EntityDefinitions(LogicalName='account')/Attributes"
    if api.send("GET", f"{path}(LogicalName='wire_needs')").status_code == 404:
        answer = api.send("POST", path, column)
        assert answer.status_code == 204, answer.text


def _made_here(api: Api, name: str) -> str:
    publisher = api.rows("publishers?$select=publisherid&$top=1")[0]["publisherid"]
    made = {"uniquename": name, "friendlyname": name, "version": "1.0.0.0"}
    return api.new("solutions", {**made, "publisherid@odata.bind": f"/publishers({publisher})"})


def _made(
    body: str,
    *,
    name: str = "wired",
    version: str = "1.0",
    managed: str = "1",
    publisher: str = "wiremaker",
    prefix: str = "wire",
) -> str:
    archive = small(
        f"<Entities>{body}</Entities>", name=name, version=version, managed=managed, publisher=publisher, prefix=prefix
    )
    assert archive.packed is not None
    return base64.b64encode(archive.packed).decode()


def _table(name: str) -> str:
    return (
        f'<Entity><Name>{name}</Name><EntityInfo><entity Name="{name}"><LocalizedNames>'
        f'<LocalizedName description="{name}" languagecode="1033"/></LocalizedNames><attributes>'
        '<attribute PhysicalName="wire_Name"><Type>nvarchar</Type><IsCustomField>1</IsCustomField>'
        '<DisplayMask>PrimaryName</DisplayMask><MaxLength>100</MaxLength><displaynames><displayname description="Name" '
        'languagecode="1033"/></displaynames></attribute></attributes>'
        "<OwnershipTypeMask>UserOwned</OwnershipTypeMask></entity></EntityInfo></Entity>"
    )


def _ended(api: Api, operation: str) -> Json:
    """The operation once it has ended."""
    deadline = monotonic() + 60
    while True:
        row = api.get(f"asyncoperations({operation})?$select=statecode,statuscode,friendlymessage")
        if row["statecode"] == 3 or monotonic() > deadline:
            return row


def _uninstall(api: Api, name: str) -> None:
    (solution,) = api.rows(f"solutions?$filter=uniquename eq '{name}'")
    answer = api.send("DELETE", f"solutions({solution['solutionid']})")
    assert answer.status_code == 204, answer.text


def test_what_a_request_makes_goes_into_the_solution_that_it_names(api: Api) -> None:
    """WA-351: a view, a table, an option numbered by the solution's publisher; by header and by parameter."""
    maker = {"uniquename": "wirenamed", "friendlyname": "W", "customizationprefix": "wire"}
    publisher = api.new("publishers", {**maker, "customizationoptionvalueprefix": 77_000})
    made = {"uniquename": "wirenamed", "friendlyname": "W", "version": "1.0.0.0"}
    solution = api.new("solutions", {**made, "publisherid@odata.bind": f"/publishers({publisher})"})
    into = {"MSCRM.SolutionUniqueName": "wirenamed"}
    view = {"name": "Wire named", "returnedtypecode": "account", "querytype": 0, "fetchxml": "<fetch/>"}

    shown = api.new("savedqueries", view, into)
    choice = {
        "@odata.type": "Microsoft.Dynamics.CRM.OptionSetMetadata",
        "Name": "wire_numbered",
        "DisplayName": {"LocalizedLabels": [{"Label": "Numbered", "LanguageCode": 1033}]},
        "Options": [{"Label": {"LocalizedLabels": [{"Label": "One", "LanguageCode": 1033}]}}],
    }
    assert api.send("POST", "GlobalOptionSetDefinitions", choice, headers=into).status_code == 204
    more = {"OptionSetName": "wire_numbered", "Label": {"LocalizedLabels": [{"Label": "Two", "LanguageCode": 1033}]}}
    inserted = api.send("POST", "InsertOptionValue", {**more, "SolutionUniqueName": "wirenamed"}).json()

    ident = api.get("GlobalOptionSetDefinitions(Name='wire_numbered')?$select=MetadataId")["MetadataId"]
    components = api.rows(f"solutioncomponents?$filter=_solutionid_value eq {solution}")
    assert {(each["componenttype"], each["objectid"]) for each in components} == {(26, shown), (9, ident)}
    assert inserted["NewOptionValue"] == 770_000_001
    unheard = {"MSCRM.SolutionUniqueName": "unheard"}
    api.refused("POST", "savedqueries", view, status=400, headers=unheard, says="no solution 'unheard'")
    api.refused("POST", "InsertOptionValue", {**more, "SolutionUniqueName": "unheard"}, status=400, says="unheard")
