"""Putting another state in the place of an environment, whole or not at all, whatever is killed meanwhile.

The state is made ready aside: for a file engine as a file beside the store, for PostgreSQL inside one transaction. The
record says `preparing` meanwhile, which makes every server let go of the environment; then it is held alone and the
state takes its place in one step. Its entry in the trail is part of it from the start.
"""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from strongroom.errors import Conflict, HomeError
from strongroom.home import EnvironmentRecord, EnvironmentState, EnvironmentType, Home
from strongroom.ids import Guid
from strongroom.keys import Secret
from strongroom.opening import column_root
from strongroom.store import sqlcipher_file
from strongroom.store.copying import Receiver, receiver_at
from strongroom.store.database import open_database
from strongroom.store.file_copy import replay_in_file
from strongroom.store.journal import Entry
from strongroom.store.protocol import Transaction

LETTING_GO_S = 30.0
"""How long servers get to end what they do in an environment that is to be replaced."""

Source = Callable[[Callable[[Secret | None], Receiver]], Receiver]
"""Gives the parts of a state to what it makes, and returns that unfinished."""

Note = Callable[[Transaction], None]


def require_replaceable(record: EnvironmentRecord) -> None:
    """Raise `Conflict` for a production environment, and for one under a legal hold (TS-407, TS-409, TS-411)."""
    if record.type is EnvironmentType.PRODUCTION:
        raise Conflict(
            f"'{record.name}' is a production environment, which nothing overwrites: `strongroom environment convert "
            f"{record.name} --type sandbox` first.",
            details={"reason": "production-target", "rule": "TS-409"},
        )
    require_free(record)


def require_free(record: EnvironmentRecord) -> None:
    """Raise `Conflict` for an environment under a legal hold (TS-411)."""
    if record.is_held:
        raise Conflict(
            f"'{record.name}' is under a legal hold: it is neither overwritten nor destroyed.",
            details={"reason": "legal-hold", "rule": "TS-411"},
        )


@contextmanager
def being_replaced(home: Home, record: EnvironmentRecord) -> Generator[None]:
    """Nobody else has the environment in the block. At its end it is in administration mode, of a new generation; when
    the block raises, it is as it was (TS-409, TS-413)."""
    home.change_environment(replace(record, state=EnvironmentState.PREPARING))
    try:
        with home.used(record, alone=True, wait_s=LETTING_GO_S):
            yield
    except BaseException:
        home.change_environment(replace(record, generation=record.generation + 1))
        raise
    after = replace(record, state=EnvironmentState.ADMINISTRATION, generation=record.generation + 1)
    home.change_environment(after)


def replace_store(
    home: Home,
    record: EnvironmentRecord,
    source: Source,
    engine: str,
    note: Note,
    *,
    has_new_key: bool,
    of: Guid,
    entries: Iterable[Entry] = (),
) -> None:
    """Put a state in the place of the environment's store. The environment is held alone by the caller.

    `entries` of a journal are done again on the state before it counts, and `note` is written to it last.

    With `has_new_key` a file is encrypted anew, because its key is another environment's (TS-407). `of` is the
    environment that the state is of: keys of columns are wrapped for it (TS-504).
    """
    if of != record.id:
        note = _taking_keys_over(home, of, record.id, note)
    if record.engine != engine:
        raise HomeError(
            f"The state is of a store in {_said(engine)}, and '{record.name}' lies in {_said(record.engine)}. Use "
            "`strongroom export --everything` and `strongroom import --everything` to change the engine."
        )
    if record.engine == "postgresql":
        _replace_schema(home, record, source, note, entries)
    else:
        _replace_file(home, record, source, note, entries, has_new_key=has_new_key)


def _taking_keys_over(home: Home, source: Guid, target: Guid, note: Note) -> Note:
    def noted(transaction: Transaction) -> None:
        transaction.column_encryption.rewrap(column_root(home, source), column_root(home, target))
        note(transaction)

    return noted


def _said(engine: str) -> str:
    return "PostgreSQL" if engine == "postgresql" else "a file"


def _replace_schema(
    home: Home, record: EnvironmentRecord, source: Source, note: Note, entries: Iterable[Entry]
) -> None:
    place = home.database_address(record).reveal().decode()
    source(lambda _: receiver_at(place, record.name, record.engine, home.clock)).finish(note, entries)


def _replace_file(
    home: Home, record: EnvironmentRecord, source: Source, note: Note, entries: Iterable[Entry], *, has_new_key: bool
) -> None:
    path = home.database_file(record)
    staged = path.with_name(f"{path.name}.staged")
    sqlcipher_file.remove(staged)
    keys: list[Secret] = []

    def make(key: Secret | None) -> Receiver:
        if key is None:
            raise HomeError("The state of a file engine came without its key.")
        keys.append(key)
        return receiver_at(staged, record.name, "sqlcipher", home.clock)

    try:
        source(make).finish(None)
        replay_in_file(staged, keys[0].reveal(), entries)
        database = open_database(staged, data_key=keys[0].reveal(), create=False, name=record.name, clock=home.clock)
        try:
            with database.write() as transaction:
                note(transaction)
        finally:
            database.close()
        old = _opening_key(home, record)
        if has_new_key:

            def encrypt(new: Secret) -> None:
                sqlcipher_file.rekey(staged, keys[0].reveal(), new.reveal())
                sqlcipher_file.take_place(staged, path, old and old.reveal())

            home.keys.rekey(record.id, encrypt, home.clock)
        else:
            home.keys.rekey(
                record.id,
                lambda _: sqlcipher_file.take_place(staged, path, old and old.reveal()),
                home.clock,
                key=keys[0],
            )
    finally:
        sqlcipher_file.remove(staged)


def _opening_key(home: Home, record: EnvironmentRecord) -> Secret | None:
    """The key that opens the store that is to be replaced, also after an interrupted change of key; None when none
    does, because it is damaged or gone."""
    path: Path = home.database_file(record)

    def opens(key: Secret) -> Secret:
        sqlcipher_file.require_usable(path, key.reveal())
        return key

    try:
        return home.keys.open_environment(record.id, opens)
    except HomeError:
        return None
