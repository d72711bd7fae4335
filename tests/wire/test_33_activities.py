"""Activities on the wire: `activitypointers`, parties, and activity tables of one's own (WA-62, WA-168, WA-340)."""

from urllib.parse import quote

import pytest
from tests.wire.client import FORMATTED, NS, Api, Json, Person, column, table, unique

POINTERS = "activitypointers"


def parties(*given: Json) -> Json:
    return {"subject": unique(), "email_activity_parties": list(given)}


@pytest.fixture
def account(api: Api) -> str:
    return api.new("accounts", {"name": unique()})


def test_activities_of_all_tables_are_listed_expanded_and_counted(api: Api, account: str) -> None:
    """WA-130, WA-178, WA-210, WA-237: one timeline, each row with the table that it is of."""
    about = {"regardingobjectid_account_task@odata.bind": f"/accounts({account})"}
    task = api.new("tasks", {"subject": "Call back", "scheduledend": "2024-05-02T10:00:00Z", **about})
    call = api.new(
        "phonecalls",
        {"subject": "Called", "regardingobjectid_account_phonecall@odata.bind": f"/accounts({account})"},
    )
    where = f"$filter=_regardingobjectid_value eq {account}&$orderby=subject"
    rows = api.rows(f"{POINTERS}?$select=subject,activitytypecode,statecode&{where}")
    assert [(row["activityid"], row["activitytypecode"]) for row in rows] == [(task, "task"), (call, "phonecall")]
    assert rows[0]["@odata.etag"] == api.get(f"tasks({task})?$select=subject")["@odata.etag"]
    assert api.send("GET", f"{POINTERS}/$count?{where}").text == "2"
    found = api.get(f"accounts({account})?$select=name&$expand=Account_ActivityPointers($select=subject)")
    assert {row["activityid"] for row in found["Account_ActivityPointers"]} == {task, call}
    one = api.get(f"{POINTERS}({call})?$select=subject&$expand=regardingobjectid_account($select=name)")
    assert one["regardingobjectid_account"]["accountid"] == account


def test_fetchxml_reads_activities_of_all_tables_with_their_parties(api: Api, account: str) -> None:
    """WA-240, WA-242, WA-251."""
    email = api.new(
        "emails", parties({"partyid_account@odata.bind": f"/accounts({account})", "participationtypemask": 2})
    )
    fetch = (
        f'<fetch><entity name="activitypointer"><attribute name="subject"/><link-entity name="activityparty"'
        f' from="activityid" to="activityid" alias="p"><attribute name="participationtypemask"/><filter>'
        f'<condition attribute="partyid" operator="eq" value="{account}"/></filter></link-entity></entity></fetch>'
    )
    rows = api.rows(f"{POINTERS}?fetchXml={quote(fetch)}")
    assert [(row["activityid"], row["p.participationtypemask"]) for row in rows] == [(email, 2)]
    counted = (
        '<fetch aggregate="true"><entity name="activitypointer"><attribute name="activityid" aggregate="count"'
        f' alias="n"/><filter><condition attribute="activityid" operator="eq" value="{email}"/></filter>'
        "</entity></fetch>"
    )
    assert api.rows(f"{POINTERS}?fetchXml={quote(counted)}")[0]["n"] == 1


def test_a_list_of_parties_is_created_expanded_and_replaced(api: Api, account: str) -> None:
    """WA-120, WA-168: with POST, PUT of the collection, and PATCH of the activity."""
    me = api.get("WhoAmI")["UserId"]
    body = parties(
        {"partyid_systemuser@odata.bind": f"/systemusers({me})", "participationtypemask": 1},
        {"partyid_account@odata.bind": f"/accounts({account})", "participationtypemask": 2},
    )
    email = api.new("emails", body)
    expand = "$select=subject&$expand=email_activity_parties($select=participationtypemask,_partyid_value)"

    def masks() -> list[int]:
        found = api.get(f"emails({email})?{expand}")["email_activity_parties"]
        return sorted(row["participationtypemask"] for row in found)

    assert masks() == [1, 2]
    copy = {"partyid_account@odata.bind": f"/accounts({account})", "participationtypemask": 3}
    assert api.send("PUT", f"emails({email})/email_activity_parties", {"value": [copy]}).status_code == 204
    assert masks() == [3]
    sender = {"partyid_systemuser@odata.bind": f"/systemusers({me})", "participationtypemask": 1}
    changed = api.send("PATCH", f"emails({email})", {"subject": "New", "email_activity_parties": [copy, sender]})
    assert changed.status_code == 204, changed.text
    assert masks() == [1, 3]
    also = api.rows(f"accounts({account})/account_activity_parties?$select=participationtypemask")
    assert [row["participationtypemask"] for row in also] == [3]
    named = api.rows(
        f"activityparties?$select=_activityid_value,_partyid_value&$filter=_partyid_value eq {account}",
        {"Prefer": f'odata.include-annotations="{NS}.lookuplogicalname,{FORMATTED}"'},
    )
    assert named[0][f"_activityid_value@{NS}.lookuplogicalname"] == "email"
    assert named[0][f"_activityid_value@{FORMATTED}"] == "New"


@pytest.mark.parametrize(
    ("method", "tail", "body"),
    [
        ("PUT", "/email_activity_parties", {"value": {"participationtypemask": 1}}),
        ("PUT", "/email_activity_parties", {"value": [1]}),
        ("PUT", "/email_activity_parties", {"value": [{"participationtypemask": 2}]}),
        ("PUT", "/email_activity_parties", {}),
        ("PATCH", "", {"email_activity_parties": "everybody"}),
        ("PATCH", "", {"email_activity_parties": [{"addressused": "x", "participationtypemask": "to"}]}),
        (
            "PATCH",
            "",
            {"subject": "Changed", "email_activity_parties": [{"addressused": "x", "participationtypemask": 7}]},
        ),
        ("PATCH", "", {"Email_Annotation": [{"subject": "S"}]}),
    ],
)
def test_a_list_of_parties_that_is_none_changes_nothing(api: Api, method: str, tail: str, body: Json) -> None:
    """WA-113, WA-155, WA-53."""
    email = api.new("emails", parties({"addressused": "x@test", "participationtypemask": 2}))
    before = api.get(f"emails({email})?$expand=email_activity_parties")
    api.refused(method, f"emails({email}){tail}", body, status=400)
    assert api.get(f"emails({email})?$expand=email_activity_parties") == before


def test_activitypointers_takes_changes_and_no_new_rows(api: Api) -> None:
    """WA-140, WA-150, WA-142: with the tag that it shows."""
    task = api.new("tasks", {"subject": "Before"})
    etag = api.get(f"{POINTERS}({task})?$select=subject")["@odata.etag"]
    changed = api.send("PATCH", f"{POINTERS}({task})", {"subject": "After"}, headers={"If-Match": etag})
    assert changed.status_code == 204, changed.text
    api.refused("PATCH", f"{POINTERS}({task})", {"subject": "Late"}, headers={"If-Match": etag}, status=412)
    assert api.get(f"tasks({task})?$select=subject")["subject"] == "After"
    api.refused("POST", POINTERS, {"subject": "Nothing"}, status=400, says="in its own table")
    assert api.send("DELETE", f"{POINTERS}({task})").status_code == 204
    assert api.send("GET", f"tasks({task})").status_code == 404


def test_activitypointers_are_closed_to_who_may_not_read_activities(api: Api, reader: Person) -> None:
    """SM-150."""
    api.refused("GET", POINTERS, headers=reader.acting, status=403, code="0x80040220")
    api.refused("GET", "activityparties", headers=reader.acting, status=403, code="0x80040220")


def test_an_activity_table_is_made_used_and_removed_through_the_web_api(api: Api, account: str) -> None:
    """WA-340, WA-345, WA-62, WA-68."""
    subject = column("String", "Subject", IsPrimaryName=True, MaxLength=100, FormatName={"Value": "Text"})
    body = {**table("wire_Visit"), "IsActivity": True, "Attributes": [subject, column("Integer", "wire_Miles")]}
    made = api.send("POST", "EntityDefinitions", body)
    assert made.status_code == 204, made.text
    told = api.get("EntityDefinitions(LogicalName='wire_visit')?$select=IsActivity,PrimaryIdAttribute,EntitySetName")
    assert (told["IsActivity"], told["PrimaryIdAttribute"]) == (True, "activityid")
    assert '<EntityType Name="wire_visit" BaseType="mscrm.activitypointer"' in api.send("GET", "$metadata").text
    visit = api.new(
        told["EntitySetName"],
        {
            "subject": "Visit",
            "wire_miles": 12,
            "regardingobjectid_account_wire_visit@odata.bind": f"/accounts({account})",
            "wire_visit_activity_parties": [{"addressused": "x@test", "participationtypemask": 2}],
        },
    )
    pointer = api.get(f"{POINTERS}({visit})?$select=activitytypecode,_regardingobjectid_value")
    assert (pointer["activitytypecode"], pointer["_regardingobjectid_value"]) == ("wire_visit", account)
    assert api.send("DELETE", "EntityDefinitions(LogicalName='wire_visit')").status_code == 204
    assert api.send("GET", f"{POINTERS}({visit})").status_code == 404
