"""PostgreSQL's row-level security as a second lock beside the plan (decision 0011).

Every business table has one policy, for one role of the environment (`caller_role`), which owns nothing and may only
read. It sees the rows of the sets that the session's settings name, and without settings none: the owner, unit and
share principals of a caller's plan, bound for one transaction by `bind`. Secured columns are not granted to the role.

The platform's own statements run as the owner of the tables and carry their plan in themselves; the policy is for
statements that somebody writes by hand. What it cannot express (rows that take the access of another row) it denies.
"""

from collections.abc import Iterable

import orjson

from strongroom.access.plan import Plan
from strongroom.errors import IntegrityViolation, InvalidRequest
from strongroom.schema.model import Rights, Schema, Table
from strongroom.store.ddl import stored_columns
from strongroom.store.dialect import quote, text_literal
from strongroom.store.engine import Connection, Engine
from strongroom.store.layout import SHARES, has_owner_key, has_unit

_PREFIX, _SHARED = "strongroom", "strongroom_shared"


def caller_role(connection: Connection) -> str:
    """The role that hand-written statements run as in an environment."""
    return f"{_schema_name(connection)}_caller"[:63]


def can_have_roles(connection: Connection) -> bool:
    """Whether the connecting role may make the role, or it is there."""
    found = connection.query("select rolcreaterole or rolsuper from pg_roles where rolname = current_user")
    return bool(found and found[0][0])


def fit_policies(engine: Engine, connection: Connection, old: Schema | None, new: Schema) -> None:
    """Make the role and the policies fit a schema: of the tables that are new, that changed, or that have none yet."""
    role = caller_role(connection)
    if not can_have_roles(connection) and not _is_there(connection, role):
        return  # the first lock stands alone; `strongroom check` says so
    _make_role(connection, role)
    _make_function(connection, role)
    guarded = {
        name
        for (name,) in connection.query(
            "select tablename::text from pg_policies where schemaname = current_schema() and ?::name = any (roles)",
            (role,),
        )
    }
    for name, table in new.tables.items():
        if name not in guarded or old is None or old.tables.get(name) != table:
            _fit_table(engine, connection, role, table)


def _fit_table(engine: Engine, connection: Connection, role: str, table: Table) -> None:
    name = quote(table.logical_name)
    for statement in (
        f"alter table {name} enable row level security",
        f"drop policy if exists strongroom_caller on {name}",
        f"create policy strongroom_caller on {name} for select to {quote(role)} using ({_condition(table)})",
        f"revoke all on {name} from {quote(role)}",
        f"grant select ({', '.join(map(quote, _open_columns(engine, table)))}) on {name} to {quote(role)}",
    ):
        connection.execute(statement)


def _open_columns(engine: Engine, table: Table) -> list[str]:
    """The database columns that hold nothing secured."""
    secured = {column.logical_name for column in table.columns.values() if column.is_secured}
    return [name for name in stored_columns(table, engine) if name.split("__")[0] not in secured]


def _condition(table: Table) -> str:
    """What the settings let through. Each is read once for a statement, not for each row."""
    name = table.logical_name
    parts = [f"(select coalesce(current_setting('{_setting(name, 'everything')}', true), '') = 'on')"]
    for kind, column, has in (("owners", "owner", has_owner_key(table)), ("units", "unit", has_unit(table))):
        if has:
            parts.append(f"{column} = any (array({_numbers(name, kind)}))")
    if table.has_owner and name != SHARES:
        for kind, direct in (("shared", "false"), ("shareddirectly", "true")):
            parts.append(f"{_SHARED}({text_literal(name)}, id, array({_numbers(name, kind)}), {direct})")
    return " or ".join(parts)


def _numbers(table: str, kind: str) -> str:
    setting = f"current_setting('{_setting(table, kind)}', true)"
    return f"select unnest(string_to_array(nullif({setting}, ''), ',')::bigint[])"


def _setting(table: str, kind: str) -> str:
    return f"{_PREFIX}.{table}_{kind}"


def _make_role(connection: Connection, role: str) -> None:
    connection.execute(
        f"do $$ begin create role {quote(role)} nologin nosuperuser nobypassrls noinherit;"
        " exception when duplicate_object or unique_violation then null; end $$"
    )
    connection.execute(f"grant {quote(role)} to current_user")
    connection.execute(f"grant usage on schema {quote(_schema_name(connection))} to {quote(role)}")


def _make_function(connection: Connection, role: str) -> None:
    """Whether a row is shared for reading with one of some principals. It looks at shares as the tables' owner, never
    at a temporary table of that name, and for the guarded role alone."""
    connection.execute(
        f"create or replace function {_SHARED}(about text, row_key bigint, principals bigint[], direct boolean)"
        " returns boolean language sql stable security definer"
        f" set search_path = {quote(_schema_name(connection))}, pg_temp as $$"
        f" select cardinality(principals) > 0 and exists (select 1 from {SHARES} s where s.objecttypecode = about"
        " and s.object = row_key and s.principal = any (principals) and (s.accessrightsmask"
        f" | case when direct then 0 else s.inheritedaccessrightsmask end) & {Rights.READ.value} <> 0) $$"
    )
    signature = f"{_SHARED}(text, bigint, bigint[], boolean)"
    connection.execute(f"revoke all on function {signature} from public")
    connection.execute(f"grant execute on function {signature} to {quote(role)}")


def bind(connection: Connection, plans: Iterable[Plan]) -> None:
    """Until the savepoint is rolled back: read as the caller of these plans, one for each table, and nothing else.

    Raises `InvalidRequest` where the role could not be made.
    """
    role = caller_role(connection)
    if not _is_there(connection, role):
        raise InvalidRequest(
            "Row-level security is not set up: the database's user may not make roles. Let it (CREATEROLE), and open "
            "the environment again."
        )
    for plan in plans:
        if plan.refusal is not None or plan.guards:
            continue  # nothing is shown, which is what no setting means
        reach, name = plan.reach, plan.table.logical_name
        values = {
            "everything": "on" if reach.everything else "",
            "owners": _listed(reach.owners),
            "units": _listed(reach.units),
            "shared": _listed(reach.shared_with),
            "shareddirectly": _listed(reach.shared_directly_with),
        }
        for kind, value in values.items():
            if value:
                connection.query("select set_config(?::text, ?::text, true)", (_setting(name, kind), value))
    connection.execute(f"set local role {quote(role)}")


def read(connection: Connection, plans: Iterable[Plan], sql: str, limit: int) -> list[dict[str, object]]:
    """What a statement that somebody wrote gives under the policies, row by row. Raises `InvalidRequest` for what
    PostgreSQL refuses."""
    if "?" in sql:
        raise InvalidRequest("The statement may hold no question mark: it stands for a parameter.")
    connection.execute("savepoint by_hand")
    try:
        bind(connection, plans)
        found = connection.query(f"select to_json(by_hand)::text from ({sql}) as by_hand limit ?::bigint", (limit,))
    except IntegrityViolation as error:
        raise InvalidRequest(f"PostgreSQL refuses the statement: {error.message}") from None
    finally:
        connection.execute("rollback to savepoint by_hand")  # role and settings are as before
    return [orjson.loads(text) for (text,) in found]


def _listed(keys: Iterable[int]) -> str:
    return ",".join(str(key) for key in sorted(keys))


def _schema_name(connection: Connection) -> str:
    return str(connection.query("select current_schema()::text")[0][0])


def _is_there(connection: Connection, role: str) -> bool:
    return bool(connection.query("select 1 from pg_roles where rolname = ?", (role,)))
