"""Packages from somebody else: refused soon, with a reason, and without reading or writing anything outside (WA-53)."""

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest
from tests.unit.jobs.data.moving import Mover
from tests.worlds import World

from strongroom.errors import StrongroomError
from strongroom.ids import Guid
from strongroom.jobs.data import open_data
from strongroom.schema.changes import NewColumn
from strongroom.schema.model import ColumnType
from strongroom.store.protocol import Database

ACCOUNT = Guid("00000000-0000-0000-0000-0000000000a1")
CONTENT = "00000000-0000-0000-0000-0000000000f1"
SCHEMA = (
    '<entities><entity name="account" primaryidfield="accountid"><fields>'
    '<field name="new_paper" type="filedata"/></fields></entity></entities>'
)
DATA = (
    f'<entities><entity name="account"><records><record id="{ACCOUNT}"><field name="name" value="A"/>'
    f'<field name="new_paper" value="{CONTENT}" filename="a.bin"/></record></records></entity></entities>'
)
_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


def _package(path: Path, entries: Mapping[str, bytes], data: str = DATA) -> Path:
    with ZipFile(path, "w", ZIP_DEFLATED) as packed:
        packed.writestr("data.xml", data)
        packed.writestr("data_schema.xml", SCHEMA)
        for name, body in entries.items():
            packed.writestr(name, body)
    return path


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (f'<!DOCTYPE x [<!ENTITY l0 "ha">{_LAUGHS}]><entities>&l9;</entities>', "data.xml"),
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><entities>&e;</entities>', "data.xml"),
        ("<entities>" + "<entity>" * 5000 + "</entity>" * 5000 + "</entities>", "data.xml"),
        ("<entities><entity></entities>", "data.xml"),
        ("", "data.xml"),
    ],
)
def test_xml_that_grows_reaches_out_or_never_ends_is_refused(tmp_path: Path, data: str, says: str) -> None:
    with pytest.raises(StrongroomError, match=says):
        open_data(_package(tmp_path / "data.zip", {}, data), None)


@pytest.mark.parametrize("name", ["../data.xml", "/etc/x", "files/../../x.bin", "C:\\x", "a\\..\\..\\x"])
def test_a_name_that_leads_out_of_a_package_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StrongroomError, match="outside of itself"):
        open_data(_package(tmp_path / "data.zip", {name: b"x"}), None)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with pytest.raises(StrongroomError, match="packed tighter"):
        open_data(_package(tmp_path / "data.zip", {"notes.xml": bytes(50_000_000)}), None)


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    path = _package(tmp_path / "data.zip", {f"files/{CONTENT}.bin": b"one", f"FILES/{CONTENT.upper()}.BIN": b"two"})
    with pytest.raises(StrongroomError, match="twice"):
        open_data(path, None)


@pytest.fixture
def world(database: Database) -> World:
    world = World(database)
    world.new_column("account", NewColumn("new_Paper", ColumnType.FILE, max_size_kb=64))
    return world


def _refused(world: World, path: Path) -> str:
    """What the file of errors says of the one row, which is in, without its file."""
    report = Mover(world).load(path)
    assert (report.counts["account"].created, report.counts["account"].incomplete, report.status) == (1, 1, 1)
    return path.with_suffix(".errors.csv").read_text()


def test_a_content_that_unpacks_to_more_than_its_column_takes_is_refused_unread(world: World, tmp_path: Path) -> None:
    """WA-367: what the directory of the zip says is enough; a hundred megabytes of nothing are never unpacked."""
    path = _package(tmp_path / "data.zip", {f"files/{CONTENT}.bin": bytes(100_000_000)})
    assert "takes 65536" in _refused(world, path)


def test_a_content_whose_directory_lies_about_it_is_refused(world: World, tmp_path: Path) -> None:
    """An entry that says ten bytes and has a hundred thousand."""
    body = bytes(100_000)
    path = tmp_path / "data.zip"
    with ZipFile(path, "w", ZIP_STORED) as packed:
        packed.writestr("data.xml", DATA)
        packed.writestr("data_schema.xml", SCHEMA)
        packed.writestr(f"files/{CONTENT}.bin", body)
    raw = path.read_bytes()
    told = struct.pack("<III", zlib.crc32(body), len(body), len(body))
    assert raw.count(told) == 2
    path.write_bytes(raw.replace(told, struct.pack("<III", zlib.crc32(body), len(body), 10)))
    told_of = _refused(world, path)
    assert "cannot be read" in told_of or "lies about the size" in told_of
