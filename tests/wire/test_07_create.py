"""Section 7: create (WA-105 to WA-123)."""

import pytest
from tests.wire.client import NOBODY, REPRESENTATION, Api, Json, Person, unique


def test_a_create_answers_204_with_the_address(api: Api) -> None:
    """WA-105."""
    answer = api.send("POST", "accounts", {"name": unique()})

    assert answer.status_code == 204
    address = answer.headers["OData-EntityId"]
    assert address.startswith(f"{api.root}accounts(")
    assert answer.headers["Location"] == address
    assert api.get(address)["accountid"] == address[-37:-1]


def test_a_create_that_shows_the_row_answers_201(api: Api) -> None:
    """WA-106: the context names what was selected, nothing else."""
    answer = api.send("POST", "accounts?$select=name,revenue", {"name": "r", "revenue": 2}, headers=REPRESENTATION)

    row = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Preference-Applied"] == "return=representation"
    assert row["@odata.context"] == f"{api.root}$metadata#accounts(name,revenue)/$entity"
    assert row["@odata.etag"].startswith('W/"')
    assert answer.headers["OData-EntityId"] == f"{api.root}accounts({row['accountid']})"
    whole = api.shown("POST", "accounts", {"name": "r"})
    assert whole["@odata.context"] == f"{api.root}$metadata#accounts/$entity"


def test_an_id_may_be_chosen_once(api: Api) -> None:
    """WA-107."""
    row = "5f1d2c3b-0000-4000-8000-000000000107"
    assert api.new("accounts", {"accountid": row, "name": "chosen"}) == row
    api.refused("POST", "accounts", {"accountid": row}, status=412, code="0x80040237")


def test_an_empty_object_makes_a_row_unless_something_is_required(api: Api) -> None:
    """WA-108, WA-112: SystemRequired is enforced, ApplicationRequired is not."""
    assert api.new("accounts", {})
    assert api.shown("POST", "accounts?$select=name", {"name": None})["name"] is None
    api.refused("POST", "teams", {"name": None}, status=400, says="'name'")
    api.refused("POST", "teams", {}, status=400)


@pytest.mark.parametrize(
    "name", ["@odata.type", "@odata.id", "@odata.etag", "@odata.context", "name@x.y", "z@odata.type"]
)
def test_annotations_in_a_body_are_ignored(api: Api, name: str) -> None:
    """WA-109."""
    assert api.new("accounts", {name: "x", "name": "kept"})


def test_property_names_are_logical_names(api: Api) -> None:
    """WA-109, WA-110, WA-121: a wrong case is told with the right one."""
    cases: tuple[tuple[Json, str], ...] = (
        ({"Name": "x"}, "An undeclared property 'Name'"),
        ({"nonsense": 1}, "An undeclared property 'nonsense'"),
        ({"PrimaryContactId@odata.bind": f"/contacts({NOBODY})"}, "'primarycontactid@odata.bind'"),
        ({"account_tasks": []}, "Did you mean 'Account_Tasks'?"),
    )
    for body, says in cases:
        api.refused("POST", "accounts", body, status=400, code="0x80048d19", says=says)


def test_what_the_server_sets_itself_is_ignored(api: Api) -> None:
    """WA-111: whatever the value."""
    junk: Json = {"createdon": "junk", "modifiedon": None, "versionnumber": "x", "revenue_base": {}, "exchangerate": 5}
    bind = {"createdby@odata.bind": f"/systemusers({NOBODY})", "modifiedby@odata.bind": f"/systemusers({NOBODY})"}
    row = api.shown("POST", "accounts?$select=createdon,_createdby_value", {"name": "j", **junk, **bind})
    assert row["createdon"] > "2020"
    assert row["_createdby_value"] == api.get("WhoAmI")["UserId"]
    made = api.shown("POST", "contacts?$select=fullname", {"firstname": "Ada", "lastname": "L", "fullname": "X"})
    assert made["fullname"] == "Ada L"


def test_every_form_of_a_reference_binds_a_lookup(api: Api) -> None:
    """WA-114: relative, absolute, another version, a foreign authority, one slash; null clears."""
    contact = api.new("contacts", {"lastname": unique()})
    for text in (
        f"/contacts({contact})",
        f"contacts({contact})",
        f"contacts({contact.upper()})",
        f"contacts(contactid={contact})",
        f"{api.root}contacts({contact})",
        f"https://other.example/api/data/v8.1/contacts({contact})",
        f"https:/other.example/api/data/v9.2/contacts({contact})",
        f"/api/data/v9.0/contacts({contact})",
    ):
        body = {"primarycontactid@odata.bind": text}
        shown = api.shown("POST", "accounts?$select=_primarycontactid_value", body)
        assert shown["_primarycontactid_value"] == contact, text
    shown = api.shown("POST", "accounts?$select=_primarycontactid_value", {"primarycontactid@odata.bind": None})
    assert shown["_primarycontactid_value"] is None


def test_a_reference_may_be_an_alternate_key(api: Api, boxes: str) -> None:
    """WA-114."""
    code = unique("bind")
    box = api.new(boxes, {"wire_code": code})
    query = f"{boxes}?$select=_wire_parentbox_value"

    child = api.shown("POST", query, {"wire_ParentBox@odata.bind": f"/{boxes}(wire_code='{code.upper()}')"})

    assert child["_wire_parentbox_value"] == box
    missing = {"wire_ParentBox@odata.bind": f"/{boxes}(wire_code='nobody')"}
    api.refused("POST", boxes, missing, status=404, code="0x80060891")


@pytest.mark.parametrize("text", ["contacts", "nonsense(1)", "contacts(xyz)", 5, [], {}])
def test_what_is_no_reference_is_400(api: Api, text: object) -> None:
    """WA-114."""
    api.refused("POST", "accounts", {"primarycontactid@odata.bind": text}, status=400)


def test_a_target_must_exist_and_be_within_reach(api: Api, reader: Person) -> None:
    """WA-115: 404 when it is not there, 403 without Append and AppendTo."""
    body = {"primarycontactid@odata.bind": f"/contacts({NOBODY})"}
    says = f"contact With Id = {NOBODY} Does Not Exist"
    api.refused("POST", "accounts", body, status=404, code="0x80040217", says=says)
    contact = api.new("contacts", {"lastname": unique()})
    body = {"primarycontactid@odata.bind": f"/contacts({contact})"}
    api.refused("POST", "accounts", body, status=403, says="prvAppend", headers=reader.acting)


def test_the_entity_set_must_fit_the_navigation_property(api: Api) -> None:
    """WA-116."""
    account = api.new("accounts", {"name": unique()})
    api.refused("POST", "accounts", {"primarycontactid@odata.bind": f"/accounts({account})"}, status=400)


def test_customers_are_bound_by_the_name_of_the_target(api: Api) -> None:
    """WA-117: not by the bare name, not twice; one clears the other."""
    account, contact = api.new("accounts", {"name": "c"}), api.new("contacts", {"lastname": "c"})
    to_account = {"parentcustomerid_account@odata.bind": f"/accounts({account})"}
    to_contact = {"parentcustomerid_contact@odata.bind": f"/contacts({contact})"}
    says = "An undeclared property 'parentcustomerid'"
    api.refused("POST", "contacts", {"parentcustomerid@odata.bind": f"/accounts({account})"}, status=400, says=says)
    api.refused("POST", "contacts", {**to_account, **to_contact}, status=400)
    row = api.new("contacts", to_account)
    assert api.get(f"contacts({row})/parentcustomerid_account?$select=name")["accountid"] == account
    assert api.send("GET", f"contacts({row})/parentcustomerid_contact").status_code == 204
    api.send("PATCH", f"contacts({row})", to_contact)
    assert api.get(f"contacts({row})?$select=_parentcustomerid_value")["_parentcustomerid_value"] == contact
    assert api.send("GET", f"contacts({row})/parentcustomerid_account/$ref").status_code == 204


def test_owners_are_users_or_teams(api: Api, unit: str, reader: Person) -> None:
    """WA-118: on create and on update; a team that can own."""
    me = api.get("WhoAmI")["UserId"]
    role = api.rows("roles?$select=roleid&$filter=name eq 'System Administrator'")[0]["roleid"]
    team = api.new(
        "teams",
        {
            "name": unique("team"),
            "teamtype": 0,
            "businessunitid@odata.bind": f"/businessunits({unit})",
            "administratorid@odata.bind": f"/systemusers({me})",
        },
    )
    api.send("POST", f"teams({team})/teamroles_association/$ref", {"@odata.id": f"roles({role})"})
    owner = "accounts?$select=_ownerid_value,_owningteam_value,_owninguser_value"
    row = api.shown("POST", owner, {"ownerid@odata.bind": f"/teams({team})"})
    assert (row["_ownerid_value"], row["_owningteam_value"], row["_owninguser_value"]) == (team, team, None)
    path = owner.replace("accounts", f"accounts({row['accountid']})")
    row = api.shown("PATCH", path, {"ownerid@odata.bind": f"systemusers({reader.id})"})
    assert (row["_ownerid_value"], row["_owningteam_value"]) == (reader.id, None)
    contact = api.new("contacts", {"lastname": "x"})
    api.refused("POST", "accounts", {"ownerid@odata.bind": f"/contacts({contact})"}, status=400)
    expanded = api.rows(f"accounts?$select=name&$filter=_ownerid_value eq {team}&$expand=ownerid($select=name)")
    assert expanded == []
    api.send("PATCH", f"accounts({row['accountid']})", {"ownerid@odata.bind": f"/teams({team})"})
    query = f"accounts?$select=name&$filter=_ownerid_value eq {team}&$expand=ownerid($select=name,fullname)"
    page = api.get(query)
    assert page["value"][0]["ownerid"]["ownerid"] == team
    assert page["@odata.context"] == f"{api.root}$metadata#accounts(name,ownerid(name,fullname))"


@pytest.mark.parametrize("name", ["_primarycontactid_value", "primarycontactid", "ownerid", "_ownerid_value"])
def test_lookups_are_not_written_as_bare_ids(api: Api, name: str) -> None:
    """WA-119."""
    says = "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead."
    api.refused("POST", "accounts", {name: NOBODY}, status=400, code="0x80048d19", says=says)


def test_related_rows_are_created_along(api: Api) -> None:
    """WA-120: a parent, children, existing children; `$expand` on the 201 shows them."""
    contact = api.new("contacts", {"lastname": "bound"})
    body = {
        "name": unique("deep"),
        "primarycontactid": {"lastname": "parent", "Contact_Tasks": [{"subject": "of the parent"}]},
        "Account_Tasks": [{"subject": "t1"}, {"subject": "t2"}],
        "contact_customer_accounts@odata.bind": [f"/contacts({contact})"],
    }
    query = (
        "$select=name&$expand=primarycontactid($select=lastname),Account_Tasks($select=subject),"
        "contact_customer_accounts($select=lastname)"
    )
    made = api.shown("POST", f"accounts?{query}", body)

    assert made["primarycontactid"]["lastname"] == "parent"
    assert sorted(task["subject"] for task in made["Account_Tasks"]) == ["t1", "t2"]
    assert [row["contactid"] for row in made["contact_customer_accounts"]] == [contact]
    parent = made["primarycontactid"]["contactid"]
    assert [t["subject"] for t in api.rows(f"contacts({parent})/Contact_Tasks?$select=subject")] == ["of the parent"]


def test_related_rows_nest_ten_levels(api: Api) -> None:
    """WA-120."""

    def nested(levels: int) -> dict[str, object]:
        inner = {"parentaccountid": nested(levels - 1)} if levels > 1 else {}
        return {"name": f"level {levels}", **inner}

    assert api.new("accounts", nested(10))
    api.refused("POST", "accounts", nested(11), status=400, says="10")


@pytest.mark.parametrize(
    "body", [{"primarycontactid": 5}, {"primarycontactid": []}, {"Account_Tasks": {}}, {"Account_Tasks": [5]}]
)
def test_related_rows_are_objects_or_arrays_of_them(api: Api, body: dict[str, object]) -> None:
    """WA-120."""
    api.refused("POST", "accounts", body, status=400, code="0x80048d19")


def test_system_columns_are_set_by_the_server(api: Api, unit: str) -> None:
    """WA-122."""
    me = api.get("WhoAmI")["UserId"]
    row = api.shown("POST", "accounts", {"name": unique()})
    expected = {
        "statecode": 0,
        "statuscode": 1,
        "_createdby_value": me,
        "_modifiedby_value": me,
        "_ownerid_value": me,
        "_owninguser_value": me,
        "_owningteam_value": None,
        "_owningbusinessunit_value": unit,
    }
    assert {name: row[name] for name in expected} == expected
    assert row["createdon"] == row["modifiedon"]
    assert row["@odata.etag"] == f'W/"{row["versionnumber"]}"'


def test_state_and_status_may_be_given_when_they_fit(api: Api) -> None:
    """WA-122."""
    query = "accounts?$select=statecode,statuscode"
    for body, state, status in (
        ({"statecode": 1, "statuscode": 2}, 1, 2),
        ({"statecode": 1}, 1, 2),
        ({"statuscode": 2}, 1, 2),
    ):
        row = api.shown("POST", query, body)
        assert (row["statecode"], row["statuscode"]) == (state, status)
    api.refused("POST", "accounts", {"statecode": 1, "statuscode": 1}, status=400, code="0x80048408")


def test_deletes_cascade_remove_links_or_are_refused(api: Api) -> None:
    """WA-123."""
    account = api.new("accounts", {"name": unique(), "Account_Tasks": [{"subject": "goes along"}]})
    contact = api.new("contacts", {"lastname": "stays"})
    parent = api.new("accounts", {"name": unique(), "primarycontactid@odata.bind": f"/contacts({contact})"})
    task = api.rows(f"accounts({account})/Account_Tasks?$select=activityid")[0]["activityid"]

    assert api.send("DELETE", f"accounts({account})").status_code == 204
    api.refused("GET", f"tasks({task})", status=404)
    assert api.send("DELETE", f"contacts({contact})").status_code == 204
    assert api.get(f"accounts({parent})?$select=_primarycontactid_value")["_primarycontactid_value"] is None
    unit = api.new("businessunits", {"name": unique("unit"), "parentbusinessunitid@odata.bind": _root(api)})
    api.new("businessunits", {"name": unique("unit"), "parentbusinessunitid@odata.bind": f"/businessunits({unit})"})
    api.send("PATCH", f"businessunits({unit})", {"isdisabled": True})
    answer = api.send("DELETE", f"businessunits({unit})")
    assert answer.status_code in (400, 405), answer.text


def _root(api: Api) -> str:
    return f"/businessunits({api.get('WhoAmI')['BusinessUnitId']})"
