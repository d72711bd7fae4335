"""What is said of a back-up, in a file of JSON beside it: which moment of what, its digests, the wrapped key that opens
it, and a signature by the key that signs the environment's trail."""

import base64
import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, cast

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from strongroom.errors import BackupDamaged
from strongroom.keys.disk import Disk, replace_file

FORMAT = 1
SUFFIX = ".backup"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A back-up. Times are texts as rows have them; `expires_on` is empty for one that is kept until it is removed."""

    id: str
    home: str
    environment_id: str
    environment: str
    type: str
    region: str
    engine: str
    kind: str
    label: str
    taken_on: str
    expires_on: str
    rows: dict[str, int]
    tree_size: int
    root_hash: str
    size_bytes: int
    sha256: str
    parts: dict[str, str]
    key_version: int
    wrapped_key: str
    is_test_home: bool
    format: int = FORMAT
    signature: str = ""
    journal: str = ""
    """The newest entry of the environment's journal then; back-ups of earlier versions have none."""

    @property
    def total_rows(self) -> int:
        """Rows of all tables."""
        return sum(self.rows.values())

    def signed(self, key: Ed25519PrivateKey) -> "Manifest":
        """The same with its signature."""
        return replace(self, signature=base64.b64encode(key.sign(self._statement())).decode())

    def require_signed(self, key: Ed25519PublicKey) -> None:
        """Raise `BackupDamaged` unless the signature is right."""
        try:
            key.verify(base64.b64decode(self.signature, validate=True), self._statement())
        except (InvalidSignature, ValueError):
            raise BackupDamaged(
                f"The manifest of the back-up {self.id} is not signed by its environment: it was altered."
            ) from None

    def _statement(self) -> bytes:
        told = asdict(self)
        del told["signature"]
        if not self.journal:
            del told["journal"]  # as earlier versions signed it
        return rfc8785.dumps(told)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put a manifest beside its back-up, durably: from now on the back-up counts."""
    text = json.dumps(asdict(manifest), indent=2, ensure_ascii=False)
    replace_file(Disk(), folder / f"{manifest.id}.json", text.encode() + b"\n")


def read_manifest(path: Path) -> Manifest:
    """Raises `BackupDamaged` when the file is no manifest."""
    try:
        document = cast("dict[str, Any]", json.loads(path.read_bytes()))
        if document.get("format") != FORMAT:
            raise BackupDamaged(f"{path.name} has a format that this version of Strongroom does not read.")
        document.setdefault("journal", "")
        return Manifest(**{each.name: document[each.name] for each in fields(Manifest)})
    except (ValueError, TypeError, KeyError, AttributeError):
        raise BackupDamaged(f"{path.name} is no manifest of a back-up: it is damaged.") from None
