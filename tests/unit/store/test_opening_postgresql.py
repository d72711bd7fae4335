"""Opening an environment on a server: what does not fit is named."""

import psycopg
import pytest
from tests.engines import NAME, START, Stores
from tests.unit.store.people import below

from strongroom.clock import TestClock
from strongroom.errors import HomeError, IntegrityViolation, InvalidRequest, Unavailable
from strongroom.ids import EMPTY_GUID, Guid
from strongroom.store import postgresql_server
from strongroom.store.database import StoreDatabase, open_database


def _open(url: str, name: str = NAME, *, create: bool = False) -> StoreDatabase:
    return open_database(url, data_key=None, create=create, name=name, clock=TestClock(START))


def test_two_environments_live_side_by_side_on_one_server(stores: Stores) -> None:
    url = str(stores.empty_place("postgresql"))
    for name in ("sales", "north-west"):
        _open(url, name, create=True).close()

    for name in ("sales", "north-west"):
        database = _open(url, name)
        assert database.check() == []
        database.close()


def test_an_environment_that_is_missing_or_there_already_is_named(stores: Stores) -> None:
    url = str(stores.place("postgresql"))
    with pytest.raises(HomeError, match="no schema env_other"):
        _open(url, "other")
    with pytest.raises(HomeError, match="schema env_test already"):
        _open(url, create=True)


def test_a_name_that_cannot_be_a_schema_is_refused(stores: Stores) -> None:
    with pytest.raises(HomeError, match="cannot name an environment"):
        _open(str(stores.server_url), 'x"; drop schema public; --')


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://localhost:1/none", "cannot be reached"),
        ("postgresql://[broken", "cannot be reached"),
        ("mysql://localhost/x", "mysql:// is no database"),
    ],
)
def test_a_server_that_is_not_there_is_named(url: str, message: str) -> None:
    with pytest.raises(HomeError, match=message):
        _open(url)


def test_a_database_in_another_encoding_is_refused(stores: Stores) -> None:
    with psycopg.connect(str(stores.server_url), autocommit=True) as connection:
        connection.execute("create database latin encoding 'LATIN1' locale 'C' template template0")
    head, _, tail = str(stores.server_url).partition("?")

    with pytest.raises(HomeError, match="encoding is LATIN1, and UTF8 is needed"):
        _open(f"{head.rpartition('/')[0]}/latin?{tail}")


def test_a_server_that_is_too_old_is_refused(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_server, "OLDEST_VERSION", 990_000)

    with pytest.raises(HomeError, match="17 or later is needed"):
        _open(str(stores.place("postgresql")))


def test_a_lost_connection_is_replaced_and_nothing_is_half_done(stores: Stores) -> None:
    """Reliability R3: the process needs no hand to recover."""
    with stores.opened("postgresql") as database:
        with database.read() as tx:
            before = tx.stamp
        _end_other_sessions(str(stores.server_url))
        with database.read() as tx:
            assert tx.stamp == before

        with pytest.raises(Unavailable), database.write() as tx:
            tx.bump_security_epoch()
            _end_other_sessions(str(stores.server_url))
        with database.write() as tx:
            assert tx.stamp == before
            assert below(tx).version >= 1000


def _end_other_sessions(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
            " where backend_type = 'client backend' and pid <> pg_backend_pid()"
        )


def test_a_statement_that_failed_unseen_stops_the_commit(stores: Stores) -> None:
    """PostgreSQL itself would answer the commit with a rollback that looks like success."""
    with stores.opened("postgresql") as database:
        with database.read() as tx:
            before = below(tx).version
        with pytest.raises(IntegrityViolation, match="cannot be committed"), database.write() as tx:
            tx.append_audit([{"operation": 1, "transactionid": EMPTY_GUID}])
            with pytest.raises(InvalidRequest):
                tx.row(tx.schema.tables["account"], Guid("no guid"))

        with database.read() as tx:
            assert below(tx).version == before
