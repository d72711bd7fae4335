"""Columns whose values the platform works out: what their `FormulaDefinition` says, and whether that can be (WA-343).

A formula is a JSON document. A *rollup* (SourceType 2) adds up rows that point to this one:

    {"rollup": {"relationship": "account_contacts", "aggregate": "SUM", "column": "creditlimit",
                "filter": {"Conditions": [{"AttributeName": "statecode", "Operator": "Equal", "Values": [0]}]}}}

`aggregate` is COUNT (without a column), SUM, AVG, MIN or MAX; `filter` is the Criteria of a QueryExpression. A
*calculated* column (SourceType 1) is an expression over columns of the same row:

    {"calculated": {"if": [{">": [{"column": "revenue"}, 1000000]}, "large", "small"]}}

An expression is a number, a text, a boolean, null, or an object with one member: `column`; `+ - * /`; `concat`;
`= <> < <= > >=`; `and`, `or`, `not`; `is-null`; `coalesce`; `if` with condition, then and else.

Who may not read a source must not read it by way of its result: a column that is worked out of a secured one is secured
itself (SM-132, SM-139).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import cast

from strongroom.errors import InvalidRequest
from strongroom.schema.model import Column, ColumnType, Schema, SourceType, Table

LONGEST = 20_000
MOST_NODES, DEEPEST = 200, 20

Expression = object
"""JSON as it was written, checked by `checked_formula`."""

NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.DECIMAL, ColumnType.MONEY, ColumnType.DOUBLE, ColumnType.BIGINT})
_CHOICES = frozenset({ColumnType.PICKLIST, ColumnType.STATE, ColumnType.STATUS})
_TEXTS = frozenset({ColumnType.STRING, ColumnType.MEMO})
_KIND_OF_RESULT = {ColumnType.STRING: "text", ColumnType.INTEGER: "number", ColumnType.DECIMAL: "number"}
_KIND_OF_RESULT[ColumnType.BOOLEAN] = "boolean"
_ROLLED = {
    ColumnType.INTEGER: frozenset({ColumnType.INTEGER}),
    ColumnType.DECIMAL: frozenset({ColumnType.INTEGER, ColumnType.DECIMAL}),
    ColumnType.MONEY: frozenset({ColumnType.MONEY}),
    ColumnType.DATETIME: frozenset({ColumnType.DATETIME}),
}


class RollupAggregate(Enum):
    """What is made of the values of related rows."""

    COUNT = "COUNT"
    SUM = "SUM"
    AVERAGE = "AVG"
    MINIMUM = "MIN"
    MAXIMUM = "MAX"


@dataclass(frozen=True, slots=True)
class Rollup:
    """Which related rows are added up, and how. `filter` is the Criteria of a QueryExpression."""

    relationship: str
    aggregate: RollupAggregate
    column: str | None
    filter: Mapping[str, object] | None


def rollup_of(column: Column) -> Rollup:
    """The formula of a rollup column."""
    return _rollup(column.formula or "")


def expression_of(column: Column) -> Expression:
    """The formula of a calculated column."""
    return _expression(column.formula or "")


@lru_cache(maxsize=1024)
def sources_of(column: Column) -> frozenset[str]:
    """The columns of the same row that a calculated column is made of."""
    return frozenset(_columns_in(expression_of(column)))


def check_formulas(schema: Schema) -> None:
    """400 when a column can no longer be worked out, or would tell of a secured one."""
    for table in schema.tables.values():
        for column in worked_out(table):
            check_formula(schema, table, column)


@lru_cache(maxsize=2048)
def worked_out(table: Table) -> tuple[Column, ...]:
    """The columns of a table that have a formula."""
    return tuple(column for column in table.columns.values() if column.formula is not None)


def check_formula(schema: Schema, table: Table, column: Column) -> None:
    """400 when `column` cannot be worked out in this schema, saying why."""
    is_rollup = column.source_type is SourceType.ROLLUP
    sources = _check_rollup(schema, table, column) if is_rollup else _check_calculated(table, column)
    for source in sources:
        if source.is_encrypted:
            raise _wrong(column, f"'{source.logical_name}' is encrypted, and the result would not be")
        if source.is_secured and column.type is ColumnType.MONEY:
            raise _wrong(column, f"its base amount would tell of the secured column '{source.logical_name}'")
        if source.is_secured and not column.is_secured:
            raise _wrong(
                column, f"it would tell of the secured column '{source.logical_name}'; set IsSecured on it first"
            )


def child_of(schema: Schema, rollup: Rollup) -> Table:
    """The table whose rows are added up."""
    return schema.tables[schema.relationships[rollup.relationship].referencing_table]


# --- rollups -------------------------------------------------------------------------------------------------------


def _check_rollup(schema: Schema, table: Table, column: Column) -> list[Column]:
    rollup = rollup_of(column)
    relationship = schema.relationships.get(rollup.relationship)
    if relationship is None or relationship.referenced_table != table.logical_name:
        raise _wrong(column, f"'{table.logical_name}' has no 1:N relationship '{rollup.relationship[:100]}'")
    allowed = _ROLLED.get(column.type)
    if allowed is None:
        raise _wrong(column, "a rollup is a whole number, a decimal, money or a date")
    child = schema.tables[relationship.referencing_table]
    filtered = [child.columns[name] for name in _filtered(rollup.filter) if name in child.columns]
    if rollup.aggregate is RollupAggregate.COUNT:
        if rollup.column is not None or column.type is not ColumnType.INTEGER:
            raise _wrong(column, "COUNT takes no column and makes a whole number")
        return filtered
    source = child.columns.get(rollup.column or "")
    if source is None or source.source_type is not SourceType.SIMPLE or source.type not in allowed:
        kinds = " or ".join(sorted(kind.value for kind in allowed))
        raise _wrong(column, f"{rollup.aggregate.value} here takes a simple column ({kinds}) of '{child.logical_name}'")
    if column.type is ColumnType.DATETIME:
        is_between = rollup.aggregate in (RollupAggregate.MINIMUM, RollupAggregate.MAXIMUM)
        if not is_between or source.is_date_only != column.is_date_only:
            raise _wrong(column, "of dates there is MIN and MAX, with a time or without like the source")
    if column.type is ColumnType.INTEGER and rollup.aggregate is RollupAggregate.AVERAGE:
        raise _wrong(column, "AVG makes a decimal")
    return [source, *filtered]


def _filtered(where: object) -> Iterator[str]:
    """The columns that the conditions of a filter name."""
    match where:
        case dict():
            for name, given in cast("dict[str, object]", where).items():
                if name == "AttributeName":
                    yield str(given)
                yield from _filtered(given)
        case list():
            for part in cast("list[object]", where):
                yield from _filtered(part)
        case _:
            return


@lru_cache(maxsize=1024)
def _rollup(formula: str) -> Rollup:
    found = _member(formula, "rollup")
    unknown = found.keys() - {"relationship", "aggregate", "column", "filter"}
    names = {each.value: each for each in RollupAggregate}
    aggregate = names.get(str(found.get("aggregate")).upper())
    relationship, column, where = found.get("relationship"), found.get("column"), found.get("filter")
    if unknown or aggregate is None or not isinstance(relationship, str) or not isinstance(column, str | None):
        raise InvalidRequest(
            'A rollup is {"rollup": {"relationship": …, "aggregate": one of ' + ", ".join(names) + ", "
            '"column": …, "filter": …}}.'
        )
    if where is not None and not isinstance(where, dict):
        raise InvalidRequest("The filter of a rollup is an object: the Criteria of a QueryExpression.")
    return Rollup(relationship, aggregate, column, cast("Mapping[str, object] | None", where))


# --- calculated columns --------------------------------------------------------------------------------------------


def _check_calculated(table: Table, column: Column) -> list[Column]:
    wanted = _KIND_OF_RESULT.get(column.type)
    if wanted is None:
        raise _wrong(column, "a calculated column is a text, a whole number, a decimal or a yes/no")
    checker = _Checker(table, column)
    kind = checker.kind(expression_of(column), 0)
    if kind not in (wanted, "null"):
        raise _wrong(column, f"its expression makes a {kind}, not a {wanted}")
    return checker.sources


class _Checker:
    """Finds out what an expression makes: `number`, `text`, `boolean`, or `null` when it has no value at all."""

    def __init__(self, table: Table, column: Column) -> None:
        self.sources: list[Column] = []
        self._table = table
        self._column = column
        self._nodes = 0

    def kind(self, node: object, depth: int) -> str:
        self._nodes += 1
        if depth > DEEPEST or self._nodes > MOST_NODES:
            raise _wrong(self._column, f"an expression has at most {MOST_NODES} parts, nested {DEEPEST} deep")
        match node:
            case None:
                return "null"
            case bool():
                return "boolean"
            case int() | float():
                return "number"
            case str():
                return "text"
            case dict():
                return self._operation(cast("dict[str, object]", node), depth)
            case _:
                raise _wrong(self._column, "an expression is a number, a text, a boolean, null or an object")

    def _operation(self, node: Mapping[str, object], depth: int) -> str:
        if len(node) != 1:
            raise _wrong(self._column, "each object in an expression has one member")
        ((name, given),) = node.items()
        if name == "column":
            return self._source(given)
        parts = cast("list[object]", given) if isinstance(given, list) else [given]
        kinds = [self.kind(part, depth + 1) for part in parts]
        match name:
            case "+" | "-" | "*" | "/" if len(kinds) >= 2:
                return self._all(name, kinds, "number")
            case "concat" if kinds:
                return "text"
            case "=" | "<>" | "<" | "<=" | ">" | ">=" if len(kinds) == 2:
                self._same(name, kinds)
                return "boolean"
            case "and" | "or" if len(kinds) >= 2:
                return self._all(name, kinds, "boolean")
            case "not" if len(kinds) == 1:
                return self._all(name, kinds, "boolean")
            case "is-null" if len(kinds) == 1:
                return "boolean"
            case "coalesce" if kinds:
                return self._same(name, kinds)
            case "if" if len(kinds) == 3:
                self._all(name, kinds[:1], "boolean")
                return self._same(name, kinds[1:])
            case _:
                raise _wrong(self._column, f"there is no operation '{name[:40]}' with {len(kinds)} parts")

    def _source(self, name: object) -> str:
        source = self._table.columns.get(name) if isinstance(name, str) else None
        kind = None if source is None or source.source_type is not SourceType.SIMPLE else _kind_of(source)
        if source is None or kind is None or source.logical_name == "versionnumber":
            raise _wrong(self._column, f"'{str(name)[:100]}' is no text, number, choice or yes/no of the same table")
        self.sources.append(source)
        return kind

    def _all(self, name: str, kinds: list[str], wanted: str) -> str:
        if any(kind not in (wanted, "null") for kind in kinds):
            raise _wrong(self._column, f"'{name}' takes a {wanted}, not a {next(k for k in kinds if k != wanted)}")
        return wanted

    def _same(self, name: str, kinds: list[str]) -> str:
        known = {kind for kind in kinds if kind != "null"}
        if len(known) > 1:
            raise _wrong(self._column, f"the parts of '{name}' are of one kind, not {' and '.join(sorted(known))}")
        return known.pop() if known else "null"


def _kind_of(column: Column) -> str | None:
    if column.type in NUMBERS or column.type in _CHOICES:
        return "number"
    if column.type in _TEXTS:
        return "text"
    return "boolean" if column.type is ColumnType.BOOLEAN else None


@lru_cache(maxsize=1024)
def _expression(formula: str) -> object:
    return _read(formula).get("calculated")


def _columns_in(node: object) -> Iterator[str]:
    match node:
        case dict():
            for name, given in cast("dict[str, object]", node).items():
                if name == "column":
                    yield str(given)
                else:
                    yield from _columns_in(given)
        case list():
            for part in cast("list[object]", node):
                yield from _columns_in(part)
        case _:
            return


# --- reading -------------------------------------------------------------------------------------------------------


def read_formula(text: str, source_type: SourceType) -> str:
    """The formula of a new column in its one spelling; 400 when it is none of that kind."""
    kind = "rollup" if source_type is SourceType.ROLLUP else "calculated"
    found = _read(text)
    if found.keys() != {kind}:
        raise InvalidRequest(
            f"The FormulaDefinition of a column with SourceType {source_type.value} has one member, '{kind}'."
        )
    formula = json.dumps(found, sort_keys=True, ensure_ascii=False)
    if source_type is SourceType.ROLLUP:
        _rollup(formula)
    return formula


def _member(formula: str, name: str) -> Mapping[str, object]:
    found = _read(formula).get(name)
    if not isinstance(found, dict):
        raise InvalidRequest(f"The FormulaDefinition has no object '{name}'.")
    return cast("Mapping[str, object]", found)


def _read(text: str) -> dict[str, object]:
    if text.lstrip().startswith("<"):
        raise InvalidRequest(
            "A FormulaDefinition in XAML is not worked out here: write the formula as JSON, "
            'such as {"rollup": …} or {"calculated": …}.'
        )
    try:
        found: object = json.loads(text) if len(text) <= LONGEST else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InvalidRequest(f"A FormulaDefinition is a JSON object of at most {LONGEST:,} characters.")
    return cast("dict[str, object]", found)


def _wrong(column: Column, why: str) -> InvalidRequest:
    return InvalidRequest(f"The column '{column.logical_name}' cannot be worked out: {why}.")
