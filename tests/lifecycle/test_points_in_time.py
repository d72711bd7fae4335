"""TS-408, TS-409: any second since a back-up comes back exactly, from the back-up and the journal of what followed."""

import base64
import random
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.lifecycle.states import OF_THE_TRAIL, add_accounts, change, differing, digests, opened, state_of

from strongroom.clock import iso
from strongroom.environment import Environment, open_environment
from strongroom.home import MovableClock
from strongroom.ids import Guid
from strongroom.lifecycle.operations import Asked, perform
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
        for step in range(6):
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

    for moment in sorted(states, reverse=True)[::2]:
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
