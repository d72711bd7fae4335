"""Section 5: service document and `$metadata` (WA-60 to WA-69)."""

import re
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from tests.wire.client import EMPTY, Api, column, table

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
EDMX = "{http://docs.oasis-open.org/odata/ns/edmx}"
PRIMITIVES = {
    f"Edm.{name}"
    for name in ("Binary", "Boolean", "Date", "DateTimeOffset", "Decimal", "Double", "Guid", "Int32", "Int64", "String")
}


@pytest.fixture(scope="session")
def schema(api: Api) -> Element:
    """The first schema of `$metadata`."""
    document = fromstring(api.send("GET", "$metadata").content)
    assert (document.tag, document.get("Version")) == (f"{EDMX}Edmx", "4.0")
    services = document[0]
    assert services.tag == f"{EDMX}DataServices"
    return services[0]


def _named(schema: Element, kind: str, name: str) -> Element:
    return next(element for element in schema.iter(EDM + kind) if element.get("Name") == name)


def test_the_service_document_lists_every_entity_set_by_name(api: Api) -> None:
    """WA-60."""
    document = api.get("")

    assert document["@odata.context"] == f"{api.root}$metadata"
    names = [entry["name"] for entry in document["value"]]
    assert names == sorted(names)
    assert {"kind": "EntitySet", "name": "accounts", "url": "accounts"} in document["value"]
    assert {
        "EntityDefinitions",
        "GlobalOptionSetDefinitions",
        "RelationshipDefinitions",
        "ManagedPropertyDefinitions",
    } <= set(names)


def test_every_listed_entity_set_answers(api: Api) -> None:
    """WA-60: one entry per entity set that the API exposes."""
    for entry in api.get("")["value"]:
        size = "" if entry["name"].endswith("Definitions") else "?$top=1"
        assert api.send("GET", entry["url"] + size).status_code == 200, entry


def test_metadata_is_one_schema_with_all_types_first(schema: Element) -> None:
    """WA-61, WA-62: the namespace, the abstract bases, what derives from them."""
    assert (schema.tag, schema.get("Namespace"), schema.get("Alias")) == (
        f"{EDM}Schema",
        "Microsoft.Dynamics.CRM",
        "mscrm",
    )
    for name in ("crmbaseentity", "crmmodelbaseentity", "principal", "activitypointer"):
        assert _named(schema, "EntityType", name).get("Abstract") == "true"
    bases = {
        "account": "mscrm.crmbaseentity",
        "principal": "mscrm.crmbaseentity",
        "systemuser": "mscrm.principal",
        "team": "mscrm.principal",
        "task": "mscrm.activitypointer",
    }
    for name, base in bases.items():
        assert _named(schema, "EntityType", name).get("BaseType") == base


def test_types_have_keys_and_properties_of_simple_types(schema: Element) -> None:
    """WA-63: a key on every concrete type, also where it is inherited."""
    for kind in schema.findall(f"{EDM}EntityType"):
        if kind.get("Name") not in ("crmbaseentity", "crmmodelbaseentity"):
            assert kind.find(f"{EDM}Key/{EDM}PropertyRef") is not None, kind.get("Name")
        used = {p.get("Type") for p in kind.findall(f"{EDM}Property")}
        is_table = (kind.get("BaseType") or "").startswith("mscrm.") and kind.get(
            "BaseType"
        ) != "mscrm.crmmodelbaseentity"
        assert not is_table or used <= PRIMITIVES, (kind.get("Name"), used - PRIMITIVES)
    account = _named(schema, "EntityType", "account")
    types = {p.get("Name"): p.get("Type") for p in account.findall(f"{EDM}Property")}
    assert types["accountid"] == "Edm.Guid"
    assert types["name"] == "Edm.String"
    assert types["revenue"] == "Edm.Decimal"
    assert types["versionnumber"] == "Edm.Int64"


def test_lookups_are_a_property_and_a_navigation_property_per_target(schema: Element) -> None:
    """WA-64, WA-72, WA-74, WA-445."""
    account = _named(schema, "EntityType", "account")
    assert _named(account, "Property", "_primarycontactid_value").get("Type") == "Edm.Guid"
    nav = _named(account, "NavigationProperty", "primarycontactid")
    assert nav.attrib == {
        "Name": "primarycontactid",
        "Type": "mscrm.contact",
        "Nullable": "false",
        "Partner": "account_primary_contact",
    }
    constraint = nav.find(f"{EDM}ReferentialConstraint")
    assert constraint is not None
    assert constraint.attrib == {"Property": "_primarycontactid_value", "ReferencedProperty": "contactid"}
    tasks = _named(account, "NavigationProperty", "Account_Tasks")
    assert (tasks.get("Type"), tasks.get("Partner")) == ("Collection(mscrm.task)", "regardingobjectid_account_task")
    contact = _named(schema, "EntityType", "contact")
    for name in ("parentcustomerid_account", "parentcustomerid_contact", "ownerid", "owninguser", "owningteam"):
        assert _named(contact, "NavigationProperty", name) is not None
    assert _named(contact, "NavigationProperty", "ownerid").get("Type") == "mscrm.principal"
    team = _named(schema, "EntityType", "team")
    many = _named(team, "NavigationProperty", "teammembership_association")
    assert (many.get("Type"), many.get("Partner")) == ("Collection(mscrm.systemuser)", "teammembership_association")


def test_operations_are_imported_and_use_declared_types(api: Api, schema: Element) -> None:
    """WA-65: nothing that the server does not implement."""
    text = api.send("GET", "$metadata").text
    imported = {e.get("Name") or "" for kind in ("FunctionImport", "ActionImport") for e in schema.iter(EDM + kind)}
    assert {"WhoAmI", "GrantAccess", "RetrieveCurrentOrganization", "DeleteFile"} <= imported
    assert "SendEmail" not in imported
    declared = set(re.findall(r'<(?:EntityType|ComplexType|EnumType) Name="(\w+)"', text))
    assert set(re.findall(r'Type="(?:Collection\()?mscrm\.(\w+)', text)) <= declared
    for name in sorted(imported):
        for method in ("GET", "POST"):
            answer = api.send(method, name, EMPTY if method == "POST" else None)
            assert answer.status_code != 501, name
            assert answer.status_code < 500, (name, answer.text)
            if answer.status_code == 404:
                is_nothing_yet = answer.json()["error"]["code"] == "0x80040217"
                reasons = ("No HTTP resource was found", "in the control environment")
                assert is_nothing_yet or any(each in answer.text for each in reasons), (method, name, answer.text)


def test_the_container_binds_navigation_properties(schema: Element) -> None:
    """WA-66."""
    container = _named(schema, "EntityContainer", "System")
    accounts = _named(container, "EntitySet", "accounts")
    assert accounts.get("EntityType") == "Microsoft.Dynamics.CRM.account"
    bound = {b.get("Path"): b.get("Target") for b in accounts.findall(f"{EDM}NavigationPropertyBinding")}
    assert bound["primarycontactid"] == "contacts"
    assert bound["Account_Tasks"] == "tasks"


def test_metadata_has_an_etag_and_new_tables_are_there_at_once(api: Api) -> None:
    """WA-68, WA-69: in `$metadata`, the service document and the data API, with the next request."""
    before = api.send("GET", "$metadata").headers["ETag"]
    assert api.send("GET", "$metadata", headers={"If-None-Match": before}).status_code == 304

    made = api.send("POST", "EntityDefinitions", table("wire_Prompt", column("Integer", "wire_Count")))

    assert made.status_code == 204, made.text
    metadata = api.send("GET", "$metadata", headers={"If-None-Match": before})
    assert metadata.status_code == 200
    assert metadata.headers["ETag"] != before
    assert '<EntityType Name="wire_prompt"' in metadata.text
    assert "wire_prompts" in {entry["name"] for entry in api.get("")["value"]}
    assert api.shown("POST", "wire_prompts?$select=wire_count", {"wire_count": 5})["wire_count"] == 5
