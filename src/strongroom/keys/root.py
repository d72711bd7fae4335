"""Where the root key comes from: a file that only its owner reads, or a passphrase.

A source is written in one line, in `strongroom.toml`, in `STRONGROOM_KEY_PROVIDER` and on the command line:

    file:root.key            a file; a relative path lies in the home
    env:STRONGROOM_PASSPHRASE     a passphrase in an environment variable
    fd:3                     a passphrase read to its end from an open file descriptor
    credential:strongroom    a passphrase in $CREDENTIALS_DIRECTORY (systemd `LoadCredential=`)

A passphrase becomes the root key through scrypt; its parameters and salt lie in the ring, so that they can be raised
later.
"""

import base64
import binascii
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from strongroom.errors import HomeError
from strongroom.keys.disk import Disk
from strongroom.keys.secret import Secret
from strongroom.keys.wrapping import KEY_BYTES

DEFAULT_SOURCE = "file:root.key"
MINIMUM_PASSPHRASE_BYTES = 12
_FORMS = "file:PATH, env:NAME, fd:NUMBER or credential:NAME"


class SourceKind(Enum):
    """The kinds of sources; the values are the words before the colon."""

    FILE = "file"
    ENV = "env"
    FD = "fd"
    CREDENTIAL = "credential"


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where a root key or its passphrase is read."""

    kind: SourceKind
    value: str

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.value}"

    @property
    def is_file(self) -> bool:
        return self.kind is SourceKind.FILE

    def path(self, folder: Path) -> Path:
        """The key file of a `file:` source in a home at `folder`."""
        return folder / self.value


@dataclass(frozen=True, slots=True)
class ScryptParameters:
    """How a passphrase becomes a key: `n` memory and time, `r` block size, `p` repetitions."""

    salt: bytes
    n: int = 1 << 16
    r: int = 8
    p: int = 2


def parse_source(text: str) -> KeySource:
    """The source that `text` names. The bare word `file` means `file:root.key`. Raises `HomeError`."""
    kind, _, value = (DEFAULT_SOURCE if text == "file" else text).partition(":")
    try:
        source = KeySource(SourceKind(kind), value)
    except ValueError:
        raise HomeError(f"'{text}' is no key provider; it would be {_FORMS}.") from None
    is_wrong_fd = source.kind is SourceKind.FD and not value.isdecimal()
    if not value or is_wrong_fd or (source.kind is SourceKind.CREDENTIAL and "/" in value):
        raise HomeError(f"'{text}' is no key provider; it would be {_FORMS}.")
    return source


def new_scrypt() -> ScryptParameters:
    """Today's parameters (64 MiB, about 0.2 s) with a fresh salt."""
    return ScryptParameters(secrets.token_bytes(16))


def read_key_file(disk: Disk, path: Path) -> Secret | None:
    """The 32 bytes of a root key file; None when there is no file. `HomeError` when it is unsafe or damaged."""
    data = disk.read(path)
    if data is None:
        return None
    disk.require_owner_only(path)
    try:
        key = base64.b64decode(data.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise HomeError(f"{path} is no root key: it must hold 32 bytes in base64 and nothing else.")
    return Secret(key)


def key_file_content(key: Secret) -> bytes:
    """What a root key file holds: one line of base64."""
    return base64.b64encode(key.reveal()) + b"\n"


def stretch(passphrase: Secret, parameters: ScryptParameters) -> Secret:
    """The root key material of a passphrase. Raises `HomeError` for parameters out of bounds, which a file that was
    tampered with could hold to exhaust memory."""
    if not (1 < parameters.n <= 1 << 20 and 1 <= parameters.r <= 16 and 1 <= parameters.p <= 16):
        raise HomeError("keys.json is damaged: its scrypt parameters are out of bounds.")
    kdf = Scrypt(salt=parameters.salt, length=KEY_BYTES, n=parameters.n, r=parameters.r, p=parameters.p)
    return Secret(kdf.derive(passphrase.reveal()))


def read_passphrase(source: KeySource, environ: Mapping[str, str] = os.environ) -> Secret:
    """The passphrase at `source`, without the line end. Raises `HomeError` when it is not there or too short."""
    if source.is_file:
        raise HomeError(f"This home is locked by a passphrase, but the key provider is '{source}'.")
    if source.kind is SourceKind.ENV:
        text = environ.get(source.value, "").encode()
        missing = f"The environment variable {source.value} must hold the home's passphrase; it is not set."
    elif source.kind is SourceKind.FD:
        text = _read_descriptor(int(source.value))
        missing = f"File descriptor {source.value} must give the home's passphrase; nothing could be read from it."
    else:
        folder = environ.get("CREDENTIALS_DIRECTORY", "")
        text = _read_credential(Path(folder) / source.value) if folder else b""
        missing = f"$CREDENTIALS_DIRECTORY/{source.value} must hold the home's passphrase; it is not there."
    text = text.rstrip(b"\r\n")
    if not text:
        raise HomeError(missing)
    return Secret(text)


def require_strong(passphrase: Secret) -> None:
    """Raise `HomeError` for a new passphrase that is too short to lock a home."""
    if len(passphrase.reveal()) < MINIMUM_PASSPHRASE_BYTES:
        raise HomeError(f"The passphrase is too short: it needs at least {MINIMUM_PASSPHRASE_BYTES} characters.")


def worker_environment(source: KeySource) -> dict[str, str]:
    """The variables with which a process that this one starts finds the passphrase of an `fd:` source, whose pipe it
    does not inherit. Empty for other sources. Valid while this process lives."""
    if source.kind is not SourceKind.FD:
        return {}
    return {"CREDENTIALS_DIRECTORY": f"/proc/{os.getpid()}/fd", "STRONGROOM_KEY_PROVIDER": f"credential:{source.value}"}


def _read_descriptor(descriptor: int) -> bytes:
    """Everything in the descriptor. A pipe gives its content once, so memory takes its place for the next reading."""
    try:
        try:
            os.lseek(descriptor, 0, os.SEEK_SET)
        except OSError:
            content = _drained(descriptor)
            memory = os.memfd_create("passphrase")
            os.write(memory, content)
            os.dup2(memory, descriptor, inheritable=False)
            os.close(memory)
            return content
        return _drained(descriptor)
    except OSError:
        return b""


def _drained(descriptor: int) -> bytes:
    parts = list(iter(lambda: os.read(descriptor, 4096), b""))
    return b"".join(parts)


def _read_credential(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
