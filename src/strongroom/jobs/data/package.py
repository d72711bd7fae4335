"""The package of Microsoft's Configuration Migration tool: a zip of `data.xml` and `data_schema.xml`.

`data.xml` has an `entity` for each table, in it `record`s with `field`s; a lookup's field has `lookupentity` and
`lookupentityname` beside its value, a record without a value has no field. N:N links are under `m2mrelationships`.
`data_schema.xml` says which column is the key, and in which order tables are imported. A record's place is its number:
the file has no lines to speak of.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from xml.etree.ElementTree import Element

from strongroom.errors import InvalidRequest, TooLarge
from strongroom.ids import parse_guid
from strongroom.jobs.data.shapes import Cell, InputLink, InputRow, LookupCell, TableInput
from strongroom.solutions.archive import open_archive
from strongroom.solutions.xml import parsed

MOST_BYTES = 256 * 1024 * 1024
CHOICES = "optionsetvaluecollection"
"""The type of columns that hold several choices; their values stand between two -1."""


def read_package(path: Path) -> tuple[tuple[TableInput, ...], tuple[InputLink, ...]]:
    """The tables of a package in the order of their import, and its links. Raises `InvalidRequest`, `TooLarge`."""
    if path.stat().st_size > MOST_BYTES:
        raise TooLarge(f"'{path.name}' is larger than {MOST_BYTES // 2**20} MiB; export fewer tables at once.")
    archive = open_archive(path.name, path.read_bytes())
    data, schema = archive.find("data.xml"), archive.find("data_schema.xml")
    if data is None or schema is None:
        raise InvalidRequest(f"'{path.name}' is no configuration data: it needs data.xml and data_schema.xml.")
    described = parsed(schema, archive.files[schema])
    keys = {_name(each): each.get("primaryidfield") or f"{_name(each)}id" for each in described.findall("entity")}
    sets = {_name(each): _choice_sets(each) for each in described.findall("entity")}
    entities = {_name(each): each for each in parsed(data, archive.files[data]).findall("entity")}
    wanted = [(each.text or "").strip().lower() for each in described.findall("entityImportOrder/entityName")]
    order = [name for name in dict.fromkeys([*wanted, *entities]) if name in entities]
    tables = tuple(
        _table(name, entities[name], keys.get(name, f"{name}id"), sets.get(name, frozenset())) for name in order
    )
    return tables, tuple(_numbered(path, order, entities))


def _name(entity: Element) -> str:
    return (entity.get("name") or "").strip().lower()


def _choice_sets(described: Element) -> frozenset[str]:
    """The columns of a table that hold several choices."""
    fields = described.findall("fields/field")
    return frozenset(each.get("name") or "" for each in fields if each.get("type") == CHOICES)


def _table(name: str, entity: Element, key: str, choice_sets: frozenset[str]) -> TableInput:
    records = entity.findall("records/record")
    headers: dict[str, None] = {key: None}
    for record in records:
        headers.update(dict.fromkeys((each.get("name") or "").lower() for each in record.findall("field")))
    return TableInput(name, tuple(headers), partial(_rows, records, key, choice_sets), len(records))


def _rows(records: list[Element], key: str, choice_sets: frozenset[str]) -> Iterator[InputRow]:
    for number, record in enumerate(records, 1):
        cells: dict[str, Cell] = {(f.get("name") or "").lower(): _cell(f, choice_sets) for f in record.findall("field")}
        cells[key] = record.get("id")
        yield InputRow(number, number, cells)


def _cell(field: Element, choice_sets: frozenset[str]) -> Cell:
    value, table = field.get("value") or "", field.get("lookupentity")
    if table:
        return LookupCell(table.lower(), parse_guid(value), field.get("lookupentityname"))
    if field.get("name") in choice_sets:  # `[-1,1,2,-1]`
        return ",".join(part for part in value.strip("[]").replace(" ", "").split(",") if part not in ("", "-1"))
    return value


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
