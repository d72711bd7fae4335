"""Which environment a request is for, and the address that links in its answer must carry (WA-1, WA-6)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from strongroom.errors import InvalidRequest, ResourceNotFound

_PATH = re.compile(
    r"(?:/e/(?P<environment>[a-z0-9][a-z0-9-]{0,62}))?/api/data(?:/(?P<version>[^/]*)(?:/(?P<rest>.*))?)?"
)
_VERSION = re.compile(r"v(?:9\.[0-2]|8\.[0-2])(?:\.\d+)*")
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9.\-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Address:
    """`environment` is None when the path names none: the host's first label may, else the default one is meant."""

    environment: str | None
    version: str
    path: str


def read_address(path: str) -> Address | None:
    """The parts of a raw request path, or None when it is not below `/api/data` of any environment.

    A version that the service does not speak is 404 (WA-1).
    """
    matched = _PATH.fullmatch(path)
    if matched is None:
        return None
    version = matched["version"] or ""
    if not _VERSION.fullmatch(version):
        raise ResourceNotFound(
            f"Resource not found for the segment '{version[:20]}'. The service root is /api/data/v9.2/."
        )
    return Address(matched["environment"], version, matched["rest"] or "")


def environment_in(path: str) -> str | None:
    """The environment that a path names (`/e/contoso/…`), whatever follows it."""
    matched = re.match(r"/e/([^/]+)", path)
    return matched[1] if matched else None


def origin(scheme: str, headers: Mapping[str, str], peer: str, trusted_proxies: frozenset[str]) -> str:
    """Scheme and authority as the client wrote them, `https://crm.example:8443`.

    `X-Forwarded-*` and `Forwarded` count only from a trusted peer; loopback peers are trusted (WA-6).
    """
    host = headers.get("host", "localhost")
    if _is_trusted(peer, trusted_proxies):
        forwarded = _forwarded(headers.get("forwarded", ""))
        scheme = headers.get("x-forwarded-proto", forwarded.get("proto", scheme)).split(",")[0].strip()
        host = headers.get("x-forwarded-host", forwarded.get("host", host)).split(",")[0].strip()
    if scheme not in ("http", "https") or not _AUTHORITY.fullmatch(host):
        raise InvalidRequest("The Host header is not the name of a host.")
    return f"{scheme}://{host}"


def environment_of_host(authority: str, names: frozenset[str]) -> str | None:
    """The environment that the first label of the host names (`contoso.crm.example`), if there is one."""
    label, dot, _ = authority.split("://", 1)[-1].partition(".")
    return label.lower() if dot and label.lower() in names else None


@lru_cache(maxsize=1024)  # the same few peers all day
def _is_trusted(peer: str, trusted: frozenset[str]) -> bool:
    if peer in trusted:
        return True
    try:
        return ip_address(peer).is_loopback
    except ValueError:
        return peer == ""  # a Unix socket: whoever may open it is on this machine


def _forwarded(header: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in header.split(",")[0].split(";"):
        name, _, value = pair.partition("=")
        found[name.strip().lower()] = value.strip().strip('"')
    return found
