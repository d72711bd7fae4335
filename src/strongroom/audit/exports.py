"""The trail in a file, and back: JSON lines that anybody can check without the environment.

The first line says whose trail it is and with which public key its heads are signed; then every leaf in order; then
the heads. Verification trusts neither: the public key is given by whoever verifies.
"""

import base64
import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from strongroom.audit.verification import LoggedEntry
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, parse_guid
from strongroom.store.leaves import StoredHead

FORMAT = "strongroom-audit-1"
_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ExportedTrail:
    """An export, opened: `entries` reads on from the file and can be gone through once."""

    environment: Guid
    public_key: Ed25519PublicKey
    heads: tuple[StoredHead, ...]
    entries: Iterator[LoggedEntry]


def encode_key(public: Ed25519PublicKey) -> str:
    """A public key as text: base64 of its 32 bytes."""
    return base64.b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def decode_key(text: str) -> Ed25519PublicKey:
    """A public key from text. Raises `InvalidRequest`."""
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text.strip(), validate=True))
    except ValueError:
        raise InvalidRequest("The public key is no Ed25519 key in base64.") from None


def write_export(
    target: BinaryIO,
    environment: Guid,
    public: Ed25519PublicKey,
    entries: Iterable[LoggedEntry],
    heads: Iterable[StoredHead],
) -> int:
    """Write an export; how many entries it has."""
    number = 0
    target.write(_line({"format": FORMAT, "environment": environment, "publickey": encode_key(public)}))
    for head in heads:
        target.write(_line({"head": asdict(head)}))
    for entry in entries:
        shown = {"leaf": entry.hash, "salt": entry.salt, "gone": entry.gone, "entry": entry.members}
        target.write(_line({"sequence": entry.sequence, "auditid": entry.audit_id, **shown}))
        number += 1
    return number


@contextmanager
def open_export(path: Path) -> Generator[ExportedTrail]:
    """Open an export. Raises `InvalidRequest` with the number of the line that is wrong."""
    with path.open("rb") as file:
        yield _opened(path, enumerate(file, 1))


def _opened(path: Path, lines: Iterator[tuple[int, bytes]]) -> ExportedTrail:
    first = _object(path, *next(lines, (1, b"")))
    environment = parse_guid(str(first.get("environment")))
    if first.get("format") != FORMAT or environment is None:
        raise InvalidRequest(f"'{path}' is no export of a trail ({FORMAT}).")
    heads: list[StoredHead] = []
    rest: dict[str, Any] | None = None
    for number, line in lines:
        found = _object(path, number, line)
        if "head" not in found:
            rest = found
            break
        try:
            heads.append(StoredHead(**found["head"]))
        except TypeError:
            raise InvalidRequest(f"Line {number} of '{path}' is no head.") from None

    def entries() -> Iterator[LoggedEntry]:
        if rest is not None:
            yield _entry(path, 0, rest)
        for number, line in lines:
            yield _entry(path, number, _object(path, number, line))

    return ExportedTrail(environment, decode_key(str(first.get("publickey"))), tuple(heads), entries())


def read_witness(path: Path) -> list[StoredHead]:
    """The heads that a witness kept, one JSON object a line; none when there is no file. Raises `InvalidRequest`."""
    if not path.exists():
        return []
    found: list[StoredHead] = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            found.append(StoredHead(**_object(path, number, line)))
        except TypeError:
            raise InvalidRequest(f"Line {number} of '{path}' is no head.") from None
    return found


def witness_line(head: StoredHead) -> bytes:
    """A head as a witness keeps it."""
    return _line(asdict(head))


def _line(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        found: object = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise InvalidRequest(f"Line {number} of '{path}' is not JSON.") from None
    if not isinstance(found, dict):
        raise InvalidRequest(f"Line {number} of '{path}' is no JSON object.")
    return cast("dict[str, Any]", found)


def _entry(path: Path, number: int, found: dict[str, Any]) -> LoggedEntry:
    audit_id, sequence, leaf = parse_guid(str(found.get("auditid"))), found.get("sequence"), found.get("leaf")
    if audit_id is None or not isinstance(sequence, int) or not isinstance(leaf, str) or not _HASH.fullmatch(leaf):
        raise InvalidRequest(f"Line {number} of '{path}' is no entry of a trail.")
    return LoggedEntry(sequence, audit_id, leaf, found.get("salt"), found.get("gone"), found.get("entry"))
