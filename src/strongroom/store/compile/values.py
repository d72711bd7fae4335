"""Values on their way into parameters and out of result columns (the table in `store.layout`).

An `Encode` makes a parameter of a caller's value. SQLite keeps money and decimals as scaled integers; a value with
more digits than the column keeps is rounded to the side on which the comparison stays exact. Integers beyond 64 bits
become the nearest value that no column can hold or pass.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from enum import Enum
from functools import lru_cache
from typing import cast

import orjson

from strongroom.access.masking import Mask
from strongroom.errors import InvalidRequest
from strongroom.query.ast import Operator
from strongroom.store.column_keys import ColumnKeys
from strongroom.store.compile.patterns import TextPattern
from strongroom.store.dialect import Dialect, Kind
from strongroom.store.layout import fold

Encode = Callable[[object], object]
Decode = Callable[[object], object] | Mask | None


@dataclass(frozen=True, slots=True)
class Opening:
    """Values of an encrypted column that come with the id of their row before them: `GUID STORED` (TS-504). What a mask
    covers is masked once it is open."""

    keys: ColumnKeys
    table: str
    column: str
    mask: Mask | None

    def __call__(self, value: object) -> object:
        return self.of_column((value,))[0]

    def of_column(self, values: Iterable[object]) -> list[object]:
        """Many values."""
        show = same if self.mask is None else self.mask.for_answer()
        return [None if value is None else show(self._opened(str(value))) for value in values]

    def _opened(self, value: str) -> str:
        row, _, stored = value.partition(" ")
        return self.keys.open(self.table, self.column, row, stored)


_LARGEST = 2**63 - 1
_MOST_DIGITS = 19
_UNEQUAL = 1e300
"""Compares as unequal to every integer that SQLite stores."""


class Rounding(Enum):
    """Where a value goes that lies between two stored ones."""

    DOWN = "down"
    UP = "up"
    NONE = "none"  # it equals none of them


def rounding_for(operator: Operator) -> Rounding:
    """The side on which `column operator value` keeps its truth."""
    match operator:
        case Operator.GREATER | Operator.LESS_OR_EQUAL:
            return Rounding.DOWN
        case Operator.GREATER_OR_EQUAL | Operator.LESS:
            return Rounding.UP
        case Operator.EQUAL | Operator.NOT_EQUAL:
            return Rounding.NONE


@lru_cache(maxsize=512)
def encoder(dialect: Dialect, kind: Kind, scale: int, rounding: Rounding, *, folded: bool) -> Encode:
    """How a value that meets a column of `kind` is bound; None stays None. Equal arguments give the same function."""
    match kind:
        case Kind.TEXT:
            return _safe_text(dialect, folded=folded)
        case Kind.INTEGER:
            return lambda value: _scaled(value, 0, rounding, exact=dialect.name == "postgresql")
        case Kind.NUMERIC if dialect.scales_numbers:
            return lambda value: _scaled(value, scale, rounding, exact=False)
        case Kind.NUMERIC:
            return lambda value: None if value is None else _decimal(value)
        case Kind.BOOLEAN if dialect.name == "sqlcipher":
            return lambda value: None if value is None else int(bool(value))
        case Kind.BOOLEAN:
            return lambda value: None if value is None else bool(value)
        case Kind.REAL:
            return lambda value: None if value is None else float(cast(float, value))
        case Kind.TIME | Kind.DATE | Kind.GUID:
            return same


@lru_cache(maxsize=512)
def list_encoder(dialect: Dialect, kind: Kind, scale: int, *, folded: bool) -> Encode:
    """How the values of a long list become one parameter: JSON for SQLite, an array for PostgreSQL."""
    one = encoder(dialect, kind, scale, Rounding.NONE, folded=folded)
    if dialect.name == "postgresql":
        return lambda values: [one(value) for value in cast(tuple[object, ...], values)]
    return lambda values: orjson.dumps([one(value) for value in cast(tuple[object, ...], values)]).decode()


@dataclass(frozen=True, slots=True)
class Scaled:
    """Whole numbers of a smallest unit as decimals, exactly: 64 bits times a power of ten have at most 19 digits."""

    unit: Decimal

    def __call__(self, value: object) -> object:
        return None if value is None else cast(int, value) * self.unit

    def column(self, values: Iterable[object]) -> list[object]:
        """Many values; one loop costs a third of one call for each."""
        unit = self.unit
        return [None if value is None else value * unit for value in cast(Iterable[int | None], values)]


@lru_cache(maxsize=64)
def decoder(dialect: Dialect, kind: Kind, scale: int) -> Decode:
    """What makes the engine's value ours, or None when it is right as it comes."""
    if dialect.name != "sqlcipher":
        return None
    if kind is Kind.BOOLEAN:
        return lambda value: None if value is None else bool(value)
    return Scaled(Decimal(1).scaleb(-scale)) if kind is Kind.NUMERIC else None


def column_decoder(decode: Callable[[object], object] | Mask) -> Callable[[Iterable[object]], Iterable[object]]:
    """`decode` for the values of a whole column of one answer."""
    if isinstance(decode, Mask):
        return lambda values: map(decode.for_answer(), values)
    if isinstance(decode, Scaled):
        return decode.column
    if isinstance(decode, Opening):
        return decode.of_column
    return lambda values: map(decode, values)


def same(value: object) -> object:
    return value


def pattern_needle(value: object) -> object:
    return cast(TextPattern, value).needle


def pattern_end(value: object) -> object:
    return cast(TextPattern, value).end()


def pattern_glob(value: object) -> object:
    return cast(TextPattern, value).glob()


def pattern_regular_expression(value: object) -> object:
    return cast(TextPattern, value).regular_expression()


@lru_cache(maxsize=16)
def without_nul(encode: Encode) -> Encode:
    """`encode` for PostgreSQL, whose texts cannot hold U+0000: a text with it is replaced by one that matches none."""
    return lambda value: str(encode(value)).replace("\x00", "\ufffe")


def choice_member(value: object) -> object:
    """A choice value as it stands inside the stored list with commas around it."""
    return f",{value},"


def _safe_text(dialect: Dialect, *, folded: bool) -> Encode:
    """PostgreSQL cannot hold U+0000: a value with it equals nothing there, so it becomes a character that no text is
    likely to hold and keeps its place in no order that matters."""

    def encode(value: object) -> object:
        if value is None:
            return None
        text = str(value)
        if folded:
            text = fold(text)
        return text.replace("\x00", "\ufffe") if dialect.name == "postgresql" else text

    return encode


def _decimal(value: object) -> Decimal:
    try:
        number = Decimal(value) if isinstance(value, int | Decimal) else Decimal(str(value))
    except InvalidOperation as error:
        raise InvalidRequest("A number is expected here.") from error
    if not number.is_finite():
        raise InvalidRequest("A finite number is expected here.")
    return number


def _scaled(value: object, scale: int, rounding: Rounding, *, exact: bool) -> object:
    """`value` × 10^scale as an integer. `exact` keeps the result an integer of 64 bits even where it equals none."""
    if value is None:
        return None
    if type(value) is int and scale == 0 and -_LARGEST <= value <= _LARGEST:
        return value
    number = _decimal(value)
    if number and number.adjusted() + scale > _MOST_DIGITS:
        return _beyond(number > 0, exact=exact)  # before it becomes an integer of any length
    number = number.scaleb(scale)
    whole = number.to_integral_value()
    if whole != number:
        match rounding:
            case Rounding.NONE:
                return _beyond(False, exact=exact)
            case Rounding.DOWN:
                whole = number.to_integral_value(ROUND_FLOOR)
            case Rounding.UP:
                whole = number.to_integral_value(ROUND_CEILING)
    return int(whole) if -_LARGEST <= whole <= _LARGEST else _beyond(whole > 0, exact=exact)


def _beyond(is_above: bool, *, exact: bool) -> object:
    """A value above or below all that are stored, which equals none of them."""
    if exact:
        return _LARGEST if is_above else -_LARGEST - 1
    return _UNEQUAL if is_above else -_UNEQUAL
