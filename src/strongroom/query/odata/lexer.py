"""Text of `$filter`, `$orderby`, `$apply` and keys → tokens with their positions.

The pattern is linear: no alternative can match in two ways, so no text makes it slow. Spaces are dropped here. Three
tolerances for clients live here too: a GUID in braces, a time offset whose plus was sent as a space (`10:00:00 02:00`),
and texts in double quotes (JSON arrays, and keys that Python programs quote).
"""

import json
import re
from dataclasses import dataclass
from enum import Enum

from strongroom.errors import QueryError
from strongroom.query.names import shown


class Kind(Enum):
    NAME = "name"  # also qualified: Microsoft.Dynamics.CRM.Today, and $count, $it, $ref
    STRING = "text"
    INTEGER = "whole number"
    DECIMAL = "number"
    DATE = "date"
    MOMENT = "date-time"
    GUID = "GUID"
    ENUM = "enumeration value"
    ALIAS = "parameter alias"
    MARK = "mark"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """`value` is what the token says: a text without its quotes, a GUID without braces, a name as it stands.

    `type_name` is set on enumeration values: the qualified name before the quotes.
    """

    kind: Kind
    value: str
    position: int
    type_name: str = ""

    def is_mark(self, mark: str) -> bool:
        return self.kind is Kind.MARK and self.value == mark

    def is_word(self, word: str) -> bool:
        return self.kind is Kind.NAME and self.value == word


_HEX = "[0-9A-Fa-f]"
_GUID = f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
_TEXT = "'[^']*(?:''[^']*)*'"
_TOKEN = re.compile(
    rf"""
      (?P<space>\s+)
    | (?P<guid>{_GUID}(?!\w) | \{{{_GUID}\}})
    | (?P<moment>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:\.[0-9]+)?)?
                 (?:[Zz](?!\w)|[+\- ][0-9]{{2}}:?[0-9]{{2}}(?!\w))?)
    | (?P<date>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?![\w-]))
    | (?P<decimal>-?[0-9]+(?:\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)(?!\w))
    | (?P<integer>-?[0-9]+(?![\w-]))
    | (?P<enum>[^\W\d]\w*(?:\.[^\W\d]\w*)+{_TEXT})
    | (?P<name>\$?[^\W\d]\w*(?:\.[^\W\d]\w*)*)
    | (?P<string>{_TEXT})
    | (?P<json>"(?:[^"\\]|\\.)*")
    | (?P<alias>@[^\W\d]\w*)
    | (?P<mark>[()\[\]/,:=*;{{}}])
    """,
    re.VERBOSE,
)

_KINDS = {
    "guid": Kind.GUID,
    "moment": Kind.MOMENT,
    "date": Kind.DATE,
    "decimal": Kind.DECIMAL,
    "integer": Kind.INTEGER,
    "enum": Kind.ENUM,
    "name": Kind.NAME,
    "string": Kind.STRING,
    "json": Kind.STRING,
    "alias": Kind.ALIAS,
    "mark": Kind.MARK,
}


def syntax_error(text: str, position: int, problem: str) -> QueryError:
    """The error of WA-56 for `text`; `problem` is a sentence that says what is wrong."""
    return QueryError(f"Syntax error at position {position} in '{shown(text)}'. {problem}", position=position)


def tokens(text: str) -> list[Token]:
    """All tokens of `text` and one END. Raises `QueryError` at the first character that begins no token."""
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise _unreadable(text, position)
        if match.lastgroup != "space":
            found.append(_token(match.lastgroup, match[0], position, text))
        position = match.end()
    found.append(Token(Kind.END, "", len(text)))
    return found


def _token(group: str, source: str, position: int, text: str) -> Token:
    kind = _KINDS[group]
    match group:
        case "string":
            return Token(kind, source[1:-1].replace("''", "'"), position)
        case "json":
            return Token(kind, _json_text(source, position, text), position)
        case "enum":
            name, _, value = source.partition("'")
            return Token(kind, value[:-1].replace("''", "'"), position, name)
        case "guid":
            return Token(kind, source.strip("{}").lower(), position)
        case "moment":
            return Token(kind, f"{source[:11]}{source[11:].replace(' ', '+')}", position)
        case _:
            return Token(kind, source, position)


def _json_text(source: str, position: int, text: str) -> str:
    try:
        return str(json.loads(source, strict=False))
    except ValueError as error:
        raise syntax_error(text, position, "The text in double quotes is not valid JSON.") from error


def _unreadable(text: str, position: int) -> QueryError:
    character = text[position]
    if character in "'\"":
        return syntax_error(text, position, "There is an unterminated string literal; a quote inside is doubled ('').")
    word = re.match(r"[\w.:+-]*", text[position : position + 40])
    what = word[0] if word and word[0] else character
    return syntax_error(text, position, f"'{shown(what)}' is neither a name nor a value.")
