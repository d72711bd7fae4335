"""Secured columns over the wire: shared values, masks, unmasked reading, and what cannot be secured (SM-130 to
SM-139)."""

from dataclasses import dataclass
from urllib.parse import quote

import pytest
from tests.wire.client import NS, Api, Json, column, label, table

CARD, PIN = "wire_card", "wire_pin"
CLEAR, MASKED = "12345678", "####5678"
OTHER, OTHER_MASKED = "99991111", "####1111"
SHARES = "principalobjectattributeaccessset"


@dataclass(frozen=True, slots=True)
class Safe:
    """Two rows of `wire_safes`, the second below the first, and three people: `one` may unmask a row, `every` all
    rows, `none` reads nothing that is secured."""

    api: Api
    first: str
    second: str
    columns: Json
    none: str
    one: str
    every: str

    def get(self, user: str, path: str) -> Json:
        return self.api.get(path, {"MSCRMCallerID": user})

    def rows(self, user: str, path: str) -> list[Json]:
        found: list[Json] = self.get(user, path)["value"]
        return found

    def entries(self) -> list[Json]:
        return self.api.rows("audits?$select=_objectid_value,_userid_value,attributemask&$filter=action eq 15")


def _person(api: Api, unit: str, name: str, unmasked: int | None) -> str:
    role = api.new("roles", {"name": f"Safe {name}", "businessunitid@odata.bind": f"businessunits({unit})"})
    rights = [f"prv{right}wire_Safe" for right in ("Read", "Write", "Create", "Append", "AppendTo", "Delete")]
    wanted = " or ".join(f"name eq '{right}'" for right in (*rights, "prvReadUser"))
    found = api.rows(f"privileges?$select=privilegeid&$filter={wanted}")
    body = {"Privileges": [{"PrivilegeId": row["privilegeid"], "Depth": "Global"} for row in found]}
    assert api.send("POST", f"roles({role})/{NS}.AddPrivilegesRole", body).status_code == 204
    sign_in = {"domainname": f"safe.{name}@wire", "internalemailaddress": f"safe.{name}@wire.example"}
    person = {"firstname": "Safe", "lastname": name, "businessunitid@odata.bind": f"businessunits({unit})"}
    user = api.new("systemusers", {**person, **sign_in})
    api.send("POST", f"systemusers({user})/systemuserroles_association/$ref", {"@odata.id": f"roles({role})"})
    if unmasked is not None:
        profile = api.new("fieldsecurityprofiles", {"name": f"Safe {name}"})
        api.new(
            "fieldpermissions",
            {
                "entityname": "wire_safe",
                "attributelogicalname": CARD,
                "canread": 4,
                "canupdate": 4,
                "canreadunmasked": unmasked,
                "fieldsecurityprofileid@odata.bind": f"fieldsecurityprofiles({profile})",
            },
        )
        link = f"fieldsecurityprofiles({profile})/systemuserprofiles_association/$ref"
        assert api.send("POST", link, {"@odata.id": f"systemusers({user})"}).status_code == 204
    return user


@pytest.fixture(scope="module")
def safe(api: Api, unit: str) -> Safe:
    """The table, its mask, its people and its rows."""
    text = {"MaxLength": 100, "FormatName": {"Value": "Text"}, "IsSecured": True}
    secured = [column("String", name, **text) for name in ("wire_Card", "wire_Pin")]
    made = api.send("POST", "EntityDefinitions", table("wire_Safe", *secured))
    assert made.status_code == 204, made.text
    parent = {
        "@odata.type": f"{NS}.OneToManyRelationshipMetadata",
        "SchemaName": "wire_Safe_Safe",
        "ReferencedEntity": "wire_safe",
        "ReferencingEntity": "wire_safe",
        "Lookup": column("Lookup", "wire_Parent"),
    }
    assert api.send("POST", "RelationshipDefinitions", parent).status_code == 204
    rule = {"name": "wire", "displayname": "wire", "regularexpression": "[0-9](?=[0-9]{4})", "maskedcharacter": "#"}
    tie = {"entityname": "wire_safe", "attributelogicalname": CARD, "uniquename": "wire"}
    rule_id = api.new("maskingrules", rule)
    api.new("attributemaskingrules", {**tie, "MaskingRuleId@odata.bind": f"maskingrules({rule_id})"})
    first = api.new("wire_safes", {"wire_name": "first", CARD: CLEAR, PIN: "1234"})
    bind = {"wire_Parent@odata.bind": f"wire_safes({first})"}
    second = api.new("wire_safes", {"wire_name": "second", CARD: OTHER, PIN: "9999", **bind})
    attributes = api.rows(
        "EntityDefinitions(LogicalName='wire_safe')/Attributes?$select=LogicalName,MetadataId,ColumnNumber"
    )
    people = [_person(api, unit, name, level) for name, level in (("none", None), ("one", 1), ("every", 3))]
    return Safe(api, first, second, {each["LogicalName"]: each for each in attributes}, *people)


def fetch(inside: str, attributes: str = "") -> str:
    """A FetchXML request over the table."""
    return "wire_safes?fetchXml=" + quote(f'<fetch{attributes}><entity name="wire_safe">{inside}</entity></fetch>')


LISTS = (
    f"wire_safes?$select={CARD}&$filter=wire_name eq 'first'",
    "wire_safes?sql=" + quote(f"select {CARD} from wire_safe where wire_name = 'first'"),
    fetch(f'<attribute name="{CARD}"/><filter><condition attribute="wire_name" operator="eq" value="first"/></filter>'),
)


@pytest.mark.parametrize("path", LISTS)
def test_lists_are_masked_unless_all_may_be_read_and_are_asked_for(safe: Safe, path: str) -> None:
    """SM-137, SM-138: the same in OData, SQL and FetchXML."""
    asked = f"{path}&UnMaskedData=true"

    assert [safe.rows(who, path)[0].get(CARD) for who in (safe.none, safe.one, safe.every)] == [None, MASKED, MASKED]
    assert [safe.rows(who, asked)[0].get(CARD) for who in (safe.none, safe.one, safe.every)] == [None, MASKED, CLEAR]
    assert safe.rows(safe.every, f"{path}&UnMaskedData=false")[0][CARD] == MASKED
    assert safe.api.rows(path)[0][CARD] == MASKED
    assert safe.api.rows(asked)[0][CARD] == CLEAR


def test_one_row_is_unmasked_with_the_permission_for_one(safe: Safe) -> None:
    """SM-138: also by its property, and what hangs on it needs the permission for all."""
    row = f"wire_safes({safe.second})"
    asked = f"?$select={CARD}&$expand=wire_Parent($select={CARD})&UnMaskedData=true"

    def seen(who: str) -> tuple[str, str]:
        found = safe.get(who, row + asked)
        return found[CARD], found["wire_Parent"][CARD]

    assert seen(safe.one) == (OTHER, MASKED)
    assert seen(safe.every) == (OTHER, CLEAR)
    assert safe.get(safe.one, f"{row}/{CARD}")["value"] == OTHER_MASKED
    assert safe.get(safe.one, f"{row}/{CARD}?UnMaskedData=true")["value"] == OTHER


def test_unmasked_reading_of_joined_rows_names_the_rows_that_were_read(safe: Safe) -> None:
    """SM-138: the entry is about the row that holds the value."""
    link = (
        '<attribute name="wire_name"/><link-entity name="wire_safe" from="wire_safeid" to="wire_parent" alias="p">'
        f'<attribute name="{CARD}"/></link-entity>'
    )
    before = len(safe.entries())

    assert safe.rows(safe.every, fetch(link))[0][f"p.{CARD}"] == MASKED
    assert len(safe.entries()) == before
    assert safe.rows(safe.every, f"{fetch(link)}&UnMaskedData=true")[0][f"p.{CARD}"] == CLEAR

    (entry,) = safe.entries()[before:] if before else safe.entries()
    assert entry["_objectid_value"] == safe.first
    assert entry["attributemask"] == str(safe.columns[CARD]["ColumnNumber"])


def test_groups_and_distinct_rows_keep_their_masks(safe: Safe) -> None:
    """SM-137, SM-138: grouping by a masked column needs the permission for all rows, and still shows masks."""
    grouped = f"wire_safes?$apply=groupby(({CARD}))&UnMaskedData=true"

    assert sorted(row[CARD] for row in safe.rows(safe.every, grouped)) == [OTHER_MASKED, MASKED]
    safe.api.refused("GET", grouped, status=403, code="0x8004f504", headers={"MSCRMCallerID": safe.one})
    distinct = fetch(f'<attribute name="{CARD}"/>', ' distinct="true"')
    safe.api.refused("GET", distinct, status=403, code="0x8004f504", headers={"MSCRMCallerID": safe.one})


@pytest.mark.parametrize(
    "option", [f"$filter={CARD} eq '{CLEAR}'", f"$orderby={CARD}", f"$filter=startswith({CARD},'1')"]
)
def test_masked_values_do_not_decide(safe: Safe, option: str) -> None:
    """SM-137."""
    headers = {"MSCRMCallerID": safe.one}
    answer = safe.api.refused("GET", f"wire_safes?{option}", status=403, code="0x8004f504", headers=headers)
    assert CLEAR not in answer.text
    assert safe.rows(safe.every, f"wire_safes?{option}")


def test_a_written_row_comes_back_masked(safe: Safe) -> None:
    """SM-137: `return=representation` shows what a read would."""
    headers = {"MSCRMCallerID": safe.one, "Prefer": "return=representation"}
    answer = safe.api.send("PATCH", f"wire_safes({safe.first})", {CARD: CLEAR}, headers=headers)

    assert answer.json()[CARD] == MASKED


def test_a_shared_value_shows_in_every_projection_of_its_row_alone(safe: Safe) -> None:
    """SM-134, SM-135: lists, single rows, joins and expands."""
    value = {"attributeid": safe.columns[PIN]["MetadataId"], "readaccess": True, "updateaccess": False}
    bind = {"objectid_wire_safe@odata.bind": f"wire_safes({safe.first})"}
    body = {**value, **bind, "principalid_systemuser@odata.bind": f"systemusers({safe.none})"}
    share = safe.api.new(SHARES, body)
    join = (
        f'<attribute name="{PIN}"/><link-entity name="wire_safe" from="wire_safeid" to="wire_parent" alias="p">'
        f'<attribute name="{PIN}"/></link-entity>'
    )
    try:
        listed = {row["wire_name"]: row[PIN] for row in safe.rows(safe.none, f"wire_safes?$select=wire_name,{PIN}")}
        joined = safe.rows(safe.none, fetch(join))[0]
        expanded = safe.get(safe.none, f"wire_safes({safe.second})?$select={PIN}&$expand=wire_Parent($select={PIN})")

        assert listed == {"first": "1234", "second": None}
        assert (joined.get(PIN), joined[f"p.{PIN}"]) == (None, "1234")
        assert (expanded[PIN], expanded["wire_Parent"][PIN]) == (None, "1234")
        assert safe.rows(safe.one, f"wire_safes?$select={PIN}")[0][PIN] is None
        safe.api.refused("POST", SHARES, body, status=400, code="0x8004f50b")
        acting, row = {"MSCRMCallerID": safe.none}, f"wire_safes({safe.first})"
        safe.api.refused("PATCH", row, {PIN: "1"}, status=403, code="0x8004f507", headers=acting)
        search = f"wire_safes?$filter={PIN} eq '1234'"
        safe.api.refused("GET", search, status=403, code="0x8004f504", headers=acting)
    finally:
        safe.api.send("DELETE", f"{SHARES}({share})")
    assert safe.rows(safe.none, f"wire_safes?$select={PIN}&$filter=wire_name eq 'first'")[0][PIN] is None


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("accountid", "0x8004f501"),
        ("ownerid", "0x8004f501"),
        ("statecode", "0x8004f501"),
        ("statuscode", "0x8004f501"),
        ("createdon", "0x8004f501"),
        ("modifiedby", "0x8004f501"),
        ("owningbusinessunit", "0x8004f501"),
        ("versionnumber", "0x8004f501"),
        ("name", "0x8004f501"),
    ],
)
def test_bookkeeping_columns_cannot_be_secured(api: Api, name: str, code: str) -> None:
    """SM-139."""
    address = f"EntityDefinitions(LogicalName='account')/Attributes(LogicalName='{name}')"
    definition = api.get(address)
    api.refused("PUT", address, {**definition, "IsSecured": True}, status=400, code=code)


def test_a_column_is_either_secured_or_part_of_a_key(safe: Safe, boxes: str) -> None:
    """SM-139, in both orders."""
    address = "EntityDefinitions(LogicalName='wire_box')/Attributes(LogicalName='wire_code')"
    definition = safe.api.get(address)
    safe.api.refused("PUT", address, {**definition, "IsSecured": True}, status=400, code="0x80060896")
    key = {"SchemaName": "wire_ByPin", "DisplayName": label("pin"), "KeyAttributes": [PIN]}
    keys = "EntityDefinitions(LogicalName='wire_safe')/Keys"
    safe.api.refused("POST", keys, key, status=400, code="0x80060896")
