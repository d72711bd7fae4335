"""Rules of rows and callers that show over the wire only: lookups, programs as users, managers, error bodies."""

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from tests.security.realm import Realm

FORM = re.compile(r"0x[0-9a-fA-F]{8}")


def test_a_program_is_a_user_by_the_same_rules(realm: Realm) -> None:
    """SM-67: it sees what its roles reach, and without a role it can do nothing (SM-62)."""
    ids = {"applicationid": str(uuid4())}
    realm.user("program", realm.ids["north"], realm.ids["seller"], **ids)
    realm.user("idle", realm.ids["north"], applicationid=str(uuid4()))
    mine = realm.create("accounts", {"name": "By a program"}, by="program")

    assert [row["accountid"] for row in realm.get("program", "accounts?$select=name").rows] == [mine]
    assert realm.get("program", f"accounts({realm.ids['account of ann']})").refusal == (403, "0x80048306")
    assert realm.get("idle", "accounts").refusal == (403, "0x80042f09")


def test_a_lookup_keeps_its_value_when_its_target_may_not_be_read(realm: Realm) -> None:
    """SM-154, SM-153: the id belongs to the row that holds it; the target itself is left out."""
    contact, theirs = realm.ids["contact of ann"], realm.ids["account of bob"]
    realm.must(
        "admin", "PATCH", f"contacts({contact})", {"parentcustomerid_account@odata.bind": f"/accounts({theirs})"}
    )
    assert realm.get("ann", f"accounts({theirs})").refusal == (403, "0x80048306")

    row = realm.get("ann", f"contacts({contact})?$expand=parentcustomerid_account($select=name,revenue)").json

    assert row["_parentcustomerid_value"] == theirs
    assert row["parentcustomerid_account"] is None
    found = realm.get("ann", f"contacts?$filter=_parentcustomerid_value eq {theirs}").rows
    assert [each["contactid"] for each in found] == [contact]
    assert realm.get("ann", "contacts?$filter=parentcustomerid_account/name eq 'Account of bob'").rows == []


@pytest.fixture
def managed(realm: Realm) -> Iterator[str]:
    """Hierarchy security by managers, with Ann above somebody new; who it is."""
    organization = realm.get("admin", "organizations?$select=organizationid").rows[0]["organizationid"]
    path = f"organizations({organization})"
    realm.must("admin", "PATCH", path, {"ishierarchicalsecuritymodelenabled": True})
    above = {"parentsystemuserid@odata.bind": f"/systemusers({realm.people['ann']})"}
    name = f"report{uuid4()}"
    realm.user(name, realm.ids["north"], realm.ids["seller"], **above)
    yield name
    realm.must("admin", "PATCH", path, {"ishierarchicalsecuritymodelenabled": False})


def test_a_manager_reaches_rows_of_a_report_who_may_no_longer_use_them(realm: Realm, managed: str) -> None:
    """SM-147: what the report owns counts, not what the report may do with it."""
    row = realm.create("accounts", {"name": "Of the report"}, by=managed)
    report = realm.people[managed]
    role = realm.copy_of(realm.ids["seller"], realm.ids["north"])
    realm.must("admin", "DELETE", f"systemusers({report})/systemuserroles_association({role})/$ref")

    assert realm.get(managed, f"accounts({row})").refusal == (403, "0x80042f09")
    assert realm.get("ann", f"accounts({row})?$select=name").json["name"] == "Of the report"
    assert realm.send("ann", "PATCH", f"accounts({row})", {"name": "Changed"}).status == 204
    assert realm.send("ann", "DELETE", f"accounts({row})").refusal == (403, "0x80048306")  # SM-142


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("hal", "accounts"),
        ("nobody", "accounts"),
        ("ann", "accounts(00000000-0000-0000-0000-00000000000a)"),
        ("ann", "accounts?$filter=nothing eq 1"),
        ("ann", "nowhere"),
        ("ann", "accounts?fetchXml=%3Cfetch"),
    ],
)
def test_a_refusal_is_a_code_and_a_message(realm: Realm, who: str, path: str) -> None:
    """SM-156."""
    answer = realm.get(who, path)
    assert 400 <= answer.status < 500
    assert answer.json.keys() == {"error"}
    assert {"code", "message"} <= answer.json["error"].keys()
    assert FORM.fullmatch(answer.json["error"]["code"])
    assert answer.json["error"]["message"]
