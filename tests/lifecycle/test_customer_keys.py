"""TS-506 to TS-512: keys that the customer holds. The same for every provider: what is under a key opens with it and
not without it, and taking it away locks."""

import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.lifecycle.keepers import KINDS, Taking, keeper
from tests.lifecycle.states import add_accounts, change, opened, state_of
from tests.servers import run_cli, start_server

from strongroom.clock import SystemClock
from strongroom.errors import Conflict, EnvironmentLocked, HomeError, StrongroomError
from strongroom.home import Home
from strongroom.ids import Guid, new_guid
from strongroom.keys import KeyRing, create_ring, open_ring, parse_source
from strongroom.keys.document import RingDocument
from strongroom.keys.providers import provider_at
from strongroom.lifecycle.custody import check_keys
from strongroom.lifecycle.operations import Asked, perform
from strongroom.opening import ledger_in, open_environment
from strongroom.settings import OutboundSettings

CLOCK = SystemClock()
HERE = OutboundSettings(("127.0.0.1",)).allows
_BUSINESS = ("account", "businessunit", "role", "roleprivileges", "systemuser", "systemuserroles", "team")


@pytest.fixture(params=KINDS)
def kept(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, Taking]]:
    """A key with each provider."""
    with keeper(str(request.param), tmp_path, monkeypatch) as found:
        yield found


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    """A ring with one environment."""
    folder = tmp_path / "ring"
    folder.mkdir()
    return create_ring(folder, new_guid(CLOCK), parse_source("file:root.key"), CLOCK, allows=HERE)


def added(ring: KeyRing) -> Guid:
    environment = new_guid(CLOCK)
    ring.add_environment(environment, CLOCK)
    return environment


def test_provider_opens_what_it_sealed_for_the_same_place_alone(kept: tuple[str, Taking]) -> None:
    """TS-501, TS-512"""
    provider = provider_at(kept[0], HERE)

    sealed = provider.wrap(b"k" * 32, ("home", "data key", "one"))

    assert b"k" * 32 not in sealed
    assert provider.unwrap(sealed, ("home", "data key", "one")) == b"k" * 32
    with pytest.raises(HomeError):
        provider.unwrap(sealed, ("home", "data key", "other"))
    state = provider.state()
    assert (state.is_enabled, state.is_protected) == (True, True)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("vault-transit:k?address=https://vault.example.com:8200&token=env:T", "vault.example.com:8200"),
        ("aws-kms:k?region=eu-central-1", "kms.eu-central-1.amazonaws.com:443"),
        ("aws-kms:k?region=eu-central-1&endpoint=http://127.0.0.1:1", "127.0.0.1:1"),
    ],
)
def test_no_provider_is_asked_that_the_owner_of_the_home_has_not_listed(
    ring: KeyRing, address: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TS-010: nothing calls out to a host that `outbound.allow` does not have, and the refusal says what to list."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("somebody was called")

    closed = open_ring(ring._file.folder)  # pyright: ignore[reportPrivateUsage]  # where it lies
    monkeypatch.setattr(socket.socket, "connect", never)
    with pytest.raises(HomeError, match=f"{host} may not be asked"):
        closed.customer.add("ours", address, CLOCK)
    with pytest.raises(HomeError, match="form https://"):
        closed.customer.add("ours", "vault-transit:k?address=https://a:b@vault&token=env:T", CLOCK)
    assert closed.customer.listed() == ()


def test_environment_is_under_the_key_and_locked_without_it(kept: tuple[str, Taking], ring: KeyRing) -> None:
    """TS-507 to TS-509"""
    address, taking = kept
    environment = added(ring)
    data, backups = ring.data_key(environment), ring.environment_key(environment, "backup", CLOCK)
    ring.customer.add("ours", address, CLOCK)

    ring.customer.assign(environment, ("ours",))

    assert ring.data_key(environment) == data
    assert ring.environment_key(environment, "backup", CLOCK) == backups
    taking.take()
    assert not ring.customer.state("ours").is_enabled
    taking.give()
    assert ring.customer.revoke("ours", "leaving", CLOCK) == (environment,)
    for asked in (ring, open_ring(ring._file.folder, allows=HERE)):  # pyright: ignore[reportPrivateUsage]  # where it lies
        with pytest.raises(EnvironmentLocked):
            asked.data_key(environment)
        with pytest.raises(EnvironmentLocked):
            asked.environment_key(environment, "backup", CLOCK)
    assert ring.customer.restore("ours") == (environment,)
    assert ring.data_key(environment) == data


def test_rotation_puts_all_under_the_next_version_and_back_to_none(kept: tuple[str, Taking], ring: KeyRing) -> None:
    """TS-505: nothing but the wrapping changes."""
    environment = added(ring)
    data = ring.data_key(environment)
    ring.customer.add("ours", kept[0], CLOCK)
    ring.customer.assign(environment, ("ours",))
    before = ring.document.environments[environment].active.wrapped

    assert ring.customer.rotate("ours", CLOCK).version == 2

    assert ring.document.environments[environment].active.wrapped != before
    assert ring.data_key(environment) == data
    ring.rotate()
    assert ring.data_key(environment) == data
    ring.customer.assign(environment, ())
    ring.customer.remove("ours")
    assert ring.data_key(environment) == data


def test_both_of_a_double_key_are_needed(tmp_path: Path, ring: KeyRing) -> None:
    """TS-511"""
    environment = added(ring)
    data = ring.data_key(environment)
    for name in ("one", "two"):
        run_cli("keys", "customer", "make-file", str(tmp_path / name))
        ring.customer.add(name, f"file:{tmp_path / name}", CLOCK)
    ring.customer.assign(environment, ("one", "two"))
    assert ring.data_key(environment) == data

    for name in ("one", "two"):
        (tmp_path / name).rename(tmp_path / "away")
        with pytest.raises(HomeError):
            ring.data_key(environment)
        (tmp_path / "away").rename(tmp_path / name)
        ring.customer.revoke(name, "", CLOCK)
        with pytest.raises(EnvironmentLocked):
            ring.data_key(environment)
        ring.customer.restore(name)
    with pytest.raises(StrongroomError, match="at most 2"):
        ring.customer.assign(environment, ("one", "two", "three"))


def test_another_key_under_the_old_name_gives_no_access_back(tmp_path: Path, ring: KeyRing) -> None:
    """TS-509: 409 not-the-original-key"""
    environment = added(ring)
    path = tmp_path / "customer.key"
    run_cli("keys", "customer", "make-file", str(path))
    ring.customer.add("ours", f"file:{path}", CLOCK)
    ring.customer.assign(environment, ("ours",))
    ring.customer.revoke("ours", "", CLOCK)
    path.rename(tmp_path / "original")
    run_cli("keys", "customer", "make-file", str(path))

    with pytest.raises(Conflict) as refused:
        ring.customer.restore("ours")

    assert refused.value.details["reason"] == "not-the-original-key"
    (tmp_path / "original").replace(path)
    ring.customer.restore("ours")
    ring.data_key(environment)


def test_wrapped_keys_that_were_swapped_do_not_open(tmp_path: Path, ring: KeyRing) -> None:
    """TS-501: the place is authenticated by the customer's key as well."""
    first, second = added(ring), added(ring)
    path = tmp_path / "customer.key"
    run_cli("keys", "customer", "make-file", str(path))
    ring.customer.add("ours", f"file:{path}", CLOCK)
    for each in (first, second):
        ring.customer.assign(each, ("ours",))
    file = ring._file  # pyright: ignore[reportPrivateUsage]  # what an attacker with the root key could do

    def swapped(document: RingDocument) -> RingDocument:
        keys = dict(document.environments)
        keys[first], keys[second] = keys[second], keys[first]
        return replace(document, environments=keys)

    file.change(lambda _, document: swapped(document))

    with pytest.raises(HomeError, match="does not open"):
        ring.data_key(first)


def test_keys_of_a_hundred_environments_are_rotated_in_seconds(tmp_path: Path, ring: KeyRing) -> None:
    """How well: under 5 s without stopping. Generous here, because the machine may be busy."""
    environments = [added(ring) for _ in range(100)]
    path = tmp_path / "customer.key"
    run_cli("keys", "customer", "make-file", str(path))
    ring.customer.add("ours", f"file:{path}", CLOCK)
    for each in environments:
        ring.customer.assign(each, ("ours",))
    started = time.process_time()

    ring.customer.rotate("ours", CLOCK)
    ring.rotate()

    assert time.process_time() - started < 5
    for each in environments:
        ring.data_key(each)


# --- a whole home -----------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, stores: Stores, engine: str) -> Path:
    """A home with an account in `main`, which is under the key `ours`."""
    made = make_home(tmp_path, stores, engine)
    change(made, "main", lambda environment: add_accounts(environment, "Ada"))
    run_cli("keys", "customer", "make-file", str(tmp_path / "ours.key"))
    run_cli("keys", "customer", "add", "ours", f"file:{tmp_path / 'ours.key'}", "--home", str(made))
    run_cli("keys", "customer", "assign", "ours", "-e", "main", "--home", str(made))
    return made


def _until(what: str, is_so: Callable[[], bool]) -> None:
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what} within 30 s")


def test_revoked_key_locks_a_running_server_and_restoring_it_loses_nothing(home: Path) -> None:
    """TS-507 to TS-509: 503 environment-locked with Retry-After, tokens of others still work, nothing is lost."""
    before = state_of(home, "main")
    server = start_server(home)
    try:
        with httpx.Client(headers={"Authorization": f"Bearer {server.token()}"}) as client:
            assert len(client.get(f"{server.api}accounts").json()["value"]) == 1

            run_cli("keys", "customer", "revoke", "ours", "--yes", "--reason", "leaving", "--home", str(home))

            answer = client.get(f"{server.api}accounts")
            assert answer.status_code == 503
            assert answer.json()["error"]["innererror"]["reason"] == "environment-locked"
            assert int(answer.headers["Retry-After"]) > 0
            assert "ours" not in answer.text
            assert client.post(f"{server.api}accounts", json={"name": "Bea"}).status_code == 503
            locked = run_cli("backup", "create", "--home", str(home), expect=2)
            assert "locked" in locked.stderr
            _until("the server lets go of the store", lambda: _is_free(opened(home)))

            run_cli("keys", "customer", "restore", "ours", "--home", str(home))

            assert len(client.get(f"{server.api}accounts").json()["value"]) == 1
    finally:
        server.stop()
    after = state_of(home, "main")
    assert {name: after[name] for name in _BUSINESS} == {name: before[name] for name in _BUSINESS}


def _is_free(home: Home) -> bool:
    try:
        with home.used(home.record("main"), alone=True):
            return True
    except Conflict:
        return False


def test_copy_of_the_home_without_the_key_opens_nothing(home: Path, tmp_path: Path, engine: str) -> None:
    """TS-508"""
    if engine == "postgresql":
        return  # what lies in PostgreSQL is the server's to guard; the address of it is in the ring
    stolen = tmp_path / "stolen"
    shutil.copytree(home, stolen)
    (tmp_path / "ours.key").rename(tmp_path / "away")

    with pytest.raises(HomeError, match="not there"):
        open_environment(opened(stolen), "main")


def test_provider_that_takes_the_key_away_locks_and_says_so(home: Path, tmp_path: Path) -> None:
    """TS-507, TS-510: the key is not there any more; the grace is over."""
    found = opened(home)
    object.__setattr__(found.settings, "key_grace_minutes", 0)
    (tmp_path / "ours.key").rename(tmp_path / "away")
    control = open_environment(found, "control")
    try:
        ledger = ledger_in(control)

        assert check_keys(found, lambda: ledger, {}) == ["ours"]

        told = ledger.rows("keyoperation", keyname="ours")[-1].values
        assert (told["name"], told["requestedby"]) == ("revoke ours", "the server")
        assert "not there" in str(told["detail"])
        with pytest.raises(EnvironmentLocked):
            open_environment(found, "main")
    finally:
        control.close()
    (tmp_path / "away").rename(tmp_path / "ours.key")
    perform(found, "restore-key", Asked({"key": "ours"}, "a test"))
    open_environment(found, "main").close()


def test_unreachable_provider_has_its_grace(home: Path, tmp_path: Path) -> None:
    """TS-510: keep serving, then lock."""
    found = opened(home)
    (tmp_path / "ours.key").rename(tmp_path / "away")
    since: dict[str, float] = {}
    control = open_environment(found, "control")
    try:
        ledger = ledger_in(control)
        known = len(ledger.rows("keyoperation"))

        assert check_keys(found, lambda: ledger, since) == []

        assert list(since) == ["ours"]
        assert len(ledger.rows("keyoperation")) == known, "nothing is written down yet"
    finally:
        control.close()
