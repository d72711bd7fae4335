"""Programs that may ask for tokens, and what they prove themselves with (TS-716).

A program is registered once in the directory. In an environment it acts as the user whose `applicationid` is its client
id; that user's roles decide what it may. It proves itself with a secret, which is shown once and kept as a hash, or
with a key whose certificate is registered (`identity.assertions`). It has two of each at most, so that a new one can be
put in place before the old one goes.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from strongroom.clock import iso
from strongroom.errors import Conflict, InvalidRequest, NotFound
from strongroom.identity.directory import after, change, find, find_all, flag, make, text
from strongroom.identity.hashing import matches, new_token, no_ones_hash, slow_hash
from strongroom.identity.tables import CERTIFICATE, FEDERATED, SECRET
from strongroom.ids import Guid, new_guid, parse_guid
from strongroom.keys import Secret
from strongroom.records import Session
from strongroom.store.protocol import Row, Transaction

MOST_OF_A_KIND = 2
LONGEST_SECRET = timedelta(days=730)
USUAL_SECRET = timedelta(days=182)
LONGEST_OVERLAP = timedelta(days=31)
MOST_FEDERATED = 20
EXCHANGE_AUDIENCE = "api://AzureADTokenExchange"
"""What tokens of workloads are for unless told otherwise, as with the published service."""

_NO_END = timedelta(days=36_500)
_LEAST_RSA_BITS = 2048
_MOST_REDIRECTS = 20


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A secret, in clear for the only time."""

    credential: Guid
    secret: Secret
    expires_on: str


def register(
    session: Session, name: str, *, redirects: Sequence[str] = (), is_public: bool = False, client_id: str | None = None
) -> Row:
    """A new registration. Raises `InvalidRequest` for an address that codes must not be sent to, `Conflict` for a
    client id that is taken."""
    if not name.strip() or len(name) > 200:
        raise InvalidRequest("An application needs a name of at most 200 characters.")
    wanted = new_guid(session.clock) if client_id is None else parse_guid(client_id)
    if wanted is None:
        raise InvalidRequest("A client id is a GUID.")
    if find(session.transaction, "applicationregistration", clientid=wanted) is not None:
        raise Conflict(f"There is an application with the client id {wanted} already.")
    return make(
        session,
        "applicationregistration",
        {
            "name": name.strip(),
            "clientid": wanted,
            "ispublic": is_public,
            "isenabled": True,
            "redirecturis": "\n".join(checked_redirects(redirects)) or None,
        },
    )


def checked_redirects(redirects: Sequence[str]) -> list[str]:
    """Addresses that codes may be sent to: HTTPS, or HTTP on this machine (RFC 8252), without a fragment."""
    if len(redirects) > _MOST_REDIRECTS:
        raise InvalidRequest(f"An application has at most {_MOST_REDIRECTS} redirect addresses.")
    for address in redirects:
        parts = urlsplit(address)
        is_local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
        if not (parts.scheme == "https" and parts.hostname) and not is_local:
            raise InvalidRequest(
                f"'{address[:200]}' is no redirect address: it must begin with https://, or with http:// on localhost."
            )
        if parts.fragment or parts.username or not address.isprintable() or " " in address:
            raise InvalidRequest("A redirect address has no fragment, no user name and no spaces.")
    return list(redirects)


def registration(transaction: Transaction, client_id: Guid | str) -> Row:
    """The registration with this client id. Raises `NotFound`."""
    wanted = parse_guid(client_id)
    row = None if wanted is None else find(transaction, "applicationregistration", clientid=wanted)
    if row is None:
        raise NotFound(f"There is no application with the client id {str(client_id)[:60]}.")
    return row


def credentials(transaction: Transaction, program: Row) -> list[Row]:
    """All credentials of a program, the ended ones included."""
    return find_all(transaction, "applicationcredential", applicationregistrationid=program.reference())


def add_secret(session: Session, program: Row, lifetime: timedelta = USUAL_SECRET) -> NewSecret:
    """A new secret. Raises `Conflict` when the program has two that are valid, `InvalidRequest` for a life of more than
    two years or none."""
    if not timedelta(0) < lifetime <= LONGEST_SECRET:
        raise InvalidRequest(f"A secret lives at most {LONGEST_SECRET.days} days.")
    _demand_place(session, program, SECRET)
    secret = new_token()
    expires_on = after(session.clock.now(), lifetime)
    row = make(
        session,
        "applicationcredential",
        {
            "name": f"{secret[:3]}…",
            "applicationregistrationid": program.reference(),
            "kind": SECRET,
            "secret": slow_hash(Secret(secret.encode())),
            "expireson": expires_on,
        },
    )
    return NewSecret(row.id, Secret(secret.encode()), expires_on)


def add_certificate(session: Session, program: Row, pem: bytes) -> Row:
    """Register the certificate of a key that the program signs with. Raises `InvalidRequest` for what is none, is ended
    or has a weak key."""
    certificate = read_certificate(pem)
    ends = certificate.not_valid_after_utc
    if ends <= session.clock.now():
        raise InvalidRequest(f"The certificate ended on {iso(ends)}.")
    _demand_place(session, program, CERTIFICATE)
    return make(
        session,
        "applicationcredential",
        {
            "name": certificate.subject.rfc4514_string()[:200] or "certificate",
            "applicationregistrationid": program.reference(),
            "kind": CERTIFICATE,
            "certificate": certificate.public_bytes(Encoding.PEM).decode(),
            "thumbprint": thumbprint(certificate),
            "expireson": iso(ends),
        },
    )


def rotate_secret(session: Session, program: Row, overlap: timedelta, lifetime: timedelta = USUAL_SECRET) -> NewSecret:
    """A new secret; the present one ends after `overlap`, in which both are good (TS-716). Raises `Conflict` when the
    program has two already, `InvalidRequest` for an overlap that is none or longer than a month."""
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise InvalidRequest(f"Two secrets are good side by side for at most {LONGEST_OVERLAP.days} days.")
    present = valid_credentials(session.transaction, program, SECRET, session.now)
    made = add_secret(session, program, lifetime)
    ends = after(session.clock.now(), overlap)
    for row in present:
        if text(row, "expireson") > ends:
            change(session, row, {"expireson": ends})
    session.transaction.bump_security_epoch()
    return made


def add_federated(session: Session, program: Row, provider: Row, subject: str, audience: str = "") -> Row:
    """Let a workload that another authority names by `subject` act as a program, without any secret here. Raises
    `Conflict` when the program has as many as it may."""
    if not subject.strip() or len(subject) > 500 or len(audience) > 500:
        raise InvalidRequest("A federated credential needs the subject that the other authority gives the workload.")
    valid = valid_credentials(session.transaction, program, FEDERATED, session.now)
    if len(valid) >= MOST_FEDERATED:
        raise Conflict(f"The application has {MOST_FEDERATED} federated credentials already; remove one first.")
    return make(
        session,
        "applicationcredential",
        {
            "name": subject.strip()[:200],
            "applicationregistrationid": program.reference(),
            "kind": FEDERATED,
            "identityproviderid": provider.reference(),
            "subject": subject.strip(),
            "audience": audience.strip() or EXCHANGE_AUDIENCE,
            "expireson": after(session.clock.now(), _NO_END),
        },
    )


def remove_credential(session: Session, credential: Guid) -> None:
    """End a credential: from the next request on, tokens that it got are refused too."""
    row = session.transaction.row(session.table("applicationcredential"), credential)
    if row is None:
        raise NotFound("There is no such credential.")
    change(session, row, {"expireson": session.now, "statecode": 1, "statuscode": 2})
    session.transaction.bump_security_epoch()


def set_enabled(session: Session, program: Row, *, is_enabled: bool) -> None:
    """Let a program in or keep it out, with all its tokens."""
    change(session, program, {"isenabled": is_enabled})
    session.transaction.bump_security_epoch()


def valid_credentials(transaction: Transaction, program: Row, kind: int, now: str) -> list[Row]:
    """The credentials of one kind that may be used now."""
    return [row for row in credentials(transaction, program) if row.values.get("kind") == kind and is_valid(row, now)]


def is_valid(credential: Row, now: str) -> bool:
    """Whether a credential is neither removed nor past its end."""
    return credential.values.get("statecode") == 0 and text(credential, "expireson") > now


def secret_among(candidates: Sequence[Row], secret: Secret) -> Row | None:
    """The credential whose secret this is. As many hashes are compared whether it is one of them or not."""
    kept = [text(row, "secret") for row in candidates] or [no_ones_hash()]
    found = [matches(each, secret) for each in kept]
    return next((row for row, is_it in zip(candidates, found, strict=False) if is_it), None)


def is_usable(program: Row | None) -> bool:
    """Whether a registration lets in."""
    return program is not None and flag(program, "isenabled") and program.values.get("statecode") == 0


def redirects_of(program: Row) -> list[str]:
    """Where codes may be sent."""
    return text(program, "redirecturis").split("\n") if text(program, "redirecturis") else []


def read_certificate(pem: bytes) -> x509.Certificate:
    """A certificate in PEM with an RSA key of 2,048 bits or more, or one on the curve P-256."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = certificate.public_key()
    except ValueError:
        raise InvalidRequest("This is no certificate: it must be one in PEM, -----BEGIN CERTIFICATE----- …") from None
    is_strong = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= _LEAST_RSA_BITS) or (
        isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    )
    if not is_strong:
        raise InvalidRequest("The certificate's key must be RSA of at least 2,048 bits, or on the curve P-256.")
    return certificate


def thumbprint(certificate: x509.Certificate) -> str:
    """SHA-256 of a certificate as `x5t#S256` has it: base64url without padding."""
    return base64.urlsafe_b64encode(certificate.fingerprint(SHA256())).rstrip(b"=").decode()


def _demand_place(session: Session, program: Row, kind: int) -> None:
    valid = valid_credentials(session.transaction, program, kind, session.now)
    if len(valid) >= MOST_OF_A_KIND:
        what = "secrets" if kind == SECRET else "certificates"
        raise Conflict(f"The application has {MOST_OF_A_KIND} valid {what} already; remove one first.")
