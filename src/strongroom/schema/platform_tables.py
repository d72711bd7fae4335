"""Tables of the platform's own services, described in a few lines each and added to an environment that needs them.

The standard catalogue is what every environment has. A service such as identity keeps its state in tables that only
the control environment has: they look like any organization-owned table (bookkeeping, state, privileges), and are made
when the environment is first opened by a program that knows them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from strongroom.schema.build import next_version
from strongroom.schema.model import (
    AlternateKey,
    Cascade,
    Column,
    ColumnType,
    Option,
    Ownership,
    Relationship,
    RequiredLevel,
    Schema,
    Table,
)
from strongroom.schema.privileges import table_privileges
from strongroom.schema.stable_ids import stable_id
from strongroom.schema.system_columns import bookkeeping_columns, derived_names, state_columns, system_relationships

PLATFORM_TYPE_CODES = range(10_700, 10_800)
"""Type codes of the platform's own tables: custom tables get others, so that tables that a later program brings along
find theirs free."""

_LARGEST = 2_147_483_647.0
_LONGEST_MEMO = 1_048_576


@dataclass(frozen=True, slots=True)
class Given:
    """One column. `written` columns are set by clients, the others by the platform alone (TS-002); `hidden` ones are
    read by nobody: hashes of secrets, and what would let a reader pose as somebody."""

    name: str
    type: ColumnType
    label: str
    length: int = 200
    written: bool = False
    hidden: bool = False
    indexed: bool = False
    target: str = ""
    options: tuple[str, ...] = ()
    """Labels of a choice, numbered from 1."""


def platform_table(
    name: str,
    label: str,
    type_code: int,
    columns: Sequence[Given],
    *,
    description: str,
    plural: str | None = None,
    keys: Sequence[Sequence[str]] = (),
    is_audited: bool = True,
) -> Table:
    """An organization-owned table with the primary name `name` and these columns."""
    ident = Column(
        f"{name}id",
        f"{name}id",
        ColumnType.UNIQUEIDENTIFIER,
        stable_id("column", f"{name}.{name}id"),
        label,
        required=RequiredLevel.SYSTEM_REQUIRED,
        valid_for_update=False,
        is_audited=False,
    )
    made = [ident, *(_column(name, each) for each in columns)]
    made += bookkeeping_columns(name, Ownership.ORGANIZATION, stable_id)
    made += state_columns(name, stable_id)
    numbered = {column.logical_name: replace(column, column_number=number) for number, column in enumerate(made, 1)}
    return Table(
        logical_name=name,
        schema_name=name,
        entity_set_name=plural or f"{name}s",
        object_type_code=type_code,
        metadata_id=stable_id("table", name),
        ownership=Ownership.ORGANIZATION,
        label=label,
        collection_label=f"{label}s",
        description=description,
        primary_id=f"{name}id",
        primary_name="name",
        columns=numbered,
        derived={derived: base for column in made for derived, base in derived_names(column).items()},
        keys=tuple(_key(name, key) for key in keys),
        privileges=table_privileges(name, name, Ownership.ORGANIZATION),
        is_audited=is_audited,
    )


def with_platform_tables(schema: Schema, tables: Sequence[Table]) -> Schema:
    """`schema` with those of `tables` that it lacks, and columns that a newer program added to the others; `schema`
    itself when nothing is missing."""
    merged = {table.logical_name: _merged(schema.tables.get(table.logical_name), table) for table in tables}
    if all(schema.tables.get(name) is table for name, table in merged.items()):
        return schema
    relationships = [found for table in merged.values() for found in platform_relationships(table)]
    return next_version(
        schema,
        tables={**schema.tables, **merged},
        relationships={**schema.relationships, **{found.schema_name: found for found in relationships}},
    )


def _merged(known: Table | None, wanted: Table) -> Table:
    if known is None:
        return wanted
    missing = {name: column for name, column in wanted.columns.items() if name not in known.columns}
    if not missing:
        return known
    first = 1 + max(column.column_number for column in known.columns.values())
    added = {name: replace(column, column_number=first + place) for place, (name, column) in enumerate(missing.items())}
    return replace(known, columns={**known.columns, **added}, derived={**known.derived, **wanted.derived})


def _column(table: str, given: Given) -> Column:
    is_number = given.type in (ColumnType.INTEGER, ColumnType.BIGINT)
    length = {ColumnType.STRING: given.length, ColumnType.MEMO: _LONGEST_MEMO}.get(given.type)
    options = tuple(Option(number, label) for number, label in enumerate(given.options, 1))
    if given.type is ColumnType.BOOLEAN:
        options = (Option(1, "Yes"), Option(0, "No"))
    return Column(
        given.name,
        given.name,
        given.type,
        stable_id("column", f"{table}.{given.name}"),
        given.label,
        required=RequiredLevel.APPLICATION_REQUIRED if given.name == "name" else RequiredLevel.NONE,
        max_length=length,
        minimum=0.0 if is_number else None,
        maximum=_LARGEST if is_number else None,
        format="DateAndTime" if given.type is ColumnType.DATETIME else None,
        targets=(given.target,) if given.target else (),
        options=options,
        default=0 if given.type is ColumnType.BOOLEAN else None,
        valid_for_create=given.written,
        valid_for_read=not given.hidden,
        valid_for_update=given.written,
        is_audited=not given.hidden,
        is_indexed=given.indexed,
    )


def _key(table: str, columns: Sequence[str]) -> AlternateKey:
    name = f"{table}_{'_'.join(columns)}"
    return AlternateKey(name, name, stable_id("key", f"{table}.{name}"), name, tuple(columns))


def platform_relationships(table: Table) -> list[Relationship]:
    """The relationships of a platform table's lookups."""
    name = table.logical_name
    lookups = frozenset(column.logical_name for column in table.columns.values() if column.type.is_lookup)
    made = system_relationships(name, lookups, stable_id)
    covered = {relationship.referencing_column for relationship in made}
    for column in table.columns.values():
        if not column.type.is_lookup or not column.targets or column.logical_name in covered:
            continue  # a lookup without a target points to rows of any table
        target = column.targets[0]
        relationship = f"{target}_{name}_{column.logical_name}"
        made.append(
            Relationship(
                schema_name=relationship,
                metadata_id=stable_id("relationship", relationship),
                referenced_table=target,
                referenced_column=f"{target}id",
                referencing_table=name,
                referencing_column=column.logical_name,
                lookup_nav=column.logical_name,
                collection_nav=relationship,
                cascade=Cascade(delete="Cascade"),
            )
        )
    return made
