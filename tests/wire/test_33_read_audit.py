"""Reading that is told, and who saw what, over the Web API (TS-808, TS-809)."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.servers import RunningServer, run_cli
from tests.wire.client import Api, Json, unique

SINCE, UNTIL = "2020-01-01T00:00:00Z", "2020-12-31T00:00:00Z"


@pytest.fixture(scope="module")
def told(api: Api) -> Iterator[Api]:
    """An environment that tells reading, with a table of its own for it: `wire_tolds`."""
    body = {"LogicalName": "contact", "IsRetrieveAuditEnabled": True, "IsRetrieveMultipleAuditEnabled": True}
    kind = {"@odata.type": "Microsoft.Dynamics.CRM.EntityMetadata"}
    assert api.send("PUT", "EntityDefinitions(LogicalName='contact')", {**kind, **body}).status_code == 204
    organization = api.rows("organizations?$select=organizationid")[0]["organizationid"]
    assert api.send("PATCH", f"organizations({organization})", {"isreadauditenabled": True}).status_code == 204
    yield api
    assert api.send("PATCH", f"organizations({organization})", {"isreadauditenabled": False}).status_code == 204


def eventually(look: Callable[[], list[Json]]) -> list[Json]:
    """What `look` finds, as soon as it finds something: readings are stored a moment after they were answered."""
    deadline = time.monotonic() + 20
    while not (found := look()):
        assert time.monotonic() < deadline, "nothing was told"
        time.sleep(0.02)
    return found


def activities(api: Api, row: str, activity: str) -> list[Json]:
    return api.rows(f"activitylogs?$filter=activity eq '{activity}' and contains(objectids,'{row}')&$orderby=createdon")


def test_single_rows_lists_searches_and_expands_are_told_with_rows_and_query(told: Api) -> None:
    """TS-808: who, which table, which rows, the query without its values."""
    account = told.new("accounts", {"name": unique("Seen")})
    name = unique("Ada")
    row = told.new("contacts", {"lastname": name, "parentcustomerid_account@odata.bind": f"/accounts({account})"})
    told.get(f"contacts({row})?$select=lastname")
    told.get(f"contacts?$select=lastname&$filter=lastname eq '{name}'")
    told.get(f"contacts?$select=lastname&$filter=contains(lastname,'{name}')")
    told.get(f"accounts({account})?$select=name&$expand=contact_customer_accounts($select=lastname)")

    one = eventually(lambda: told.rows(f"activitylogs?$filter=_objectid_value eq {row}"))
    lists = eventually(lambda: activities(told, row, "retrieve-multiple")[1:])
    searches = eventually(lambda: activities(told, row, "search"))
    assert [each["activity"] for each in one] == ["retrieve"]
    assert one[0]["category"] == 1
    assert one[0]["objecttypecode"] == "contact"
    assert one[0]["client"].startswith("python-httpx")
    assert one[0]["address"] == "127.0.0.1"
    assert searches[0]["query"] == "contact: lastname where lastname contains ?"
    assert lists[0]["query"].startswith("account: name; expand contact_customer_accounts: contact: lastname")
    assert name not in str([one, lists, searches])


def test_who_saw_a_row_and_what_a_user_saw(told: Api, server: RunningServer) -> None:
    """TS-809: `RetrieveAccessHistory`, and the same by the command line."""
    row = told.new("contacts", {"lastname": unique("Bea")})
    told.get(f"contacts({row})?$select=lastname")
    told.get("contacts?$select=lastname&$orderby=createdon desc&$top=5")
    me = str(told.get("WhoAmI")["UserId"])
    path = f"RetrieveAccessHistory(Target=@t,From=@f,To=@u)?@t={{'@odata.id':'contacts({row})'}}"
    now = str(told.rows(f"contacts?$filter=contactid eq {row}&$select=createdon")[0]["createdon"])
    day = f"@f='{now[:10]}T00:00:00Z'&@u='{now[:10]}T23:59:59Z'"

    of_row = eventually(lambda: _accesses(told, f"{path}&{day}", 2))
    of_user = _accesses(told, f"RetrieveAccessHistory(UserId={me},From=@f,To=@u)?{day}", 2)
    by_command = run_cli(
        "audit",
        "access",
        "--home",
        str(server.home),
        "--table",
        "contact",
        "--id",
        row,
        "--from",
        f"{now[:10]}T00:00:00Z",
    )

    assert {each["UserId"] for each in of_row} == {me}
    assert {each["Activity"] for each in of_row} == {"retrieve", "retrieve-multiple"}
    assert row in str(of_user)
    assert by_command.stdout.count("retrieve") >= 2


def _accesses(api: Api, path: str, least: int) -> list[Json]:
    found: list[Any] = api.get(path)["Accesses"]
    return found if len(found) >= least else []


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"RetrieveAccessHistory(From='{SINCE}',To='{UNTIL}')", "0x80040203"),
        (
            "RetrieveAccessHistory(UserId=00000000-0000-0000-0000-000000000001,From='2020-01-01T00:00:00Z',To='2023-01-01T00:00:00Z')",
            "range-too-long",
        ),
        (
            "RetrieveAccessHistory(UserId=00000000-0000-0000-0000-000000000001,From='2020-01-02T00:00:00Z',To='2020-01-01T00:00:00Z')",
            "0x80040203",
        ),
        (
            "RetrieveAccessHistory(UserId=00000000-0000-0000-0000-000000000001,From='yesterday',To='2020-01-01T00:00:00Z')",
            "0x80040203",
        ),
    ],
)
def test_a_question_about_nobody_or_too_long_a_time_is_refused(api: Api, path: str, code: str) -> None:
    """TS-809: 400 `range-too-long`."""
    answer = api.send("GET", path)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] == code


@pytest.mark.parametrize(("method", "body"), [("PATCH", {"details": None}), ("DELETE", None), ("POST", {})])
def test_the_activity_log_is_a_ledger_over_the_web_api(api: Api, method: str, body: Json | None) -> None:
    """TS-003: 403 0x80048306, also for the System Administrator."""
    api.send("GET", "roles?$filter=contains(name,'x')", headers={"x": "y"})
    first = eventually(lambda: api.rows("activitylogs?$top=1&$select=activitylogid"))[0]["activitylogid"]
    answer = api.send(method, "activitylogs" if method == "POST" else f"activitylogs({first})", body)
    assert answer.status_code == 403, answer.text
    assert answer.json()["error"]["code"] == "0x80048306"
    assert answer.json()["error"]["innererror"]["reason"] == "ledger-table"
