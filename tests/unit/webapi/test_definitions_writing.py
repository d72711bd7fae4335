"""Writing metadata as JSON (WA-340 to WA-353), with the bodies that published clients build."""

import copy
import json
import re
from collections.abc import Mapping
from enum import IntEnum
from types import SimpleNamespace
from typing import Any

import pytest
from dataverse_api.metadata.attributes import (
    BooleanAttributeMetadata,
    DecimalAttributeMetadata,
    IntegerAttributeMetadata,
    MemoAttributeMetadata,
    StringAttributeMetadata,
)
from dataverse_api.metadata.entity import define_entity
from dataverse_api.metadata.enums import OwnershipType
from dataverse_api.metadata.relationships import define_relationship
from hypothesis import given, settings
from hypothesis import strategies as st
from PowerPlatform.Dataverse.data._odata_base import _ODataBase  # pyright: ignore[reportPrivateUsage]  # its bodies
from PowerPlatform.Dataverse.models.relationship import ManyToManyRelationshipMetadata
from tests.profiles import examples

from strongroom.errors import MethodNotAllowed, NotFound, NotOffered, StrongroomError
from strongroom.schema.model import ColumnType, DateBehavior, Ownership, Schema
from strongroom.schema.standard_tables import standard_schema
from strongroom.webapi.definitions import MetadataChange, read, write

NS = "Microsoft.Dynamics.CRM"
PET = "EntityDefinitions(LogicalName='new_pet')"


def label(text: str) -> dict[str, object]:
    return {"LocalizedLabels": [{"Label": text, "LanguageCode": 1033}]}


def table_body(name: str = "new_Pet", **more: object) -> dict[str, object]:
    return {
        "@odata.type": f"{NS}.EntityMetadata",
        "SchemaName": name,
        "DisplayName": label("Pet"),
        "DisplayCollectionName": label("Pets"),
        "OwnershipType": "UserOwned",
        "HasNotes": False,
        "HasActivities": False,
        "IsActivity": False,
        "Attributes": [
            {
                "@odata.type": f"{NS}.StringAttributeMetadata",
                "SchemaName": "new_Name",
                "IsPrimaryName": True,
                "MaxLength": 80,
                "RequiredLevel": {"Value": "None"},
                "DisplayName": label("Name"),
            }
        ],
        **more,
    }


def column_body(type_: str, name: str = "new_X", **more: object) -> dict[str, object]:
    return {"@odata.type": f"{NS}.{type_}AttributeMetadata", "SchemaName": name, "DisplayName": label("X"), **more}


def post(schema: Schema, *segments: str, body: Mapping[str, object]) -> MetadataChange:
    return write(schema, "POST", segments, body, {})


@pytest.fixture(scope="module")
def schema() -> Schema:
    made = post(standard_schema(), "EntityDefinitions", body=table_body()).new_schema
    return post(made, PET, "Attributes", body=column_body("String", "new_Code", MaxLength=20)).new_schema


@pytest.fixture(scope="module")
def client() -> Any:
    """The body builder of a published client, without its connection."""
    builder = object.__new__(_ODataBase)
    builder.config = SimpleNamespace(language_code=1033)  # pyright: ignore[reportAttributeAccessIssue]  # all it needs
    builder.api = "http://localhost/api/data/v9.2"
    return builder


def test_a_table_is_made_and_its_id_told_in_the_header() -> None:
    """WA-340."""
    before = standard_schema()
    change = post(before, "EntityDefinitions", body=table_body(IsHierarchySecurityEnabled=False))
    table = change.new_schema.tables["new_pet"]

    assert change.entity_id_path == f"EntityDefinitions({table.metadata_id})"
    assert change.answer is None
    assert (table.label, table.collection_label, table.ownership) == ("Pet", "Pets", Ownership.USER)
    assert table.columns["new_name"].max_length == 80
    assert not table.is_hierarchy_security_enabled
    assert change.new_schema.version == before.version + 1


def test_a_type_with_a_leading_hash_is_accepted() -> None:
    """WA-340."""
    body = table_body() | {"@odata.type": f"#{NS}.EntityMetadata"}

    assert "new_pet" in post(standard_schema(), "EntityDefinitions", body=body).new_schema.tables


class Colour(IntEnum):
    RED = 1
    BLUE = 2


def test_create_entities_of_a_published_client_makes_every_column_type_in_one_step(client: Any) -> None:
    """WA-341, WA-343."""
    columns = {
        "new_Text": "string",
        "new_Memo": "memo",
        "new_Int": {"type": "int", "min_value": 1, "max_value": 5},
        "new_Decimal": "decimal",
        "new_Double": "float",
        "new_When": "datetime",
        "new_Flag": "bool",
        "new_File": "file",
        "new_Colour": Colour,
    }
    request = client._build_create_entity("new_Thing", columns)
    before = standard_schema()

    change = post(before, "CreateEntities", body=json.loads(request.body))

    table = change.new_schema.tables["new_thing"]
    assert change.answer == {"EntityIds": [table.metadata_id]}
    assert change.new_schema.version == before.version + 1
    assert table.has_notes
    assert (table.entity_set_name, table.primary_name) == ("new_things", "new_name")
    found = table.columns
    assert found["new_text"].max_length == 200
    assert (found["new_memo"].max_length, found["new_memo"].format) == (4000, "Text")
    assert (found["new_int"].minimum, found["new_int"].maximum) == (1.0, 5.0)
    assert (found["new_double"].type, found["new_double"].precision) == (ColumnType.DOUBLE, 5)
    assert (found["new_when"].format, found["new_when"].behavior) == ("DateOnly", DateBehavior.USER_LOCAL)
    assert [o.label for o in found["new_flag"].options] == ["True", "False"]
    assert [(o.value, o.label) for o in found["new_colour"].options] == [(1, "RED"), (2, "BLUE")]
    assert "new_file_name" in found


def test_a_client_makes_and_changes_a_column(schema: Schema, client: Any) -> None:
    """WA-343, WA-344: the second client reads the whole definition and puts it back."""
    id_ = schema.tables["new_pet"].metadata_id
    request = client._build_create_column(id_, "new_Size", {"type": "string", "max_length": 60})
    change = post(schema, f"EntityDefinitions({id_})", "Attributes", body=json.loads(request.body))
    made = change.new_schema.tables["new_pet"].columns["new_size"]
    assert change.entity_id_path == f"EntityDefinitions({id_})/Attributes({made.metadata_id})"

    segments = (f"EntityDefinitions({id_})", "Attributes(LogicalName='new_size')", f"{NS}.StringAttributeMetadata")
    full = json.loads(read(change.new_schema, segments, {}, "http://x"))
    body = {name: value for name, value in full.items() if not name.startswith("@odata.")}
    body["@odata.type"] = f"{NS}.StringAttributeMetadata"
    client._apply_column_overrides(body, {"max_length": 30, "format": "Email", "required": "Recommended"})
    path = (f"EntityDefinitions({id_})", f"Attributes({made.metadata_id})")
    changed = write(change.new_schema, "PUT", path, body, {"mscrm.mergelabels": "true"})

    column = changed.new_schema.tables["new_pet"].columns["new_size"]
    assert (column.max_length, column.format, column.required.value) == (30, "Email", "Recommended")
    assert column.metadata_id == made.metadata_id
    assert changed.entity_id_path is None


@pytest.mark.parametrize("table", ["account", "contact", "task", "role", "organization", "new_pet"])
def test_every_column_can_be_put_back_as_it_was_read(schema: Schema, table: str) -> None:
    """WA-344: nothing changes when nothing was changed."""
    definition = f"EntityDefinitions(LogicalName='{table}')"
    shown = json.loads(read(schema, (definition, "Attributes"), {}, "http://x"))["value"]
    for body in shown:
        body["@odata.type"] = body["@odata.type"].lstrip("#")
        change = write(schema, "PUT", (definition, f"Attributes({body['MetadataId']})"), body, {})
        before = schema.tables[table].columns[body["LogicalName"]]
        assert change.new_schema.tables[table].columns[body["LogicalName"]] == before


def test_another_client_defines_a_table_with_its_own_classes() -> None:
    """WA-340, WA-343."""
    entity = define_entity(
        "new_Toy",
        attributes=[
            StringAttributeMetadata(schema_name="new_Name", is_primary_name=True),
            IntegerAttributeMetadata(schema_name="new_Int", min_value=0, max_value=9),
            DecimalAttributeMetadata(schema_name="new_Dec", min_value=0, max_value=9.5),
            BooleanAttributeMetadata(schema_name="new_Bool", default_value=True),
            MemoAttributeMetadata(schema_name="new_Memo"),
        ],
        ownership_type=OwnershipType.ORGANIZATION_OWNED,
    )

    change = post(standard_schema(), "EntityDefinitions", body=entity.dump_to_dataverse())

    table = change.new_schema.tables["new_toy"]
    assert table.ownership is Ownership.ORGANIZATION
    assert table.columns["new_bool"].default == 1
    assert table.columns["new_dec"].maximum == 9.5
    shown = json.loads(read(change.new_schema, ("EntityDefinitions(LogicalName='new_toy')",), {}, "http://x"))
    changed = write(change.new_schema, "PUT", ("EntityDefinitions(LogicalName='new_toy')",), shown, {})
    assert changed.new_schema.tables["new_toy"] == table


def test_another_client_defines_a_relationship(schema: Schema) -> None:
    """WA-347."""
    relationship = define_relationship("new_account_pets", "new_pet", "account", "new_Account")
    relationship.lookup.schema_name = "new_AccountId"
    change = post(schema, "RelationshipDefinitions", body=relationship.dump_to_dataverse())
    made = change.new_schema.relationships["new_account_pets"]
    assert change.entity_id_path == f"RelationshipDefinitions({made.metadata_id})"
    assert (made.lookup_nav, made.cascade.assign) == ("new_AccountId", "Cascade")


def test_a_client_makes_a_lookup(schema: Schema, client: Any) -> None:
    """WA-347."""
    lookup, relationship = client._build_lookup_field_models("new_Pet", "new_Keeper", "Task", required=True)
    body = relationship.to_dict() | {"Lookup": lookup.to_dict()}

    made = post(schema, "RelationshipDefinitions", body=body).new_schema.relationships["task_new_pet_new_Keeper"]

    assert made.referenced_column == "activityid"
    assert made.cascade.delete == "RemoveLink"
    assert made.lookup_nav == "new_Keeper"


def test_a_client_makes_a_many_to_many_relationship(schema: Schema) -> None:
    """WA-347."""
    body = ManyToManyRelationshipMetadata("new_contact_pet", "contact", "new_pet").to_dict()

    change = post(schema, "RelationshipDefinitions", body=body)

    association = change.new_schema.many_to_many["new_contact_pet"]
    assert change.entity_id_path == f"RelationshipDefinitions({association.metadata_id})"
    assert change.new_schema.tables["new_contact_pet"].is_intersect


def test_the_header_of_a_key_holds_the_id_of_the_key_alone(schema: Schema) -> None:
    """WA-346: a client takes the first id in it."""
    body = {"SchemaName": "new_k", "KeyAttributes": ["new_Code"], "DisplayName": label("K")}
    change = post(schema, PET, "Keys", body=body)
    key = change.new_schema.tables["new_pet"].keys[0]

    assert change.entity_id_path == f"{PET}/Keys({key.metadata_id})"
    found = re.search(r"\(([0-9a-fA-F-]+)\)", change.entity_id_path or "")
    assert found is not None
    assert found[1] == key.metadata_id


def test_scenario_columns_can_be_secured_from_the_start(schema: Schema) -> None:
    change = post(schema, PET, "Attributes", body=column_body("String", "srt_pay", IsSecured=True))

    assert change.new_schema.tables["new_pet"].columns["srt_pay"].is_secured


def test_choices_are_local_or_global(schema: Schema) -> None:
    """WA-343, WA-349, WA-350."""
    body = {
        "Name": "new_Mood",
        "DisplayName": label("Mood"),
        "Options": [{"Label": label("Good")}, {"Label": label("Bad"), "Value": 3}],
    }
    change = post(schema, "GlobalOptionSetDefinitions", body=body)
    choice = change.new_schema.choices["new_mood"]
    assert change.entity_id_path == f"GlobalOptionSetDefinitions({choice.metadata_id})"
    assert [(o.value, o.label) for o in choice.options] == [(100_000_000, "Good"), (3, "Bad")]

    bind = {"GlobalOptionSet@odata.bind": f"/GlobalOptionSetDefinitions({choice.metadata_id})"}
    bound = post(change.new_schema, PET, "Attributes", body=column_body("Picklist", "new_Mood", **bind))
    assert bound.new_schema.tables["new_pet"].columns["new_mood"].global_choice == "new_mood"

    by_name = {"OptionSet": {"IsGlobal": True, "Name": "new_mood"}}
    named = post(change.new_schema, PET, "Attributes", body=column_body("MultiSelectPicklist", "new_Moods", **by_name))
    assert named.new_schema.tables["new_pet"].columns["new_moods"].global_choice == "new_mood"

    renamed = write(
        bound.new_schema, "PUT", ("GlobalOptionSetDefinitions(Name='new_mood')",), {"DisplayName": label("Temper")}, {}
    )
    assert renamed.new_schema.choices["new_mood"].label == "Temper"
    assert renamed.new_schema.choices["new_mood"].options == choice.options


def test_a_choice_is_deleted_and_cannot_change_its_name(schema: Schema) -> None:
    """WA-345."""
    made = post(schema, "GlobalOptionSetDefinitions", body={"Name": "new_Mood"}).new_schema
    path = ("GlobalOptionSetDefinitions(Name='new_mood')",)

    assert "new_mood" not in write(made, "DELETE", path, {}, {}).new_schema.choices
    with pytest.raises(StrongroomError):
        write(made, "PUT", path, {"Name": "new_Other"}, {})
    with pytest.raises(NotOffered):
        post(schema, "GlobalOptionSetDefinitions", body={"Name": "new_Two", "OptionSetType": "Boolean"})


BAD_RELATIONSHIPS: list[dict[str, object]] = [
    {"@odata.type": None},
    {"@odata.type": f"{NS}.Poem"},
    {"ReferencedEntity": None},
    {"ReferencedAttribute": "name"},
    {"Lookup": None},
    {"Lookup": "new_L"},
    {"Lookup": {"@odata.type": f"{NS}.StringAttributeMetadata", "SchemaName": "new_L"}},
    {"CascadeConfiguration": "all"},
    {"CascadeConfiguration": {"Delete": "Explode"}},
]


@pytest.mark.parametrize("change", BAD_RELATIONSHIPS, ids=str)
def test_a_malformed_relationship_is_400(schema: Schema, change: dict[str, object]) -> None:
    """WA-353."""
    with pytest.raises(StrongroomError) as caught:
        post(schema, "RelationshipDefinitions", body=WHOLE["relationship"] | change)

    assert caught.value.status == 400


@pytest.mark.parametrize(
    "more",
    [
        {"OptionSet": {"Options": [{"Value": 1}]}},
        {"GlobalOptionSet@odata.bind": "/accounts(1)"},
        {"GlobalOptionSet@odata.bind": 7},
        {"OptionSet": {"@odata.type": f"{NS}.BooleanOptionSetMetadata"}},
        {"OptionSet": {"Options": [{"Value": 1.5, "Label": label("A")}]}},
        {},
    ],
    ids=str,
)
def test_a_malformed_choice_column_is_400(schema: Schema, more: dict[str, object]) -> None:
    """WA-353."""
    with pytest.raises(StrongroomError) as caught:
        post(schema, PET, "Attributes", body=column_body("Picklist", "new_Mood", **more))

    assert caught.value.status == 400


def test_a_relationship_is_made_by_its_cast_and_deleted_by_its_name(schema: Schema) -> None:
    """WA-345, WA-347."""
    body = {name: value for name, value in WHOLE["relationship"].items() if name != "@odata.type"}
    path = ("RelationshipDefinitions", f"{NS}.OneToManyRelationshipMetadata")
    made = write(schema, "POST", path, body, {}).new_schema

    left = write(made, "DELETE", ("RelationshipDefinitions(SchemaName='new_r')",), {}, {}).new_schema

    assert "new_r" in made.relationships
    assert left.relationships == schema.relationships
    association = {"@odata.type": f"{NS}.ManyToManyRelationshipMetadata"}
    unchanged = write(
        schema, "PUT", ("RelationshipDefinitions(SchemaName='teammembership_association')",), association, {}
    )
    assert unchanged.new_schema.many_to_many == schema.many_to_many


def test_a_definition_without_a_type_is_put_as_what_the_column_is(schema: Schema) -> None:
    """WA-344."""
    path = (PET, "Attributes(LogicalName='new_code')")

    changed = write(schema, "PUT", path, {"MaxLength": 40}, {})

    assert changed.new_schema.tables["new_pet"].columns["new_code"].max_length == 40


def test_several_tables_for_one_lookup(schema: Schema) -> None:
    """WA-348."""
    bodies = [
        {"SchemaName": f"new_pet_{target}", "ReferencedEntity": target, "ReferencingEntity": "new_pet"}
        for target in ("account", "contact")
    ]
    body = {"OneToManyRelationships": bodies, "Lookup": {"SchemaName": "new_Payer"}}

    plain = post(schema, "CreatePolymorphicLookupAttribute", body=body)
    customer = post(schema, "CreateCustomerRelationships", body=body)

    column = plain.new_schema.tables["new_pet"].columns["new_payer"]
    assert plain.answer is not None
    assert plain.answer["AttributeId"] == column.metadata_id
    assert column.targets == ("account", "contact")
    assert customer.new_schema.tables["new_pet"].columns["new_payer"].type is ColumnType.CUSTOMER


def test_cascades_are_put(schema: Schema) -> None:
    """WA-344."""
    lookup = {"@odata.type": f"{NS}.LookupAttributeMetadata", "SchemaName": "new_Keeper"}
    body: dict[str, object] = {
        "@odata.type": f"{NS}.OneToManyRelationshipMetadata",
        "SchemaName": "new_r",
        "ReferencedEntity": "contact",
        "ReferencingEntity": "new_pet",
        "CascadeConfiguration": {"Assign": "Cascade", "Delete": "Restrict", "Share": "Active"},
        "Lookup": lookup,
    }
    made = post(schema, "RelationshipDefinitions", body=body)
    change = {"@odata.type": f"{NS}.OneToManyRelationshipMetadata", "CascadeConfiguration": {"Delete": "Cascade"}}
    path = ((made.entity_id_path or ""),)

    changed = write(made.new_schema, "PUT", path, change, {})

    before, after = made.new_schema.relationships["new_r"], changed.new_schema.relationships["new_r"]
    assert (before.cascade.assign, before.cascade.share, before.cascade.delete) == ("Cascade", "Active", "Restrict")
    assert (after.cascade.assign, after.cascade.delete) == ("NoCascade", "Cascade")


def test_everything_that_was_made_can_be_deleted(schema: Schema) -> None:
    """WA-345."""
    made = post(schema, PET, "Keys", body={"SchemaName": "new_k", "KeyAttributes": ["new_code"]}).new_schema
    made = write(made, "DELETE", (PET, "Keys(LogicalName='new_k')"), {}, {"if-match": "*"}).new_schema
    id_ = made.tables["new_pet"].columns["new_code"].metadata_id
    made = write(made, "DELETE", (PET, f"Attributes({id_})"), {}, {}).new_schema
    assert "new_code" not in made.tables["new_pet"].columns
    made = write(made, "DELETE", (f"EntityDefinitions({made.tables['new_pet'].metadata_id})",), {}, {}).new_schema

    assert made.tables == standard_schema().tables


MALFORMED: list[dict[str, object]] = [
    {"@odata.type": f"{NS}.Poem"},
    {"@odata.type": "Poem"},
    {"@odata.type": 5},
    {"SchemaName": None},
    {"SchemaName": "pet"},
    {"SchemaName": 7},
    {"Attributes": []},
    {"Attributes": {}},
    {"Attributes": [column_body("String")]},
    {"Attributes": [column_body("Integer", IsPrimaryName=True)]},
    {"Attributes": [column_body("Poem", IsPrimaryName=True)]},
    {"Attributes": [{"SchemaName": "new_X", "IsPrimaryName": True}]},
    {"Attributes": [column_body("String", IsPrimaryName=True, MaxLength=0)]},
    {"Attributes": [column_body("String", IsPrimaryName=True, MaxLength="long")]},
    {
        "Attributes": [
            column_body("String", IsPrimaryName=True),
            column_body("Integer", "new_Y", MinValue=2, MaxValue=1),
        ]
    },
    {"Attributes": [column_body("String", IsPrimaryName=True), column_body("String", "new_x")]},
    {"Attributes": [column_body("String", IsPrimaryName="yes")]},
    {"OwnershipType": "None"},
    {"OwnershipType": "Nobody"},
    {"DisplayName": "Pet"},
    {"DisplayName": label("\ud800")},
    {"Description": label("\x00")},
    {"DisplayName": {"LocalizedLabels": [{}]}},
    {"HasNotes": "yes"},
    {"EntitySetName": "a b"},
]


@pytest.mark.parametrize("change", MALFORMED, ids=str)
def test_a_malformed_table_is_400_and_nothing_is_made(change: dict[str, object]) -> None:
    """WA-353."""
    with pytest.raises(StrongroomError) as caught:
        post(standard_schema(), "EntityDefinitions", body=table_body() | change)

    assert caught.value.status == 400
    assert caught.value.message


def test_a_taken_name_says_so(schema: Schema) -> None:
    """WA-340."""
    with pytest.raises(StrongroomError, match="already exists") as caught:
        post(schema, "EntityDefinitions", body=table_body())

    assert caught.value.code == "0x80047010"


def test_one_bad_table_among_several_makes_none() -> None:
    """WA-341."""
    before = standard_schema()
    with pytest.raises(StrongroomError):
        post(before, "CreateEntities", body={"Entities": [table_body(), table_body("bad")]})
    with pytest.raises(StrongroomError):
        post(before, "CreateEntities", body={})


def test_a_custom_activity_has_the_subject_as_primary_name() -> None:
    """WA-340."""
    with pytest.raises(StrongroomError, match="'Subject'"):
        post(standard_schema(), "EntityDefinitions", body=table_body(IsActivity=True))


@pytest.mark.parametrize(
    ("method", "segments", "allow"),
    [
        ("PATCH", (PET, "Attributes(LogicalName='new_code')"), "GET, HEAD, PUT, DELETE"),
        ("PATCH", (PET,), "GET, HEAD, PUT, DELETE"),
        ("DELETE", ("EntityDefinitions",), "GET, HEAD, POST"),
        ("PUT", (PET, "Keys(LogicalName='x')"), "GET, HEAD, DELETE"),
        ("POST", (PET, "OneToManyRelationships"), "GET, HEAD"),
    ],
)
def test_methods_that_a_resource_does_not_have_are_405(
    schema: Schema, method: str, segments: tuple[str, ...], allow: str
) -> None:
    """WA-344, WA-9."""
    with pytest.raises(MethodNotAllowed) as caught:
        write(schema, method, segments, {}, {})

    assert caught.value.details["allow"] == allow


def test_unknown_parts_are_404(schema: Schema) -> None:
    for segments in (
        ("EntityDefinitions(LogicalName='new_nothing')",),
        (PET, "Attributes(LogicalName='new_nothing')"),
        ("RelationshipDefinitions(SchemaName='new_nothing')",),
        ("GlobalOptionSetDefinitions(Name='new_nothing')",),
        ("Nothing",),
    ):
        with pytest.raises(NotFound):
            write(schema, "DELETE", segments, {}, {})


@pytest.mark.parametrize(
    "body",
    [
        {"OwnershipType": "OrganizationOwned"},
        {"SchemaName": "new_Other"},
        {"EntitySetName": "others"},
    ],
    ids=str,
)
def test_what_cannot_change_of_a_table_is_refused(schema: Schema, body: dict[str, object]) -> None:
    with pytest.raises(StrongroomError) as caught:
        write(schema, "PUT", (PET,), body, {})

    assert caught.value.status == 400


def test_a_cast_that_does_not_fit_the_column_is_refused(schema: Schema) -> None:
    """WA-344."""
    path = (PET, "Attributes(LogicalName='new_code')", f"{NS}.MemoAttributeMetadata")

    with pytest.raises(StrongroomError) as caught:
        write(schema, "PUT", path, {"MaxLength": 5}, {})

    assert caught.value.status == 400


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
WHOLE: dict[str, dict[str, object]] = {
    "table": table_body(),
    "column": column_body(
        "Picklist", OptionSet={"Options": [{"Value": 1, "Label": label("A")}]}, RequiredLevel={"Value": "None"}
    ),
    "number": column_body("Decimal", MinValue=0, MaxValue=5, Precision=1, IsSecured=False, DefaultFormValue=-1),
    "relationship": {
        "@odata.type": f"{NS}.OneToManyRelationshipMetadata",
        "SchemaName": "new_r",
        "ReferencedEntity": "contact",
        "ReferencingEntity": "new_pet",
        "ReferencedAttribute": "contactid",
        "CascadeConfiguration": {"Delete": "Restrict"},
        "Lookup": {"SchemaName": "new_L", "AttributeType": "Lookup"},
    },
    "key": {"SchemaName": "new_k", "KeyAttributes": ["new_code"], "DisplayName": label("K")},
    "choice": {"Name": "new_c", "Options": [{"Value": 1, "Label": label("A")}]},
}
PATHS: dict[str, tuple[str, ...]] = {
    "table": ("EntityDefinitions",),
    "column": (PET, "Attributes"),
    "number": (PET, "Attributes"),
    "relationship": ("RelationshipDefinitions",),
    "key": (PET, "Keys"),
    "choice": ("GlobalOptionSetDefinitions",),
}


@given(st.sampled_from(sorted(WHOLE)), st.data())
@settings(max_examples=examples(150), deadline=None)
def test_a_body_with_anything_in_it_is_accepted_or_4xx(kind: str, data: st.DataObject) -> None:
    """WA-353, WA-434."""
    schema = _PET_SCHEMA
    body = copy.deepcopy(WHOLE[kind])
    name = data.draw(st.sampled_from(sorted(body)))
    body[name] = data.draw(values)
    try:
        change = post(schema, *PATHS[kind], body=body)
    except StrongroomError as error:
        assert 400 <= error.status < 500 or isinstance(error, NotOffered)
        assert error.message
    else:
        assert change.new_schema.version == schema.version + 1


_PET_SCHEMA = post(
    post(standard_schema(), "EntityDefinitions", body=table_body()).new_schema,
    PET,
    "Attributes",
    body=column_body("String", "new_Code"),
).new_schema
