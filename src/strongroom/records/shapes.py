"""What goes into the verbs and what comes out of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field

from msgspec import Struct, field

from strongroom.ids import Guid, Reference
from strongroom.schema.model import ManyToMany, Relationship, Rights
from strongroom.store.protocol import Value

Key = Mapping[str, Value]
"""Values of the columns of an alternate key, by logical name (a lookup as `Reference` or bare GUID)."""

Address = Guid | Key
"""How a caller names one row: by id, or by alternate key (WA-75)."""

_NO_VALUES: Mapping[str, Value] = {}


@dataclass(frozen=True, slots=True)
class Related:
    """Rows that are created or bound together with the row that names them (WA-120).

    `link` is the relationship; with `to_parent` the new row is its child and exactly one of `create` and `bind` has
    one member, else the new row is its parent. For N:N, `from_first` says that the new row is of `table1`.
    """

    link: Relationship | ManyToMany
    create: tuple["NewRecord", ...] = ()
    bind: tuple[Guid, ...] = ()
    to_parent: bool = False
    from_first: bool = True


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A row to be created: values by logical name. A lookup is a `Reference`; a missing column gets its default.

    The id may be given as the value of the primary key (WA-107).
    """

    values: Mapping[str, Value] = dataclass_field(default_factory=lambda: _NO_VALUES)
    related: tuple[Related, ...] = ()


class Record(Struct):
    """A row as the answer shows it. A page makes one for each row, which a struct does in half the time.

    `values` are those of `Select.outputs`, in order. `id` is the row's GUID (None in grouped and distinct answers),
    `version` its version for the ETag (WA-130). `expanded` has one entry for each `Expand` of the select: a record
    or None for a single-valued property, a list for a collection, a page of it when its select has a page size.
    """

    values: tuple[Value, ...]
    id: Guid | None = None
    version: int | None = None
    expanded: "dict[str, Record | list[Record] | Page | None]" = field(default_factory=dict)


@dataclass(slots=True)
class Page:
    """One page of a list. `position` is `Select.after` of the next page, None on the last one (WA-232).

    Grouped and distinct rows have no positions: theirs is empty, and the next page is found by `Select.page_number`.

    `total` is there when `Select.count` asked for it, capped at 5,000; `total_exceeded` says that there are more.
    """

    rows: list[Record]
    position: tuple[Value, ...] | None = None
    total: int | None = None
    total_exceeded: bool = False


@dataclass(frozen=True, slots=True)
class Upserted:
    """What an upsert came to (WA-141)."""

    id: Guid
    created: bool


@dataclass(frozen=True, slots=True)
class PrincipalShare:
    """A principal and what is shared with it, directly or through relationships (SM-79)."""

    principal: Reference
    rights: Rights


@dataclass(frozen=True, slots=True)
class Layout:
    """Where hidden outputs lie in the rows of an extended select. `keys` has a pair for each expand: the position of
    what ties parent and related row, and of the table that a multi-table lookup points to."""

    width: int
    version: int | None
    keys: tuple[tuple[int, int | None], ...]
