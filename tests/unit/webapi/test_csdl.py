"""The service document and `$metadata` (WA-60 to WA-69)."""

import json
import xml.etree.ElementTree as ElementTree
from collections import Counter
from xml.etree.ElementTree import Element

import pytest

from strongroom.schema.changes import NewColumn, NewKey, NewTable, create_key, create_table
from strongroom.schema.model import ColumnType, DateBehavior, Ownership, Schema
from strongroom.schema.standard_tables import standard_schema
from strongroom.webapi.csdl import render_metadata, service_document
from strongroom.webapi.operations_model import (
    ListedComplexType,
    ListedEnumType,
    ListedOperation,
    ListedParameter,
)

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
EDMX = "{http://docs.oasis-open.org/odata/ns/edmx}"
BASE = "http://localhost:8000/api/data/v9.2/"

WHO_AM_I = ListedOperation(
    "WhoAmI",
    True,
    return_type="mscrm.WhoAmIResponse",
    complex_types=(ListedComplexType("WhoAmIResponse", (("UserId", "Edm.Guid"),)),),
)
RIGHTS = ListedOperation(
    "RetrievePrincipalAccess",
    True,
    parameters=(ListedParameter("Target", "mscrm.crmbaseentity", False),),
    return_type="mscrm.RetrievePrincipalAccessResponse",
    binding_type="mscrm.systemuser",
    complex_types=(ListedComplexType("RetrievePrincipalAccessResponse", (("AccessRights", "mscrm.AccessRights"),)),),
    enum_types=(ListedEnumType("AccessRights", (("None", 0), ("ReadAccess", 1)), True),),
)
GRANT = ListedOperation("GrantAccess", False, (ListedParameter("Target", "mscrm.crmbaseentity", False),))
EXPLAIN = ListedOperation("ExplainAccess", True, return_type="Edm.String", import_name="sr_ExplainAccess", is_own=True)
OPERATIONS = (WHO_AM_I, RIGHTS, GRANT, EXPLAIN)


@pytest.fixture(scope="module")
def schema() -> Schema:
    born = NewColumn("new_Born", ColumnType.DATETIME, format="DateOnly", behavior=DateBehavior.DATE_ONLY)
    name = NewColumn("new_Name", ColumnType.STRING, description='Say "hi" & <smile>')
    made = create_table(standard_schema(), NewTable("new_Pet", Ownership.USER, name, columns=(born,)))
    return create_key(made, "new_pet", NewKey("new_key", ("new_name",)))


@pytest.fixture(scope="module")
def document(schema: Schema) -> Element:
    return ElementTree.fromstring(render_metadata(schema, OPERATIONS))  # noqa: S314  # our own output


def schemas(document: Element) -> list[Element]:
    services = document.find(f"{EDMX}DataServices")
    assert services is not None
    return list(services)


def types(document: Element) -> dict[str | None, Element]:
    return {found.get("Name"): found for found in document.iter(f"{EDM}EntityType")}


def properties(type_: Element) -> dict[str | None, str | None]:
    return {found.get("Name"): found.get("Type") for found in type_.findall(f"{EDM}Property")}


def navigation(type_: Element) -> dict[str | None, Element]:
    return {found.get("Name"): found for found in type_.findall(f"{EDM}NavigationProperty")}


def test_the_service_document_lists_every_set_sorted_by_name(schema: Schema) -> None:
    """WA-60."""
    shown = json.loads(json.dumps(service_document(schema, BASE)))
    names = [str(entry["name"]) for entry in shown["value"]]

    assert shown["@odata.context"] == f"{BASE}$metadata"
    assert names == sorted(names)
    assert {"accounts", "new_pets", "EntityDefinitions", "RelationshipDefinitions"} <= set(names)
    assert {"name": "accounts", "kind": "EntitySet", "url": "accounts"} in shown["value"]


def test_the_first_schema_holds_all_types(document: Element) -> None:
    """WA-61: one client takes the first schema only."""
    first, *others = schemas(document)

    assert (first.get("Namespace"), first.get("Alias")) == ("Microsoft.Dynamics.CRM", "mscrm")
    assert [other.get("Namespace") for other in others] == ["Strongroom"]
    assert not others[0].findall(f"{EDM}EntityType")
    assert document.get("Version") == "4.0"


def test_base_types_are_abstract_and_tables_derive_from_them(document: Element) -> None:
    """WA-62."""
    found = types(document)

    for name in ("crmbaseentity", "crmmodelbaseentity", "principal", "activitypointer"):
        assert found[name].get("Abstract") == "true"
    assert found["account"].get("BaseType") == "mscrm.crmbaseentity"
    assert found["systemuser"].get("BaseType") == "mscrm.principal"
    assert found["team"].get("BaseType") == "mscrm.principal"
    assert found["task"].get("BaseType") == "mscrm.activitypointer"
    assert found["principal"].get("BaseType") == "mscrm.crmbaseentity"


def test_every_concrete_type_has_a_key_that_it_or_its_base_declares(document: Element) -> None:
    """WA-63."""
    found = types(document)
    for name, type_ in found.items():
        if name in ("crmbaseentity", "crmmodelbaseentity"):
            continue
        ref = type_.find(f"{EDM}Key/{EDM}PropertyRef")
        assert ref is not None, name
        base = found[(type_.get("BaseType") or "").removeprefix("mscrm.")]
        assert ref.get("Name") in {**properties(type_), **properties(base)}, name


def test_no_type_declares_a_name_twice_nor_one_of_its_base(document: Element) -> None:
    """WA-69."""
    found = types(document)
    for name, type_ in found.items():
        base = found.get((type_.get("BaseType") or "").removeprefix("mscrm."))
        members = [child.get("Name") for owner in (type_, base) if owner is not None for child in owner]
        repeated = [member for member, count in Counter(members).items() if member and count > 1]
        assert not repeated, name


def test_properties_use_only_the_simple_types_of_wa_63(document: Element) -> None:
    allowed = {
        f"Edm.{name}"
        for name in "Binary Boolean Date DateTimeOffset Decimal Double Guid Int32 Int64 String".split()  # noqa: SIM905
    }

    for type_ in types(document).values():
        assert set(properties(type_).values()) <= allowed


def test_columns_have_the_types_of_section_6(document: Element) -> None:
    account = properties(types(document)["account"])
    pet = properties(types(document)["new_pet"])

    wanted = {
        "accountid": "Edm.Guid",
        "name": "Edm.String",
        "numberofemployees": "Edm.Int32",
        "revenue": "Edm.Decimal",
        "creditonhold": "Edm.Boolean",
        "address1_latitude": "Edm.Double",
        "industrycode": "Edm.Int32",
        "createdon": "Edm.DateTimeOffset",
        "versionnumber": "Edm.Int64",
        "entityimage": "Edm.Binary",
        "_primarycontactid_value": "Edm.Guid",
        "_ownerid_value": "Edm.Guid",
    }
    assert wanted.items() <= account.items()
    assert "primarycontactid" not in account
    assert pet["new_born"] == "Edm.Date"


def test_lookups_are_a_value_and_a_navigation_property_for_each_target(document: Element) -> None:
    """WA-64, WA-72."""
    account = navigation(types(document)["account"])
    contact = navigation(types(document)["contact"])

    primary = account["primarycontactid"]
    constraint = primary.find(f"{EDM}ReferentialConstraint")
    assert (primary.get("Type"), primary.get("Partner")) == ("mscrm.contact", "account_primary_contact")
    assert constraint is not None
    assert constraint.attrib == {"Property": "_primarycontactid_value", "ReferencedProperty": "contactid"}
    assert {"parentcustomerid_account", "parentcustomerid_contact"} <= contact.keys()
    assert account["ownerid"].get("Type") == "mscrm.principal"
    assert contact["account_primary_contact"].get("Type") == "Collection(mscrm.account)"


def test_many_to_many_ends_are_partners_of_each_other(document: Element) -> None:
    """WA-64."""
    found = types(document)
    roles = navigation(found["systemuser"])["systemuserroles_association"]

    assert (roles.get("Type"), roles.get("Partner")) == ("Collection(mscrm.role)", "systemuserroles_association")
    assert navigation(found["role"])["systemuserroles_association"].get("Type") == "Collection(mscrm.systemuser)"


def test_partners_exist_at_the_other_end(document: Element) -> None:
    """WA-69: what CSDL demands of Partner."""
    found = types(document)
    for type_ in found.values():
        for nav in navigation(type_).values():
            partner = nav.get("Partner")
            other = (nav.get("Type") or "").removeprefix("Collection(").rstrip(")").removeprefix("mscrm.")
            base = (found[other].get("BaseType") or "").removeprefix("mscrm.")
            if partner is not None:
                assert partner in {**navigation(found[other]), **navigation(found[base])}


def test_the_container_has_one_set_for_each_table_with_bindings(document: Element, schema: Schema) -> None:
    """WA-66."""
    container = document.find(f".//{EDM}EntityContainer")
    assert container is not None
    sets = {found.get("Name"): found for found in container.findall(f"{EDM}EntitySet")}

    assert container.get("Name") == "System"
    assert sets.keys() == schema.entity_sets.keys()
    assert sets["accounts"].get("EntityType") == "Microsoft.Dynamics.CRM.account"
    bindings = {b.get("Path"): b.get("Target") for b in sets["accounts"]}
    assert bindings["primarycontactid"] == "contacts"
    assert set(bindings.values()) <= sets.keys()


def test_operations_are_listed_with_their_types_before_them(document: Element) -> None:
    """WA-65, WA-410."""
    first, own = schemas(document)
    order = [child.tag.removeprefix(EDM) for child in first]

    assert order[:3] == ["EnumType", "ComplexType", "ComplexType"]
    function = first.find(f"{EDM}Function[@Name='RetrievePrincipalAccess']")
    assert function is not None
    assert function.get("IsBound") == "true"
    assert [p.get("Type") for p in function.findall(f"{EDM}Parameter")] == ["mscrm.systemuser", "mscrm.crmbaseentity"]
    imports = {
        (found.tag.removeprefix(EDM), found.get("Name"), found.get("Function") or found.get("Action"))
        for found in document.iter()
        if found.tag.endswith("Import")
    }
    assert imports == {
        ("FunctionImport", "WhoAmI", "Microsoft.Dynamics.CRM.WhoAmI"),
        ("FunctionImport", "sr_ExplainAccess", "Strongroom.ExplainAccess"),
        ("ActionImport", "GrantAccess", "Microsoft.Dynamics.CRM.GrantAccess"),
    }
    assert own.find(f"{EDM}Function[@Name='ExplainAccess']") is not None


def test_annotations_come_only_when_asked_for(schema: Schema, document: Element) -> None:
    """WA-67."""
    annotated = ElementTree.fromstring(render_metadata(schema, OPERATIONS, annotations=True))  # noqa: S314  # our own output
    pet = types(annotated)["new_pet"]
    name = pet.find(f"{EDM}Property[@Name='new_name']/{EDM}Annotation")
    created = pet.find(f"{EDM}Property[@Name='createdon']")

    assert not list(document.iter(f"{EDM}Annotation"))
    assert name is not None
    assert name.get("String") == 'Say "hi" & <smile>'
    assert created is not None
    assert [a.get("Term") for a in created] == [
        "Org.OData.Core.V1.Description",
        "Org.OData.Core.V1.Computed",
        "Org.OData.Core.V1.Permissions",
    ]
    assert pet.find(f"{EDM}Annotation[@Term='Org.OData.Core.V1.AlternateKeys']") is not None
    tracked = annotated.find(f".//{EDM}EntitySet[@Name='new_pets']/{EDM}Annotation")
    assert tracked is not None


def test_a_new_table_is_listed_at_once_and_an_unchanged_schema_is_rendered_once(schema: Schema) -> None:
    """WA-68, WA-69."""
    assert render_metadata(schema, OPERATIONS) is render_metadata(schema, OPERATIONS)
    other = create_table(schema, NewTable("new_Toy", Ownership.USER, NewColumn("new_Name", ColumnType.STRING)))

    assert b'"new_toys"' not in render_metadata(schema, ())
    assert b'"new_toys"' in render_metadata(other, ())
