"""Pages of other origins that call the Web API from a browser (WA-15).

Nothing is allowed until an administrator names origins (`server.cors_origins`). A browser sends no credentials by
itself here: a token is put into each request by the page, so `Access-Control-Allow-Credentials` is never sent, and
`*` is a choice that can be made.
"""

import re
from collections.abc import Mapping
from typing import Final

from strongroom.webapi.http import Response

EXPOSED: Final = ", ".join(
    (
        *("OData-EntityId", "OData-Version", "Preference-Applied", "ETag", "Location", "Retry-After"),
        *("x-ms-chunk-size", "x-ms-file-name", "x-ms-file-size", "x-ms-service-request-id", "REQ_ID"),
        *("x-ms-ratelimit-burst-remaining-xrm-requests", "x-ms-ratelimit-time-remaining-xrm-requests"),
    )
)
"""Headers of answers that scripts may read besides those that they always may."""

_METHODS: Final = "GET, HEAD, POST, PATCH, PUT, DELETE"
_KEPT_S: Final = 3600
_NAMES = re.compile(r"[\w!#$%&'*+.^`|~-]+(?:\s*,\s*[\w!#$%&'*+.^`|~-]+)*")
_LONGEST: Final = 4000


def preflight(method: str, headers: Mapping[str, str], allowed: frozenset[str]) -> Response | None:
    """The answer to a browser that asks whether a page may send a request; None when it is not such a question, or the
    page's origin is not allowed. It tells nothing about the data, so nobody needs to be signed in."""
    if method != "OPTIONS" or "access-control-request-method" not in headers:
        return None
    if not _is_allowed(headers.get("origin"), allowed):
        return None
    asked = headers.get("access-control-request-headers", "")
    names = asked if len(asked) <= _LONGEST and _NAMES.fullmatch(asked) else ""
    told = (
        ("Access-Control-Allow-Methods", _METHODS),
        *((("Access-Control-Allow-Headers", names),) if names else ()),
        ("Access-Control-Max-Age", str(_KEPT_S)),
    )
    return Response(204, (*of_origin(headers, allowed), *told))


def of_origin(headers: Mapping[str, str], allowed: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """The headers by which an answer may be read by the page that asked; none when its origin is not allowed."""
    if not allowed:
        return ()
    origin = headers.get("origin")
    if origin is None or not _is_allowed(origin, allowed):
        return (("Vary", "Origin"),)
    return (
        ("Access-Control-Allow-Origin", origin),
        ("Vary", "Origin"),
        ("Access-Control-Expose-Headers", EXPOSED),
    )


def _is_allowed(origin: str | None, allowed: frozenset[str]) -> bool:
    return origin is not None and (origin in allowed or "*" in allowed)
