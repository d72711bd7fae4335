"""The file of a back-up: an age file (https://age-encryption.org/v1), encrypted to an identity made for it alone.

Inside are frames, each a letter, a length and bytes:

    J {"key": …}            once: the data key under which a SQLCipher file is encrypted, if it is one
    J {"part": NAME}        a part begins
    D bytes                 some of it
    E sha256                its end, with the digest of all its bytes
    Z                       the end of the file

age authenticates all of it and notices when it is cut, so a damaged file is found before anything counts.
"""

import base64
import hashlib
import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from strongroom.errors import BackupDamaged
from strongroom.keys import Secret, age
from strongroom.store.copying import Receiver, StoreCopy

_HEAD = struct.Struct(">cI")
_MOST_JSON = 1024 * 1024
_MOST_DATA = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: bytes and digest of the encrypted file, digests of the parts."""

    size: int
    sha256: str
    parts: dict[str, str]


def write_backup(
    path: Path, copy: StoreCopy, identity: Secret, data_key: Secret | None, tell: Callable[[int], None]
) -> Written:
    """Write the file of a copy; not yet durable. `tell` hears how many bytes there are so far."""
    digests: dict[str, str] = {}
    with path.open("xb") as file:
        target = _Digesting(file, tell)
        age.encrypt(_Stream(_framed(copy, data_key, digests)), target, [age.recipient_of(identity)])
    return Written(target.size, target.digest.hexdigest(), digests)


def read_backup(path: Path, identity: Secret, make: Callable[[Secret | None], Receiver]) -> Receiver:
    """Give the parts of a back-up to the receiver that `make` makes once the data key is known. The receiver is not
    finished yet. Raises `BackupDamaged`; the receiver has given up then."""
    frames = _Unframing(make)
    try:
        with path.open("rb") as file:
            age.decrypt(file, frames, identity)
        return frames.done()
    except BaseException as error:
        if frames.receiver is not None:
            frames.receiver.give_up()
        if frames.failure is not None:
            raise frames.failure from None
        if isinstance(error, age.DecryptError):
            raise BackupDamaged(
                "The back-up does not open: it was altered or cut, or its key is another one."
            ) from None
        raise


def _framed(copy: StoreCopy, data_key: Secret | None, digests: dict[str, str]) -> Iterator[bytes]:
    key = None if data_key is None else base64.b64encode(data_key.reveal()).decode()
    yield _json({"key": key})
    for part in copy.parts:
        yield _json({"part": part.name})
        digest = hashlib.sha256()
        for chunk in part.chunks:
            digest.update(chunk)
            yield _HEAD.pack(b"D", len(chunk))
            yield chunk
        digests[part.name] = digest.hexdigest()
        yield _HEAD.pack(b"E", digest.digest_size) + digest.digest()
    yield _HEAD.pack(b"Z", 0)


def _json(value: object) -> bytes:
    data = json.dumps(value).encode()
    return _HEAD.pack(b"J", len(data)) + data


class _Stream:
    """Pieces of bytes as a file to read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = memoryview(piece)
        taken = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(taken) :]
        return bytes(taken)


class _Digesting:
    """A file to write that counts and digests what goes in."""

    def __init__(self, file: BinaryIO, tell: Callable[[int], None]) -> None:
        self._file = file
        self._tell = tell
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        self._tell(self.size)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


class _Unframing:
    """A file to write whose content is frames for a receiver. A failure is kept: the library hides exceptions."""

    def __init__(self, make: Callable[[Secret | None], Receiver]) -> None:
        self._make = make
        self._buffer = bytearray()
        self._digest = hashlib.sha256()
        self._is_done = False
        self.receiver: Receiver | None = None
        self.failure: BaseException | None = None

    def write(self, data: bytes) -> int:
        try:
            self._buffer += data
            self._take_frames()
        except BaseException as error:
            self.failure = error
            raise
        return len(data)

    def flush(self) -> None:
        """All is taken at once."""

    def done(self) -> Receiver:
        if not self._is_done or self.receiver is None or self._buffer:
            raise BackupDamaged("The back-up ends too early.")
        return self.receiver

    def _take_frames(self) -> None:
        start = 0
        while len(self._buffer) - start >= _HEAD.size:
            kind, size = _HEAD.unpack_from(self._buffer, start)
            if size > (_MOST_JSON if kind == b"J" else _MOST_DATA):
                raise BackupDamaged("The back-up holds a part that is too large.")
            if len(self._buffer) - start - _HEAD.size < size:
                break
            begin = start + _HEAD.size
            self._take(kind, bytes(self._buffer[begin : begin + size]))
            start = begin + size
        del self._buffer[:start]

    def _take(self, kind: bytes, data: bytes) -> None:
        if self.receiver is None:
            key = json.loads(data)["key"] if kind == b"J" else None
            self.receiver = self._make(Secret(base64.b64decode(key)) if key else None)
        elif kind == b"J":
            self._digest = hashlib.sha256()
            self.receiver.begin(str(json.loads(data)["part"]))
        elif kind == b"D":
            self._digest.update(data)
            self.receiver.take(data)
        elif kind == b"E":
            if data != self._digest.digest():
                raise BackupDamaged("A part of the back-up is not what it was when it was taken.")
            self.receiver.end()
        elif kind == b"Z":
            self._is_done = True
        else:
            raise BackupDamaged("The back-up holds what this program does not know.")
