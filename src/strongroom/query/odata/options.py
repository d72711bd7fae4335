"""The query string → options (section 11).

    split_options("$select=name&$filter=name%20eq%20@n&@n='x'&tag=a")

System options (`$…`) are a closed set and occur once; parameter aliases (`@…`) are kept by name; all other options are
the caller's own or those of the routes (`fetchXml`, `savedQuery`, `sql`), and are kept in `custom` as they came.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote_plus

from strongroom.errors import QueryError
from strongroom.query.limits import MAX_TOP
from strongroom.query.names import hint, shown

_SYSTEM = frozenset(
    {
        *("$select", "$filter", "$orderby", "$top", "$count", "$expand", "$apply"),
        *("$skiptoken", "$deltatoken", "$id"),
    }
)
_REPEATED_BY_CLIENTS = frozenset({"$select", "$filter", "$orderby"})
_SPELLINGS = {"fetchxml": "fetchXml"}


@dataclass(frozen=True, slots=True)
class Options:
    """`system` is keyed with the dollar sign, `aliases` with the at sign. Values are decoded."""

    system: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    custom: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    aliases: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)

    def get(self, name: str) -> str | None:
        """The text of a system option such as `$filter`."""
        return self.system.get(name)

    def only(self, *allowed: str, where: str) -> "Options":
        """These options, if no system option besides `allowed` is among them; `where` completes the message."""
        for name in self.system:
            if name not in allowed:
                may = ", ".join(allowed) or "none"
                raise QueryError(f"The query option '{name}' is not allowed {where}. Allowed: {may}.")
        return self

    @property
    def count(self) -> bool:
        """`$count`; anything but true and false is an error."""
        text = self.get("$count")
        if text is None or text.strip() in ("true", "false"):
            return text is not None and text.strip() == "true"
        raise QueryError(f"Invalid value '{shown(text)}' for $count: it is true or false.")

    @property
    def top(self) -> int | None:
        """`$top`, at most 5,000; 0, negative and other values are errors (WA-175)."""
        text = self.get("$top")
        if text is None:
            return None
        digits = text.strip()
        if not (digits.isascii() and digits.isdigit()) or int(digits[:10]) == 0 or len(digits) > 10:
            message = f"Invalid value '{shown(text)}' for $top: it is a whole number from 1 to {MAX_TOP}."
            raise QueryError(message)
        return min(int(digits), MAX_TOP)


def split_options(raw_query: str) -> Options:
    """The options of `raw_query`, the part of the URL behind `?` as it was sent.

    Values are percent-decoded once and a plus means a space (WA-4). Unknown `$…` and repeated options raise
    `QueryError` (WA-171, WA-172), but for the repetitions that a client makes on next links (WA-450).
    """
    return _remembered(raw_query) if len(raw_query) <= _REMEMBERED_LENGTH else _split(raw_query)


def _split(raw_query: str) -> Options:
    system: dict[str, str] = {}
    custom: dict[str, str] = {}
    aliases: dict[str, str] = {}
    repeated: list[str] = []
    for part in raw_query.removeprefix("?").split("&"):
        if not part:
            continue
        raw_name, _, raw_value = part.partition("=")
        name, value = _decoded(raw_name).strip(), _decoded(raw_value)
        if name.startswith("$"):
            _check_known(name)
            if name in system and not (name in _REPEATED_BY_CLIENTS and system[name] == value):
                raise _twice(name)
            if name in system:
                repeated.append(name)
            system[name] = value
        elif name.startswith("@"):
            if name in aliases:
                raise _twice(name)
            aliases[name] = value
        else:
            custom.setdefault(_SPELLINGS.get(name, name), value)
    if repeated and "$skiptoken" not in system:
        raise _twice(repeated[0])
    return Options(system, custom, aliases)


_REMEMBERED_LENGTH = 2000
_remembered = lru_cache(maxsize=512)(_split)
"""Programs ask the same again and again."""


def _decoded(text: str) -> str:
    try:
        decoded = unquote_plus(text, errors="strict")
    except UnicodeDecodeError as error:
        raise QueryError(f"The query option '{shown(text)}' is not valid UTF-8.") from error
    if "\x00" in decoded:
        raise QueryError("The query string holds the character NUL, which no value can hold.")
    return decoded


def _check_known(name: str) -> None:
    if name in _SYSTEM:
        return
    if name == "$skip":
        raise QueryError("Skip Clause is not supported in CRM: '$skip'. Follow @odata.nextLink to the next page.")
    message = f"The query parameter '{shown(name)}' is not supported."
    raise QueryError(message + hint(name, _SYSTEM - {"$deltatoken", "$id"}))


def _twice(name: str) -> QueryError:
    return QueryError(
        f"Query option '{shown(name)}' was specified more than once, but it must be specified at most once."
    )
