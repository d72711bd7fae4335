"""The IP firewall of an environment (TS-308): columns of its `organization`, asked before anybody is authenticated.

`enableipbasedfirewallrule` turns it on; `allowediprangeforfirewall` are the networks that get in;
`enableipbasedfirewallruleinauditmode` lets others in too and tells of them; `allowapplicationuseraccess` lets programs
in from anywhere; `reverseproxyipaddresses` are proxies whose `X-Forwarded-For` counts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from strongroom.errors import AccessDenied, Conflict, InvalidRequest
from strongroom.identity.conditional.model import Network, is_within
from strongroom.records import Event, Rules, Session
from strongroom.store.protocol import Row, Transaction, Value

_MOST, _LONGEST = 200, 4000
_ENABLED, _RANGES = "enableipbasedfirewallrule", "allowediprangeforfirewall"
_AUDITS, _PROGRAMS = "enableipbasedfirewallruleinauditmode", "allowapplicationuseraccess"
_PROXIES = "reverseproxyipaddresses"
CONFIRMATION = "lockout"
"""What the header `x-sr-confirm` says to make a change that locks out its own author."""


@dataclass(frozen=True, slots=True)
class Firewall:
    """The firewall of one environment, as requests ask it."""

    is_on: bool = False
    networks: tuple[Network, ...] = ()
    only_audits: bool = False
    lets_programs_in: bool = False
    proxies: frozenset[str] = frozenset()

    def is_outside(self, address: str) -> bool:
        """Whether an address is none of those that get in. A socket on this machine is no address and gets in."""
        return self.is_on and is_within(address, self.networks) is False


OPEN = Firewall()


def firewall_of(transaction: Transaction) -> Firewall:
    """The firewall as the environment's `organization` has it."""
    rows = transaction.rows_where(transaction.schema.tables["organization"], {}, limit=1)
    return _firewall(rows[0].values) if rows else OPEN


def refused() -> AccessDenied:
    """The words of the published service."""
    return AccessDenied(
        "The request you are trying to make is rejected as access to your IP is blocked. Contact your administrator "
        "for more information.",
        code="0x80095ffe",
        details={"reason": "ip-blocked", "rule": "TS-308", "target": _RANGES},
    )


def client_address(peer: str, forwarded_for: str, proxies: frozenset[str]) -> str:
    """Where a request comes from: the peer, or behind a proxy that is trusted the rightmost hop that is none."""
    if not forwarded_for or not _is_proxy(peer, proxies):
        return peer
    hops = [hop.strip().strip("[]") for hop in forwarded_for.split(",")]
    for hop in reversed(hops):
        if not _is_address(hop):
            return peer
        if not _is_proxy(hop, proxies):
            return hop
    return hops[0]


def register(rules: Rules) -> None:
    """Hang the checks in the verbs of an environment."""
    rules.on(Event.BEFORE_UPDATE, "organization", _check, name="firewall: networks are networks (TS-308)")


def _check(session: Session, row: Row, changes: dict[str, Value]) -> None:
    if not changes.keys() & {_ENABLED, _RANGES, _AUDITS, _PROGRAMS, _PROXIES}:
        return
    after = _firewall({**row.values, **changes}, checks=True)
    if not after.is_on:
        return
    if not after.networks:
        raise _wrong("the firewall cannot be turned on without a network that gets in.", _RANGES)
    here = session.request.address
    if after.only_audits or here is None or not after.is_outside(here) or session.request.confirmed == CONFIRMATION:
        return
    raise Conflict(
        f"This would lock you out: your own address, {here}, would not get in. Add it, or send the header "
        f"x-sr-confirm: {CONFIRMATION}. On the machine itself, `strongroom firewall reset` turns the firewall off.",
        details={"reason": "would-lock-you-out", "rule": "TS-308", "target": _RANGES},
    )


def _firewall(values: Mapping[str, Value], *, checks: bool = False) -> Firewall:
    words = _words(values.get(_RANGES))
    if checks:
        _demand_few(words)
    networks = tuple(found for word in words if (found := _network(word, checks=checks)) is not None)
    return Firewall(
        values.get(_ENABLED) is True,
        networks,
        values.get(_AUDITS) is True,
        values.get(_PROGRAMS) is True,
        frozenset(word for word in _words(values.get(_PROXIES)) if _is_address(word)),
    )


def _demand_few(words: list[str]) -> None:
    if len(words) > _MOST:
        raise _wrong(f"{len(words)} networks are given; at most {_MOST} are taken.", _RANGES)
    if sum(map(len, words)) > _LONGEST:
        raise _wrong(f"the list is longer than {_LONGEST:,} characters.", _RANGES)


def _network(word: str, *, checks: bool) -> Network | None:
    try:
        return ip_network(word)
    except ValueError:
        if not checks:
            return None
        raise _wrong(
            f"'{word[:60]}' is no network: write it like 192.0.2.0/24 or 2001:db8::/32, without host bits.", _RANGES
        ) from None


def _wrong(text: str, column: str) -> InvalidRequest:
    return InvalidRequest(f"'{column}': {text}", details={"reason": "bad-cidr", "rule": "TS-308", "target": column})


def _words(value: Value) -> list[str]:
    return [word for word in re.split(r"[,;\s]+", value) if word] if isinstance(value, str) else []


def _is_proxy(address: str, proxies: frozenset[str]) -> bool:
    return address == "" or address in proxies or (_is_address(address) and ip_address(address).is_loopback)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
