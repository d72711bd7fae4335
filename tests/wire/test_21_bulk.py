"""Section 21: bulk messages (WA-300 to WA-308)."""

import time
from urllib.parse import quote

import pytest
from tests.wire.client import NOBODY, NS, Api, Json, unique
from tests.wire.conftest import Person

_ACCOUNT = {"@odata.type": f"{NS}.account"}


def bulk(message: str, entity_set: str = "accounts") -> str:
    return f"{entity_set}/{NS}.{message}"


def made(api: Api, name: str, number: int) -> list[str]:
    targets = [{**_ACCOUNT, "name": name, "accountnumber": str(place)} for place in range(number)]
    answer = api.send("POST", bulk("CreateMultiple"), {"Targets": targets})
    assert answer.status_code == 200, answer.text[:300]
    assert answer.json()["@odata.context"] == f"{api.root}$metadata#{NS}.CreateMultipleResponse"
    return list(answer.json()["Ids"])


def with_name(api: Api, name: str) -> list[Json]:
    return api.rows(f"accounts?$select=accountnumber,fax&$orderby=accountnumber&$filter=name eq '{name}'")


def test_create_multiple_answers_ids_in_order(api: Api) -> None:
    """WA-300."""
    name = unique("bulk")
    ids = made(api, name, 3)

    assert [row["accountid"] for row in with_name(api, name)] == ids


def test_update_upsert_and_delete(api: Api, boxes: str) -> None:
    """WA-301, WA-302: by primary key, by `@odata.id` with an alternate key, by key columns."""
    name, code = unique("bulk"), unique("K")
    first, second = made(api, name, 2)
    updated = [
        {**_ACCOUNT, "accountid": first, "fax": "1"},
        {**_ACCOUNT, "@odata.id": f"accounts({second})", "fax": "2"},
    ]
    assert api.send("POST", bulk("UpdateMultiple"), {"Targets": updated}).status_code == 204
    assert [row["fax"] for row in with_name(api, name)] == ["1", "2"]

    box = {"@odata.type": f"{NS}.wire_box"}
    targets = [
        {**box, "@odata.id": f"{boxes}(wire_code='{code}')", "wire_name": "by address"},
        {**box, "wire_code": f"{code} too", "wire_name": "by columns"},
    ]
    for created in (True, False):
        answer = api.send("POST", bulk("UpsertMultiple", boxes), {"Targets": targets})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["@odata.context"] == f"{api.root}$metadata#{NS}.UpsertMultipleResponse"
        assert [result["RecordCreated"] for result in body["Results"]] == [created, created]
        assert body["Results"][0]["Target"]["wire_boxid"]
    found = api.get(f"{boxes}(wire_code='{code}')?$select=wire_name")
    assert found["wire_name"] == "by address"

    deleted = [{**box, "@odata.id": f"{boxes}(wire_code='{code}')"}, {**box, "wire_code": f"{code} too"}]
    assert api.send("POST", bulk("DeleteMultiple", boxes), {"Targets": deleted}).status_code == 204
    api.refused("GET", f"{boxes}(wire_code='{code}')", status=404)


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        ({**_ACCOUNT, "name": "x" * 161}, 400),
        ({**_ACCOUNT, "nope": 1}, 400),
        ({**_ACCOUNT, "primarycontactid@odata.bind": f"contacts({NOBODY})"}, 404),
        ({"name": "no type"}, 400),
        ({"@odata.type": f"{NS}.contact"}, 400),
        ({"@odata.type": f"{NS}.nope"}, 400),
    ],
)
def test_one_bad_target_undoes_all_and_is_named(api: Api, bad: Json, status: int) -> None:
    """WA-303: the message has the target's index; nothing is written."""
    name = unique("undone")
    for targets, index in (([{**_ACCOUNT, "name": name}, bad], "1"), ([bad], "0")):
        refused = api.refused("POST", bulk("CreateMultiple"), {"Targets": targets}, status=status)
        assert index in refused.json()["error"]["message"].replace("'161'", "")
    assert with_name(api, name) == []


def test_targets_must_be_there_and_differ(api: Api) -> None:
    """WA-303: empty Targets, unknown parameters, the same record twice, no key, unknown rows."""
    (row,) = made(api, unique("twice"), 1)
    target = {**_ACCOUNT, "accountid": row, "fax": "9"}
    api.refused("POST", bulk("CreateMultiple"), {"Targets": []}, status=400)
    api.refused("POST", bulk("CreateMultiple"), {}, status=400)
    api.refused("POST", bulk("CreateMultiple"), {"Targets": [_ACCOUNT], "Foo": 1}, status=400, says="Foo")
    api.refused("POST", bulk("UpdateMultiple"), {"Targets": [target, target]}, status=400)
    api.refused("POST", bulk("UpdateMultiple"), {"Targets": [{**_ACCOUNT, "fax": "1"}]}, status=400)
    missing = {**_ACCOUNT, "accountid": NOBODY, "fax": "1"}
    api.refused("POST", bulk("UpdateMultiple"), {"Targets": [target, missing]}, status=404, says="1")
    assert api.get(f"accounts({row})?$select=fax")["fax"] is None


def test_a_thousand_rows_in_one_request(api: Api) -> None:
    """WA-305, WA-308: made, and deleted by a job that is done soon."""
    name = unique("thousand")
    started = time.monotonic()
    ids = made(api, name, 1000)
    assert time.monotonic() - started < 30
    query = {
        "EntityName": "account",
        "ColumnSet": {"AllColumns": False, "Columns": ["accountid"]},
        "Criteria": {
            "FilterOperator": "And",
            "Conditions": [
                {
                    "AttributeName": "accountid",
                    "Operator": "In",
                    "Values": [{"Value": each, "Type": "System.Guid"} for each in ids],
                }
            ],
            "Filters": [],
        },
    }
    body = {
        "JobName": name,
        "QuerySet": [query],
        "StartDateTime": "2024-01-01T00:00:00Z",
        "RecurrencePattern": "",
        "SendEmailNotification": False,
        "ToRecipients": [],
        "CCRecipients": [],
    }

    answer = api.send("POST", "BulkDelete", body)

    assert answer.status_code in (200, 202), answer.text
    assert answer.json()["@odata.context"] == f"{api.root}$metadata#{NS}.BulkDeleteResponse"
    job = answer.json()["JobId"]
    assert api.ended(job)["statuscode"] == 30
    assert with_name(api, name) == []
    operations = api.rows(f"bulkdeleteoperations?$select=successcount&$filter=_asyncoperationid_value eq {job}")
    assert [row["successcount"] for row in operations] == [1000]


def test_bulk_delete_refuses_what_it_cannot_read(api: Api) -> None:
    """WA-308."""
    start = {"StartDateTime": "2024-01-01T00:00:00Z"}
    bodies: list[Json] = [
        {"JobName": "x", "QuerySet": [], **start},
        {"QuerySet": [{"EntityName": "account"}], **start},
        {"JobName": "x", "QuerySet": [{"EntityName": "account"}], "RecurrencePattern": "FREQ=SOMETIMES"},
        {"JobName": "x", "QuerySet": [{"EntityName": "account"}], "SendEmailNotification": True},
        {"JobName": "x", "QuerySet": [{"EntityName": "account"}], "StartDateTime": "soon"},
        {"JobName": "x", "QuerySet": [{"EntityName": "account"}], "StartDateTime": "2999-01-01T00:00:00Z"},
        {"JobName": "x", "QuerySet": [{"EntityName": "account", "TopCount": 1}], **start},
        {"JobName": "x", "QuerySet": [{"EntityName": "nope"}], **start},
        {
            "JobName": "x",
            "QuerySet": [
                {
                    "EntityName": "account",
                    "Criteria": {"Conditions": [{"AttributeName": "nope", "Operator": "Equal", "Values": [1]}]},
                }
            ],
            **start,
        },
    ]
    for body in bodies:
        api.refused("POST", "BulkDelete", body, status=400)


def test_rules_are_those_of_single_operations(api: Api, reader: Person) -> None:
    """WA-306: privileges, one audit entry for each record."""
    name = unique("single")
    ids = made(api, name, 2)
    targets = [{**_ACCOUNT, "accountid": each, "fax": "1"} for each in ids]
    api.refused("POST", bulk("UpdateMultiple"), {"Targets": targets}, status=403, headers=reader.acting)
    api.refused("POST", bulk("DeleteMultiple"), {"Targets": targets}, status=403, headers=reader.acting)
    assert len(with_name(api, name)) == 2
    for each in ids:
        entries = api.rows(f"audits?$select=operation&$filter=_objectid_value eq {each}")
        assert [entry["operation"] for entry in entries] == [1]


@pytest.mark.parametrize("table", ["account", "contact", "wire_box"])
def test_tables_announce_bulk_messages_to_everybody(api: Api, boxes: str, reader: Person, table: str) -> None:
    """WA-307: the question that one client asks before anything else, as a user with few privileges."""
    condition = (
        "(sdkmessageid/name eq 'CreateMultiple' or sdkmessageid/name eq 'UpdateMultiple') "
        f"and primaryobjecttypecode eq '{table}'"
    )
    query = (
        f"sdkmessagefilters?$select=sdkmessagefilterid&$expand=sdkmessageid($select=name)&$filter={quote(condition)}"
    )

    for headers in ({}, reader.acting):
        names = {row["sdkmessageid"]["name"] for row in api.rows(query, headers)}
        assert names == {"CreateMultiple", "UpdateMultiple"}
    assert boxes
    api.refused("PATCH", f"sdkmessages({NOBODY})", {"name": "x"}, status=400, headers=reader.acting)


def test_other_forms_of_the_name_are_404(api: Api) -> None:
    """WA-300, WA-380."""
    api.refused("POST", "accounts/CreateMultiple", {"Targets": []}, status=404)
    api.refused("GET", bulk("CreateMultiple"), status=404)
    api.refused("POST", bulk("NopeMultiple"), {"Targets": []}, status=404)
