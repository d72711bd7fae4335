"""What lies on disk of a store, looked at from outside: whether it is encrypted, and whether a key of another opens it.

These are the questions that a proof asks (TS-403, TS-503); nothing here is used to serve anybody.
"""

import math
import mmap
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from strongroom.errors import HomeError
from strongroom.store.sqlcipher_file import open_file

PAGE = 4096
_MOST_PAGES = 4_096
_PLAIN_HEADER = b"SQLite format 3\0"
_CIPHER = ("cipher_version", "cipher_provider", "cipher_provider_version", "cipher_fips_status", "temp_store")


@dataclass(frozen=True, slots=True)
class Content:
    """What the bytes of a file look like: `least_entropy` is that of the plainest of the looked-at pages, in bits per
    byte, of at most 8; encrypted pages have about 7.95, text about 4.5, empty pages 0."""

    size_bytes: int
    pages: int
    least_entropy: float
    has_plain_header: bool


def content_of(path: Path) -> Content:
    """A file, looked at in whole pages: all of the first 16 MiB of a small one, else as many evenly over its length."""
    size = path.stat().st_size
    number = size // PAGE
    step = max(1, -(-number // _MOST_PAGES))
    least, looked, head = 8.0, 0, b""
    with path.open("rb") as file:
        head = file.read(len(_PLAIN_HEADER))
        for page in range(0, number, step):
            file.seek(page * PAGE)
            least = min(least, entropy(file.read(PAGE)))
            looked += 1
    return Content(size, looked, round(least, 3), head == _PLAIN_HEADER)


def entropy(data: bytes) -> float:
    """Shannon's entropy of bytes, in bits per byte."""
    return -sum(n / len(data) * math.log2(n / len(data)) for n in Counter(data).values())


def found_in(path: Path, needles: Mapping[str, bytes]) -> list[str]:
    """The names of those byte strings that are somewhere in a file."""
    if not needles or path.stat().st_size == 0:
        return []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        return [name for name, needle in needles.items() if view.find(needle) >= 0]


def opens(path: Path, key: bytes) -> bool:
    """Whether a SQLCipher file opens with this key."""
    try:
        open_file(path, key).close()
    except HomeError:
        return False
    return True


def cipher_of(path: Path, key: bytes) -> dict[str, str]:
    """What encrypts a file: the versions and settings that the driver tells."""
    raw = open_file(path, key)
    try:
        told: dict[str, str] = {}
        for name in _CIPHER:
            found = raw.execute(f"pragma {name}").fetchone()
            told[name] = "" if found is None else str(found[0])
        return told
    finally:
        raw.close()


def texts_of(path: Path, key: bytes, columns: Iterable[tuple[str, str]], most: int) -> dict[str, bytes]:
    """Some values that a file holds, by `table.column number`: long enough that they are nowhere by chance."""
    raw = open_file(path, key)
    try:
        found: dict[str, bytes] = {}
        for table, column in columns:
            rows = raw.execute(
                f'select "{column}" from "{table}" where length("{column}") >= 8 limit ?', (most,)
            ).fetchall()
            found |= {f"{table}.{column} {number}": str(value).encode() for number, (value,) in enumerate(rows)}
        return found
    finally:
        raw.close()


@dataclass(frozen=True, slots=True)
class Reach:
    """As whom a server knows an environment, and whether that role reaches the schema of another one."""

    role: str
    reaches: bool


def reach_of(address: str, other_address: str, other_name: str) -> Reach:
    """Whether the role of one address may use the schema of another environment, wherever that lies."""
    import psycopg  # nine MiB, which a process does without that knows files only
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    from strongroom.store.postgresql_server import schema_name

    mine = conninfo_to_dict(address)
    role = str(mine.get("user") or "")
    told = {"user": role, "password": str(mine.get("password") or "")}
    asked = make_conninfo(other_address, **{name: value for name, value in told.items() if value})
    try:
        with psycopg.connect(asked, autocommit=True) as session:
            found = session.execute(
                "select has_schema_privilege(oid, 'usage') from pg_namespace where nspname = %s",
                (schema_name(other_name),),
            ).fetchone()
    except psycopg.Error:
        return Reach(role, reaches=False)
    return Reach(role, reaches=bool(found and found[0]))
