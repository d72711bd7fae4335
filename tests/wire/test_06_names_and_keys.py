"""Section 6: names and keys (WA-70 to WA-79)."""

import pytest
from tests.wire.client import EMPTY, NS, Api, column, label, table, unique

DEFINITIONS = "EntityDefinitions"


@pytest.mark.parametrize(
    ("schema_name", "entity_set"),
    [
        ("wire_BankAccount", "wire_bankaccounts"),
        ("wire_Opportunity", "wire_opportunities"),
        ("wire_Wax", "wire_waxes"),
        ("wire_Bus", "wire_buses"),
        ("wire_Branch", "wire_branches"),
        ("wire_Day", "wire_days"),
    ],
)
def test_entity_sets_are_english_plurals(api: Api, schema_name: str, entity_set: str) -> None:
    """WA-70: y after a consonant becomes ies, hissing sounds take es."""
    assert api.send("POST", DEFINITIONS, table(schema_name)).status_code == 204

    names = "SchemaName,LogicalName,LogicalCollectionName,EntitySetName"
    found = api.get(f"{DEFINITIONS}(LogicalName='{schema_name.lower()}')?$select={names}")

    assert found["SchemaName"] == schema_name
    assert found["EntitySetName"] == entity_set == found["LogicalCollectionName"]
    assert api.rows(entity_set) == []


def test_an_entity_set_name_that_is_given_wins(api: Api) -> None:
    """WA-70."""
    assert api.send("POST", DEFINITIONS, table("wire_Goose", EntitySetName="wire_geese")).status_code == 204
    assert api.rows("wire_geese") == []


@pytest.mark.parametrize("name", ["Prefixless", "x_Short", "1a_Digit", "verylongprefix_Name"])
def test_custom_names_need_a_publisher_prefix(api: Api, boxes: str, name: str) -> None:
    """WA-71."""
    api.refused("POST", DEFINITIONS, table(name), status=400)
    api.refused("POST", f"{DEFINITIONS}(LogicalName='wire_box')/Attributes", column("Integer", name), status=400)


def test_navigation_properties_are_named_by_schema_name_or_as_wished(api: Api, boxes: str) -> None:
    """WA-72, WA-73, WA-74: a custom lookup keeps its case; its property never does."""
    lookup = column("Lookup", "wire_MainContact")
    relationship = {
        "@odata.type": f"{NS}.OneToManyRelationshipMetadata",
        "SchemaName": "wire_contact_Box_Main",
        "ReferencedEntity": "contact",
        "ReferencingEntity": "wire_box",
        "Lookup": lookup,
    }
    assert api.send("POST", "RelationshipDefinitions", relationship).status_code == 204
    contact = api.new("contacts", {"lastname": unique()})

    box = api.new(boxes, {"wire_MainContact@odata.bind": f"/contacts({contact})"})

    shown = api.get(f"{boxes}({box})?$select=_wire_maincontact_value&$expand=wire_MainContact($select=contactid)")
    assert shown["_wire_maincontact_value"] == contact == shown["wire_MainContact"]["contactid"]
    assert [r["wire_boxid"] for r in api.rows(f"contacts({contact})/wire_contact_Box_Main?$select=wire_name")] == [box]
    api.refused("POST", boxes, {"wire_maincontact@odata.bind": f"/contacts({contact})"}, status=400)


def test_one_row_has_many_addresses(api: Api, boxes: str) -> None:
    """WA-75: by id, quoted, in braces, by name; by alternate keys."""
    code, part = unique("CODE"), unique("part")
    row = api.new(boxes, {"wire_code": code, "wire_part": part, "wire_slot": 7})
    for key in (
        row,
        row.upper(),
        f"wire_boxid={row}",
        f"'{row}'",
        f"{{{row}}}",
        f"wire_code='{code}'",
        f"wire_part='{part}',wire_slot=7",
        f"wire_slot=7,wire_part='{part}'",
    ):
        assert api.get(f"{boxes}({key})?$select=wire_name")["wire_boxid"] == row, key


def test_a_lookup_may_be_a_key(api: Api) -> None:
    """WA-75: under the name of its property."""
    name = "wire_ByParent"
    body = {"SchemaName": name, "DisplayName": label(name), "KeyAttributes": ["parentcontactid"]}
    answer = api.send("POST", f"{DEFINITIONS}(LogicalName='lead')/Keys", body)
    assert answer.status_code == 204, answer.text
    contact = api.new("contacts", {"lastname": unique()})
    lead = api.new("leads", {"lastname": unique(), "parentcontactid@odata.bind": f"/contacts({contact})"})

    assert api.get(f"leads(_parentcontactid_value={contact})?$select=lastname")["leadid"] == lead


def test_principals_are_not_addressed_by_the_name_of_their_own_id(api: Api) -> None:
    """WA-76: their key is `ownerid`."""
    me = api.get("WhoAmI")["UserId"]
    assert api.get(f"systemusers({me})?$select=fullname")["ownerid"] == me
    api.refused("GET", f"systemusers(systemuserid={me})", status=400)


def test_key_values_are_literals_that_compare_like_the_column(api: Api, boxes: str) -> None:
    """WA-77, WA-101: quotes doubled, percent-encoding, case ignored, accents not."""
    code = unique("O'Hara / Éa ü")
    row = api.new(boxes, {"wire_code": code})
    doubled = code.replace("'", "''")
    encoded = doubled.replace("/", "%2F").replace(" ", "%20").replace("'", "%27")
    for text in (f"'{doubled}'", f"%27{encoded}%27", f"'{doubled.upper()}'"):
        assert api.get(f"{boxes}(wire_code={text})?$select=wire_code")["wire_boxid"] == row
    without_accent = doubled.replace("É", "E")
    api.refused("GET", f"{boxes}(wire_code='{without_accent}')", status=404, code="0x80060891")
    api.refused("POST", boxes, {"wire_code": code.lower()}, status=412, code="0x80060892")


@pytest.mark.parametrize(
    "key",
    ["wire_name='x'", "wire_part='x'", "wire_code='x',wire_slot=5", "nonsense='x'", "wire_code='a',wire_code='b'"],
)
def test_keys_that_are_not_declared_are_400(api: Api, boxes: str, key: str) -> None:
    """WA-78."""
    says = (
        ""
        if "'b'" in key
        else "The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.wire_box'."
    )
    api.refused("GET", f"{boxes}({key})", status=400, says=says)


@pytest.mark.parametrize("key", ["", "abc", "5", "01a211bb-2209-747a-a71d-e0e0f971f9b", "'abc'", "wire_code=5"])
def test_keys_that_are_not_well_formed_are_400(api: Api, boxes: str, key: str) -> None:
    """WA-79: never 404, never 500."""
    for method in ("GET", "PATCH", "DELETE"):
        api.refused(method, f"{boxes}({key})", EMPTY if method == "PATCH" else None, status=400)
