"""From live metadata and rows to a `Solution`, and its zip: what was changed here since the import goes out changed.

A table that is wholly in the solution comes with all its custom columns, keys, views and forms; of any other table only
what the solution has by itself. What only the archive of the last import holds is taken over from there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from strongroom.access.resolve import require_privilege, require_usable
from strongroom.errors import InvalidRequest, NotFound
from strongroom.ids import Guid, Reference
from strongroom.records import Session
from strongroom.schema.changes import NewAssociation, NewChoice, NewColumn, NewKey, NewOption, NewRelationship
from strongroom.schema.changes.columns import companion_names
from strongroom.schema.model import (
    AlternateKey,
    Choice,
    Column,
    ColumnType,
    ManyToMany,
    Option,
    Relationship,
    SourceType,
    Table,
)
from strongroom.solutions.archive import open_archive
from strongroom.solutions.component_rows import held_privileges
from strongroom.solutions.contents import (
    COMPONENT_TYPES,
    Component,
    components_of,
    find_solution,
    kept_archive,
    kept_waiting,
    packed,
)
from strongroom.solutions.definitions import CHOICE, COLUMN, RELATIONSHIP, TABLE
from strongroom.solutions.model import (
    Part,
    Publisher,
    RootComponent,
    Solution,
    SolutionProfile,
    SolutionRelationship,
    SolutionRole,
    SolutionTable,
)
from strongroom.solutions.parts import COLUMNS
from strongroom.solutions.reading import read_solution
from strongroom.solutions.tables import COLUMN_TYPES
from strongroom.solutions.waiting import completed, from_text
from strongroom.solutions.writing import write_solution
from strongroom.store.protocol import Row

EXPORT_PRIVILEGE = "prvExportCustomization"


def export_solution(session: Session, unique_name: str, *, as_managed: bool = False) -> bytes:
    """The zip of an unmanaged solution. Raises `NotFound`, and `InvalidRequest` for a managed one."""
    solution, row = _live(session, unique_name, as_managed=as_managed)
    earlier = kept_archive(session, row.id)
    if earlier is None:
        return packed(write_solution(solution))
    archive = open_archive(f"{unique_name}.zip", earlier)
    waiting = from_text(kept_waiting(session, row.id))
    solution = completed(solution, read_solution(archive), waiting, session.schema)
    return packed(write_solution(solution, archive))


def _live(session: Session, unique_name: str, *, as_managed: bool) -> tuple[Solution, Row]:
    require_usable(session.caller)
    require_privilege(session.caller, EXPORT_PRIVILEGE)
    row = find_solution(session, unique_name)
    if row is None:
        raise NotFound(f"There is no solution '{unique_name[:100]}'.", code="0x8004f010")
    if row.values.get("ismanaged") is True:
        raise InvalidRequest(f"The solution '{unique_name}' is managed; it cannot be exported.", code="0x8004f039")
    reader = _Reader(session, components_of(session, row.id))
    return reader.solution(row, as_managed=as_managed), row


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads what a solution has, in the order of names, so that two exports of the same state are the same bytes."""

    session: Session
    components: Sequence[Component]

    def _ids(self, kind: int) -> set[Guid]:
        return {component.id for component in self.components if component.type == kind}

    def solution(self, row: Row, *, as_managed: bool) -> Solution:
        """All of it."""
        parts = tuple(self._parts())
        return Solution(
            unique_name=_text(row, "uniquename"),
            friendly_name=_text(row, "friendlyname") or _text(row, "uniquename"),
            description=_text(row, "description"),
            version=_text(row, "version") or "1.0.0.0",
            is_managed=as_managed,
            publisher=self._publisher(row),
            components=tuple(self._roots()),
            choices=tuple(self._choices()),
            tables=tuple(self._tables()),
            relationships=tuple(self._relationships()),
            associations=tuple(self._associations()),
            roles=tuple(self._roles()),
            profiles=tuple(self._profiles()),
            parts=parts,
        )

    def _publisher(self, solution: Row) -> Publisher:
        reference = solution.values.get("publisherid")
        table = self.session.table("publisher")
        row = self.session.transaction.row(table, reference.id) if isinstance(reference, Reference) else None
        if row is None:
            raise InvalidRequest(f"The solution '{_text(solution, 'uniquename')}' has no publisher.")
        prefix = row.values.get("customizationoptionvalueprefix")
        return Publisher(
            _text(row, "uniquename"),
            _text(row, "friendlyname") or _text(row, "uniquename"),
            _text(row, "customizationprefix"),
            prefix if isinstance(prefix, int) else 10_000,
        )

    def _roots(self) -> Iterator[RootComponent]:
        tables = {table.metadata_id: table.logical_name for table in self.session.schema.tables.values()}
        choices = {choice.metadata_id: choice.name for choice in self.session.schema.choices.values()}
        found: list[RootComponent] = []
        for each in self.components:
            if each.type == TABLE and each.id in tables:
                found.append(RootComponent(TABLE, None, tables[each.id], 0 if each.is_whole else 1))
            elif each.type == CHOICE and each.id in choices:
                found.append(RootComponent(CHOICE, None, choices[each.id], 0))
            elif each.type in _BY_NAME:
                table_name = _BY_NAME[each.type]
                row = self.session.transaction.row(self.session.table(table_name), each.id)
                if row is not None:
                    found.append(RootComponent(each.type, None, _text(row, COLUMNS[table_name][0]), 0))
            elif each.type in _ROW_TYPES - _INSIDE:
                found.append(RootComponent(each.type, each.id, "", 0))
        yield from sorted(found, key=lambda root: (root.type, root.schema_name, root.id or ""))

    # --- metadata ---

    def _choices(self) -> Iterator[NewChoice]:
        ids = self._ids(CHOICE)
        for choice in sorted(self.session.schema.choices.values(), key=lambda each: each.name):
            if choice.metadata_id in ids:
                yield new_choice(choice)

    def _tables(self) -> Iterator[SolutionTable]:
        columns, whole = self._ids(COLUMN), self._whole()
        tables = self._ids(TABLE)
        for table in sorted(self.session.schema.tables.values(), key=lambda each: each.logical_name):
            is_whole = table.metadata_id in whole
            companions = {name for column in table.columns.values() for name in companion_names(column)}
            own = [
                column
                for column in table.columns.values()
                if column.is_custom
                and column.type in COLUMN_TYPES.values()
                and column.logical_name not in (table.primary_id, table.primary_name, *companions)
                and (is_whole or column.metadata_id in columns)
            ]
            if own or table.metadata_id in tables:
                yield _table(table, own, is_whole=is_whole)

    def _whole(self) -> set[Guid]:
        return {each.id for each in self.components if each.type == TABLE and each.is_whole}

    def _relationships(self) -> Iterator[SolutionRelationship]:
        schema, ids, whole_ids = self.session.schema, self._ids(RELATIONSHIP), self._whole()
        whole = {table.logical_name for table in schema.tables.values() if table.metadata_id in whole_ids}
        for found in sorted(schema.relationships.values(), key=lambda each: each.schema_name):
            column = schema.tables[found.referencing_table].columns[found.referencing_column]
            is_own = column.is_custom and found.referencing_table in whole
            if found.is_custom and (is_own or found.metadata_id in ids):
                yield _relationship(found, column)

    def _associations(self) -> Iterator[NewAssociation]:
        ids = self._ids(RELATIONSHIP)
        for found in sorted(self.session.schema.many_to_many.values(), key=lambda each: each.schema_name):
            if found.metadata_id in ids:
                yield _association(found)

    # --- security ---

    def _roles(self) -> Iterator[SolutionRole]:
        for row in self._rows("role"):
            yield SolutionRole(row.id, _text(row, "name"), dict(sorted(held_privileges(self.session, row.id).items())))

    def _profiles(self) -> Iterator[SolutionProfile]:
        permissions = self.session.table("fieldpermission")
        for row in self._rows("fieldsecurityprofile"):
            held = [
                (
                    _text(each, "entityname"),
                    _text(each, "attributelogicalname"),
                    *(_right(each, right) for right in ("canread", "canupdate", "cancreate")),
                )
                for each in self.session.transaction.rows_where(permissions, {"fieldsecurityprofileid": row.id})
            ]
            ordered = tuple(sorted((a, b, c, d, e) for a, b, c, d, e in held))
            yield SolutionProfile(row.id, _text(row, "name"), _text(row, "description"), ordered)

    # --- rows ---

    def _rows(self, table_name: str) -> list[Row]:
        table = self.session.table(table_name)
        ids = self._ids(COMPONENT_TYPES[table_name])
        found = [row for each in ids if (row := self.session.transaction.row(table, each)) is not None]
        return sorted(found, key=lambda row: row.id)

    def _parts(self) -> Iterator[Part]:
        whole = {
            table.logical_name for table in self.session.schema.tables.values() if table.metadata_id in self._whole()
        }
        for table, (name_column, columns) in COLUMNS.items():
            rows = {row.id: row for row in self._rows(table)}
            about = _ABOUT.get(table)
            if about is not None:
                for name in sorted(whole):
                    found = self.session.transaction.rows_where(self.session.table(table), {about: name})
                    rows |= {row.id: row for row in found}
            for row in sorted(rows.values(), key=lambda each: (_text(each, name_column), each.id)):
                yield _part(row, name_column, columns, about)


_BY_NAME = {
    COMPONENT_TYPES[table]: table
    for table in ("appmodule", "connectionreference", "environmentvariabledefinition", "sitemap")
}
"""Component types whose ids differ from one environment to another, so that names tell them."""
_INSIDE = frozenset({COMPONENT_TYPES["environmentvariablevalue"], COMPONENT_TYPES["plugintype"]})
"""Component types that come with another one, and are not named by themselves."""
_ROW_TYPES = frozenset(COMPONENT_TYPES.values())
_ABOUT = {"savedquery": "returnedtypecode", "systemform": "objecttypecode"}
_POINTERS = {"plugintype": "pluginassemblyid", "sdkmessageprocessingstep": "plugintypeid"}


def _part(row: Row, name_column: str, columns: Sequence[str], about: str | None) -> Part:
    name = _text(row, name_column)
    pointer = _POINTERS.get(row.table.logical_name)
    target = row.values.get(pointer) if pointer is not None else None
    needs = {pointer: (target.table, target.id)} if pointer is not None and isinstance(target, Reference) else {}
    values = {column: row.values.get(column) for column in columns}
    return Part(
        row.table.logical_name, row.id, name, values, about=_text(row, about) or None if about else None, needs=needs
    )


def new_choice(choice: Choice) -> NewChoice:
    """A shared choice as it would be made."""
    return NewChoice(choice.name, _options(choice.options), choice.label)


def new_column(column: Column) -> NewColumn:
    """A column as it would be made."""
    has_options = column.type in (ColumnType.PICKLIST, ColumnType.MULTISELECT, ColumnType.BOOLEAN)
    is_number = column.type in (ColumnType.INTEGER, ColumnType.DECIMAL, ColumnType.DOUBLE, ColumnType.MONEY)
    return NewColumn(
        schema_name=column.schema_name,
        type=column.type,
        label=column.label,
        description=column.description,
        required=column.required,
        max_length=column.max_length,
        precision=column.precision if column.type is not ColumnType.INTEGER else None,
        minimum=column.minimum if is_number else None,
        maximum=column.maximum if is_number else None,
        format=column.format,
        behavior=column.behavior if column.type is ColumnType.DATETIME else None,
        options=_options(column.options) if has_options and column.global_choice is None else None,
        global_choice=column.global_choice,
        default=column.default,
        is_secured=column.is_secured or None,
        is_audited=column.is_audited,
        auto_number_format=column.auto_number_format,
        max_size_kb=column.max_size_kb,
        can_store_full_image=column.can_store_full_image if column.type is ColumnType.IMAGE else None,
        source_type=column.source_type if column.formula is not None else SourceType.SIMPLE,
        formula=column.formula,
    )


def _table(table: Table, own: Sequence[Column], *, is_whole: bool) -> SolutionTable:
    name = table.columns[table.primary_name] if is_whole and table.is_custom and table.primary_name else None
    return SolutionTable(
        logical_name=table.logical_name,
        schema_name=table.schema_name,
        ownership=table.ownership,
        entity_set_name=table.entity_set_name,
        label=table.label,
        collection_label=table.collection_label,
        description=table.description,
        primary_name=None if name is None else new_column(name),
        columns=tuple(new_column(column) for column in sorted(own, key=lambda each: each.logical_name)),
        keys=tuple(_key(key) for key in table.keys) if is_whole else (),
        is_audited=table.is_audited,
        is_activity=table.is_activity,
        has_notes=table.has_notes,
        change_tracking=table.change_tracking,
    )


def _key(key: AlternateKey) -> NewKey:
    return NewKey(key.schema_name, key.columns, key.label)


def _relationship(found: Relationship, column: Column) -> SolutionRelationship:
    new = NewRelationship(
        schema_name=found.schema_name,
        referenced_table=found.referenced_table,
        referencing_table=found.referencing_table,
        cascade=found.cascade,
        lookup_nav=found.lookup_nav,
        collection_nav=found.collection_nav,
        is_hierarchical=found.is_hierarchical,
    )
    return SolutionRelationship(new, column.schema_name)


def _association(found: ManyToMany) -> NewAssociation:
    return NewAssociation(found.schema_name, found.table1, found.table2, found.intersect, found.nav1, found.nav2)


def _options(options: Sequence[Option]) -> tuple[NewOption, ...]:
    return tuple(NewOption(option.label, option.value) for option in options)


def _right(row: Row, column: str) -> int:
    value = row.values.get(column)
    return value if isinstance(value, int) else 0


def _text(row: Row, column: str) -> str:
    value = row.values.get(column)
    return value if isinstance(value, str) else ""
