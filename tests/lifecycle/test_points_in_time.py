"""TS-408, TS-409: any second since a back-up comes back exactly, from the back-up and the journal of what followed."""

import base64
import contextlib
import json
import random
import shutil
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.lifecycle.states import OF_THE_TRAIL, add_accounts, change, differing, digests, opened, state_of
from tests.servers import STRONGROOM, run_cli

from strongroom.clock import iso
from strongroom.environment import Environment
from strongroom.environments import Environments
from strongroom.errors import BackupDamaged, InvalidRequest
from strongroom.home import MovableClock
from strongroom.ids import Guid
from strongroom.lifecycle.backups import Backups
from strongroom.lifecycle.operations import Asked, perform
from strongroom.lifecycle.upkeep import KeepingJournals
from strongroom.opening import open_environment
from strongroom.records import NewRecord, Session, change_schema, create, delete, update
from strongroom.schema.changes import NewColumn, NewTable, create_table
from strongroom.schema.model import ColumnType, Ownership
from strongroom.store.protocol import Value
from strongroom.trail import Trail

_BOAT = NewTable("new_boat", Ownership.USER, NewColumn("new_name", ColumnType.STRING))
_OWN = {"audit", "counters", *OF_THE_TRAIL}
"""Tables that the restore itself writes to."""


@pytest.fixture
def home(tmp_path: Path, stores: Stores, engine: str) -> Path:
    """A home with a clock of its own whose environment `main` is a sandbox with a back-up, on each engine."""
    made = make_home(tmp_path, stores, engine, "--test-clock")
    do(made, "convert", name="main", type="sandbox")
    change(made, "main", lambda environment: add_accounts(environment, "Ada"))
    do(made, "backup", name="main")
    return made


def do(home: Path, kind: str, **arguments: str) -> dict[str, object]:
    return dict(perform(opened(home), kind, Asked(arguments, "a test")))


def later(home: Path, seconds: int) -> str:
    """Let time pass; what it is then."""
    clock = opened(home).clock
    assert isinstance(clock, MovableClock)
    clock.move_to(clock.now() + timedelta(seconds=seconds))
    return iso(clock.now())


class Company:
    """Somebody who does all kinds of things, by chance."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._rows: list[Guid] = []
        self._number = 0

    def work(self, environment: Environment) -> None:
        with environment.session_of("admin", write=True) as session:
            for _ in range(self._chance.randint(1, 3)):
                self._act(session)

    def _act(self, session: Session) -> None:
        self._number += 1
        accounts = session.table("account")
        kind = self._chance.choice(["create", "create", "update", "delete", "note", "many"])
        if kind == "many":
            for number in range(25):
                create(session, session.table("contact"), NewRecord({"lastname": f"M {self._number} {number}"}))
        elif kind == "note":
            body = base64.b64encode(self._chance.randbytes(300)).decode()
            values: dict[str, Value] = {"subject": f"Ü{self._number}", "documentbody": body, "filename": "a.bin"}
            create(session, session.table("annotation"), NewRecord(values))
        elif kind == "create" or not self._rows:
            made: dict[str, Value] = {"name": f"Account {self._number}", "revenue": Decimal(f"{self._number}.25")}
            self._rows.append(create(session, accounts, NewRecord(made)))
        elif kind == "update":
            update(session, accounts, self._chance.choice(self._rows), {"name": f"Renamed {self._number}"})
        else:
            delete(session, accounts, self._rows.pop(self._chance.randrange(len(self._rows))))


def test_every_second_after_a_back_up_comes_back_exactly(home: Path) -> None:
    """TS-408, TS-409: creates, changes, deletes, bulk, files, metadata, the trail and its heads; by the hash of each
    table."""
    company, found = Company(7), opened(home)
    states: dict[str, dict[str, str]] = {}
    environment = open_environment(found, "main")
    try:
        for step in range(4):
            company.work(environment)
            if step == 2:
                with environment.session_of("admin", write=True) as session:
                    change_schema(session, create_table(session.schema, _BOAT))
                with environment.session_of("admin", write=True) as session:
                    create(session, session.table("new_boat"), NewRecord({"new_name": "Ark"}))
            if step % 2:
                Trail(found, environment).seal()
            states[iso(found.clock.now())] = digests(environment)
            later(home, 10)
    finally:
        environment.close()

    for moment in sorted(states, reverse=True)[1::2]:
        answer = do(home, "restore", name="main", to="main", at=moment)
        assert differing(states[moment], state_of(home, "main")) <= _OWN, moment
        assert answer["pointInTime"] == moment
        assert doubts(home) == ()
        do(home, "restore", backup=str(answer["before"]), to="main")


def doubts(home: Path) -> tuple[str, ...]:
    found = opened(home)
    environment = open_environment(found, "main")
    try:
        return (*environment.database.check(), *Trail(found, environment).verify().doubts)
    finally:
        environment.close()


@pytest.fixture(scope="module")
def journaled(tmp_path_factory: pytest.TempPathFactory, stores: Stores) -> Path:
    """A home on the embedded engine with a back-up and, two hours apart, three parts of the journal after it."""
    made = make_home(tmp_path_factory.mktemp("journaled"), stores, "sqlcipher", "--test-clock")
    do(made, "convert", name="main", type="sandbox")
    do(made, "backup", name="main")
    for name in ("Ada", "Bea", "Cyd"):
        later(made, 7200)
        change(made, "main", lambda environment, name=name: add_accounts(environment, name))
        found = opened(made)
        Backups(found).journals.keep_of(found.record("main"))
    later(made, 10)
    return made


@pytest.fixture
def copied(journaled: Path, tmp_path: Path) -> Path:
    shutil.copytree(journaled, tmp_path / "home")
    return tmp_path / "home"


def segments(home: Path) -> list[Path]:
    """The parts of the journal after the back-up, oldest first."""
    return sorted((home / "backups").rglob("*.segment"))[-3:]


def test_parts_of_the_journal_hold_nothing_in_clear(journaled: Path) -> None:
    """TS-408, TS-502: statements and values are sealed on disk, and leave the store."""
    for path in segments(journaled):
        data = path.read_bytes()
        assert b"account" not in data
        assert b"Ada" not in data
    environment = open_environment(opened(journaled), "main")
    try:
        assert len(environment.database.journal_after(0, 1_000_000)) == 1
    finally:
        environment.close()


@pytest.mark.parametrize("harm", ["flipped byte", "cut", "swapped", "renamed", "of another line", "missing"])
def test_harmed_journal_is_found_and_the_target_untouched(copied: Path, harm: str) -> None:
    """TS-409: 422 backup-damaged; a gap is outside the window."""
    _, second, third = segments(copied)
    now = iso(opened(copied).clock.now())
    before = state_of(copied, "main")
    if harm == "flipped byte":
        data = bytearray(second.read_bytes())
        data[len(data) // 2] ^= 1
        second.write_bytes(data)
    elif harm == "cut":
        second.write_bytes(second.read_bytes()[:-7])
    elif harm == "swapped":
        one, other = second.read_bytes(), third.read_bytes()
        second.write_bytes(other)
        third.write_bytes(one)
    elif harm == "renamed":
        third.rename(third.with_name(third.name.replace("-2026", "-2020")))
        second.rename(second.with_name(second.name.replace("-20", "-19", 1)))
    elif harm == "of another line":
        third.parent.rename(third.parent.with_name("another"))
    else:
        second.unlink()

    with pytest.raises((BackupDamaged, InvalidRequest)) as refused:
        do(copied, "restore", name="main", to="main", at=now)

    assert refused.value.status in (400, 422)
    assert differing(before, state_of(copied, "main")) == set()
    assert opened(copied).record("main").state.value == "ready"
    if harm == "missing":
        assert "is missing" in refused.value.message or "must lie between" in refused.value.message


def test_parts_of_one_hour_become_one(journaled: Path, tmp_path: Path) -> None:
    """TS-408: a file for every ten seconds would be hundreds of thousands; what is joined comes back as before."""
    copied = tmp_path / "home"
    shutil.copytree(journaled, copied)
    number = len(segments(copied))
    for name in ("Dan", "Eve", "Fay"):
        change(copied, "main", lambda environment, name=name: add_accounts(environment, name))
        found = opened(copied)
        Backups(found).journals.keep_of(found.record("main"))
    before, moment = state_of(copied, "main"), iso(opened(copied).clock.now())

    assert len(sorted((copied / "backups").rglob("*.segment"))) <= number + 2
    do(copied, "restore", name="main", to="main", at=moment)
    assert differing(before, state_of(copied, "main")) <= _OWN


def test_moment_outside_the_window_is_refused_with_the_window(copied: Path) -> None:
    """TS-409: 400 outside-window; the command tells the window."""
    for at in ("2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "yesterday", "2026-01-01T00:00:00"):
        with pytest.raises(InvalidRequest) as refused:
            do(copied, "restore", name="main", to="main", at=at)
        assert refused.value.details["reason"] == "outside-window"

    told = run_cli("backup", "window", "--home", str(copied), "--json").stdout

    (window,) = json.loads(told)
    assert window["environment"] == "main"
    assert window["from"] == Backups(opened(copied)).listed()[0].taken_on
    assert window["to"] >= window["from"]


def _is_killed(_: int) -> None:
    """What comes after a segment was written does not happen."""


def test_entries_that_a_killed_process_left_in_both_places_count_once(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TS-413: between writing a segment and forgetting its entries."""
    environment = open_environment(opened(copied), "main")
    found = opened(copied)
    try:
        add_accounts(environment, "Dan")
        states = digests(environment)
        monkeypatch.setattr(environment.database, "forget_journal", _is_killed)
        Backups(found).journals.keep(found.record("main"), environment.database)
        monkeypatch.undo()
        (segments(copied)[-1].parent / "half.segment.new").write_bytes(b"half")
        moment = iso(found.clock.now())
        later(copied, 5)
        add_accounts(environment, "Eve")
    finally:
        environment.close()

    do(copied, "restore", name="main", to="main", at=moment)

    assert differing(states, state_of(copied, "main")) <= _OWN
    assert not list((copied / "backups").rglob("*.new"))


def test_restore_ends_the_journal_and_a_back_up_begins_another_one(copied: Path) -> None:
    """TS-409: a moment after the restore comes from the new line, one before it from the old one."""
    old = Backups(opened(copied)).listed()[0].taken_on
    do(copied, "restore", name="main", to="main", at=old)
    do(copied, "open", name="main")
    environments = Environments(opened(copied))
    try:
        keeping = KeepingJournals(environments)
        environments.named("main")
        later(copied, 5)
        keeping.look()
        assert Backups(opened(copied)).listed()[-1].label == "begins the journal"
        add_accounts(environments.named("main"), "Zoe")
        states, moment = digests(environments.named("main")), iso(opened(copied).clock.now())
        later(copied, 5)
        keeping.look()
    finally:
        environments.close()

    do(copied, "restore", name="main", to="main", at=moment)

    assert differing(states, state_of(copied, "main")) <= _OWN


def test_journal_beside_its_environment_makes_a_sandbox_of_any_second(copied: Path) -> None:
    """TS-409"""
    moment = iso(opened(copied).clock.now())
    run_cli("restore", "--home", str(copied), "--at", moment, "--to", "twin", "--confirm", "twin")
    assert differing(state_of(copied, "main"), state_of(copied, "twin")) <= _OWN | {"security_change"}


def test_what_nobody_needs_of_a_journal_is_forgotten(copied: Path) -> None:
    """TS-408: kept as long as a back-up and the retention need it."""
    found = opened(copied)
    record = found.record("main")
    assert Backups(found).forget_journal(record) == 0
    later(copied, 8 * 24 * 3600)
    do(copied, "backup", name="main")
    later(copied, 8 * 24 * 3600)
    backups = Backups(opened(copied))

    assert backups.forget_journal(record) == 0, "the base has no journal after it yet"
    change(copied, "main", lambda environment: add_accounts(environment, "Zed"))
    backups.journals.keep_of(record)
    assert backups.forget_journal(record) > 0
    assert backups.forget_journal(record) == 0


@pytest.mark.parametrize("where", [0.3, 0.7])
def test_killed_restore_to_a_moment_leaves_one_state_or_the_other(copied: Path, where: float) -> None:
    """TS-413"""
    before = state_of(copied, "main")
    stamp = segments(copied)[1].stem.split("-")[-1]
    moment = iso(datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC))
    command = [STRONGROOM, "restore", "--at", moment, "--confirm", "main", "--home", str(copied)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=2 * where)
    process.send_signal(signal.SIGKILL)
    process.wait()

    after = state_of(copied, "main")
    names = _names(copied)

    assert differing(after, before) <= _OWN or names == ["Ada", "Bea"]
    assert doubts(copied) == ()
    do(copied, "restore", name="main", to="main", at=moment)
    assert _names(copied) == ["Ada", "Bea"]


def _names(home: Path) -> list[str]:
    environment = open_environment(opened(home), "main")
    try:
        with environment.database.read() as transaction:
            return sorted(
                str(row.values["name"]) for row in transaction.rows_where(transaction.schema.tables["account"], {})
            )
    finally:
        environment.close()
