"""The actions on single options of a choice: insert, update, delete, order (WA-349).

Each names its place by `OptionSetName`, or by `EntityLogicalName` and `AttributeLogicalName`.
"""

from collections.abc import Callable
from typing import cast

from strongroom.errors import InvalidRequest
from strongroom.schema import changes
from strongroom.schema.model import Schema
from strongroom.webapi.definitions.bodies import Json, integer, text
from strongroom.webapi.definitions.labels import read_label

_PLACE = ("OptionSetName", "EntityLogicalName", "AttributeLogicalName", "SolutionUniqueName")
_TOLD = ("Label", "Description", "ParentValues", "Tag", "Color", "ExternalValue")
_PARAMETERS = {
    "InsertOptionValue": (*_PLACE, *_TOLD, "Value"),
    "UpdateOptionValue": (*_PLACE, *_TOLD, "Value", "MergeLabels"),
    "DeleteOptionValue": (*_PLACE, "Value"),
    "OrderOption": (*_PLACE, "Values"),
}
OPTION_ACTIONS = frozenset(_PARAMETERS)

_Place = str | tuple[str, str]
_Done = tuple[Schema, dict[str, object] | None]


def run_option_action(schema: Schema, name: str, body: Json, option_prefix: int) -> _Done:
    """The schema after the action, and its answer when it has one."""
    known = _PARAMETERS[name]
    for given in body:
        if given not in known and "@" not in given:
            raise InvalidRequest(f"'{name}' has no parameter '{given[:60]}'; it has {', '.join(known)}.")
    return _ACTIONS[name](schema, _place(body, name), body, option_prefix)


def _place(body: Json, action: str) -> _Place:
    choice, table, column = (text(body, name) for name in _PLACE[:3])
    if choice:
        return choice.lower()
    if table and column:
        return table.lower(), column.lower()
    raise InvalidRequest(f"'{action}' needs OptionSetName, or EntityLogicalName and AttributeLogicalName.")


def _insert(schema: Schema, place: _Place, body: Json, option_prefix: int) -> _Done:
    label = read_label(body, "Label")
    if not label:
        raise InvalidRequest("'InsertOptionValue' needs the parameter 'Label'.")
    changed, value = changes.insert_option(schema, place, label, integer(body, "Value"), option_prefix=option_prefix)
    return changed, {"NewOptionValue": value}


def _update(schema: Schema, place: _Place, body: Json, _option_prefix: int) -> _Done:
    label = read_label(body, "Label")
    if not label:
        raise InvalidRequest("'UpdateOptionValue' needs the parameter 'Label'.")
    return changes.update_option(schema, place, _value(body), label), None


def _delete(schema: Schema, place: _Place, body: Json, _option_prefix: int) -> _Done:
    return changes.delete_option(schema, place, _value(body)), None


def _order(schema: Schema, place: _Place, body: Json, _option_prefix: int) -> _Done:
    options = {option.value: option for option in changes.options_at(schema, place)}
    values = body.get("Values")
    wanted = [str(value) for value in cast("list[object]", values)] if isinstance(values, list) else []
    by_text = {str(value): option for value, option in options.items()}
    if sorted(wanted) != sorted(by_text):
        raise InvalidRequest("'OrderOption' needs Values: every value of the choice once, in the new order.")
    return changes.with_options(schema, place, tuple(by_text[value] for value in wanted)), None


def _value(body: Json) -> int:
    value = integer(body, "Value")
    if value is None:
        raise InvalidRequest("The parameter 'Value' is missing: the value of the option.")
    return value


_ACTIONS: dict[str, Callable[[Schema, _Place, Json, int], _Done]] = {
    "InsertOptionValue": _insert,
    "UpdateOptionValue": _update,
    "DeleteOptionValue": _delete,
    "OrderOption": _order,
}
