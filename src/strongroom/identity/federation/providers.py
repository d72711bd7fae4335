"""Providers that an administrator has listed, and from which tenants people may come (TS-708, TS-729)."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from strongroom.errors import InvalidRequest
from strongroom.identity.directory import change, find, flag, text
from strongroom.ids import Guid
from strongroom.keys import Secret
from strongroom.records import Event, Rules, Session
from strongroom.store.protocol import Row, Transaction, Value

TABLE, TENANTS = "identityprovider", "tenantaccessrule"
_INBOUND, _BOTH = 1, 3
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider. Its secret, where it has one, is sealed in the home's key ring under `secret_name`."""

    id: Guid
    name: str
    issuer: str
    client_id: str
    scopes: str
    creates_users: bool
    makes_guests: bool
    trusts_mfa: bool
    trusts_device: bool
    group_claim: str
    ends_there: bool
    has_secret: bool

    @property
    def secret_name(self) -> str:
        """The name of its secret in the key ring."""
        return f"identity provider {self.id}"


@dataclass(frozen=True, slots=True)
class Trust:
    """What another tenant is trusted with."""

    mfa: bool = False
    device: bool = False


def provider_of(row: Row) -> Provider:
    """The provider that a row describes."""
    return Provider(
        row.id,
        text(row, "name"),
        text(row, "issuer"),
        text(row, "clientid"),
        text(row, "scopes") or "openid profile email",
        flag(row, "createsusers"),
        flag(row, "makesguests"),
        flag(row, "trustmfa"),
        flag(row, "trustdevice"),
        text(row, "groupclaim"),
        flag(row, "endsat"),
        flag(row, "hassecret"),
    )


def is_usable(row: Row | None) -> bool:
    """Whether people may come from it."""
    return row is not None and not flag(row, "isdisabled") and row.values.get("statecode") == 0


def enabled(transaction: Transaction) -> list[Provider]:
    """All providers from which people may come, by name."""
    rows = transaction.rows_where(transaction.schema.tables[TABLE], {"statecode": 0})
    return sorted((provider_of(row) for row in rows if is_usable(row)), key=lambda provider: provider.name)


def by_id(transaction: Transaction, provider: Guid) -> Provider | None:
    """The usable provider with this id."""
    row = transaction.row(transaction.schema.tables[TABLE], provider)
    return provider_of(row) if row is not None and is_usable(row) else None


def by_issuer(transaction: Transaction, issuer: str) -> Provider | None:
    """The usable provider of this issuer."""
    row = find(transaction, TABLE, issuer=issuer)
    return provider_of(row) if row is not None and text(row, "issuer") == issuer and is_usable(row) else None


def trust_in(transaction: Transaction, provider: Provider) -> Trust | None:
    """What people of an issuer are trusted with, None where they may not come. Once there is any rule for coming in,
    only issuers that one allows may: by their name before `*` (TS-729)."""
    rows = transaction.rows_where(transaction.schema.tables[TENANTS], {"statecode": 0})
    inbound = {text(row, "name"): row for row in rows if row.values.get("direction") in (_INBOUND, _BOTH)}
    own = Trust(provider.trusts_mfa, provider.trusts_device)
    if not inbound:
        return own
    rule = inbound.get(provider.issuer) or inbound.get("*")
    if rule is None or not flag(rule, "isallowed"):
        return None
    return Trust(own.mfa and flag(rule, "trustmfa"), own.device and flag(rule, "trustdevice"))


def keep_secret(session: Session, row: Row, secret: Secret) -> None:
    """Keep the secret that a provider gave to this home, sealed in the key ring; it is never read back (TS-708)."""
    if session.rules.seal_secret is None:
        raise InvalidRequest("The secret of a provider is kept in the control environment.")
    if not secret.reveal() or len(secret.reveal()) > _LONGEST:
        raise _wrong("secret", f"must be the text that the provider gave, of at most {_LONGEST} bytes.")
    session.rules.seal_secret(provider_of(row).secret_name, secret)
    change(session, row, {"hassecret": True})


def register(rules: Rules) -> None:
    """Hang the checks in the verbs."""
    rules.on(Event.BEFORE_CREATE, TABLE, _check_new, name="federation: issuers are addresses (TS-708)")
    rules.on(Event.BEFORE_UPDATE, TABLE, _check_change, name="federation: an issuer stays what it is (TS-708)")


def _check_new(session: Session, row: Row, values: dict[str, Value]) -> None:
    del session, row
    demand_issuer(values.get("issuer"))
    if not values.get("clientid"):
        raise _wrong("clientid", "must be the client id that the provider gave to this home.")


def _check_change(session: Session, row: Row, changes: dict[str, Value]) -> None:
    del session
    if "issuer" in changes and changes["issuer"] != row.values.get("issuer"):
        raise _wrong("issuer", "cannot change, because people are known by it; add another provider.")


def demand_issuer(issuer: Value) -> None:
    """Raise `InvalidRequest` unless an issuer is an HTTPS address; plain HTTP is for one's own machine."""
    parts = urlsplit(issuer) if isinstance(issuer, str) else urlsplit("")
    is_local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    is_address = (parts.scheme == "https" and bool(parts.hostname)) or is_local
    if not is_address or parts.query or parts.fragment or parts.username or len(str(issuer)) > _LONGEST:
        raise _wrong("issuer", "must be the provider's address, as its discovery document says: https://…")


def _wrong(column: str, text_: str) -> InvalidRequest:
    return InvalidRequest(
        f"'{column}' {text_}", details={"reason": "provider-invalid", "rule": "TS-708", "target": column}
    )
