"""Alerts by mail and by webhook, to a real mail server and a real HTTP server (TS-825)."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from tests.engines import ENGINES, Stores
from tests.homes import make_home
from tests.servers import free_port
from tests.unit.monitoring.receivers import HttpSink, Inbox

from strongroom.clock import iso
from strongroom.environment import Environment
from strongroom.environments import Environments
from strongroom.home import MovableClock, open_home
from strongroom.ids import Guid
from strongroom.monitoring.tables import ALERT
from strongroom.opening import open_environment
from strongroom.records import NewRecord, create, update
from strongroom.store.database import StoreDatabase
from strongroom.store.protocol import Row, Value
from strongroom.trail import Sealing, Trail
from strongroom.watch import EnvironmentWatch, outbound_secret, tell_of_tampering


@dataclass
class Told:
    """A home with a mail server, and the watch over its environment."""

    environment: Environment
    watch: EnvironmentWatch
    inbox: Inbox
    sink: HttpSink

    def rule(self, **values: Value) -> Guid:
        with self.environment.session_of("admin", write=True) as session:
            given = {"name": "Leads", "isenabled": True, "filter": "operation eq 1 and objecttypecode eq 'lead'"}
            return create(session, session.table("alertrule"), NewRecord({**given, **values}))

    def hit(self) -> None:
        with self.environment.session_of("admin", write=True) as session:
            create(session, session.table("lead"), NewRecord({"lastname": "Secret Name"}))
        self.look()

    def look(self) -> None:
        Trail(self.watch.home, self.environment).seal()
        self.watch.look()

    def pass_time(self, **span: float) -> None:
        clock = self.watch.home.clock
        assert isinstance(clock, MovableClock)
        clock.move_to(clock.now() + timedelta(**span))

    def alert(self, rule: Guid) -> Row:
        with self.environment.database.read() as transaction:
            rows = transaction.rows_where(transaction.schema.tables[ALERT], {})
        return next(row for row in rows if getattr(row.values["alertruleid"], "id", None) == rule)


@pytest.fixture(scope="module", params=ENGINES)
def served(request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """One home for each engine."""
    inbox, sink = Inbox(), HttpSink()
    port = free_port()
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    path = make_home(tmp_path_factory.mktemp("told"), stores, str(request.param), "--test-clock")
    settings = (
        f'[mail]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\nsender = "alerts@example.com"\n'
        f'[outbound]\nallow = ["127.0.0.1:{sink.port}"]\n'
    )
    (path / "strongroom.toml").write_text(settings)
    home = open_home(path)
    environment = open_environment(home)
    watch = EnvironmentWatch(home, environment)
    watch.ship()
    yield Told(environment, watch, inbox, sink)
    environment.close()
    controller.stop()
    sink.stop()


@pytest.fixture
def told(served: Told) -> Told:
    """The same with empty receivers and without rules of other tests."""
    served.inbox.messages.clear()
    served.sink.requests.clear()
    served.inbox.answer, served.sink.raw_answer = "250 OK", None
    with served.environment.session_of("admin", write=True) as session:
        for row in session.transaction.rows_where(session.table("alertrule"), {"name": "Leads", "isenabled": True}):
            update(session, row.table, row.id, {"isenabled": False, "offreason": "Another test."})
    served.look()
    served.inbox.messages.clear()
    return served


def test_an_alert_is_told_by_mail_and_by_signed_webhook_without_values(told: Told) -> None:
    """TS-825: who is named hears of it once; nothing of the row is in it."""
    webhook = f"http://127.0.0.1:{told.sink.port}/alerts"
    rule = told.rule(recipients="ann@example.com, bea@example.com", webhook=webhook, severity=3)
    told.hit()
    told.look()

    (message,) = told.inbox.messages
    assert message["To"] == "ann@example.com, bea@example.com"
    assert message["Subject"].startswith("[Strongroom] High: Leads")
    assert "Secret Name" not in message.as_string()
    (request,) = told.sink.requests
    secret = outbound_secret(told.watch.home, told.environment.id, "alerts").reveal()
    signed = hmac.new(secret, request.headers["x-strongroom-timestamp"].encode() + b"." + request.body, hashlib.sha256)
    assert request.headers["x-strongroom-signature"] == f"sha256={signed.hexdigest()}"
    assert json.loads(request.body)["id"] == told.alert(rule).id
    assert told.alert(rule).values["toldon"] is not None


def test_what_cannot_be_told_is_tried_again_later_and_says_why(told: Told) -> None:
    """TS-825: a mail server that refuses, and then does not."""
    told.inbox.answer = "451 come back later"
    rule = told.rule(recipients="ann@example.com")
    told.hit()
    told.look()
    failed = told.alert(rule)
    assert (failed.values["toldon"], failed.values["tellattempts"]) == (None, 1)
    assert "refused" in str(failed.values["tellerror"])

    told.inbox.answer = "250 OK"
    told.pass_time(minutes=1)
    told.look()
    assert len(told.inbox.messages) == 1
    assert told.alert(rule).values["tellerror"] is None


@pytest.mark.parametrize(
    "nonsense", [b"HTTP/1.1 500 Oh\r\n\r\n", b"\x00\xff\xfe garbage\r\n\r\n", b"", b"HTTP/1.1 302 X\r\n\r\n"]
)
def test_a_receiver_that_answers_nonsense_is_an_error_on_the_alert_and_nothing_else(
    told: Told, nonsense: bytes
) -> None:
    told.sink.raw_answer = nonsense
    rule = told.rule(webhook=f"http://127.0.0.1:{told.sink.port}/alerts")
    told.hit()
    failed = told.alert(rule)
    assert failed.values["toldon"] is None
    assert failed.values["tellerror"]
    assert failed.values["tellnexton"] is not None


def test_an_alert_that_nobody_acknowledges_is_escalated(told: Told) -> None:
    """TS-825."""
    rule = told.rule(recipients="ann@example.com", escalateminutes=30, escalationrecipients="boss@example.com")
    told.hit()
    told.pass_time(minutes=31)
    told.look()
    told.look()
    assert [message["To"] for message in told.inbox.messages] == ["ann@example.com", "boss@example.com"]
    assert told.inbox.messages[1]["Subject"].startswith("[Strongroom] NOT ACKNOWLEDGED: ")
    assert told.alert(rule).values["escalatedon"] is not None


def test_a_sealer_that_is_behind_raises_an_alert_once(told: Told) -> None:
    """TS-823."""
    with told.environment.session_of("admin", write=True) as session:
        create(session, session.table("lead"), NewRecord({"lastname": "Waiting"}))
    told.pass_time(minutes=2)
    told.watch.look()
    told.watch.look()
    with told.environment.database.read() as transaction:
        found = transaction.rows_where(transaction.schema.tables[ALERT], {})
    behind = [row for row in found if row.values["code"] == "sealer-behind"]
    assert len(behind) == 1
    assert iso(told.watch.home.clock.now()) >= str(behind[0].values["firsthiton"])


def test_a_log_that_does_not_fit_its_head_raises_an_alert(told: Told) -> None:
    """TS-823: found by the sealer, raised once while it is open."""
    home = told.watch.home
    environments = Environments(home)
    environment = environments.default()
    sealing = Sealing(environments, lambda found: tell_of_tampering(home, found))
    with environment.session_of("admin", write=True) as session:
        create(session, session.table("lead"), NewRecord({"lastname": "Sealed"}))
    Trail(home, environment).seal()
    assert isinstance(environment.database, StoreDatabase)
    with environment.database.write() as transaction:
        connection = transaction._work.connection  # pyright: ignore[reportPrivateUsage]
        connection.execute(f"update auditleaf set hash = '{'00' * 32}' where sequence = 3")
    with environment.session_of("admin", write=True) as session:
        create(session, session.table("lead"), NewRecord({"lastname": "After"}))
    sealing.look()
    sealing.look()
    with environment.database.read() as transaction:
        found = transaction.rows_where(transaction.schema.tables[ALERT], {})
    environments.close()
    assert [row.values["severity"] for row in found if row.values["code"] == "trail-tampered"] == [4]
