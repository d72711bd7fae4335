"""What the rooms above may ask of a store. Both engines give exactly this; nobody above writes SQL.

A `Database` is one environment. Work happens in a `Transaction`: a read sees one snapshot, a write is all or nothing
and one at a time. Values are those of `store.layout`; a lookup in a `Row` is a `Reference`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from strongroom.access.caller import SecurityFacts, SecuritySettings, UnitTree
from strongroom.access.directory import Directory
from strongroom.access.plan import ColumnAccess, Plan
from strongroom.access.planned import PlannedSelect
from strongroom.ids import Guid, Key, Reference
from strongroom.schema.model import Column, ManyToMany, Relationship, Rights, Schema, Table

if TYPE_CHECKING:
    from strongroom.store.column_encryption import ColumnEncryption
    from strongroom.store.copying import StoreCopy
    from strongroom.store.journal import Entry, Position
    from strongroom.store.leaves import AuditLog
    from strongroom.store.portable import Dump
    from strongroom.store.recording import Recording
    from strongroom.store.tracking import Tracking
    from strongroom.store.transfers import Transfers

Value = str | int | float | bool | object | None


@dataclass(slots=True)
class Row:
    """A stored row as the write path sees it: everything, without any mask.

    A row that is read has every stored column in `values`, None when it is null; `ownerid` and its kin are not stored
    (`store.layout`) and not there. A new row has the key 0 until it is inserted, and need not name null columns.
    """

    table: Table
    key: Key
    id: Guid
    owner: Key | None
    unit: Key | None
    version: int
    values: dict[str, Value] = field(default_factory=dict[str, Value])

    def reference(self) -> Reference:
        return Reference(self.table.logical_name, self.id)


@dataclass(frozen=True, slots=True)
class Share:
    """One row of `principalobjectaccess`, without the ids: what `principal` has on a row."""

    principal: Key
    direct: Rights
    inherited: Rights


@dataclass(frozen=True, slots=True)
class SharedRow:
    """One share with the row that it is on: what adding up who sees what needs of it."""

    row: Key
    id: Guid
    principal: Key
    direct: Rights
    inherited: Rights
    owner: Key
    unit: Key


@dataclass(frozen=True, slots=True)
class InheritedPart:
    """Where inherited rights come from: the relationship and the parent row (security model, section 7)."""

    principal: Key
    relationship: str
    parent: Guid
    rights: Rights


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What is known of the content of a file column without its bytes."""

    id: Guid
    name: str
    mime_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """A file that comes or goes in pieces. `file` is the content that is being read, or that an upload will make;
    `expires` is a time as rows have it."""

    token: str
    user: Guid
    row: Reference
    column: str
    name: str
    file: Guid
    expires: str
    is_upload: bool


@dataclass(frozen=True, slots=True)
class Stamp:
    """Read at the start of every transaction: the versions that caches are keyed by."""

    security_epoch: int
    metadata_version: int


class Transaction(Protocol):
    """One snapshot (read) or one unit of work (write) on one environment."""

    @property
    def stamp(self) -> Stamp: ...

    @property
    def schema(self) -> Schema: ...

    # --- reading under a plan ---

    def select(self, query: PlannedSelect) -> list[tuple[Value, ...]]:
        """Result rows: the outputs in order, then (unless grouped or distinct) the values of the order expressions
        and the row's id, which make up `Select.after` of the next page; joins that repeat a row add the ids of their
        own rows. Text among these values is folded. At most page size + 1 rows are returned, so that the caller of this
        method sees whether there are more."""
        ...

    def count(self, query: PlannedSelect, limit: int | None) -> int:
        """Rows that `query` would return without paging, counting no further than `limit`."""
        ...

    def read_by_hand(self, plans: Iterable[Plan], sql: str, limit: int) -> list[dict[str, object]]:
        """The rows of a statement that somebody wrote, by the names of its columns, read under PostgreSQL's row-level
        security as the caller of these plans (`store.by_hand`): at most `limit` of them, of what is committed.

        Raises `InvalidRequest` for what PostgreSQL refuses and on the embedded store, `TimeLimitExceeded`, and
        `Unavailable` when rights have changed since this transaction began.
        """
        ...

    def allows(self, plan: Plan, row: Row) -> bool:
        """Whether `plan` reaches `row`: set look-ups, then shares if the sets say no."""
        ...

    # --- rows by identity, for the write path; never shown to a caller without `allows` ---

    def row(self, table: Table, row_id: Guid) -> Row | None: ...

    def rows(self, table: Table, row_ids: Sequence[Guid]) -> dict[Guid, Row]: ...

    def row_by_key(self, table: Table, columns: Mapping[str, Value]) -> Row | None:
        """The row whose columns have these values (text without regard to case)."""
        ...

    def rows_where(self, table: Table, columns: Mapping[str, Value], *, limit: int | None = None) -> list[Row]:
        """Rows whose columns have these values, in order of their keys; all rows when `columns` is empty. For tables
        that are small or columns that are indexed."""
        ...

    def children(self, relationship: Relationship, parents: Sequence[Guid]) -> list[Row]:
        """Rows of the referencing table whose lookup points to one of `parents` (and to that table)."""
        ...

    def pointing(self, relationship: Relationship) -> list[Row]:
        """Every row of the referencing table whose lookup points to some row of the referenced table."""
        ...

    def has_longer_text(self, table: Table, column: Column, units: int) -> bool:
        """Whether a row's text is longer than so many UTF-16 units (WA-81)."""
        ...

    def linked(self, association: ManyToMany, row_id: Guid, *, from_first: bool) -> list[Guid]: ...

    # --- writing ---

    def insert(self, table: Table, rows: Sequence[Row], *, meanwhile: Callable[[], None] | None = None) -> None:
        """Store new rows; `key` and `version` are set on them. A taken id raises `PreconditionFailed` 0x80040237, a
        taken alternate key 0x80060892. Counters and share sort keys follow.

        `meanwhile` is run in any case, while a server stores the rows where there is one. It must ask nothing of the
        transaction."""
        ...

    def update(
        self, row: Row, changes: Mapping[str, Value], *, owner: Key | None = None, unit: Key | None = None
    ) -> None:
        """Change the columns in `changes` (and owner or unit when given), set a new version, and update `row`."""
        ...

    def settle_units(self, table: Table, owners: Sequence[Key] | None = None) -> int:
        """Give each row of a user-owned table (of `owners` only, unless None) the unit of its owner where it has
        another, with a new version each; the number of rows changed. Rows in hand are not updated."""
        ...

    def delete(self, table: Table, rows: Sequence[Row]) -> None:
        """Remove rows with their shares, links and inherited parts. Cascades are the caller's business."""
        ...

    def link(self, association: ManyToMany, first: Guid, second: Guid) -> bool:
        """Add an N:N link; False when it is there already."""
        ...

    def unlink(self, association: ManyToMany, first: Guid, second: Guid) -> bool: ...

    # --- shares ---

    def shares(self, table: Table, rows: Sequence[Key]) -> dict[Key, list[Share]]: ...

    def set_share(self, row: Row, share: Share) -> None:
        """Write the share, or remove it when both masks are empty (SM-79)."""
        ...

    def inherited_parts(self, row: Row) -> list[InheritedPart]: ...

    def set_inherited_part(self, row: Row, part: InheritedPart) -> None:
        """Write one part (empty rights remove it) and recompute the principal's inherited mask (their union)."""
        ...

    def value_access(self, row: Row, principals: frozenset[int]) -> Mapping[Guid, ColumnAccess]:
        """What values of this row are shared with one of `principals`: by the column's metadata id, Read and Update
        (SM-134)."""
        ...

    # --- contents of file columns ---

    def file(self, row: Row, column: str) -> StoredFile | None:
        """What a file or image column of a row holds. An image without its full size has 0 bytes."""
        ...

    def file_place(self, file_id: Guid) -> tuple[Reference, str] | None:
        """The row and the column that hold a content."""
        ...

    def file_bytes(self, file_id: Guid, start: int, end: int) -> bytes:
        """Bytes of a content from `start` up to, not including, `end`."""
        ...

    def thumbnail(self, file_id: Guid) -> str | None:
        """The thumbnail of an image's content, as base64."""
        ...

    def set_file(
        self, row: Row, column: str, file: StoredFile, pieces: Iterable[bytes], thumbnail: str | None = None
    ) -> None:
        """Put a content in the place of what the column holds. The column's own value is the caller's business.
        `pieces` are the bytes in any cut, taken one after the other; they may be read from the same transaction."""
        ...

    def adopt_file(self, row: Row, column: str, file: StoredFile) -> None:
        """The same for a content whose bytes an upload has stored under its id."""
        ...

    def remove_file(self, row: Row, column: str) -> None:
        """Remove what the column holds. Contents of rows, columns and tables that go, go with them."""
        ...

    @property
    def column_encryption(self) -> "ColumnEncryption":
        """The keys of encrypted columns, and what is still to be converted (TS-504)."""
        ...

    @property
    def transfers(self) -> "Transfers":
        """Files that come or go in pieces."""
        ...

    # --- changes ---

    @property
    def tracking(self) -> "Tracking":
        """What has changed since a version, and what is gone."""
        ...

    # --- security ---

    def facts(self, principal: Reference) -> SecurityFacts | None:
        """What is known of a user or team; cached under the security epoch. None when there is no such principal."""
        ...

    def unit_tree(self) -> UnitTree: ...

    def settings(self) -> SecuritySettings: ...

    def principal(self, key: Key) -> Reference:
        """The user or team with this key."""
        ...

    def principal_key(self, reference: Reference) -> Key | None: ...

    def unit_key(self, unit_id: Guid) -> Key | None: ...

    def bump_security_epoch(self) -> None: ...

    # --- for questions about everybody, and about changes that are not made yet ---

    def directory(self) -> Directory:
        """All users, teams and roles as one value; cached under the security epoch."""
        ...

    def counts(self, table: Table) -> dict[tuple[int, int], int]:
        """The rows of a counted table (`layout.is_counted`) by owner and unit; 0 stands for none."""
        ...

    def shared_rows(self, table: Table, principals: Sequence[Key]) -> list[SharedRow]:
        """Every share that `principals` have on rows of a user-owned table."""
        ...

    # --- metadata ---

    def change_schema(self, schema: Schema) -> None:
        """Create, alter and drop database tables so that they fit `schema`, store it, and raise the version.

        The version becomes the environment's next one, and alternate keys that existing rows break are not active
        (WA-346): read `self.schema` afterwards. Rows of `privilege`, `sdkmessage` and `sdkmessagefilter` follow.
        """
        ...

    # --- audit ---

    def append_audit(self, entries: Iterable[Mapping[str, Value]]) -> None:
        """Store rows of the `audit` table; the audit room alone calls this."""
        ...

    def append_activity(self, activities: Iterable[Mapping[str, Value]]) -> None:
        """Store rows of the `activitylog` table, as `audit.activities` makes them."""
        ...

    @property
    def log(self) -> "AuditLog":
        """The log that proves the trail; the audit room alone uses it."""
        ...


class Database(Protocol):
    """One environment's store."""

    @property
    def engine(self) -> str:
        """`sqlcipher` or `postgresql`."""
        ...

    def read(self) -> AbstractContextManager[Transaction]: ...

    def stamp(self) -> Stamp:
        """The numbers of this moment, for less than a snapshot costs: what is remembered under them still holds, or
        has to be looked at again in a snapshot."""
        ...

    def is_busy(self) -> bool:
        """Whether a writer would wait now. A guess: the next moment it may be otherwise."""
        ...

    def write(self) -> AbstractContextManager[Transaction]:
        """Commits at the end of the block, rolls back when it raises."""
        ...

    def copy(self) -> "AbstractContextManager[StoreCopy]":
        """One moment of the whole store, for as long as the block lasts, while others write: for back-ups."""
        ...

    def begin_journal(self) -> "Position":
        """Write down every change from now on, where that is not done yet; the newest entry of the journal."""
        ...

    def journal_position(self) -> "Position | None":
        """The newest entry of the journal; None where changes are not written down."""
        ...

    def journal_after(self, number: int, most_bytes: int) -> "list[Entry]":
        """Entries of the journal after a number, about so many bytes of them and at least one if there is one."""
        ...

    def forget_journal(self, number: int) -> None:
        """Remove entries of the journal up to a number, once they are kept elsewhere. The newest one stays."""
        ...

    def dumping(self) -> "AbstractContextManager[Dump]":
        """One snapshot of all rows, as both engines can have them."""
        ...

    def check(self) -> list[str]:
        """Every doubt about the store's integrity, in words; empty when there is none."""
        ...

    def record(self) -> "Recording":
        """From now on what runs here is written down, with its times."""
        ...

    def interrupt(self, wait_s: float = 0.0) -> None:
        """End running statements: their units of work are undone, and none begins any more. Waits for their end."""
        ...

    def close(self) -> None: ...


__all__ = [
    "Column",
    "Database",
    "InheritedPart",
    "PlannedSelect",
    "Row",
    "Share",
    "SharedRow",
    "Stamp",
    "StoredFile",
    "Transaction",
    "Value",
]
