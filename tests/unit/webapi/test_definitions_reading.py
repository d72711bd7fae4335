"""Reading metadata as JSON (WA-320 to WA-334), asked as the published clients ask."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from strongroom.errors import NotFound, QueryError, StrongroomError
from strongroom.schema.changes import (
    NewChoice,
    NewColumn,
    NewKey,
    NewOption,
    NewRelationship,
    NewTable,
    create_choice,
    create_column,
    create_key,
    create_lookup,
    create_table,
)
from strongroom.schema.model import ColumnType, Ownership, Schema
from strongroom.schema.standard_tables import standard_schema
from strongroom.webapi.definitions import read

BASE = "http://localhost:8000/api/data/v9.2/"
NS = "Microsoft.Dynamics.CRM"
PET = "EntityDefinitions(LogicalName='new_pet')"


@pytest.fixture(scope="module")
def schema() -> Schema:
    columns = (
        NewColumn("new_Age", ColumnType.INTEGER, minimum=0, maximum=90),
        NewColumn("new_Kind", ColumnType.PICKLIST, options=(NewOption("Cat", 1), NewOption("Dog", 2)), default=2),
        NewColumn("new_Tame", ColumnType.BOOLEAN, options=(NewOption("Tame", 1), NewOption("Wild", 0))),
        NewColumn("new_Tags", ColumnType.MULTISELECT, options=(NewOption("A", 1),)),
        NewColumn("new_Price", ColumnType.MONEY),
    )
    made = create_table(
        standard_schema(),
        NewTable("new_Pet", Ownership.USER, NewColumn("new_Name", ColumnType.STRING), label="Pet", columns=columns),
    )
    made = create_key(made, "new_pet", NewKey("new_PetKey", ("new_name", "new_age")))
    made = create_choice(made, NewChoice("new_Colour", (NewOption("Red", 1),)))
    made = create_column(made, "new_pet", NewColumn("new_Coat", ColumnType.PICKLIST, global_choice="new_colour"))
    relationship = NewRelationship("new_contact_pets", "contact", "new_pet")
    return create_lookup(made, NewColumn("new_Keeper", ColumnType.LOOKUP), [relationship])


def ask(schema: Schema, *segments: str, options: Mapping[str, str] | None = None) -> Any:
    return json.loads(read(schema, segments, options or {}, BASE))


def names(answer: Any, name: str = "LogicalName") -> list[str]:
    return [item[name] for item in answer["value"]]


def test_a_client_finds_a_table_by_filter(schema: Schema) -> None:
    """WA-320, WA-324: the first call of one client for each table."""
    answer = ask(
        schema,
        "EntityDefinitions",
        options={
            "$select": "LogicalName,EntitySetName,PrimaryIdAttribute",
            "$filter": "LogicalName eq 'new_pet'",
        },
    )

    assert answer["@odata.context"].startswith(f"{BASE}$metadata#EntityDefinitions")
    assert answer["value"] == [
        {
            "LogicalName": "new_pet",
            "EntitySetName": "new_pets",
            "PrimaryIdAttribute": "new_petid",
            "MetadataId": schema.tables["new_pet"].metadata_id,
        }
    ]


def test_all_tables_come_in_one_answer_with_their_number(schema: Schema) -> None:
    """WA-320."""
    answer = ask(schema, "EntityDefinitions", options={"$select": "MetadataId,LogicalName", "$count": "true"})

    assert answer["@odata.count"] == len(answer["value"]) == len(schema.tables)
    assert sorted(names(answer)) == names(answer)


@pytest.mark.parametrize("key", ["LogicalName='new_pet'", "SchemaName='new_Pet'", "EntitySetName='new_pets'", "{id}"])
def test_one_table_is_found_by_each_of_its_names(schema: Schema, key: str) -> None:
    """WA-320."""
    table = schema.tables["new_pet"]
    answer = ask(schema, f"EntityDefinitions({key.format(id=table.metadata_id.upper())})")

    assert answer["MetadataId"] == table.metadata_id
    assert answer["@odata.context"].endswith("/$entity")
    assert "value" not in answer


def test_a_table_shows_the_properties_of_wa_322(schema: Schema) -> None:
    shown = ask(schema, PET)
    wanted = {
        "LogicalName": "new_pet",
        "SchemaName": "new_Pet",
        "EntitySetName": "new_pets",
        "LogicalCollectionName": "new_pets",
        "CollectionSchemaName": "new_Pets",
        "OwnershipType": "UserOwned",
        "PrimaryIdAttribute": "new_petid",
        "PrimaryNameAttribute": "new_name",
        "PrimaryImageAttribute": None,
        "IsCustomEntity": True,
        "IsManaged": False,
        "IsActivity": False,
        "IsActivityParty": False,
        "IsIntersect": False,
        "IsPrivate": False,
        "IsValidForAdvancedFind": True,
        "ChangeTrackingEnabled": True,
        "IsOptimisticConcurrencyEnabled": True,
        "HasNotes": False,
        "HasActivities": False,
        "TableType": "Standard",
        "HasChanged": None,
        "IsHierarchySecurityEnabled": True,
    }

    assert wanted.items() <= shown.items()
    assert shown["ObjectTypeCode"] > 10_000
    assert shown["DisplayName"]["UserLocalizedLabel"]["Label"] == "Pet"
    assert shown["Description"] == {"LocalizedLabels": [], "UserLocalizedLabel": None}
    for name in ("IsAuditEnabled", "IsCustomizable", "IsDuplicateDetectionEnabled", "CanCreateAttributes"):
        assert shown[name].keys() == {"Value", "CanBeChanged", "ManagedPropertyLogicalName"}
    read_privilege = next(p for p in shown["Privileges"] if p["PrivilegeType"] == "Read")
    assert read_privilege["Name"] == "prvReadnew_Pet"
    assert read_privilege["CanBeBasic"]


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("LogicalName eq 'NEW_pet'", {"new_pet"}),
        ("SchemaName eq 'new_Pet' or LogicalName eq 'account'", {"new_pet", "account"}),
        ("OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned' and IsCustomEntity eq true", {"new_pet"}),
        ("OwnershipType eq 'UserOwned' and IsCustomEntity eq true", {"new_pet"}),
        ("IsPrivate eq false and (IsCustomEntity eq true)", {"new_pet"}),
        ("not IsPrivate eq true and IsCustomEntity ne false", {"new_pet"}),
        ("CanCreateAttributes/Value eq true and startswith(LogicalName,'new_')", {"new_pet"}),
        ("contains(LogicalName,'_pe')", {"new_pet"}),
        ("endswith(SchemaName, '_Pet')", {"new_pet"}),
        ("ObjectTypeCode eq 1", {"account"}),
        ("ObjectTypeCode le 2", {"account", "contact"}),
        ("PrimaryImageAttribute eq null and IsCustomEntity eq true", {"new_pet"}),
        ("LogicalName eq 'O''Brian'", set[str]()),
        ("ObjectTypeCode lt 2", {"account"}),
        ("ObjectTypeCode gt 10098 and IsCustomEntity eq true", {"new_pet"}),
        ("LogicalName ge 'workflow'", {"workflow"}),
        ("PrimaryImageAttribute gt 'o'", set[str]()),
    ],
)
def test_tables_are_filtered(schema: Schema, condition: str, wanted: set[str]) -> None:
    """WA-324."""
    answer = ask(schema, "EntityDefinitions", options={"$select": "LogicalName", "$filter": condition})

    assert set(names(answer)) == wanted


def test_a_table_is_filtered_by_its_id_as_guid_and_as_text(schema: Schema) -> None:
    id_ = schema.tables["account"].metadata_id
    for literal in (id_, f"'{id_}'"):
        answer = ask(schema, "EntityDefinitions", options={"$filter": f"MetadataId eq {literal}"})
        assert names(answer) == ["account"]


@pytest.mark.parametrize(
    "options",
    [
        {"$orderby": "LogicalName"},
        {"$top": "3"},
        {"$skip": "3"},
        {"$search": "x"},
        {"$select": "Nothing"},
        {"$expand": "Nothing"},
        {"$filter": ""},
        {"$filter": "Nothing eq 1"},
        {"$filter": "LogicalName"},
        {"$filter": "LogicalName eq"},
        {"$filter": "LogicalName like 'x'"},
        {"$filter": "LogicalName eq 5"},
        {"$filter": "(LogicalName eq 'x'"},
        {"$filter": "LogicalName eq 'x' LogicalName"},
        {"$filter": "LogicalName eq 'x"},
        {"$filter": "DisplayName eq 'x'"},
        {"$filter": "tolower(LogicalName) eq 'x'"},
        {"$filter": "contains(LogicalName,5)"},
        {"$filter": "LogicalName gt null"},
        {"$filter": "LogicalName gt 5"},
        {"$filter": "IsPrivate eq 'x'"},
        {"$filter": "IsAuditEnabled eq 'x'"},
        {"$filter": "LogicalName eq SchemaName"},
        {"$filter": "IsPrivate eq true or " * 900 + "IsPrivate eq true"},
        {"$filter": "(" * 200 + "LogicalName eq 'x'" + ")" * 200},
        {"$count": "maybe"},
        {"$expand": "Attributes($top=1)"},
        {"$expand": "Attributes($select=LogicalName"},
    ],
    ids=str,
)
def test_what_metadata_cannot_do_is_refused(schema: Schema, options: dict[str, str]) -> None:
    """WA-324, WA-171."""
    with pytest.raises(QueryError):
        ask(schema, "EntityDefinitions", options=options)


def test_attributes_keys_and_relationships_can_be_expanded(schema: Schema) -> None:
    """WA-325."""
    expand = (
        "Attributes($select=LogicalName,SchemaName;$filter=AttributeType eq 'Integer' and IsCustomAttribute eq true),"
        "Keys($select=SchemaName),ManyToOneRelationships($select=SchemaName;$filter=ReferencedEntity eq 'contact'),"
        "OneToManyRelationships,ManyToManyRelationships"
    )
    shown = ask(schema, PET, options={"$select": "LogicalName", "$expand": expand})

    assert [a["LogicalName"] for a in shown["Attributes"]] == ["new_age"]
    assert shown["Attributes"][0]["@odata.type"] == f"#{NS}.IntegerAttributeMetadata"
    assert [k["SchemaName"] for k in shown["Keys"]] == ["new_PetKey"]
    assert [r["SchemaName"] for r in shown["ManyToOneRelationships"]] == ["new_contact_pets"]
    assert shown["ManyToManyRelationships"] == []


def test_every_attribute_shows_its_type_also_with_select(schema: Schema) -> None:
    """WA-326: one client reads the type from such an answer."""
    answer = ask(schema, PET, "Attributes", options={"$select": "MetadataId,SchemaName"})
    one = ask(schema, PET, "Attributes(LogicalName='new_age')", options={"$select": "MetadataId,SchemaName"})

    assert all(item["@odata.type"].startswith(f"#{NS}.") for item in answer["value"])
    assert one["@odata.type"] == f"#{NS}.IntegerAttributeMetadata"
    assert one["SchemaName"] == "new_Age"
    assert len(answer["value"]) == len(schema.tables["new_pet"].columns)


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("LogicalName eq 'new_age'", {"new_age"}),
        ("AttributeType eq 'Picklist'", {"new_kind", "new_coat"}),
        ("AttributeType eq Microsoft.Dynamics.CRM.AttributeTypeCode'Money'", {"new_price", "new_price_base"}),
        ("AttributeType eq 'Virtual'", {"new_tags"}),
        ("AttributeTypeName/Value eq 'MultiSelectPicklistType'", {"new_tags"}),
        (
            "RequiredLevel/Value eq Microsoft.Dynamics.CRM.AttributeRequiredLevel'SystemRequired'",
            {"new_petid", "ownerid", "statecode"},
        ),
        ("IsPrimaryName eq true", {"new_name"}),
    ],
)
def test_attributes_are_filtered(schema: Schema, condition: str, wanted: set[str]) -> None:
    """WA-324."""
    answer = ask(schema, PET, "Attributes", options={"$select": "LogicalName", "$filter": condition})

    assert set(names(answer)) == wanted


def test_the_picklist_cast_gives_options_for_labels(schema: Schema) -> None:
    """WA-327: asked before each write that holds a text."""
    options = {"$select": "LogicalName", "$expand": "OptionSet($select=Options),GlobalOptionSet($select=Name)"}
    answer = ask(schema, PET, "Attributes", f"{NS}.PicklistAttributeMetadata", options=options)

    assert names(answer) == ["new_coat", "new_kind"]
    coat, kind = answer["value"]
    assert [(o["Value"], o["Label"]["LocalizedLabels"][0]["Label"]) for o in kind["OptionSet"]["Options"]] == [
        (1, "Cat"),
        (2, "Dog"),
    ]
    assert kind["GlobalOptionSet"] is None
    assert coat["GlobalOptionSet"]["Name"] == "new_colour"
    assert coat["OptionSet"]["Options"][0]["Value"] == 1


def test_the_picklist_cast_of_a_table_without_picklists_is_empty(schema: Schema) -> None:
    """WA-327."""
    segments = ("EntityDefinitions(LogicalName='position')", "Attributes", f"{NS}.PicklistAttributeMetadata")

    assert ask(schema, *segments)["value"] == []


def test_every_table_answers_the_picklist_cast(schema: Schema) -> None:
    """WA-327."""
    options = {"$select": "LogicalName", "$expand": "OptionSet($select=Options)"}
    for name in schema.tables:
        segments = (f"EntityDefinitions(LogicalName='{name}')", "Attributes", f"{NS}.PicklistAttributeMetadata")
        for item in ask(schema, *segments, options=options)["value"]:
            assert isinstance(item["OptionSet"]["Options"], list)


def test_what_is_asked_of_one_table_is_remembered(schema: Schema) -> None:
    """WA-327."""
    segments = (PET, "Attributes", f"{NS}.PicklistAttributeMetadata")

    assert read(schema, segments, {}, BASE) is read(schema, segments, {}, BASE)


def test_one_attribute_is_cast_and_its_options_followed(schema: Schema) -> None:
    """WA-327."""
    kind = (PET, "Attributes(LogicalName='new_kind')")
    picklist = ask(schema, *kind, f"{NS}.PicklistAttributeMetadata")
    options = ask(schema, *kind, f"{NS}.PicklistAttributeMetadata", "OptionSet")
    values = ask(schema, *kind, f"{NS}.PicklistAttributeMetadata", "OptionSet", "Options")
    yes_no = ask(
        schema,
        PET,
        "Attributes(LogicalName='new_tame')",
        f"{NS}.BooleanAttributeMetadata",
        options={"$expand": "OptionSet"},
    )

    assert picklist["DefaultFormValue"] == 2
    assert "OptionSet" not in picklist
    assert options["OptionSetType"] == "Picklist"
    assert [o["Value"] for o in values["value"]] == [1, 2]
    assert yes_no["OptionSet"]["TrueOption"]["Label"]["UserLocalizedLabel"]["Label"] == "Tame"
    assert yes_no["OptionSet"]["FalseOption"]["Value"] == 0


@pytest.mark.parametrize(
    "segments",
    [
        ("EntityDefinitions(LogicalName='new_nothing')",),
        ("EntityDefinitions(11111111-1111-1111-1111-111111111111)",),
        (PET, "Attributes(LogicalName='new_nothing')"),
        (PET, "Attributes(LogicalName='new_age')", f"{NS}.StringAttributeMetadata"),
        (PET, "Attributes", f"{NS}.PoemAttributeMetadata"),
        (PET, "Keys(LogicalName='nothing')"),
        (PET, "Nothing"),
        ("RelationshipDefinitions(SchemaName='nothing')",),
        ("GlobalOptionSetDefinitions(Name='nothing')",),
        ("Nothing",),
        (),
        (PET, "OneToManyRelationships(SchemaName='nothing')"),
        (PET, "Attributes", "Nothing"),
        (PET, f"{NS}.StringAttributeMetadata"),
        (PET, "Attributes(LogicalName='new_kind')", f"{NS}.PicklistAttributeMetadata", "GlobalOptionSet"),
        (PET, "DisplayName", "Nothing"),
        ("RelationshipDefinitions(SchemaName='new_contact_pets')", f"{NS}.ManyToManyRelationshipMetadata"),
    ],
    ids="/".join,
)
def test_what_is_not_there_is_404(schema: Schema, segments: tuple[str, ...]) -> None:
    """WA-326, WA-327."""
    with pytest.raises(NotFound):
        ask(schema, *segments)


@pytest.mark.parametrize("key", ["", "x", "LogicalName=new_pet", "Colour='red'", "MetadataId='x'"])
def test_a_malformed_key_is_400(schema: Schema, key: str) -> None:
    with pytest.raises(StrongroomError) as caught:
        ask(schema, f"EntityDefinitions({key})")

    assert caught.value.status == 400


def test_attributes_show_the_properties_of_their_type(schema: Schema) -> None:
    """WA-328, WA-329."""
    account = "EntityDefinitions(LogicalName='account')"
    shown = {item["LogicalName"]: item for item in ask(schema, account, "Attributes")["value"]}
    contact = ask(schema, "EntityDefinitions(LogicalName='contact')", "Attributes(LogicalName='birthdate')")

    assert shown["name"]["MaxLength"] == 160
    assert shown["name"]["FormatName"] == {"Value": "Text"}
    assert shown["name"]["IsPrimaryName"]
    assert (shown["numberofemployees"]["MinValue"], shown["numberofemployees"]["MaxValue"]) == (0, 1_000_000_000)
    assert shown["revenue"]["PrecisionSource"] == 2
    assert shown["revenue_base"]["CalculationOf"] == "revenue"
    assert shown["primarycontactid"]["Targets"] == ["contact"]
    assert shown["ownerid"]["@odata.type"] == f"#{NS}.LookupAttributeMetadata"
    assert (shown["ownerid"]["AttributeType"], shown["ownerid"]["AttributeTypeName"]) == (
        "Owner",
        {"Value": "OwnerType"},
    )
    assert shown["entityimage"]["IsPrimaryImage"]
    assert (shown["entityimage"]["AttributeType"], shown["entityimage"]["AttributeTypeName"]) == (
        "Virtual",
        {"Value": "ImageType"},
    )
    assert shown["accountid"]["@odata.type"] == f"#{NS}.UniqueIdentifierAttributeMetadata"
    assert shown["creditonhold"]["DefaultValue"] is False
    assert shown["createdon"]["DateTimeBehavior"] == {"Value": "UserLocal"}
    assert contact["DateTimeBehavior"] == {"Value": "DateOnly"}
    for item in shown.values():
        assert item["RequiredLevel"]["ManagedPropertyLogicalName"] == "canmodifyrequirementlevelsettings"
        assert {
            "IsSecured",
            "CanBeSecuredForRead",
            "IsAuditEnabled",
            "ColumnNumber",
            "EntityLogicalName",
        } <= item.keys()


def test_state_and_status_options_point_to_each_other(schema: Schema) -> None:
    """WA-328."""
    segments = ("EntityDefinitions(LogicalName='task')", "Attributes")
    options = {"$expand": "OptionSet"}
    state = ask(schema, *segments, f"{NS}.StateAttributeMetadata", options=options)["value"][0]
    status = ask(schema, *segments, f"{NS}.StatusAttributeMetadata", options=options)["value"][0]

    assert [(o["Value"], o["DefaultStatus"]) for o in state["OptionSet"]["Options"]] == [(0, 2), (1, 5), (2, 6)]
    assert {o["Value"]: o["State"] for o in status["OptionSet"]["Options"]}[5] == 1


def test_keys_are_shown(schema: Schema) -> None:
    """WA-330."""
    answer = ask(schema, PET, "Keys", options={"$select": "SchemaName,KeyAttributes"})
    key = answer["value"][0]
    whole = ask(schema, PET, f"Keys({key['MetadataId']})")

    assert (key["SchemaName"], key["KeyAttributes"]) == ("new_PetKey", ["new_name", "new_age"])
    assert (whole["EntityKeyIndexStatus"], whole["EntityLogicalName"]) == ("Active", "new_pet")
    assert ask(schema, "EntityDefinitions(LogicalName='account')", "Keys")["value"] == []


def test_relationships_show_both_navigation_names_and_the_cascades(schema: Schema) -> None:
    """WA-331: one client refuses items without the two names."""
    account = "EntityDefinitions(LogicalName='account')"
    children = {r["SchemaName"]: r for r in ask(schema, account, "OneToManyRelationships")["value"]}
    parents = ask(schema, account, "ManyToOneRelationships")["value"]

    tasks = children["Account_Tasks"]
    assert tasks["ReferencedEntityNavigationPropertyName"] == "Account_Tasks"
    assert tasks["ReferencingEntityNavigationPropertyName"] == "regardingobjectid_account_task"
    assert tasks["RelationshipType"] == "OneToManyRelationship"
    assert tasks["SecurityTypes"] == "ParentChild"
    assert tasks["CascadeConfiguration"] == {
        "Assign": "Cascade",
        "Delete": "Cascade",
        "Archive": "NoCascade",
        "Merge": "Cascade",
        "Reparent": "Cascade",
        "Share": "Cascade",
        "Unshare": "Cascade",
        "RollupView": "NoCascade",
    }
    owner = next(r for r in parents if r["ReferencingAttribute"] == "ownerid")
    assert (owner["ReferencingEntityNavigationPropertyName"], owner["ReferencedEntity"]) == ("ownerid", "owner")
    for item in (*children.values(), *parents):
        assert item["ReferencedEntityNavigationPropertyName"]
        assert item["ReferencingEntityNavigationPropertyName"]


def test_many_to_many_relationships_have_their_own_properties(schema: Schema) -> None:
    """WA-331: selecting ReferencedEntity there is 400."""
    team = ("EntityDefinitions(LogicalName='team')", "ManyToManyRelationships")
    found = {r["SchemaName"]: r for r in ask(schema, *team)["value"]}

    members = found["teammembership_association"]
    assert members["IntersectEntityName"] == "teammembership"
    assert {members["Entity1LogicalName"], members["Entity2LogicalName"]} == {"team", "systemuser"}
    with pytest.raises(QueryError):
        ask(schema, *team, options={"$select": "ReferencedEntity"})


def test_relationships_are_found_by_name_id_cast_and_filter(schema: Schema) -> None:
    """WA-332."""
    one = f"{NS}.OneToManyRelationshipMetadata"
    by_filter = ask(schema, "RelationshipDefinitions", options={"$filter": "SchemaName eq 'new_contact_pets'"})
    by_name = ask(
        schema,
        "RelationshipDefinitions(SchemaName='new_contact_pets')",
        one,
        options={"$select": "ReferencingEntityNavigationPropertyName"},
    )
    by_id = ask(schema, f"RelationshipDefinitions({by_name['MetadataId']})")
    by_cast = ask(schema, "RelationshipDefinitions", f"{NS}.ManyToManyRelationshipMetadata")
    by_type = ask(
        schema,
        "RelationshipDefinitions",
        options={
            "$filter": f"RelationshipType eq {NS}.RelationshipType'OneToManyRelationship'",
            "$select": "SchemaName",
        },
    )

    assert by_filter["value"][0]["@odata.type"] == f"#{one}"
    assert by_name["ReferencingEntityNavigationPropertyName"] == "new_Keeper"
    assert by_id["ReferencedEntity"] == "contact"
    assert names(by_cast, "SchemaName") == sorted(schema.many_to_many)
    assert set(schema.relationships) <= set(names(by_type, "SchemaName"))


def test_global_choices_are_found_and_cannot_be_filtered(schema: Schema) -> None:
    """WA-333."""
    every = ask(schema, "GlobalOptionSetDefinitions")
    cast = ask(schema, "GlobalOptionSetDefinitions", f"{NS}.OptionSetMetadata", options={"$select": "Name"})
    one = ask(schema, "GlobalOptionSetDefinitions(Name='new_colour')", f"{NS}.OptionSetMetadata")

    assert names(every, "Name") == names(cast, "Name")
    assert every["value"][0]["@odata.type"] == f"#{NS}.OptionSetMetadata"
    assert one["Options"][0]["Label"]["UserLocalizedLabel"]["Label"] == "Red"
    assert ask(schema, f"GlobalOptionSetDefinitions({one['MetadataId']})")["IsGlobal"]
    with pytest.raises(QueryError):
        ask(schema, "GlobalOptionSetDefinitions", options={"$filter": "Name eq 'new_colour'"})


def test_properties_and_counts_have_addresses_of_their_own(schema: Schema) -> None:
    assert ask(schema, PET, "LogicalName")["value"] == "new_pet"
    assert ask(schema, PET, "DisplayName")["UserLocalizedLabel"]["Label"] == "Pet"
    assert ask(schema, PET, "DisplayName", "UserLocalizedLabel", "Label")["value"] == "Pet"
    assert ask(schema, PET, "ManyToOneRelationships(SchemaName='new_contact_pets')")["ReferencedEntity"] == "contact"
    assert ask(schema, "RelationshipDefinitions(SchemaName='owner_new_pets')")["ReferencedEntity"] == "owner"
    assert ask(schema, "EntityDefinitions", "$count") == len(schema.tables)
    assert ask(schema, "ManagedPropertyDefinitions")["value"] == []


def changes_query(table: str, **attribute_query: object) -> dict[str, object]:
    """The query of a published client for typed columns."""
    condition = {
        "PropertyName": "LogicalName",
        "ConditionOperator": "Equals",
        "Value": {"Type": "System.String", "Value": table},
    }
    return {
        "Properties": {"PropertyNames": ["LogicalName", "Attributes"]},
        "Criteria": {"Conditions": [condition]},
        "AttributeQuery": attribute_query,
    }


def test_typed_columns_are_retrieved_in_one_answer(schema: Schema) -> None:
    """WA-334."""
    query = changes_query("new_pet", Properties={"PropertyNames": ["LogicalName", "MaxLength", "MinValue", "Nothing"]})

    answer = ask(schema, "RetrieveMetadataChanges(Query=@p1)", options={"@p1": json.dumps(query)})

    assert answer["ServerVersionStamp"]
    table = answer["EntityMetadata"][0]
    assert table["LogicalName"] == "new_pet"
    found = {a["LogicalName"]: a for a in table["Attributes"]}
    assert found["new_name"]["MaxLength"] == 100
    assert found["new_age"]["MinValue"] == 0
    assert found["new_age"]["@odata.type"] == f"#{NS}.IntegerAttributeMetadata"
    assert "MaxLength" not in found["new_age"]
    assert "Nothing" not in found["new_age"]
    assert found["new_age"]["HasChanged"] is None


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        (("IsPrimaryName", "Equals", "true"), {"new_name"}),
        (("AttributeType", "Equals", "Money"), {"new_price", "new_price_base"}),
        (("RequiredLevel", "Equals", "SystemRequired"), {"new_petid", "ownerid", "statecode"}),
        (("MaxValue", "LessThan", 100), {"new_age"}),
        (("ColumnNumber", "GreaterThan", 1_000), set[str]()),
        (("IsSecured", "NotEquals", False), set[str]()),
    ],
)
def test_conditions_of_a_query_compare_as_their_operator_says(
    schema: Schema, condition: tuple[str, str, object], wanted: set[str]
) -> None:
    """WA-334."""
    name, operator, value = condition
    made = {"PropertyName": name, "ConditionOperator": operator, "Value": {"Value": value}}
    query = changes_query(
        "new_pet", Properties={"PropertyNames": ["LogicalName"]}, Criteria={"Filters": [{"Conditions": [made]}]}
    )

    table = ask(schema, "RetrieveMetadataChanges(Query=@q)", options={"@q": json.dumps(query)})["EntityMetadata"][0]

    assert {a["LogicalName"] for a in table["Attributes"]} == wanted


def test_option_sets_come_with_a_query_that_names_them(schema: Schema) -> None:
    """WA-334."""
    query = changes_query("new_pet", Properties={"PropertyNames": ["LogicalName", "OptionSet"]})
    query["Properties"] = {"PropertyNames": ["LogicalName", "Attributes", "Keys"]}

    table = ask(schema, "RetrieveMetadataChanges(Query=@q)", options={"@q": json.dumps(query)})["EntityMetadata"][0]

    found = {a["LogicalName"]: a for a in table["Attributes"]}
    assert [o["Value"] for o in found["new_kind"]["OptionSet"]["Options"]] == [1, 2]
    assert "OptionSet" not in found["new_age"]
    assert len(table["Keys"]) == 1


def test_attributes_are_narrowed_and_an_unknown_table_gives_none(schema: Schema) -> None:
    """WA-334."""
    one = {
        "Properties": {"AllProperties": True},
        "Criteria": {
            "FilterOperator": "Or",
            "Conditions": [
                {"PropertyName": "LogicalName", "ConditionOperator": "In", "Value": {"Value": ["new_age", "new_kind"]}}
            ],
        },
    }
    narrowed = ask(schema, f"RetrieveMetadataChanges(Query={json.dumps(changes_query('new_pet', **one))})")[
        "EntityMetadata"
    ][0]["Attributes"]
    unknown = ask(schema, "RetrieveMetadataChanges(Query=@q)", options={"@q": json.dumps(changes_query("new_nothing"))})

    assert {a["LogicalName"] for a in narrowed} == {"new_age", "new_kind"}
    assert unknown["EntityMetadata"] == []


@pytest.mark.parametrize(
    ("segment", "value"),
    [
        ("RetrieveMetadataChanges(Query=@p)", None),
        ("RetrieveMetadataChanges(Query=@p)", "no json"),
        ("RetrieveMetadataChanges(Query=@p)", "[]"),
        ("RetrieveMetadataChanges(Query=@p)", '{"Criteria":{"Conditions":[{"PropertyName":5}]}}'),
        ("RetrieveMetadataChanges(Query=@p)", '{"Criteria":{"Conditions":{"a":1}}}'),
        ("RetrieveMetadataChanges(Query=@p)", '{"Properties":{"PropertyNames":"x"}}'),
        ("RetrieveMetadataChanges", None),
    ],
)
def test_a_malformed_query_is_400(schema: Schema, segment: str, value: str | None) -> None:
    with pytest.raises(StrongroomError) as caught:
        ask(schema, segment, options={} if value is None else {"@p": value})

    assert caught.value.status == 400
