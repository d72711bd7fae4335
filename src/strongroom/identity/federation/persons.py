"""From the claims of an ID token to a person of the directory (TS-708, TS-726, TS-728).

People are matched by issuer and subject, never by mail or name: whoever can choose a mail address at a provider must
not become somebody here. They are created just in time where the provider may create people, as guests where it makes
guests; a name that is taken gets the provider's beside it. Groups of the claim that the directory knows, by their
external id or name, are theirs for as long as the claim says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from strongroom.identity.conditional.model import Device
from strongroom.identity.conditional.tables import GROUP
from strongroom.identity.directory import change, find, find_all, make, text
from strongroom.identity.federation.providers import Provider, Trust
from strongroom.identity.groups import set_groups
from strongroom.identity.people import GUEST, find_person, may_enter
from strongroom.ids import Guid
from strongroom.records import Session
from strongroom.store.protocol import Row, Transaction

_MEMBER = 1
_MFA = frozenset({"mfa", "otp", "hwk", "swk", "fpt", "face", "iris", "sc"})
_MOST_GROUPS = 200
Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """Whom the claims mean, or the word of why nobody; `is_new` for somebody who was just created."""

    person: Row | None
    reason: str = ""
    is_new: bool = False


def person_of(transaction: Transaction, provider: Provider, subject: str) -> Row | None:
    """The person with this subject at a provider."""
    rows = find_all(transaction, "directoryuser", externalid=subject, homeissuer=provider.issuer)
    return next((row for row in rows if text(row, "externalid") == subject), None)


def admit(session: Session, provider: Provider, claims: Claims, invited: Guid | None = None) -> Found:
    """The person that claims mean: known, invited or created now. Their name and groups are brought up to date."""
    subject = str(claims["sub"])
    person, is_new = person_of(session.transaction, provider, subject), False
    if person is None and invited is not None:
        person = _redeem(session, provider, subject, invited)
    elif person is None and provider.creates_users:
        person, is_new = _create(session, provider, claims), True
    if person is None:
        return Found(None, "unknown-at-provider")
    if not may_enter(session.transaction, person, session.now):
        return Found(person, "disabled")
    name = _text(claims, "name")
    if name and name != text(person, "name"):
        change(session, person, {"name": name[:200]})
    if provider.group_claim:
        set_groups(session, person.reference(), _groups(session, provider, claims), f"provider {provider.id}")
    return Found(person, is_new=is_new)


def link(session: Session, person: Row, provider: Provider, subject: str) -> None:
    """Let a person of the directory come from a provider too, under this subject there: an administrator's act."""
    change(session, person, {"homeissuer": provider.issuer, "externalid": subject[:500]})
    session.transaction.bump_security_epoch()


def factors(claims: Claims, trust: Trust) -> tuple[str, ...]:
    """What the sign-in at the provider counts for here: a second factor only where the provider is trusted with it."""
    methods = set(_texts(claims, "amr"))
    has_mfa = trust.mfa and not methods.isdisjoint(_MFA)
    return ("fed", "mfa") if has_mfa else ("fed",)


def device(claims: Claims, trust: Trust) -> Device | None:
    """What the provider says of the device, where it is trusted with that."""
    if not trust.device:
        return None
    if claims.get("device_compliant") is True:
        return Device.COMPLIANT
    said = claims.get("device_registered")
    return None if said is None else Device.REGISTERED if said is True else Device.UNREGISTERED


def _redeem(session: Session, provider: Provider, subject: str, invited: Guid) -> Row | None:
    person = session.transaction.row(session.table("directoryuser"), invited)
    if person is None or person.values.get("externalid") is not None:
        return None
    link(session, person, provider, subject)
    return session.transaction.row(session.table("directoryuser"), invited)


def _create(session: Session, provider: Provider, claims: Claims) -> Row:
    wanted = _text(claims, "preferred_username") or _text(claims, "email") or str(claims["sub"])
    login = "".join(letter for letter in wanted if letter.isprintable() and letter != " ")[:250] or str(claims["sub"])
    if find_person(session.transaction, login) is not None:
        login = f"{login}#{provider.name}".replace(" ", "-")[:320]
    if find_person(session.transaction, login) is not None:
        login = f"{str(claims['sub'])[:200]}#{provider.id}"
    return make(
        session,
        "directoryuser",
        {
            "name": (_text(claims, "name") or login)[:200],
            "userprincipalname": login,
            "mail": _text(claims, "email")[:320] or None,
            "accountenabled": True,
            "usertype": GUEST if provider.makes_guests else _MEMBER,
            "homeissuer": provider.issuer,
            "externalid": str(claims["sub"]),
        },
    )


def _groups(session: Session, provider: Provider, claims: Claims) -> frozenset[Guid]:
    found: set[Guid] = set()
    for name in _texts(claims, provider.group_claim)[:_MOST_GROUPS]:
        row = find(session.transaction, GROUP, externalid=name) or find(session.transaction, GROUP, name=name)
        if row is not None:
            found.add(row.id)
    return frozenset(found)


def _texts(claims: Claims, name: str) -> list[str]:
    value = claims.get(name)
    return [each for each in cast("list[object]", value) if isinstance(each, str)] if isinstance(value, list) else []


def _text(claims: Claims, name: str) -> str:
    value = claims.get(name)
    return value.strip() if isinstance(value, str) else ""
