"""Activities in a file, before they leave the activity log (TS-822): a segment that anybody can check for ever.

JSON lines: what it is and whose, then each activity with its place in the log, its leaf and its salt, then a signature
(Ed25519) over the SHA-256 of all lines before. The key is that of the log's heads. The proof that a leaf is in the log
stays in the log: its hash is never taken out.
"""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from strongroom.audit.exports import encode_key
from strongroom.audit.leaf import hash_of, identity_of
from strongroom.audit.verification import LoggedEntry
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid

FORMAT = "strongroom-activity-1"


@dataclass(frozen=True, slots=True)
class ArchiveVerdict:
    """What a check of a segment found: how many activities, and every doubt, the first one first."""

    size: int
    doubts: tuple[str, ...]


def write_archive(target: BinaryIO, environment: Guid, key: Ed25519PrivateKey, entries: Iterable[LoggedEntry]) -> int:
    """Write a segment; how many activities it has."""
    digest, number = sha256(), 0
    for line in _lines(environment, key.public_key(), entries):
        digest.update(line)
        target.write(line)
        number += 1
    signature = base64.b64encode(key.sign(digest.digest())).decode()
    target.write(orjson.dumps({"sha256": digest.hexdigest(), "signature": signature}, option=orjson.OPT_APPEND_NEWLINE))
    return number - 1


def is_archive(path: Path) -> bool:
    """Whether a file begins as a segment does."""
    with path.open("rb") as file:
        return f'"format":"{FORMAT}"'.encode() in file.readline(2000)


def verify_archive(path: Path, public: Ed25519PublicKey) -> ArchiveVerdict:
    """Check a segment with the public key alone. `InvalidRequest` for a file that is none."""
    digest, size = sha256(), 0
    doubts: list[str] = []
    last: dict[str, Any] | None = None
    with path.open("rb") as file:
        for number, line in enumerate(file):
            found = _object(path, number + 1, line)
            if number == 0 and found.get("format") != FORMAT:
                raise InvalidRequest(f"'{path}' is no segment of an activity log ({FORMAT}).")
            if "signature" in found:
                last = found
                break
            digest.update(line)
            if number and (doubt := _doubt_about(found)) is not None:
                doubts.append(doubt)
            size += number > 0
    if last is None:
        doubts.append("The segment has no signature: its end was cut off.")
    elif not _is_signed(last, digest.digest(), public):
        doubts.append("The segment is not signed with this key, or was changed.")
    return ArchiveVerdict(size, tuple(doubts))


def _lines(environment: Guid, public: Ed25519PublicKey, entries: Iterable[LoggedEntry]) -> Iterator[bytes]:
    head = {"format": FORMAT, "environment": environment, "publickey": encode_key(public)}
    yield orjson.dumps(head, option=orjson.OPT_APPEND_NEWLINE)
    for entry in entries:
        shown = {"sequence": entry.sequence, "leaf": entry.hash, "salt": entry.salt, "activity": entry.members}
        yield orjson.dumps(shown, option=orjson.OPT_APPEND_NEWLINE)


def _doubt_about(found: dict[str, Any]) -> str | None:
    members, salt = found.get("activity"), found.get("salt")
    if not isinstance(members, dict):
        return f"Place {found.get('sequence')} has no activity."
    known = cast("dict[str, str | int | None]", members)
    if hash_of(known, str(salt or "")) != found.get("leaf"):
        return f"The activity {identity_of(known)} (place {found.get('sequence')}) was changed."
    return None


def _is_signed(last: dict[str, Any], digest: bytes, public: Ed25519PublicKey) -> bool:
    try:
        public.verify(base64.b64decode(str(last.get("signature")), validate=True), digest)
    except (InvalidSignature, ValueError):
        return False
    return last.get("sha256") == digest.hex()


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        found: object = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise InvalidRequest(f"Line {number} of '{path}' is not JSON.") from None
    if not isinstance(found, dict):
        raise InvalidRequest(f"Line {number} of '{path}' is no JSON object.")
    return cast("dict[str, Any]", found)
