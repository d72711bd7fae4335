"""Where the benchmark works: a home with the data set, made once and kept for the next run when a folder is given."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from strongroom.environment import Environment, Identity
from strongroom.home import EnvironmentKind, Home, create_home, open_home
from strongroom.home.registry import CONTROL
from strongroom.jobs.bench.connecting import connect
from strongroom.jobs.bench.loading import Loaded, Progress, load
from strongroom.jobs.demo import Archetype, BenchCompany, Row, bench_company
from strongroom.keys import Secret
from strongroom.opening import create_environment, open_environment, settle_memory
from strongroom.query.ast import Field, Order, Output, Select, Source
from strongroom.records import Birth
from strongroom.schema.model import Schema, Table
from strongroom.store.engine import Connection

SEED = 1
COLUMNS = (
    "name",
    "accountnumber",
    "telephone1",
    "emailaddress1",
    "address1_city",
    "numberofemployees",
    "revenue",
    "createdon",
)
"""The eight columns of every list (performance page, W2)."""

PAGE = 50
_MORE = 1_000_000


@dataclass(frozen=True)
class Place:
    """An open environment with the data set."""

    home: Home
    environment: Environment
    company: BenchCompany
    schema: Schema
    loaded: Loaded | None
    """How loading went, when this run did it."""

    @property
    def engine(self) -> str:
        return self.environment.database.engine

    @property
    def table(self) -> Table:
        return self.schema.tables["account"]

    @property
    def archetypes(self) -> tuple[Archetype, ...]:
        return self.company.archetypes

    def identity(self, archetype: Archetype) -> Identity:
        """The archetype as a caller."""
        return Identity(archetype.user)

    def list_by(self, order: str = "name", **more: object) -> Select:
        """The list of W2: the first rows of a page of 50, eight columns."""
        outputs = tuple(Output(name, self._field(name)) for name in COLUMNS)
        return Select(Source(self.table), outputs, order=(Order(self._field(order)),), page_size=PAGE)

    def _field(self, name: str) -> Field:
        return Field("", self.table.columns[name])

    def new_rows(self) -> Iterator[Row]:
        """More accounts of the same kind, without ids."""
        more = replace(self.company, accounts=self.company.accounts + _MORE)
        for row in more.account_rows(self.company.accounts):
            del row["accountid"]
            yield row

    def connect(self) -> Connection:
        """A connection of the benchmark's own, for the hand-written statements."""
        return connect(self.home, self.environment.record)


def make_control(home: Home) -> None:
    """The environment that every home has for its people and policies: each request asks it."""
    control, _ = create_environment(home, CONTROL, Birth(CONTROL, "admin@bench"), kind=EnvironmentKind.CONTROL)
    control.close()


def open_place(folder: Path, accounts: int, database: str | None, progress: Progress) -> Place:
    """The data set in `folder`: found there, or made. `HomeError` when what is there is of another size."""
    path = folder / f"{'postgresql' if database else 'sqlcipher'}-{accounts}"
    name = f"bench-{accounts}"  # data sets of two sizes have room in one database
    loaded: Loaded | None = None
    if path.exists():
        home = open_home(path)
        environment = open_environment(home, name)
        with environment.database.read() as transaction:
            root = transaction.rows_where(transaction.schema.tables["businessunit"], {}, limit=1)[0].id
        company = bench_company(SEED, accounts, root_unit=root)
    else:
        home = create_home(path)
        make_control(home)
        address = Secret(database.encode()) if database else None
        environment, born = create_environment(home, name, Birth(name, "admin@bench"), database=address)
        company = bench_company(SEED, accounts, root_unit=born.root_unit)
        loaded = load(environment, company, progress)
    with environment.database.read() as transaction:
        schema = transaction.schema
    settle_memory()  # as a server does
    return Place(home, environment, company, schema, loaded)
