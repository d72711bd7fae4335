"""An environment for attacks on the second lock (decision 0011), and an attacker's ways into it.

It belongs to a database user that is no superuser. Sam may read one of two accounts, and nothing of its secured column.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from tests.engines import NAME, START, Stores
from tests.worlds import World

from strongroom.access.planning import plan_for
from strongroom.access.resolve import resolve
from strongroom.clock import TestClock
from strongroom.ids import Guid, Reference
from strongroom.schema.changes import NewColumn
from strongroom.schema.model import ColumnType, Depth, Rights
from strongroom.schema.standard_tables import standard_schema
from strongroom.store import by_hand
from strongroom.store.database import StoreDatabase, open_database
from strongroom.store.engine import Sight
from strongroom.store.postgresql import PostgresqlConnection

SCHEMA = f"env_{NAME}"
KEEPER = "keeper_of_tests"
SSN = "123-45-6789"


@dataclass(frozen=True)
class Place:
    """An environment with two accounts of which Sam may read one, and a contact of which nothing."""

    url: str
    database: StoreDatabase
    world: World
    sam: Guid
    mine: Guid
    hidden: Guid

    def owner(self) -> PostgresqlConnection:
        """A session of the tables' owner."""
        return PostgresqlConnection(self.url, SCHEMA)

    def sight(self, who: Guid | None = None) -> Sight:
        """What somebody sees, Sam unless told."""
        with self.database.read() as transaction:
            facts = transaction.facts(Reference("systemuser", who or self.sam))
            assert facts is not None
            epoch = transaction.stamp.security_epoch
            caller = resolve(facts, transaction.schema, epoch)
            return Sight([plan_for(caller, each, Rights.READ) for each in transaction.schema.tables.values()], epoch)

    @contextmanager
    def session(self, who: Guid | None = None) -> Generator[psycopg.Connection]:
        """A reader's session."""
        owner = self.owner()
        try:
            with by_hand.reader(owner, self.url, self.sight(who)) as session:
                yield session
        finally:
            owner.close()

    def ask(self, sql: str, who: Guid | None = None) -> list[dict[str, object]]:
        """Send a statement through the door."""
        sight = self.sight(who)
        with self.database.read() as transaction:
            return transaction.read_by_hand(sight.plans, sql, 50)


@contextmanager
def guarded_place(stores: Stores) -> Generator[Place]:
    """The environment, on the server of the tests."""
    url = stores.empty_place("postgresql")
    assert isinstance(url, str)
    name = url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(url, autocommit=True) as root:
        root.execute(f"create role {KEEPER} login createrole".encode())
        root.execute(f"grant create on database {name} to {KEEPER}".encode())
    url = url.replace("postgres:@", f"{KEEPER}:@", 1)
    database = open_database(
        url, data_key=None, create=True, name=NAME, clock=TestClock(START), schema=standard_schema()
    )
    world = World(database)
    world.new_column("account", NewColumn("new_ssn", ColumnType.STRING, is_secured=True))
    sam = world.user("Sam", None, world.role("Reader", {"account": {Rights.READ: Depth.BASIC}}))
    mine = world.create("account", name="Mine", new_ssn=SSN, numberofemployees=7, ownerid=Reference("systemuser", sam))
    hidden = world.create("account", name="Hidden", new_ssn=SSN, numberofemployees=5)
    world.create("contact", lastname="Hidden")
    yield Place(url, database, world, sam, mine, hidden)
    database.close()


def send(session: psycopg.Connection, sql: str) -> str:
    """Everything that comes back for a command, an error's words and details included."""
    try:
        cursor = session.execute(sql.encode())
        if cursor.description is None:
            return cursor.statusmessage or ""
        return str([tuple(str(v) if not isinstance(v, bool | int) else v for v in row) for row in cursor.fetchall()])
    except psycopg.Error as error:
        session.rollback()
        return f"{error} {error.diag.message_detail} {error.diag.message_hint} {error.diag.context}"
