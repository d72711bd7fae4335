"""Links to collections, and what their paging tokens are bound to (WA-212, WA-231, WA-234)."""

import hashlib
from collections.abc import Mapping, Sequence
from urllib.parse import quote

_LITERAL = "$'(),;:=/@*!"  # what stays as it is in the options of a link
_NONE: Mapping[str, str] = {}


def query_mark(path: str, system: Mapping[str, str], others: Mapping[str, str] = _NONE) -> str:
    """What a skip token is bound to: the resource and every option of the query but the token itself (WA-234). `others`
    are the options without a dollar sign."""
    parts = [path.rstrip("/")]
    parts += [f"{name}={value}" for name, value in sorted(system.items()) if name != "$skiptoken"]
    parts += [f"{name}={value}" for name, value in sorted(others.items()) if name != "tag"]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def link_to(address: str, options: Sequence[tuple[str, str]], token: str | None = None) -> str:
    """The URL of the collection at `address` with these query options; `token` is percent-encoded already."""
    parts = [f"{name}={quote(text, safe=_LITERAL)}" for name, text in options]
    if token is not None:
        parts.append(f"$skiptoken={token}")
    return f"{address}?{'&'.join(parts)}" if parts else address
