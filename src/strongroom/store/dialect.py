"""How the two engines say the same thing.

The compiler writes one statement; wherever SQLite and PostgreSQL differ in words, it asks its `Dialect`. Parameters
are numbered (`?1`, `$1`), so that fragments can be written in any order and one value can stand in several places;
PostgreSQL's statements are therefore meant for a raw cursor (`psycopg.RawCursor`). Each parameter of PostgreSQL carries
its type, so that preparing never has to guess.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from enum import Enum

from strongroom.query.ast import DatePart
from strongroom.schema.model import Column, ColumnType


class Kind(Enum):
    """What a column is in the database; the value is PostgreSQL's type for a parameter that meets it."""

    TEXT = "text"
    INTEGER = "bigint"
    BOOLEAN = "boolean"
    NUMERIC = "numeric"
    REAL = "double precision"
    TIME = "timestamptz"
    DATE = "date"
    GUID = "uuid"


_KINDS = {
    ColumnType.INTEGER: Kind.INTEGER,
    ColumnType.BIGINT: Kind.INTEGER,
    ColumnType.PICKLIST: Kind.INTEGER,
    ColumnType.STATE: Kind.INTEGER,
    ColumnType.STATUS: Kind.INTEGER,
    ColumnType.BOOLEAN: Kind.BOOLEAN,
    ColumnType.DECIMAL: Kind.NUMERIC,
    ColumnType.MONEY: Kind.NUMERIC,
    ColumnType.DOUBLE: Kind.REAL,
    ColumnType.UNIQUEIDENTIFIER: Kind.GUID,
    ColumnType.LOOKUP: Kind.GUID,
    ColumnType.CUSTOMER: Kind.GUID,
    ColumnType.OWNER: Kind.GUID,
}


def kind_of(column: Column) -> Kind:
    """The kind of the values of `column` (table in `store.layout`)."""
    if column.type is ColumnType.DATETIME:
        return Kind.DATE if column.is_date_only else Kind.TIME
    return _KINDS.get(column.type, Kind.TEXT)


def quote(name: str) -> str:
    """A name out of the schema as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def text_literal(name: str) -> str:
    """A name out of the schema as a text constant. Never for values of a caller: those are bound."""
    return "'" + name.replace("'", "''") + "'"


def key_list(keys: Iterable[int]) -> str:
    """Keys that the platform itself resolved, as literals in a fixed order."""
    return "(" + ",".join(map(str, sorted(keys))) + ")"


class Dialect(ABC):
    """The words of one engine."""

    name: str
    stops_inside_in_lists: bool
    """Whether an ordered, limited search over `x in (…)` leaves a value's range early (performance page, section 2)."""
    builds_in_lists: bool
    """Whether `x in (…)` makes a look-up table of the list each time that the statement runs."""
    scales_numbers: bool
    """Whether money and decimals are stored as integers, × 10^scale."""
    intersects_ranges: bool
    """Whether a search uses two ranges of one column at once."""
    cost_of_term: int
    """What one more set of rows to merge costs, in the units of `compile.strategy`."""

    @abstractmethod
    def placeholder(self, number: int, kind: Kind) -> str: ...

    @abstractmethod
    def in_array(self, operand: str, number: int, kind: Kind) -> str:
        """`operand` is one of the values of the list bound as parameter `number`."""

    @abstractmethod
    def fold(self, text: str) -> str:
        """The folded form of a text expression (`store.layout.fold`)."""

    @abstractmethod
    def hidden(self, operand: str) -> str:
        """`operand`, so that no index is chosen for it (where the engine has no statistics to know better)."""

    @abstractmethod
    def position(self, text: str, needle: str) -> str:
        """Where `needle` is in `text`, from 1; 0 when it is not."""

    @abstractmethod
    def ends_with(self, text: str, needle: str) -> str: ...

    @abstractmethod
    def matches(self, text: str, pattern: str) -> str:
        """`text` fits the bound `pattern`, which `compile.patterns` has written for this engine."""

    @abstractmethod
    def date_part(self, moment: str, kind: Kind, part: DatePart, utc_offset_minutes: int) -> str: ...

    @abstractmethod
    def ascending(self, operand: str) -> str:
        """`operand` as a term of ORDER BY: nulls first (WA-174)."""

    @abstractmethod
    def descending(self, operand: str) -> str:
        """`operand` as a term of ORDER BY: nulls last."""

    @abstractmethod
    def rows_of_keys(self, keys: Iterable[int]) -> str:
        """A source `p` with one row for each key, in its column `k`."""

    @abstractmethod
    def beyond_every_text(self) -> str:
        """A value after every text of a folded name, in the order of code points."""

    @abstractmethod
    def ordered_join(self) -> str:
        """An inner join that keeps the left side as the outer loop, where the engine lets us say so."""

    def ordering(self, operand: str, *, descending: bool, nullable: bool = True) -> str:
        """A term of ORDER BY. What cannot be null says nothing of nulls, as its index does not: so the index serves."""
        if not nullable:
            return f"{operand} desc" if descending else operand
        return self.descending(operand) if descending else self.ascending(operand)


class Sqlite(Dialect):
    """SQLite and SQLCipher. The connection has the function `sr_fold` (`store.layout.fold`)."""

    name = "sqlcipher"
    stops_inside_in_lists = True
    builds_in_lists = True
    scales_numbers = True
    intersects_ranges = False
    cost_of_term = 40

    def placeholder(self, number: int, kind: Kind) -> str:
        return f"?{number}"

    def in_array(self, operand: str, number: int, kind: Kind) -> str:
        return f"{operand} in (select value from json_each(?{number}))"

    def fold(self, text: str) -> str:
        return f"sr_fold({text})"

    def hidden(self, operand: str) -> str:
        return f"+{operand}"

    def position(self, text: str, needle: str) -> str:
        return f"instr({text}, {needle})"

    def ends_with(self, text: str, needle: str) -> str:
        return f"substr({text}, -length({needle})) = {needle}"

    def matches(self, text: str, pattern: str) -> str:
        return f"{text} glob {pattern}"

    def date_part(self, moment: str, kind: Kind, part: DatePart, utc_offset_minutes: int) -> str:
        arguments = moment
        if kind is Kind.TIME and utc_offset_minutes:
            arguments += f", '{utc_offset_minutes:+d} minutes'"

        def piece(code: str) -> str:
            return f"cast(strftime('{code}', {arguments}) as integer)"

        match part:
            case DatePart.DAY:
                return piece("%d")
            case DatePart.MONTH:
                return piece("%m")
            case DatePart.YEAR:
                return piece("%Y")
            case DatePart.QUARTER:
                return f"(({piece('%m')} + 2) / 3)"
            case DatePart.WEEK:
                return _week(piece("%j"), piece("%w"))

    def ascending(self, operand: str) -> str:
        return operand

    def descending(self, operand: str) -> str:
        return f"{operand} desc"

    def rows_of_keys(self, keys: Iterable[int]) -> str:
        return f"(select column1 k from (values {', '.join(f'({key})' for key in sorted(keys))})) p"

    def beyond_every_text(self) -> str:
        return "x''"  # every text is less than a blob

    def ordered_join(self) -> str:
        return "cross join"


class Postgresql(Dialect):
    """PostgreSQL 17 and later, with the built-in collations only."""

    name = "postgresql"
    stops_inside_in_lists = False
    builds_in_lists = False
    scales_numbers = False
    intersects_ranges = True
    cost_of_term = 700

    def placeholder(self, number: int, kind: Kind) -> str:
        return f"${number}::{kind.value}"

    def in_array(self, operand: str, number: int, kind: Kind) -> str:
        return f"{operand} = any(${number}::{kind.value}[])"

    def fold(self, text: str) -> str:
        return f"""translate(lower({text} collate "pg_c_utf8"), 'ς', 'σ') collate "C\""""

    def hidden(self, operand: str) -> str:
        return operand

    def position(self, text: str, needle: str) -> str:
        return f"strpos({text}, {needle})"

    def ends_with(self, text: str, needle: str) -> str:
        return f"right({text}, length({needle})) = {needle}"

    def matches(self, text: str, pattern: str) -> str:
        return f"{text} ~ {pattern}"

    def date_part(self, moment: str, kind: Kind, part: DatePart, utc_offset_minutes: int) -> str:
        if kind is Kind.TIME:
            moment = f"(({moment} at time zone 'UTC') + interval '{utc_offset_minutes} minutes')"

        def piece(code: str) -> str:
            return f"extract({code} from {moment})::integer"

        if part is DatePart.WEEK:
            return _week(piece("doy"), piece("dow"))
        return piece(part.value)

    def ascending(self, operand: str) -> str:
        return f"{operand} nulls first"

    def descending(self, operand: str) -> str:
        return f"{operand} desc nulls last"

    def rows_of_keys(self, keys: Iterable[int]) -> str:
        return f"unnest(array[{','.join(map(str, sorted(keys)))}]::bigint[]) p(k)"

    def beyond_every_text(self) -> str:
        return f"""(repeat(chr(1114111), {_LONGER_THAN_NAMES}) collate "C")"""  # the last code point, many times

    def ordered_join(self) -> str:
        return "join"


_LONGER_THAN_NAMES = 4_001
"""Characters: a text column, the primary name among them, holds 4,000 at most."""


def _week(day_of_year: str, day_of_week: str) -> str:
    """The week of the year as SQL Server counts: week 1 holds the first of January, weeks begin on Sunday."""
    return f"(({day_of_year} - 1 + ({day_of_week} - ({day_of_year} - 1) % 7 + 7) % 7) / 7 + 1)"


SQLITE = Sqlite()
POSTGRESQL = Postgresql()
