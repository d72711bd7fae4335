"""TS-408, TS-409: a back-up is one moment while clients write; a restore gives exactly that, and the trail knows."""

import json
import shutil
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.lifecycle.states import OF_THE_TRAIL, add_accounts, change, differing, opened, state_of
from tests.servers import run_cli

from strongroom.cli.main import run
from strongroom.environment import Environment
from strongroom.errors import BackupDamaged, Conflict, InvalidRequest, StrongroomError
from strongroom.home import Home, MovableClock
from strongroom.lifecycle.backups import SYSTEM, Backups
from strongroom.lifecycle.manifest import Manifest
from strongroom.lifecycle.operations import Asked, perform
from strongroom.lifecycle.upkeep import due_backups, due_removals
from strongroom.opening import open_environment
from strongroom.trail import Trail


@pytest.fixture
def home(tmp_path: Path, stores: Stores, engine: str, whole: Path) -> Path:
    """A home whose environment `main` is a sandbox with three accounts, on each engine."""
    if engine == "sqlcipher":
        return copy_of(whole, tmp_path)
    return filled(make_home(tmp_path, stores, engine))


@pytest.fixture
def file_home(tmp_path: Path, whole: Path) -> Path:
    """The same on the embedded engine, where the engine makes no odds."""
    return copy_of(whole, tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, stores: Stores) -> Path:
    """What the embedded ones are copies of."""
    return filled(make_home(tmp_path_factory.mktemp("whole"), stores, "sqlcipher"))


def copy_of(whole: Path, folder: Path) -> Path:
    shutil.copytree(whole, folder / "home")
    return folder / "home"


def filled(made: Path) -> Path:
    do(made, "convert", name="main", type="sandbox")
    change(made, "main", lambda environment: add_accounts(environment, "Ada", "Bea", "Cyd"))
    return made


def do(home: Path, kind: str, **arguments: str) -> dict[str, object]:
    """An operation as the command line does it."""
    return dict(perform(opened(home), kind, Asked(arguments, "a test")))


def proven(home: Path, name: str = "main") -> tuple[str, ...]:
    """Doubts about the trail."""
    found = opened(home)
    environment = open_environment(found, name)
    try:
        return Trail(found, environment).verify().doubts
    finally:
        environment.close()


def newest(home: Path) -> Manifest:
    return Backups(opened(home)).listed()[-1]


def test_restore_gives_back_every_row_and_the_trail_says_that_it_was_done(home: Path) -> None:
    """TS-409"""
    proven(home)
    before = state_of(home, "main")
    backup = do(home, "backup", name="main")
    change(home, "main", lambda environment: add_accounts(environment, "Dan"))
    assert proven(home) == ()

    do(home, "restore", backup=str(backup["backup"]), to="main")

    after = state_of(home, "main")
    assert differing(before, after) <= {"audit", "counters"}
    assert proven(home) == ()
    change(home, "main", lambda environment: add_accounts(environment, "Eve"))
    assert proven(home) == ()


def test_what_was_there_before_a_restore_is_backed_up(home: Path) -> None:
    backup = do(home, "backup", name="main")
    change(home, "main", lambda environment: add_accounts(environment, "Dan"))
    lost = state_of(home, "main")

    answer = do(home, "restore", backup=str(backup["backup"]), to="main")
    do(home, "restore", backup=str(answer["before"]), to="main")

    assert differing(lost, state_of(home, "main")) <= OF_THE_TRAIL | {"counters"}
    assert proven(home) == ()


MOST_PAIRS = 500
"""Enough to be written all through a back-up, and no more to verify than that."""


def test_back_up_is_one_moment_while_others_write(home: Path) -> None:
    """TS-408: units of work are in it whole or not at all, and writers are not stopped."""
    environment = open_environment(opened(home), "main")
    ended = threading.Event()
    written: list[int] = []

    def write() -> None:
        while not ended.is_set() and len(written) < MOST_PAIRS:
            with environment.session_of("admin", write=True) as session:
                for half in ("left", "right"):
                    _create(session, f"{half} {len(written)}")
            written.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not written:
            ended.wait(0.01)
        so_far = len(written)
        do(home, "backup", name="main")
        assert len(written) > so_far
    finally:
        ended.set()
        writer.join()
        environment.close()

    found = Backups(opened(home)).verify(newest(home))

    assert found.doubts == ()
    assert newest(home).rows["account"] % 2 == 1  # the three that were there, and whole pairs


def _create(session: object, name: str) -> None:
    from strongroom.records import NewRecord, Session, create

    assert isinstance(session, Session)
    create(session, session.table("account"), NewRecord({"name": name}))


def test_back_up_holds_nothing_in_clear_and_opens_with_its_own_key_alone(file_home: Path) -> None:
    """TS-408, TS-502"""
    do(file_home, "backup", name="main")
    do(file_home, "backup", name="main")
    one, other = Backups(opened(file_home)).listed()
    data = Backups(opened(file_home)).path_of(one).read_bytes()

    assert b"Ada" not in data
    assert b"SQLite" not in data
    assert one.wrapped_key != other.wrapped_key
    swapped = replace(one, wrapped_key=other.wrapped_key)
    with pytest.raises(StrongroomError, match="does not open"):
        Backups(opened(file_home)).read(swapped, lambda _: pytest.fail("nothing may be read"))


@pytest.mark.parametrize("harm", ["flipped byte", "cut", "other file", "edited manifest", "lost file"])
def test_damaged_back_up_is_refused_and_the_target_untouched(file_home: Path, harm: str) -> None:
    """TS-409: 422 backup-damaged"""
    do(file_home, "backup", name="main")
    do(file_home, "backup", name="main")
    backups = Backups(opened(file_home))
    manifest, other = backups.listed()
    path = backups.path_of(manifest)
    data = bytearray(path.read_bytes())
    if harm == "flipped byte":
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    elif harm == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif harm == "other file":
        shutil.copyfile(backups.path_of(other), path)
    elif harm == "edited manifest":
        text = json.loads(path.with_suffix(".json").read_text())
        path.with_suffix(".json").write_text(json.dumps({**text, "label": "another"}))
    else:
        path.unlink()
    before = state_of(file_home, "main")

    with pytest.raises(BackupDamaged):
        do(file_home, "restore", backup=manifest.id, to="main")

    assert differing(before, state_of(file_home, "main")) == set()
    assert opened(file_home).record("main").state.value == "ready"


def test_stream_that_was_altered_is_found_without_the_manifest(file_home: Path) -> None:
    """The file proves itself: age authenticates each piece, and the end."""
    do(file_home, "backup", name="main")
    backups = Backups(opened(file_home))
    manifest = newest(file_home)
    path = backups.path_of(manifest)
    whole = path.read_bytes()
    for harmed in (whole[:-1], whole[: len(whole) // 3], whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:]):
        path.write_bytes(harmed)
        with pytest.raises(BackupDamaged), backups._aside(manifest):  # pyright: ignore[reportPrivateUsage]  # past the hash
            pytest.fail("it opened")


def test_nothing_overwrites_production_or_what_is_held(file_home: Path) -> None:
    """TS-409, TS-411: 409 production-target, legal-hold"""
    backup = str(do(file_home, "backup", name="main")["backup"])
    do(file_home, "hold", name="main")
    for kind in (
        ("restore", {"backup": backup, "to": "main"}),
        ("reset", {"name": "main"}),
        ("delete", {"name": "main"}),
    ):
        with pytest.raises(Conflict) as refused:
            do(file_home, kind[0], **kind[1])
        assert refused.value.details["reason"] == "legal-hold"
    do(file_home, "release", name="main")
    do(file_home, "convert", name="main", type="production")

    with pytest.raises(Conflict) as refused:
        do(file_home, "restore", backup=backup, to="main")

    assert refused.value.details["reason"] == "production-target"


def test_control_environment_is_not_restored_alone(file_home: Path) -> None:
    backup = do(file_home, "backup", name="control")

    with pytest.raises(InvalidRequest, match="control environment"):
        do(file_home, "restore", backup=str(backup["backup"]), to="control")


def test_older_store_that_was_put_back_is_found(file_home: Path) -> None:
    """A rollback without permission: the witness has heads that the log has no more."""
    proven(file_home)
    path = file_home / "environments" / "main.db"
    old = path.read_bytes()
    change(file_home, "main", lambda environment: add_accounts(environment, "Dan"))
    assert proven(file_home) == ()

    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    path.write_bytes(old)

    assert any("rolled back" in doubt or "not in the log" in doubt for doubt in proven(file_home))


def test_forged_statement_does_not_make_a_rollback_a_restore(file_home: Path) -> None:
    """The statement is signed by a key that is not in the store."""
    from strongroom.audit.entries import Action, Author, Operation, told
    from strongroom.ids import Reference
    from strongroom.records.platform_user import SYSTEM_USER

    proven(file_home)
    backup = str(do(file_home, "backup", name="main")["backup"])
    change(file_home, "main", lambda environment: add_accounts(environment, "Dan"))
    assert proven(file_home) == ()
    do(file_home, "restore", backup=backup, to="main")

    def forge(environment: Environment) -> None:
        """What the restore has said is changed by somebody who has the store and its key."""
        with environment.database.write() as transaction:
            table = transaction.schema.tables["audit"]
            for row in transaction.rows_where(table, {"action": Action.RESTORED.value}):
                transaction.delete(table, [row])
            author = Author(Reference("systemuser", SYSTEM_USER), None, None, "2026-01-01T00:00:00Z")
            statement = json.dumps(
                {"EnvironmentId": environment.id, "Kept": 0, "GivenUp": {"TreeSize": 10_000}, "Signature": "AAAA"}
            )
            changes = {"fork": (None, statement)}
            about = Reference("systemuser", SYSTEM_USER)
            transaction.append_audit([told(author, about, Operation.UPDATE, Action.RESTORED, changes)])

    change(file_home, "main", forge)

    assert proven(file_home) != ()


def test_restore_beside_the_environment_makes_a_sandbox_with_a_key_of_its_own(
    home: Path, engine: str, stores: Stores
) -> None:
    """TS-409"""
    backup = str(do(home, "backup", name="main")["backup"])
    if engine == "postgresql":
        assert run(["restore", "--home", str(home), "--backup", backup, "--to", "twin"]) == 2
        database = ("--database", str(stores.empty_place(engine)))
    else:
        database = ()

    run_cli("restore", "--home", str(home), "--backup", backup, "--to", "twin", *database)

    assert differing(state_of(home, "main"), state_of(home, "twin")) <= OF_THE_TRAIL | {"counters"}
    assert proven(home, "twin") == ()
    keys = opened(home).keys
    ids = {record.name: record.id for record in opened(home).environments()}
    assert keys.data_key(ids["main"]) != keys.data_key(ids["twin"])


def test_command_asks_before_it_replaces(file_home: Path) -> None:
    do(file_home, "backup", name="main")
    before = state_of(file_home, "main")

    refused = run_cli("restore", "--home", str(file_home), "--backup", "newest", expect=2)

    assert "--confirm main" in refused.stderr
    assert differing(before, state_of(file_home, "main")) == set()
    run_cli("restore", "--home", str(file_home), "--backup", "newest", "--confirm", "main")


def test_back_ups_are_due_and_expire_by_the_clock(tmp_path: Path) -> None:
    """TS-408: at least every 24 hours; kept 7 days, production 28; the newest one stays."""
    assert run(["init", "--home", str(tmp_path / "home"), "--test-clock"]) == 0
    home = opened(tmp_path / "home")
    assert due_backups(home) == []

    _ahead(home, timedelta(hours=25))
    assert [told["name"] for _, told in due_backups(home)] == ["control", "main"]
    for kind, told in due_backups(home):
        perform(home, kind, Asked(told, "the server"))
    assert due_backups(home) == []
    manual = str(perform(home, "backup", Asked({"name": "main"}, "a test"))["backup"])

    _ahead(home, timedelta(days=29))
    expired = {told["backup"] for _, told in due_removals(home)}
    kept = {each.id for each in Backups(home).listed()} - expired
    assert manual in kept
    assert {each.environment for each in Backups(home).listed() if each.id in kept} == {"control", "main"}
    assert {each.kind for each in Backups(home).listed() if each.id in expired} == {SYSTEM}


def _ahead(home: Home, step: timedelta) -> None:
    assert isinstance(home.clock, MovableClock)
    home.clock.move_to(home.clock.now() + step)
