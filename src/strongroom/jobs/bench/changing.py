"""A role with 500 privileges changed again and again while 16 clients read: every answer must be right, and none late.

Sixteen users hold the role and own five accounts each. An administrator replaces the role's privileges, with accounts
to be read at Basic and at Global by turns. A client must see its own accounts or all, as the role stood when the answer
was made: the new way in every answer that was asked for after the change had been answered (SM-4).
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import orjson
import uvloop

from strongroom.environment import Environment
from strongroom.home import Home, create_home
from strongroom.identity.tokens import issue
from strongroom.ids import Guid, Reference
from strongroom.jobs.bench.client import Exchange, request
from strongroom.jobs.bench.figures import Figure, Spread, Target
from strongroom.jobs.bench.place import Place, make_control
from strongroom.jobs.bench.serving import served
from strongroom.opening import create_environment
from strongroom.records import Birth, NewRecord, RolePrivilege, associate, create, replace_privileges
from strongroom.schema.model import Depth, Rights, Schema

READERS = 16
PRIVILEGES = 500
_ROWS_OF_EACH = 5
_CHANGES = 20
_LIST = "/api/data/v9.2/accounts?$select=name"
_PAUSE_S = 0.05
"""Between two changes: a role is not edited without end."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part: the requests of the readers, and the two changes of the administrator."""

    readers: tuple[bytes, ...]
    changes: tuple[bytes, bytes]
    """To Basic, and to Global."""


@dataclass(slots=True)
class Watched:
    """Readings and changes with their times, in seconds."""

    readings: list[tuple[float, float, int]] = field(default_factory=list[tuple[float, float, int]])
    """Asked, answered, rows seen."""
    changes: list[tuple[float, float, int]] = field(default_factory=list[tuple[float, float, int]])
    """Asked, answered, rows to be seen from then on."""

    def wrong(self) -> list[tuple[float, float, int]]:
        """Readings that show what the role did not give at any moment of them."""
        return [reading for reading in self.readings if reading[2] not in self._right(*reading[:2])]

    def _right(self, asked: float, answered: float) -> set[int]:
        before = [rows for _, done, rows in self.changes if done <= asked]
        during = {rows for begun, done, rows in self.changes if done > asked and begun < answered}
        return during | {before[-1] if before else _ROWS_OF_EACH}

    def latencies_ms(self, *, changing: bool) -> list[float]:
        """How long readings took that ran while a change was made, or while none was."""
        spans = [(begun, done) for begun, done, _ in self.changes]
        return [
            (answered - asked) * 1e3
            for asked, answered, _ in self.readings
            if changing is any(begun < answered and done > asked for begun, done in spans)
        ]


def role_changes(place: Place, rounds: int) -> Iterator[Figure]:
    """The longest and the usual wait of a reader, while the role changes and while it does not; on SQLCipher, in an
    environment of its own."""
    if place.engine != "sqlcipher":
        return
    with TemporaryDirectory(prefix="strongroom-bench-") as folder:
        home = create_home(Path(folder) / "home")
        make_control(home)
        environment, _ = create_environment(home, "role", Birth("role", "admin@bench"))
        cast = prepare(environment, home)
        environment.close()
        with served(home.path, workers=2) as (port, _):
            watch(port, cast, 2)
            found = [watch(port, cast, _CHANGES) for _ in range(rounds)]
    right = [1 - len(each.wrong()) / len(each.readings) for each in found]
    yield Figure(
        "right answers while a role changes", Spread(min(right), min(right), max(right)), target=Target(least=1)
    )
    for changing, when in ((False, "between changes of a role"), (True, "while a role changes")):
        waits = [each.latencies_ms(changing=changing) for each in found]
        yield Figure(f"a reader's usual wait {when}", Spread.of([median(each) for each in waits]), "ms")
        target = Target(most=50) if changing else None
        yield Figure(f"a reader's longest wait {when}", Spread.of([max(each) for each in waits]), "ms", target=target)
    yield Figure("a change of 500 privileges", Spread.of([(b - a) * 1e3 for w in found for a, b, _ in w.changes]), "ms")


def prepare(environment: Environment, home: Home) -> Cast:
    """Make the role, its holders and their accounts in an environment of the benchmark's own."""
    with environment.session_of("admin", write=True) as session:
        root = session.transaction.unit_tree().units[session.caller.unit].id
        here = Reference("businessunit", root)
        role = create(session, session.table("role"), NewRecord({"name": "Wide", "businessunitid": here}))
        held = _privileges(session.schema)
        replace_privileges(session, role, [RolePrivilege(each, depth) for each, depth in held.items()])
        readers = [
            create(
                session,
                session.table("systemuser"),
                NewRecord({"firstname": f"R{number}", "domainname": f"reader{number}@bench", "businessunitid": here}),
            )
            for number in range(READERS)
        ]
        association = session.schema.many_to_many["systemuserroles_association"]
        for reader in readers:
            owner = Reference("systemuser", reader)
            associate(session, association, owner, Reference("role", role))
            for number in range(_ROWS_OF_EACH):
                create(session, session.table("account"), NewRecord({"name": f"A{number}", "ownerid": owner}))
        administrator = session.caller.id

    def token(user: Guid) -> str:
        return issue(home.keys, environment.id, user, environment.clock, timedelta(hours=1))

    read = _read_account(session.schema)
    basic, wide = ({**held, read: depth} for depth in (Depth.BASIC, Depth.GLOBAL))
    return Cast(
        tuple(request(_LIST, token(reader)) for reader in readers),
        (_replacing(role, basic, token(administrator)), _replacing(role, wide, token(administrator))),
    )


def _read_account(schema: Schema) -> Guid:
    return schema.tables["account"].privileges[Rights.READ].id


def _privileges(schema: Schema) -> dict[Guid, Depth]:
    """Read on accounts, and enough others, each at the least depth that it has."""
    found = {_read_account(schema): Depth.BASIC}
    for privilege in schema.privileges_by_id.values():
        if len(found) < PRIVILEGES and privilege.table is not None:
            found.setdefault(privilege.id, min(privilege.depths, key=lambda depth: depth.value))
    return found


def _replacing(role: Guid, privileges: dict[Guid, Depth], token: str) -> bytes:
    listed = [{"PrivilegeId": each, "Depth": depth.wire_name} for each, depth in privileges.items()]
    path = f"/api/data/v9.2/roles({role})/Microsoft.Dynamics.CRM.ReplacePrivilegesRole"
    return request(path, token, body=orjson.dumps({"Privileges": listed}))


def watch(port: int, cast: Cast, changes: int) -> Watched:
    """All readers without a pause, and so many changes of the role. Raises on any answer that is no success."""
    return uvloop.run(_watch(port, cast, changes))


async def _watch(port: int, cast: Cast, changes: int) -> Watched:
    watched, stopped = Watched(), asyncio.Event()
    readers = [asyncio.create_task(_read(port, asked, watched, stopped)) for asked in cast.readers]
    try:
        await _change(port, cast.changes, watched, changes)
    finally:
        stopped.set()
        await asyncio.gather(*readers)
    return watched


async def _read(port: int, asked: bytes, watched: Watched, stopped: asyncio.Event) -> None:
    exchange = await Exchange.open(port)
    while not stopped.is_set():
        began = perf_counter()
        body = await exchange.ask(asked)
        watched.readings.append((began, perf_counter(), body.count(b'"name":')))
    await exchange.close()


async def _change(port: int, requests: Sequence[bytes], watched: Watched, changes: int) -> None:
    exchange = await Exchange.open(port)
    await asyncio.sleep(_PAUSE_S)
    for number in range(changes):
        to_all = number % 2 == 0
        began = perf_counter()
        await exchange.ask(requests[to_all])
        rows = _ROWS_OF_EACH * READERS if to_all else _ROWS_OF_EACH
        watched.changes.append((began, perf_counter(), rows))
        await asyncio.sleep(_PAUSE_S)
    await exchange.close()
