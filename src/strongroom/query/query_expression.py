"""QueryExpression as JSON → `Select`, for `BulkDelete` (WA-308).

    {"EntityName": "task", "ColumnSet": {"AllColumns": false, "Columns": ["subject"]},
     "Criteria": {"FilterOperator": "And",
                  "Conditions": [{"AttributeName": "activityid", "Operator": "In",
                                  "Values": [{"Value": "<guid>", "Type": "System.Guid"}]}],
                  "Filters": []},
     "Orders": [{"AttributeName": "createdon", "OrderType": "Descending"}]}

Operators are the names of the enumeration `ConditionOperator`; they mean what FetchXML's operators mean. Links are not
offered: a bulk job names rows of one table.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from strongroom.errors import InvalidRequest
from strongroom.query import named_conditions
from strongroom.query.ast import (
    Field,
    LookupName,
    Or,
    Order,
    Output,
    Predicate,
    ReadContext,
    Select,
    Source,
    conjunction,
)
from strongroom.query.fetchxml.conditions import condition
from strongroom.query.fetchxml.scope import NO_ENTITY, Scope, listed_columns, unknown_column
from strongroom.query.limits import MAX_NESTING, MAX_TOP, ConditionBudget
from strongroom.query.names import hint, shown
from strongroom.schema.model import ColumnType, Schema, Table

_OPERATORS: Mapping[str, str] = {
    "Equal": "eq",
    "NotEqual": "ne",
    "GreaterThan": "gt",
    "GreaterEqual": "ge",
    "LessThan": "lt",
    "LessEqual": "le",
    "Null": "null",
    "NotNull": "not-null",
}
_QUERY_KEYS = frozenset(
    {
        *(
            "EntityName",
            "ColumnSet",
            "Criteria",
            "Orders",
            "LinkEntities",
            "Distinct",
            "TopCount",
            "PageInfo",
            "NoLock",
        ),
        *("QueryHints", "DataSource", "ForceSeek", "SubQueryExpression"),
    }
)
_NOT_OFFERED = ("LinkEntities", "SubQueryExpression", "DataSource", "ForceSeek", "Distinct")
_FILTER_KEYS = frozenset(
    {"FilterOperator", "Conditions", "Filters", "FilterHint", "IsQuickFindFilter", "AnyAllFilterLinkEntity"}
)
_CONDITION_KEYS = frozenset({"AttributeName", "Operator", "Values", "EntityName", "CompareColumns"})
_NOT_SORTED = frozenset({ColumnType.FILE, ColumnType.IMAGE, ColumnType.MULTISELECT})


def read_query_expression(schema: Schema, value: object, context: ReadContext) -> Select:
    """The parsed JSON `value` as a query. What does not fit raises `InvalidRequest` and says where."""
    query = _object(value, "QuerySet", _QUERY_KEYS)
    for name in _NOT_OFFERED:
        if query.get(name):
            raise InvalidRequest(f"'{name}' of a QueryExpression is not offered here.")
    name = _text(query.get("EntityName"), "EntityName").lower()
    table = schema.tables.get(name)
    if table is None:
        known = hint(name, schema.tables)
        raise InvalidRequest(f"The entity with a name = '{shown(name)}' was not found.{known}", code=NO_ENTITY)
    reader = _Filters(Scope(schema, context, table), table, ConditionBudget())
    criteria = query.get("Criteria")
    return Select(
        source=Source(table),
        outputs=tuple(_outputs(table, query.get("ColumnSet"))),
        where=None if criteria is None else reader.read(criteria, 0),
        order=tuple(_orders(table, query.get("Orders"))),
        top=_top(query.get("TopCount")),
    )


class _Filters:
    """Reads the filters of one query."""

    def __init__(self, scope: Scope, table: Table, budget: ConditionBudget) -> None:
        self._scope = scope
        self._table = table
        self._budget = budget

    def read(self, value: object, depth: int) -> Predicate | None:
        """One FilterExpression; an empty one asks nothing."""
        if depth > MAX_NESTING:
            raise InvalidRequest(f"The filters of the query are nested deeper than {MAX_NESTING}.")
        found = _object(value, "Criteria", _FILTER_KEYS)
        if found.get("AnyAllFilterLinkEntity"):
            raise InvalidRequest("'AnyAllFilterLinkEntity' of a FilterExpression is not offered here.")
        operator = found.get("FilterOperator", "And")
        if operator not in ("And", "Or", 0, 1):
            raise InvalidRequest("'FilterOperator' must be 'And' or 'Or'.")
        parts: list[Predicate] = [self._condition(each) for each in _list(found.get("Conditions"), "Conditions")]
        for each in _list(found.get("Filters"), "Filters"):
            part = self.read(each, depth + 1)
            if part is not None:
                parts.append(part)
        if operator in ("And", 0) or len(parts) < 2:
            return conjunction(*parts)
        return Or(tuple(parts))

    def _condition(self, value: object) -> Predicate:
        self._budget.spend()
        found = _object(value, "Conditions", _CONDITION_KEYS)
        entity = found.get("EntityName")
        if entity is not None and entity != self._table.logical_name:
            raise InvalidRequest("'EntityName' of a condition must be that of the query; links are not offered here.")
        if found.get("CompareColumns"):
            raise InvalidRequest("'CompareColumns' of a condition is not offered here.")
        field = _field(self._table, _text(found.get("AttributeName"), "AttributeName"))
        name = _text(found.get("Operator"), "Operator")
        values = [_value(each) for each in _list(found.get("Values"), "Values")]
        return condition(self._scope, field, _operator(name), values)


def _operator(name: str) -> str:
    """The FetchXML operator behind a name of `ConditionOperator`."""
    own = _OPERATORS.get(name)
    if own is not None:
        return own
    found = named_conditions.find(name)
    if found is None or found.odata != name or found.fetchxml is None:
        known = hint(name, (*_OPERATORS, *named_conditions.odata_names()))
        raise InvalidRequest(f"There is no condition operator '{shown(name, 60)}'.{known}")
    return found.fetchxml


def _outputs(table: Table, value: object) -> Iterator[Output]:
    """The columns asked for, and always the primary key."""
    yield Output(table.primary_id, Field("", table.id_column), implied=True)
    if value is None:
        return
    found = _object(value, "ColumnSet", frozenset({"AllColumns", "Columns", "AttributeExpressions"}))
    if found.get("AttributeExpressions"):
        raise InvalidRequest("'AttributeExpressions' of a ColumnSet is not offered here.")
    if found.get("AllColumns") is True:
        columns = listed_columns(table)
    else:
        names = _list(found.get("Columns"), "Columns")
        columns = [_field(table, _text(name, "Columns")).column for name in names]
    for column in dict.fromkeys(columns):
        if column.logical_name != table.primary_id:
            yield Output(column.property_name, Field("", column))


def _orders(table: Table, value: object) -> Iterator[Order]:
    for each in _list(value, "Orders"):
        found = _object(each, "Orders", frozenset({"AttributeName", "OrderType", "Alias", "EntityName"}))
        field = _field(table, _text(found.get("AttributeName"), "AttributeName"))
        if field.column.type in _NOT_SORTED:
            raise InvalidRequest(f"The column '{field.column.logical_name}' cannot be sorted by.")
        kind = found.get("OrderType", "Ascending")
        if kind not in ("Ascending", "Descending", 0, 1):
            raise InvalidRequest("'OrderType' must be 'Ascending' or 'Descending'.")
        expression = LookupName("", field.column) if field.column.type.is_lookup else field
        yield Order(expression, kind in ("Descending", 1))


def _field(table: Table, name: str) -> Field:
    column = table.columns.get(name)
    if column is None or not column.valid_for_read or column.type is ColumnType.PARTYLIST:
        raise unknown_column(table, name)
    return Field("", column)


def _top(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_TOP:
        return value
    raise InvalidRequest(f"'TopCount' must be a whole number from 1 to {MAX_TOP:,}.")


def _value(value: object) -> str:
    """A value as text, with or without the wrapping `{"Value": …, "Type": "System.Guid"}`."""
    if isinstance(value, dict):
        value = _object(cast("object", value), "Values", frozenset({"Value", "Type"})).get("Value")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise InvalidRequest("A value of a condition must be a text, a number or a boolean; null is asked for with 'Null'.")


def _object(value: object, name: str, known: frozenset[str]) -> Mapping[str, object]:
    """A JSON object without members that are not `known`; annotations such as `@odata.type` are passed over."""
    if not isinstance(value, dict):
        raise InvalidRequest(f"'{name}' must hold a JSON object.")
    found = cast("dict[str, object]", value)
    for key in found:
        if key not in known and "@" not in key:
            raise InvalidRequest(f"'{name}' has no member '{shown(key, 60)}'.{hint(key, known)}")
    return found


def _list(value: object, name: str) -> Sequence[object]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise InvalidRequest(f"'{name}' must be a JSON array.")
    return cast("list[object]", value)


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidRequest(f"'{name}' must be a text that is not empty.")
    return value
