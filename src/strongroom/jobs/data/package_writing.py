"""Writing the package of Microsoft's Configuration Migration tool, as the tool itself does.

Values are written as the tool writes them: `True` and `False`, moments with seven digits of a second, lookups with
`lookupentity` and `lookupentityname`, sets of choices between two -1, images as base64, files as the id of their
content with `files/<id>.bin` beside, parties as `activitypointerrecords`. What is null has no field.
"""

import base64
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

from strongroom.errors import InvalidRequest
from strongroom.ids import Guid
from strongroom.jobs.data.package import CHOICES, FILES, IMAGES, PARTIES
from strongroom.jobs.data.party_lists import PARTS
from strongroom.jobs.data.private_files import owner_only
from strongroom.jobs.data.shapes import Cell, FileCell, LookupCell, PartyCell
from strongroom.query.ast import Field, Join, JoinKind, Link, Output, Select, Source
from strongroom.records import Session, retrieve_page
from strongroom.schema.model import Column, ColumnType, ManyToMany, Table
from strongroom.solutions import archive

MOST_ROWS = 500_000
"""Rows in one package: it is made in memory, as its readers take it."""

_TYPES = {
    ColumnType.STRING: "string",
    ColumnType.MEMO: "memo",
    ColumnType.INTEGER: "number",
    ColumnType.BIGINT: "bigint",
    ColumnType.DECIMAL: "decimal",
    ColumnType.DOUBLE: "float",
    ColumnType.MONEY: "money",
    ColumnType.BOOLEAN: "bool",
    ColumnType.DATETIME: "datetime",
    ColumnType.PICKLIST: "optionsetvalue",
    ColumnType.STATE: "state",
    ColumnType.STATUS: "status",
    ColumnType.LOOKUP: "entityreference",
    ColumnType.CUSTOMER: "entityreference",
    ColumnType.OWNER: "owner",
    ColumnType.UNIQUEIDENTIFIER: "guid",
    ColumnType.MULTISELECT: CHOICES,
    ColumnType.FILE: FILES,
    ColumnType.IMAGE: IMAGES,
    ColumnType.PARTYLIST: PARTIES,
}


@dataclass(frozen=True, slots=True)
class PackageTable:
    """A table and its rows, each with a cell for each of `columns`; the id is the first."""

    table: Table
    columns: Sequence[Column]
    rows: Iterator[list[Cell]]


@dataclass(frozen=True, slots=True)
class PackageLinks:
    """The links of an N:N relationship between two tables of the package: (row of `table1`, row of `table2`)."""

    relationship: ManyToMany
    other: Table
    pairs: list[tuple[Guid, Guid]]


def links_between(session: Session, tables: Sequence[Table]) -> list[PackageLinks]:
    """The N:N links among rows of these tables that the user may read on both sides."""
    known = {table.logical_name: table for table in tables}
    found: list[PackageLinks] = []
    for each in session.schema.many_to_many.values():
        if each.table1 not in known or each.table2 not in known:
            continue
        first, second = known[each.table1], known[each.table2]
        join = Join(JoinKind.INNER, Source(second, "other"), Link("", each.column1, each.column2, intersect=each))
        outputs = (
            Output("first", Field("", first.id_column)),
            Output("second", Field("other", second.id_column)),
        )
        page = retrieve_page(session, Select(Source(first), outputs, joins=(join,)))
        pairs = [(Guid(str(row.values[0])), Guid(str(row.values[1]))) for row in page.rows]
        if pairs:
            found.append(PackageLinks(each, second, pairs))
    return found


def write_package(
    path: Path, tables: Sequence[PackageTable], links: Sequence[PackageLinks], now: str
) -> dict[str, int]:
    """Write the zip, and tell how many rows of each table are in it."""
    with (
        open(path, "xb", opener=owner_only) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as packed,
    ):
        return _write(packed, tables, links, now)


def _write(
    packed: zipfile.ZipFile, tables: Sequence[PackageTable], links: Sequence[PackageLinks], now: str
) -> dict[str, int]:
    data = Element("entities", {"timestamp": f"{now[:-1]}.0000000Z"})
    schema = Element("entities", {"dateMode": "absolute"})
    order = SubElement(schema, "entityImportOrder")
    numbers: dict[str, int] = {}
    for each in tables:
        SubElement(order, "entityName").text = each.table.logical_name
        own = [link for link in links if link.relationship.table1 == each.table.logical_name]
        _describe(schema, each, own)
        numbers[each.table.logical_name] = _add_rows(packed, data, each, own)
        if sum(numbers.values()) > MOST_ROWS:
            raise InvalidRequest(f"A package holds at most {MOST_ROWS:,} rows; use csv or jsonl, or --filter.")
    written = tostring(data, encoding="utf-8", xml_declaration=True)
    if len(written) > archive.MOST_BYTES // 2:
        raise InvalidRequest("The package would be larger than any import takes; use csv or jsonl, or --filter.")
    packed.writestr("data.xml", written)
    packed.writestr("data_schema.xml", tostring(schema, encoding="utf-8", xml_declaration=True))
    packed.writestr("[Content_Types].xml", _CONTENT_TYPES)
    return numbers


_CONTENT_TYPES = (
    '<?xml version="1.0" encoding="utf-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/octet-stream" />'
    '<Default Extension="bin" ContentType="application/octet-stream" /></Types>'
)


def _describe(schema: Element, each: PackageTable, links: Sequence[PackageLinks]) -> None:
    table = each.table
    about = {
        "name": table.logical_name,
        "displayname": table.label,
        "etc": str(table.object_type_code),
        "primaryidfield": table.primary_id,
        "primarynamefield": table.primary_name or "",
        "disableplugins": "false",
    }
    entity = SubElement(schema, "entity", about)
    fields = SubElement(entity, "fields")
    for column in each.columns:
        said = {"displayname": column.label, "name": column.logical_name, "type": _TYPES.get(column.type, "string")}
        if column.logical_name == table.primary_id:
            said |= {"updateCompare": "true", "primaryKey": "true"}
        if column.type.is_lookup:
            said["lookupType"] = "|".join(column.targets)
        if column.is_custom:
            said["customfield"] = "true"
        SubElement(fields, "field", said)
    if links:
        relationships = SubElement(entity, "relationships")
        for link in links:
            found = link.relationship
            said = {
                "name": found.schema_name,
                "manyToMany": "true",
                "isreflexive": str(found.table1 == found.table2).lower(),
                "relatedEntityName": found.intersect,
                "m2mTargetEntity": found.table2,
                "m2mTargetEntityPrimaryKey": link.other.primary_id,
            }
            SubElement(relationships, "relationship", said)


def _add_rows(packed: zipfile.ZipFile, data: Element, each: PackageTable, links: Sequence[PackageLinks]) -> int:
    entity = SubElement(data, "entity", {"name": each.table.logical_name, "displayname": each.table.label})
    records = SubElement(entity, "records")
    number = 0
    for row in each.rows:
        number += 1
        record = SubElement(records, "record", {"id": str(row[0])})
        for column, cell in zip(each.columns, row, strict=True):
            if isinstance(cell, FileCell):
                _add_content(packed, record, column, cell)
            elif isinstance(cell, tuple):
                _add_parties(record, column, cell)
            elif cell is not None:
                SubElement(record, "field", {"name": column.logical_name, **_value(column, cell)})
    places = SubElement(entity, "m2mrelationships")
    for link in links:
        by_source: dict[Guid, list[Guid]] = {}
        for source, target in link.pairs:
            by_source.setdefault(source, []).append(target)
        for source, targets in by_source.items():
            said = {
                "sourceid": source,
                "targetentityname": link.relationship.table2,
                "targetentitynameidfield": link.other.primary_id,
                "m2mrelationshipname": link.relationship.schema_name,
            }
            ids = SubElement(SubElement(places, "m2mrelationship", said), "targetids")
            for target in targets:
                SubElement(ids, "targetid").text = target
    return number


def _add_content(packed: zipfile.ZipFile, record: Element, column: Column, cell: FileCell) -> None:
    """An image stands in the field as base64; a file has an entry of its own, named by the id of its content."""
    if column.type is ColumnType.IMAGE:
        body = base64.b64encode(b"".join(cell.pieces())).decode("ascii")
        SubElement(record, "field", {"name": column.logical_name, "value": body})
        return
    said = {"name": column.logical_name, "value": str(cell.id), "filename": _xml_text(column, cell.name)}
    SubElement(record, "field", said)
    with packed.open(f"files/{cell.id}.bin", "w", force_zip64=True) as entry:
        for piece in cell.pieces():
            entry.write(piece)


def _add_parties(record: Element, column: Column, parties: Sequence[PartyCell]) -> None:
    place = SubElement(record, "field", {"name": column.logical_name, "value": ""})
    for each in parties:
        party = SubElement(place, "activitypointerrecords")
        if each.party is not None:
            SubElement(party, "field", {"name": "partyid", **_value(column, each.party)})
        part = PARTS[column.logical_name]
        SubElement(party, "field", {"name": "participationtypemask", "value": str(part)})
        if each.address:
            SubElement(party, "field", {"name": "addressused", "value": _xml_text(column, each.address)})


def _value(column: Column, cell: Cell) -> dict[str, str]:
    if isinstance(cell, LookupCell):
        found = {"value": cell.id or "", "lookupentity": cell.table or ""}
        return found if cell.name is None else {**found, "lookupentityname": _xml_text(column, cell.name)}
    if isinstance(cell, bool):
        return {"value": str(cell)}
    if isinstance(cell, Decimal):
        return {"value": format(cell, "f")}
    if column.type is ColumnType.MULTISELECT:
        return {"value": f"[-1,{cell},-1]"}
    if column.type is ColumnType.DATETIME and isinstance(cell, str):
        return {"value": f"{cell[:10]}T00:00:00.0000000Z" if len(cell) == 10 else f"{cell[:-1]}.0000000Z"}
    return {"value": _xml_text(column, str(cell))}


def _xml_text(column: Column, text: str) -> str:
    """`text`, which XML must be able to hold."""
    if any((letter < " " and letter not in "\t\n\r") or letter in "\ufffe\uffff" for letter in text):
        raise InvalidRequest(f"A text in '{column.logical_name}' holds characters that XML cannot; use csv or jsonl.")
    return text
