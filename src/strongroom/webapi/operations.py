"""Calls of functions and actions: reading their arguments, running them, showing the result (WA-380 to WA-382)."""

import json
import re
from collections.abc import Mapping
from typing import cast

from strongroom.errors import InvalidRequest, NotFound, NotOffered, QueryError
from strongroom.identity.step_up import DANGEROUS, demand_proof
from strongroom.ids import Reference, parse_guid
from strongroom.messages import CHANGING_FUNCTIONS, NOT_OFFERED, Arguments, Kind, Operation, Parameter, operations
from strongroom.messages.entities import reference_at, reference_in
from strongroom.messages.operation import ANY_TABLE
from strongroom.query.names import hint
from strongroom.query.odata import read_key
from strongroom.records import Session, find
from strongroom.schema.model import Table
from strongroom.webapi import bulk
from strongroom.webapi.exchange import Exchange
from strongroom.webapi.headers import check_json
from strongroom.webapi.http import Response, json_response, no_content
from strongroom.webapi.operations_listing import members_of
from strongroom.webapi.paths import Segment, unknown_segment
from strongroom.webapi.rendering import encode
from strongroom.webapi.values import read_object

_ENUM = re.compile(r"(?:[\w.]+\.)?\w+'([^']*)'")
_NAME = re.compile(r"[A-Za-z_]\w*")


def is_changing(segments: tuple[Segment, ...]) -> bool:
    """Whether a path calls a function that changes rows (`ResetInheritedAccess`), so that GET needs to write."""
    return (segments[0].operation or segments[0].name) in CHANGING_FUNCTIONS


def respond_unbound(exchange: Exchange, session: Session, segments: tuple[Segment, ...]) -> Response:
    """Answer `WhoAmI`, `F(A='x')`, or POST of an action at the service root."""
    first = segments[0]
    name = first.operation or first.name
    operation = operations().get(name)
    if operation is None or operation.bound_to:
        if operation is None and name in NOT_OFFERED:
            raise NotOffered(f"'{name}' is a documented operation that Strongroom does not offer.")
        known = [n for n, o in operations().items() if not o.bound_to]
        raise unknown_segment(first.name, [*session.schema.entity_sets, *known])
    if len(segments) > 1:
        raise unknown_segment(segments[1].name, ())
    return _call(exchange, session, operation, first, None)


def respond_bound(exchange: Exchange, session: Session, table: Table, segments: tuple[Segment, ...]) -> Response:
    """Answer `accounts(…)/Microsoft.Dynamics.CRM.X` and `accounts/Microsoft.Dynamics.CRM.X`."""
    last = segments[-1]
    name = last.operation or ""
    if len(segments) == 2 and segments[0].key is None and name in bulk.MESSAGES:
        if exchange.request.method != "POST":
            raise _no_resource(exchange)
        return bulk.respond(exchange, session, table, name)
    operation = operations().get(name)
    if (
        operation is None
        or table.logical_name not in operation.bound_to
        or len(segments) != 2
        or segments[0].key is None
    ):
        if operation is None and name in NOT_OFFERED:
            raise NotOffered(f"'{name}' is a documented operation that Strongroom does not offer.")
        raise unknown_segment(last.name, [n for n, o in operations().items() if table.logical_name in o.bound_to])
    address = read_key(session.schema, table, segments[0].key)
    row_id = address if isinstance(address, str) else find(session, table, address)
    return _call(exchange, session, operation, last, Reference(table.logical_name, row_id))


def _call(
    exchange: Exchange, session: Session, operation: Operation, segment: Segment, target: Reference | None
) -> Response:
    method = exchange.request.method
    if operation.is_function:
        if method not in ("GET", "HEAD"):
            raise _no_resource(exchange)
        given: Mapping[str, object] = _call_arguments(exchange, segment.key or "")
    else:
        if method != "POST" or segment.key:
            raise _no_resource(exchange)
        check_json(exchange.request)
        given = read_object(exchange.request.body)
    if operation.name in DANGEROUS:
        demand_proof(session)
    arguments = _typed(session, operation, given)
    result = operation.run(session, Arguments(arguments, target))
    if result is None:
        return no_content()
    root = exchange.request.root
    if operation.collection_of == ANY_TABLE:
        context = f"{root}$metadata#Collection(mscrm.{ANY_TABLE})"
    elif operation.collection_of is not None:
        context = f"{root}$metadata#{session.table(operation.collection_of).entity_set_name}"
    else:
        space = "Strongroom" if operation.is_own else "Microsoft.Dynamics.CRM"
        context = f"{root}$metadata#{space}.{operation.result}"
    return json_response(202 if operation.is_accepted else 200, encode({"@odata.context": context, **result}))


def _no_resource(exchange: Exchange) -> NotFound:
    del exchange
    return NotFound("No HTTP resource was found that matches the request URI", code="")


def _call_arguments(exchange: Exchange, text: str) -> dict[str, object]:
    """`A='x',B=@p` → the literals' texts, aliases resolved. A text stays a text here; `_typed` gives it its type."""
    found: dict[str, object] = {}
    for piece in split_arguments(text):
        name, equals, value = piece.partition("=")
        name = name.strip()
        if not equals or not _NAME.fullmatch(name):
            raise QueryError(f"'{piece[:100]}' is not an argument of the form Name=value.")
        if name in found:
            raise QueryError(f"The argument '{name}' is given twice.")
        value = value.strip()
        if value.startswith("@"):
            alias = exchange.options.aliases.get(value)
            if alias is None:
                raise QueryError(f"The parameter alias '{value[:60]}' has no value: add &{value[:60]}=… to the URL.")
            value = alias
        found[name] = value
    return found


def split_arguments(text: str) -> list[str]:
    """The arguments between the parentheses, cut at commas outside of quotes and brackets."""
    pieces: list[str] = []
    start = depth = 0
    quote = ""
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == "," and depth == 0:
            pieces.append(text[start:position])
            start = position + 1
    if text[start:].strip() or pieces:
        pieces.append(text[start:])
    return pieces


def _typed(session: Session, operation: Operation, given: Mapping[str, object]) -> dict[str, object]:
    names = [p.name for p in operation.parameters]
    for name in given:
        if operation.parameter(name) is None and "@" not in name:
            raise InvalidRequest(f"'{operation.name}' has no parameter '{name[:100]}'.{hint(name, names)}")
    typed: dict[str, object] = {}
    for parameter in operation.parameters:
        value = given.get(parameter.name)
        if value is None:
            if parameter.required:
                raise InvalidRequest(f"'{operation.name}' needs the parameter '{parameter.name}'.")
            continue
        typed[parameter.name] = _argument(session, parameter, value, literal=operation.is_function)
    return typed


def _argument(session: Session, parameter: Parameter, value: object, *, literal: bool) -> object:
    name = parameter.name
    match parameter.kind:
        case Kind.REFERENCE | Kind.COMPLEX:
            body = _json(value, name) if literal and isinstance(value, str) else value
            if parameter.kind is Kind.REFERENCE:
                if literal and isinstance(value, str) and isinstance(body, str):
                    return reference_at(session, body)
                return reference_in(session, body, name)
            return _object(body, name)
        case Kind.REFERENCES:
            items = _json(value, name) if literal and isinstance(value, str) else value
            return [reference_in(session, item, name) for item in _array(items, name)]
        case Kind.COMPLEXES:
            return [_object(item, name) for item in _array(value, name)]
        case Kind.STRINGS:
            items = _json(value, name) if literal and isinstance(value, str) else value
            strings = _array(items, name)
            if not all(isinstance(item, str) for item in strings):
                raise InvalidRequest(f"'{name}' is a list of texts.")
            return strings
        case _:
            return _scalar(parameter, value, literal=literal)


def _scalar(parameter: Parameter, value: object, *, literal: bool) -> object:
    name = parameter.name
    text = value if isinstance(value, str) else None
    match parameter.kind:
        case Kind.ENUM if text is not None:
            matched = _ENUM.fullmatch(text)
            return _member(parameter, matched[1] if matched else text.strip("'"))
        case Kind.STRING if text is not None:
            quoted = len(text) >= 2 and text[0] == text[-1] == "'"
            if literal and not quoted:
                raise QueryError(f"'{name}' is a text: write {name}='…'.")
            return text[1:-1].replace("''", "'") if quoted else text
        case Kind.GUID if text is not None and (guid := parse_guid(text.strip("'"))) is not None:
            return guid
        case Kind.INTEGER:
            if isinstance(value, int) and not isinstance(value, bool):
                return value
            if literal and text is not None and re.fullmatch(r"-?\d{1,10}", text):
                return int(text)
        case Kind.BOOLEAN:
            if isinstance(value, bool):
                return value
            if literal and text in ("true", "false"):
                return text == "true"
        case _:
            pass
    raise InvalidRequest(f"The parameter '{name}' takes a value of type {parameter.type or parameter.kind.value}.")


def _member(parameter: Parameter, text: str) -> str:
    """A member of the parameter's enumeration, which is written `NS.Type'Member'` or as the bare name."""
    members = members_of(parameter.type)
    if members and text not in members:
        raise InvalidRequest(f"'{text[:60]}' is not one of {', '.join(members)}, which '{parameter.name}' takes.")
    return text


def _json(text: str, name: str) -> object:
    """A JSON argument of a function call; single quotes are accepted for double ones (WA-380)."""
    for candidate in (text, text.replace("'", '"')):
        try:
            return cast(object, json.loads(candidate))
        except (json.JSONDecodeError, RecursionError):
            continue
    raise QueryError(f"""'{name}' takes JSON such as {{"@odata.id":"accounts(<id>)"}}; '{text[:100]}' is not.""")


def _object(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"'{name}' must be a JSON object.")
    return cast("Mapping[str, object]", value)


def _array(value: object, name: str) -> list[object]:
    if not isinstance(value, list):
        raise InvalidRequest(f"'{name}' must be a JSON array.")
    return cast("list[object]", value)
