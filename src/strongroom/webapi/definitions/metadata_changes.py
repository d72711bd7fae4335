"""`RetrieveMetadataChanges`: tables and their typed attributes in one answer, by a JSON query (WA-334)."""

import json
import re
from collections.abc import Callable, Mapping
from typing import cast

from strongroom.errors import InvalidRequest
from strongroom.schema.model import Schema
from strongroom.webapi.definitions.shapes import NAMESPACE, Shown
from strongroom.webapi.definitions.tables import tables

Json = Mapping[str, object]

_ALIAS = re.compile(r"\bQuery\s*=\s*(@\w+)")
_INLINE = re.compile(r"\bQuery\s*=\s*(?=\{)")
_OPERATORS: dict[str, Callable[[object, object], bool]] = {
    "Equals": lambda found, wanted: _same(found, wanted),
    "NotEquals": lambda found, wanted: not _same(found, wanted),
    "In": lambda found, wanted: any(_same(found, item) for item in _list(wanted)),
    "NotIn": lambda found, wanted: not any(_same(found, item) for item in _list(wanted)),
    "GreaterThan": lambda found, wanted: _number(found) > _number(wanted),
    "LessThan": lambda found, wanted: _number(found) < _number(wanted),
}
_EXPANDABLE = {
    "Attributes": "AttributeQuery",
    "Keys": "KeyQuery",
    "OneToManyRelationships": "RelationshipQuery",
    "ManyToOneRelationships": "RelationshipQuery",
    "ManyToManyRelationships": "RelationshipQuery",
}


def retrieve_metadata_changes(schema: Schema, segment: str, options: Mapping[str, str], root: str) -> dict[str, object]:
    """The answer to `RetrieveMetadataChanges(Query=@p1)?@p1={…}`. A table that does not exist gives no entry."""
    query = _object(_argument(segment, options), "Query")
    test = _criteria(query)
    names = _property_names(query)
    found = [shown for shown in tables(schema) if test(shown)]
    return {
        "@odata.context": f"{root}/$metadata#{NAMESPACE}.RetrieveMetadataChangesResponse",
        "ServerVersionStamp": f"{schema.version}!",
        "EntityMetadata": [_shown(shown, names, query) for shown in found],
        "DeletedMetadata": None,
    }


def _argument(segment: str, options: Mapping[str, str]) -> object:
    alias = _ALIAS.search(segment)
    if alias is not None:
        text = options.get(alias[1])
        if text is None:
            raise InvalidRequest(f"The parameter alias '{alias[1]}' has no value.")
    else:
        inline = _INLINE.search(segment)
        if inline is None:
            raise InvalidRequest("RetrieveMetadataChanges needs the parameter Query, an EntityQueryExpression.")
        text = segment[inline.end() :]
    try:
        return cast(object, json.JSONDecoder().raw_decode(text.strip())[0])
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("The Query of RetrieveMetadataChanges is not JSON.") from error


def _shown(shown: Shown, names: list[str] | None, query: Json) -> dict[str, object]:
    """One item with the named properties; all that it has when none are named."""
    result: dict[str, object] = {}
    if shown.is_typed:
        result["@odata.type"] = f"#{NAMESPACE}.{shown.type_name}"
    wanted = shown.names if names is None else names
    for name in wanted:
        if name in shown.names:
            result[name] = shown.value(name)
        elif name == "OptionSet" and "DefaultFormValue" in shown.names:
            result[name] = _option_set(shown)
    for name, key in _EXPANDABLE.items():
        if names is not None and name in names and not shown.is_typed:
            inner = _object(query.get(key) or {}, key)
            test = _criteria(inner)
            items = shown.follow(name)
            result[name] = [
                _shown(item, _property_names(inner), {}) for item in cast("list[Shown]", items) if test(item)
            ]
    result["MetadataId"] = shown.value("MetadataId")
    result["HasChanged"] = None
    return result


def _option_set(shown: Shown) -> object:
    target = shown.follow("OptionSet")
    return None if target is None or isinstance(target, list) else _shown(target, None, {})


def _property_names(query: Json) -> list[str] | None:
    properties = _object(query.get("Properties") or {}, "Properties")
    if properties.get("AllProperties") is True:
        return None
    names: object = properties.get("PropertyNames") or []
    if not isinstance(names, list):
        raise InvalidRequest("Properties.PropertyNames must be an array of texts.")
    return [str(name) for name in cast("list[object]", names)]


def _criteria(query: Json) -> Callable[[Shown], bool]:
    criteria = query.get("Criteria")
    return (lambda shown: True) if criteria is None else _filter(_object(criteria, "Criteria"), 0)


def _filter(criteria: Json, depth: int) -> Callable[[Shown], bool]:
    if depth > 20:
        raise InvalidRequest("The Criteria are nested too deep.")
    tests = [_condition(_object(item, "Conditions")) for item in _list(criteria.get("Conditions") or [])]
    tests += [_filter(_object(item, "Filters"), depth + 1) for item in _list(criteria.get("Filters") or [])]
    if criteria.get("FilterOperator", "And") in ("Or", 1):
        return lambda shown: any(test(shown) for test in tests)
    return lambda shown: all(test(shown) for test in tests)


def _condition(condition: Json) -> Callable[[Shown], bool]:
    name = condition.get("PropertyName")
    compare = _OPERATORS.get(str(condition.get("ConditionOperator", "Equals")))
    if not isinstance(name, str) or compare is None:
        raise InvalidRequest(
            f"A condition needs a PropertyName and a ConditionOperator out of {', '.join(_OPERATORS)}."
        )
    value = condition.get("Value")
    wanted = cast(Json, value).get("Value") if isinstance(value, Mapping) else value

    def test(shown: Shown) -> bool:
        return compare(shown.value(name) if name in shown.names else None, wanted)

    return test


def _same(found: object, wanted: object) -> bool:
    if isinstance(found, Mapping):
        found = cast(Json, found).get("Value")
    if isinstance(found, bool) and isinstance(wanted, str):
        return str(found).lower() == wanted.lower()
    if isinstance(found, str) and isinstance(wanted, str):
        return found.casefold() == wanted.casefold()
    return found == wanted


def _number(value: object) -> float:
    try:
        return float(cast(str, value))
    except (TypeError, ValueError):
        return float("nan")


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise InvalidRequest("Conditions, Filters and the values of In must be arrays.")
    return cast("list[object]", value)


def _object(value: object, name: str) -> Json:
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"{name} must be an object.")
    return cast(Json, value)
