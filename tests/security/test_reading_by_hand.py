"""The second lock against statements that an attacker chose (decision 0011): what is refused, and what is harmless.

The environment belongs to a database user that is no superuser. Sam may read one of two accounts, and nothing of its
secured column. First Sam has a reader's whole session to himself, which is more than any door gives, and may send any
command; afterwards, statements go through the door that there is.
"""

import hashlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import psycopg
import pytest
from tests.engines import NAME, START, Stores
from tests.worlds import World

from strongroom.access.planning import plan_for
from strongroom.access.resolve import resolve
from strongroom.clock import TestClock
from strongroom.errors import InvalidRequest, TimeLimitExceeded, Unavailable
from strongroom.ids import Guid, Reference
from strongroom.schema.changes import NewColumn
from strongroom.schema.model import ColumnType, Depth, Rights
from strongroom.schema.standard_tables import standard_schema
from strongroom.store import by_hand
from strongroom.store.database import StoreDatabase, open_database, remove_database
from strongroom.store.dialect import quote
from strongroom.store.engine import Sight
from strongroom.store.layout import is_stored
from strongroom.store.postgresql import PostgresqlConnection
from strongroom.store.row_security import base_role

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


@pytest.fixture(scope="module")
def place(stores: Stores) -> Iterator[Place]:
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


# --- with a whole session to oneself -------------------------------------------------------------------------------

ATTACKS = (
    "reset role",
    "set role none",
    f"set role {KEEPER}",
    "set role postgres",
    "reset session authorization",
    "set session authorization default",
    f"set session authorization {KEEPER}",
    f"select set_config('role', '{KEEPER}', false)",
    f"select set_config('session_authorization', '{KEEPER}', false)",
    "set row_security = off",
    "select set_config('row_security', 'off', false)",
    "select * from sight",
    "insert into sight select session_user, 'account', 1, true, '{}', '{}', '{}', '{}'",
    "update sight set everything = true",
    "delete from sight",
    "truncate sight",
    "update stamp set security_epoch = 1",
    "alter table account disable row level security",
    "drop policy strongroom_reader on account",
    "create policy mine on account using (true)",
    "alter function strongroom_sight(text) security invoker",
    "create or replace function strongroom_sight(about text) returns setof sight language sql as 'select null'",
    "grant select on account to public",
    "create table public.kept as select * from account",
    "create function public.mine() returns int language sql security definer as 'select 1'",
    "create function pg_temp.mine() returns text language sql security definer"
    " as 'select new_ssn from account limit 1'",
    "create extension dblink",
    "create extension file_fdw",
    "alter role current_user superuser",
    "alter role current_user bypassrls",
    "alter role current_user createrole",
    "create role mine login",
    f"grant {KEEPER} to current_user",
    "grant pg_read_all_data to current_user",
    "copy account to program 'cat > /tmp/account'",
    "copy account (new_ssn) to stdout",
    "copy sight to stdout",
    "copy account (name) to '/tmp/account'",
    "select pg_read_file('pg_hba.conf')",
    "select pg_ls_dir('.')",
    "select lo_import('/etc/passwd')",
    "select lo_export(1, '/tmp/x')",
    "select pg_read_binary_file('global/pg_control')",
    "do $$ begin execute 'reset role'; execute 'set row_security = off'; end $$",
    f"do $$ begin perform set_config('role', '{KEEPER}', false); end $$",
    "do $$ begin execute 'select new_ssn from account'; end $$",
    "create temp table account as select 1 as accountid",
    "create temp table sight as select session_user::text as reader, 'account' as tablename, 1::bigint as epoch,"
    " true as everything, '{}'::bigint[] as owners, '{}'::bigint[] as units, '{}'::bigint[] as shared,"
    " '{}'::bigint[] as shareddirectly",
    "create temp table principalobjectaccess as select 'account' as objecttypecode, 1::bigint as object",
    "create temp table stamp as select 1::bigint as security_epoch",
    "create function pg_temp.session_user() returns name language sql as $$ select 'postgres'::name $$",
    f"set search_path = pg_temp, {SCHEMA}",
    "declare c cursor with hold for select new_ssn from account",
    "prepare mine as select new_ssn from account",
    "select query_to_xml('select new_ssn from account', true, false, '')",
    "select query_to_xml('reset role', true, false, '')",
    "select table_to_xml('sight', true, false, '')",
    "select database_to_xml(true, false, '')",
    "select * from ts_stat('select to_tsvector(new_ssn) from account')",
    "explain analyze select new_ssn from account",
    "select most_common_vals from pg_statistic_ext_data",
    "select stavalues1 from pg_statistic",
    "select pg_catalog.pg_get_userbyid(10), rolpassword from pg_authid",
    "listen anything",
    "lock table account in access exclusive mode",
    "select name from account for update",
    "vacuum account",
    "analyze account",
    "checkpoint",
    "alter system set row_security = off",
    "load 'auto_explain'",
    "set session_preload_libraries = 'x'",
    "set local_preload_libraries = 'x'",
    "create event trigger mine on ddl_command_start execute function pg_temp.mine()",
    "comment on table account is 'mine'",
    "create operator pg_temp.= (leftarg = bigint, rightarg = bigint, function = int8eq)",
)

_CLOSED = ("permission denied", "query would be affected by row-level security")


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_no_command_of_a_reader_shows_more(place: Place, attack: str) -> None:
    """Whatever the command did or was refused, the session sees one account, no secured value, and nobody else's."""
    with place.session() as session:
        said = _send(session, attack)
        assert SSN not in said
        _send(session, "discard temp")  # what the session made for itself is no secret
        for account in (f"{SCHEMA}.account", "account"):
            seen = _send(session, f"select accountid from {account}")
            assert seen in (f"[('{place.mine}',)]", "[]") or seen.startswith("query would be affected"), seen
        for closed in ("account (new_ssn)", "sight", "principal", "metadata"):
            table, _, column = closed.partition(" ")
            found = _send(session, f"select {column.strip('()') or '*'} from {SCHEMA}.{table}")
            assert found.startswith(_CLOSED), (closed, found)
        contacts = _send(session, f"select count(*) from {SCHEMA}.contact")
        assert contacts == "[(0,)]" or contacts.startswith(_CLOSED), contacts
        assert (
            _send(
                session, "select rolsuper or rolbypassrls or rolcreaterole from pg_roles where rolname = session_user"
            )
            == "[(False,)]"
        )


def _send(session: psycopg.Connection, sql: str) -> str:
    """Everything that comes back for a command, an error's words and details included."""
    try:
        cursor = session.execute(sql.encode())
        if cursor.description is None:
            return cursor.statusmessage or ""
        return str([tuple(str(v) if not isinstance(v, bool | int) else v for v in row) for row in cursor.fetchall()])
    except psycopg.Error as error:
        session.rollback()
        return f"{error} {error.diag.message_detail} {error.diag.message_hint} {error.diag.context}"


# --- one reader and another ----------------------------------------------------------------------------------------


def test_a_reader_sees_and_stops_nothing_of_another(place: Place) -> None:
    """Neither lines of `sight`, nor what the other asks, nor its session. The administrator sees everything."""
    with (
        place.session() as sams,
        place.session(place.world.admin) as other,
    ):
        assert _send(other, f"select count(*) from {SCHEMA}.account") == "[(2,)]"
        (pid, name) = other.execute("select pg_backend_pid(), session_user::text").fetchone() or (0, "")

        assert _send(sams, f"select everything from {SCHEMA}.strongroom_sight('account')") == "[(False,)]"
        assert _send(sams, f"select * from {SCHEMA}.strongroom_sight('contact')") == "[]"
        assert "insufficient privilege" in _send(sams, f"select query from pg_stat_activity where pid = {pid}")
        assert "permission denied" in _send(sams, f"select pg_terminate_backend({pid})")
        assert "permission denied" in _send(sams, f"select pg_cancel_backend({pid})")
        assert "permission denied" in _send(sams, f'set role "{name}"')
        assert "permission denied" in _send(sams, f'set session authorization "{name}"')
        assert _send(sams, f"select name from {SCHEMA}.account") == "[('Mine',)]"


def test_a_role_logs_in_once_and_is_gone_afterwards(place: Place) -> None:
    owner = place.owner()
    with by_hand.reader(owner, place.url, place.sight()) as session:
        name = str((session.execute("select session_user::text").fetchone() or [""])[0])
        with pytest.raises(psycopg.OperationalError, match=r"not permitted to log in|too many connections"):
            psycopg.connect(place.url, user=name)
        assert owner.query("select rolpassword is null from pg_roles where rolname = ?", (name,)) == [(False,)]

    assert owner.query("select 1 from pg_roles where rolname = ?", (name,)) == []
    assert owner.query("select 1 from sight") == []
    owner.close()


def test_what_a_process_left_that_died_is_removed_by_the_next(place: Place) -> None:
    """Its role can log in no longer and its lines belong to no session; a role that has a session stays."""
    owner = place.owner()
    left = "reader_" + "0" * 32
    base = quote(base_role(owner) or "")
    owner.execute(f"create role {left} login valid until '2020-01-01' in role {base}")
    owner.execute("insert into sight values (?, 'account', 1, true, '{}', '{}', '{}', '{}')", (left,))
    with by_hand.reader(owner, place.url, place.sight()) as session:
        assert _send(session, f"select name from {SCHEMA}.account") == "[('Mine',)]"

        assert place.ask("select name from account") == [{"name": "Mine"}]
        assert _send(session, f"select name from {SCHEMA}.account") == "[('Mine',)]"

    assert owner.query("select 1 from pg_roles where rolname = ?", (left,)) == []
    assert owner.query("select 1 from sight") == []
    owner.close()


def test_sets_from_before_a_change_of_rights_show_nothing(place: Place) -> None:
    """SM-4: a plan that is older than the snapshot is refused at the door, and shows nothing behind it."""
    stale = Sight(place.sight().plans, place.sight().epoch - 1)
    owner = place.owner()
    with by_hand.reader(owner, place.url, stale) as session:
        assert _send(session, f"select name from {SCHEMA}.account") == "[]"
    with pytest.raises(Unavailable, match="Rights changed"):
        by_hand.read(owner, place.url, stale, "select name from account", 5)
    owner.close()


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
            assert "does not exist" in _send(session, f"select 1 from {database.engine}.account")
            for other in ("cross-database", "x"):
                assert "not implemented" in _send(session, f'select 1 from "{other}".{SCHEMA}.account')


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


def test_the_embedded_store_says_that_it_has_no_such_guard(stores: Stores) -> None:
    with (
        stores.opened("sqlcipher") as database,
        database.read() as transaction,
        pytest.raises(InvalidRequest, match="embedded store has no such guard"),
    ):
        transaction.read_by_hand([], "select 1", 1)


# --- through the door ----------------------------------------------------------------------------------------------


def test_a_select_gives_what_may_be_read(place: Place) -> None:
    """SM-5; functions are free, since there is nothing that they could lift."""
    assert place.ask("select name, md5(name) as code from account;") == [
        {"name": "Mine", "code": hashlib.md5(b"Mine", usedforsecurity=False).hexdigest()}
    ]
    assert place.ask("select count(*) as n from contact -- nothing else") == [{"n": 0}]
    assert place.ask("select 1 as one, '?' as mark where '{\"a\": 1}'::jsonb ? 'a'") == [{"one": 1, "mark": "?"}]
    assert len(place.ask("select name from account", place.world.admin)) == 2


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("select new_ssn from account", "permission denied"),
        ("select * from account", "permission denied"),
        ("select account from account", "permission denied"),
        ("select row_to_json(a) from account a", "permission denied"),
        ("select name from account order by new_ssn", "permission denied"),
        ("select name from account where new_ssn like '1%'", "permission denied"),
        ("select id from principal", "permission denied"),
        ("select * from sight", "permission denied"),
        ("delete from account returning accountid", "syntax error"),
        ("with gone as (delete from account returning 1) select * from gone", "must be at the top level|permission"),
        ("select 1; drop table account", "syntax error|multiple commands"),
        ("select 1) as a; reset role; select to_json(b) from (select 1", "multiple commands"),
        ("explain select name from account", "syntax error"),
        ("do $$ begin end $$", "syntax error|unterminated"),
        ("copy account to stdout", "syntax error"),
        ("select name into temp kept from account", "not allowed|syntax error|read-only"),
        ("select name from account for update", "permission denied|read-only"),
        ("select nextval('anything')", "does not exist"),
        ("select lo_create(0)", "read-only"),
        ("select set_config('transaction_read_only', 'off', true)", "read-write mode"),
        (f"select set_config('role', '{KEEPER}', true)", "permission denied"),
        ("select query_to_xml('explain select 1', true, false, '')", "not allowed"),
        ("select query_to_xml('select new_ssn from account', true, false, '')", "permission denied"),
        ("select nothing from account", "does not exist"),
        ("select $2", "parameter"),
        ("select '\ud800'", "no text"),
        ("select '\0'", "no SQL has"),
        ("", "syntax error"),
        ("select '" + "x" * 20_001 + "'", "longer"),
        ("select repeat('x', 20000000) as x", "longer than"),
    ],
)
def test_everything_else_is_refused_and_says_nothing_hidden(place: Place, sql: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says) as refusal:
        place.ask(sql)
    assert SSN not in refusal.value.message
    assert "Hidden" not in refusal.value.message


@pytest.mark.parametrize(
    "sql",
    [
        "select name from account where 1 / (numberofemployees - 5) > 0",
        "select name from account where name::int is null and name = 'Hidden'",
        "select name from account order by 1 / (numberofemployees - 5)",
        "select max(1 / (numberofemployees - 5)) as name from account having max(1 / (numberofemployees - 5)) is null",
        "select a.name from account a join account b on 1 / (b.numberofemployees - 5) > 0 and a.name <> b.name",
    ],
)
def test_an_expression_that_fails_on_hidden_rows_is_not_tried_on_them(place: Place, sql: str) -> None:
    """A row with five employees is there, and hidden: division by zero would tell. To the administrator it does."""
    place.ask(sql)
    with pytest.raises(InvalidRequest, match=r"division by zero|invalid input syntax"):
        place.ask(sql, place.world.admin)


def test_statistics_of_columns_are_closed(place: Place) -> None:
    """`pg_stats` would show the commonest values of a column, whoever may see the rows."""
    owner = place.owner()
    owner.execute("analyze account")
    assert owner.query("select 1 from pg_stats where tablename = 'account' and attname = 'name'")
    owner.close()

    assert place.ask("select attname from pg_stats where tablename = 'account'") == []
    for closed in ("pg_statistic", "pg_authid", "pg_statistic_ext_data", "pg_user_mapping"):
        with pytest.raises(InvalidRequest, match="permission denied"):
            place.ask(f"select 1 from {closed}")


def test_what_the_trail_kept_and_what_no_door_shows_is_closed(place: Place) -> None:
    """SM-132, SM-173: old values of secured columns, amounts beside secured amounts, columns that are valid for no
    reading; to administrators too, since the grant is one for all."""
    world, admin = place.world, place.world.admin
    world.new_column("account", NewColumn("new_pay", ColumnType.MONEY, is_secured=True))
    auditor = world.user("Otto", None, world.role("Auditor", by_name={"prvReadAuditSummary": Depth.GLOBAL}))

    assert place.ask("select action from audit limit 1", auditor)
    for who in (auditor, admin):
        for closed in ("changedata from audit", "new_pay from account", "new_pay_base from account"):
            with pytest.raises(InvalidRequest, match="permission denied"):
                place.ask(f"select {closed}", who)
    hidden = [
        f"{column.logical_name} from {table.logical_name}"
        for table in world.schema.tables.values()
        for column in table.columns.values()
        if not column.valid_for_read and is_stored(table, column)
    ]
    assert hidden
    for closed in hidden[:20]:
        with pytest.raises(InvalidRequest, match="permission denied"):
            place.ask(f"select {closed}", admin)


def test_policies_are_no_part_of_what_the_owner_plans(place: Place) -> None:
    """The platform's own statements cost the same with the second lock and without; a reader's plan has it."""
    asked = "explain (costs off) select name from account where owner = 1 order by name__fold nulls first limit 50"
    owner = place.owner()
    beside = owner.query(asked)
    owner.execute("alter table account disable row level security")
    without = owner.query(asked)
    owner.execute("alter table account enable row level security")
    with place.session() as session:
        under = session.execute(asked.encode()).fetchall()
    owner.close()

    assert beside == without
    assert not any("strongroom_sight" in str(line) or "SubPlan" in str(line) for line in beside)
    assert any("SubPlan" in str(line) for line in under)


def test_a_statement_ends_in_time_and_cannot_give_itself_more(place: Place) -> None:
    owner = place.owner()
    for sql in ("select pg_sleep(20)", "select set_config('statement_timeout', '0', false), pg_sleep(20)"):
        with pytest.raises(TimeLimitExceeded):
            by_hand.read(owner, place.url, place.sight(), sql, 5, limit_s=0.2)
    owner.close()


def test_a_table_without_a_plan_shows_nothing_and_a_new_one_is_guarded_from_its_first_row(place: Place) -> None:
    """Default is deny: what no line of `sight` names is not seen, whoever the caller is."""
    place.world.new_table("later")
    place.world.create("new_later", new_name="Hidden")
    admin = place.world.admin
    with place.database.read() as transaction:
        assert transaction.read_by_hand([], "select name from account", 5) == []
        assert transaction.read_by_hand([], "select new_name from new_later", 5) == []
    assert place.ask("select new_name from new_later") == []
    assert place.ask("select new_name from new_later", admin) == [{"new_name": "Hidden"}]


def test_a_column_that_becomes_secured_is_closed(place: Place) -> None:
    """SM-136: the grant goes with the change of the schema."""
    place.world.new_column("account", NewColumn("new_later", ColumnType.STRING, is_secured=True))
    with pytest.raises(InvalidRequest, match="permission denied"):
        place.ask("select new_later from account", place.world.admin)
