"""What a caller asks for when metadata is made or replaced. Nothing here is checked yet."""

from dataclasses import dataclass, field

from strongroom.schema.model import (
    Cascade,
    ColumnType,
    DateBehavior,
    Ownership,
    RequiredLevel,
    SourceType,
)


@dataclass(frozen=True, slots=True)
class NewOption:
    """One value of a choice. Without a `value` the next one of the publisher's range is taken (WA-350)."""

    label: str
    value: int | None = None
    state: int | None = None


@dataclass(frozen=True, slots=True)
class NewColumn:
    """A column to be made. What is None takes the default of its type."""

    schema_name: str
    type: ColumnType
    label: str | None = None
    description: str | None = None
    required: RequiredLevel | None = None
    max_length: int | None = None
    precision: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    format: str | None = None
    behavior: DateBehavior | None = None
    options: tuple[NewOption, ...] | None = None
    global_choice: str | None = None
    default: int | None = None
    is_secured: bool | None = None
    is_audited: bool | None = None
    is_read_audited: bool | None = None
    auto_number_format: str | None = None
    max_size_kb: int | None = None
    can_store_full_image: bool | None = None
    source_type: SourceType = SourceType.SIMPLE
    formula: str | None = None


@dataclass(frozen=True, slots=True)
class NewTable:
    """A table to be made. `columns` do not include the primary name."""

    schema_name: str
    ownership: Ownership
    primary_name: NewColumn
    label: str | None = None
    collection_label: str | None = None
    description: str | None = None
    columns: tuple[NewColumn, ...] = ()
    entity_set_name: str | None = None
    has_notes: bool = False
    has_activities: bool = False
    is_activity: bool = False
    is_audited: bool = True
    is_retrieve_audited: bool = False
    is_retrieve_multiple_audited: bool = False
    change_tracking: bool = True
    is_hierarchy_security_enabled: bool = True


@dataclass(frozen=True, slots=True)
class TableChange:
    """New values for a table; None leaves a value as it is."""

    label: str | None = None
    collection_label: str | None = None
    description: str | None = None
    has_notes: bool | None = None
    has_activities: bool | None = None
    is_audited: bool | None = None
    is_retrieve_audited: bool | None = None
    is_retrieve_multiple_audited: bool | None = None
    change_tracking: bool | None = None
    is_hierarchy_security_enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class NewRelationship:
    """A 1:N relationship to be made, from `referencing_table` (the child) to `referenced_table`."""

    schema_name: str
    referenced_table: str
    referencing_table: str
    cascade: Cascade = field(default_factory=Cascade)
    lookup_nav: str | None = None
    collection_nav: str | None = None
    is_hierarchical: bool = False


@dataclass(frozen=True, slots=True)
class NewAssociation:
    """An N:N relationship to be made."""

    schema_name: str
    table1: str
    table2: str
    intersect: str | None = None
    nav1: str | None = None
    nav2: str | None = None


@dataclass(frozen=True, slots=True)
class NewKey:
    """An alternate key to be made."""

    schema_name: str
    columns: tuple[str, ...]
    label: str | None = None


@dataclass(frozen=True, slots=True)
class NewChoice:
    """A global choice to be made."""

    name: str
    options: tuple[NewOption, ...] = ()
    label: str | None = None
