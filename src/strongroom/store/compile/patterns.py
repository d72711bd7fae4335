"""Text conditions (WA-190): a pattern with wildcards is read once, then written in each engine's own words.

The wildcards are SQL Server's: `%` any text, `_` one character, `[a-c]` one of, `[^a]` none of; inside brackets they
stand for themselves (`[%]`). An opening bracket that is never closed is an ordinary character. Patterns meet folded
text, so they are folded too. Most need no matching at all: equal, contains, begins with, ends with.
"""

import re
from dataclasses import dataclass
from enum import Enum

from strongroom.query.ast import TextMatch
from strongroom.store.layout import fold


class Form(Enum):
    """What a pattern comes down to. It decides the SQL; the text itself is bound."""

    ANYTHING = "*"
    EQUAL = "="
    PREFIX = "^"
    SUFFIX = "$"
    CONTAINS = "c"
    PATTERN = "p"


@dataclass(frozen=True, slots=True)
class _Any:
    """`%`."""


@dataclass(frozen=True, slots=True)
class _One:
    """`_`."""


@dataclass(frozen=True, slots=True)
class _Set:
    """`[…]`: single characters and ranges, both ends included."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool


_Piece = str | _Any | _One | _Set


@dataclass(frozen=True, slots=True)
class TextPattern:
    """A pattern as read: its form, and for all forms but PATTERN the folded text that it is about."""

    form: Form
    needle: str
    pieces: tuple[_Piece, ...]

    def end(self) -> str:
        """The least text after all that begin with `needle`, by code points."""
        return _successor(self.needle) or self.needle

    def glob(self) -> str:
        """The pattern for SQLite's GLOB."""
        return "".join(map(_glob, self.pieces))

    def regular_expression(self) -> str:
        """The pattern for PostgreSQL's `~`."""
        return "^" + "".join(map(_regular_expression, self.pieces)) + "$"


def read(kind: TextMatch, pattern: str) -> TextPattern:
    """Read `pattern` for `kind`: contains, begins with and ends with are LIKE with `%` on the open sides."""
    pieces = _pieces(fold(pattern))
    if kind in (TextMatch.CONTAINS, TextMatch.ENDS_WITH):
        pieces.insert(0, _Any())
    if kind in (TextMatch.CONTAINS, TextMatch.STARTS_WITH):
        pieces.append(_Any())
    merged = _merged(pieces)
    form, needle = _form(merged)
    return TextPattern(form, needle, merged)


def _form(pieces: tuple[_Piece, ...]) -> tuple[Form, str]:
    match pieces:
        case ():
            return Form.EQUAL, ""
        case (str(text),):
            return Form.EQUAL, text
        case (_Any(),):
            return Form.ANYTHING, ""
        case (str(text), _Any()) if _successor(text) is not None:
            return Form.PREFIX, text
        case (_Any(), str(text)):
            return Form.SUFFIX, text
        case (_Any(), str(text), _Any()):
            return Form.CONTAINS, text
        case _:
            return Form.PATTERN, ""


def _pieces(pattern: str) -> list[_Piece]:
    found: list[_Piece] = []
    position = 0
    has_end = True
    while position < len(pattern):
        character = pattern[position]
        if character == "[" and has_end:
            opened = _set(pattern, position)
            if opened is not None:
                piece, position = opened
                found.append(piece)
                continue
            has_end = False  # what closes no bracket here closes none further on: not to be looked for again
        found.append(_Any() if character == "%" else _One() if character == "_" else character)
        position += 1
    return found


def _set(pattern: str, start: int) -> tuple[_Piece, int] | None:
    position = start + 1
    negated = pattern[position : position + 1] == "^"
    position += negated
    first = position
    ranges: list[tuple[str, str]] = []
    while position < len(pattern):
        character = pattern[position]
        if character == "]" and position > first:
            if not negated and len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
                return ranges[0][0], position + 1
            return _Set(tuple(ranges), negated), position + 1
        last = pattern[position + 2 : position + 3]
        if pattern[position + 1 : position + 2] == "-" and last not in ("", "]"):
            if character <= last:
                ranges.append((character, last))
            position += 3
        else:
            ranges.append((character, character))
            position += 1
    return None


def _merged(pieces: list[_Piece]) -> tuple[_Piece, ...]:
    """Neighbouring characters as one text, neighbouring `%` as one."""
    found: list[_Piece] = []
    for piece in pieces:
        if found and isinstance(piece, str) and isinstance(found[-1], str):
            found[-1] += piece
        elif not (found and isinstance(piece, _Any) and isinstance(found[-1], _Any)):
            found.append(piece)
    return tuple(found)


def _successor(text: str) -> str | None:
    kept = text.rstrip("\U0010ffff")
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    return kept[:-1] + chr(0xE000 if following == 0xD800 else following)


def _glob(piece: _Piece) -> str:
    match piece:
        case _Any():
            return "*"
        case _One():
            return "?"
        case _Set((), negated):
            return "?" if negated else "[^\x01-\U0010ffff]"
        case _Set(ranges, negated):
            # GLOB takes ] as a member only in the first place, and ^ only when it is not there; ranges avoid both.
            members = "".join(f"{first}-{last}" for first, last in ranges if first not in "]^" or last != first)
            members = ("]" if ("]", "]") in ranges else "") + members + ("^-^" if ("^", "^") in ranges else "")
            return f"[{'^' if negated else ''}{members}]"
        case str(text):
            return re.sub(r"[*?\[]", lambda found: f"[{found[0]}]", text)


def _regular_expression(piece: _Piece) -> str:
    match piece:
        case _Any():
            return ".*"
        case _One():
            return "."
        case _Set((), negated):
            return "." if negated else "(?!)"
        case _Set(ranges, negated):
            members = "".join(_range(first, last) for first, last in ranges)
            return f"[{'^' if negated else ''}{members}]"
        case str(text):
            return re.sub(r"[^0-9a-z\u0080-\U0010ffff]", lambda found: "\\" + found[0], text)


def _range(first: str, last: str) -> str:
    return _member(first) if first == last else f"{_member(first)}-{_member(last)}"


def _member(character: str) -> str:
    return "\\" + character if not character.isalnum() and character.isascii() else character
