"""A long trail stays quick to search, and each write pays for few indexes (performance page, section 4)."""

from pathlib import Path

from tests.engines import DATA_KEY, NAME, Stores
from tests.worlds import World

from strongroom.access.planned import planned
from strongroom.query.ast import Comparison, Field, Literal, Operator, Order, Output, Select, Source, conjunction
from strongroom.schema.model import ColumnType, Table
from strongroom.store.compile import Statements, Visible
from strongroom.store.dialect import POSTGRESQL, SQLITE
from strongroom.store.engine import Connection
from strongroom.store.postgresql import PostgresqlConnection
from strongroom.store.postgresql_server import schema_name
from strongroom.store.protocol import Value
from strongroom.store.sqlcipher import SqlcipherConnection


def by_user_and_day(table: Table, user: str) -> Select:
    """The newest entries of a user between two moments."""
    return between_moments(table, "userid", user, ColumnType.UNIQUEIDENTIFIER)


def between_moments(table: Table, column: str, wanted: Value, kind_of_it: ColumnType) -> Select:
    """The newest entries with a value between two moments."""

    def compare(operator: Operator, name: str, value: Value, kind: ColumnType) -> Comparison:
        return Comparison(operator, Field("", table.columns[name]), Literal(value, kind))

    where = conjunction(
        compare(Operator.EQUAL, column, wanted, kind_of_it),
        compare(Operator.GREATER_OR_EQUAL, "createdon", "2026-01-05T00:00:00Z", ColumnType.DATETIME),
        compare(Operator.LESS, "createdon", "2026-01-06T00:00:00Z", ColumnType.DATETIME),
    )
    newest_first = (Order(Field("", table.columns["createdon"]), descending=True),)
    outputs = (Output("changedata", Field("", table.columns["changedata"])),)
    return Select(Source(table), outputs, where=where, order=newest_first, page_size=50)


def connected(place: str | Path) -> Connection:
    """A connection beside the environment's own."""
    if isinstance(place, Path):
        return SqlcipherConnection(place, DATA_KEY, 1)
    return PostgresqlConnection(place, schema_name(NAME))


def plan_of_search(stores: Stores, place: str | Path, engine: str) -> str:
    """What the engine says of the search."""
    database = stores.open(place)
    world = World(database)
    with world.administrating() as session:
        query = planned(by_user_and_day(session.table("audit"), world.admin), session.caller)
        statements = Statements(SQLITE if engine == "sqlcipher" else POSTGRESQL)
        found = statements.select(query, session.schema, lambda table, reach: Visible(10_000_000, 10_000_000))
    database.close()
    connection = connected(place)
    if engine == "postgresql":
        connection.execute("set enable_seqscan = off")
        connection.execute("set enable_bitmapscan = off")
    explain = "explain query plan" if engine == "sqlcipher" else "explain"
    lines = connection.query(f"{explain} {found.sql}", found.parameters)
    connection.close()
    return "\n".join(str(line[-1]) for line in lines)


def test_a_search_by_user_and_time_reads_only_what_it_shows(stores: Stores, engine: str) -> None:
    """The index in the order of time tells whose entries they are: entries of others are passed over in it."""
    plan = plan_of_search(stores, stores.place(engine), engine)

    if engine == "sqlcipher":
        assert "SEARCH t0 USING COVERING INDEX ix_audit_createdon" in plan
        assert "TEMP B-TREE" not in plan
    else:
        condition = next(line for line in plan.splitlines() if "Index Cond" in line)
        assert "createdon" in condition and "userid" in condition
        assert "ix_audit_createdon" in plan


def test_entries_of_an_action_in_a_time_are_counted_in_the_index_alone(stores: Stores) -> None:
    """As a page does that tells how many attempts were refused today. PostgreSQL has the same index; whether it visits
    the rows besides depends on when they were vacuumed."""
    place = stores.place("sqlcipher")
    database = stores.open(place)
    with World(database).administrating() as session:
        table = session.table("audit")
        query = planned(between_moments(table, "action", 10001, ColumnType.PICKLIST), session.caller)
        found = Statements(SQLITE).count(query, session.schema, 5001)
    database.close()
    connection = connected(place)
    lines = connection.query(f"explain query plan {found.sql}", found.parameters)
    connection.close()

    plan = "\n".join(str(line[-1]) for line in lines)
    assert "SEARCH t0 USING COVERING INDEX ix_audit_createdon" in plan, plan


def test_an_older_environment_gets_the_index_when_it_is_opened(stores: Stores, engine: str) -> None:
    """Indexes are known by what they are: opening brings those of an older program up to date."""
    place = stores.place(engine)
    names = (
        "select name from sqlite_schema where type = 'index' and tbl_name = 'audit'"
        if engine == "sqlcipher"
        else "select indexname::text from pg_indexes where tablename = 'audit'"
    )
    connection = connected(place)
    present = {name for (name,) in connection.query(names)}
    (by_time,) = [name for name in present if "createdon" in name]
    connection.execute(f"drop index {by_time}")
    connection.execute("create index ix_audit_createdon_111b765b on audit (createdon, auditid)")
    connection.execute("update metadata set body = 'another' where kind = 'fingerprint'")

    stores.open(place).close()

    assert {name for (name,) in connection.query(names)} == present
    connection.close()
