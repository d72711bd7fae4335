"""What a query shows, how it groups and how it sorts: `<attribute>`, `<all-attributes>`, `<order>` (WA-249, WA-251)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from strongroom.query import dates
from strongroom.query.ast import (
    Aggregate,
    AggregateFunction,
    DateGroup,
    DatePart,
    Expression,
    Field,
    LookupName,
    LookupTable,
    Order,
    Output,
)
from strongroom.query.fetchxml.document import Node
from strongroom.query.fetchxml.scope import Scope, checked_alias, listed_columns, output_name
from strongroom.query.names import hint, shown
from strongroom.schema.model import ColumnType, Table

_FUNCTIONS: Mapping[str, AggregateFunction] = {
    "count": AggregateFunction.COUNT,
    "countcolumn": AggregateFunction.COUNT_COLUMN,
    "sum": AggregateFunction.SUM,
    "avg": AggregateFunction.AVERAGE,
    "min": AggregateFunction.MINIMUM,
    "max": AggregateFunction.MAXIMUM,
}
_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.BIGINT, ColumnType.DECIMAL, ColumnType.DOUBLE, ColumnType.MONEY})
_ORDERED = _NUMBERS | {ColumnType.DATETIME}
_NOT_GROUPED = frozenset({ColumnType.MEMO, ColumnType.MULTISELECT, ColumnType.FILE, ColumnType.IMAGE})
_NOT_SORTED = frozenset({ColumnType.FILE, ColumnType.IMAGE, ColumnType.MULTISELECT})


@dataclass(slots=True)
class Columns:
    """The outputs of a query as they are collected, by name and in order."""

    scope: Scope
    is_aggregate: bool
    distinct: bool
    raw_order: bool
    outputs: dict[str, Output] = field(default_factory=dict[str, Output])
    groups: list[Field | DateGroup | LookupName] = field(default_factory=list[Field | DateGroup | LookupName])

    def add(self, node: Node, name: str, expression: Expression) -> None:
        """One more output. The same column twice is one; two different ones under one name are an error."""
        earlier = self.outputs.get(name)
        if earlier is not None and (earlier.expression != expression or self.is_aggregate):
            raise node.error(f"Two columns of the result have the name '{name}'; give one of them another alias.")
        self.outputs[name] = Output(name, expression)

    def read(self, node: Node, alias: str, table: Table) -> None:
        """The columns that the entity or link `node` itself shows; its links are read by the caller."""
        listed = node.first("all-attributes")
        if listed is not None:
            if self.is_aggregate:
                raise listed.error("A query with aggregate='true' cannot have <all-attributes>.")
            self._add_all(listed, alias, table)
        for child in node.all("attribute"):
            if self.is_aggregate:
                self._aggregated(child, alias, table)
            else:
                self._plain(child, alias, table)
        if alias or self.is_aggregate:
            return
        if listed is None and node.first("attribute") is None and node.first("no-attrs") is None:
            self._add_all(node, alias, table)
        if not self.distinct:
            id_field = Field("", table.id_column)
            if all(output.expression != id_field for output in self.outputs.values()):
                self.add(node, table.primary_id, id_field)
                self.outputs[table.primary_id] = Output(table.primary_id, id_field, implied=True)

    def _add_all(self, node: Node, alias: str, table: Table) -> None:
        for column in listed_columns(table):
            expression = Field(alias, column)
            self.add(node, output_name(alias, expression, column.logical_name), expression)

    def _plain(self, node: Node, alias: str, table: Table) -> None:
        for name in ("aggregate", "groupby", "dategrouping", "rowaggregate"):
            if node.get(name) is not None:
                raise node.error(f"The attribute '{name}' needs aggregate='true' on <fetch>, or is not offered.")
        name = node.required("name")
        expression = self.scope.expression(node, alias, table, name)
        given = node.get("alias")
        key = checked_alias(node, given) if given is not None else output_name(alias, expression, name)
        self.add(node, key, expression)

    def _aggregated(self, node: Node, alias: str, table: Table) -> None:
        key = checked_alias(node, node.required("alias"))
        if node.get("rowaggregate") is not None:
            raise node.error("The attribute 'rowaggregate' is not offered.")
        function = node.get("aggregate")
        expression = self.scope.expression(node, alias, table, node.required("name"))
        if node.flag("groupby"):
            if function is not None:
                raise node.error("An attribute is either grouped by or aggregated, not both.")
            group = self._group(node, expression)
            self.groups.append(group)
            self.add(node, key, group)
        elif function is not None:
            self.add(node, key, _aggregate(node, function, expression))
        else:
            raise node.error("With aggregate='true' every attribute needs 'aggregate' or groupby='true'.")

    def _group(self, node: Node, expression: Field | LookupName | LookupTable) -> Field | DateGroup | LookupName:
        grouping = node.get("dategrouping")
        if isinstance(expression, LookupTable):
            raise node.error("The table of a lookup's target cannot be grouped by.")
        column = expression.column
        if grouping is None:
            if isinstance(expression, Field) and column.type in _NOT_GROUPED:
                raise node.error(f"Column '{column.logical_name}' of type {column.type.value} cannot be grouped by.")
            return expression
        if isinstance(expression, LookupName) or column.type is not ColumnType.DATETIME:
            raise node.error(f"'dategrouping' needs a date column; '{column.logical_name}' is none.")
        parts = {part.value: part for part in DatePart}
        if grouping in ("fiscal-period", "fiscal-year"):
            raise node.error(f"The date grouping '{grouping}' is not offered; day, week, month, quarter and year are.")
        if grouping not in parts:
            raise node.error(f"There is no date grouping '{shown(grouping, 40)}'.{hint(grouping, parts)}")
        own_zone = node.flag("usertimezone", default=True) and not column.is_date_only
        return DateGroup(expression, parts[grouping], self._utc_offset() if own_zone else 0)

    def _utc_offset(self) -> int:
        """Minutes by which the caller's zone is ahead of UTC now. Days of the other half of the year may be reckoned
        an hour off where clocks change; the original has the same limit of one offset for a whole query."""
        moment = datetime.fromisoformat(self.scope.context.now).astimezone(dates.zone(self.scope.context.time_zone))
        offset = moment.utcoffset()
        return int(offset.total_seconds() // 60) if offset is not None else 0

    def orders(self, node: Node, alias: str, table: Table) -> Iterator[Order]:
        """The orders that stand in the entity or link `node`."""
        for child in node.all("order"):
            yield Order(self._order(child, alias, table), child.flag("descending"))

    def _order(self, node: Node, alias: str, table: Table) -> Field | LookupName | Aggregate | DateGroup:
        by_alias, name = node.get("alias"), node.get("attribute")
        if (by_alias is None) == (name is None):
            raise node.error("<order> needs either 'attribute' or 'alias'.")
        if by_alias is not None:
            return self._ordered_output(node, by_alias)
        if self.is_aggregate:
            raise node.error("With aggregate='true', <order> needs the 'alias' of a column of the result.")
        entity = node.get("entityname")
        if entity is not None:
            alias, table = self.scope.source(node, entity)
        expression = self.scope.expression(node, alias, table, name or "")
        if isinstance(expression, LookupTable):
            raise node.error("The table of a lookup's target cannot be sorted by.")
        return self._sortable(node, expression)

    def _ordered_output(self, node: Node, by_alias: str) -> Field | LookupName | Aggregate | DateGroup:
        output = self.outputs.get(by_alias)
        if output is None:
            known = hint(by_alias, self.outputs)
            raise node.error(f"No column of the result has the alias '{shown(by_alias)}'.{known}")
        match output.expression:
            case Field() | LookupName() as expression:
                return expression if self.is_aggregate else self._sortable(node, expression)
            case Aggregate() | DateGroup() as expression:
                return expression
            case _:
                raise node.error(f"The result cannot be sorted by '{by_alias}'.")

    def _sortable(self, node: Node, expression: Field | LookupName) -> Field | LookupName:
        """A lookup sorts by the name of its target, as elsewhere (WA-174). Rows made distinct sort by what they show:
        there a lookup sorts by its id, unless its name is a column of the result."""
        column = expression.column
        if column.type in _NOT_SORTED:
            raise node.error(f"Column '{column.logical_name}' of type {column.type.value} cannot be sorted by.")
        shows = {output.expression for output in self.outputs.values()}
        if isinstance(expression, Field) and column.type.is_lookup and not self.raw_order:
            by_name = LookupName(expression.alias, column)
            if not self.distinct or by_name in shows:
                return by_name
        if self.distinct and expression not in shows:
            message = (
                f"With distinct='true' the result can only be sorted by its own columns; add '{column.logical_name}'."
            )
            raise node.error(message)
        return expression


def _aggregate(node: Node, name: str, expression: Field | LookupName | LookupTable) -> Aggregate:
    function = _FUNCTIONS.get(name)
    if function is None:
        raise node.error(f"There is no aggregate '{shown(name, 40)}'.{hint(name, _FUNCTIONS)}")
    if node.get("dategrouping") is not None:
        raise node.error("'dategrouping' belongs to an attribute with groupby='true'.")
    if not isinstance(expression, Field):
        raise node.error("Only stored columns can be aggregated; name the lookup itself.")
    distinct = node.flag("distinct")
    if distinct and function is not AggregateFunction.COUNT_COLUMN:
        raise node.error("'distinct' on an attribute belongs to aggregate='countcolumn'.")
    if function is AggregateFunction.COUNT:
        return Aggregate(function, None)
    complaint = operand_complaint(function, expression)
    if complaint is not None:
        raise node.error(complaint)
    return Aggregate(AggregateFunction.COUNT_DISTINCT if distinct else function, expression)


def operand_complaint(function: AggregateFunction, operand: Field) -> str | None:
    """Why the column cannot be aggregated so: sums and averages are of numbers, least and greatest of dates too."""
    column = operand.column
    if function in (AggregateFunction.COUNT_COLUMN, AggregateFunction.COUNT_DISTINCT):
        return None
    is_sum = function in (AggregateFunction.SUM, AggregateFunction.AVERAGE)
    if column.type in (_NUMBERS if is_sum else _ORDERED):
        return None
    wanted = "a number" if is_sum else "a number or a date"
    return f"The aggregate '{function.value}' needs {wanted}; '{column.logical_name}' is of type {column.type.value}."
