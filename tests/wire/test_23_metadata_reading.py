"""Section 23, reading metadata (WA-320 to WA-335), and the first calls of clients (section 29)."""

import json
from urllib.parse import quote

import pytest
from tests.wire.client import NS, Api, Json
from tests.wire.conftest import Person

_ACCOUNT = "EntityDefinitions(LogicalName='account')"
_TABLE_PROPERTIES_TEXT = """
    MetadataId LogicalName SchemaName EntitySetName LogicalCollectionName CollectionSchemaName DisplayName
    DisplayCollectionName Description OwnershipType ObjectTypeCode PrimaryIdAttribute PrimaryNameAttribute
    PrimaryImageAttribute IsCustomEntity IsManaged IsActivity IsActivityParty IsIntersect IsPrivate
    IsValidForAdvancedFind IsAuditEnabled IsCustomizable IsDuplicateDetectionEnabled ChangeTrackingEnabled
    IsOptimisticConcurrencyEnabled HasNotes HasActivities TableType IntroducedVersion CanCreateAttributes
    Privileges HasChanged
"""
_TABLE_PROPERTIES = _TABLE_PROPERTIES_TEXT.split()
_COLUMN_PROPERTIES_TEXT = """
    @odata.type MetadataId LogicalName SchemaName AttributeType AttributeTypeName DisplayName Description
    RequiredLevel IsPrimaryId IsPrimaryName IsValidForCreate IsValidForRead IsValidForUpdate IsSecured
    CanBeSecuredForRead CanBeSecuredForCreate CanBeSecuredForUpdate IsAuditEnabled IsCustomAttribute IsManaged
    AttributeOf EntityLogicalName ColumnNumber IsLogical SourceType IsFilterable IsSearchable IntroducedVersion
"""
_COLUMN_PROPERTIES = _COLUMN_PROPERTIES_TEXT.split()
_BY_TYPE = {
    "String": "MaxLength Format FormatName AutoNumberFormat",
    "Memo": "MaxLength Format ImeMode",
    "Integer": "MinValue MaxValue Format",
    "Decimal": "MinValue MaxValue Precision",
    "Double": "MinValue MaxValue Precision",
    "Money": "MinValue MaxValue Precision PrecisionSource CalculationOf",
    "DateTime": "Format DateTimeBehavior",
    "Boolean": "DefaultValue",
    "Picklist": "DefaultFormValue",
    "MultiSelectPicklist": "DefaultFormValue",
    "Lookup": "Targets",
    "File": "MaxSizeInKB",
    "Image": "MaxHeight MaxWidth CanStoreFullImage IsPrimaryImage",
}


def kind_of(attribute: Json) -> str:
    return str(attribute["@odata.type"]).removeprefix(f"#{NS}.").removesuffix("AttributeMetadata")


def test_tables_by_every_key_and_all_at_once(api: Api) -> None:
    """WA-320, WA-321: no paging, `MetadataId` always, a count on demand."""
    answer = api.get("EntityDefinitions?$select=LogicalName&$count=true")
    assert answer["@odata.context"] == f"{api.root}$metadata#EntityDefinitions(LogicalName)"
    assert answer["@odata.count"] == len(answer["value"]) > 50
    assert set(answer["value"][0]) == {"LogicalName", "MetadataId"}
    one = api.get(f"{_ACCOUNT}?$select=LogicalName")
    assert api.get(f"EntityDefinitions({one['MetadataId']})?$select=LogicalName")["LogicalName"] == "account"
    api.refused("GET", "EntityDefinitions(LogicalName='nope')", status=404)


def test_tables_have_their_properties(api: Api) -> None:
    """WA-322, WA-323."""
    table = api.get(_ACCOUNT)

    assert [name for name in _TABLE_PROPERTIES if name not in table] == []
    assert (table["OwnershipType"], table["TableType"], table["PrimaryNameAttribute"]) == (
        "UserOwned",
        "Standard",
        "name",
    )
    assert set(table["IsAuditEnabled"]) == {"Value", "CanBeChanged", "ManagedPropertyLogicalName"}
    local = table["DisplayName"]["UserLocalizedLabel"]
    assert (local["Label"], local["LanguageCode"]) == ("Account", 1033)
    assert set(local) == {"Label", "LanguageCode", "IsManaged", "MetadataId", "HasChanged"}
    assert {right["PrivilegeType"] for right in table["Privileges"]} >= {
        "Create",
        "Read",
        "Write",
        "Delete",
        "AppendTo",
    }
    assert {"Name", "PrivilegeId", "CanBeBasic", "CanBeLocal", "CanBeDeep", "CanBeGlobal"} <= set(
        table["Privileges"][0]
    )


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("EntityDefinitions?$filter=LogicalName eq 'account'", True),
        ("EntityDefinitions?$filter=IsPrivate eq false and LogicalName eq 'account'", True),
        (f"EntityDefinitions?$filter=OwnershipType eq {NS}.OwnershipTypes'UserOwned'", True),
        ("EntityDefinitions?$filter=CanCreateAttributes/Value eq true", True),
        (f"{_ACCOUNT}/Attributes?$filter=AttributeType eq 'String'", True),
        (f"{_ACCOUNT}/Attributes?$filter=AttributeType ne 'Virtual'", True),
        (f"{_ACCOUNT}/Attributes?$filter=AttributeType eq {NS}.AttributeTypeCode'Memo'", True),
        (
            f"{_ACCOUNT}/Attributes?$filter=RequiredLevel/Value eq {NS}.AttributeRequiredLevel'ApplicationRequired'",
            True,
        ),
        ("EntityDefinitions?$filter=LogicalName eq 'nope'", False),
    ],
)
def test_filters(api: Api, query: str, is_found: bool) -> None:
    """WA-324: primitives, enumerations as such and as plain texts, complex paths."""
    assert bool(api.rows(f"{query}&$select=LogicalName")) is is_found


@pytest.mark.parametrize(
    "query",
    [
        "EntityDefinitions?$filter=DisplayName eq 'x'",
        "EntityDefinitions?$orderby=LogicalName",
        "EntityDefinitions?$top=1",
        "EntityDefinitions?$select=Nope",
        "EntityDefinitions?$filter=Nope eq 1",
        f"{_ACCOUNT}?$expand=Nope",
        f"{_ACCOUNT}/ManyToManyRelationships?$select=ReferencedEntity",
        "GlobalOptionSetDefinitions?$filter=Name eq 'x'",
    ],
)
def test_what_metadata_does_not_support_is_400(api: Api, query: str) -> None:
    """WA-324, WA-331, WA-333."""
    api.refused("GET", query, status=400)


def test_expands(api: Api) -> None:
    """WA-325."""
    names = "Keys,OneToManyRelationships($select=SchemaName),ManyToOneRelationships,ManyToManyRelationships"
    memos = "Attributes($select=LogicalName;$filter=AttributeType eq 'Memo')"
    table = api.get(f"{_ACCOUNT}?$select=LogicalName&$expand={memos},{names}")
    assert {kind_of(attribute) for attribute in table["Attributes"]} == {"Memo"}
    assert table["Keys"] == []
    assert all(table[name] for name in ("OneToManyRelationships", "ManyToOneRelationships"))


def test_columns_have_their_properties(api: Api, boxes: str) -> None:
    """WA-326, WA-328, WA-329."""
    everything = [
        attribute
        for name in ("account", "contact", "wire_box")
        for attribute in api.rows(f"EntityDefinitions(LogicalName='{name}')/Attributes")
    ]
    assert boxes
    for attribute in everything:
        wanted = [*_COLUMN_PROPERTIES, *_BY_TYPE.get(kind_of(attribute), "").split()]
        assert [name for name in wanted if name not in attribute] == [], attribute["LogicalName"]
    pairs = {(attribute["AttributeType"], attribute["AttributeTypeName"]["Value"]) for attribute in everything}
    assert pairs >= {
        ("String", "StringType"),
        ("Customer", "CustomerType"),
        ("Owner", "OwnerType"),
        ("Uniqueidentifier", "UniqueidentifierType"),
        ("Virtual", "MultiSelectPicklistType"),
        ("Virtual", "FileType"),
        ("Virtual", "ImageType"),
        ("State", "StateType"),
        ("BigInt", "BigIntType"),
    }


def test_one_column_by_name_or_id(api: Api) -> None:
    """WA-326: `@odata.type` also with `$select`; 404 when it is not there."""
    column = api.get(f"{_ACCOUNT}/Attributes(LogicalName='name')?$select=MetadataId,SchemaName")
    assert column["@odata.type"] == f"#{NS}.StringAttributeMetadata"
    assert api.get(f"{_ACCOUNT}/Attributes({column['MetadataId']})?$select=LogicalName")["LogicalName"] == "name"
    api.refused("GET", f"{_ACCOUNT}/Attributes(LogicalName='nope')", status=404)


def test_casts(api: Api) -> None:
    """WA-327: only that type, with its option sets; empty where there is none; a wrong cast of one column is 404."""
    cast = f"{NS}.PicklistAttributeMetadata"
    found = api.rows(
        f"{_ACCOUNT}/Attributes/{cast}?$select=LogicalName&$expand=OptionSet($select=Options),GlobalOptionSet"
    )
    industry = next(attribute for attribute in found if attribute["LogicalName"] == "industrycode")
    assert {kind_of(attribute) for attribute in found} == {"Picklist"}
    first = industry["OptionSet"]["Options"][0]
    assert (first["Value"], first["Label"]["UserLocalizedLabel"]["Label"]) == (1, "Accounting")
    for table in ("teammembership", "accountleads"):
        address = f"EntityDefinitions(LogicalName='{table}')/Attributes/{cast}?$select=LogicalName&$expand=OptionSet"
        assert api.get(address)["value"] == []
    assert api.get(f"{_ACCOUNT}/Attributes(LogicalName='industrycode')/{cast}/OptionSet")["Options"]
    api.refused("GET", f"{_ACCOUNT}/Attributes(LogicalName='industrycode')/{NS}.StringAttributeMetadata", status=404)


def test_keys_and_relationships(api: Api, boxes: str) -> None:
    """WA-330, WA-331."""
    keys = api.rows("EntityDefinitions(LogicalName='wire_box')/Keys")
    assert {key["LogicalName"] for key in keys} >= {"wire_bycode", "wire_bypart"}
    assert keys[0]["EntityKeyIndexStatus"] == "Active"
    assert {"MetadataId", "SchemaName", "KeyAttributes", "EntityLogicalName", "DisplayName"} <= set(keys[0])
    assert boxes
    one = api.rows(f"{_ACCOUNT}/OneToManyRelationships")
    contact = next(item for item in one if item["SchemaName"] == "contact_customer_accounts")
    assert contact["RelationshipType"] == "OneToManyRelationship"
    assert (contact["ReferencedEntity"], contact["ReferencingEntity"]) == ("account", "contact")
    assert contact["ReferencedEntityNavigationPropertyName"] == "contact_customer_accounts"
    assert contact["ReferencingEntityNavigationPropertyName"] == "parentcustomerid_account"
    assert {"Assign", "Delete", "Merge", "Reparent", "Share", "Unshare", "RollupView"} <= set(
        contact["CascadeConfiguration"]
    )
    assert {"IsHierarchical", "IsCustomRelationship", "SecurityTypes", "ReferencedAttribute"} <= set(contact)
    many = api.rows("EntityDefinitions(LogicalName='systemuser')/ManyToManyRelationships")
    roles = next(item for item in many if item["SchemaName"] == "systemuserroles_association")
    assert {roles["Entity1LogicalName"], roles["Entity2LogicalName"]} == {"systemuser", "role"}
    assert roles["IntersectEntityName"] == "systemuserroles"
    assert {"Entity1IntersectAttribute", "Entity2IntersectAttribute", "Entity1NavigationPropertyName"} <= set(roles)


def test_relationship_definitions(api: Api) -> None:
    """WA-332."""
    by_name = api.get("RelationshipDefinitions(SchemaName='account_primary_contact')")
    assert by_name["@odata.type"] == f"#{NS}.OneToManyRelationshipMetadata"
    assert api.get(f"RelationshipDefinitions({by_name['MetadataId']})")["SchemaName"] == "account_primary_contact"
    filtered = api.rows("RelationshipDefinitions?$filter=SchemaName eq 'account_primary_contact'")
    assert [item["MetadataId"] for item in filtered] == [by_name["MetadataId"]]
    for cast in ("OneToManyRelationshipMetadata", "ManyToManyRelationshipMetadata"):
        items = api.rows(f"RelationshipDefinitions/{NS}.{cast}?$select=SchemaName")
        assert {item["@odata.type"] for item in items} == {f"#{NS}.{cast}"}
    kind = f"{NS}.RelationshipType'OneToManyRelationship'"
    assert api.rows(f"RelationshipDefinitions?$select=SchemaName&$filter=RelationshipType eq {kind}")
    api.refused("GET", "RelationshipDefinitions(SchemaName='nope')", status=404)


def test_global_choices(api: Api) -> None:
    """WA-333."""
    first = api.rows("GlobalOptionSetDefinitions")[0]
    for address in (f"({first['MetadataId']})", f"(Name='{first['Name']}')"):
        assert api.get(f"GlobalOptionSetDefinitions{address}")["Name"] == first["Name"]
    assert api.rows(f"GlobalOptionSetDefinitions/{NS}.OptionSetMetadata")
    api.refused("GET", "GlobalOptionSetDefinitions(Name='nope')", status=404)


def _changes(table: str) -> str:
    def condition(operator: str, name: str, value: object) -> Json:
        return {"ConditionOperator": operator, "PropertyName": name, "Value": {"Type": "System.String", "Value": value}}

    query = {
        "Criteria": {"FilterOperator": "And", "Conditions": [condition("Equals", "LogicalName", table)]},
        "Properties": {"AllProperties": False, "PropertyNames": ["LogicalName", "Attributes"]},
        "AttributeQuery": {
            "Properties": {"AllProperties": False, "PropertyNames": ["LogicalName", "OptionSet"]},
            "Criteria": {
                "FilterOperator": "And",
                "Conditions": [condition("In", "LogicalName", ["name", "industrycode"])],
            },
        },
    }
    return f"RetrieveMetadataChanges(Query=@p1)?@p1={quote(json.dumps(query))}"


def test_metadata_changes(api: Api) -> None:
    """WA-334."""
    answer = api.get(_changes("account"))
    (table,) = answer["EntityMetadata"]
    assert answer["@odata.context"] == f"{api.root}$metadata#{NS}.RetrieveMetadataChangesResponse"
    assert isinstance(answer["ServerVersionStamp"], str)
    assert table["LogicalName"] == "account"
    assert "SchemaName" not in table
    assert {attribute["LogicalName"]: kind_of(attribute) for attribute in table["Attributes"]} == {
        "name": "String",
        "industrycode": "Picklist",
    }
    assert api.get(_changes("nope"))["EntityMetadata"] == []


def test_languages(api: Api) -> None:
    """WA-335: with and without parentheses."""
    for call in ("RetrieveAvailableLanguages", "RetrieveAvailableLanguages()"):
        assert api.get(call)["LocaleIds"] == [1033]
    assert api.get("RetrieveProvisionedLanguages()")["RetrieveProvisionedLanguages"] == [1033]


def test_everybody_with_a_role_reads_metadata(api: Api, reader: Person) -> None:
    """Section 29: the first calls of each client, as a user with few privileges."""
    for path in (
        "EntityDefinitions?$select=LogicalName,EntitySetName,PrimaryIdAttribute&$filter=LogicalName eq 'account'",
        f"{_ACCOUNT}/Keys?$select=SchemaName,KeyAttributes",
        f"{_ACCOUNT}?$select=EntitySetName,PrimaryIdAttribute,PrimaryImageAttribute",
        f"{_ACCOUNT}/OneToManyRelationships",
        f"{_ACCOUNT}/ManyToOneRelationships",
        f"{_ACCOUNT}/Attributes/{NS}.PicklistAttributeMetadata?$select=LogicalName&$expand=OptionSet($select=Options)",
        "EntityDefinitions?$select=MetadataId,LogicalName,EntitySetName&$count=true",
    ):
        assert api.get(path, reader.acting)["@odata.context"]
    assert api.send("GET", "$metadata", headers=reader.acting).status_code == 200


def test_order_of_options_and_repeated_options_beside_a_token(api: Api) -> None:
    """WA-450, WA-451: options before or after the token; the same option again with the same value."""
    for _ in range(3):
        api.new("accounts", {"name": "paged"})
    size = {"Prefer": "odata.maxpagesize=1"}
    first = api.get("accounts?$orderby=name asc&$filter=name eq 'paged'&$select=name", size)
    head, token = first["@odata.nextLink"].split("&$skiptoken=")
    path, query = head.split("?")
    parts = query.split("&")
    following = [
        f"{path}?$skiptoken={token}&{'&'.join(parts)}",
        f"{path}?{'&'.join(reversed(parts))}&$skiptoken={token}",
        f"{head}&$skiptoken={token}&$orderby=name asc&$filter=name eq 'paged'",
    ]

    answers = [api.rows(link, size) for link in following]

    assert answers[0] == answers[1] == answers[2] != first["value"]
    assert len(answers[0]) == 1
