"""The register of incidents: one breach from its discovery to its end, by the command line and the Web API (TS-1601 to
TS-1607)."""

import base64
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.servers import RunningServer, run_cli

from strongroom.audit.exports import decode_key
from strongroom.audit.heads import is_signed
from strongroom.audit.merkle import includes, leaf_hash
from strongroom.clock import iso
from strongroom.environment import Environment
from strongroom.errors import AccessDenied, Conflict, InvalidRequest
from strongroom.home import Home, MovableClock, open_home
from strongroom.ids import Guid, Reference
from strongroom.incidents.register import (
    add_step,
    close_incident,
    declare_breach,
    incident_clock,
    notify,
)
from strongroom.incidents.tables import HIGH_RISK, NO_RISK, RISK, TO_AUTHORITY, TO_CUSTOMER, TO_SUBJECTS
from strongroom.opening import open_environment
from strongroom.records import NewRecord, create, delete, update
from strongroom.store.leaves import StoredHead
from strongroom.store.protocol import Row

SAID = {
    "nature": "A laptop was lost.",
    "categories": "Customers; names and telephone numbers",
    "contact": "privacy@example.com",
    "consequences": "Unwanted calls",
    "measures": "The sessions were ended.",
}


def of(row: Row) -> Guid | None:
    """The incident that a row belongs to."""
    about = row.values["securityincidentid"]
    return about.id if isinstance(about, Reference) else None


class Register:
    """The control environment of a test home."""

    def __init__(self, home: Home, control: Environment) -> None:
        self.home = home
        self.control = control

    def open(self, **values: object) -> Guid:
        with self.control.session_of("admin", write=True) as session:
            given = {"name": "Lost laptop", **values}
            return create(session, session.table("securityincident"), NewRecord(given))

    def change(self, incident: Guid, **values: object) -> None:
        with self.control.session_of("admin", write=True) as session:
            update(session, session.table("securityincident"), incident, values)

    def pass_hours(self, hours: float) -> None:
        clock = self.home.clock
        assert isinstance(clock, MovableClock)
        clock.move_to(clock.now() + timedelta(hours=hours))

    def steps(self, incident: Guid) -> list[str]:
        with self.control.database.read() as transaction:
            rows = transaction.rows_where(transaction.schema.tables["incidentstep"], {})
        return [str(row.values["name"]) for row in rows if of(row) == incident]


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory, stores: Stores) -> Register:
    home = open_home(make_home(tmp_path_factory.mktemp("register"), stores, "sqlcipher", "--test-clock"))
    return Register(home, open_environment(home, "control"))


def test_the_clock_runs_for_72_hours_and_warns(register: Register) -> None:
    """TS-1601: elapsed hours from the moment of awareness, warnings at 48, 24, 12 and 1."""
    incident = register.open()
    with register.control.session_of("admin", write=True) as session:
        begun = declare_breach(session, incident, RISK, "Names were on it.")
    seen: list[tuple[int | None, bool]] = []
    for hours in (23, 25.5, 12, 11, 2):
        register.pass_hours(hours)
        with register.control.session_of("admin", write=False) as session:
            clock = incident_clock(session, incident)
        seen.append((clock.warning_h, clock.is_late))

    assert begun.remaining is not None
    assert timedelta(hours=71, minutes=59) < begun.remaining <= timedelta(hours=72)
    assert seen == [(None, False), (24, False), (12, False), (1, False), (1, True)]


def test_a_late_notification_says_why_and_an_incomplete_one_is_refused(register: Register) -> None:
    """TS-1601, TS-1602: 400 `content-missing` names what is missing, 400 `delay-reason` after 72 hours."""
    incident = register.open()
    with register.control.session_of("admin", write=True) as session:
        declare_breach(session, incident, HIGH_RISK, "")
        with pytest.raises(InvalidRequest) as refused:
            notify(session, incident, TO_AUTHORITY)
    assert refused.value.code == "content-missing"
    assert "nature" in refused.value.message
    register.change(incident, **SAID)
    register.pass_hours(73)
    with register.control.session_of("admin", write=True) as session:
        with pytest.raises(InvalidRequest) as refused:
            notify(session, incident, TO_AUTHORITY)
        notify(session, incident, TO_AUTHORITY, delay_reason="The authority's site was down.")
        notify(session, incident, TO_AUTHORITY)

    assert refused.value.code == "delay-reason"
    with register.control.database.read() as transaction:
        told = transaction.rows_where(transaction.schema.tables["breachnotification"], {})
    assert [row.values["phase"] for row in told if of(row) == incident] == [1, 2]
    assert "privacy@example.com" in str(told[-1].values["content"])


def test_an_incident_is_closed_when_everything_was_done(register: Register) -> None:
    """TS-1603, TS-1607: tasks, the authority and the people concerned, or the reason why they are not told; lessons."""
    incident = register.open(**SAID)
    with register.control.session_of("admin", write=True) as session:
        declare_breach(session, incident, HIGH_RISK, "Health data.")
        about = Reference("securityincident", incident)
        values = {"name": "Keys", "securityincidentid": about}
        task = create(session, session.table("incidenttask"), NewRecord(values))
        with pytest.raises(Conflict) as refused:
            close_incident(session, incident, "Encrypt laptops.")
        assert "task 'Keys', the authority, the people concerned" in refused.value.message
        update(session, session.table("incidenttask"), task, {"isdone": True})
        notify(session, incident, TO_AUTHORITY)
        notify(session, incident, TO_SUBJECTS, exception="The disk was encrypted and the key is safe.")
        notify(session, incident, TO_CUSTOMER)
        with pytest.raises(InvalidRequest):
            close_incident(session, incident, " ")
        close_incident(session, incident, "Encrypt laptops.")
    with pytest.raises(Conflict):
        register.change(incident, nature="Something else")
    assert register.steps(incident)[0] == "Opened"
    assert register.steps(incident)[-1] == "Closed"


def test_moving_the_clock_needs_a_reason_and_stays_visible(register: Register) -> None:
    """TS-1601."""
    incident = register.open(awareon="2020-01-01T00:00:00Z")
    with pytest.raises(InvalidRequest):
        register.change(incident, awareon="2020-01-02T00:00:00Z")
    register.change(incident, awareon="2020-01-02T00:00:00Z", awarereason="The report came a day later.")
    assert any("instead of 2020-01-01" in step for step in register.steps(incident))


def test_no_risk_needs_an_assessment_and_stops_no_register(register: Register) -> None:
    """TS-1601, TS-1607: also breaches that are not notified stay in the register."""
    incident = register.open()
    with register.control.session_of("admin", write=True) as session:
        with pytest.raises(InvalidRequest):
            declare_breach(session, incident, NO_RISK, "")
        clock = declare_breach(session, incident, NO_RISK, "The key is safe.")
    assert clock.due is None
    with register.control.session_of("admin", write=True) as session, pytest.raises(AccessDenied):
        delete(session, session.table("securityincident"), incident)


def test_the_timeline_is_a_ledger(register: Register) -> None:
    """TS-003."""
    incident = register.open()
    with register.control.session_of("admin", write=True) as session:
        step = add_step(session, incident, "Called the user", "They found it.")
        for table in ("incidentstep", "incidentscope", "breachnotification"):
            with pytest.raises(AccessDenied) as refused:
                create(session, session.table(table), NewRecord({"name": "x"}))
            assert refused.value.details["reason"] == "ledger-table"
        with pytest.raises(AccessDenied):
            update(session, session.table("incidentstep"), step, {"name": "y"})


def test_the_scope_and_its_evidence_come_from_the_trail(server: RunningServer, tmp_path: Path) -> None:
    """TS-1604: what somebody did and could, apart; each item of the package proven by a signed head."""
    home = ("--home", str(server.home))
    since = iso(open_home(Path(server.home)).clock.now() - timedelta(hours=1))
    run_cli("export-data", *home, "--table", "systemuser", "--out", str(tmp_path / "users.csv"))
    incident = run_cli("incidents", "open", "Copied addresses", *home).stdout.strip()
    asked = ("--user", "admin", "--from", since, "--json")
    shown = json.loads(run_cli("incidents", "scope", incident, *home, *asked).stdout)
    package = tmp_path / "evidence.zip"
    run_cli("incidents", "evidence", incident, *home, "--out", str(package))

    users = next(each for each in shown["tables"] if each["table"] == "systemuser")
    assert int(users["read"].replace(",", "")) >= 2
    assert int(users["could"].replace(",", "")) >= int(users["read"].replace(",", ""))
    assert shown["people"] >= 2
    with zipfile.ZipFile(package) as files:
        found = json.loads(files.read("evidence-1.json"))
        assert "Copied addresses" in files.read("incident.json").decode()
    head = found["Head"]
    root = base64.b64decode(head["RootHash"])
    stored = StoredHead(
        head["EnvironmentId"],
        head["TreeSize"],
        root.hex(),
        head["SignedOn"],
        head["KeyId"],
        head["Signature"],
        head["PreviousHeadSha256"] or "",
        head["TestClock"],
    )
    assert is_signed(stored, decode_key(found["PublicKey"]))
    assert found["Items"]
    for item in found["Items"]:
        leaf, path = base64.b64decode(item["Leaf"]), [base64.b64decode(each) for each in item["Path"]]
        assert leaf_hash(leaf) == base64.b64decode(item["LeafHash"])
        assert includes(path, leaf_hash(leaf), item["Sequence"], head["TreeSize"], root)
