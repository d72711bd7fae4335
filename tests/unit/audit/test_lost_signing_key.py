"""The key that signs the log is lost, or replaced behind everybody's back: nothing is sealed by a key that nobody spoke
for, nothing is lost, and the log goes on once somebody does (TS-812, TS-814)."""

import shutil
from pathlib import Path

import pytest
from tests.engines import ENGINES, Stores
from tests.homes import make_home
from tests.servers import run_cli

from strongroom.anchoring import anchorer_of
from strongroom.audit.verification import logged_entries, verify
from strongroom.environment import Environment
from strongroom.environments import Environments
from strongroom.errors import IntegrityViolation
from strongroom.home import Home, open_home
from strongroom.keys import Secret
from strongroom.opening import open_environment
from strongroom.records import NewRecord, create
from strongroom.store.database import StoreDatabase
from strongroom.trail import Sealing, Trail, renew_signing_key


@pytest.fixture(params=ENGINES)
def sealed(request: pytest.FixtureRequest, stores: Stores, tmp_path: Path) -> tuple[Home, Environment]:
    """A home with a sealed trail and a file that witnesses it."""
    path = make_home(tmp_path, stores, str(request.param))
    (tmp_path / "kept").mkdir()
    (path / "strongroom.toml").write_text(f'[auditanchor]\npath = "{tmp_path / "kept"}"\n')
    home = open_home(path)
    environment = open_environment(home)
    Trail(home, environment).seal()
    anchorer_of(home, environment).anchor(at_once=True)
    return home, environment


def work(environment: Environment) -> None:
    with environment.session_of("admin", write=True) as session:
        create(session, session.table("account"), NewRecord({"name": "Contoso"}))


def test_a_log_goes_on_under_another_key_once_somebody_speaks_for_it(sealed: tuple[Home, Environment]) -> None:
    home, environment = sealed
    old = Trail(home, environment).public_key
    home.keys.seal(f"audit-log:{environment.id}", Secret(b"\x07" * 32))  # lost, or put in its place by somebody

    work(environment)
    with pytest.raises(IntegrityViolation):
        Trail(home, environment).seal()
    assert any("not signed" in doubt for doubt in Trail(home, environment).verify().doubts)
    key = run_cli("audit", "renew-key", "--reason", "The disk with the ring broke.", "--home", str(home.path)).stdout

    work(environment)
    home = open_home(home.path)
    trail = Trail(home, environment)
    assert trail.seal() >= 1
    assert trail.verify().doubts == ()
    assert run_cli("audit", "key", "--home", str(home.path)).stdout == key
    heads = trail.heads()
    assert heads[0].key_id != heads[-1].key_id
    assert verify(environment.id, old, logged_entries(environment.database), heads).doubts != ()
    (outcome,) = anchorer_of(home, environment).anchor(at_once=True)
    assert outcome.problem is None  # the head by the old key is among the log's own
    shutil.rmtree(home.path / "witness")
    elsewhere, _ = anchorer_of(home, environment).witnessed()
    assert Trail(home, environment).verify(elsewhere=elsewhere).doubts == ()
    environment.close()


def test_a_server_that_runs_takes_the_new_key_and_raises_no_alert(sealed: tuple[Home, Environment]) -> None:
    """A command makes the key while a server seals with the old one."""
    home, environment = sealed
    told: list[Environment] = []
    environments = Environments(home)
    sealing, served = Sealing(environments, told.append), environments.default()
    work(served)
    sealing.look()
    renew_signing_key(open_home(home.path), environment, lambda: work(environment))
    work(served)
    sealing.look()

    assert told == []
    assert Trail(open_home(home.path), environment).verify().doubts == ()
    assert Trail(open_home(home.path), environment).heads(1)[0].key_id != Trail(home, environment).heads()[0].key_id
    environments.close()
    environment.close()


def test_nobody_speaks_for_a_log_that_is_another_one(sealed: tuple[Home, Environment]) -> None:
    """A key cannot be renewed on top of a log that does not fit its newest head."""
    home, environment = sealed
    assert isinstance(environment.database, StoreDatabase)
    with environment.database.write() as transaction:
        connection = transaction._work.connection  # pyright: ignore[reportPrivateUsage]
        connection.execute(f"update auditleaf set hash = '{'00' * 32}' where sequence = 3")
    before = Trail(home, environment).public_key.public_bytes_raw()
    with pytest.raises(IntegrityViolation):
        renew_signing_key(home, environment, lambda: work(environment))
    assert Trail(home, environment).public_key.public_bytes_raw() == before
    environment.close()
