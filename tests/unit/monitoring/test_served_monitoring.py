"""A server with two processes watches, streams and keeps support out, over HTTP (TS-001, TS-818, TS-824, TS-1504)."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.engines import ENGINES, Stores
from tests.homes import make_home
from tests.servers import RunningServer, run_cli, start_server

from strongroom.anchoring import anchorer_of, credential_name
from strongroom.audit.exports import encode_key
from strongroom.audit.heads import Signer, given_head, shown_head, signed_head
from strongroom.home import open_home
from strongroom.keys import Secret
from strongroom.opening import open_environment
from strongroom.records import NewRecord, create
from strongroom.store.protocol import Value
from strongroom.trail import Trail

Call = Callable[..., Any]


@pytest.fixture(scope="module", params=ENGINES)
def running(
    request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    home = make_home(tmp_path_factory.mktemp("watched"), stores, str(request.param))
    found = start_server(home, "--workers", "2")
    yield found
    found.stop()


def caller_of(running: RunningServer, token: str, environment: str | None = None) -> Call:
    """Sends requests, and gives the body of the answer, whose status it checks."""
    root = f"{running.address}{f'/e/{environment}' if environment else ''}/api/data/v9.2/"

    def call(method: str, path: str, body: object = None, *, expect: int | tuple[int, ...] = (200, 201, 204)) -> Any:
        headers = {"Authorization": f"Bearer {token}", "Prefer": "return=representation"}
        answer = httpx.request(method, root + path, json=body, headers=headers, timeout=30)
        wanted = (expect,) if isinstance(expect, int) else expect
        assert answer.status_code in wanted, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    return call


def until(find: Callable[[], Any]) -> Any:
    """What `find` gives, once it gives something."""
    deadline = time.monotonic() + 60
    while not (found := find()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def test_an_alert_is_raised_within_a_minute_and_looked_after_over_http(running: RunningServer) -> None:
    """TS-824, TS-825: a rule written as a row, its trial, its alert, the evidence."""
    call = caller_of(running, running.token())
    rule = call(
        "POST",
        "alertrules",
        {
            "name": "Leads",
            "isenabled": True,
            "source": "audit",
            "filter": "operation eq 1 and objecttypecode eq 'lead'",
            "threshold": 3,
            "windowminutes": 10,
            "groupby": "userid",
            "severity": 1,
        },
    )["alertruleid"]
    for _ in range(3):
        call("POST", "leads", {"lastname": "Many"})
    filter_ = f"alerts?$filter=_alertruleid_value eq {rule}"
    alert = until(lambda: call("GET", filter_)["value"])[0]
    assert (alert["state"], alert["hits"]) == (1, 3)

    found = call("GET", f"RetrieveAlertEvidence(AlertId={alert['alertid']})")
    assert len(found["Entries"]) == 3
    tried = call(
        "POST",
        "TryAlertRule",
        {"AlertRuleId": rule, "From": "2020-01-01T00:00:00Z", "To": "2100-01-01T00:00:00Z"},
    )
    assert tried["Count"] == 1
    assert call("POST", "AcknowledgeAlert", {"AlertId": alert["alertid"], "Note": "Mine."})["State"] == 2
    closed = call("POST", "CloseAlert", {"AlertId": alert["alertid"], "State": 4, "Note": "A test."})
    assert (closed["State"], closed["NeedsSecondPerson"]) == (4, False)
    call("POST", "CloseAlert", {"AlertId": alert["alertid"], "State": 4, "Note": "Again."}, expect=409)
    error = call("PATCH", f"alertrules({rule})", {"isenabled": False}, expect=400)["error"]
    assert "offreason" in error["message"]
    call("PATCH", f"alertrules({rule})", {"isenabled": False, "offreason": "The test is over."})


def test_one_of_two_processes_streams_each_event_once(running: RunningServer) -> None:
    """TS-818, TS-819: a destination written as a row, tested and filled by the server."""
    call = caller_of(running, running.token())
    made = call("POST", "siemdestinations", {"name": "archive", "kind": 1, "format": 3, "isenabled": True})
    accounts = [call("POST", "accounts", {"name": f"Streamed {number}"})["accountid"] for number in range(20)]
    path = running.home / "stream" / "main" / "archive.jsonl"

    def rows() -> list[str]:
        lines = path.read_text().splitlines() if path.exists() else []
        return [found["rowid"] for line in lines if (found := json.loads(line)).get("rowid") in accounts]

    until(lambda: len(rows()) >= 20)
    assert rows() == accounts
    call("POST", "TestStreamDestination", {"SiemDestinationId": made["siemdestinationid"]})
    call("POST", "accounts", {"name": "Wakes the stream"})
    until(lambda: call("GET", "siemdeliveries?$filter=testresult eq 'delivered'")["value"])
    call("POST", "siemdestinations", {"name": "out", "kind": 2, "address": "https://evil.example.com/"}, expect=403)
    health = call("GET", "RetrieveHealth()")
    assert (health["FailingDestinations"], health["Problems"]) == (0, [])


def test_support_comes_in_by_consent_alone_and_is_out_at_once(running: RunningServer) -> None:
    """TS-1501 to TS-1505, over HTTP: the token of an access, what it sees, its log, and its end."""
    control = caller_of(running, running.token(environment="control"), "control")
    main = caller_of(running, running.token())
    unit = control("GET", "businessunits")["value"][0]["businessunitid"]
    roles = {each["name"]: each["roleid"] for each in control("GET", "roles")["value"]}
    people = {"sam": "Support", "sue": "Support", "ann": "Lockbox Approver"}
    for name, role in people.items():
        user = {"lastname": name, "domainname": name, "internalemailaddress": f"{name}@x"}
        made = control("POST", "systemusers", {**user, "businessunitid@odata.bind": f"/businessunits({unit})"})
        link = f"systemusers({made['systemuserid']})/systemuserroles_association/$ref"
        target = f"{running.address}/e/control/api/data/v9.2/roles({roles[role]})"
        control("POST", link, {"@odata.id": target})
    sam, sue, ann = (
        caller_of(running, running.token(name, environment="control"), "control") for name in ("sam", "sue", "ann")
    )
    wanted = {
        "EnvironmentId": "main",
        "Tables": ["account"],
        "Verbs": ["read"],
        "Minutes": 30,
        "Justification": "The import of accounts fails.",
    }
    request = {"LockboxRequestId": sam("POST", "RequestSupportAccess", wanted)["LockboxRequestId"]}
    sue("POST", "ApproveInternally", request)
    denied = sam("POST", "ApproveLockboxRequest", request, expect=403)["error"]
    assert "prvWritelockboxrequest" in denied["message"]
    assert ann("POST", "ApproveLockboxRequest", {**request, "Minutes": 5})["Status"] == 2
    opened = sam("POST", "OpenLockboxAccess", request)

    support = caller_of(running, opened["Token"])
    assert support("GET", "accounts?$filter=name eq 'Nobody'")["value"] == []
    support("GET", "contacts", expect=403)
    support("POST", "accounts", {"name": "Forged"}, expect=403)
    support("GET", "lockboxcommands", expect=403)
    seen = [each["name"] for each in main("GET", "lockboxcommands?$orderby=createdon")["value"]]
    assert "GET accounts?$filter=name eq …" in seen
    assert "POST accounts" in seen

    ann("POST", "RevokeLockboxAccess", {**request, "Reason": "Enough."})
    support("GET", "accounts", expect=(401, 403))
    main("DELETE", f"lockboxcommands({main('GET', 'lockboxcommands')['value'][0]['lockboxcommandid']})", expect=403)


def test_readiness_tells_problems_to_whoever_asks_for_json(running: RunningServer) -> None:
    """TS-006, TS-007: the plain form stays what it was."""
    assert httpx.get(f"{running.address}/healthz").text == "ok\n"
    shown = httpx.get(f"{running.address}/healthz", headers={"Accept": "application/json"}).json()
    assert shown.keys() == {"status", "testclock", "problems"}
    assert shown["testclock"] is False


def test_the_files_of_streams_and_locks_are_the_owners_alone(running: RunningServer) -> None:
    found: list[Path] = [*(running.home / "stream").rglob("*"), *(running.home / "watch").rglob("*")]
    assert found
    assert [each for each in found if each.stat().st_mode & 0o077] == []


def test_another_home_keeps_heads_over_its_web_api_and_refuses_another_history(running: RunningServer) -> None:
    """TS-815: as an application of its own, with a token of the other home's authority; another key is another log."""
    client = run_cli("apps", "add", "Witness", "--role", "System Administrator", "--home", str(running.home)).stdout
    secret = run_cli("apps", "secret", client.strip(), "--home", str(running.home)).stdout.strip()
    there = running.address.removeprefix("http://")
    (running.home / "strongroom.toml").write_text(f'[outbound]\nallow = ["{there}"]\n')
    home = open_home(running.home)
    control = open_environment(home, "control")
    values: dict[str, Value] = {"name": "partner", "isenabled": True, "kind": 3, "clientid": client.strip()}
    with control.session_of("admin", write=True) as session:
        create(session, session.table("auditwitness"), NewRecord({**values, "address": f"{running.address}/e/main"}))
    home.keys.seal(credential_name(control, "partner"), Secret(secret.encode()))
    anchorer = anchorer_of(home, control)
    for _ in range(2):
        Trail(home, control).seal()
        (outcome,) = anchorer.anchor(at_once=True)
        assert outcome.problem is None
        with control.session_of("admin", write=True) as session:
            create(session, session.table("supervisoryauthority"), NewRecord({"name": "Somebody"}))

    call = caller_of(running, running.token())
    kept = call("GET", f"RetrieveWitnessedHeads(EnvironmentId={control.id})")["Heads"]
    assert [given_head(each) for each in kept] == anchorer.witnessed()[0]
    assert len(kept) == 2
    signer = Signer(control.id, Ed25519PrivateKey.generate(), is_test_home=False)
    forged = shown_head(signed_head(signer, 9999, "00" * 32, "2030-01-01T00:00:00Z", None))
    body = {"Head": forged, "PublicKey": encode_key(signer.public), "Name": "control"}
    error = call("POST", "DepositTreeHead", body, expect=403)["error"]
    assert error["innererror"] == {"reason": "witness-disagrees", "rule": "TS-815", "target": "Head"}
    control.close()
