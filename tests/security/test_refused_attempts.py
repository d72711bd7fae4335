"""Refused attempts leave nothing behind but their entry in the trail (SM-6)."""

import json
from typing import cast

from tests.security.realm import Json, Realm

from strongroom.audit.refusals import MOST_A_MINUTE

REFUSED = 10001
_FORMATTED = 'odata.include-annotations="*"'


def told(realm: Realm, who: str) -> list[Json]:
    """The refusals of a user, oldest first, each with what its entry says."""
    filtered = f"action eq {REFUSED} and _userid_value eq {realm.people[who]}"
    found = realm.get("admin", f"audits?$filter={filtered}&$orderby=createdon,auditid").rows
    said: list[Json] = []
    for row in found:
        changed = cast("list[Json]", json.loads(str(row["changedata"]))["changedAttributes"])
        said.append({**row, **{str(each["logicalName"]): each["newValue"] for each in changed}})
    return said


def new_person(realm: Realm, name: str) -> None:
    realm.user(name, realm.ids["north"], realm.ids["seller"])


def test_a_refused_write_is_told_with_request_row_and_code(realm: Realm) -> None:
    """SM-6: who, what, which row, why; and the row is as it was."""
    new_person(realm, "tom")
    account = realm.create("accounts", {"name": "Not Tom's"})
    refused = realm.send("tom", "PATCH", f"accounts({account})", {"name": "Tom's"})
    assert refused.refusal == (403, "0x80048306")

    (entry,) = told(realm, "tom")
    assert entry["request"] == f"PATCH accounts({account})"
    assert str(entry["code"]).lower() == "0x80048306"
    assert (entry["_objectid_value"], entry["objecttypecode"]) == (account, "account")
    assert entry["operation"] == 4
    annotated = realm.send("admin", "GET", f"audits({entry['auditid']})", headers={"Prefer": _FORMATTED}).json
    assert annotated["action@OData.Community.Display.V1.FormattedValue"] == "Access Refused"
    assert realm.get("admin", f"accounts({account})?$select=name").json["name"] == "Not Tom's"


def test_a_missing_privilege_is_told_of_readers_too(realm: Realm) -> None:
    """SM-6, SM-150: the entry is about the user, for no row came into it."""
    new_person(realm, "una")
    assert realm.get("una", "leads").status == 403
    assert realm.send("una", "POST", "leads", {"lastname": "X"}).status == 403

    found = told(realm, "una")  # both may fall into one millisecond, and then have no order
    assert {entry["request"] for entry in found} == {"GET leads", "POST leads"}
    assert {entry["_objectid_value"] for entry in found} == {str(realm.people["una"])}
    assert len(found) == 2


def test_a_row_that_a_reader_may_not_see_is_no_attempt(realm: Realm) -> None:
    """SM-6: reading what lists leave out is not a write and lacks no privilege."""
    new_person(realm, "vic")
    account = realm.create("accounts", {"name": "Unseen"})
    assert realm.get("vic", f"accounts({account})").status == 403
    assert told(realm, "vic") == []


def test_a_refusal_in_a_change_set_is_told_once_it_is_undone(realm: Realm) -> None:
    """SM-6, WA-288."""
    new_person(realm, "wes")
    account = realm.create("accounts", {"name": "Kept"})
    part = (
        "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
        "--c\r\nContent-Type: application/http\r\nContent-ID: 1\r\n\r\n"
        "POST accounts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"
        '{"name":"Undone"}\r\n'
        "--c\r\nContent-Type: application/http\r\nContent-ID: 2\r\n\r\n"
        f"DELETE accounts({account}) HTTP/1.1\r\n\r\n\r\n--c--\r\n--b--\r\n"
    )
    headers = {"content-type": "multipart/mixed; boundary=b"}
    realm.send("wes", "POST", "$batch", part.encode(), headers=headers)

    (entry,) = told(realm, "wes")
    assert entry["request"] == f"DELETE accounts({account})"
    assert realm.get("admin", "accounts?$filter=name eq 'Undone'").rows == []


def test_an_impersonated_attempt_names_both(realm: Realm) -> None:
    """SM-6, SM-68."""
    new_person(realm, "xia")
    acting = {"MSCRMCallerID": realm.people["xia"]}
    assert realm.send("admin", "POST", "leads", {"lastname": "X"}, headers=acting).status == 403
    (entry,) = told(realm, "xia")
    assert entry["_callinguserid_value"] == str(realm.people["admin"])


def test_entries_of_one_user_are_limited_and_the_rest_is_counted(realm: Realm) -> None:
    """SM-6: a program that is refused in a loop does not fill the trail."""
    new_person(realm, "yan")
    for _ in range(MOST_A_MINUTE + 5):
        assert realm.send("yan", "POST", "leads", {"lastname": "X"}).status == 403
    assert len(told(realm, "yan")) == MOST_A_MINUTE


def test_the_organization_can_switch_it_off(realm: Realm) -> None:
    """SM-6: `isuseraccessauditenabled`, and `isauditenabled` for all of the trail."""
    new_person(realm, "zoe")
    organization = realm.get("admin", "organizations?$select=organizationid").rows[0]["organizationid"]
    for switch in ("isuseraccessauditenabled", "isauditenabled"):
        realm.must("admin", "PATCH", f"organizations({organization})", {switch: False})
        try:
            assert realm.send("zoe", "POST", "leads", {"lastname": "X"}).status == 403
        finally:
            realm.must("admin", "PATCH", f"organizations({organization})", {switch: True})
    assert told(realm, "zoe") == []


def test_success_leaves_no_refusal(realm: Realm) -> None:
    """SM-6."""
    new_person(realm, "abe")
    account = realm.create("accounts", {"name": "His"}, by="abe")
    realm.must("abe", "PATCH", f"accounts({account})", {"name": "Still his"})
    assert told(realm, "abe") == []
