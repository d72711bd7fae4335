"""`$filter` over metadata (WA-324): a small reader and evaluator of its own, because metadata is not rows.

Grammar: `or` < `and` < `not` < comparison, parentheses, `contains`, `startswith`, `endswith`; paths into complex
values (`CanCreateAttributes/Value`). Texts compare without regard to case. Labels cannot be filtered.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from strongroom.errors import QueryError
from strongroom.webapi.definitions.shapes import NAMESPACE, Declared, Shown

Test = Callable[[Shown], bool]

_MAXIMUM_DEPTH = 100
_MAXIMUM_TOKENS = 2_000
_LABELS = frozenset({"Description", "DisplayCollectionName", "DisplayName"})
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": lambda text, part: text.startswith(part),
    "endswith": lambda text, part: text.endswith(part),
}
_OPERATORS = ("eq", "ne", "gt", "ge", "lt", "le")
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<enum>[A-Za-z_][\w.]*'(?:[^']|'')*')
      | (?P<text>'(?:[^']|'')*')
      | (?P<guid>\{?[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\}?)
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<path>[A-Za-z_]\w*(?:/[A-Za-z_]\w*)*)
      | (?P<mark>[(),])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


def read_filter(text: str, declared: Declared) -> Test:
    """The condition, as a test of one item. Unknown names and bad syntax are 400 with the position."""
    reader = _Reader(text, _tokens(text), declared)
    test = reader.disjunction(0)
    reader.expect_end()
    return test


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            raise QueryError(f"Syntax error at position {position} in '{text}'.", position=position)
        kind = match.lastgroup or ""
        found.append(_Token(kind, match[kind], match.start(kind)))
        if len(found) > _MAXIMUM_TOKENS:
            raise QueryError("The $filter is too long.")
        position = match.end()
    if not found:
        raise QueryError("The $filter is empty.", position=0)
    return found


class _Reader:
    """A descent over the tokens. Each method reads one level of the grammar."""

    def __init__(self, text: str, tokens: list[_Token], declared: Declared) -> None:
        self._text = text
        self._tokens = tokens
        self._declared = declared
        self._next = 0

    def disjunction(self, depth: int) -> Test:
        parts = [self._conjunction(depth)]
        while self._takes("or"):
            parts.append(self._conjunction(depth))
        return parts[0] if len(parts) == 1 else lambda shown: any(part(shown) for part in parts)

    def expect_end(self) -> None:
        if self._next < len(self._tokens):
            raise self._error(self._tokens[self._next].position)

    def _conjunction(self, depth: int) -> Test:
        parts = [self._negation(depth)]
        while self._takes("and"):
            parts.append(self._negation(depth))
        return parts[0] if len(parts) == 1 else lambda shown: all(part(shown) for part in parts)

    def _negation(self, depth: int) -> Test:
        if depth > _MAXIMUM_DEPTH:
            raise QueryError(f"The $filter is nested more than {_MAXIMUM_DEPTH} levels deep.")
        if self._takes("not"):
            part = self._negation(depth + 1)
            return lambda shown: not part(shown)
        if self._takes("("):
            part = self.disjunction(depth + 1)
            self._expect(")")
            return part
        return self._comparison()

    def _comparison(self) -> Test:
        token = self._take("path")
        if token.text in _FUNCTIONS and self._peek() == "(":
            return self._function(token.text)
        value = self._property(token)
        operator = self._take("path")
        if operator.text not in _OPERATORS:
            raise self._error(operator.position)
        literal = self._literal()
        return _compared(operator.text, value, literal, token.text)

    def _function(self, name: str) -> Test:
        self._expect("(")
        value = self._property(self._take("path"))
        self._expect(",")
        wanted = self._literal()
        self._expect(")")
        if not isinstance(wanted, str):
            raise QueryError(f"The function {name} needs a text as its second argument.")
        folded = wanted.casefold()
        matches = _FUNCTIONS[name]

        def test(shown: Shown) -> bool:
            found = value(shown)
            return isinstance(found, str) and matches(found.casefold(), folded)

        return test

    def _property(self, token: _Token) -> Callable[[Shown], object]:
        first, *rest = token.text.split("/")
        if first not in self._declared.properties:
            raise unknown_property(first, self._declared)
        if first in _LABELS:
            raise QueryError(f"The property '{first}' is a Label and cannot be used in $filter.")

        def value(shown: Shown) -> object:
            if first not in shown.names:
                return None
            found = shown.value(first)
            for name in rest:
                found = cast("Mapping[str, object]", found).get(name) if isinstance(found, Mapping) else None
            return found

        return value

    def _literal(self) -> object:
        if self._next >= len(self._tokens):
            raise self._error(len(self._text))
        token = self._tokens[self._next]
        self._next += 1
        match token.kind:
            case "text":
                return _unquoted(token.text)
            case "enum":
                return _unquoted(token.text[token.text.index("'") :])
            case "guid":
                return token.text.strip("{}").lower()
            case "number":
                return float(token.text)
            case "path" if token.text in ("true", "false"):
                return token.text == "true"
            case "path" if token.text == "null":
                return None
            case _:
                raise self._error(token.position)

    def _takes(self, text: str) -> bool:
        if self._peek() != text:
            return False
        self._next += 1
        return True

    def _peek(self) -> str | None:
        if self._next >= len(self._tokens):
            return None
        token = self._tokens[self._next]
        return token.text if token.kind in ("mark", "path") else None

    def _take(self, kind: str) -> _Token:
        if self._next >= len(self._tokens) or self._tokens[self._next].kind != kind:
            at = self._tokens[self._next].position if self._next < len(self._tokens) else len(self._text)
            raise self._error(at)
        self._next += 1
        return self._tokens[self._next - 1]

    def _expect(self, mark: str) -> None:
        if not self._takes(mark):
            at = self._tokens[self._next].position if self._next < len(self._tokens) else len(self._text)
            raise self._error(at)

    def _error(self, position: int) -> QueryError:
        return QueryError(f"Syntax error at position {position} in '{self._text}'.", position=position)


def unknown_property(name: str, declared: Declared) -> QueryError:
    """400: the type has no such property."""
    return QueryError(f"Could not find a property named '{name}' on type '{NAMESPACE}.{declared.type_name}'.")


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'")


def _compared(operator: str, value: Callable[[Shown], object], literal: object, name: str) -> Test:
    if operator in ("eq", "ne"):
        wanted = _comparable(literal)

        def equals(shown: Shown) -> bool:
            found = _comparable(value(shown))
            if not _fits(found, wanted):
                raise _incompatible(name, found, wanted)
            return (found == wanted) is (operator == "eq")

        return equals

    if isinstance(literal, bool) or not isinstance(literal, (float, str)):
        raise QueryError(f"The operator '{operator}' cannot be used with true, false or null.")
    limit = _comparable(literal)

    def ordered(shown: Shown) -> bool:
        found = _comparable(value(shown))
        if isinstance(found, float) and isinstance(limit, float):
            return _in_order(operator, (found, ""), (limit, ""))
        if isinstance(found, str) and isinstance(limit, str):
            return _in_order(operator, (0, found), (0, limit))
        if found is None:
            return False
        raise _incompatible(name, found, limit)

    return ordered


def _in_order(operator: str, left: tuple[float, str], right: tuple[float, str]) -> bool:
    match operator:
        case "gt":
            return left > right
        case "ge":
            return left >= right
        case "lt":
            return left < right
        case _:
            return left <= right


def _comparable(value: object) -> object:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return float(value)
    return value.casefold() if isinstance(value, str) else value


def _fits(found: object, wanted: object) -> bool:
    return found is None or wanted is None or type(found) is type(wanted)


def _incompatible(name: str, found: object, wanted: object) -> QueryError:
    return QueryError(
        "A binary operator with incompatible types was detected. Found operand types "
        f"'{_edm_type(found)}' and '{_edm_type(wanted)}' for '{name}'."
    )


def _edm_type(value: object) -> str:
    match value:
        case bool():
            return "Edm.Boolean"
        case float():
            return "Edm.Int32"
        case str():
            return "Edm.String"
        case _:
            return "a complex value"
