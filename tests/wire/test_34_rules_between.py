"""Rules of several sections that stand between the others: casts, control information, small messages."""

from urllib.parse import quote

import pytest
from tests.wire.client import NS, Api, Json, Person, column, label, table, unique

FULL = {"Accept": "application/json;odata.metadata=full"}
NONE = {"Accept": "application/json; metadata=none"}


@pytest.fixture(scope="module")
def account(api: Api) -> str:
    contact = api.new("contacts", {"lastname": unique("Cast")})
    body = {"name": unique("cast"), "revenue": 5, "primarycontactid@odata.bind": f"contacts({contact})"}
    return api.new("accounts", body)


def test_an_accepted_background_request_is_done_at_once(api: Api) -> None:
    """WA-47: `respond-async` may be ignored; then it is not named among the preferences that were heeded."""
    prefer = {"Prefer": 'respond-async,odata.callback; url="https://example.com/done",return=representation'}
    answer = api.send("POST", "accounts", {"name": unique("async")}, headers=prefer)
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (201, "return=representation")


def test_full_control_information_has_types_and_links(api: Api, account: str) -> None:
    """WA-48."""
    path = f"accounts({account})?$select=name,revenue,createdon&$expand=primarycontactid($select=fullname)"
    answer = api.send("GET", path, headers=FULL)
    row = answer.json()

    assert answer.headers["Content-Type"].startswith("application/json; odata.metadata=full")
    assert row["@odata.type"] == "#Microsoft.Dynamics.CRM.account"
    assert row["@odata.id"] == f"{api.root}accounts({account})"
    assert row["@odata.editLink"] == f"accounts({account})"
    assert row["revenue@odata.type"] == "#Decimal"
    assert row["createdon@odata.type"] == "#DateTimeOffset"
    assert row["_transactioncurrencyid_value@odata.type"] == "#Guid"
    assert "name@odata.type" not in row
    assert row["Account_Tasks@odata.navigationLink"] == f"{api.root}accounts({account})/Account_Tasks"
    assert row["primarycontactid@odata.associationLink"] == f"{api.root}accounts({account})/primarycontactid/$ref"
    assert row["primarycontactid"]["@odata.type"] == "#Microsoft.Dynamics.CRM.contact"
    assert '"revenue":5.0000' in answer.text
    listed = api.get(f"accounts?$select=name&$filter=accountid eq {account}", FULL)["value"]
    assert listed[0]["@odata.id"] == row["@odata.id"]
    assert api.send("GET", "WhoAmI", headers=FULL).status_code == 200


def test_no_control_information_leaves_values_and_links_to_go_on(api: Api, account: str) -> None:
    """WA-48."""
    headers = {**NONE, "Prefer": 'odata.include-annotations="*",odata.maxpagesize=1'}
    api.new("accounts", {"name": unique("second")})
    page = api.get("accounts?$select=name,revenue&$count=true", headers)
    assert {"@odata.count", "@odata.nextLink", "value"} == page.keys()
    assert not [name for name in page["value"][0] if "@" in name]
    single = api.send("GET", f"accounts({account})?$select=name", headers=NONE)
    assert single.json().keys() == {"name", "accountid"}
    assert "odata.metadata=none" in single.headers["Content-Type"]


def test_a_refusal_says_where_it_is_explained(api: Api, reader: Person) -> None:
    """WA-52: for who asks for annotations; the caller may ask for the explanation."""
    row = api.new("accounts", {"name": unique("closed")})
    wanted = {**reader.acting, "Prefer": 'odata.include-annotations="*"'}
    plain = api.refused("GET", f"accounts({row})", status=403, headers=reader.acting)
    asked = api.refused("GET", f"accounts({row})", status=403, headers=wanted)

    assert "@Strongroom.Explain" not in plain.json()["error"]
    explained = api.get(asked.json()["error"]["@Strongroom.Explain"], reader.acting)
    assert explained["Allowed"] is False
    assert "@Strongroom.Explain" not in api.refused("GET", "nothing", status=404, headers=wanted).json()["error"]


def test_codes_are_those_of_signed_numbers(api: Api) -> None:
    """WA-58: tools print a code as hexadecimal, or as the signed number with the same 32 bits."""
    missing = "accounts(00000000-0000-0000-0000-000000000009)"
    code = int(api.refused("GET", missing, status=404).json()["error"]["code"], 16)
    assert code - (1 << 32) == -2147220969
    assert int("0x80040220", 16) - (1 << 32) == -2147220960


def test_an_alias_may_stand_in_the_key(api: Api, account: str) -> None:
    """WA-80."""
    api.send("PATCH", f"accounts({account})", {"accountnumber": "K-1"})
    for key, value in (("@id", account), ("accountid=@id", account)):
        assert api.get(f"accounts({key})?@id={value}&$select=name")["accountid"] == account
    api.refused("GET", "accounts(@id)?$select=name", status=400, says="@id")
    api.refused("GET", "accounts(@id)?@id=x", status=400)


def test_a_cast_to_the_own_type_changes_nothing(api: Api, account: str, unit: str) -> None:
    """WA-80: on rows, on sets, and before a property; another type is 404."""
    name = api.get(f"accounts({account})?$select=name")["name"]
    assert api.get(f"accounts({account})/{NS}.account?$select=name")["name"] == name
    assert api.get(f"accounts({account})/{NS}.crmbaseentity?$select=name")["name"] == name
    assert api.get(f"accounts({account})/{NS}.account/name")["value"] == name
    assert api.rows(f"accounts/{NS}.account?$select=name&$filter=accountid eq {account}")[0]["name"] == name
    user = api.get("WhoAmI")["UserId"]
    assert api.get(f"systemusers({user})/{NS}.principal?$select=fullname")["systemuserid"] == user
    assert api.rows(f"tasks/{NS}.activitypointer?$select=subject&$top=1") is not None
    api.refused("GET", f"accounts({account})/{NS}.contact", status=404, code="0x8006088a")
    assert unit


def test_big_integers_and_lookups_on_the_wire(api: Api, boxes: str) -> None:
    """WA-83, WA-94: a number beyond what doubles hold, and a lookup by its property, its filter and its cast."""
    parent = api.new(boxes, {"wire_big": 9007199254740993})
    child = api.new(boxes, {"wire_ParentBox@odata.bind": f"{boxes}({parent})"})
    assert api.get(f"{boxes}({parent})?$select=wire_big")["wire_big"] == 9007199254740993
    found = api.rows(f"{boxes}?$select=wire_name&$filter=_wire_parentbox_value eq {parent}")
    assert [row["wire_boxid"] for row in found] == [child]
    assert api.get(f"{boxes}({child})?$select=_wire_parentbox_value")["_wire_parentbox_value"] == parent
    assert api.rows(f"{boxes}?$filter=wire_big eq 9007199254740993")[0]["wire_boxid"] == parent
    api.refused("POST", boxes, {"wire_big": 2**63}, status=400)


def test_managed_properties_are_complex_values(api: Api) -> None:
    """WA-99: of metadata alone, and filtered by their value."""
    definition = api.get("EntityDefinitions(LogicalName='account')?$select=IsAuditEnabled")["IsAuditEnabled"]
    assert definition.keys() == {"Value", "CanBeChanged", "ManagedPropertyLogicalName"}
    path = "EntityDefinitions?$select=LogicalName&$filter=IsAuditEnabled/Value eq true"
    assert "account" in [item["LogicalName"] for item in api.rows(path)]


@pytest.mark.parametrize("form", ["accounts({})", "/accounts({})", "{root}accounts({})"])
def test_a_row_by_its_reference(api: Api, account: str, form: str) -> None:
    """WA-135."""
    address = quote(form.format(account, root=api.root), safe="")
    row = api.get(f"$entity?$id={address}&$select=name")
    assert (row["accountid"], row["@odata.context"]) == (account, f"{api.root}$metadata#accounts(name)/$entity")


def test_a_reference_that_names_no_row_is_refused(api: Api) -> None:
    """WA-135."""
    api.refused("GET", "$entity", status=400, says="$id=")
    api.refused("GET", "$entity?$id=accounts", status=400)
    api.refused("GET", "$entity?$id=accounts(00000000-0000-0000-0000-000000000009)", status=404)
    api.refused("POST", "$entity?$id=accounts(00000000-0000-0000-0000-000000000009)", {}, status=400)


def test_bulk_messages_of_partitions_are_all_or_nothing(api: Api) -> None:
    """WA-304: no table is elastic; a `partitionid` in the URL is passed over, and nothing succeeds in part."""
    target = {"@odata.type": f"{NS}.account"}
    body = {"Targets": [{**target, "name": unique("whole")}, {**target, "nothing": 1}]}
    api.refused("POST", f"accounts/{NS}.CreateMultiple?partitionid=a", body, status=400)
    assert api.rows(f"accounts?$filter=name eq '{body['Targets'][0]['name']}'") == []
    kinds = {item["TableType"] for item in api.rows("EntityDefinitions?$select=TableType")}
    assert kinds == {"Standard"}


def _components(api: Api, solution: str) -> set[tuple[int, str]]:
    rows = api.rows(f"solutioncomponents?$select=componenttype,objectid&$filter=_solutionid_value eq {solution}")
    return {(row["componenttype"], row["objectid"]) for row in rows}


def test_what_is_made_becomes_part_of_the_named_solution(api: Api) -> None:
    """WA-351: a table, a column of a table that was there, a choice; an unknown solution changes nothing."""
    publisher = api.rows("publishers?$select=publisherid&$top=1")[0]["publisherid"]
    name = unique("parts").replace(" ", "")
    body = {"uniquename": name, "friendlyname": name, "version": "1.0.0.0"}
    solution = api.new("solutions", {**body, "publisherid@odata.bind": f"publishers({publisher})"})
    into = {"MSCRM.SolutionUniqueName": name}

    made = api.send("POST", "EntityDefinitions", table("wire_Part"), headers=into)
    assert made.status_code == 204, made.text
    more = column("String", "wire_More", MaxLength=10)
    attributes = "EntityDefinitions(LogicalName='account')/Attributes"
    assert api.send("POST", attributes, more, headers=into).status_code == 204
    choice: Json = {"@odata.type": f"{NS}.OptionSetMetadata", "Name": "wire_parts", "OptionSetType": "Picklist"}
    choice |= {"IsGlobal": True, "DisplayName": label("Parts"), "Options": [{"Value": 1, "Label": label("One")}]}
    assert api.send("POST", "GlobalOptionSetDefinitions", choice, headers=into).status_code == 204

    ids = {
        1: api.get("EntityDefinitions(LogicalName='wire_part')?$select=MetadataId"),
        2: api.get(f"{attributes}(LogicalName='wire_more')?$select=MetadataId"),
        9: api.get("GlobalOptionSetDefinitions(Name='wire_parts')?$select=MetadataId"),
    }
    assert _components(api, solution) == {(kind, found["MetadataId"]) for kind, found in ids.items()}
    nowhere = {"MSCRM.SolutionUniqueName": "nothing"}
    api.refused("POST", "EntityDefinitions", table("wire_Nowhere"), status=400, headers=nowhere, says="no solution")
    api.refused("GET", "EntityDefinitions(LogicalName='wire_nowhere')", status=404)


def test_version_and_organization(api: Api) -> None:
    """WA-384, WA-385."""
    version = api.get("RetrieveVersion()")["Version"].split(".")
    assert (version[:2], len(version), all(part.isdigit() for part in version)) == (["9", "2"], 4, True)
    kind = f"{NS}.EndpointAccessType'Default'"
    detail = api.get(f"RetrieveCurrentOrganization(AccessType={kind})")["Detail"]
    assert detail["OrganizationId"] == api.get("WhoAmI")["OrganizationId"]
    assert {"FriendlyName", "OrganizationVersion", "EnvironmentId", "UrlName", "UniqueName", "State"} <= detail.keys()
    assert {"Count", "Keys", "Values"} <= detail["Endpoints"].keys()
    api.refused("GET", "RetrieveCurrentOrganization()", status=400, says="AccessType")


def test_shares_are_given_changed_and_told(api: Api, reader: Person) -> None:
    """WA-388, WA-389: granting adds, modifying replaces; all shares of a row are told."""
    row = api.new("accounts", {"name": unique("shared")})
    target = {"@odata.type": f"{NS}.account", "accountid": row}
    principal = {"@odata.type": f"{NS}.systemuser", "systemuserid": reader.id}

    def masks() -> dict[str, str]:
        call = f"RetrieveSharedPrincipalsAndAccess(Target=@t)?@t={{'@odata.id':'accounts({row})'}}"
        found = api.get(call)["PrincipalAccesses"]
        return {share["Principal"]["systemuserid"]: share["AccessMask"] for share in found}

    def share(action: str, mask: str) -> None:
        body = {"Target": target, "PrincipalAccess": {"Principal": principal, "AccessMask": mask}}
        assert api.send("POST", action, body).status_code == 204

    assert masks() == {}
    share("GrantAccess", "ReadAccess")
    assert masks() == {reader.id: "ReadAccess"}
    share("GrantAccess", "WriteAccess")
    assert masks() == {reader.id: "ReadAccess, WriteAccess"}
    share("ModifyAccess", "ReadAccess")
    assert masks() == {reader.id: "ReadAccess"}


def test_which_tables_may_be_related(api: Api) -> None:
    """WA-408: every table but those that hold links."""
    for action in ("CanBeReferenced", "CanBeReferencing", "CanManyToMany"):
        for name, may in (("account", True), ("teammembership", False)):
            answer = api.send("POST", action, {"EntityName": name})
            assert (answer.status_code, answer.json()[action]) == (200, may)
    api.refused("POST", "CanBeReferenced", {"EntityName": "nothing"}, status=400, code="0x80041102")
    for call in (
        "GetValidManyToMany()",
        "GetValidReferencedEntities(ReferencingEntityName='contact')",
        "GetValidReferencingEntities(ReferencedEntityName='contact')",
    ):
        names = api.get(call)["EntityNames"]
        assert "account" in names
        assert "teammembership" not in names


@pytest.mark.parametrize(
    "header",
    [
        {"MSCRM.BypassCustomPluginExecution": "true"},
        {"MSCRM.BypassBusinessLogicExecution": "CustomSync,CustomAsync"},
        {"MSCRM.BypassBusinessLogicExecutionStepIds": "45e0c603-0d0b-466e-a286-d7fc1cda8361"},
    ],
)
def test_bypassing_custom_rules_takes_a_privilege(api: Api, reader: Person, header: dict[str, str]) -> None:
    """WA-423: without it 403 and nothing is done; with it authorization and uniqueness still hold."""
    name = unique("bypass")
    api.refused("POST", "accounts", {"name": name}, status=403, code="0x80040220", headers={**reader.acting, **header})
    assert api.rows(f"accounts?$filter=name eq '{name}'") == []
    row = api.new("accounts", {"name": name}, headers=header)
    api.refused("POST", "accounts", {"name": name, "accountid": row}, status=412, headers=header)
    quiet = {next(iter(header)): "false", "MSCRM.SuppressCallbackRegistrationExpanderJob": "true"}
    assert api.new("accounts", {"name": name}, headers={**reader.acting, **quiet})
