"""One SELECT → `Select` (WA-271 to WA-275).

Every clause is read by name from the parsed statement; a clause that is not read here is refused by `only`. The first
table of FROM is the root; the others hang on it by an equality in ON, or in WHERE for `FROM a, b` (WA-274).
"""

from collections.abc import Iterator, Mapping

from sqlglot import exp

from strongroom.errors import QueryError
from strongroom.query.ast import (
    Aggregate,
    AggregateFunction,
    Field,
    Join,
    JoinKind,
    Link,
    Order,
    Output,
    Predicate,
    ReadContext,
    Select,
    Source,
    conjunction,
)
from strongroom.query.fetchxml.columns import operand_complaint
from strongroom.query.limits import MAX_TOP, ConditionBudget
from strongroom.query.names import shown
from strongroom.query.paging import stable_order
from strongroom.query.sql.predicates import Conditions, conjuncts
from strongroom.query.sql.sources import Sources
from strongroom.query.sql.syntax import only, parse, part, parts, position, refused, word
from strongroom.schema.model import ColumnType, Schema

MAX_TABLES = 32
"""Tables in one statement; an engine's own limit is 64, and the store adds some."""

_FUNCTIONS: Mapping[type[exp.Expr], AggregateFunction] = {
    exp.Sum: AggregateFunction.SUM,
    exp.Avg: AggregateFunction.AVERAGE,
    exp.Min: AggregateFunction.MINIMUM,
    exp.Max: AggregateFunction.MAXIMUM,
}
_NOT_GROUPED = frozenset({ColumnType.MEMO, ColumnType.MULTISELECT, ColumnType.FILE, ColumnType.IMAGE})
_NOT_SORTED = frozenset({ColumnType.FILE, ColumnType.IMAGE, ColumnType.MULTISELECT})
_MOST_NAME = 128


def read_select(schema: Schema, text: str, context: ReadContext) -> Select:
    """Read `text`, or raise `QueryError`. See `strongroom.query.sql.read_sql`."""
    return _Reader(schema, context).read(parse(text))


class _Reader:
    """Reads one statement. `_ties` are the equalities of WHERE that make joins, and are no longer conditions."""

    def __init__(self, schema: Schema, context: ReadContext) -> None:
        self._sources = Sources(schema)
        self._conditions = Conditions(self._sources, context, ConditionBudget())
        self._ties: set[int] = set()

    def read(self, statement: exp.Select) -> Select:
        only(statement, "expressions", "distinct", "limit", "from_", "joins", "where", "group", "order")
        root = part(statement, "from_")
        if root is None:
            raise QueryError("The SELECT needs FROM with a table.")
        only(root, "this")
        _, table = self._sources.add(root.this)
        where = part(statement, "where")
        condition = part(where, "this") if where is not None else None
        joins = list(self._joins(parts(statement, "joins"), condition))
        kept = [self._conditions.read(each) for each in conjuncts(condition) if id(each) not in self._ties]

        outputs = self._outputs(statement)
        groups = self._groups(part(statement, "group"))
        is_aggregate = bool(groups) or any(isinstance(output.expression, Aggregate) for output in outputs)
        distinct = _is_distinct(statement)
        if not is_aggregate and not distinct and all(output.name != table.primary_id for output in outputs):
            outputs = (*outputs, Output(table.primary_id, Field("", table.id_column)))  # WA-275
        if is_aggregate:
            _check_groups(outputs, groups, distinct=distinct)
        orders = self._orders(part(statement, "order"), outputs, only_outputs=is_aggregate or distinct)
        return Select(
            source=Source(table),
            outputs=outputs,
            joins=tuple(joins),
            where=conjunction(*kept),
            order=tuple(orders) if is_aggregate or distinct else stable_order(table, joins, orders),
            group_by=groups,
            is_aggregate=is_aggregate,
            distinct=distinct,
            top=_top(part(statement, "limit")),
        )

    # --- FROM and JOIN ---

    def _joins(self, nodes: list[exp.Expr], where: exp.Expr | None) -> Iterator[Join]:
        if len(nodes) >= MAX_TABLES:
            raise QueryError(f"The query has more than {MAX_TABLES} tables.")
        for node in nodes:
            _check_join(node)
        tables = [self._sources.add(node.this) for node in nodes]
        for index, (node, (alias, table)) in enumerate(zip(nodes, tables, strict=True)):
            earlier = {"", *(before for before, _ in tables[:index])}
            later = frozenset(after for after, _ in tables[index + 1 :])
            link, rest = self._condition(node, alias, earlier, later, where)
            if link is None:
                message = f"Nothing ties '{table.logical_name}' to the tables before it; add a condition a.x = b.y."
                raise QueryError(message, position=position(node))
            kind = JoinKind.OUTER if node.args.get("side") == "LEFT" else JoinKind.INNER
            yield Join(kind, Source(table, alias), link, rest)

    def _condition(
        self,
        node: exp.Expr,
        alias: str,
        earlier: set[str],
        later: frozenset[str],
        where: exp.Expr | None,
    ) -> tuple[Link | None, Predicate | None]:
        """What ties the table to one before it, and what its ON asks besides."""
        condition = part(node, "on")
        if condition is None:
            for each in conjuncts(where):
                link = self._tie(each, alias, earlier)
                if link is not None:
                    self._ties.add(id(each))
                    return link, None
            return None, None
        self._sources.hidden = later
        link = None
        rest: list[Predicate] = []
        for each in conjuncts(condition):
            tie = self._tie(each, alias, earlier) if link is None else None
            if tie is None:
                rest.append(self._conditions.read(each))
            link = link or tie
        self._sources.hidden = frozenset()
        return link, conjunction(*rest)

    def _tie(self, node: exp.Expr, alias: str, earlier: set[str]) -> Link | None:
        """The link that `node` makes between the table `alias` and one before it, when it is such an equality."""
        if not isinstance(node, exp.EQ) or not isinstance(node.this, exp.Column):
            return None
        if not isinstance(node.expression, exp.Column):
            return None
        inner, outer = self._sources.column(node.this), self._sources.column(node.expression)
        if outer.alias == alias:
            inner, outer = outer, inner
        if inner.alias != alias or outer.alias not in earlier:
            return None
        self._conditions.read(node)
        return Link(outer.alias, outer.column.logical_name, inner.column.logical_name)

    # --- SELECT ---

    def _outputs(self, statement: exp.Select) -> tuple[Output, ...]:
        outputs: dict[str, Output] = {}
        for node in parts(statement, "expressions"):
            name, shown_node = None, node
            if isinstance(node, exp.Alias):
                only(node, "this", "alias")
                name, shown_node = _output_name(node), node.this
            expression = self._shown(shown_node)
            if name is None and isinstance(expression, Aggregate):
                raise QueryError("An aggregate needs an alias, for example COUNT(*) AS total.", position=position(node))
            if name is None and isinstance(expression, Field):
                name = expression.column.property_name
            if name is None or name in outputs:
                message = f"Two columns of the result are called '{name}'; give one of them an alias."
                raise QueryError(message, position=position(node))
            outputs[name] = Output(name, expression)
        if not outputs:
            raise QueryError("The SELECT names no column.")
        return tuple(outputs.values())

    def _shown(self, node: exp.Expr) -> Field | Aggregate:
        if isinstance(node, exp.Count):
            return self._count(node)
        function = _FUNCTIONS.get(type(node))
        if function is None:
            return self._sources.column(node)
        only(node, "this")
        if isinstance(node.this, exp.Distinct):
            raise QueryError("DISTINCT inside an aggregate is only supported in COUNT.", position=position(node))
        operand = self._sources.column(node.this)
        complaint = operand_complaint(function, operand)
        if complaint is not None:
            raise QueryError(complaint, position=position(node))
        return Aggregate(function, operand)

    def _count(self, node: exp.Count) -> Aggregate:
        only(node, "this", "big_int")
        counted = node.this
        if isinstance(counted, exp.Star):
            only(counted)
            return Aggregate(AggregateFunction.COUNT, None)
        if isinstance(counted, exp.Distinct):
            only(counted, "expressions")
            columns = parts(counted)
            if len(columns) != 1:
                raise QueryError("COUNT(DISTINCT …) takes one column.", position=position(node))
            return Aggregate(AggregateFunction.COUNT_DISTINCT, self._sources.column(columns[0]))
        return Aggregate(AggregateFunction.COUNT_COLUMN, self._sources.column(counted))

    # --- GROUP BY and ORDER BY ---

    def _groups(self, node: exp.Expr | None) -> tuple[Field, ...]:
        if node is None:
            return ()
        only(node, "expressions")
        groups = tuple(dict.fromkeys(self._sources.column(each) for each in parts(node)))
        for group in groups:
            if group.column.type in _NOT_GROUPED:
                kind = group.column.type.value
                message = f"The column '{group.column.logical_name}' of type {kind} cannot be grouped by."
                raise QueryError(message, position=position(node))
        return groups

    def _orders(self, node: exp.Expr | None, outputs: tuple[Output, ...], *, only_outputs: bool) -> list[Order]:
        if node is None:
            return []
        only(node, "expressions")
        return [self._order(each, outputs, only_outputs=only_outputs) for each in parts(node)]

    def _order(self, node: exp.Expr, outputs: tuple[Output, ...], *, only_outputs: bool) -> Order:
        only(node, "this", "desc", "nulls_first")
        expression = self._ordered(node.this, outputs)
        if only_outputs and all(output.expression != expression for output in outputs):
            message = "With DISTINCT, GROUP BY or aggregates, ORDER BY takes only what the SELECT shows."
            raise QueryError(message, position=position(node))
        if isinstance(expression, Field) and expression.column.type in _NOT_SORTED:
            message = f"The column '{expression.column.logical_name}' cannot be sorted by."
            raise QueryError(message, position=position(node))
        return Order(expression, bool(node.args.get("desc")))

    def _ordered(self, node: exp.Expr, outputs: tuple[Output, ...]) -> Field | Aggregate:
        """A column, an aggregate, or the alias of a column of the result, which comes first as in SQL."""
        if isinstance(node, exp.Column) and part(node, "table") is None:
            name = word(part(node, "this")).lower()
            for output in outputs:
                if output.name.lower() == name and isinstance(output.expression, Field | Aggregate):
                    return output.expression
        return self._shown(node)


def _check_join(node: exp.Expr) -> None:
    side, kind = str(node.args.get("side") or ""), str(node.args.get("kind") or "")
    if side not in ("", "LEFT") or kind not in ("", "INNER", "OUTER"):
        message = f"{side or kind} JOIN is not supported; INNER JOIN and LEFT JOIN are."
        raise QueryError(message, position=position(node))
    only(node, "this", "side", "kind", "on")
    if part(node, "on") is None and (side or kind):
        raise QueryError(f"{side or kind} JOIN needs ON.", position=position(node))


def _output_name(node: exp.Alias) -> str:
    name = word(part(node, "alias"))
    if len(name) > _MOST_NAME or not name.replace(" ", "_").isidentifier():
        message = f"The alias '{shown(name, 60)}' may only hold letters, digits, '_' and blanks."
        raise QueryError(message, position=position(node))
    return name


def _is_distinct(statement: exp.Select) -> bool:
    distinct = part(statement, "distinct")
    if distinct is not None:
        only(distinct)
    return distinct is not None


def _check_groups(outputs: tuple[Output, ...], groups: tuple[Field, ...], *, distinct: bool) -> None:
    if distinct:
        raise QueryError("SELECT DISTINCT cannot be used together with aggregates or GROUP BY.")
    for output in outputs:
        if isinstance(output.expression, Field) and output.expression not in groups:
            name = output.expression.column.logical_name
            raise QueryError(f"The column '{name}' is neither in GROUP BY nor inside an aggregate.")


def _top(node: exp.Expr | None) -> int | None:
    if node is None:
        return None
    if not isinstance(node, exp.Limit):
        raise refused(node)
    only(node, "expression")
    number = part(node, "expression")
    text = str(number.this) if isinstance(number, exp.Literal) and not number.is_string else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= MAX_TOP):
        raise QueryError(f"TOP takes a whole number from 1 to {MAX_TOP:,}.")
    return int(text)
