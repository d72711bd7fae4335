"""Paths of the Web API cut into segments.

A segment is a name with an optional key or argument list in parentheses: `accounts(…)`, `Account_Tasks`, `$ref`,
`Microsoft.Dynamics.CRM.RetrievePrincipalAccess(Target=@t)`. Slashes and parentheses inside quotes belong to values.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from strongroom.errors import QueryError, ResourceNotFound
from strongroom.query.names import hint
from strongroom.webapi.http import decode_segment

NAMESPACE = "Microsoft.Dynamics.CRM."
OWN_NAMESPACE = "Strongroom."
_MAX_SEGMENTS = 20


@dataclass(frozen=True, slots=True)
class Segment:
    """`key` is the text between the parentheses, decoded; None without parentheses, '' for empty ones."""

    name: str
    key: str | None = None

    @property
    def operation(self) -> str | None:
        """The name of a bound operation (after its namespace), or None."""
        for namespace in (NAMESPACE, OWN_NAMESPACE):
            if self.name.startswith(namespace):
                return self.name[len(namespace) :]
        return None

    def __str__(self) -> str:
        return self.name if self.key is None else f"{self.name}({self.key})"


def split_path(path: str) -> tuple[Segment, ...]:
    """The segments of a path below the service root; `()` for the root itself (WA-2)."""
    if not path.strip("/"):
        return ()
    parts = _cut(decode_segment(path).strip("/"))
    if len(parts) > _MAX_SEGMENTS:
        raise QueryError(f"The request URL has more than {_MAX_SEGMENTS} segments.")
    return tuple(_segment(part) for part in parts)


def _cut(path: str) -> list[str]:
    parts: list[str] = []
    start = depth = 0
    quote = ""
    for position, character in enumerate(path):
        if quote:
            quote = "" if character == quote else quote
        elif character == "'" or (character == '"' and depth):
            quote = character
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == "/" and depth <= 0:
            parts.append(path[start:position])
            start = position + 1
    if quote or depth > 0:
        raise QueryError(f"The path '{path[:200]}' has an unclosed {'quote' if quote else 'parenthesis'}.")
    parts.append(path[start:])
    return parts


def _segment(text: str) -> Segment:
    opening = text.find("(")
    if opening < 0:
        if not text:
            raise ResourceNotFound("Resource not found for the segment ''.")
        return Segment(text)
    if not text.endswith(")"):
        raise QueryError(f"Text after the closing parenthesis in the segment '{text[:200]}'.")
    return Segment(text[:opening], text[opening + 1 : -1].strip())


def unknown_segment(segment: str, known: Iterable[str]) -> ResourceNotFound:
    """The 404 for a name that nothing has, with the nearest of `known` (WA-3)."""
    return ResourceNotFound(f"Resource not found for the segment '{segment[:200]}'.{hint(segment, known)}")
