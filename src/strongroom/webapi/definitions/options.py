"""The query options of metadata requests: `$select`, `$filter`, `$expand`, `$count` (WA-324, WA-325)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from strongroom.errors import QueryError
from strongroom.webapi.definitions.filters import Test, read_filter, unknown_property
from strongroom.webapi.definitions.shapes import NAMESPACE, Declared

_COLLECTION = frozenset({"$select", "$filter", "$expand", "$count"})
_SINGLE = frozenset({"$select", "$expand"})
_REFUSED = {
    "$orderby": "The $orderby query option is not supported on metadata.",
    "$top": "The $top query option is not supported on metadata.",
    "$skip": "Skip Clause is not supported in CRM",
}


@dataclass(frozen=True, slots=True)
class Shaping:
    """What of an item is shown, and which items. `select` is None when all properties are."""

    select: tuple[str, ...] | None = None
    test: Test | None = None
    expand: Mapping[str, "Shaping"] = field(default_factory=dict[str, "Shaping"])
    count: bool = False


EVERYTHING = Shaping()


def read_options(
    options: Mapping[str, str], declared: Declared, *, is_collection: bool, can_filter: bool = True
) -> Shaping:
    """The options of a request for `declared`. Those that metadata does not know are 400, also `$orderby` and `$top`,
    which could only be ignored silently otherwise."""
    for name in options:
        if name in _REFUSED:
            raise QueryError(_REFUSED[name])
        allowed = _COLLECTION if is_collection else _SINGLE
        if name.startswith("$") and name not in allowed:
            raise QueryError(f"The query option '{name}' is not supported here; {', '.join(sorted(allowed))} are.")
    if "$filter" in options and not can_filter:
        raise QueryError(f"The $filter query option is not supported on {NAMESPACE}.{declared.type_name}.")
    count = options.get("$count", "false")
    if count not in ("true", "false"):
        raise QueryError(f"The value '{count}' of $count is neither true nor false.")
    return Shaping(
        select=_select(options.get("$select", ""), declared),
        test=read_filter(options["$filter"], declared) if "$filter" in options else None,
        expand=_expand(options.get("$expand", ""), declared),
        count=count == "true",
    )


def _select(text: str, declared: Declared) -> tuple[str, ...] | None:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or "*" in names:
        return None
    for name in names:
        if name not in declared.properties and name not in declared.navigation:
            raise unknown_property(name, declared)
    return tuple(dict.fromkeys(name for name in names if name in declared.properties))


def _expand(text: str, declared: Declared) -> dict[str, Shaping]:
    found: dict[str, Shaping] = {}
    for item in split_outside(text, ","):
        name, _, rest = item.partition("(")
        name = name.strip()
        target = declared.navigation.get(name)
        if target is None:
            raise unknown_property(name, declared)
        inner: dict[str, str] = {}
        if rest:
            if not rest.rstrip().endswith(")"):
                raise QueryError(f"The options of '{name}' in $expand have no closing parenthesis.")
            for option in split_outside(rest.rstrip()[:-1], ";"):
                key, _, value = option.partition("=")
                inner[key.strip()] = value
        found[name] = read_options(inner, target, is_collection=name not in ("OptionSet", "GlobalOptionSet"))
    return found


def split_outside(text: str, separator: str) -> list[str]:
    """The parts of `text` between separators that stand outside of quotes and parentheses; empty parts left out."""
    parts: list[str] = []
    depth = start = 0
    is_quoted = False
    for position, character in enumerate(text):
        if character == "'":
            is_quoted = not is_quoted
        elif is_quoted:
            continue
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == separator and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    if is_quoted or depth != 0:
        raise QueryError(f"Unbalanced quotes or parentheses in '{text}'.")
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]
