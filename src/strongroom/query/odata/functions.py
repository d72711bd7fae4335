"""Functions in `$filter`: the three on texts (WA-190) and Dataverse's query functions (WA-200 to WA-207)."""

from strongroom.errors import InvalidRequest, QueryError
from strongroom.query import named_conditions
from strongroom.query.ast import FALSE, Field, Match, Predicate, TextMatch
from strongroom.query.named_conditions import Arity
from strongroom.query.names import hint, shown
from strongroom.query.odata.edm import NAMESPACE
from strongroom.query.odata.operands import ColumnOperand, alias_value, resolve
from strongroom.query.odata.scope import Scope
from strongroom.query.odata.syntax import Alias, Call, Constant, Items, LiteralKind, Node
from strongroom.query.typed_values import read_value
from strongroom.schema.model import ColumnType

_TEXT_FUNCTIONS = {
    "contains": TextMatch.CONTAINS,
    "startswith": TextMatch.STARTS_WITH,
    "endswith": TextMatch.ENDS_WITH,
}
_REFUSED = frozenset(
    {
        *("tolower", "toupper", "length", "indexof", "substring", "substringof", "trim", "concat", "matchesPattern"),
        *("year", "month", "day", "hour", "minute", "second", "fractionalseconds", "date", "time", "now"),
        *("totaloffsetminutes", "totalseconds", "mindatetime", "maxdatetime", "round", "floor", "ceiling"),
        *("add", "sub", "mul", "div", "divby", "mod", "cast", "isof", "case", "has"),
        *("geo.distance", "geo.length", "geo.intersects", "hassubset", "hassubsequence"),
    }
)
"""Functions of OData that Dataverse does not have (WA-191)."""

_PREFIX = f"{NAMESPACE}."
_PARAMETERS = {
    Arity.NONE: (),
    Arity.ONE: ("PropertyValue",),
    Arity.TWO: ("PropertyValue1", "PropertyValue2"),
    Arity.MANY: ("PropertyValues",),
}
_BETWEEN = frozenset({"Between", "NotBetween"})
"""Conditions whose two values may also come as one list, which is how Dataverse declares them (WA-201, WA-204)."""


def call(scope: Scope, node: Call) -> Predicate:
    """The condition that the function call `node` makes."""
    check_known(node)
    return _named(scope, node) if is_named(node) else _text_match(scope, node)


def check_known(node: Call) -> None:
    """Refuse, by name, the functions that are not there (WA-191, WA-207)."""
    if is_named(node) or (node.name in _TEXT_FUNCTIONS and not node.target):
        return
    if node.name in _REFUSED:
        raise QueryError(f"The '{node.name}' function is not supported.", position=node.position)
    qualified = named_conditions.find(node.name)
    if qualified is not None and qualified.odata == node.name:
        suggestion = f" Did you mean '{_PREFIX}{node.name}'?"
    else:
        suggestion = hint(node.name, _TEXT_FUNCTIONS)
    raise QueryError(
        f"An unknown function with name '{shown(node.name)}' was found.{suggestion}", position=node.position
    )


def is_named(node: Node) -> bool:
    """Whether `node` is one of Dataverse's query functions, which `not` cannot stand before (WA-202)."""
    return isinstance(node, Call) and node.name.startswith(_PREFIX)


def _text_match(scope: Scope, node: Call) -> Predicate:
    if len(node.arguments) != 2:
        message = f"The function '{node.name}' takes a column and a text, as in {node.name}(name,'x')."
        raise QueryError(message, position=node.position)
    for argument in node.arguments:
        if isinstance(argument, Call):
            check_known(argument)
    left, right = (resolve(scope, argument) for argument in node.arguments)
    if not isinstance(left, ColumnOperand) or left.edm_type != "Edm.String" or not isinstance(right, Constant):
        raise _no_signature(node)
    if right.kind is LiteralKind.NULL:
        return FALSE
    if right.kind is not LiteralKind.STRING or left.field.column.type is ColumnType.MULTISELECT:
        raise _no_signature(node)
    try:
        pattern = str(read_value(left.field.column, right.text).value)
    except InvalidRequest as error:
        raise QueryError(error.message, position=right.position) from error
    return Match(_TEXT_FUNCTIONS[node.name], left.field, pattern)


def _no_signature(node: Call) -> QueryError:
    message = (
        f"No function signature for the function with name '{node.name}' matches the specified arguments. "
        f"It takes a text column and a text in single quotes: {node.name}(Edm.String, Edm.String)."
    )
    return QueryError(message, position=node.position)


# --- Microsoft.Dynamics.CRM.X(PropertyName=…) --------------------------------------------------------------------


def _named(scope: Scope, node: Call) -> Predicate:
    name = node.name.removeprefix(_PREFIX)
    condition = named_conditions.find(name)
    if condition is None or condition.odata != name:
        suggestion = hint(name, named_conditions.odata_names())
        message = f"An unknown function with name '{shown(node.name)}' was found.{suggestion}"
        raise QueryError(message, position=node.position)
    wanted = _PARAMETERS[condition.arity]
    if name in _BETWEEN and any(given == "PropertyValues" for given, _ in node.parameters):
        wanted = ("PropertyValues",)
    parameters = _parameters(node, wanted)
    field = _property(scope, node, parameters["PropertyName"])
    values: list[str] = []
    for parameter in wanted:
        values += _values(scope, node, parameter, parameters[parameter])
    query = scope.query
    try:
        return named_conditions.build(name, field, values, query.context, query.schema, alias=query.new_alias("h"))
    except InvalidRequest as error:
        raise QueryError(error.message, position=node.position) from error


def _parameters(node: Call, wanted: tuple[str, ...]) -> dict[str, Node]:
    names = ("PropertyName", *wanted)
    form = f"{node.name}({','.join(f'{name}=…' for name in names)})"
    if node.arguments:
        message = f"The parameters of '{node.name}' have names: write {form}."
        raise QueryError(message, position=node.position)
    given: dict[str, Node] = {}
    for name, value in node.parameters:
        if name not in names:
            message = f"'{shown(name)}' is not a parameter of '{node.name}': write {form}."
            raise QueryError(message, position=node.position)
        if name in given:
            raise QueryError(f"The parameter '{name}' of '{node.name}' occurs twice.", position=node.position)
        given[name] = value
    for name in names:
        if name not in given:
            message = f"The parameter '{name}' of '{node.name}' is missing: write {form}."
            raise QueryError(message, position=node.position)
    return given


def _property(scope: Scope, node: Call, value: Node) -> Field:
    """The column that `PropertyName` names: its logical name, or the wire name of a lookup (WA-200)."""
    if isinstance(value, Alias):
        value = alias_value(scope, value)
    if not isinstance(value, Constant) or value.kind is not LiteralKind.STRING:
        message = f"The parameter 'PropertyName' of '{node.name}' is the name of a column in single quotes."
        raise QueryError(message, position=node.position)
    start, navs = scope.start(node.target)
    owner = start.follow(navs, node.position)
    column = owner.table.columns.get(value.text)
    if column is not None and column.type.is_lookup and column.valid_for_read:
        return Field(owner.alias, column)
    return owner.field(value.text, value.position)


def _values(scope: Scope, node: Call, parameter: str, value: Node) -> list[str]:
    if isinstance(value, Alias):
        value = alias_value(scope, value)
    if parameter == "PropertyValues":
        if isinstance(value, Items):
            return [_text(node, parameter, member) for member in value.members]
        message = f"The parameter '{parameter}' of '{node.name}' is a list of texts: {parameter}=[\"a\",\"b\"]."
        raise QueryError(message, position=node.position)
    if not isinstance(value, Constant):
        message = (
            f"The parameter '{parameter}' of '{node.name}' is one value, such as {parameter}='5' or {parameter}=5."
        )
        raise QueryError(message, position=node.position)
    return [_text(node, parameter, value)]


def _text(node: Call, parameter: str, value: Constant) -> str:
    if value.kind is LiteralKind.NULL:
        message = f"The parameter '{parameter}' of '{node.name}' must not be null."
        raise QueryError(message, position=value.position)
    return value.text
