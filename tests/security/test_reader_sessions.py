"""The second lock against whoever has a reader's whole session (decision 0011), which is more than any door gives.

Whatever command is sent in it, it shows one account of two, no secured value, and nothing of anybody else's.
"""

import psycopg
import pytest
from tests.security.guarded import KEEPER, SCHEMA, SSN, Place, send

from strongroom.errors import Unavailable
from strongroom.store import by_hand
from strongroom.store.dialect import quote
from strongroom.store.engine import Sight
from strongroom.store.row_security import base_role

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
        said = send(session, attack)
        assert SSN not in said
        send(session, "discard temp")  # what the session made for itself is no secret
        for account in (f"{SCHEMA}.account", "account"):
            seen = send(session, f"select accountid from {account}")
            assert seen in (f"[('{place.mine}',)]", "[]") or seen.startswith("query would be affected"), seen
        for closed in ("account (new_ssn)", "sight", "principal", "metadata"):
            table, _, column = closed.partition(" ")
            found = send(session, f"select {column.strip('()') or '*'} from {SCHEMA}.{table}")
            assert found.startswith(_CLOSED), (closed, found)
        contacts = send(session, f"select count(*) from {SCHEMA}.contact")
        assert contacts == "[(0,)]" or contacts.startswith(_CLOSED), contacts
        assert (
            send(session, "select rolsuper or rolbypassrls or rolcreaterole from pg_roles where rolname = session_user")
            == "[(False,)]"
        )


# --- one reader and another ----------------------------------------------------------------------------------------


def test_a_reader_sees_and_stops_nothing_of_another(place: Place) -> None:
    """Neither lines of `sight`, nor what the other asks, nor its session. The administrator sees everything."""
    with (
        place.session() as sams,
        place.session(place.world.admin) as other,
    ):
        assert send(other, f"select count(*) from {SCHEMA}.account") == "[(2,)]"
        (pid, name) = other.execute("select pg_backend_pid(), session_user::text").fetchone() or (0, "")

        assert send(sams, f"select everything from {SCHEMA}.strongroom_sight('account')") == "[(False,)]"
        assert send(sams, f"select * from {SCHEMA}.strongroom_sight('contact')") == "[]"
        assert "insufficient privilege" in send(sams, f"select query from pg_stat_activity where pid = {pid}")
        assert "permission denied" in send(sams, f"select pg_terminate_backend({pid})")
        assert "permission denied" in send(sams, f"select pg_cancel_backend({pid})")
        assert "permission denied" in send(sams, f'set role "{name}"')
        assert "permission denied" in send(sams, f'set session authorization "{name}"')
        assert send(sams, f"select name from {SCHEMA}.account") == "[('Mine',)]"


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
        assert send(session, f"select name from {SCHEMA}.account") == "[('Mine',)]"

        assert place.ask("select name from account") == [{"name": "Mine"}]
        assert send(session, f"select name from {SCHEMA}.account") == "[('Mine',)]"

    assert owner.query("select 1 from pg_roles where rolname = ?", (left,)) == []
    assert owner.query("select 1 from sight") == []
    owner.close()


def test_sets_from_before_a_change_of_rights_show_nothing(place: Place) -> None:
    """SM-4: a plan that is older than the snapshot is refused at the door, and shows nothing behind it."""
    stale = Sight(place.sight().plans, place.sight().epoch - 1)
    owner = place.owner()
    with by_hand.reader(owner, place.url, stale) as session:
        assert send(session, f"select name from {SCHEMA}.account") == "[]"
    with pytest.raises(Unavailable, match="Rights changed"):
        by_hand.read(owner, place.url, stale, "select name from account", 5)
    owner.close()
