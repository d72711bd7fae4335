"""A small world for the compiler's tests: a hand-made schema, random rows, and both engines filled with them.

Rows live twice: in the database, written by plain SQL according to `store.layout`, and as Python values for the naive
evaluator. The tables have every kind of column; the data has nulls, ties, several scripts, and all kinds of owners.
"""

import random
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

from strongroom.ids import Guid, Reference
from strongroom.schema.model import (
    Column,
    ColumnType,
    DateBehavior,
    ManyToMany,
    Ownership,
    Relationship,
    Schema,
    Table,
)
from strongroom.store import postgresql_server, sqlcipher_file
from strongroom.store.compile.values import Rounding, encoder
from strongroom.store.ddl import fit_tables, stored_columns
from strongroom.store.dialect import kind_of
from strongroom.store.engine import Connection, Engine
from strongroom.store.layout import fold, has_table_column, is_folded, is_stored, scale
from strongroom.store.platform import MIGRATIONS
from strongroom.store.postgresql import PostgresqlEngine
from strongroom.store.sqlcipher import SqlcipherEngine

T = ColumnType


def _column(name: str, kind: ColumnType, **more: object) -> Column:
    return Column(name, name, kind, Guid(f"00000000-0000-0000-0000-{abs(hash(name)) % 10**12:012d}"), **more)  # pyright: ignore[reportArgumentType] -- the tests' own keywords


def _table(
    name: str,
    code: int,
    ownership: Ownership,
    key: str,
    primary_name: str | None,
    columns: list[Column],
    **more: object,
) -> Table:
    if ownership is Ownership.USER:
        columns = [
            *columns,
            _column("ownerid", T.OWNER, targets=("systemuser", "team")),
            _column("owninguser", T.LOOKUP, targets=("systemuser",)),
            _column("owningteam", T.LOOKUP, targets=("team",)),
            _column("owningbusinessunit", T.LOOKUP, targets=("businessunit",)),
        ]
    every = [_column(key, T.UNIQUEIDENTIFIER), *columns]
    return Table(
        name,
        name,
        f"{name}s",
        code,
        Guid(f"00000000-0000-0000-0001-{code:012d}"),
        ownership,
        name,
        name,
        "",
        key,
        primary_name,
        MappingProxyType({column.logical_name: column for column in every}),
        **more,  # pyright: ignore[reportArgumentType] -- the tests' own keywords
    )


ACCOUNT = _table(
    "account",
    1,
    Ownership.USER,
    "accountid",
    "name",
    [
        _column("name", T.STRING, is_indexed=True),
        _column("city", T.STRING),
        _column("numberofemployees", T.INTEGER, is_indexed=True),
        _column("revenue", T.MONEY),
        _column("discount", T.DECIMAL, precision=2),
        _column("score", T.DOUBLE),
        _column("donotemail", T.BOOLEAN),
        _column("industrycode", T.PICKLIST),
        _column("createdon", T.DATETIME),
        _column("founded", T.DATETIME, behavior=DateBehavior.DATE_ONLY),
        _column("tags", T.MULTISELECT),
        _column("secret", T.STRING, is_secured=True),
        _column("parentaccountid", T.LOOKUP, targets=("account",)),
        _column("primarycontactid", T.LOOKUP, targets=("contact",)),
    ],
)
CONTACT = _table(
    "contact",
    2,
    Ownership.USER,
    "contactid",
    "fullname",
    [
        _column("fullname", T.STRING),
        _column("numberofchildren", T.INTEGER),
        _column("parentcustomerid", T.CUSTOMER, targets=("account", "contact")),
    ],
)
USER = _table("systemuser", 8, Ownership.BUSINESS, "systemuserid", "fullname", [_column("fullname", T.STRING)])
TEAM = _table("team", 9, Ownership.BUSINESS, "teamid", "name", [_column("name", T.STRING)])
UNIT = _table("businessunit", 10, Ownership.BUSINESS, "businessunitid", "name", [_column("name", T.STRING)])
SHARE = _table(
    "principalobjectaccess",
    11,
    Ownership.NONE,
    "principalobjectaccessid",
    None,
    [
        _column("objecttypecode", T.ENTITYNAME),
        _column("objectid", T.UNIQUEIDENTIFIER),
        _column("principalid", T.UNIQUEIDENTIFIER),
        _column("accessrightsmask", T.INTEGER),
        _column("inheritedaccessrightsmask", T.INTEGER),
    ],
)
LINK = _table(
    "account_contact",
    10001,
    Ownership.NONE,
    "account_contactid",
    None,
    [_column("accountid", T.UNIQUEIDENTIFIER), _column("contactid", T.UNIQUEIDENTIFIER)],
    is_intersect=True,
)
MANY = ManyToMany(
    "account_contact",
    Guid("00000000-0000-0000-0002-000000000001"),
    "account",
    "accountid",
    "account_contact",
    "contact",
    "contactid",
    "account_contact",
    "account_contact",
)


def _relationship(name: str, parent: Table, child: Table, column: str) -> Relationship:
    nothing = Guid("00000000-0000-0000-0003-000000000001")
    return Relationship(name, nothing, parent.logical_name, parent.primary_id, child.logical_name, column, column, name)


RELATIONSHIPS = {
    each.schema_name: each
    for each in (
        _relationship("account_parent", ACCOUNT, ACCOUNT, "parentaccountid"),
        _relationship("account_primary", CONTACT, ACCOUNT, "primarycontactid"),
        _relationship("contact_account", ACCOUNT, CONTACT, "parentcustomerid"),
        _relationship("contact_contact", CONTACT, CONTACT, "parentcustomerid"),
    )
}
TABLES = {table.logical_name: table for table in (ACCOUNT, CONTACT, USER, TEAM, UNIT, SHARE, LINK)}
SCHEMA = Schema(1, TABLES, RELATIONSHIPS, {"account_contact": MANY}, {}, {})

USERS = range(101, 107)
TEAMS = range(201, 204)
UNITS = range(301, 305)
PRINCIPALS = (*USERS, *TEAMS)


def guid(table: str, key: int) -> str:
    """The GUID of a row; its order is not that of the keys."""
    mixed = (key * 2654435761 + TABLES[table].object_type_code * 97) % 2**32
    return f"{mixed:08x}-0000-4000-8000-{key:012x}"


@dataclass
class Record:
    """One row as the naive evaluator sees it. Lookups to several tables hold a `Reference`."""

    table: Table
    key: int
    values: dict[str, object]
    owner: int | None = None
    unit: int | None = None

    @property
    def id(self) -> str:
        return str(self.values[self.table.primary_id])


@dataclass
class ShareRow:
    table: str
    object: int
    principal: int
    direct: int
    inherited: int


@dataclass
class World:
    """All rows, by table and key."""

    records: dict[str, dict[int, Record]] = field(default_factory=dict[str, dict[int, Record]])
    shares: list[ShareRow] = field(default_factory=list[ShareRow])
    links: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def add(self, record: Record) -> None:
        self.records.setdefault(record.table.logical_name, {})[record.key] = record

    def by_id(self, table: str, row_id: object) -> Record | None:
        return next((each for each in self.records.get(table, {}).values() if each.id == row_id), None)


NAMES = (
    "Adatum",
    "adatum",
    "Ädatum",
    "ΣΙΓΜΑΣ",
    "σιγμας",
    "Контосо",
    "контосо",
    "100%",
    "a_b",
    "[x]",
    "Zürich",
    "zeta",
    "ǅ",
)


def random_world(seed: int, accounts: int = 60, contacts: int = 40) -> World:
    """Rows of every table, deterministic in `seed`."""
    chance = random.Random(seed)
    world = World()
    for key in UNITS:
        world.add(Record(UNIT, key, {"businessunitid": guid("businessunit", key), "name": f"Unit {key}"}, None, key))
    for key in USERS:
        values: dict[str, object] = {"systemuserid": guid("systemuser", key), "fullname": f"User {chr(key)}"}
        world.add(Record(USER, key, values, key, chance.choice(UNITS)))
    for key in TEAMS:
        values = {"teamid": guid("team", key), "name": f"Team {key}"}
        world.add(Record(TEAM, key, values, key, chance.choice(UNITS)))
    account_keys = range(1000, 1000 + accounts)
    contact_keys = range(5000, 5000 + contacts)

    def maybe(value: object, part: float = 0.75) -> object:
        return value if chance.random() < part else None

    for key in contact_keys:
        customer: object = None
        if chance.random() < 0.6:
            target = chance.choice(("account", "contact"))
            keys = account_keys if target == "account" else contact_keys
            customer = Reference(target, Guid(guid(target, chance.choice(keys))))
        world.add(
            Record(
                CONTACT,
                key,
                {
                    "contactid": guid("contact", key),
                    "fullname": maybe(f"{chance.choice(NAMES)} {chance.randint(1, 5)}", 0.9),
                    "numberofchildren": maybe(chance.randint(0, 3)),
                    "parentcustomerid": customer,
                },
                chance.choice(PRINCIPALS),
                chance.choice(UNITS),
            )
        )
    for key in account_keys:
        world.add(
            Record(
                ACCOUNT,
                key,
                {
                    "accountid": guid("account", key),
                    "name": maybe(chance.choice(NAMES) + chance.choice(("", " 1", " 2")), 0.85),
                    "city": maybe(chance.choice(NAMES)),
                    "numberofemployees": maybe(chance.randint(1, 6)),
                    "revenue": maybe(Decimal(chance.randint(-3, 9)) / 4),
                    "discount": maybe(Decimal(chance.randint(0, 300)) / 100),
                    "score": maybe(chance.randint(0, 8) / 8),
                    "donotemail": maybe(chance.random() < 0.5),
                    "industrycode": maybe(chance.randint(1, 4)),
                    "createdon": maybe(
                        f"202{chance.randint(3, 5)}-{chance.randint(1, 12):02d}-0{chance.randint(1, 9)}T23:15:00Z"
                    ),
                    "founded": maybe(f"19{chance.randint(70, 72)}-01-0{chance.randint(1, 9)}"),
                    "tags": maybe(",".join(map(str, sorted(chance.sample(range(1, 15), chance.randint(1, 4)))))),
                    "secret": maybe("hidden"),
                    "parentaccountid": maybe(guid("account", chance.choice(account_keys)), 0.5),
                    "primarycontactid": maybe(guid("contact", chance.choice(contact_keys)), 0.6),
                },
                chance.choice(PRINCIPALS),
                chance.choice(UNITS),
            )
        )
    for table, keys in (("account", account_keys), ("contact", contact_keys)):
        pairs = {(chance.choice(keys), chance.choice(PRINCIPALS)) for _ in range(len(keys))}
        for row, principal in sorted(pairs):
            direct, inherited = chance.choice(((1, 0), (0, 1), (3, 0), (2, 0), (2, 1), (1, 1)))
            world.shares.append(ShareRow(table, row, principal, direct, inherited))
    pairs = {(chance.choice(account_keys), chance.choice(contact_keys)) for _ in range(accounts)}
    world.links = [(guid("account", first), guid("contact", second)) for first, second in sorted(pairs)]
    return world


def fill(engine: Engine, connection: Connection, world: World) -> None:
    """Make the tables and write every row of `world`."""
    create_tables(engine, connection)
    load(engine, connection, world)


def create_tables(engine: Engine, connection: Connection) -> None:
    """The tables of `SCHEMA` and those of the platform, empty."""
    MIGRATIONS[0].apply(engine, connection)
    fit_tables(engine, connection, None, SCHEMA)


def load(engine: Engine, connection: Connection, world: World) -> None:
    """Write every row of `world` into tables that are there."""
    for kind, keys in (("systemuser", USERS), ("team", TEAMS)):
        rows = [(key, guid(kind, key), kind) for key in keys]
        connection.insert("principal", ("id", "principalid", "kind"), rows)
    for name, records in world.records.items():
        table = TABLES[name]
        columns = tuple(stored_columns(table, engine))
        connection.insert(name, columns, [_stored(engine, table, columns, record) for record in records.values()])
        counted = Counter((record.owner or 0, record.unit or 0) for record in records.values())
        connection.insert(
            "counters",
            ("tablename", "owner", "unit", "amount"),
            [(name, owner, unit, amount) for (owner, unit), amount in counted.items()],
        )
    shares: list[tuple[object, ...]] = []
    number_of_shares = Counter((share.table, share.object) for share in world.shares)
    for number, share in enumerate(world.shares):
        record = world.records[share.table][share.object]
        name = record.values[record.table.primary_name or ""]
        kind = "systemuser" if share.principal in USERS else "team"
        shares.append(
            (
                number + 1,
                guid("principalobjectaccess", number + 1),
                share.object,
                share.principal,
                None if name is None else fold(str(name)),
                share.table,
                record.id,
                guid(kind, share.principal),
                share.direct,
                share.inherited,
                record.owner,
                record.unit,
                int(number_of_shares[share.table, share.object] == 1),
            )
        )
    names = ("id", "principalobjectaccessid", "object", "principal", "sort", "objecttypecode")
    connection.insert(
        "principalobjectaccess",
        (
            *(*names, "objectid", "principalid", "accessrightsmask", "inheritedaccessrightsmask"),
            *("owner", "unit", "alone"),
        ),
        shares,
    )
    links = [(n + 1, guid("account_contact", n + 1), *pair) for n, pair in enumerate(world.links)]
    connection.insert("account_contact", ("id", "account_contactid", "accountid", "contactid"), links)


def _stored(engine: Engine, table: Table, columns: tuple[str, ...], record: Record) -> tuple[object, ...]:
    return tuple(_stored_value(engine, table, record, name) for name in columns)


def _stored_value(engine: Engine, table: Table, record: Record, name: str) -> object:
    if name == "id":
        return record.key
    if name == "owner":
        return record.owner
    if name == "unit":
        return record.unit
    base, _, companion = name.partition("__")
    column = table.columns[base]
    value = record.values.get(base)
    assert is_stored(table, column)
    if value is None:
        return None
    if companion == "fold":
        assert is_folded(table, column)
        return fold(str(value))
    if isinstance(value, Reference):
        assert has_table_column(column)
        return value.table if companion == "table" else value.id
    decimal_scale = scale(column) if isinstance(value, Decimal) else 0
    return encoder(engine.dialect, kind_of(column), decimal_scale, Rounding.NONE, folded=False)(value)


@contextmanager
def sqlite_connection(folder: Path) -> Generator[tuple[Engine, Connection]]:
    """A new encrypted database."""
    key = bytes(range(32))
    sqlcipher_file.create(folder / "world.db", key)
    engine = SqlcipherEngine(folder / "world.db", key)
    connection = engine.connect()
    yield engine, connection
    connection.close()
    engine.close()


@contextmanager
def postgresql_connection(url: str, name: str) -> Generator[tuple[Engine, Connection]]:
    """A new schema on a running server."""
    postgresql_server.create(url, name)
    engine = PostgresqlEngine(url, postgresql_server.schema_name(name))
    connection = engine.connect()
    yield engine, connection
    connection.close()
    engine.close()
    postgresql_server.drop(url, name)
