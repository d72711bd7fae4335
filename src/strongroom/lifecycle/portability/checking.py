"""Whether an export is what was exported: hashes, signature, counts, offline (TS-2106)."""

import base64
import hashlib
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, cast

import orjson
from cryptography.exceptions import InvalidSignature

from strongroom.audit.exports import decode_key
from strongroom.errors import InvalidRequest
from strongroom.lifecycle.portability.exporting import statement
from strongroom.lifecycle.portability.layout import FORMAT, MANIFEST

_MOST_MANIFEST = 64 * 1024 * 1024
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ExportFile:
    """An open export whose manifest was read."""

    archive: zipfile.ZipFile
    manifest: dict[str, Any]

    @property
    def files(self) -> dict[str, dict[str, Any]]:
        """What the manifest says of each file in it."""
        return cast("dict[str, dict[str, Any]]", self.manifest["Files"])

    def lines(self, path: str) -> Iterator[bytes]:
        """The lines of a file."""
        with self.archive.open(path) as file:
            yield from file


@contextmanager
def opened_export(path: Path) -> Generator[ExportFile]:
    """Raises `InvalidRequest` for what is no export, or one of another format."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(MANIFEST).file_size > _MOST_MANIFEST:
                raise InvalidRequest(f"{path} is no export: its manifest is too large.")
            manifest = orjson.loads(archive.read(MANIFEST))
            if manifest.get("Format") != FORMAT:
                raise InvalidRequest(f"{path} has a format that this version of Strongroom does not read.")
            yield ExportFile(archive, manifest)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, NotImplementedError):
        raise InvalidRequest(
            f"{path} is no export of an environment, or it is damaged. One that is encrypted is opened with "
            "`age --decrypt` first."
        ) from None


def check_export(export: ExportFile, public_key: str | None = None) -> list[str]:
    """Every doubt, the files by name; empty when the export is what its environment signed. With `public_key` it must
    be signed by that key; without, by the one that it names."""
    doubts: list[str] = []
    named = str(export.manifest.get("PublicKey", ""))
    if public_key is not None and public_key != named:
        doubts.append(f"{MANIFEST}: it is signed by another key.")
    try:
        signature = base64.b64decode(str(export.manifest.get("Signature")), validate=True)
        decode_key(named).verify(signature, statement(export.manifest))
    except (InvalidSignature, InvalidRequest, ValueError):
        doubts.append(f"{MANIFEST}: the signature is not right.")
    there = export.archive.namelist()
    doubts += [f"{name}: it is not in the manifest." for name in there if name not in export.files and name != MANIFEST]
    doubts += [f"{name}: it is there twice." for name in sorted({each for each in there if there.count(each) > 1})]
    for name, facts in export.files.items():
        doubt = _doubt(export, name, facts, frozenset(there))
        if doubt is not None:
            doubts.append(f"{name}: {doubt}")
    return doubts


def _doubt(export: ExportFile, name: str, facts: dict[str, Any], there: frozenset[str]) -> str | None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        return "the name leads out of the export."
    if name not in there:
        return "it is missing."
    digest, size, lines = hashlib.sha256(), 0, 0
    with export.archive.open(name) as file:
        while data := file.read(_CHUNK):
            digest.update(data)
            size += len(data)
            lines += data.count(b"\n")
            if size > int(facts["bytes"]):
                break
    if digest.hexdigest() != facts["sha256"]:
        return "it was changed: its SHA-256 differs."
    if "rows" in facts and lines != facts["rows"]:
        return f"it has {lines:,} rows, and {facts['rows']:,} were exported."
    return None
