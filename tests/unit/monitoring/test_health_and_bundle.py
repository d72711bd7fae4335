"""Health of an environment, traces without personal data, and the bundle for whoever helps from afar (TS-007)."""

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.engines import ENGINES, Stores
from tests.homes import make_home
from tests.servers import run_cli
from tests.unit.monitoring.receivers import HttpSink
from tests.unit.monitoring.watched import Watched

from strongroom.diagnosis import diagnose, hide
from strongroom.errors import AccessDenied
from strongroom.home import open_home
from strongroom.monitoring.health import health_of
from strongroom.monitoring.outbound import Outbound
from strongroom.opening import open_environment
from strongroom.records import NewRecord, create
from strongroom.webapi.telemetry import Observation
from strongroom.webapi.tracing import NO_TRACING, tracing_to

SECRET_NAMES = ("Wintermute", "carla@example.com", "Secret Corp")


# --- health --------------------------------------------------------------------------------------------------------


def test_health_tells_what_is_late(watch: Watched) -> None:
    """TS-007: a trail that waits for its seal, and rules that wait for it."""
    watch.look()
    with watch.database.read() as transaction:
        assert health_of(transaction, watch.clock.now()).is_well
    watch.world.create("lead", lastname="Waiting")
    watch.pass_time(minutes=2)
    with watch.database.read() as transaction:
        found = health_of(transaction, watch.clock.now())
    assert (found.is_well, found.waiting_for_seal_s) == (False, 120)
    watch.look()
    with watch.database.read() as transaction:
        assert health_of(transaction, watch.clock.now()).shown()["status"] == "ok"


# --- traces --------------------------------------------------------------------------------------------------------


def test_without_an_address_nothing_is_traced() -> None:
    """TS-010: off by default, and OpenTelemetry is not even loaded."""
    assert tracing_to("", Outbound()) is NO_TRACING


def test_a_collector_outside_of_the_allow_list_is_refused() -> None:
    with pytest.raises(AccessDenied, match=r"outbound\.allow"):
        tracing_to("http://collector.example.com:4318", Outbound())


def test_a_collector_gets_spans_and_figures_without_personal_data() -> None:
    """Shapes of paths, never keys, values or who asked."""
    sink = HttpSink()
    sink.status = 200
    tracing = tracing_to(f"http://127.0.0.1:{sink.port}", Outbound(("127.0.0.1",)), interval_ms=60_000)
    path = "/api/data/v9.2/contacts(emailaddress1='carla@example.com')/fullname"
    tracing.observe(Observation("r-1", "GET", path), 200, 0.025)
    tracing.end()
    sent = {request.path: request.body for request in sink.requests}
    (span,) = ExportTraceServiceRequest.FromString(sent["/v1/traces"]).resource_spans[0].scope_spans[0].spans
    facts = {each.key: each.value for each in span.attributes}
    assert facts["http.route"].string_value == "/api/data/v9.2/contacts(…)/fullname"
    assert facts["http.response.status_code"].int_value == 200
    assert 24_000_000 < span.end_time_unix_nano - span.start_time_unix_nano < 26_000_000
    figures = ExportMetricsServiceRequest.FromString(sent["/v1/metrics"])
    assert figures.resource_metrics[0].scope_metrics[0].metrics[0].name == "http.server.request.duration"
    assert all(b"carla" not in body for body in sent.values())
    sink.stop()


# --- bundle --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=ENGINES)
def filled(request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with personal data and settings that nobody else should see."""
    path = make_home(tmp_path_factory.mktemp("bundled"), stores, str(request.param))
    (path / "strongroom.toml").write_text(
        '[mail]\nhost = "mail.wintermute.example"\nsender = "carla@example.com"\n'
        '[outbound]\nallow = ["siem.wintermute.example:6514"]\n[server]\nport = 8123\n'
    )
    environment = open_environment(open_home(path))
    with environment.session_of("admin", write=True) as session:
        create(session, session.table("account"), NewRecord({"name": "Secret Corp"}))
        create(
            session, session.table("contact"), NewRecord({"lastname": "Wintermute", "emailaddress1": SECRET_NAMES[1]})
        )
    environment.close()
    return path


def parts_of(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_a_bundle_has_counts_and_health_and_nothing_personal_or_secret(filled: Path) -> None:
    data, problems = diagnose(filled, {})
    parts = parts_of(data)
    assert problems == []
    assert json.loads(parts["environment-2.json"])["doubts"] == 0
    assert json.loads(parts["settings.json"])["server.port"] == 8123
    assert json.loads(parts["settings.json"])["mail.host"] == "(set)"
    assert json.loads(parts["manifest.json"])["parts"].keys() == parts.keys() - {"manifest.json"}
    whole = "\n".join(parts.values()).lower()
    root_key = filled / "root.key"
    secrets = [*SECRET_NAMES, "wintermute", "siem.", str(filled), root_key.read_bytes().hex()[:32]]
    assert [each for each in secrets if each.lower() in whole] == []


@pytest.fixture(scope="module")
def template(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound home, to be copied and then damaged."""
    return make_home(tmp_path_factory.mktemp("sound"), stores, "sqlcipher")


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(template, tmp_path / "home")


def _cut_ring(home: Path) -> None:
    (home / "keys.json").write_bytes((home / "keys.json").read_bytes()[:100])


def _lose_key(home: Path) -> None:
    (home / "root.key").unlink()


def _lose_ring(home: Path) -> None:
    (home / "keys.json").unlink()


def _spoil_store(home: Path) -> None:
    for store in (home / "environments").glob("*.db"):
        data = bytearray(store.read_bytes())
        data[4096:8192] = b"\x00" * 4096
        store.write_bytes(bytes(data))


def _lose_store(home: Path) -> None:
    for store in (home / "environments").glob("main.db*"):
        store.unlink()


def _spoil_registry(home: Path) -> None:
    (home / "environments.json").write_text("{nonsense carla@example.com")


def _spoil_settings(home: Path) -> None:
    (home / "strongroom.toml").write_text('[mail]\nhots = "carla@example.com"\n')


@pytest.mark.parametrize(
    "damage", [_cut_ring, _lose_key, _lose_ring, _spoil_store, _lose_store, _spoil_registry, _spoil_settings]
)
def test_a_damaged_home_gives_what_can_be_read_and_says_what_cannot(home: Path, damage: Callable[[Path], None]) -> None:
    """Nothing personal in the messages either, and the home is as it was."""
    damage(home)
    before = {each.name: each.read_bytes() for each in home.iterdir() if each.is_file()}
    data, problems = diagnose(home, {})
    parts = parts_of(data)
    assert problems
    assert {"program.json", "files.json", "problems.json", "manifest.json"} <= parts.keys()
    assert json.loads(parts["problems.json"]) == problems
    whole = "\n".join(parts.values())
    assert "carla@example.com" not in whole
    assert str(home) not in whole
    after = {each.name: each.read_bytes() for each in home.iterdir() if each.is_file()}
    assert after == before


def test_the_commands_write_a_bundle_once_and_tell_a_damaged_home_by_their_status(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "bundle.zip"
    run_cli("diagnose", "--home", str(home), "--out", str(out))
    assert out.stat().st_mode & 0o777 == 0o600
    run_cli("diagnose", "--home", str(home), "--out", str(out), expect=2)
    shutil.rmtree(home / "environments")
    run_cli("diagnose", "--home", str(home), "--out", str(tmp_path / "other.zip"), expect=1)
    run_cli("diagnose", "--home", str(tmp_path / "nowhere"), "--out", str(tmp_path / "third.zip"), expect=2)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("carla@example.com has no role", "<address> has no role"),
        ("postgresql://u:p@db.example/x is away", "<url> is away"),
        ("10.1.2.3 and 6b29fc40-ca47-1067-b31d-00dd010662da", "<ip> and <id>"),
        ("the user 'Carla' is unknown", "the user <text> is unknown"),
        ("eyJhbGciOiJFZERTQSIsImtpZCI6IjEyMzQ1Njc4OTAifQ", "<long>"),
        ("/srv/home is damaged", "<name> is damaged"),
    ],
)
def test_messages_lose_what_could_be_personal_or_secret(text: str, shown: str) -> None:
    assert hide(text, ("/srv/home",)) == shown
