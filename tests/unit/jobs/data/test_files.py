"""Files alone: every text comes back as it was, whatever the format; and what is no such file is refused quickly."""

import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import InvalidRequest, TooLarge
from strongroom.ids import Guid
from strongroom.jobs.data import open_data
from strongroom.jobs.data.excel import ExcelWriter
from strongroom.jobs.data.exporting import csv_writer
from strongroom.jobs.data.neutral import neutral, original
from strongroom.jobs.data.shapes import LookupCell

_CHARACTERS = st.characters(exclude_categories=("Cs",), exclude_characters="\x00")
_TEXTS = st.text(_CHARACTERS, max_size=20) | st.text("'=+-@\t\r\n\",;x_0D", max_size=8)
_ROWS = st.lists(st.lists(_TEXTS, min_size=2, max_size=2), max_size=5)


@given(_TEXTS)
def test_a_neutral_text_begins_as_no_formula_and_comes_back(text: str) -> None:
    assert neutral(text)[:1] not in tuple("=+-@\t\r\n")
    assert original(neutral(text)) == text


@given(_ROWS)
def test_every_text_comes_back_from_csv(rows: list[list[str]]) -> None:
    def write(path: Path) -> None:
        with path.open("x", encoding="utf-8", newline="") as file:
            add = csv_writer(file, ("id", "a", "b"))
            for number, row in enumerate(rows):
                add([number, *row])

    assert _read("t.csv", write) == [[str(number), *row] for number, row in enumerate(rows)]


@given(_ROWS)
def test_every_text_comes_back_from_a_workbook(rows: list[list[str]]) -> None:
    """An empty cell is null, as an empty text is in the platform (WA-81)."""

    def write(path: Path) -> None:
        book = ExcelWriter(path, "t", ("id", "a", "b"))
        for number, row in enumerate(rows):
            book.write([number, *row])
        book.close()

    found = [[cell if cell is not None else "" for cell in row] for row in _read("t.xlsx", write)]
    assert found == [[number, *row] for number, row in enumerate(rows)]


def _read(name: str, write: Callable[[Path], None]) -> list[Sequence[object]]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        (table,) = open_data(path, None).tables
        rows = list(table.rows())
        assert not [row.problem for row in rows if row.problem]
        return [list(row.cells.values()) for row in rows]


_SCHEMA = """<entities><entityImportOrder><entityName>contact</entityName></entityImportOrder>
<entity name="account" primaryidfield="accountid"><fields>
<field name="sets" type="optionsetvaluecollection"/><field name="name" type="string"/></fields></entity></entities>"""
_DATA = """<entities><entity name="account"><records>
<record id="{00000000-0000-0000-0000-0000000000A1}"><field name="name" value="[-1,2,-1]"/>
<field name="sets" value="[-1,2,3,-1]"/>
<field name="primarycontactid" value="00000000-0000-0000-0000-0000000000c1"
 lookupentity="contact" lookupentityname="Ann"/>
</record></records><m2mrelationships><m2mrelationship sourceid="00000000-0000-0000-0000-0000000000a1"
 targetentityname="lead" m2mrelationshipname="accountleads_association">
<targetids><targetid>00000000-0000-0000-0000-0000000000d1</targetid></targetids></m2mrelationship></m2mrelationships></entity>
<entity name="contact"><records/></entity></entities>"""


def _package(folder: Path, **files: str) -> Path:
    path = folder / "data.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in files.items():
            packed.writestr(f"{name}.xml", text)
    return path


def test_a_package_is_read_as_the_configuration_migration_tool_writes_it(tmp_path: Path) -> None:
    source = open_data(_package(tmp_path, data=_DATA, data_schema=_SCHEMA), None)

    contact, account = source.tables
    assert (contact.table, account.table, account.total) == ("contact", "account", 1)
    (row,) = account.rows()
    assert row.cells == {
        "name": "[-1,2,-1]",
        "sets": "2,3",
        "primarycontactid": LookupCell("contact", Guid("00000000-0000-0000-0000-0000000000c1"), "Ann"),
        "accountid": "{00000000-0000-0000-0000-0000000000A1}",
    }
    (link,) = source.links
    assert (link.relationship, link.source_table) == ("accountleads_association", "account")


def test_packages_and_workbooks_that_are_bombs_or_no_such_files_are_refused(tmp_path: Path) -> None:
    bomb = f"<entities>{' ' * 60_000_000}</entities>"
    with pytest.raises(TooLarge, match="packed tighter"):
        open_data(_package(tmp_path, data=bomb, data_schema=_SCHEMA), None)
    entity = '<!DOCTYPE e [<!ENTITY x "y">]><entities>&x;</entities>'
    with pytest.raises(InvalidRequest, match="entities"):
        open_data(_package(tmp_path, data=entity, data_schema=_SCHEMA), None)
    with pytest.raises(InvalidRequest, match=r"needs data\.xml"):
        open_data(_package(tmp_path, other="<x/>"), None)
    workbook = tmp_path / "account.xlsx"
    with zipfile.ZipFile(workbook, "w") as packed:
        packed.writestr("xl/workbook.xml", entity)
    with pytest.raises(InvalidRequest, match="no Excel workbook"):
        open_data(workbook, None)
    packed_bomb = io.BytesIO()
    with zipfile.ZipFile(packed_bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", bomb)
    workbook.write_bytes(packed_bomb.getvalue())
    with pytest.raises(TooLarge, match="packed tighter"):
        open_data(workbook, None)
