"""PostgreSQL's row-level security as a second lock beside the plan (decision 0011): roles, policies, functions.

Statements that somebody writes by hand run in a session that logs in as a role of its own (`store.by_hand`). Such a
role is a member of the environment's *base role* and has its rights, which are: to read the columns of business tables
that hold nothing secured, under one policy for each table. A policy lets through what the table `sight` names for the
session's user: everything, owners, units, and principals with shares, which are the sets of a caller's plan. Only the
owner of the tables writes `sight`; a reader sees its own lines through two functions and cannot touch the table.

The platform's own statements run as the owner of the tables, to whom policies do not apply, and carry their plan in
themselves. What a policy cannot express (rows that take the access of another row) it denies.
"""

from secrets import token_hex

from strongroom.access.columns import never_closed
from strongroom.schema.model import Rights, Schema, Table
from strongroom.store.ddl import stored_columns
from strongroom.store.dialect import quote, text_literal
from strongroom.store.engine import Connection, Engine
from strongroom.store.layout import SHARES, has_owner_key, has_unit

POLICY = "strongroom_reader"
_SIGHT, _SHARED, _CURRENT = "strongroom_sight", "strongroom_shared", "strongroom_is_current"
_KEYS = {"id", "owner", "unit"}
IS_CURRENT = f"select {_CURRENT}()"
"""Whether what a reader's session may see is of the security epoch of its snapshot."""

_LONGEST_ROLE = 63


def make_table(engine: Engine, connection: Connection) -> None:
    """`sight`: what each reader may see, table by table, for as long as its session lasts. It needs no log, since
    nothing of it outlives the server."""
    if engine.name == "postgresql":
        connection.execute(
            "create unlogged table sight (reader text not null, tablename text not null, epoch bigint not null,"
            " everything boolean not null, owners bigint[] not null, units bigint[] not null,"
            " shared bigint[] not null, shareddirectly bigint[] not null, primary key (reader, tablename))"
        )
        connection.execute("revoke all on sight from public")


def base_role(connection: Connection) -> str | None:
    """The role that the policies of this environment are for, when we may give it members; None when there is none.

    A database that is copied keeps the role of the one it came from. That is no door: a reader belongs to one session
    in one database, and `sight` is not shared.
    """
    found = connection.query(
        "select r.rolname::text from pg_policy p join pg_class c on c.oid = p.polrelid"
        " join pg_roles r on r.oid = any (p.polroles) where c.relnamespace = current_schema()::regnamespace"
        " and p.polname = ? and pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION') limit 1",
        (POLICY,),
    )
    return str(found[0][0]) if found else None


def can_make_roles(connection: Connection) -> bool:
    """Whether the user that we connect as may make roles."""
    found = connection.query("select rolcreaterole or rolsuper from pg_roles where rolname = current_user")
    return bool(found and found[0][0])


def is_guarded(connection: Connection) -> bool:
    """Whether the policies are in place; also where they cannot be, so that the first lock stands alone."""
    return base_role(connection) is not None or not can_make_roles(connection)


def fit_policies(engine: Engine, connection: Connection, old: Schema | None, new: Schema) -> None:
    """Make the base role and the policies fit a schema: of the tables that are new, that changed, or have none yet."""
    if not can_make_roles(connection):
        return
    role = base_role(connection) or _make_role(connection)
    _make_functions(connection, role)
    _remove_strangers(connection, role)
    guarded = {name for (name,) in connection.query(_GUARDED, (POLICY,))}
    for name, table in new.tables.items():
        if name not in guarded or old is None or old.tables.get(name) != table:
            _fit_table(engine, connection, role, table)


_GUARDED = "select tablename::text from pg_policies where schemaname = current_schema() and policyname = ?"

_STRANGERS = (
    "select distinct p.tablename::text, p.policyname::text, r.role::text"
    " from pg_policies p cross join unnest(p.roles) as r (role) where p.schemaname = current_schema()"
    " and p.policyname like 'strongroom\\_%' and (p.policyname <> ? or r.role <> ?)"
)


def _remove_strangers(connection: Connection, role: str) -> None:
    """Policies of an earlier form, or for the role of another owner from whom the database was copied."""
    strangers = connection.query(_STRANGERS, (POLICY, role))
    for table, policy, _ in strangers:
        connection.execute(f"drop policy if exists {quote(policy)} on {quote(table)}")
    for other in {other for _, _, other in strangers} - {role}:
        connection.execute(f"revoke all on all tables in schema {_schema(connection)} from {quote(other)}")
    if strangers:
        connection.execute(f"drop function if exists {_SHARED}(text, bigint, bigint[], boolean)")


def _fit_table(engine: Engine, connection: Connection, role: str, table: Table) -> None:
    name = quote(table.logical_name)
    for statement in (
        f"alter table {name} enable row level security",
        f"drop policy if exists {POLICY} on {name}",
        f"create policy {POLICY} on {name} for select to {quote(role)} using ({_condition(table)})",
        f"revoke all on {name} from {quote(role)}",
        f"grant select ({', '.join(map(quote, _open_columns(engine, table)))}) on {name} to {quote(role)}",
    ):
        connection.execute(statement)


def _open_columns(engine: Engine, table: Table) -> list[str]:
    """The database columns that nobody who reads rows is kept from: no column that a plan closes to some (SM-132), none
    that no door shows, nothing that says the same in another form."""
    shown = never_closed(table) | _KEYS
    return [name for name in stored_columns(table, engine) if name.split("__")[0] in shown]


def _condition(table: Table) -> str:
    """What the session's line of `sight` lets through. Each set is read once for a statement, not for each row."""
    about = text_literal(table.logical_name)
    parts = [f"(select s.everything from {_SIGHT}({about}) s)"]
    for column, kind, has in (("owner", "owners", has_owner_key(table)), ("unit", "units", has_unit(table))):
        if has:
            parts.append(f"{column} in (select unnest(s.{kind}) from {_SIGHT}({about}) s)")
    if table.has_owner and table.logical_name != SHARES:
        parts.append(f"id in (select s from {_SHARED}({about}) s)")
    return " or ".join(parts)


def _make_role(connection: Connection) -> str:
    """Roles belong to the whole server, so the name has the database's number in it; and more where an earlier owner of
    the database has left one of that name that is not ours to give members."""
    (number,) = connection.query("select oid::bigint from pg_database where datname = current_database()")[0]
    role = f"readers_{number}_{_schema_name(connection)}"[:_LONGEST_ROLE]
    found = connection.query(
        "select pg_has_role(oid, 'MEMBER WITH ADMIN OPTION') from pg_roles where rolname = ?", (role,)
    )
    if found == [(False,)]:
        role, found = f"{role[:50]}_{token_hex(6)}", []
    if not found:
        connection.execute(f"create role {quote(role)} nologin nosuperuser nobypassrls noinherit")
    connection.execute(f"grant usage on schema {_schema(connection)} to {quote(role)}")
    _let_in(connection, role)
    return role


def _let_in(connection: Connection, role: str) -> None:
    """Where connecting is not open to everybody, it is to readers; as far as the database is ours to open."""
    enters, database = connection.query(
        "select has_database_privilege(?, current_database(), 'connect'), current_database()::text", (role,)
    )[0]
    if not enters:
        connection.execute(f"grant connect on database {quote(database)} to {quote(role)}")


def _make_functions(connection: Connection, role: str) -> None:
    """What a reader may learn of `sight` and of shares. The functions run as the owner of the tables, in no search
    path but the environment's, and know the session's user, which nothing in a session can change."""
    mine = (
        " from sight v where v.reader = session_user and v.tablename = about"
        " and v.epoch = (select security_epoch from stamp)"
    )
    read = Rights.READ.value
    functions = {
        f"{_SIGHT}(about text)": ("setof sight", f"select v.*{mine}"),
        f"{_SHARED}(about text)": (
            "setof bigint",
            f"with line as (select v.*{mine}) select p.object from {SHARES} p, line"
            " where p.objecttypecode = about and p.principal = any (line.shared)"
            f" and (p.accessrightsmask | p.inheritedaccessrightsmask) & {read} <> 0"
            f" union all select p.object from {SHARES} p, line"
            " where p.objecttypecode = about and p.principal = any (line.shareddirectly)"
            f" and p.accessrightsmask & {read} <> 0",
        ),
        f"{_CURRENT}()": (
            "boolean",
            "select exists (select 1 from sight v join stamp on stamp.security_epoch = v.epoch"
            " where v.reader = session_user)",
        ),
    }
    for signature, (gives, body) in functions.items():
        connection.execute(
            f"create or replace function {signature} returns {gives} language sql stable security definer"
            f" set search_path = {_schema(connection)}, pg_temp as $${body}$$"
        )
        connection.execute(f"revoke all on function {signature} from public")
        connection.execute(f"grant execute on function {signature} to {quote(role)}")


def _schema(connection: Connection) -> str:
    return quote(_schema_name(connection))


def _schema_name(connection: Connection) -> str:
    return str(connection.query("select current_schema()::text")[0][0])
