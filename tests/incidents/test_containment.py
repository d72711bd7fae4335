"""What is done against an incident (TS-1606), reminders of its deadline (TS-1601), and incidents that an alert opens
(TS-1608). A real mail server takes the reminders."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import pytest
from aiosmtpd.controller import Controller
from tests.engines import ENGINES, Stores
from tests.homes import make_home
from tests.servers import free_port, run_cli
from tests.unit.monitoring.receivers import Inbox

from strongroom.environment import Environment
from strongroom.errors import InvalidRequest, NotFound, StrongroomError
from strongroom.home import Home, MovableClock, open_home
from strongroom.identity.people import add_person
from strongroom.ids import Guid, Reference
from strongroom.incidents.register import declare_breach, notify
from strongroom.incidents.tables import RISK, TO_AUTHORITY
from strongroom.messages import operations
from strongroom.messages.operation import Arguments
from strongroom.monitoring.rules import Severity
from strongroom.opening import open_environment
from strongroom.records import NewRecord, create, update
from strongroom.store.protocol import Row, Value
from strongroom.watch import EnvironmentWatch

SAID = dict.fromkeys(("nature", "categories", "contact", "consequences", "measures"), "Known.")


@dataclass
class Guarded:
    """A home with a mail server, and the watch over its control environment."""

    home: Home
    control: Environment
    main: Environment
    watch: EnvironmentWatch
    inbox: Inbox

    def add(self, table: str, **values: Value) -> Guid:
        with self.control.session_of("admin", write=True) as session:
            return create(session, session.table(table), NewRecord(values))

    def run(self, operation: str, **arguments: object) -> object:
        with self.control.session_of("admin", write=True) as session:
            return operations()[operation].run(session, Arguments(arguments))

    def rows(self, table: str) -> list[Row]:
        with self.control.database.read() as transaction:
            return transaction.rows_where(transaction.schema.tables[table], {})

    def steps(self, incident: Guid) -> list[tuple[object, object]]:
        found = [row for row in self.rows("incidentstep") if row.values["securityincidentid"] == of(incident)]
        return [(row.values["name"], row.values["note"]) for row in found]

    def pass_hours(self, hours: float) -> None:
        clock = self.home.clock
        assert isinstance(clock, MovableClock)
        clock.move_to(clock.now() + timedelta(hours=hours))


def of(incident: Guid) -> Reference:
    return Reference("securityincident", incident)


@pytest.fixture(scope="module", params=ENGINES)
def guarded(
    request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Guarded]:
    """One home for each engine."""
    inbox, port = Inbox(), free_port()
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    path = make_home(tmp_path_factory.mktemp("guarded"), stores, str(request.param), "--test-clock")
    settings = f'[mail]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\nsender = "alerts@example.com"\n'
    (path / "strongroom.toml").write_text(f'{settings}[alerts]\nrecipients = ["security@example.com"]\n')
    home = open_home(path)
    control, main = open_environment(home, "control"), open_environment(home)
    yield Guarded(home, control, main, EnvironmentWatch(home, control), inbox)
    control.close()
    main.close()
    controller.stop()


def test_a_deadline_is_reminded_of_at_48_24_12_and_1_hours_and_when_it_is_over(guarded: Guarded) -> None:
    """TS-1601: by mail to the responsible person and whoever is told of alerts, once each, in the words of a template;
    nothing more once the authority was told."""
    with guarded.control.session_of("admin", write=True) as session:
        update(session, session.table("systemuser"), session.caller.id, {"internalemailaddress": "ann@example.com"})
        responsible = session.user
    guarded.watch.look()
    guarded.add("notificationtemplate", name="Reminder", content="Hurry: {left} for {name}, {unknown}")
    incident = guarded.add("securityincident", name="Lost laptop", responsibleid=responsible, **SAID)
    with guarded.control.session_of("admin", write=True) as session:
        declare_breach(session, incident, RISK, "Names were on it.")
    told: list[int] = []
    for hours in (1, 24, 24, 12, 10.5, 2):
        guarded.pass_hours(hours)
        guarded.inbox.messages.clear()
        for _ in range(2):
            guarded.watch.look()
        mails = [each for each in guarded.inbox.messages if "Lost laptop" in each["Subject"]]
        told.append(len(mails))

    assert told == [0, 1, 1, 1, 1, 1]
    assert mails[0]["To"] == "security@example.com, ann@example.com"
    assert "Hurry: the 72 hours are over for Lost laptop, {unknown}" in mails[0].as_string()
    severities = [row.values["severity"] for row in guarded.rows("alert") if row.values["code"] == "breach-deadline"]
    assert severities == [3, 3, 4, 4, 4]
    with guarded.control.session_of("admin", write=True) as session:
        notify(session, incident, TO_AUTHORITY, delay_reason="The site was down.")
    guarded.watch._reminded.clear()  # pyright: ignore[reportPrivateUsage]  # another process
    guarded.inbox.messages.clear()
    guarded.watch.look()
    assert not any("Lost laptop" in each["Subject"] for each in guarded.inbox.messages)


def test_a_measure_is_the_ordinary_verb_and_a_step_in_the_timeline(guarded: Guarded) -> None:
    """TS-1606: sessions, account, conditional access, environment; what the verb refuses leaves no step."""
    incident = guarded.add("securityincident", name="Stolen password")
    with guarded.control.session_of("admin", write=True) as session:
        person = add_person(session, "eve@example.com").id
    policy = guarded.add(
        "conditionalaccesspolicy", name="Nobody", state=1, outcome=2, requires="mfa", includeusers="all"
    )
    environment = next(row.id for row in guarded.rows("environment") if row.values["uniquename"] == "main")

    for measure, target in ((1, person), (2, person), (6, policy), (5, environment)):
        guarded.run("ContainIncident", SecurityIncidentId=incident, Measure=measure, TargetId=target, Note="Now.")
    with pytest.raises(NotFound):
        guarded.run("ContainIncident", SecurityIncidentId=incident, Measure=4, TargetId=person)
    with pytest.raises(InvalidRequest, match="Conditional access raised"):
        guarded.run("ContainIncident", SecurityIncidentId=incident, Measure=7, TargetId=person)

    names = [name for name, _ in guarded.steps(incident)]
    assert names == ["Opened", "Sessions ended", "Account disabled", "Conditional access raised", "Environment closed"]
    assert all("Now." in str(note) for _, note in guarded.steps(incident)[1:])
    disabled = next(row for row in guarded.rows("directoryuser") if row.id == person)
    assert disabled.values["accountenabled"] is False
    assert next(row for row in guarded.rows("conditionalaccesspolicy") if row.id == policy).values["state"] == 3
    asked = guarded.rows("environmentoperation")[-1]
    assert f"OperationId {asked.id}" in str(guarded.steps(incident)[-1][1])


def test_what_shakes_the_proof_opens_an_incident_by_itself_and_others_are_opened_by_hand(guarded: Guarded) -> None:
    """TS-1608: with the alert and the entries behind it; a second look opens no second one."""
    watch = EnvironmentWatch(guarded.home, guarded.main)
    for _ in range(2):
        watch.raise_directly("trail-tampered", "The log does not fit", Severity.CRITICAL, "main")
    opened = [row for row in guarded.rows("securityincident") if str(row.values["name"]).startswith("main: The log")]
    assert [row.values["severity"] for row in opened] == [4]
    with guarded.main.database.read() as transaction:
        (alert,) = [
            row
            for row in transaction.rows_where(transaction.schema.tables["alert"], {})
            if row.values["code"] == "trail-tampered"
        ]
    by_hand = guarded.run("OpenIncidentFromAlert", AlertId=alert.id, EnvironmentId="main")
    assert by_hand == {"SecurityIncidentId": opened[0].id}
    assert [name for name, _ in guarded.steps(opened[0].id)] == ["Opened", f"Alert {alert.id} of main"]
    with pytest.raises(StrongroomError):
        guarded.run("OpenIncidentFromAlert", AlertId=opened[0].id, EnvironmentId="main")


def test_the_commands_contain_open_and_show_figures(guarded: Guarded) -> None:
    """TS-001, TS-1606, TS-1607: by the names of people; figures from the rows."""
    home = ("--home", str(guarded.home.path))
    incident = guarded.add("securityincident", name="By command")
    with guarded.control.session_of("admin", write=True) as session:
        add_person(session, "mallory@example.com")
    run_cli("incidents", "contain", incident, "--measure", "disable-user", "--target", "mallory@example.com", *home)
    wrong = ("--measure", "rotate-key", "--target", "nobody")
    run_cli("incidents", "contain", incident, *wrong, *home, expect=2)
    assert [name for name, _ in guarded.steps(incident)] == ["Opened", "Account disabled"]
    assert "to contain" in run_cli("incidents", "figures", *home).stdout
    with guarded.control.session_of("admin", write=False) as session:
        figures = operations()["RetrieveIncidentFigures"].run(session, Arguments({}))
    assert figures is not None
    assert [each["What"] for each in cast("list[dict[str, object]]", figures["Figures"])] == [
        "to be aware",
        "to contain",
        "to notify",
    ]
