"""Keys of single columns, and sealing values with them (TS-501, TS-504).

A column that is encrypted has a random key of its own, in versions. `columnkey` holds each wrapped under the key that
the environment has for its columns (`keys.KeyRing.environment_key`), so the keys lie with the rows that they open, and
open nothing without the home. A sealed value is a text:

    sealed.v1.VERSION.BASE64(nonce | ciphertext | tag)

AES-256-GCM under a random nonce of 96 bits. What it is bound to is table, column, row, and whether it lies in the row
or in the trail: a value that somebody puts elsewhere does not open. No plain value of an encrypted column begins with
the mark, which is refused, so a column may hold both kinds while it is converted.
"""

import base64
import binascii
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom.errors import EnvironmentClosed, HomeError, IntegrityViolation, InvalidRequest
from strongroom.ids import Guid
from strongroom.keys import Secret
from strongroom.keys.wrapping import RootKey, expand, new_key, unwrap, wrap
from strongroom.store.engine import Connection, Engine

MARK = "sealed.v1."
TABLE = "columnkey"
_NONCE_BYTES = 12

RootSource = Callable[[], Secret]
"""Gives the environment's key for its columns. Raises `EnvironmentLocked` while a custodian withholds it."""


class Place(Enum):
    """Where a sealed value lies."""

    ROW = "row"
    TRAIL = "trail"


class KeyState(Enum):
    """What a version of a column's key is there for."""

    SEALING = "sealing"  # new values are sealed with it, older ones are still to be
    ACTIVE = "active"
    OPENING = "opening"  # the column is being given back in plain
    RETIRED = "retired"  # opens what the trail and back-ups hold


@dataclass(frozen=True, slots=True)
class StoredColumnKey:
    """One row of `columnkey`. `place` is the key of the last row that was converted."""

    table: str
    column: str
    version: int
    state: KeyState
    place: int
    created_on: str
    wrapped: str


def make_table(engine: Engine, connection: Connection) -> None:
    """The migration that makes the table."""
    key, text = engine.key_type, engine.text_type
    connection.execute(
        f"create table {TABLE} (tablename {text} not null, columnname {text} not null, version {key} not null,"
        f" state {text} not null, place {key} not null, createdon {text} not null, wrapped {text} not null,"
        f" primary key (tablename, columnname, version)){engine.table_suffix}"
    )


def stored_keys(connection: Connection) -> list[StoredColumnKey]:
    """All keys of columns, wrapped, by table, column and version."""
    found = connection.query(
        f"select tablename, columnname, version, state, place, createdon, wrapped from {TABLE} order by 1, 2, 3"
    )
    return [
        StoredColumnKey(table, column, int(version), KeyState(state), int(place), created, wrapped)
        for table, column, version, state, place, created, wrapped in found
    ]


class ColumnKeys:
    """The column keys of one environment in one process, opened when they are first needed."""

    def __init__(self, root: RootSource | None = None) -> None:
        self._root = root
        self._wrapped: dict[tuple[str, str, int], str] = {}
        self._open: dict[tuple[str, str, int], AESGCM] = {}

    def load(self, connection: Connection) -> None:
        """Know the keys that the connection's snapshot has."""
        found = {(key.table, key.column, key.version): key.wrapped for key in stored_keys(connection)}
        if found != self._wrapped:
            self._wrapped, self._open = found, {}

    def forget(self) -> None:
        """Drop every key: nothing opens any more."""
        self._root, self._wrapped, self._open = None, {}, {}

    def knows(self, table: str, column: str) -> bool:
        """Whether the column has, or had, keys."""
        return any((known, name) == (table, column) for known, name, _ in self._wrapped)

    def seal(self, table: str, column: str, version: int, row: Guid, text: str, place: Place = Place.ROW) -> str:
        """A text as it is stored. Raises `InvalidRequest` for one that looks like a sealed value."""
        if text.startswith(MARK):
            raise InvalidRequest(
                f"A value of the encrypted column '{column}' of '{table}' cannot begin with '{MARK}'.",
                details={"column": column, "rule": "TS-504"},
            )
        nonce = secrets.token_bytes(_NONCE_BYTES)
        bound = _bound(table, column, row, place)
        sealed = nonce + self._cipher(table, column, version).encrypt(
            nonce, text.encode("utf-8", "surrogatepass"), bound
        )
        return f"{MARK}{version}.{base64.b64encode(sealed).decode()}"

    def open(self, table: str, column: str, row: str, stored: str, place: Place = Place.ROW) -> str:
        """The text behind a stored value; a value that is not sealed (yet) is what it is.

        Raises `IntegrityViolation` for a value that was altered, or moved here from elsewhere.
        """
        if not stored.startswith(MARK):
            return stored
        version, _, encoded = stored[len(MARK) :].partition(".")
        try:
            sealed = base64.b64decode(encoded, validate=True)
            cipher = self._cipher(table, column, int(version))
            opened = cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound(table, column, row, place))
        except (InvalidTag, ValueError, binascii.Error):
            raise IntegrityViolation(
                f"A value of the encrypted column '{column}' of '{table}' does not open: it was altered, or moved to"
                " another place."
            ) from None
        return opened.decode("utf-8", "surrogatepass")

    def wrapped(self, table: str, column: str, version: int, key: Secret) -> str:
        """A key as `columnkey` holds it."""
        return base64.b64encode(wrap(self._expanded(), key, *_place_of(table, column, version))).decode()

    def revealed(self, table: str, column: str, version: int, wrapped: str) -> Secret:
        """A key that `wrapped` made. Raises `IntegrityViolation` when it does not open."""
        return _unwrapped(self._expanded(), table, column, version, wrapped)

    def _cipher(self, table: str, column: str, version: int) -> AESGCM:
        name = (table, column, version)
        found = self._open.get(name)
        if found is None:
            wrapped = self._wrapped.get(name)
            if wrapped is None:
                raise IntegrityViolation(f"The key {version} of the encrypted column '{column}' of '{table}' is gone.")
            found = self._open[name] = AESGCM(self.revealed(*name, wrapped).reveal())
        return found

    def _expanded(self) -> RootKey:
        if self._root is None:
            raise EnvironmentClosed(
                "The keys of encrypted columns are not at hand here.", reason="column-keys-closed", rule="TS-504"
            )
        return expand(self._root())


def fresh() -> Secret:
    """A new random key for a column."""
    return new_key()


def rewrap(connection: Connection, old: RootSource, new: RootSource) -> int:
    """Wrap all column keys of a store that was copied under its new environment's key (TS-407); how many."""
    keys = stored_keys(connection)
    if not keys:
        return 0
    before, after = expand(old()), expand(new())
    for key in keys:
        name = (key.table, key.column, key.version)
        opened = _unwrapped(before, *name, key.wrapped)
        wrapped = base64.b64encode(wrap(after, opened, *_place_of(*name))).decode()
        connection.execute(
            f"update {TABLE} set wrapped = ? where tablename = ? and columnname = ? and version = ?", (wrapped, *name)
        )
    return len(keys)


def _unwrapped(root: RootKey, table: str, column: str, version: int, wrapped: str) -> Secret:
    try:
        return unwrap(root, base64.b64decode(wrapped, validate=True), *_place_of(table, column, version))
    except (HomeError, ValueError):
        raise IntegrityViolation(
            f"The key {version} of the encrypted column '{column}' of '{table}' does not open: it was altered, or is"
            " of another environment."
        ) from None


def _place_of(table: str, column: str, version: int) -> tuple[str, ...]:
    return "column key", table, column, str(version)


def _bound(table: str, column: str, row: str, place: Place) -> bytes:
    return json.dumps([place.value, table, column, row]).encode()
