"""The one query language of the house.

OData, FetchXML and SQL are read into these values, and the row predicates of an access `Plan` are written in them
too; `store` compiles nothing else. Every name in a tree is resolved against one `Schema`: a `Field` holds its
`Column`, a `Source` its `Table`. Values are typed (see `Literal`) and always become bound parameters.

Aliases: the root source has the alias `""`; joins and sub-selects have aliases that are unique in the whole query.

Truth: a comparison with null is false-ish (SQL's unknown), as WA-188 wants. Predicates of plans never involve null.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from strongroom.schema.model import Column, ColumnType, ManyToMany, Relationship, Rights, Table

# --- expressions -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """The value of a column. Of a lookup it is the GUID of the target."""

    alias: str
    column: Column


@dataclass(frozen=True, slots=True)
class LookupName:
    """The primary name of the row that a lookup points to (WA-104, WA-174); null when there is none."""

    alias: str
    column: Column


@dataclass(frozen=True, slots=True)
class LookupTable:
    """The logical name of the table that a lookup points to."""

    alias: str
    column: Column


@dataclass(frozen=True, slots=True)
class Literal:
    """A value of the caller, typed by the column that it meets.

    str (text, GUID in lower case, `2024-05-01T10:15:00Z`, `2024-05-01`), int, float, bool, `decimal.Decimal`.
    Null is never a literal: readers make `IsNull` of it.
    """

    value: object
    type: ColumnType


class AggregateFunction(Enum):
    COUNT = "count"  # rows; no operand
    COUNT_COLUMN = "countcolumn"  # non-null values
    COUNT_DISTINCT = "countdistinct"
    SUM = "sum"
    AVERAGE = "average"
    MINIMUM = "min"
    MAXIMUM = "max"


@dataclass(frozen=True, slots=True)
class Aggregate:
    function: AggregateFunction
    operand: Field | None


class DatePart(Enum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class DateGroup:
    """A part of a date as an integer (FetchXML `dategrouping`), in the time zone `utc_offset_minutes` from UTC."""

    operand: Field
    part: DatePart
    utc_offset_minutes: int = 0


Expression = Field | LookupName | LookupTable | Literal | Aggregate | DateGroup


# --- predicates --------------------------------------------------------------------------------------------------


class Operator(Enum):
    EQUAL = "="
    NOT_EQUAL = "<>"
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    LESS = "<"
    LESS_OR_EQUAL = "<="


@dataclass(frozen=True, slots=True)
class Comparison:
    """Text compares without regard to case; everything else as its type does."""

    operator: Operator
    left: Field | LookupName | Aggregate
    right: Field | LookupName | Literal


@dataclass(frozen=True, slots=True)
class IsNull:
    operand: Field | LookupName
    negated: bool = False


@dataclass(frozen=True, slots=True)
class InList:
    """`operand` is one of the values. `negated` is false for null operands too, as in SQL. Never empty."""

    operand: Field | LookupName
    values: tuple[Literal, ...]
    negated: bool = False


class TextMatch(Enum):
    CONTAINS = "contains"
    STARTS_WITH = "startswith"
    ENDS_WITH = "endswith"
    LIKE = "like"  # the pattern is the whole value


@dataclass(frozen=True, slots=True)
class Match:
    """A text condition. `pattern` may hold the wildcards `% _ [a-c] [^a]`, and `[%]`, `[_]`, `[[]` (WA-190)."""

    kind: TextMatch
    operand: Field | LookupName
    pattern: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class ChoiceMatch:
    """A multi-select column holds (all of, when `all_of`; else any of) `values`. `negated` includes null."""

    operand: Field
    values: tuple[int, ...]
    all_of: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The row is below (or above) the row `root` by `relationship`, or is `root` itself when `include_root`."""

    alias: str
    relationship: Relationship
    root: str
    below: bool = True
    include_root: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """SQL's NOT: unknown stays unknown."""

    part: "Predicate"


@dataclass(frozen=True, slots=True)
class Constant:
    value: bool


@dataclass(frozen=True, slots=True)
class Exists:
    """Some row of `source` linked to the outer row satisfies `where` (lambda `any`, filter link types).

    OData's `all(p)` is read as `Not(Exists(not p))`, with null counted as not satisfying.
    """

    link: "Link"
    source: "Source"
    where: "Predicate | None" = None
    joins: tuple["Join", ...] = ()
    negated: bool = False


# Predicates of access plans. Keys are the store's integers; `alias` names the source they guard.


@dataclass(frozen=True, slots=True)
class OwnerIn:
    alias: str
    keys: frozenset[int]


@dataclass(frozen=True, slots=True)
class UnitIn:
    alias: str
    keys: frozenset[int]


@dataclass(frozen=True, slots=True)
class SharedWith:
    """The row is shared with one of `principals` with `right`. `direct_only` leaves inherited masks out (SM-146)."""

    alias: str
    principals: frozenset[int]
    right: Rights
    direct_only: bool = False


Predicate = (
    Comparison
    | IsNull
    | InList
    | Match
    | ChoiceMatch
    | Hierarchy
    | And
    | Or
    | Not
    | Constant
    | Exists
    | OwnerIn
    | UnitIn
    | SharedWith
)

TRUE = Constant(True)
FALSE = Constant(False)


# --- sources, joins, selects -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Source:
    """A table under an alias."""

    table: Table
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """How a joined row hangs on `outer_alias`.

    With `intersect`, both ends are primary keys and rows of the intersect table tie them: `outer_column` and
    `inner_column` are then the *intersect's* columns for the outer and the inner row. Without, `outer_column` on the
    outer row equals `inner_column` on the joined row (a lookup to a primary key, or the reverse).
    `target_table` restricts a multi-table lookup to rows that really point to that table.
    """

    outer_alias: str
    outer_column: str
    inner_column: str
    intersect: ManyToMany | None = None


class JoinKind(Enum):
    INNER = "inner"
    OUTER = "outer"
    FIRST_ROW = "matchfirstrowusingcrossapply"


@dataclass(frozen=True, slots=True)
class Join:
    """`where` belongs to the join's ON, so that an outer join keeps rows without a match."""

    kind: JoinKind
    source: Source
    link: Link
    where: Predicate | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """One value of each result row. `name` is the key on the wire (`name`, `_ownerid_value`, `contact.fullname`).

    `implied`: nobody selected it; it comes along with what was (a primary key, the currency of an amount).
    """

    name: str
    expression: Expression
    implied: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    expression: Field | LookupName | Aggregate | DateGroup
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Expand:
    """`$expand` of one navigation property; run as a query of its own for a whole page of parents.

    Exactly one of `relationship` and `many_to_many` is set. `to_parent` is true for a single-valued property.
    `select.where` and `order` are the caller's options for the related rows.
    """

    name: str
    select: "Select"
    relationship: Relationship | None = None
    many_to_many: ManyToMany | None = None
    to_parent: bool = False
    reference_only: bool = False
    options: tuple[tuple[str, str], ...] = ()
    """The caller's options besides `$select`, as written: what the link to the whole collection repeats (WA-212)."""


@dataclass(frozen=True, slots=True)
class Select:
    """A whole query.

    `outputs` are what the answer shows, in order. Nulls sort first ascending, last descending (WA-174); the store
    always adds the primary key as last tie-breaker unless the query groups or is distinct. `top` is the caller's own
    limit (at most 5,000), `page_size` the size of one page. `after` is the position to continue from: the values of
    the order expressions and the id of the last row of the page before.
    """

    source: Source
    outputs: tuple[Output, ...]
    joins: tuple[Join, ...] = ()
    where: Predicate | None = None
    order: tuple[Order, ...] = ()
    group_by: tuple[Field | DateGroup | LookupName, ...] = ()
    is_aggregate: bool = False
    distinct: bool = False
    top: int | None = None
    page_size: int | None = None
    page_number: int = 1
    after: tuple[object, ...] | None = None
    count: bool = False
    expands: tuple[Expand, ...] = ()
    aggregate_limit: int = 50_000


@dataclass(frozen=True, slots=True)
class ReadContext:
    """What readers need to know of the caller to turn `Today` or `eq-userid` into values (WA-204, WA-205)."""

    user_id: str
    business_unit_id: str
    team_ids: tuple[str, ...]
    now: str
    """The present in UTC, `2024-05-01T10:15:00Z`."""
    time_zone: str = "UTC"
    language: int = 1033
    week_starts_on: int = 0
    """0 Sunday … 6 Saturday, as `organization.weekstartdaycode`."""
    fiscal_start: tuple[int, int] = (1, 1)
    """Month and day on which the fiscal year begins (`organization.fiscalcalendarstart`)."""
    fiscal_period_months: int = 3
    """Length of a fiscal period: 12, 6, 3 or 1 (`organization.fiscalperiodtype`)."""
    aliases: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    """OData parameter aliases, `@p1` → its text (WA-176)."""


def conjunction(*parts: Predicate | None) -> Predicate | None:
    """All of `parts`, without those that are None or always true."""
    kept = tuple(p for p in parts if p is not None and p != TRUE)
    if not kept:
        return None
    return kept[0] if len(kept) == 1 else And(kept)
