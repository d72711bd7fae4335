"""Values out of JSON bodies, each with its type checked; what does not fit is 400 and names the property."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from strongroom.errors import InvalidRequest
from strongroom.webapi.definitions.shapes import NAMESPACE

Json = Mapping[str, object]

_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def as_object(value: object, what: str) -> Json:
    """`value` as a JSON object."""
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"{what} must be a JSON object.")
    return cast(Json, value)


def objects(body: Json, name: str) -> list[Json]:
    """An array of objects; empty when absent."""
    return [as_object(item, f"Each entry of {name}") for item in _array(body, name)]


def texts(body: Json, name: str) -> list[str]:
    """An array of texts; empty when absent."""
    found = _array(body, name)
    for item in found:
        if not isinstance(item, str):
            raise InvalidRequest(f"{name} must be an array of texts.")
        checked_text(item, name)
    return cast("list[str]", found)


def text(body: Json, name: str) -> str | None:
    """A text, bare or as `{"Value": …}`; None when absent."""
    value = _unwrapped(body, name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidRequest(f"{name} must be a text.")
    return checked_text(value, name)


def checked_text(value: str, name: str) -> str:
    """`value`, when XML and JSON can hold it: no control characters, no halves of surrogate pairs."""
    if _UNSHOWABLE.search(value):
        raise InvalidRequest(f"{name} has a character that cannot be shown.")
    return value


def boolean(body: Json, name: str) -> bool | None:
    """True or false, bare or as a managed property `{"Value": true, …}`; None when absent."""
    value = _unwrapped(body, name)
    if value is not None and not isinstance(value, bool):
        raise InvalidRequest(f"{name} must be true or false.")
    return value


def integer(body: Json, name: str) -> int | None:
    """A whole number; None when absent. Two-option values may be given as true and false."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, (float, Decimal)) and abs(value) < 2**63 and value == int(value):
        return int(value)
    raise InvalidRequest(f"{name} must be a whole number.")


def number(body: Json, name: str) -> float | None:
    """A number; None when absent."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise InvalidRequest(f"{name} must be a number.")
    try:
        return float(value)
    except OverflowError as error:
        raise InvalidRequest(f"{name} is too large.") from error


def type_name(body: Json) -> str | None:
    """The name in `@odata.type` without `#`, namespace and the prefix `Complex` (WA-340, WA-341); None when absent."""
    value = body.get("@odata.type")
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidRequest("@odata.type must be a text.")
    name = checked_text(value, "@odata.type").removeprefix("#")
    if not name.startswith(f"{NAMESPACE}."):
        raise InvalidRequest(f"The @odata.type '{value}' is not in the namespace {NAMESPACE}.")
    return name.removeprefix(f"{NAMESPACE}.").removeprefix("Complex")


def check_type(body: Json, *wanted: str) -> None:
    """400 when `@odata.type` is given and is none of `wanted`."""
    name = type_name(body)
    if name is not None and name not in wanted:
        raise InvalidRequest(f"The @odata.type '{name}' does not fit here; use {NAMESPACE}.{wanted[0]}.")


def _array(body: Json, name: str) -> list[object]:
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidRequest(f"{name} must be an array.")
    return cast("list[object]", value)


def _unwrapped(body: Json, name: str) -> object:
    value = body.get(name)
    return cast(Json, value).get("Value") if isinstance(value, Mapping) else value
