"""An environment that is watched: its trail is sealed and its alert rules are judged when a test says so."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.engines import START, Stores
from tests.worlds import World

from strongroom.audit.activities import Activity, Actor, Outcome, activity
from strongroom.audit.heads import Signer
from strongroom.audit.sealing import Sealer
from strongroom.clock import TestClock, iso
from strongroom.ids import Guid, Reference
from strongroom.monitoring.evaluation import AlertWatch
from strongroom.monitoring.outbound import Outbound
from strongroom.monitoring.shipped import ship
from strongroom.monitoring.tables import ALERT, RULE, monitoring_tables
from strongroom.monitoring.verbs import register_rules
from strongroom.records import Session
from strongroom.records.own_tables import ensure_tables
from strongroom.records.platform_user import platform_caller
from strongroom.store.database import StoreDatabase
from strongroom.store.protocol import Row, Value

ENVIRONMENT = Guid("11111111-2222-4333-8444-555555555555")


@dataclass
class Watched:
    """The world with what looks at its trail."""

    world: World
    clock: TestClock
    sealer: Sealer
    alerts: AlertWatch

    @property
    def database(self) -> StoreDatabase:
        assert isinstance(self.world.database, StoreDatabase)
        return self.world.database

    def look(self) -> int:
        """Seal what is committed and judge it."""
        self.sealer.seal()
        return self.alerts.look()

    def pass_time(self, **span: float) -> None:
        """Move the clock on."""
        self.clock.move_to(self.clock.now() + timedelta(**span))

    @contextmanager
    def acting(self, who: Guid | None = None) -> Generator[Session]:
        """A unit of work whose activities are stored, as an edge does it."""
        with self.world.acting(who or self.world.admin) as session:
            yield session
            session.transaction.append_activity(session.activities)

    @contextmanager
    def platform(self) -> Generator[Session]:
        """A unit of work in the platform's name."""
        with self.database.write() as transaction:
            yield Session(transaction, platform_caller(transaction.schema), self.clock, self.world.rules)

    def rule(self, **values: Value) -> Guid:
        """A rule that is on."""
        return self.world.make(RULE, {"name": "Rule", "isenabled": True, **values})

    def tell(
        self, what: Activity, user: Guid | None = None, *, outcome: Outcome = Outcome.SUCCESS, **more: str
    ) -> None:
        """One activity of somebody."""
        now, address = iso(self.clock.now()), more.get("address")
        if what is Activity.SIGN_IN:  # about a person of the directory, by nobody yet
            told = activity(Actor(now, address=address), what, outcome=outcome, table="directoryuser", row=user)
        else:
            who = None if user is None else Reference("systemuser", user)
            told = activity(Actor(now, who, address=address), what, outcome=outcome)
        with self.database.write() as transaction:
            transaction.append_activity((told,))

    def raised(self, rule: Guid | None = None, code: str | None = None) -> list[Row]:
        """The alerts of a rule."""
        rows = self.world.rows(ALERT)
        return [
            row
            for row in rows
            if (rule is None or row.values["alertruleid"] == Reference(RULE, rule))
            and (code is None or row.values["code"] == code)
        ]


@contextmanager
def watched(stores: Stores, engine: str, *, with_shipped: bool = False) -> Generator[Watched]:
    """A watched environment of its own."""
    clock = TestClock(START)
    with stores.opened(engine, clock) as database:
        world = World(database, clock)
        register_rules(world.rules, Outbound(("127.0.0.1", "localhost", "siem.example.com:6514")))
        ensure_tables(database, world.rules, clock, monitoring_tables())
        sealer = Sealer(database, Signer(ENVIRONMENT, Ed25519PrivateKey.generate(), False), clock, lambda _: None)
        found = Watched(world, clock, sealer, AlertWatch(database, world.rules, clock))
        if with_shipped:
            with found.platform() as session:
                ship(session)
        found.look()
        yield found
