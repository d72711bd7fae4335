"""The server that a PostgreSQL environment lives on: whether it fits, and the environment's schema on it."""

import re
from contextlib import suppress
from typing import LiteralString, cast

import psycopg

from strongroom.errors import HomeError
from strongroom.store.dialect import quote
from strongroom.store.engine import Raw
from strongroom.store.row_security import POLICY

OLDEST_VERSION = 170_000
COLLATION = "pg_c_utf8"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,50}")


def create(url: str, name: str) -> None:
    """Make the environment's schema. `HomeError` when the server is unfit or the schema is there."""
    schema = schema_name(name)
    with _session(url) as raw:
        if _has_schema(raw, schema):
            raise HomeError(f"The database holds the schema {schema} already; open it, or choose another name.")
        try:
            raw.execute(_sql(f"create schema {quote(schema)}"))
        except psycopg.Error as error:
            raise HomeError(
                f"The schema {schema} cannot be created: {_first_line(error)}. The role needs CREATE on the database."
            ) from error


def require_usable(url: str, name: str) -> None:
    """Check that the environment can be opened. `HomeError` when the server is unfit or the schema is missing."""
    schema = schema_name(name)
    with _session(url) as raw:
        if not _has_schema(raw, schema):
            raise HomeError(f"The database holds no schema {schema}; make it with `strongroom init`.")


def drop(url: str, name: str) -> None:
    """Drop the environment's schema, if there is one, with everything in it, and the role that reads it by hand."""
    schema = schema_name(name)
    with _session(url) as raw:
        readers = raw.execute(
            "select distinct unnest(roles)::text, current_database()::text from pg_policies"
            " where schemaname = %s and policyname = %s",
            (schema, POLICY),
        ).fetchall()
        raw.execute(_sql(f"drop schema if exists {quote(schema)} cascade"))
        for role, database in readers:
            # A copy of the database may need the role still, or it may be another owner's: then it stays.
            with suppress(psycopg.errors.DependentObjectsStillExist, psycopg.errors.InsufficientPrivilege):
                raw.execute(_sql(f"revoke all on database {quote(database)} from {quote(role)}"))
                raw.execute(_sql(f"drop role {quote(role)}"))


def schema_name(name: str) -> str:
    """The PostgreSQL schema of the environment `name`."""
    if not _NAME.fullmatch(name):
        raise HomeError(
            f"{name!r} cannot name an environment: use up to 51 lower-case letters, digits, hyphens and underscores."
        )
    return f"env_{name}"


def _session(url: str) -> psycopg.Connection[Raw]:
    """A session on a server that is fit, or `HomeError` with what is wrong."""
    try:
        raw = psycopg.connect(url, autocommit=True)
    except psycopg.Error as error:
        raise HomeError(f"The database server cannot be reached: {_first_line(error)}.") from error
    version = raw.info.server_version
    doubts: list[str] = []
    if version < OLDEST_VERSION:
        doubts.append(f"it is version {version // 10_000}, and 17 or later is needed for the collation {COLLATION}")
    encoding = raw.execute("show server_encoding").fetchone()
    if encoding != ("UTF8",):
        doubts.append(f"the database's encoding is {encoding[0] if encoding else 'unknown'}, and UTF8 is needed")
    elif not doubts and not raw.execute("select 1 from pg_collation where collname = %s", (COLLATION,)).fetchone():
        doubts.append(f"the collation {COLLATION} is missing")
    if doubts:
        raw.close()
        raise HomeError(f"The database server does not fit: {'; '.join(doubts)}.")
    return raw


def _has_schema(raw: psycopg.Connection[Raw], schema: str) -> bool:
    return raw.execute("select 1 from pg_namespace where nspname = %s", (schema,)).fetchone() is not None


def _first_line(error: psycopg.Error) -> str:
    return str(error).partition("\n")[0].rstrip(".")


def _sql(text: str) -> LiteralString:
    """The driver's types want SQL to be written in the source; ours is made of checked names."""
    return cast("LiteralString", text)
