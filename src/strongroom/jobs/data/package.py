"""The package of Microsoft's Configuration Migration tool: a zip of `data.xml` and `data_schema.xml`.

`data.xml` has an `entity` for each table, in it `record`s with `field`s; a lookup's field has `lookupentity` and
`lookupentityname` beside its value, a record without a value has no field. N:N links are under `m2mrelationships`.
`data_schema.xml` says which column is the key, by which columns records are told apart (`updateCompare`), and in which
order tables are imported. A record's place is its number: the file has no lines to speak of.

Images are base64 in their field. A file's field has the id of its content and its name; the bytes are the entry
`files/<id>.bin`, which is read only when it is stored. Parties are `activitypointerrecords` below their field.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from xml.etree.ElementTree import Element
from zipfile import ZipInfo

from strongroom.errors import InvalidRequest
from strongroom.ids import parse_guid
from strongroom.jobs.data.shapes import Cell, FileCell, InputLink, InputRow, LookupCell, PartyCell, TableInput
from strongroom.solutions.archive import open_beside, pieces_of
from strongroom.solutions.xml import parsed

MOST_BYTES = 256 * 1024 * 1024
CHOICES = "optionsetvaluecollection"
"""The type of columns that hold several choices; their values stand between two -1."""

FILES, IMAGES, PARTIES = "filedata", "imagedata", "partylist"
_CONTENT = re.compile(r"files/[0-9a-f-]{36}\.bin", re.IGNORECASE)


def read_package(path: Path) -> tuple[tuple[TableInput, ...], tuple[InputLink, ...]]:
    """The tables of a package in the order of their import, and its links. Raises `InvalidRequest`, `TooLarge`."""
    archive, entries = open_beside(path, _CONTENT.fullmatch, MOST_BYTES)
    contents = {entry.filename.lower(): entry for entry in entries}
    data, schema = archive.find("data.xml"), archive.find("data_schema.xml")
    if data is None or schema is None:
        raise InvalidRequest(f"'{path.name}' is no configuration data: it needs data.xml and data_schema.xml.")
    described = parsed(schema, archive.files[schema])
    keys = {_name(each): each.get("primaryidfield") or f"{_name(each)}id" for each in described.findall("entity")}
    kinds = {_name(each): _kinds(each) for each in described.findall("entity")}
    compared = {_name(each): _compared(each) for each in described.findall("entity")}
    entities = {_name(each): each for each in parsed(data, archive.files[data]).findall("entity")}
    wanted = [(each.text or "").strip().lower() for each in described.findall("entityImportOrder/entityName")]
    order = [name for name in dict.fromkeys([*wanted, *entities]) if name in entities]
    content_of = partial(_content, path, contents)
    tables = tuple(
        _table(
            name,
            entities[name],
            keys.get(name, f"{name}id"),
            partial(_cell, kinds.get(name, {}), content_of),
            compared.get(name, ()),
        )
        for name in order
    )
    return tables, tuple(_numbered(path, order, entities))


def _name(entity: Element) -> str:
    return (entity.get("name") or "").strip().lower()


def _kinds(described: Element) -> dict[str, str]:
    """The types of a table's columns."""
    fields = described.findall("fields/field")
    return {(each.get("name") or "").lower(): each.get("type") or "" for each in fields}


def _compared(described: Element) -> tuple[str, ...]:
    """The columns by which records are told apart; the key among them, or none, stands for the key alone."""
    fields = [each for each in described.findall("fields/field") if (each.get("updateCompare") or "").lower() == "true"]
    if any((each.get("primaryKey") or "").lower() == "true" for each in fields):
        return ()
    return tuple((each.get("name") or "").lower() for each in fields)


def _table(
    name: str, entity: Element, key: str, cell: Callable[[Element], Cell], compared: tuple[str, ...]
) -> TableInput:
    records = entity.findall("records/record")
    headers: dict[str, None] = {key: None}
    for record in records:
        headers.update(dict.fromkeys((each.get("name") or "").lower() for each in record.findall("field")))
    headers.update(dict.fromkeys(compared))
    return TableInput(name, tuple(headers), partial(_rows, records, key, cell), len(records), compared)


def _rows(records: list[Element], key: str, cell: Callable[[Element], Cell]) -> Iterator[InputRow]:
    for number, record in enumerate(records, 1):
        cells: dict[str, Cell] = {(f.get("name") or "").lower(): cell(f) for f in record.findall("field")}
        cells[key] = record.get("id")
        yield InputRow(number, number, cells)


def _cell(kinds: Mapping[str, str], content_of: Callable[[str, str], Cell], field: Element) -> Cell:
    value, table = field.get("value") or "", field.get("lookupentity")
    kind = kinds.get((field.get("name") or "").lower())
    if kind == PARTIES:
        return tuple(_party(each) for each in field.findall("activitypointerrecords"))
    if kind == FILES and value:
        return content_of(value, field.get("filename") or "file")
    if table:
        return LookupCell(table.lower(), parse_guid(value), field.get("lookupentityname"))
    if kind == CHOICES:  # `[-1,1,2,-1]`
        return ",".join(part for part in value.strip("[]").replace(" ", "").split(",") if part not in ("", "-1"))
    return value


def _party(record: Element) -> PartyCell:
    fields = {(each.get("name") or "").lower(): each for each in record.findall("field")}
    said, address = fields.get("partyid"), fields.get("addressused")
    used = (address.get("value") or None) if address is not None else None
    if said is None or not said.get("value"):
        return PartyCell(None, used)
    kind, name = said.get("lookupentity"), said.get("lookupentityname")
    return PartyCell(LookupCell(kind.lower() if kind else None, parse_guid(said.get("value") or ""), name), used)


def _content(path: Path, entries: Mapping[str, ZipInfo], value: str, name: str) -> Cell:
    """The entry that a file's field names; without one the field's own value, which is refused where it is stored."""
    entry = entries.get(f"files/{value.lower()}.bin")
    return value if entry is None else FileCell(name, entry.file_size, partial(pieces_of, path, entry))


def _numbered(path: Path, order: list[str], entities: dict[str, Element]) -> Iterator[InputLink]:
    number = 0
    for name in order:
        for link in entities[name].findall("m2mrelationships/m2mrelationship"):
            source = parse_guid(link.get("sourceid") or "")
            for element in link.findall("targetids/targetid"):
                number += 1
                target = parse_guid(element.text or "")
                if source is None or target is None:
                    raise InvalidRequest(f"'{path.name}': link {number} of '{name}' does not tie two ids.")
                relationship = link.get("m2mrelationshipschemaname") or link.get("m2mrelationshipname") or ""
                yield InputLink(number, relationship, name, source, target)
