"""From a row of `conditionalaccesspolicy` to a policy. A mistake is 400 and names the column (TS-005, TS-725).

Words of users: `all`, `guests`, `applications`, `user:LOGIN`, `group:NAME`, `role:NAME`, `app:CLIENT-ID`. Users and
groups are kept by their ids, so that a new name does not slip out of a policy; roles go by name, in every environment.
"""

import re
from collections.abc import Mapping
from datetime import time
from ipaddress import ip_network
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from strongroom.errors import InvalidRequest
from strongroom.identity.conditional.model import (
    ClientKind,
    Control,
    Device,
    Network,
    Policy,
    Principals,
    State,
    Window,
)
from strongroom.identity.conditional.tables import GROUP, LOCATION
from strongroom.ids import Guid, parse_guid
from strongroom.store.layout import fold
from strongroom.store.protocol import Row, Transaction, Value

_MOST_WORDS = 200
_LEAST_MINUTES, _MOST_MINUTES = 5, 1440
_HIGHEST_RISK = 3
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ENVIRONMENT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_CONSOLE = "console"
_ASKED = frozenset(Control) - {Control.RECENT_SIGN_IN}
_KINDS = {"browser": ClientKind.BROWSER, "api": ClientKind.API}
_DEVICES = {each.name.lower(): each for each in Device}
_T = TypeVar("_T")


def wrong(column: str, text: str, *, reason: str = "policy-invalid") -> InvalidRequest:
    """A refusal that names the column."""
    return InvalidRequest(
        f"'{column}' of the policy: {text}", details={"reason": reason, "rule": "TS-725", "target": column}
    )


def words(text: Value) -> list[str]:
    """The words of a list, parted by commas or lines."""
    return [word.strip() for word in re.split(r"[,\n]", text) if word.strip()] if isinstance(text, str) else []


class Reader:
    """Reads policies in one transaction of the control environment."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def policy(self, row_id: Guid, values: Mapping[str, Value]) -> Policy:
        """The policy that a row's values describe. Raises `InvalidRequest`."""
        include = self.principals("includeusers", values)
        if include == Principals():
            raise wrong(
                "includeusers", "names nobody. Write all, guests, applications, user:…, group:…, role:… or app:…."
            )
        blocks = _number(values, "outcome") != _GRANT
        controls = _named("requires", values, {each.value: each for each in _ASKED})
        minutes = _minutes(values)
        read_only = values.get("readonly") is True
        if blocks and (controls or minutes or read_only):
            raise wrong("outcome", "a policy that blocks cannot ask for anything nor limit the session.")
        if not blocks and not (controls or minutes or read_only):
            raise wrong("outcome", "a policy that grants must ask for something (requires) or limit the session.")
        return Policy(
            row_id,
            str(values.get("name") or ""),
            State(_number(values, "state") or State.OFF.value),
            include,
            self.principals("excludeusers", values),
            _environments(values),
            _applications("includeapplications", values),
            _applications("excludeapplications", values),
            _named("clientkinds", values, _KINDS),
            self.networks("includenetworks", values),
            self.networks("excludenetworks", values),
            _named("devices", values, _DEVICES),
            _risk(values, "leastsigninrisk"),
            _risk(values, "leastuserrisk"),
            _window(values),
            blocks,
            controls,
            values.get("oneisenough") is True,
            minutes,
            read_only,
        )

    def principals(self, column: str, values: Mapping[str, Value]) -> Principals:
        """A set of callers."""
        found = _limited(column, words(values.get(column)))
        plain = {word.lower() for word in found if ":" not in word}
        strange = plain - {"all", "guests", "applications"}
        if strange:
            raise wrong(column, f"'{min(strange)[:60]}' is no word; write all, guests, applications or user:NAME.")
        ids: dict[str, set[Guid]] = {"user": set(), "group": set(), "app": set()}
        roles: set[str] = set()
        for word in found:
            kind, colon, name = word.partition(":")
            if not colon:
                continue
            if kind == "role" and name.strip():
                roles.add(fold(name.strip()))
            elif kind in ids:
                ids[kind].add(self._id(column, kind, name.strip()))
            else:
                raise wrong(column, f"'{word[:60]}' is no word; write user:, group:, role: or app: before a name.")
        return Principals(
            "all" in plain,
            "guests" in plain,
            "applications" in plain,
            frozenset(ids["user"]),
            frozenset(ids["group"]),
            frozenset(roles),
            frozenset(ids["app"]),
        )

    def lasting(self, column: str, text: Value) -> str | None:
        """The same list with ids in place of the names of users and groups."""
        kept: list[str] = []
        for word in words(text):
            kind, colon, name = word.partition(":")
            kept.append(f"{kind}:{self._id(column, kind, name.strip())}" if colon and kind != "role" else word)
        return "\n".join(kept) or None

    def networks(self, column: str, values: Mapping[str, Value]) -> tuple[Network, ...]:
        """Networks: CIDR blocks, names of locations, or `trusted` for all locations that are."""
        found: list[Network] = []
        for word in _limited(column, words(values.get(column))):
            found += self._located(column, word)
        return tuple(found)

    def _located(self, column: str, word: str) -> list[Network]:
        parsed = read_network(word)
        if parsed is not None:
            return [parsed]
        table = self._transaction.schema.tables[LOCATION]
        asked: dict[str, Value] = {"istrusted": True} if word.lower() == "trusted" else {"name": word}
        rows = self._transaction.rows_where(table, asked)
        if not rows and word.lower() != "trusted":
            raise wrong(
                column,
                f"'{word[:60]}' is neither a network such as 192.0.2.0/24 nor a named location.",
                reason="bad-cidr",
            )
        return [each for row in rows for each in networks_of(row)]

    def _id(self, column: str, kind: str, name: str) -> Guid:
        guid = parse_guid(name)
        if kind == "app":
            if guid is None:
                raise wrong(column, f"'app:{name[:60]}' must name a client id, which is a GUID.")
            return guid
        table, key = ("directoryuser", "userprincipalname") if kind == "user" else (GROUP, "name")
        described = self._transaction.schema.tables[table]
        if guid is not None:
            row = self._transaction.row(described, guid)
        else:
            found = self._transaction.rows_where(described, {key: name}, limit=1) if name else []
            row = found[0] if found else None
        if row is None:
            what = "account" if kind == "user" else "directory group"
            raise wrong(column, f"there is no {what} '{name[:100]}'.")
        return row.id


def read_network(word: str) -> Network | None:
    """A network, or a single address as one; None for what is none. Host bits must not be set (TS-308)."""
    try:
        return ip_network(word)
    except ValueError:
        return None


def networks_of(location: Row) -> list[Network]:
    """The networks of a named location. Raises `InvalidRequest`."""
    found: list[Network] = []
    for word in words(location.values.get("networks")):
        parsed = read_network(word)
        if parsed is None:
            raise InvalidRequest(
                f"'{word[:60]}' is no network: write it like 192.0.2.0/24 or 2001:db8::/32, without host bits.",
                details={"reason": "bad-cidr", "rule": "TS-725", "target": "networks"},
            )
        found.append(parsed)
    return found


_GRANT = 2


def _number(values: Mapping[str, Value], column: str) -> int:
    value = values.get(column)
    return value if isinstance(value, int) else 0


def _limited(column: str, found: list[str]) -> list[str]:
    if len(found) > _MOST_WORDS:
        raise wrong(column, f"has {len(found)} words; at most {_MOST_WORDS} are taken.")
    return found


def _named(column: str, values: Mapping[str, Value], known: Mapping[str, _T]) -> frozenset[_T]:
    found = words(values.get(column))
    for word in found:
        if word.lower() not in known:
            raise wrong(column, f"'{word[:60]}' is no word; there are {', '.join(sorted(known))}.")
    return frozenset(known[word.lower()] for word in found)


def _environments(values: Mapping[str, Value]) -> frozenset[str]:
    found = words(values.get("environments"))
    for word in found:
        if not _ENVIRONMENT.fullmatch(word):
            raise wrong("environments", f"'{word[:60]}' is no name of an environment.")
    return frozenset(found)


def _applications(column: str, values: Mapping[str, Value]) -> frozenset[Guid | None]:
    found: set[Guid | None] = set()
    for word in _limited(column, words(values.get(column))):
        guid = parse_guid(word)
        if guid is None and word.lower() != _CONSOLE:
            raise wrong(column, f"'{word[:60]}' must be a client id, which is a GUID, or console.")
        found.add(guid)
    return frozenset(found)


def _risk(values: Mapping[str, Value], column: str) -> int:
    level = _number(values, column)
    if level > _HIGHEST_RISK:
        raise wrong(column, "risk is 1 (low) to 3 (high); 0 asks for none.")
    return level


def _minutes(values: Mapping[str, Value]) -> int | None:
    minutes = _number(values, "sessionminutes")
    if minutes and not _LEAST_MINUTES <= minutes <= _MOST_MINUTES:
        raise wrong("sessionminutes", f"lies between {_LEAST_MINUTES} and {_MOST_MINUTES:,}.")
    return minutes or None


def _window(values: Mapping[str, Value]) -> Window | None:
    days = _named("days", values, {name: number for number, name in enumerate(_DAYS)})
    hours = values.get("hours")
    if not days and not hours:
        if values.get("outsidehours"):
            raise wrong("outsidehours", "needs hours or days that it is outside of.")
        return None
    since, until = time.min, time.min
    if isinstance(hours, str) and hours:
        matched = _HOURS.fullmatch(hours.strip())
        if matched is None or matched.group(1, 2) == matched.group(3, 4):
            raise wrong("hours", f"'{hours[:40]}' must be like 08:00-18:00.")
        since = time(int(matched[1]), int(matched[2]))
        until = time(int(matched[3]), int(matched[4]))
    name = values.get("timezone") or "UTC"
    try:
        zone = ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError):
        raise wrong("timezone", f"'{str(name)[:60]}' is no time zone; write one like Europe/Oslo.") from None
    return Window(days or frozenset(range(7)), since, until, zone, values.get("outsidehours") is True)
