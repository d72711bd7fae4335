"""Section 23, writing metadata (WA-340 to WA-353)."""

import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from tests.wire.client import NS, Api, Json, column, label, table, unique
from tests.wire.conftest import Person

_TABLES = "EntityDefinitions"


def fresh(stem: str = "wire_T") -> str:
    """A schema name that no other test has."""
    return unique(stem).replace(" ", "")


def address(name: str) -> str:
    return f"{_TABLES}(LogicalName='{name.lower()}')"


def made(api: Api, *columns: Json, **more: object) -> str:
    """The schema name of a new table."""
    name = fresh()
    answer = api.send("POST", _TABLES, table(name, *columns, **more))
    assert answer.status_code == 204, answer.text
    return name


def set_of(name: str) -> str:
    return f"{name.lower()}s"


def relationship(name: str, child: str, parent: str = "account", **more: object) -> Json:
    return {
        "@odata.type": f"{NS}.OneToManyRelationshipMetadata",
        "SchemaName": name,
        "ReferencedEntity": parent,
        "ReferencingEntity": child.lower(),
        **more,
    }


def test_a_table_is_there_at_once_with_columns_and_privileges(api: Api) -> None:
    """WA-340, WA-342."""
    name = fresh()
    answer = api.send("POST", _TABLES, table(name))
    made_id = answer.headers["OData-EntityId"].removeprefix(f"{api.root}{_TABLES}(").removesuffix(")")

    definition = api.get(f"{_TABLES}({made_id})")
    columns = {each["LogicalName"] for each in api.rows(f"{address(name)}/Attributes?$select=LogicalName")}

    assert answer.status_code == 204
    assert definition["LogicalName"] == name.lower()
    assert {right["Name"] for right in definition["Privileges"]} == {
        f"prv{verb}{name}" for verb in ("Create", "Read", "Write", "Delete", "Assign", "Share", "Append", "AppendTo")
    }
    assert columns >= {
        *("createdon", "modifiedon", "createdby", "modifiedby", "createdonbehalfby", "modifiedonbehalfby", "ownerid"),
        *("owningbusinessunit", "owninguser", "owningteam", "statecode", "statuscode", "versionnumber"),
        *("overriddencreatedon", "importsequencenumber", "timezoneruleversionnumber", "utcconversiontimezonecode"),
    }
    assert api.new(set_of(name), {"wire_name": "first"})
    api.refused("POST", _TABLES, table(name), status=400, code="0x80047010", says=name)


def test_several_tables_at_once(api: Api) -> None:
    """WA-341: complex types, columns in the same transaction; all or nothing."""

    def complex_table(name: str, *columns: Json) -> Json:
        body = table(name, *columns)
        for part in (body, *body["Attributes"]):
            part["@odata.type"] = part["@odata.type"].replace(f"{NS}.", f"{NS}.Complex")
        return body

    first, second = fresh(), fresh()
    good = complex_table(first, column("Decimal", "wire_Price"), column("DateTime", "wire_Due", Format="DateOnly"))
    bad = complex_table(second, column("Integer", "wire_Bad", MinValue=5, MaxValue=1))

    api.refused("POST", "CreateEntities", {"Entities": [good, bad]}, status=400)
    api.refused("GET", address(first), status=404)
    answer = api.send("POST", "CreateEntities?SolutionUniqueName=Default", {"Entities": [good]})
    assert answer.status_code == 200
    assert answer.json()["EntityIds"] == [api.get(f"{address(first)}?$select=MetadataId")["MetadataId"]]
    row = api.new(set_of(first), {"wire_price": 1.5, "wire_due": "2024-02-03"})
    assert api.get(f"{set_of(first)}({row})")["wire_due"] == "2024-02-03T00:00:00Z"  # UserLocal, shown as a day


def test_columns_of_every_type(api: Api) -> None:
    """WA-343, WA-350: the header repeats the path that was asked for."""
    name = made(api)
    options = {"IsGlobal": False, "Options": [{"Label": label("A")}, {"Label": label("B"), "Value": 7}]}
    for body in (
        column("String", "wire_Code", MaxLength=50, FormatName={"Value": "Text"}),
        column("String", "wire_Mail", MaxLength=50, Format="Email"),
        column("Memo", "wire_Memo", MaxLength=500),
        column("Integer", "wire_Int", MinValue=0, MaxValue=10),
        column("BigInt", "wire_Big"),
        column("Double", "wire_Double", Precision=2),
        column("Money", "wire_Money", PrecisionSource=2),
        column(
            "Boolean",
            "wire_Bool",
            OptionSet={
                "TrueOption": {"Value": 1, "Label": label("Ja")},
                "FalseOption": {"Value": 0, "Label": label("Nein")},
            },
        ),
        column("Picklist", "wire_Pick", OptionSet=options),
        column("MultiSelectPicklist", "wire_Multi", OptionSet=options),
        column("File", "wire_File", MaxSizeInKB=100),
        column("Image", "wire_Image"),
    ):
        answer = api.send("POST", f"{address(name)}/Attributes", body)
        assert answer.status_code == 204, answer.text
        assert answer.headers["OData-EntityId"].startswith(f"{api.root}{address(name)}/Attributes(")
    cast = f"{NS}.PicklistAttributeMetadata/OptionSet"
    found = api.get(f"{address(name)}/Attributes(LogicalName='wire_pick')/{cast}")["Options"]
    assert [option["Value"] for option in found] == [100_000_000, 7]
    api.refused("POST", f"{address(name)}/Attributes", column("String", "wire_Code"), status=400, code="0x80047013")


def test_definitions_are_replaced_with_put(api: Api) -> None:
    """WA-344: by id or with a cast; PATCH is 405; not shorter than what is stored."""
    name = made(api, column("String", "wire_Code", MaxLength=50))
    api.new(set_of(name), {"wire_code": "𝄞𝄞𝄞"})  # six UTF-16 units
    where = f"{address(name)}/Attributes(LogicalName='wire_code')"
    definition = api.get(where)
    by_id = f"{address(name)}/Attributes({definition['MetadataId']})"

    shorter = {**definition, "MaxLength": 5}
    api.refused("PUT", by_id, shorter, status=400, says="wire_code")
    assert api.get(where)["MaxLength"] == 50
    changed = {**definition, "MaxLength": 6, "DisplayName": label("Changed")}
    cast = f"{by_id}/{NS}.StringAttributeMetadata"
    assert api.send("PUT", cast, changed, headers={"MSCRM.MergeLabels": "true"}).status_code == 204
    now = api.get(where)
    assert (now["MaxLength"], now["DisplayName"]["UserLocalizedLabel"]["Label"]) == (6, "Changed")
    for path in (by_id, address(name)):
        api.refused("PATCH", path, definition, status=405)
    whole = {**api.get(address(name)), "DisplayName": label("Renamed")}
    assert api.send("PUT", address(name), whole).status_code == 204
    assert api.get(address(name))["DisplayName"]["UserLocalizedLabel"]["Label"] == "Renamed"


def test_parts_of_the_platform_and_parts_in_use_stay(api: Api) -> None:
    """WA-345: 400 that names what depends on the part."""
    name = made(api, column("String", "wire_Code", MaxLength=50), column("String", "wire_Shown", MaxLength=50))
    key = {"SchemaName": "wire_Key", "KeyAttributes": ["wire_code"], "DisplayName": label("K")}
    assert api.send("POST", f"{address(name)}/Keys", key).status_code == 204
    fetch = f"<fetch><entity name='{name.lower()}'><attribute name='wire_shown'/></entity></fetch>"
    view = {"name": unique("View"), "returnedtypecode": name.lower(), "fetchxml": fetch, "querytype": 0}
    view_id = api.new("savedqueries", view)

    for path, says in (
        (f"{address(name)}/Attributes(LogicalName='wire_name')", "wire_name"),
        (f"{address(name)}/Attributes(LogicalName='createdon')", "createdon"),
        (f"{address(name)}/Attributes(LogicalName='wire_code')", "wire_Key"),
        (f"{address(name)}/Attributes(LogicalName='wire_shown')", str(view["name"])),
        (address("account"), "account"),
    ):
        api.refused("DELETE", path, status=400, says=says)
    for path in (f"{address(name)}/Attributes(LogicalName='nope')", address("nope")):
        api.refused("DELETE", path, status=404)
    assert (
        api.send("DELETE", f"{address(name)}/Keys(LogicalName='wire_key')", headers={"If-Match": "*"}).status_code
        == 204
    )
    assert api.send("DELETE", f"{address(name)}/Attributes(LogicalName='wire_code')").status_code == 204
    assert api.send("DELETE", f"savedqueries({view_id})").status_code == 204
    assert api.send("DELETE", f"{address(name)}/Attributes(LogicalName='wire_shown')").status_code == 204
    api.refused("GET", f"{set_of(name)}?$select=wire_code", status=400)


def test_a_deleted_table_leaves_nothing(api: Api, reader: Person) -> None:
    """WA-345: rows, relationships, privileges, notes and activities about its rows, column permissions, shares."""
    secret = column("String", "wire_Secret", MaxLength=50, IsSecured=True)
    name = made(api, secret, HasNotes=True, HasActivities=True)
    logical = name.lower()
    row = api.new(set_of(name), {"wire_name": "about", "wire_secret": "x"})
    navs = {
        child: next(
            each["ReferencingEntityNavigationPropertyName"]
            for each in api.rows(f"{address(child)}/ManyToOneRelationships")
            if each["ReferencedEntity"] == logical
        )
        for child in ("annotation", "task")
    }
    stem = unique("about")
    note = api.new("annotations", {"subject": stem, f"{navs['annotation']}@odata.bind": f"{set_of(name)}({row})"})
    task = api.new("tasks", {"subject": stem, f"{navs['task']}@odata.bind": f"{set_of(name)}({row})"})
    profile = api.new("fieldsecurityprofiles", {"name": stem})
    permission = {"entityname": logical, "attributelogicalname": "wire_secret", "canread": 4}
    profile_bind = {"fieldsecurityprofileid@odata.bind": f"fieldsecurityprofiles({profile})"}
    permission_id = api.new("fieldpermissions", {**permission, **profile_bind})
    access = {"Principal": {"@odata.type": f"{NS}.systemuser", "systemuserid": reader.id}, "AccessMask": "ReadAccess"}
    target = {"@odata.id": f"{set_of(name)}({row})"}
    assert api.send("POST", "GrantAccess", {"Target": target, "PrincipalAccess": access}).status_code == 204

    assert api.send("DELETE", address(name)).status_code == 204

    api.refused("GET", set_of(name), status=404)
    for path in (f"annotations({note})", f"tasks({task})", f"fieldpermissions({permission_id})"):
        api.refused("GET", path, status=404)
    assert api.rows(f"privileges?$filter=contains(name,'{name}')") == []
    assert api.rows(f"sdkmessagefilters?$filter=primaryobjecttypecode eq '{logical}'") == []
    assert api.rows(f"principalobjectaccessset?$filter=objecttypecode eq '{logical}'") == []
    assert api.rows(f"RelationshipDefinitions?$select=SchemaName&$filter=SchemaName eq '{name}_Annotations'") == []
    assert api.send("POST", _TABLES, table(name)).status_code == 204


def test_a_deleted_column_takes_its_permissions_along(api: Api) -> None:
    """WA-345: a new column of the same name is open to nobody."""
    secret = column("String", "wire_Secret", MaxLength=50, IsSecured=True)
    name = made(api, secret)
    profile = api.new("fieldsecurityprofiles", {"name": unique("profile")})
    body = {
        "entityname": name.lower(),
        "attributelogicalname": "wire_secret",
        "canread": 4,
        "fieldsecurityprofileid@odata.bind": f"fieldsecurityprofiles({profile})",
    }
    permission = api.new("fieldpermissions", body)

    assert api.send("DELETE", f"{address(name)}/Attributes(LogicalName='wire_secret')").status_code == 204
    assert api.send("POST", f"{address(name)}/Attributes", secret).status_code == 204

    api.refused("GET", f"fieldpermissions({permission})", status=404)


def test_keys_are_built_at_once(api: Api) -> None:
    """WA-346: usable, or failed because of rows that are there; the header repeats the request's own form."""
    name = made(
        api, column("String", "wire_Code", MaxLength=50), column("Integer", "wire_Int"), column("Memo", "wire_Memo")
    )
    for code in ("same", "SAME", None, None):
        api.new(set_of(name), {"wire_code": code})

    def create(schema_name: str, columns: list[str], where: str = address(name)) -> Json:
        body = {"SchemaName": schema_name, "KeyAttributes": columns, "DisplayName": label("K")}
        answer = api.send("POST", f"{where}/Keys", body)
        assert answer.status_code == 204, answer.text
        assert answer.headers["OData-EntityId"].startswith(f"{api.root}{where}/Keys(")
        return api.get(f"{address(name)}/Keys(LogicalName='{schema_name.lower()}')")

    failed = create("wire_Failed", ["wire_code"])
    assert failed["EntityKeyIndexStatus"] == "Failed"
    api.refused("GET", f"{set_of(name)}(wire_code='same')", status=400)
    api.new(set_of(name), {"wire_code": "same"})
    by_id = f"{_TABLES}({api.get(address(name))['MetadataId']})"
    active = create("wire_Active", ["wire_int"], by_id)
    assert active["EntityKeyIndexStatus"] == "Active"
    api.new(set_of(name), {"wire_int": 5})
    api.refused("POST", set_of(name), {"wire_int": 5}, status=412, code="0x80060892")
    assert api.get(f"{set_of(name)}(wire_int=5)")["wire_int"] == 5
    bodies: list[Json] = [
        {"SchemaName": "wire_Bad", "KeyAttributes": ["wire_memo"]},
        {"SchemaName": "wire_Bad", "KeyAttributes": ["nope"]},
        {"SchemaName": "wire_Bad", "KeyAttributes": []},
        {"SchemaName": "wire_Active", "KeyAttributes": ["wire_name"]},
    ]
    for body in bodies:
        api.refused("POST", f"{address(name)}/Keys", body, status=400)


def test_relationships(api: Api) -> None:
    """WA-347: a lookup with defaults, an intersect table; both work at once and go again."""
    name = made(api)
    one = relationship(f"wire_account_{name}", name)
    one["Lookup"] = {
        "@odata.type": f"{NS}.LookupAttributeMetadata",
        "SchemaName": "wire_AccountId",
        "DisplayName": label("A"),
    }
    answer = api.send("POST", "RelationshipDefinitions", one)
    assert answer.status_code == 204, answer.text
    found = api.get(answer.headers["OData-EntityId"])
    assert (found["ReferencedAttribute"], found["ReferencingAttribute"]) == ("accountid", "wire_accountid")
    cascade = found["CascadeConfiguration"]
    assert cascade.pop("Delete") == "RemoveLink"
    assert {cascade[key] for key in ("Assign", "Merge", "Reparent", "Share", "Unshare")} == {"NoCascade"}
    account = api.new("accounts", {"name": "parent"})
    row = api.new(set_of(name), {"wire_AccountId@odata.bind": f"accounts({account})"})
    assert api.get(f"{set_of(name)}({row})")["_wire_accountid_value"] == account
    changed = {**one, "CascadeConfiguration": {"Delete": "Cascade"}}
    assert api.send("PUT", f"RelationshipDefinitions(SchemaName='{one['SchemaName']}')", changed).status_code == 204
    assert api.send("DELETE", f"accounts({account})").status_code == 204
    api.refused("GET", f"{set_of(name)}({row})", status=404)

    many = {
        "@odata.type": f"{NS}.ManyToManyRelationshipMetadata",
        "SchemaName": f"wire_{name}_contact",
        "Entity1LogicalName": name.lower(),
        "Entity2LogicalName": "contact",
        "IntersectEntityName": f"wire_{name.lower()}_contact",
    }
    assert api.send("POST", "RelationshipDefinitions", many).status_code == 204
    row, contact = api.new(set_of(name)), api.new("contacts", {"lastname": "Many"})
    link = f"{set_of(name)}({row})/{many['SchemaName']}"
    assert api.send("POST", f"{link}/$ref", {"@odata.id": f"contacts({contact})"}).status_code == 204
    assert [each["contactid"] for each in api.rows(f"{link}?$select=contactid")] == [contact]
    for schema_name in (many["SchemaName"], one["SchemaName"]):
        assert api.send("DELETE", f"RelationshipDefinitions(SchemaName='{schema_name}')").status_code == 204
    api.refused("GET", f"{set_of(name)}?$select=_wire_accountid_value", status=400)


@pytest.mark.parametrize("action", ["CreatePolymorphicLookupAttribute", "CreateCustomerRelationships"])
def test_lookups_to_several_tables(api: Api, action: str) -> None:
    """WA-348."""
    name = made(api)
    parts = [relationship(f"wire_{name}_{parent}", name, parent) for parent in ("account", "contact")]
    lookup = {
        "@odata.type": f"{NS}.ComplexLookupAttributeMetadata",
        "SchemaName": "wire_WhoId",
        "AttributeType": "Lookup",
        "DisplayName": label("Who"),
    }

    answer = api.send("POST", action, {"OneToManyRelationships": parts, "Lookup": lookup})

    assert answer.status_code == 200, answer.text
    assert len(answer.json()["RelationshipIds"]) == 2
    attribute = api.get(f"{address(name)}/Attributes({answer.json()['AttributeId']})")
    assert sorted(attribute["Targets"]) == ["account", "contact"]
    contact = api.new("contacts", {"lastname": "Who"})
    row = api.new(set_of(name), {"wire_WhoId_contact@odata.bind": f"contacts({contact})"})
    assert api.get(f"{set_of(name)}({row})")["_wire_whoid_value"] == contact
    assert api.send("DELETE", f"RelationshipDefinitions(SchemaName='{parts[1]['SchemaName']}')").status_code == 204
    assert api.get(f"{set_of(name)}({row})")["_wire_whoid_value"] is None


def test_global_choices_and_their_options(api: Api) -> None:
    """WA-349, WA-350."""
    choice = fresh("wire_c").lower()
    options = [{"Label": label("One")}, {"Label": label("Five"), "Value": 5}]
    body = {"@odata.type": f"{NS}.OptionSetMetadata", "Name": choice, "DisplayName": label("C"), "Options": options}
    answer = api.send("POST", "GlobalOptionSetDefinitions", {**body, "OptionSetType": "Picklist", "IsGlobal": True})
    assert answer.status_code == 204, answer.text
    where = f"GlobalOptionSetDefinitions(Name='{choice}')"
    choice_id = answer.headers["OData-EntityId"].removeprefix(f"{api.root}GlobalOptionSetDefinitions(").rstrip(")")
    bound = {"GlobalOptionSet@odata.bind": f"/GlobalOptionSetDefinitions({choice_id})"}
    name = made(api, column("Picklist", "wire_Kind", **bound))

    def values() -> list[tuple[int, str]]:
        found = api.get(where)["Options"]
        return [(option["Value"], option["Label"]["UserLocalizedLabel"]["Label"]) for option in found]

    inserted = api.send("POST", "InsertOptionValue", {"OptionSetName": choice, "Label": label("New")})
    assert inserted.json()["NewOptionValue"] == 100_000_001
    updated = {"OptionSetName": choice, "Value": 5, "Label": label("Fünf"), "MergeLabels": True}
    assert api.send("POST", "UpdateOptionValue", updated).status_code == 204
    assert values() == [(100_000_000, "One"), (5, "Fünf"), (100_000_001, "New")]
    order = {"OptionSetName": choice, "Values": [5, 100_000_001, 100_000_000]}
    assert api.send("POST", "OrderOption", order).status_code == 204
    assert api.send("POST", "DeleteOptionValue", {"OptionSetName": choice, "Value": 100_000_001}).status_code == 204
    assert values() == [(5, "Fünf"), (100_000_000, "One")]
    api.new(set_of(name), {"wire_kind": 5})
    api.refused("POST", set_of(name), {"wire_kind": 100_000_001}, status=400)
    api.refused("DELETE", where, status=400, says="wire_kind")
    api.refused("POST", "InsertOptionValue", {"OptionSetName": choice, "label": label("x")}, status=400, says="label")
    api.refused("POST", "DeleteOptionValue", {"OptionSetName": "nope", "Value": 1}, status=404)
    assert api.send("DELETE", address(name)).status_code == 204
    assert api.send("DELETE", where).status_code == 204


def test_publishing_is_always_accepted(api: Api) -> None:
    """WA-349."""
    assert api.send("POST", "PublishXml", {"ParameterXml": "<importexportxml/>"}).status_code == 204
    assert api.send("POST", "PublishAllXml").status_code == 204
    assert api.send("POST", "PublishAllXml", {}).status_code == 204


def test_each_write_is_audited_and_raises_the_version(api: Api) -> None:
    """WA-352."""
    version = "@Microsoft.Dynamics.CRM.globalmetadataversion"
    everything = {"Prefer": 'odata.include-annotations="*"'}
    before = int(api.get("accounts?$top=1&$select=name", everything)[version])

    name = made(api)
    table_id = api.get(address(name))["MetadataId"]
    entries = api.rows(f"audits?$select=action&$filter=_objectid_value eq {table_id}")

    assert int(api.get("accounts?$top=1&$select=name", everything)[version]) > before
    assert len(entries) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"SchemaName": "wire_x"},
        {**table("wire_Bad"), "@odata.type": f"{NS}.Bogus"},
        {**table("wire_Bad"), "Attributes": []},
        {**table("wire_Bad"), "OwnershipType": "Bogus"},
        table(""),
        table("noprefix"),
        table("x_short"),
        table("wire_Bad", column("Bogus", "wire_B")),
        table("wire_Bad", column("String", "")),
        table("wire_Bad", column("String", "wire_B", MaxLength=0)),
        table("wire_Bad", column("Integer", "wire_B", MinValue=2, MaxValue=1)),
        table("wire_Bad", column("String", "wire_B"), column("String", "wire_b")),
        table("wire_Bad", column("String", "wire_B", IsPrimaryName=True)),
    ],
)
def test_malformed_metadata_makes_nothing(api: Api, body: Json) -> None:
    """WA-353."""
    api.refused("POST", _TABLES, body, status=400)
    api.refused("GET", address("wire_bad"), status=404)


def test_writing_metadata_needs_privileges_and_a_denied_write_leaves_nothing(api: Api, reader: Person) -> None:
    """WA-340, WA-53, WA-55: malformed JSON and wrong methods are told before the missing privilege."""
    name = fresh()
    acting = reader.acting
    for method, path, body in (
        ("POST", _TABLES, table(name)),
        ("POST", "CreateEntities", {"Entities": [table(name)]}),
        ("POST", f"{address('account')}/Attributes", column("String", "wire_No")),
        ("PUT", f"{address('account')}/Attributes(LogicalName='name')", {}),
        ("DELETE", f"{address('account')}/Attributes(LogicalName='name')", None),
        ("POST", "RelationshipDefinitions", relationship("wire_no", "contact")),
        ("POST", "GlobalOptionSetDefinitions", {"Name": "wire_no"}),
        ("POST", "InsertOptionValue", {"OptionSetName": "x", "Label": label("x")}),
        ("POST", "CreatePolymorphicLookupAttribute", {}),
        ("POST", "CreateCustomerRelationships", {}),
    ):
        api.refused(method, path, body, status=403, headers=acting)
    api.refused("POST", _TABLES, content=b"{", headers={**acting, "Content-Type": "application/json"}, status=400)
    api.refused("PATCH", address("account"), {}, headers=acting, status=405)
    api.refused("GET", address(name), status=404)


def test_two_writers_at_once_both_get_their_change(api: Api) -> None:
    """WA-352, WA-68: concurrent changes wait for one another; each is seen by the next request."""
    name = made(api)

    def add(number: int) -> int:
        return api.send("POST", f"{address(name)}/Attributes", column("Integer", f"wire_N{number}")).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(add, range(6)))

    assert statuses == [204] * 6
    row = api.new(set_of(name), {f"wire_n{number}": number for number in range(6)})
    assert [api.get(f"{set_of(name)}({row})")[f"wire_n{number}"] for number in range(6)] == list(range(6))


def test_a_rollup_and_a_calculated_column_are_made_worked_out_and_asked_for(api: Api) -> None:
    """WA-343, WA-403: the formula as JSON, its companions, the values in lists, filters and orders; XAML is refused."""
    name = fresh("wire_r").lower()
    attributes = "EntityDefinitions(LogicalName='account')/Attributes"
    formula = {
        "rollup": {"relationship": "contact_customer_accounts", "aggregate": "SUM", "column": "numberofchildren"}
    }
    total = {**column("Integer", name), "SourceType": 2, "FormulaDefinition": json.dumps(formula)}
    api.refused("POST", attributes, {**total, "FormulaDefinition": "<Activity/>"}, status=400, says="XAML")
    assert api.send("POST", attributes, total).status_code == 204
    double = {"calculated": {"*": [{"column": "numberofemployees"}, 2]}}
    twice = {**column("Integer", f"{name}x"), "SourceType": 1, "FormulaDefinition": json.dumps(double)}
    assert api.send("POST", attributes, twice).status_code == 204
    shown = api.get(f"{attributes}(LogicalName='{name}')/Microsoft.Dynamics.CRM.IntegerAttributeMetadata")
    assert (shown["SourceType"], json.loads(shown["FormulaDefinition"])["rollup"]["aggregate"]) == (2, "SUM")

    row = api.new("accounts", {"name": name, "numberofemployees": 21, name: 5, f"{name}x": 5})
    api.new(
        "contacts", {"lastname": "C", "numberofchildren": 3, "parentcustomerid_account@odata.bind": f"accounts({row})"}
    )
    target = quote(json.dumps({"@odata.id": f"accounts({row})"}))
    answer = api.get(f"CalculateRollupField(Target=@p1,FieldName=@p2)?@p1={target}&@p2='{name}'")
    assert (answer[name], answer[f"{name}_state"], answer["accountid"]) == (3, 1, row)
    (found,) = api.rows(
        f"accounts?$select={name},{name}_date,{name}x&$filter={name} eq 3 and {name}x eq 42&$orderby={name}"
    )
    assert (found[name], found[f"{name}x"], bool(found[f"{name}_date"])) == (3, 42, True)
    api.refused("GET", f"CalculateRollupField(Target=@p1,FieldName='name')?@p1={target}", status=400, says="no rollup")
    for each in (name, f"{name}x"):
        assert api.send("DELETE", f"{attributes}(LogicalName='{each}')").status_code == 204
