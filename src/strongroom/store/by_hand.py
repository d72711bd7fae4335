"""Statements that somebody writes by hand: each runs in a session of its own, logged in as a role made for it.

The role can log in once, for a minute, with a password that nobody but this process ever has; then it is closed, and
gone when the statement has ended. In its session there is nothing to climb back to: the session's user owns nothing,
may read what `store.row_security` gives to readers, and is the key of its lines in `sight`. Since no session is used
twice, nothing that a statement leaves behind in it (settings, locks, temporary things) meets anybody else.

A process that dies leaves a role that cannot log in and lines that no session can read; the next reader removes them.
"""

import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from math import ceil
from typing import TYPE_CHECKING, LiteralString, cast

import orjson
import psycopg
from psycopg import errors as pg

from strongroom.errors import IntegrityViolation, InvalidRequest, TimeLimitExceeded, Unavailable
from strongroom.store.dialect import quote, text_literal
from strongroom.store.engine import Sight
from strongroom.store.row_security import IS_CURRENT, base_role

if TYPE_CHECKING:
    from strongroom.store.postgresql import PostgresqlConnection

LONGEST = 20_000
"""Characters of a statement."""

LIMIT_S = 30.0
_MOST_BYTES = 16 * 1024 * 1024
_LOGIN_FOR = "1 minute"
_CONNECT_S = 10

_LINE = (
    "insert into sight (reader, tablename, epoch, everything, owners, units, shared, shareddirectly)"
    " values (?, ?, ?, ?, ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[])"
)
_NO_TABLE = ""
"""The line that says of which epoch the others are; also of a caller who sees nothing at all."""


def read(
    owner: "PostgresqlConnection", url: str, sight: Sight, sql: str, limit: int, limit_s: float = LIMIT_S
) -> list[dict[str, object]]:
    """What one SELECT gives under the policies, row by row, at most `limit` rows.

    `owner` is a session of the tables' owner, without a transaction. What is committed is seen. Raises `InvalidRequest`
    for what PostgreSQL refuses, `TimeLimitExceeded`, and `Unavailable` when rights changed since the plans were made.
    """
    if len(sql) > LONGEST:
        raise InvalidRequest(f"The statement is longer than {LONGEST:,} characters.")
    if "\0" in sql:
        raise InvalidRequest("The statement holds a character that no SQL has.")
    with reader(owner, url, sight) as session:
        try:
            return _rows(session, sql, limit, limit_s)
        except pg.QueryCanceled:
            raise TimeLimitExceeded(limit_s) from None
        except (psycopg.Error, UnicodeEncodeError) as error:
            if session.closed:
                raise Unavailable("The connection to the database server was lost.") from None
            said = error.diag.message_primary if isinstance(error, psycopg.Error) else None
            raise InvalidRequest(f"PostgreSQL refuses the statement: {said or 'it is no text'}.") from None


def _rows(session: psycopg.Connection, sql: str, limit: int, limit_s: float) -> list[dict[str, object]]:
    """One snapshot, in which the sets are still right, and in it one statement: the server refuses a second one,
    because it travels with a parameter."""
    session.execute(_literal(f"set statement_timeout = {ceil(limit_s * 1000)}"))
    session.execute("begin isolation level repeatable read, read only")
    if session.execute(_literal(IS_CURRENT)).fetchone() != (True,):
        raise Unavailable("Rights changed while the statement was prepared; try again.")
    whole = f"select to_json(by_hand)::text from (\n{sql.rstrip().rstrip(';')}\n) as by_hand limit $1::bigint"
    rows: list[dict[str, object]] = []
    size = 0
    with psycopg.RawCursor[tuple[str]](session) as cursor:
        for (text,) in cursor.stream(_literal(whole), (limit,)):
            size += len(text)
            if size > _MOST_BYTES:
                raise InvalidRequest(f"The answer is longer than {_MOST_BYTES:,} characters; ask for less.")
            rows.append(orjson.loads(text))
    return rows


# --- the session and its role --------------------------------------------------------------------------------------


@contextmanager
def reader(owner: "PostgresqlConnection", url: str, sight: Sight) -> Generator[psycopg.Connection]:
    """A session that sees what `sight` says. The owner makes its role and its lines, and removes them."""
    base = base_role(owner)
    if base is None:
        raise InvalidRequest(
            "Row-level security is not set up: the database's user may not make roles. Let it (CREATEROLE), and open "
            "the environment again."
        )
    _sweep(owner, base)
    name, password = f"reader_{secrets.token_hex(16)}", secrets.token_urlsafe(32)
    _make_role(owner, base, name, password)
    try:
        session = _log_in(url, name, password, base)
        try:
            session.execute(_literal(f"set search_path = {quote(owner.schema)}; set timezone = 'UTC'; set jit = off"))
            _show(owner, name, sight)
            yield session
        finally:
            session.close()
    finally:
        _remove(owner, name)


def _make_role(owner: "PostgresqlConnection", base: str, name: str, password: str) -> None:
    """A member of the base role that can log in for a minute. The server is told a verifier, not the password."""
    verifier = owner.verifier_of(password, name)
    (until,) = owner.query(f"select (now() + interval '{_LOGIN_FOR}')::text")[0]
    owner.execute(
        f"create role {quote(name)} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls inherit"
        f" connection limit 1 password {text_literal(verifier)} valid until {text_literal(until)}"
        f" in role {quote(base)}"
    )


def _log_in(url: str, name: str, password: str, base: str) -> psycopg.Connection:
    try:
        return psycopg.connect(url, user=name, password=password, autocommit=True, connect_timeout=_CONNECT_S)
    except psycopg.OperationalError as error:
        said = str(error).partition("\n")[0].replace(name, "…")
        raise InvalidRequest(
            "The database server does not let readers in, which log in with a password of their own. pg_hba.conf needs"
            f" a line for them, such as: host DATABASE +{base} ADDRESS scram-sha-256. It says: {said}"
        ) from None


def _show(owner: "PostgresqlConnection", name: str, sight: Sight) -> None:
    """Write what the session may see, and close its role: there is no second log-in."""
    lines: list[tuple[object, ...]] = [(name, _NO_TABLE, sight.epoch, False, [], [], [], [])]
    for plan in sight.plans:
        if plan.refusal is None and not plan.guards:  # else nothing is shown, which is what no line means
            reach = plan.reach
            sets = (reach.owners, reach.units, reach.shared_with, reach.shared_directly_with)
            lines.append((name, plan.table.logical_name, sight.epoch, reach.everything, *map(sorted, sets)))
    owner.execute("begin")
    owner.execute_many(_LINE, lines)
    owner.execute(f"alter role {quote(name)} nologin password null")
    owner.execute("commit")


def _remove(owner: "PostgresqlConnection", name: str) -> None:
    owner.execute("delete from sight where reader = ?", (name,))
    owner.execute(f"drop role if exists {quote(name)}")


def _sweep(owner: "PostgresqlConnection", base: str) -> None:
    """Remove what processes left that died while reading, once their sessions are over. Two readers may do it at the
    same time; one of them then finds it done."""
    left = owner.query(
        "select m.rolname::text from pg_auth_members a join pg_roles g on g.oid = a.roleid"
        " join pg_roles m on m.oid = a.member where g.rolname = ? and m.rolname like 'reader\\_%'"
        " and m.rolvaliduntil < now() and not exists (select 1 from pg_stat_activity s where s.usename = m.rolname)",
        (base,),
    )
    for (name,) in left:
        with suppress(IntegrityViolation):
            owner.execute(f"drop role if exists {quote(name)}")
    owner.execute("delete from sight where reader not in (select rolname::text from pg_roles)")


def _literal(sql: str) -> LiteralString:
    """The driver's types want SQL to be written in the source; readers' statements are the point here."""
    return cast("LiteralString", sql)
