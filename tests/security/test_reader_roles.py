"""The roles of readers by hand (decision 0011): how they log in, whose they are, what becomes of them."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import psycopg
import pytest
from tests.engines import NAME, START, Stores
from tests.security.guarded import KEEPER, SCHEMA, Place, send
from tests.worlds import World

from strongroom.access.planning import plan_for
from strongroom.clock import TestClock
from strongroom.errors import InvalidRequest
from strongroom.schema.model import Rights
from strongroom.schema.standard_tables import standard_schema
from strongroom.store.database import open_database, remove_database
from strongroom.store.row_security import base_role

# --- the server, and who owns the tables -----------------------------------------------------------------------------


@contextmanager
def _hba(place: Place, line: str) -> Generator[None]:
    """The server's rules for letting in, with one more in front of them, but behind one for the owner: PostgreSQL
    counts who made a role among its members."""
    with psycopg.connect(_root(place), autocommit=True) as root:
        ((path,),) = root.execute("show hba_file").fetchall()
        before = Path(path).read_text("utf-8")
        try:
            _reload(place, Path(path), f"local all {KEEPER} trust\n{line}\n{before}")
            yield
        finally:
            _reload(place, Path(path), before)


def _reload(place: Place, path: Path, rules: str) -> None:
    """Write the rules and wait until new sessions go by them."""
    before = _loaded(place)
    path.write_text(rules, "utf-8")
    with psycopg.connect(_root(place), autocommit=True) as root:
        root.execute("select pg_reload_conf()")
    until = monotonic() + 20
    while _loaded(place) == before:
        assert monotonic() < until, "the server did not read its rules"


def _loaded(place: Place) -> object:
    with psycopg.connect(_root(place)) as session:
        return session.execute("select pg_conf_load_time()").fetchone()


def _root(place: Place) -> str:
    return place.url.replace(f"{KEEPER}:@", "postgres:@", 1)


def test_readers_log_in_by_their_password_where_the_server_asks_for_it(place: Place) -> None:
    owner = place.owner()
    base = base_role(owner)
    with _hba(place, f"local all +{base} scram-sha-256"):
        assert place.ask("select name from account") == [{"name": "Mine"}]
        with place.session() as session:
            name = session.info.user
            with pytest.raises(psycopg.OperationalError, match=r"authentication failed"):
                psycopg.connect(place.url, user=name, password="guessed")
    owner.close()


def test_a_server_that_lets_no_reader_in_says_what_it_needs(place: Place) -> None:
    """Peer authentication goes by the names of the system's users, which readers have not."""
    owner = place.owner()
    base = base_role(owner)
    with (
        _hba(place, f"local all +{base} peer"),
        pytest.raises(InvalidRequest, match=rf"pg_hba.conf needs a line .* \+{base} .* scram-sha-256"),
    ):
        place.ask("select name from account")
    assert owner.query("select 1 from pg_roles where rolname like 'reader\\_%'") == []
    owner.close()


def test_an_owner_who_may_make_no_roles_is_told_and_may_later(stores: Stores) -> None:
    """The environment works all the same, behind the first lock alone; opened again, it gets the second."""
    url = stores.place("postgresql")
    assert isinstance(url, str)
    other = "plain_keeper_of_tests"
    with psycopg.connect(url, autocommit=True) as root:
        root.execute(f"create role {other} login".encode())
        root.execute(f"create database {other} owner {other}".encode())
    url = url.replace("postgres:@", f"{other}:@", 1).replace(url.partition("?")[0].rpartition("/")[2], other, 1)
    clock = TestClock(START)
    database = open_database(url, data_key=None, create=True, name=NAME, clock=clock, schema=standard_schema())
    world = World(database)
    world.create("account", name="One")
    with world.administrating() as session:
        plan = plan_for(session.caller, session.table("account"), Rights.READ)
        with pytest.raises(InvalidRequest, match="CREATEROLE"):
            session.transaction.read_by_hand([plan], "select name from account", 5)
    database.close()

    with psycopg.connect(stores.server_url or "", autocommit=True) as root:
        root.execute(f"alter role {other} createrole".encode())
    database = open_database(url, data_key=None, create=False, name=NAME, clock=clock)
    with database.read() as transaction:
        assert transaction.read_by_hand([plan], "select name from account", 5) == [{"name": "One"}]
    database.close()


def test_databases_of_one_server_have_roles_of_their_own(stores: Stores, place: Place) -> None:
    """Environments of one name in two databases: a role of the one has no right in the other. A copy of a database
    keeps the role of the first, and the sets of neither are seen in the other."""
    with stores.opened("postgresql") as database:
        with database.read() as transaction:
            assert transaction.read_by_hand([], "select name from account", 5) == []
        with place.session() as session:
            assert "does not exist" in send(session, f"select 1 from {database.engine}.account")
            for other in ("cross-database", "x"):
                assert "not implemented" in send(session, f'select 1 from "{other}".{SCHEMA}.account')


def test_an_environment_with_policies_of_the_earlier_form_gets_these(place: Place) -> None:
    """Policies that read settings, for a role that was shared, go when the environment is opened."""
    owner = place.owner()
    for sql in (
        "create role earlier_caller nologin",
        "create policy strongroom_caller on account for select to earlier_caller"
        " using (current_setting('strongroom.account_everything', true) = 'on')",
        "grant select (name) on account to earlier_caller",
        "drop policy strongroom_reader on account",
    ):
        owner.execute(sql)
    assert place.ask("select name from account") == []
    owner.execute("delete from metadata where kind = 'fingerprint'")

    open_database(place.url, data_key=None, create=False, name=NAME, clock=TestClock(START)).close()

    assert place.ask("select name from account") == [{"name": "Mine"}]
    policies = owner.query("select policyname::text, roles::text[] from pg_policies where tablename = 'account'")
    assert policies == [("strongroom_reader", [base_role(owner)])]
    assert owner.query("select has_column_privilege('earlier_caller', 'account', 'name', 'select')") == [(False,)]
    owner.close()


def test_removing_an_environment_removes_its_role(stores: Stores) -> None:
    """In a database to which nobody may connect unless told, too: there, readers are let in by their role."""
    url = stores.empty_place("postgresql")
    assert isinstance(url, str)
    with psycopg.connect(url, autocommit=True) as root:
        ((name,),) = root.execute("select current_database()").fetchall()
        root.execute(f"revoke connect on database {name} from public".encode())
    clock = TestClock(START)
    database = open_database(url, data_key=None, create=True, name="gone", clock=clock, schema=standard_schema())
    with database.read() as transaction:
        assert transaction.read_by_hand([], "select name from account", 5) == []
    database.close()
    with psycopg.connect(url, autocommit=True) as root:
        roles = "select count(*) from pg_roles where rolname like 'readers%env_gone'"
        assert root.execute(roles).fetchone() == (1,)

        remove_database(url, "gone")

        assert root.execute(roles).fetchone() == (0,)


def test_an_environment_that_has_another_owner_now_gets_a_role_of_its_own(stores: Stores) -> None:
    """The earlier owner's role has the name that it would have, and its members are not the new owner's to make."""
    url = stores.place("postgresql")
    assert isinstance(url, str)
    stores.open(url).close()
    database = url.partition("?")[0].rpartition("/")[2]
    heir = "heir_of_tests"
    with psycopg.connect(url, autocommit=True) as root:
        ((number,),) = root.execute("select oid from pg_database where datname = current_database()").fetchall()
        name = f"readers_{number}_{SCHEMA}"
        for sql in (
            f"create role {heir} login createrole",
            f"create role {name}",
            f"alter schema {SCHEMA} owner to {heir}",
            f"grant all on database {database} to {heir}",
        ):
            root.execute(sql.encode())
        owned = {
            "table": "select oid::regclass::text from pg_class where relkind = 'r' and relnamespace = %s::regnamespace",
            "function": "select oid::regprocedure::text from pg_proc where pronamespace = %s::regnamespace",
        }
        for kind, listed in owned.items():
            for (each,) in root.execute(listed.encode(), (SCHEMA,)).fetchall():
                root.execute(f"alter {kind} {each} owner to {heir}".encode())

    stores.open(url.replace("postgres:@", f"{heir}:@", 1)).close()

    with psycopg.connect(url, autocommit=True) as root:
        root.execute(f"set search_path = {SCHEMA}".encode())
        roles = root.execute("select distinct unnest(roles)::text from pg_policies where schemaname = %s", (SCHEMA,))
        ((role,),) = roles.fetchall()
    assert role.startswith(name[:50])
    assert role != name


def test_the_embedded_store_says_that_it_has_no_such_guard(stores: Stores) -> None:
    with (
        stores.opened("sqlcipher") as database,
        database.read() as transaction,
        pytest.raises(InvalidRequest, match="embedded store has no such guard"),
    ):
        transaction.read_by_hand([], "select 1", 1)
