"""What a component says of itself, as plain values that layers can be compared and merged by.

A *definition* holds the properties that a customization may change, by name: texts, numbers, flags, and mappings of
them (options by value, privileges by name), so that two people who change different options do not collide. Identity
(names, ids, types) is not among it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import cast

from strongroom.ids import Guid
from strongroom.schema.build import next_version
from strongroom.schema.codec import (
    decode_choice,
    decode_column,
    decode_relationship,
    encode_choice,
    encode_column,
    encode_relationship,
)
from strongroom.schema.model import Choice, Column, ManyToMany, Option, Relationship, Schema, Table

TABLE, COLUMN, CHOICE, RELATIONSHIP = 1, 2, 9, 10
"""Component types of metadata; those of rows are in `contents`."""

Definition = dict[str, object]
MetadataPart = Table | Column | Choice | Relationship | ManyToMany

_TABLE = ("label", "collection_label", "description", "has_notes", "is_audited", "change_tracking")
_COLUMN = (
    "label",
    "description",
    "required",
    "max_length",
    "precision",
    "minimum",
    "maximum",
    "format",
    "behavior",
    "options",
    "default",
    "is_secured",
    "is_audited",
    "auto_number_format",
    "max_size_kb",
    "can_store_full_image",
)
_CHOICE = ("label", "options")
_RELATIONSHIP = ("cascade", "is_hierarchical")
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Found:
    """A part of the metadata: its component type, itself, and for a column its table."""

    type: int
    part: MetadataPart
    table: str | None = None

    @property
    def kind(self) -> str:
        """What people call it."""
        return {TABLE: "table", COLUMN: "column", CHOICE: "choice", RELATIONSHIP: "relationship"}[self.type]

    @property
    def name(self) -> str:
        """`account`, `account.name`, `new_account_book` …"""
        match self.part:
            case Table(logical_name=name):
                return name
            case Column(logical_name=name):
                return f"{self.table}.{name}"
            case Choice(name=name):
                return name
            case Relationship(schema_name=name) | ManyToMany(schema_name=name):
                return name


def parts_of(schema: Schema) -> Iterator[Found]:
    """Every component of the metadata."""
    for table in schema.tables.values():
        yield Found(TABLE, table)
        for column in table.columns.values():
            yield Found(COLUMN, column, table.logical_name)
    for choice in schema.choices.values():
        yield Found(CHOICE, choice)
    for relationship in (*schema.relationships.values(), *schema.many_to_many.values()):
        yield Found(RELATIONSHIP, relationship)


def by_id(schema: Schema) -> Mapping[Guid, Found]:
    """The components of the metadata by their ids."""
    return {found.part.metadata_id: found for found in parts_of(schema)}


def touched(before: Schema, after: Schema) -> Iterator[tuple[Found, Found | None]]:
    """The parts of `before` that a change may be about, each with what becomes of it: None for one that goes."""
    for name, table in before.tables.items():
        new = after.tables.get(name)
        if new is table:
            continue
        is_same = new is not None and new.metadata_id == table.metadata_id
        yield Found(TABLE, table), Found(TABLE, new) if new is not None and is_same else None
        for column in table.columns.values():
            other = new.columns.get(column.logical_name) if new is not None and is_same else None
            if other is not column:
                found = Found(COLUMN, column, name)
                yield found, None if other is None else Found(COLUMN, other, name)
    for kind, olds, news in (
        (CHOICE, before.choices, after.choices),
        (RELATIONSHIP, before.relationships, after.relationships),
        (RELATIONSHIP, before.many_to_many, after.many_to_many),
    ):
        if olds is not news:
            for name, old in olds.items():
                part = news.get(name)
                if part is not old:
                    yield Found(kind, old), None if part is None else Found(kind, part)


def definition_of(part: MetadataPart) -> Definition:
    """The properties of a part of the metadata."""
    match part:
        case Table():
            return {name: _plain(getattr(part, name)) for name in _TABLE}
        case Column():
            names = [name for name in _COLUMN if name != "options" or part.global_choice is None]
            return {name: _plain(getattr(part, name)) for name in names}
        case Choice():
            return {name: _plain(getattr(part, name)) for name in _CHOICE}
        case Relationship():
            cascade = part.cascade
            actions = ("assign", "share", "unshare", "reparent", "delete", "merge", "rollup_view")
            return {
                "cascade": {name: getattr(cascade, name) for name in actions},
                "is_hierarchical": part.is_hierarchical,
            }
        case ManyToMany():
            return {}


def with_definitions(schema: Schema, wanted: Mapping[Guid, Definition]) -> Schema:
    """The metadata in which the parts with these ids have these properties."""
    tables = dict(schema.tables)
    choices = dict(schema.choices)
    relationships = dict(schema.relationships)
    known = by_id(schema)
    for ident, definition in wanted.items():
        found = known.get(ident)
        if found is None:
            continue
        match found.part:
            case Table(logical_name=name):
                tables[name] = _table_with(tables[name], definition)
            case Column() as column:
                table = tables[found.table or ""]
                columns = {**table.columns, column.logical_name: column_with(column, definition)}
                tables[table.logical_name] = replace(table, columns=columns)
            case Choice() as choice:
                choices[choice.name] = choice_with(choice, definition)
                _spread(tables, choices[choice.name])
            case Relationship() as relationship:
                relationships[relationship.schema_name] = relationship_with(relationship, definition)
            case ManyToMany():
                continue
    return next_version(
        schema,
        tables=tables,
        choices=choices,
        relationships=schema.relationships if relationships == schema.relationships else relationships,
    )


def column_with(column: Column, definition: Definition) -> Column:
    """The column with other properties."""
    return decode_column({**encode_column(column), **_encoded(definition, column.options)})


def choice_with(choice: Choice, definition: Definition) -> Choice:
    """The choice with other properties."""
    return decode_choice({**encode_choice(choice), **_encoded(definition, choice.options)})


def relationship_with(relationship: Relationship, definition: Definition) -> Relationship:
    """The relationship with other properties."""
    return decode_relationship({**encode_relationship(relationship), **definition})


def _table_with(table: Table, definition: Definition) -> Table:
    known = {name: value for name, value in definition.items() if name in _TABLE}
    return replace(table, **cast("dict[str, str]", known))


def _spread(tables: dict[str, Table], choice: Choice) -> None:
    """Columns over a shared choice have its options."""
    for name, table in tables.items():
        over = [column for column in table.columns.values() if column.global_choice == choice.name]
        if over:
            changed = {column.logical_name: replace(column, options=choice.options) for column in over}
            tables[name] = replace(table, columns={**table.columns, **changed})


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return cast("object", value.value)
    if isinstance(value, tuple):
        options = cast("tuple[Option, ...]", value)
        return {str(option.value): {"label": option.label, "place": place} for place, option in enumerate(options)}
    return value


def _encoded(definition: Definition, known: tuple[Option, ...]) -> Definition:
    """The definition as the codec has it: options are a list again, with what else is known of each."""
    encoded = dict(definition)
    options = encoded.pop("options", None)
    if isinstance(options, Mapping):
        before = {option.value: option for option in known}
        given = cast("Mapping[str, Mapping[str, object]]", options)
        listed: list[Definition] = []
        for value, facts in sorted(given.items(), key=lambda item: cast("int", item[1].get("place", 0))):
            option: Definition = {"value": int(value), "label": facts.get("label", "")}
            same = before.get(int(value))
            if same is not None and same.state is not None:
                option["state"] = same.state
            if same is not None and same.default_status is not None:
                option["default_status"] = same.default_status
            listed.append(option)
        encoded["options"] = listed
    return encoded


def merged(base: Mapping[str, object], mine: Mapping[str, object], theirs: Mapping[str, object]) -> Definition:
    """What holds when `base` becomes `theirs` and somebody has made `mine` of it: what they changed stays theirs, all
    else follows. A property that is a mapping is merged entry by entry."""
    result: Definition = {}
    for name in dict.fromkeys((*theirs, *mine)):
        before, here, new = (each.get(name, _ABSENT) for each in (base, mine, theirs))
        found = new if here == before else here
        mine_inside, theirs_inside = _entries(here), _entries(new)
        if mine_inside is not None and theirs_inside is not None:
            found = merged(_entries(before) or {}, mine_inside, theirs_inside)
        if found is not _ABSENT:
            result[name] = found
    return result


def _entries(value: object) -> Mapping[str, object] | None:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else None


def changed(base: Mapping[str, object], mine: Mapping[str, object]) -> tuple[str, ...]:
    """The properties in which `mine` differs, by name."""
    return tuple(name for name in dict.fromkeys((*base, *mine)) if base.get(name, _ABSENT) != mine.get(name, _ABSENT))
