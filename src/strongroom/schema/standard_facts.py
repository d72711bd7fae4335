"""The facts about standard tables as they lie in the files of `schema/standard` (its README tells their form)."""

from pathlib import Path
from typing import NotRequired, TypedDict, cast

import orjson

_FOLDER = Path(__file__).parent / "standard"


class ColumnFacts(TypedDict):
    """One column."""

    name: str
    schema: str
    type: str
    typeName: NotRequired[str]
    label: NotRequired[str]
    required: NotRequired[str]
    maxLength: NotRequired[int]
    precision: NotRequired[int]
    min: NotRequired[float]
    max: NotRequired[float]
    format: NotRequired[str]
    behavior: NotRequired[str]
    targets: NotRequired[list[str]]
    options: NotRequired[list[list[int | str]]]
    globalChoice: NotRequired[str]
    default: NotRequired[int]
    defaultStatus: NotRequired[dict[str, int]]
    valid: NotRequired[str]
    securable: NotRequired[str]
    secured: NotRequired[bool]
    audit: NotRequired[bool]
    logical: NotRequired[bool]
    sourceType: NotRequired[int]


class RelationshipFacts(TypedDict):
    """One many-to-one relationship."""

    name: str
    column: str
    to: str
    toColumn: str
    nav: str
    collectionNav: str
    cascade: dict[str, str]
    cascadeSource: NotRequired[str]
    hierarchical: NotRequired[bool]


class AssociationFacts(TypedDict):
    """One many-to-many relationship."""

    name: str
    table1: str
    column1: str
    nav1: str
    table2: str
    column2: str
    nav2: str
    intersect: str


class KeyFacts(TypedDict):
    """One alternate key."""

    name: str
    columns: list[str]


class TableFacts(TypedDict):
    """One table."""

    logicalName: str
    schemaName: str
    entitySetName: str
    objectTypeCode: int
    ownership: str
    displayName: str
    displayCollectionName: str
    description: str
    primaryId: str
    primaryName: str | None
    primaryImage: NotRequired[str | None]
    isActivity: bool
    isIntersect: bool
    hasNotes: NotRequired[bool]
    source: str
    columns: list[ColumnFacts]
    derivedColumns: dict[str, str]
    manyToOne: list[RelationshipFacts]
    manyToMany: list[AssociationFacts]
    keys: list[KeyFacts]
    privileges: NotRequired[list[tuple[str, str, str, str]]]


def load_facts() -> dict[str, TableFacts]:
    """All tables by logical name, in the order of their names."""
    paths = [path for path in _FOLDER.glob("*.json") if path.name != "index.json"]
    paths += (_FOLDER / "additions").glob("*.json")
    facts = [cast(TableFacts, orjson.loads(path.read_bytes())) for path in paths]
    return {table["logicalName"]: table for table in sorted(facts, key=lambda table: table["logicalName"])}
