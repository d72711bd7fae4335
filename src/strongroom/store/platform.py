"""The platform's own tables, and the numbered migrations that bring an older environment up to date.

A migration is never changed once released: a later one repairs. All of them run in one write transaction when an
environment is opened, so that of several processes one migrates and the others find the work done.
"""

from collections.abc import Callable
from dataclasses import dataclass

from strongroom.clock import Clock, iso
from strongroom.errors import HomeError
from strongroom.store import column_keys, file_contents, journal, leaves, row_security, tracking, transfers
from strongroom.store.engine import Connection, Engine
from strongroom.store.share_keys import add_columns


@dataclass(frozen=True, slots=True)
class Migration:
    """One step. `apply` gets the engine for its type names and the connection to run statements on."""

    number: int
    title: str
    apply: Callable[[Engine, Connection], None]


def _first_tables(engine: Engine, connection: Connection) -> None:
    key, text, guid, suffix = engine.key_type, engine.text_type, engine.guid_type, engine.table_suffix
    for statement in (
        f"create table principal (id {key} primary key, principalid {guid} not null, kind {text} not null){suffix}",
        "create unique index pf_principal on principal (principalid)",
        f"create table counters (tablename {text} not null, owner {key} not null, unit {key} not null,"
        f" amount {key} not null, primary key (tablename, owner, unit)){suffix}",
        f"create table inheritedaccess (objecttypecode {text} not null, object {key} not null,"
        f" principal {key} not null, relationship {text} not null, parent {guid} not null, rights {key} not null,"
        f" primary key (objecttypecode, object, principal, relationship, parent)){suffix}",
        "create index pf_inheritedaccess_parent on inheritedaccess (parent)",
        f"create table security_change (tablename {text} primary key, epoch {key} not null){suffix}",
        f"create table metadata (kind {text} not null, name {text} not null, body {text},"
        f" primary key (kind, name)){suffix}",
    ):
        connection.execute(statement)


def _networks_as_text(engine: Engine, connection: Connection) -> None:
    """The list of networks of the IP firewall was taken for a switch, which nothing read: it is made anew as a text."""
    if "allowediprangeforfirewall" in engine.tables(connection).get("organization", set()):
        connection.execute("alter table organization drop column allowediprangeforfirewall")


MIGRATIONS = (
    Migration(1, "principals, counters, inherited access, metadata", _first_tables),
    Migration(2, "contents of file columns", file_contents.make_tables),
    Migration(3, "shares that know owner and unit of their row", add_columns),
    Migration(4, "the log that proves the trail", leaves.make_tables),
    Migration(5, "files on their way", transfers.make_tables),
    Migration(6, "rows that are gone", tracking.make_tables),
    Migration(7, "what readers by hand may see", row_security.make_table),
    Migration(8, "networks of the firewall as a text", _networks_as_text),
    Migration(9, "thumbnails of images", file_contents.add_thumbnails),
    Migration(10, "keys of encrypted columns", column_keys.make_table),
    Migration(11, "the journal of changes", journal.make_table),
    Migration(12, "files on their way lie where contents lie", transfers.stage_contents),
)


def begin_platform(engine: Engine, connection: Connection) -> None:
    """Make the two tables that everything else starts from: the stamp and the list of migrations."""
    key, text, suffix = engine.key_type, engine.text_type, engine.table_suffix
    connection.execute(
        f"create table migration (number {key} primary key, title {text} not null, applied_on {text} not null){suffix}"
    )
    connection.execute(
        f"create table stamp (id {key} primary key check (id = 1), security_epoch {key} not null,"
        f" metadata_version {key} not null, version {key} not null){suffix}"
    )
    connection.execute("insert into stamp (id, security_epoch, metadata_version, version) values (1, 1, 0, 1000)")


def pending(connection: Connection) -> list[Migration]:
    """The migrations that this environment has not seen. `HomeError` when it has seen more than this program knows."""
    done = {number for (number,) in connection.query("select number from migration")}
    unknown = done - {migration.number for migration in MIGRATIONS}
    if unknown:
        raise HomeError(
            f"The environment was used by a newer version of Strongroom (its migration {max(unknown)} is not known"
            " here). Use that version, or a backup from before."
        )
    return [migration for migration in MIGRATIONS if migration.number not in done]


def migrate(engine: Engine, connection: Connection, clock: Clock, only: frozenset[int] | None = None) -> None:
    """Apply what is pending, inside the caller's write transaction; of these numbers only, where an older environment
    is made as it was."""
    for migration in pending(connection):
        if only is not None and migration.number not in only:
            continue
        migration.apply(engine, connection)
        connection.execute(
            "insert into migration (number, title, applied_on) values (?, ?, ?)",
            (migration.number, migration.title, iso(clock.now())),
        )
