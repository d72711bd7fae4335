"""Events on their way to real receivers: in order, at least once, and none is lost while a receiver is away (TS-818 to
TS-820)."""

import hashlib
import hmac
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from tests.servers import free_port
from tests.unit.monitoring.receivers import HttpSink, SyslogReceiver
from tests.unit.monitoring.watched import ENVIRONMENT, Watched

from strongroom.audit.activities import Activity
from strongroom.clock import SystemClock
from strongroom.errors import AccessDenied, InvalidRequest
from strongroom.home.tls import Certificate, self_signed
from strongroom.ids import Guid
from strongroom.keys import Secret
from strongroom.monitoring.destinations import destination_of
from strongroom.monitoring.events import Origin
from strongroom.monitoring.outbound import Outbound
from strongroom.monitoring.reading import RULES
from strongroom.monitoring.sending import sender_of
from strongroom.monitoring.stream import Lag, Stream, lags
from strongroom.monitoring.tables import DESTINATION
from strongroom.store.protocol import Value

FILE, WEBHOOK, TCP, TLS = 1, 2, 3, 4
OCSF, CEF, PLAIN = 1, 2, 3

Made = Callable[..., Stream]


@pytest.fixture
def made(watch: Watched, tmp_path: Path) -> Iterator[Made]:
    """Makes streams to new destinations."""
    streams: list[Stream] = []

    def make(name: str, kind: int, **values: Value) -> Stream:
        watch.pass_time(seconds=2)  # what was written before is not for it
        row = watch.world.row(
            DESTINATION, watch.world.make(DESTINATION, {"name": name, "kind": kind, "isenabled": True, **values})
        )
        destination = destination_of(row)
        stream = Stream(
            watch.database,
            watch.world.rules,
            watch.clock,
            Origin("main", ENVIRONMENT),
            destination,
            sender_of(destination, tmp_path, lambda: Secret(b"secret"), watch.clock),
            Outbound(("127.0.0.1", "localhost")),
            watch.clock.now(),
        )
        watch.pass_time(seconds=1)
        stream.deliver()
        streams.append(stream)
        return stream

    yield make
    for each in streams:
        each.sender.close()
        watch.world.delete(DESTINATION, each.destination.id)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """For localhost, as a server makes it for itself."""
    return self_signed(tmp_path_factory.mktemp("tls"), SystemClock())


def work(watch: Watched, number: int) -> list[Guid]:
    """So many changes, sealed."""
    rows = [watch.world.create("lead", lastname=f"Person {each}") for each in range(number)]
    watch.sealer.seal()
    return rows


def deliver(stream: Stream) -> int:
    """Send without waiting for the time to try again."""
    stream._not_before = 0.0  # pyright: ignore[reportPrivateUsage]
    return stream.deliver()


def lag_of(watch: Watched, stream: Stream) -> Lag:
    with watch.database.read() as transaction:
        return next(each for each in lags(transaction) if each.name == stream.destination.name)


def rows_in(lines: list[bytes]) -> list[str]:
    """The ids of the leads that events in plain JSON tell of, in their order."""
    events = [json.loads(line) for line in lines]
    return [event["rowid"] for event in events if event.get("table") == "lead"]


# --- a receiver of each kind ---------------------------------------------------------------------------------------


def test_a_file_gets_every_event_once_in_the_order_of_the_log(watch: Watched, made: Made, tmp_path: Path) -> None:
    """TS-818."""
    stream = made("file", FILE, format=PLAIN)
    rows = work(watch, 450)
    stream.deliver()
    lines = (tmp_path / "file.jsonl").read_bytes().splitlines()
    assert rows_in(lines) == rows
    sequences = [event["sequence"] for line in lines if (event := json.loads(line))["kind"] != "head"]
    assert sequences == sorted(set(sequences))
    head = json.loads(lines[-1])
    with watch.database.read() as transaction:
        newest = transaction.log.heads(newest=1)[0]
    assert (head["kind"], head["details"]["root"]) == ("head", newest.root)
    assert lag_of(watch, stream).waiting == 0


def test_a_write_that_was_cut_short_does_not_damage_the_next_line(watch: Watched, made: Made, tmp_path: Path) -> None:
    stream = made("cut", FILE, format=PLAIN)
    work(watch, 1)
    stream.deliver()
    path = tmp_path / "cut.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    rows = work(watch, 1)
    stream.deliver()
    assert rows[0] in path.read_text().splitlines()[-2]


def test_a_webhook_gets_signed_batches(watch: Watched, made: Made) -> None:
    """TS-818: the signature covers the time and the body."""
    sink = HttpSink()
    stream = made("hook", WEBHOOK, format=PLAIN, address=f"http://127.0.0.1:{sink.port}/in")
    rows = work(watch, 3)
    stream.deliver()
    request = sink.requests[-1]
    signed = hmac.new(
        b"secret", request.headers["x-strongroom-timestamp"].encode() + b"." + request.body, hashlib.sha256
    )
    assert request.headers["x-strongroom-signature"] == f"sha256={signed.hexdigest()}"
    assert rows_in([line for each in sink.requests for line in each.body.splitlines()]) == rows
    sink.stop()


@pytest.mark.parametrize("over_tls", [False, True])
def test_syslog_gets_framed_messages_over_tcp_and_tls(
    watch: Watched, made: Made, certificate: Certificate, over_tls: bool
) -> None:
    """TS-818: RFC 5424 messages with their length in front (RFC 5425)."""
    receiver = SyslogReceiver(certificate if over_tls else None)
    values: dict[str, Value] = {"format": PLAIN, "address": f"tcp://127.0.0.1:{receiver.port}"}
    if over_tls:
        values = {
            "format": PLAIN,
            "address": f"tls://localhost:{receiver.port}",
            "certificates": certificate.chain.read_text(),
        }
    stream = made(f"syslog-{over_tls}".lower(), TLS if over_tls else TCP, **values)
    rows = work(watch, 5)
    sent = stream.deliver()
    messages = receiver.await_number(sent)
    assert all(each.startswith(b"<110>1 2026-01-0") for each in messages)
    assert rows_in([each.partition(b"\xef\xbb\xbf")[2] for each in messages]) == rows
    receiver.stop()


# --- receivers that fail -------------------------------------------------------------------------------------------


def test_nothing_is_lost_while_a_receiver_is_away_for_a_day(watch: Watched, made: Made) -> None:
    """TS-818: also what was sent just before the connection broke comes again; duplicates have the same id."""
    receiver = SyslogReceiver()
    stream = made("away", TCP, format=PLAIN, address=f"tcp://127.0.0.1:{receiver.port}")
    rows = work(watch, 20)
    receiver.await_number(stream.deliver())
    receiver.stop()
    receiver.messages.clear()  # it lost what it had not written down
    for _ in range(4):
        rows += work(watch, 50)
        assert deliver(stream) == 0
        watch.pass_time(hours=6)
    waiting = lag_of(watch, stream)
    assert (waiting.failures, waiting.waiting >= 200) == (4, True)

    receiver.start()
    receiver.await_number(deliver(stream))
    assert deliver(stream) == 0
    found = rows_in([each.partition(b"\xef\xbb\xbf")[2] for each in receiver.messages])
    assert [row for row in found if row in rows] == rows
    told = {str(row.values["activity"]) for row in watch.world.rows("activitylog")}
    assert {"stream-failing", "stream-restored"} <= told
    receiver.stop()


def test_a_stream_that_begins_anew_goes_on_where_the_last_one_stopped(
    watch: Watched, made: Made, tmp_path: Path
) -> None:
    """TS-818: the place survives the process."""
    stream = made("anew", FILE, format=PLAIN)
    rows = work(watch, 3)
    stream.deliver()
    rows += work(watch, 3)
    replace(stream).deliver()
    assert rows_in((tmp_path / "anew.jsonl").read_bytes().splitlines()) == rows


@pytest.mark.parametrize(
    "nonsense",
    [b"HTTP/1.1 500 Oh\r\n\r\n", b"\x00\xff\xfe garbage\r\n\r\n", b"", b"HTTP/1.1 301 X\r\nLocation: /\r\n\r\n"],
)
def test_a_receiver_that_answers_nonsense_gets_the_batch_again(watch: Watched, made: Made, nonsense: bytes) -> None:
    """TS-819."""
    sink = HttpSink()
    sink.raw_answer = nonsense
    name = f"nonsense-{len(nonsense)}"
    stream = made(name, WEBHOOK, format=PLAIN, address=f"http://127.0.0.1:{sink.port}/in")
    rows = work(watch, 2)
    assert deliver(stream) == 0
    assert lag_of(watch, stream).error
    sink.raw_answer = None
    deliver(stream)
    assert rows_in([line for each in sink.requests for line in each.body.splitlines()]) == rows
    sink.stop()


def test_a_certificate_that_is_not_trusted_is_refused_before_anything_is_sent(
    watch: Watched, made: Made, certificate: Certificate
) -> None:
    """TS-819."""
    receiver = SyslogReceiver(certificate)
    stream = made("untrusted", TLS, format=PLAIN, address=f"tls://localhost:{receiver.port}")
    work(watch, 1)
    assert deliver(stream) == 0
    assert "certificate" in lag_of(watch, stream).error.lower()
    assert receiver.messages == []
    receiver.stop()


def test_a_test_says_at_once_whether_a_receiver_takes_events(watch: Watched, made: Made) -> None:
    """TS-819."""
    receiver = SyslogReceiver()
    stream = made("tried", TCP, format=CEF, address=f"tcp://127.0.0.1:{receiver.port}")
    assert stream.test() is None
    assert b"|test|test|" in receiver.await_number(1)[0]
    receiver.stop()
    assert stream.test() is not None
    outcomes = [str(row.values["details"]) for row in watch.world.rows("activitylog", activity="stream-tested")]
    assert len(outcomes) >= 2


def test_entries_that_retention_took_before_they_were_sent_are_told_by_an_event(
    watch: Watched, made: Made, tmp_path: Path
) -> None:
    """TS-818: loss is impossible without an event that says so."""
    stream = made("gap", FILE, format=PLAIN)
    rows = work(watch, 3)
    with watch.database.write() as transaction:
        table = transaction.schema.tables["audit"]
        entries = [
            row for row in transaction.rows_where(table, {}) if getattr(row.values["objectid"], "id", "") == rows[1]
        ]
        transaction.log.mark_gone(entries, "2026-01-06T00:00:00Z")
        transaction.delete(table, entries)
    stream.deliver()
    lines = (tmp_path / "gap.jsonl").read_bytes().splitlines()
    assert rows_in(lines) == [rows[0], rows[2]]
    assert any(json.loads(line)["kind"] == "removed" for line in lines)
    assert watch.world.rows("activitylog", activity=Activity.STREAM_GAP.value)


# --- what is in events ---------------------------------------------------------------------------------------------


def test_no_value_of_a_column_leaves_and_personal_values_are_left_out_on_demand(
    watch: Watched, made: Made, tmp_path: Path
) -> None:
    """TS-820."""
    whole, bare = made("whole", FILE, format=PLAIN), made("bare", FILE, format=PLAIN, dropspersonal=True)
    work(watch, 2)
    watch.tell(Activity.SIGN_IN, watch.world.admin, address="192.0.2.77")
    watch.sealer.seal()
    whole.deliver()
    bare.deliver()
    everything, less = ((tmp_path / f"{name}.jsonl").read_text() for name in ("whole", "bare"))
    assert "Person" not in everything
    assert "192.0.2.77" in everything
    assert "192.0.2.77" not in less
    assert watch.world.admin in less


# --- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "target"),
    [
        ({"name": "../../etc/passwd", "kind": FILE}, "name"),
        ({"name": "f", "kind": FILE, "address": "/etc/cron.d/x"}, "address"),
        ({"name": "f", "kind": WEBHOOK}, "address"),
        ({"name": "f", "kind": TLS, "address": "https://127.0.0.1"}, "address"),
        ({"name": "f", "kind": TCP, "address": "tcp://127.0.0.1:99999"}, "address"),
        ({"name": "f", "kind": TCP, "address": "tcp://user:pw@127.0.0.1:1"}, "address"),
        ({"name": "f", "kind": TLS, "address": "tls://127.0.0.1:1", "certificates": "nonsense"}, "certificates"),
    ],
)
def test_a_destination_that_cannot_be_is_refused_by_column(
    watch: Watched, values: dict[str, Value], target: str
) -> None:
    """TS-005, TS-818."""
    with pytest.raises(InvalidRequest) as refused:
        watch.world.make(DESTINATION, values)
    assert refused.value.details["target"] == target


def test_a_destination_outside_of_the_allow_list_is_refused(watch: Watched) -> None:
    """TS-819: 403."""
    with pytest.raises(AccessDenied) as refused:
        watch.world.make(DESTINATION, {"name": "out", "kind": WEBHOOK, "address": "https://evil.example.com/x"})
    assert refused.value.details["reason"] == "not-allowed"


# --- a real syslog server ------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("rsyslogd") is None, reason="rsyslog is not installed")
def test_a_real_rsyslog_takes_every_event_over_tls(
    watch: Watched, made: Made, certificate: Certificate, tmp_path: Path
) -> None:
    """TS-818: Debian's rsyslog, with a pause in which it is gone."""
    log, port = tmp_path / "taken.log", free_port()
    configuration = tmp_path / "rsyslog.conf"
    configuration.write_text(
        f"""
global(workDirectory="{tmp_path}" maxMessageSize="256k" defaultNetstreamDriverCAFile="{certificate.chain}"
       defaultNetstreamDriverCertFile="{certificate.chain}" defaultNetstreamDriverKeyFile="{certificate.key}")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="message" type="string" string="%msg%\\n")
input(type="imtcp" port="{port}" ruleset="taken")
ruleset(name="taken") {{ action(type="omfile" file="{log}" template="message") }}
"""
    )
    stream = made(
        "rsyslog", TLS, format=PLAIN, address=f"tls://localhost:{port}", certificates=certificate.chain.read_text()
    )
    rows = work(watch, 30)
    server = _rsyslog(configuration, tmp_path)
    _until(lambda: deliver(stream) > 0)
    _until(lambda: log.exists() and rows_in(_lines(log))[-30:] == rows)
    server.terminate()
    server.wait(timeout=20)
    rows += work(watch, 30)
    assert deliver(stream) == 0
    server = _rsyslog(configuration, tmp_path)
    _until(lambda: deliver(stream) > 0)
    _until(lambda: set(rows) <= set(rows_in(_lines(log))))
    server.terminate()
    server.wait(timeout=20)


def _rsyslog(configuration: Path, folder: Path) -> "subprocess.Popen[bytes]":
    pid = folder / "rsyslog.pid"
    pid.unlink(missing_ok=True)
    return subprocess.Popen(["rsyslogd", "-n", "-f", str(configuration), "-i", str(pid)], stderr=subprocess.DEVNULL)


def _lines(log: Path) -> list[bytes]:
    return [line.removeprefix(b"\xef\xbb\xbf") for line in log.read_bytes().splitlines() if b"{" in line]


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


# --- what goes wrong in between ------------------------------------------------------------------------------------


def test_a_process_that_dies_after_sending_sends_again_and_nothing_is_left_out(
    watch: Watched, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TS-818: the place moves on last; what comes twice has the same id."""
    stream = made("dying", FILE, format=PLAIN)
    rows = work(watch, 3)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Stream, "_move", die)
        stream.deliver()
    replace(stream).deliver()
    lines = [json.loads(line) for line in (tmp_path / "dying.jsonl").read_text().splitlines()]
    assert [line["rowid"] for line in lines if line.get("table") == "lead"] == rows * 2
    assert len({line["id"] for line in lines if line.get("table") == "lead"}) == 3


def test_a_receiver_that_takes_nothing_fails_in_time_and_holds_no_writer_up(
    watch: Watched, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TS-819: while the stream waits for it, changes are made as ever."""
    monkeypatch.setattr("strongroom.monitoring.sending.TIMEOUT_S", 1.0)
    receiver = SyslogReceiver()
    receiver.stop()
    receiver.hangs = True
    receiver.start()
    stream = made("hanging", TCP, format=OCSF, address=f"tcp://127.0.0.1:{receiver.port}")
    work(watch, 100)
    sending = Thread(target=deliver, args=(stream,))
    sending.start()
    written = 0
    while sending.is_alive():
        watch.world.create("lead", lastname="Meanwhile")
        written += 1
    sending.join()
    assert written > 5
    found = lag_of(watch, stream)
    assert (found.failures, found.waiting > 0) == (1, True)
    receiver.stop()


def test_readers_of_a_log_that_was_put_back_go_on_with_what_comes_next(
    watch: Watched, made: Made, tmp_path: Path
) -> None:
    """TS-818: an event says that something may be missing; alert rules look at what comes next, too."""
    stream = made("restored", FILE, format=PLAIN)
    rule = watch.rule(filter="operation eq 1 and objecttypecode eq 'lead'")
    watch.look()
    with watch.platform() as session:
        for row in session.transaction.rows_where(session.table("siemdelivery"), {}):
            if row.values["name"] in (stream.reader, RULES):
                session.transaction.update(row, {"position": 1_000_000})
    stream.deliver()
    watch.look()
    before = len(watch.raised(rule))
    watch.pass_time(hours=2)
    rows = work(watch, 2)
    stream.deliver()
    watch.look()
    assert rows_in((tmp_path / "restored.jsonl").read_bytes().splitlines()) == rows
    assert len(watch.raised(rule)) == before + 1
    told = [str(row.values["details"]) for row in watch.world.rows("activitylog", activity="stream-gap")]
    assert any("put back" in each for each in told)
    watch.world.update("alertrule", rule, isenabled=False, offreason="The test is over.")
