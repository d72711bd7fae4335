"""Where events of the trail go (TS-818): a destination as a value, and what a client may write into one.

A file lies in the home, in `stream/<environment>/<name>.jsonl`: a row of a table must not choose where on the machine
the server writes. The other kinds have an address that the owner of the home has allowed (`monitoring.outbound`).
"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from strongroom.errors import InvalidRequest
from strongroom.identity.directory import flag, number, text
from strongroom.ids import Guid
from strongroom.monitoring.outbound import Endpoint, Outbound, endpoint_of
from strongroom.monitoring.tables import FORMATS, KINDS
from strongroom.store.protocol import Row, Value

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,58}")
_LONGEST_PEM = 100_000


class Kind(Enum):
    """`siemdestination.kind`."""

    FILE = 1
    WEBHOOK = 2
    SYSLOG_TCP = 3
    SYSLOG_TLS = 4


class Form(Enum):
    """`siemdestination.format`."""

    OCSF = 1
    CEF = 2
    PLAIN = 3


_SCHEMES: Mapping[Kind, tuple[str, ...]] = {
    Kind.WEBHOOK: ("http", "https"),
    Kind.SYSLOG_TCP: ("tcp",),
    Kind.SYSLOG_TLS: ("tls",),
}


@dataclass(frozen=True, slots=True)
class Destination:
    """One destination. `endpoint` is None for a file."""

    id: Guid
    name: str
    kind: Kind
    form: Form
    endpoint: Endpoint | None
    certificates: str
    drops_personal: bool
    secret_version: int


def destination_of(row: Row) -> Destination:
    """The destination in a row."""
    kind = Kind(number(row, "kind") or 1)
    address = text(row, "address")
    return Destination(
        id=row.id,
        name=text(row, "name"),
        kind=kind,
        form=Form(number(row, "format") or 1),
        endpoint=None if kind is Kind.FILE else endpoint_of(address, _SCHEMES[kind], "address"),
        certificates=text(row, "certificates"),
        drops_personal=flag(row, "dropspersonal"),
        secret_version=number(row, "secretversion"),
    )


def check_destination(values: Mapping[str, Value], outbound: Outbound) -> None:
    """Refuse a destination that cannot be, or that is not allowed."""
    name = values.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _wrong("name", "has lower-case letters, digits and hyphens, at most 59 of them")
    chosen = values.get("kind") or 1
    if not isinstance(chosen, int) or not 1 <= chosen <= len(KINDS):
        raise _wrong("kind", f"is one of {_numbered(KINDS)}")
    form = values.get("format") or 1
    if not isinstance(form, int) or not 1 <= form <= len(FORMATS):
        raise _wrong("format", f"is one of {_numbered(FORMATS)}")
    kind, address = Kind(chosen), values.get("address")
    if kind is Kind.FILE:
        if address:
            raise _wrong("address", "stays empty for a file, which lies in the home's folder 'stream'")
        return
    if not isinstance(address, str) or not address:
        raise _wrong("address", f"is where to send to, such as {_SCHEMES[kind][-1]}://siem.example.com:6514")
    outbound.demand(endpoint_of(address, _SCHEMES[kind], "address"), "address")
    trust(values.get("certificates"))


def trust(certificates: Value) -> ssl.SSLContext:
    """What a TLS connection is checked by: these certificates alone where some are given, else those of the machine."""
    given = certificates if isinstance(certificates, str) and certificates.strip() else None
    if given is None:
        return ssl.create_default_context()
    if len(given) > _LONGEST_PEM:
        raise _wrong("certificates", f"have at most {_LONGEST_PEM:,} characters")
    try:
        return ssl.create_default_context(cadata=given)
    except (ssl.SSLError, ValueError):
        raise _wrong("certificates", "are certificates in PEM, each from BEGIN to END CERTIFICATE") from None


def _numbered(labels: tuple[str, ...]) -> str:
    return ", ".join(f"{number} {label}" for number, label in enumerate(labels, 1))


def _wrong(target: str, says: str) -> InvalidRequest:
    return InvalidRequest(
        f"'{target}' of a destination {says}.",
        details={"reason": "bad-destination", "rule": "TS-818", "target": target},
    )
