"""What tables, columns, relationships and choices are: values that never change.

A `Schema` is one immutable snapshot of an environment's metadata. A change makes a new snapshot with a higher
`version`; a request works with one snapshot from beginning to end. Names are Dataverse's: `logical_name` (lower
case), `schema_name` (as its maker wrote it), `entity_set_name` (in URLs).

Two kinds of columns hold no value of their own: *derived* columns (`parentaccountidname`) and virtual ones. They are
not in `Table.columns`; `Table.derived` names them, for FetchXML.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntFlag
from functools import cached_property
from types import MappingProxyType

from strongroom.ids import Guid


class Ownership(Enum):
    """How rows of a table are owned (SM-10). The values are those of `OwnershipType` on the wire."""

    USER = "UserOwned"
    ORGANIZATION = "OrganizationOwned"
    BUSINESS = "BusinessOwned"
    NONE = "None"


class ColumnType(Enum):
    """The type of a column. The values are those of `AttributeType` on the wire, but for the last three (Virtual)."""

    STRING = "String"
    MEMO = "Memo"
    INTEGER = "Integer"
    BIGINT = "BigInt"
    DECIMAL = "Decimal"
    DOUBLE = "Double"
    MONEY = "Money"
    BOOLEAN = "Boolean"
    DATETIME = "DateTime"
    PICKLIST = "Picklist"
    STATE = "State"
    STATUS = "Status"
    LOOKUP = "Lookup"
    CUSTOMER = "Customer"
    OWNER = "Owner"
    UNIQUEIDENTIFIER = "Uniqueidentifier"
    ENTITYNAME = "EntityName"
    PARTYLIST = "PartyList"
    MANAGEDPROPERTY = "ManagedProperty"
    MULTISELECT = "MultiSelectPicklist"
    FILE = "File"
    IMAGE = "Image"

    @property
    def is_lookup(self) -> bool:
        """Lookup, Customer and Owner: their value is a `Reference`, on the wire `_name_value`."""
        return self in _LOOKUPS

    @property
    def is_choice(self) -> bool:
        """Picklist, State and Status: their value is one integer out of `Column.options`."""
        return self in _CHOICES

    @property
    def is_text(self) -> bool:
        """String and Memo: compared without regard to case (WA-101)."""
        return self in (ColumnType.STRING, ColumnType.MEMO)


_LOOKUPS = frozenset({ColumnType.LOOKUP, ColumnType.CUSTOMER, ColumnType.OWNER})
_CHOICES = frozenset({ColumnType.PICKLIST, ColumnType.STATE, ColumnType.STATUS})


class RequiredLevel(Enum):
    """`SystemRequired` is enforced, the others are advice to forms (WA-112)."""

    NONE = "None"
    SYSTEM_REQUIRED = "SystemRequired"
    APPLICATION_REQUIRED = "ApplicationRequired"
    RECOMMENDED = "Recommended"


class DateBehavior(Enum):
    """What a date-time value means (WA-90 to WA-92)."""

    USER_LOCAL = "UserLocal"
    DATE_ONLY = "DateOnly"
    TIME_ZONE_INDEPENDENT = "TimeZoneIndependent"


class SourceType(Enum):
    """Where the value of a column comes from. The values are those of `SourceType` on the wire."""

    SIMPLE = 0
    CALCULATED = 1
    ROLLUP = 2
    FORMULA = 3


class Rights(IntFlag):
    """The eight access rights as a bit mask (security model, section 2)."""

    NONE = 0
    READ = 1
    WRITE = 2
    APPEND = 4
    APPEND_TO = 16
    CREATE = 32
    DELETE = 65536
    SHARE = 262144
    ASSIGN = 524288


class Depth(Enum):
    """The depth of a privilege. The value is `PrivilegeDepth`; `mask` is `privilegedepthmask`."""

    BASIC = 0
    LOCAL = 1
    DEEP = 2
    GLOBAL = 3

    @property
    def mask(self) -> int:
        """1, 2, 4 or 8, as stored in `roleprivileges.privilegedepthmask`."""
        return 1 << self.value

    @property
    def wire_name(self) -> str:
        """`Basic`, `Local`, `Deep` or `Global` (WA-412)."""
        return self.name.capitalize()


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a choice. `state` is set on status options; `default_status` on state options."""

    value: int
    label: str
    state: int | None = None
    default_status: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice that several columns share (a global option set)."""

    name: str
    metadata_id: Guid
    label: str
    options: tuple[Option, ...]
    is_custom: bool = False
    is_managed: bool = False
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    `minimum` and `maximum` are numbers as text-free `float`s for Double and `int`-valued floats otherwise; `precision`
    is the number of digits after the point. `max_length` counts UTF-16 units (WA-81). `is_managed` parts, here and
    elsewhere, came with a managed solution; `withheld` names the managed properties that its maker switched off.
    """

    logical_name: str
    schema_name: str
    type: ColumnType
    metadata_id: Guid
    label: str = ""
    description: str = ""
    required: RequiredLevel = RequiredLevel.NONE
    max_length: int | None = None
    precision: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    format: str | None = None
    behavior: DateBehavior = DateBehavior.USER_LOCAL
    targets: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    global_choice: str | None = None
    default: int | None = None
    valid_for_create: bool = True
    valid_for_read: bool = True
    valid_for_update: bool = True
    can_be_secured: bool = False
    is_secured: bool = False
    is_audited: bool = True
    is_read_audited: bool = False
    is_custom: bool = False
    is_logical: bool = False
    is_indexed: bool = False
    source_type: SourceType = SourceType.SIMPLE
    formula: str | None = None
    """How the value of a calculated or rollup column is worked out (`schema.formulas`); None for those of the
    catalogue, which the platform fills in its own way or not at all."""

    auto_number_format: str | None = None
    max_size_kb: int | None = None
    can_store_full_image: bool = True
    """Whether an image column keeps the image besides its thumbnail."""

    column_number: int = 0
    is_managed: bool = False
    withheld: tuple[str, ...] = ()
    key_version: int | None = None
    """The version of the column's own key that new values are sealed with; None for a column that is not encrypted."""
    is_opening: bool = False
    """Whether an encrypted column is being given back in plain: new values are not sealed any more."""

    @property
    def is_encrypted(self) -> bool:
        """Whether stored values may be sealed, so that the database cannot compare them (TS-504)."""
        return self.key_version is not None

    @property
    def property_name(self) -> str:
        """The name of the value on the wire: `_primarycontactid_value` for lookups, else the logical name (WA-74)."""
        return f"_{self.logical_name}_value" if self.type.is_lookup else self.logical_name

    @property
    def is_date_only(self) -> bool:
        """Whether values are dates without a time on the wire (WA-91)."""
        return self.type is ColumnType.DATETIME and self.behavior is DateBehavior.DATE_ONLY


@dataclass(frozen=True, slots=True)
class Cascade:
    """What a 1:N relationship passes on from the parent row to its children (security model, section 7).

    assign, share, unshare, reparent: NoCascade, Cascade, Active or UserOwned. delete: Cascade, RemoveLink, Restrict,
    or NoCascade (the platform's own bookkeeping, such as `createdby`: the child stays as it is). merge, rollup_view:
    NoCascade or Cascade.
    """

    assign: str = "NoCascade"
    share: str = "NoCascade"
    unshare: str = "NoCascade"
    reparent: str = "NoCascade"
    delete: str = "RemoveLink"
    merge: str = "NoCascade"
    rollup_view: str = "NoCascade"


@dataclass(frozen=True, slots=True)
class Relationship:
    """A 1:N relationship. `referencing_column` on `referencing_table` (the child) points to `referenced_table`.

    `lookup_nav` is the single-valued navigation property on the child, `collection_nav` the collection-valued one on
    the parent (WA-72, WA-73).
    """

    schema_name: str
    metadata_id: Guid
    referenced_table: str
    referenced_column: str
    referencing_table: str
    referencing_column: str
    lookup_nav: str
    collection_nav: str
    cascade: Cascade = Cascade()
    is_hierarchical: bool = False
    is_custom: bool = False
    is_managed: bool = False
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ManyToMany:
    """An N:N relationship: rows of the intersect table hold `column1` (id in `table1`) and `column2`."""

    schema_name: str
    metadata_id: Guid
    table1: str
    column1: str
    nav1: str
    table2: str
    column2: str
    nav2: str
    intersect: str
    is_custom: bool = False
    is_managed: bool = False
    withheld: tuple[str, ...] = ()

    def is_first(self, table: str, nav: str) -> bool:
        """Whether `nav` of `table` leads from the first side to the second; within one table only the name tells."""
        return self.table1 == table and self.nav1 == nav

    def other_table(self, table: str, nav: str) -> str:
        """The table of the rows in the collection `nav` of `table`."""
        return self.table2 if self.is_first(table, nav) else self.table1


@dataclass(frozen=True, slots=True)
class AlternateKey:
    """Columns whose values together name one row. `is_active` is false when existing rows break it (WA-346)."""

    logical_name: str
    schema_name: str
    metadata_id: Guid
    label: str
    columns: tuple[str, ...]
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Privilege:
    """A privilege (SM-20). `table` is None for those without a table; `right` is then `Rights.NONE`."""

    id: Guid
    name: str
    right: Rights
    table: str | None
    depths: frozenset[Depth]


_NO_COLUMNS: Mapping[str, Column] = MappingProxyType({})
_NO_NAMES: Mapping[str, str] = MappingProxyType({})
_NO_PRIVILEGES: Mapping[Rights, Privilege] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Table:
    """One table. `columns` is keyed by logical name, in display order; `privileges` by right."""

    logical_name: str
    schema_name: str
    entity_set_name: str
    object_type_code: int
    metadata_id: Guid
    ownership: Ownership
    label: str
    collection_label: str
    description: str
    primary_id: str
    primary_name: str | None
    columns: Mapping[str, Column] = field(default_factory=lambda: _NO_COLUMNS, hash=False)
    derived: Mapping[str, str] = field(default_factory=lambda: _NO_NAMES, hash=False)
    keys: tuple[AlternateKey, ...] = ()
    privileges: Mapping[Rights, Privilege] = field(default_factory=lambda: _NO_PRIVILEGES, hash=False)
    primary_image: str | None = None
    is_activity: bool = False
    is_intersect: bool = False
    is_custom: bool = False
    is_audited: bool = True
    is_retrieve_audited: bool = False
    is_retrieve_multiple_audited: bool = False
    has_notes: bool = False
    has_activities: bool = False
    change_tracking: bool = True
    is_hierarchy_security_enabled: bool = True
    introduced_version: str = "1.0.0.0"
    is_managed: bool = False
    withheld: tuple[str, ...] = ()

    def __hash__(self) -> int:
        """Of what tells tables apart: tables are keys of many caches, and are looked up for every row."""
        return hash((self.logical_name, self.metadata_id))

    @property
    def id_column(self) -> Column:
        """The column that holds the row's GUID."""
        return self.columns[self.primary_id]

    @property
    def has_owner(self) -> bool:
        """Whether rows carry the security keys `owner` and `unit` of a user-owned table."""
        return self.ownership is Ownership.USER


@dataclass(frozen=True)
class Schema:
    """All metadata of one environment at one version. Build it with `strongroom.schema.build`, never by hand."""

    version: int
    tables: Mapping[str, Table]
    relationships: Mapping[str, Relationship]
    many_to_many: Mapping[str, ManyToMany]
    choices: Mapping[str, Choice]
    extra_privileges: Mapping[str, Privilege]
    """Privileges without a table, by name (for example `prvActOnBehalfOfAnotherUser`)."""

    # What is derived is made when somebody first asks: a change of many steps makes a schema for each of them.

    @cached_property
    def entity_sets(self) -> Mapping[str, Table]:
        """The tables by the names of their entity sets."""
        return {table.entity_set_name: table for table in self.tables.values()}

    @cached_property
    def encrypted(self) -> Mapping[str, Mapping[str, Column]]:
        """The encrypted columns, by table and name; tables without any are not in it."""
        found = {
            name: {each.logical_name: each for each in table.columns.values() if each.key_version is not None}
            for name, table in self.tables.items()
        }
        return {name: columns for name, columns in found.items() if columns}

    @cached_property
    def type_codes(self) -> Mapping[int, Table]:
        """The tables by object type code."""
        return {table.object_type_code: table for table in self.tables.values()}

    @cached_property
    def privileges_by_id(self) -> Mapping[Guid, Privilege]:
        """All privileges, of tables and others, by id."""
        return {privilege.id: privilege for privilege in self._privileges()}

    @cached_property
    def privileges_by_name(self) -> Mapping[str, Privilege]:
        """All privileges, of tables and others, by name."""
        return {privilege.name: privilege for privilege in self._privileges()}

    def _privileges(self) -> Iterator[Privilege]:
        for table in self.tables.values():
            yield from table.privileges.values()
        yield from self.extra_privileges.values()

    @cached_property
    def _lookup_navs(self) -> Mapping[tuple[str, str], Relationship]:
        return {(each.referencing_table, each.lookup_nav): each for each in self.relationships.values()}

    @cached_property
    def _collection_navs(self) -> Mapping[tuple[str, str], Relationship]:
        return {(each.referenced_table, each.collection_nav): each for each in self.relationships.values()}

    @cached_property
    def _many_navs(self) -> Mapping[tuple[str, str], ManyToMany]:
        found: dict[tuple[str, str], ManyToMany] = {}
        for each in self.many_to_many.values():
            found[each.table2, each.nav2] = each
            found[each.table1, each.nav1] = each
        return found

    @cached_property
    def _children(self) -> Mapping[str, Sequence[Relationship]]:
        found: dict[str, list[Relationship]] = {}
        for each in self.relationships.values():
            found.setdefault(each.referenced_table, []).append(each)
        return found

    @cached_property
    def _parents(self) -> Mapping[str, Sequence[Relationship]]:
        found: dict[str, list[Relationship]] = {}
        for each in self.relationships.values():
            found.setdefault(each.referencing_table, []).append(each)
        return found

    def lookup_nav(self, table: str, nav: str) -> Relationship | None:
        """The relationship behind a single-valued navigation property of `table`."""
        return self._lookup_navs.get((table, nav))

    def collection_nav(self, table: str, nav: str) -> Relationship | None:
        """The 1:N relationship behind a collection-valued navigation property of `table`."""
        return self._collection_navs.get((table, nav))

    def many_nav(self, table: str, nav: str) -> ManyToMany | None:
        """The N:N relationship behind a navigation property of `table`."""
        return self._many_navs.get((table, nav))

    def children_of(self, table: str) -> Sequence[Relationship]:
        """The 1:N relationships in which `table` is the parent."""
        return self._children.get(table, ())

    def parents_of(self, table: str) -> Sequence[Relationship]:
        """The 1:N relationships in which `table` is the child: one for each target of each lookup."""
        return self._parents.get(table, ())
