"""One moment of an environment into a new ZIP, row by row: memory does not grow with it (TS-2105)."""

import base64
import csv
import hashlib
import io
import os
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import IO, BinaryIO, cast

import orjson
import rfc8785

from strongroom.audit.exports import encode_key
from strongroom.clock import iso
from strongroom.errors import InvalidRequest
from strongroom.home import Home
from strongroom.keys import age
from strongroom.lifecycle.portability.layout import (
    CATALOGUE,
    DOCUMENTS,
    FORMAT,
    MANIFEST,
    PROOF,
    READ_ME,
    README,
    cell,
    folder_of,
    written,
)
from strongroom.opening import open_environment
from strongroom.schema.codec import diff_from_standard
from strongroom.schema.model import Schema
from strongroom.store.portable import Dump, Row
from strongroom.trail import Trail, signing_key

Tell = Callable[[str, int, int], None]


@dataclass(slots=True)
class _Writing:
    """The ZIP as it grows, with the digest of each file in it."""

    target: zipfile.ZipFile
    files: dict[str, dict[str, object]] = field(default_factory=dict[str, dict[str, object]])

    def add(self, path: str, pieces: Iterable[bytes], **facts: object) -> None:
        """A file made of pieces."""
        with self.writing(path, **facts) as file:
            for piece in pieces:
                file.write(piece)

    @contextmanager
    def writing(self, path: str, **facts: object) -> Generator[BinaryIO]:
        """A file to write to."""
        with self.target.open(path, "w", force_zip64=True) as file:
            digesting = _Digesting(file)
            yield cast("BinaryIO", digesting)
        self.files[path] = {"sha256": digesting.digest.hexdigest(), "bytes": digesting.size, **facts}


class _Digesting:
    """A file to write that counts and digests what goes in."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self._file.write(data)


def export_everything(
    home: Home, name: str, path: Path, *, recipients: Sequence[str] = (), tell: Tell = lambda _, __, ___: None
) -> dict[str, object]:
    """Write all of an environment to a new file, encrypted to `recipients` (age) where there are any; its manifest."""
    if path.exists():
        raise InvalidRequest(f"{path} is there already; an export is never written over something.")
    partial = path.with_name(f"{path.name}.partial")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            if recipients:
                manifest = _encrypted(file, recipients, lambda target: _written(home, name, target, tell))
            else:
                manifest = _written(home, name, file, tell)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return manifest


def _encrypted(
    file: BinaryIO, recipients: Sequence[str], write: Callable[[BinaryIO], dict[str, object]]
) -> dict[str, object]:
    """What `write` writes, encrypted on the way: nothing of it reaches the disk in clear."""
    reading, writing = os.pipe()
    done: list[dict[str, object]] = []
    failed: list[BaseException] = []

    def run() -> None:
        with os.fdopen(writing, "wb") as target:
            try:
                done.append(write(target))
            except BaseException as error:  # noqa: BLE001 - raised again by who waits for the thread
                failed.append(error)

    thread = Thread(target=run)
    thread.start()
    with os.fdopen(reading, "rb") as source:
        age.encrypt(source, file, recipients)
    thread.join()
    if failed:
        raise failed[0]
    return done[0]


def _written(home: Home, name: str, target: BinaryIO, tell: Tell) -> dict[str, object]:
    record = home.environment(name)
    environment = open_environment(home, name)
    try:
        trail = Trail(home, environment)
        trail.seal()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            writing = _Writing(archive)
            writing.add(README, [READ_ME.encode()])
            with environment.database.dumping() as dump:
                taken = iso(home.clock.now())
                writing.add(DOCUMENTS, _documents(dump.schema))
                writing.add(CATALOGUE, [_catalogue(dump.schema)])
                names = dump.names()
                for number, table in enumerate(names):
                    tell("tables", number, len(names))
                    _add_table(writing, dump, table)
            with writing.writing(PROOF) as proof:
                trail.export(proof)
            key = signing_key(home, record.id)
            newest = trail.heads(newest=1)
            manifest: dict[str, object] = {
                "Format": FORMAT,
                "Home": home.id,
                "Environment": {"Id": record.id, "Name": name, "Type": record.type.value, "Region": record.region},
                "TakenOn": taken,
                "TestClock": home.is_test_home,
                "Engine": dump.engine.name,
                "Epoch": dump.epoch,
                "Version": str(dump.version),
                "Tree": {"Size": newest[0].tree_size, "Root": newest[0].root} if newest else None,
                "Files": writing.files,
                "PublicKey": encode_key(key.public_key()),
            }
            signature = base64.b64encode(key.sign(statement(manifest))).decode()
            manifest = {**manifest, "Signature": signature}
            archive.writestr(MANIFEST, orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
            return manifest
    finally:
        environment.close()


def statement(manifest: dict[str, object]) -> bytes:
    """What is signed of a manifest."""
    unsigned = {name: value for name, value in manifest.items() if name != "Signature"}
    return rfc8785.dumps(cast("dict[str, str]", {"Kind": "strongroom export", **unsigned}))


def _add_table(writing: _Writing, dump: Dump, name: str) -> None:
    """A table as JSON lines and as CSV; read twice, so that neither waits in memory or on disk."""
    table, number = dump.table(name), 0

    def lines() -> Iterator[bytes]:
        nonlocal number
        for row in table.rows:
            number += 1
            yield written(table.columns, row)

    path = f"{folder_of(name)}/{name}"
    writing.add(f"{path}.jsonl", lines(), table=name, columns=list(table.columns))
    writing.files[f"{path}.jsonl"]["rows"] = number
    writing.add(f"{path}.csv", _csv(table.columns, dump.table(name).rows))


def _csv(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        if text.tell() > 1024 * 1024:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
        writer.writerow([cell(value) for value in row])
    yield text.getvalue().encode()


def _documents(schema: Schema) -> Iterator[bytes]:
    for document in diff_from_standard(schema):
        value = {"kind": document.kind.value, "name": document.name, "body": document.body}
        yield orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def _catalogue(schema: Schema) -> bytes:
    tables = {
        name: {
            "label": table.label,
            "primaryKey": table.primary_id,
            "primaryName": table.primary_name,
            "ownership": table.ownership.name,
            "columns": {
                column.logical_name: {
                    "type": column.type.name,
                    "label": column.label,
                    "targets": list(column.targets),
                    "options": {str(option.value): option.label for option in column.options},
                }
                for column in table.columns.values()
            },
        }
        for name, table in sorted(schema.tables.items())
    }
    return orjson.dumps(tables, option=orjson.OPT_INDENT_2)
