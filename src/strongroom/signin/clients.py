"""Which program asks for a token, and whether it proves to be the one (TS-716, TS-717).

A secret comes in the form or as HTTP Basic, an assertion in the form; never two of these at once. A public client has
nothing to prove itself with.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote_plus

from strongroom.clock import iso
from strongroom.identity import guard
from strongroom.identity.applications import is_usable, secret_among, valid_credentials
from strongroom.identity.assertions import ASSERTION_TYPE, AssertionRefused, verify
from strongroom.identity.directory import Directory, find, flag, note, text
from strongroom.identity.once import Purpose, is_first_use
from strongroom.identity.signinlog import Place, Result, record
from strongroom.identity.tables import CERTIFICATE, FEDERATED, SECRET
from strongroom.ids import Guid, parse_guid
from strongroom.keys import Secret
from strongroom.records import Session
from strongroom.signin.problems import OAuthProblem, missing, wrong_client
from strongroom.signin.provider_client import ProviderClient
from strongroom.signin.workloads import credential_of, is_foreign
from strongroom.store.protocol import Row


@dataclass(frozen=True, slots=True)
class Client:
    """A program that asks. `credential` is what it proved itself with, None for a public client."""

    program: Row
    credential: Row | None

    @property
    def id(self) -> Guid:
        """The client id."""
        return Guid(text(self.program, "clientid"))


def client_of(
    directory: Directory,
    fields: Mapping[str, str],
    authorization: str | None,
    audiences: Sequence[str],
    place: Place,
    providers: ProviderClient,
    *,
    may_be_public: bool,
) -> Client:
    """The program behind a token request. Raises `OAuthProblem` invalid_client, the same for every cause."""
    named, secret = _given(fields, authorization)
    assertion = fields.get("client_assertion")
    if secret is not None and assertion is not None:
        raise OAuthProblem("invalid_request", 7000218, "Give a client_secret or a client_assertion, not both.")
    client_id = parse_guid(named)
    with directory.reading() as transaction:
        program = None if client_id is None else find(transaction, "applicationregistration", clientid=client_id)
        counted = guard.of_programs(place.address)
        is_locked = guard.is_locked(transaction, counted, iso(directory.now()))
        now = iso(directory.now())
        secrets = [] if program is None else valid_credentials(transaction, program, SECRET, now)
        certificates = [] if program is None else valid_credentials(transaction, program, CERTIFICATE, now)
        federated = [] if program is None else valid_credentials(transaction, program, FEDERATED, now)
    if secret is None and assertion is None:
        if may_be_public and program is not None and is_usable(program) and flag(program, "ispublic"):
            return Client(program, None)
        raise OAuthProblem(
            "invalid_client", 7000218, "The request must contain client_secret or client_assertion.", 401
        )
    proof = _Proof(None, "wrong-secret")
    if secret is not None:
        proof = _Proof(secret_among(secrets, secret), "wrong-secret")
    elif assertion is not None and client_id is not None:
        if fields.get("client_assertion_type") != ASSERTION_TYPE:
            raise OAuthProblem("invalid_request", 900144, f"client_assertion_type must be {ASSERTION_TYPE}.")
        if is_foreign(assertion, client_id):
            proof = _federated(assertion, federated, directory, providers)
        else:
            proof = _asserted(assertion, client_id, certificates, audiences, directory.now())
    with directory.writing() as session:
        reason = _why_not(session, program, proof, is_locked=is_locked)
        if reason is None and program is not None and proof.credential is not None:
            note(session, proof.credential, {"lastusedon": session.now})
            return Client(program, proof.credential)
        if not is_locked:
            guard.count_failure(session, counted)
        login = place.application if program is not None else ""
        record(session, place, Result.FAILURE, login=login, reason=reason or "unknown-application")
    raise wrong_client()


@dataclass(frozen=True, slots=True)
class _Proof:
    """The credential that a proof stands on; why there is none; and what must not be seen again until when."""

    credential: Row | None
    reason: str
    jti: str | None = None
    until: datetime | None = None


def _federated(assertion: str, credentials: Sequence[Row], directory: Directory, providers: ProviderClient) -> _Proof:
    try:
        return _Proof(credential_of(assertion, credentials, directory, providers), "")
    except AssertionRefused as refused:
        return _Proof(None, f"workload-{refused}"[:190])


def _asserted(
    assertion: str, client: Guid, certificates: Sequence[Row], audiences: Sequence[str], now: datetime
) -> _Proof:
    try:
        credential, jti, until = verify(assertion, client, certificates, audiences, now)
    except AssertionRefused as refused:
        return _Proof(None, f"assertion-{refused}")
    return _Proof(credential, "", jti, until)


def _why_not(session: Session, program: Row | None, proof: _Proof, *, is_locked: bool) -> str | None:
    """The word for the log, None when all is well. An assertion that passed is remembered."""
    if is_locked:
        return "locked"
    if program is None or not is_usable(program):
        return "unknown-application"
    if proof.credential is None:
        return proof.reason
    if proof.jti is not None and proof.until is not None:
        name = f"{program.id}:{proof.jti}"
        if not is_first_use(session, Purpose.ASSERTION, name, proof.until - session.clock.now()):
            return "assertion-replayed"
    return None


def _given(fields: Mapping[str, str], authorization: str | None) -> tuple[str, Secret | None]:
    """The client id and the secret, from the form or from HTTP Basic."""
    scheme, _, credentials = (authorization or "").partition(" ")
    in_form = fields.get("client_secret")
    if scheme.lower() != "basic":
        if not fields.get("client_id"):
            raise missing("client_id")
        return fields["client_id"], None if in_form is None else Secret(in_form.encode())
    try:
        name, colon, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise wrong_client() from None
    name = unquote_plus(name)
    if not colon or in_form is not None or fields.get("client_id", name) != name:
        raise wrong_client()
    return name, Secret(unquote_plus(secret).encode())
