"""Passkeys (TS-706): signing in with a key that never leaves its device, where the device has verified its user.

A passkey is both factors at once, so it opens a session by itself. It belongs to the host at which it was made; origin,
challenge, user verification and signature are checked by `webauthn`. A counter that goes back means a copy: the sign-in
is refused and the log says so.
"""

from dataclasses import dataclass
from uuid import UUID

from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from strongroom.errors import Conflict, InvalidRequest
from strongroom.identity import risk
from strongroom.identity.directory import change, find, find_all, get, make, note, number, reference, text
from strongroom.identity.hashing import new_token
from strongroom.identity.once import Purpose, issue, redeem
from strongroom.identity.people import may_enter
from strongroom.identity.signin import REFUSED, STEP_LIFE, Outcome, enter
from strongroom.identity.signinlog import Place, Result, record
from strongroom.identity.tables import PASSKEY
from strongroom.ids import Guid
from strongroom.records import Session
from strongroom.store.protocol import Row, Transaction

MOST_PASSKEYS = 10
_LONGEST = 20_000
FACTORS = ("hwk", "user", "mfa")
_BROKEN = (WebAuthnException, ValueError, RecursionError)
"""What the library raises for an answer that is none: its own errors, broken text, brackets without end."""


@dataclass(frozen=True, slots=True)
class Host:
    """Where a ceremony takes place: the host that passkeys belong to, and the whole origin."""

    name: str
    origin: str


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What a browser is asked: `options` as JSON, and the challenge that comes back with the answer."""

    options: str
    challenge: str


def passkeys_of(transaction: Transaction, person: Row) -> list[Row]:
    """The passkeys of a person."""
    return find_all(transaction, "authenticationmethod", directoryuserid=person.reference(), kind=PASSKEY, statecode=0)


def begin_registration(session: Session, person: Row, host: Host) -> Ceremony:
    """Ask a browser for a new passkey. Raises `Conflict` when the person has as many as one may."""
    known = passkeys_of(session.transaction, person)
    if len(known) >= MOST_PASSKEYS:
        raise Conflict(f"An account has at most {MOST_PASSKEYS} passkeys; remove one first.")
    challenge = issue(session, Purpose.PASSKEY, {"person": person.id, "host": host.name}, STEP_LIFE, new_token())
    options = generate_registration_options(
        rp_id=host.name,
        rp_name="Strongroom",
        user_id=UUID(person.id).bytes,
        user_name=text(person, "userprincipalname"),
        user_display_name=text(person, "name"),
        challenge=challenge.encode(),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(base64url_to_bytes(text(row, "credentialid"))) for row in known
        ],
    )
    return Ceremony(options_to_json(options), challenge)


def finish_registration(session: Session, person: Row, answer: str, challenge: str, host: Host, name: str) -> Row:
    """Keep a new passkey. Raises `InvalidRequest` for an answer that does not hold."""
    content = redeem(session, Purpose.PASSKEY, challenge)
    if content is None or content.get("person") != person.id or content.get("host") != host.name:
        raise InvalidRequest("This step has ended. Begin again.")
    if len(answer) > _LONGEST:
        raise InvalidRequest("The browser's answer is too long.")
    try:
        made = verify_registration_response(
            credential=answer,
            expected_challenge=challenge.encode(),
            expected_rp_id=host.name,
            expected_origin=host.origin,
            require_user_verification=True,
        )
    except _BROKEN:
        raise InvalidRequest("The browser's answer does not hold: no passkey was kept.") from None
    credential = bytes_to_base64url(made.credential_id)
    if find(session.transaction, "authenticationmethod", credentialid=credential) is not None:
        raise Conflict("This passkey is known already.")
    return make(
        session,
        "authenticationmethod",
        {
            "name": name.strip()[:100] or "Passkey",
            "directoryuserid": person.reference(),
            "kind": PASSKEY,
            "credentialid": credential,
            "publickey": bytes_to_base64url(made.credential_public_key),
            "signcount": made.sign_count,
            "host": host.name,
        },
    )


def begin_sign_in(session: Session, host: Host) -> Ceremony:
    """Ask a browser for whichever passkey of this host it has; who it is comes with the answer."""
    challenge = issue(session, Purpose.PASSKEY, {"person": None, "host": host.name}, STEP_LIFE, new_token())
    options = generate_authentication_options(
        rp_id=host.name, challenge=challenge.encode(), user_verification=UserVerificationRequirement.REQUIRED
    )
    return Ceremony(options_to_json(options), challenge)


def finish_sign_in(session: Session, answer: str, challenge: str, host: Host, place: Place) -> Outcome:
    """Open a session for the holder of a passkey, or refuse."""
    content = redeem(session, Purpose.PASSKEY, challenge)
    if content is None or content.get("person") is not None or content.get("host") != host.name:
        return REFUSED
    method = _method(session.transaction, answer)
    if method is None or text(method, "host") != host.name:
        record(session, place, Result.FAILURE, login="", reason="unknown-passkey")
        return REFUSED
    person = get(session.transaction, reference(method, "directoryuserid"))
    login = text(person, "userprincipalname")
    reason, counter = _checked(method, answer, challenge, host)
    if reason or not may_enter(session.transaction, person, session.now):
        word = reason or "disabled"
        if reason == risk.Suspicion.PASSKEY_COPIED.value[0]:
            risk.suspect(session, person.reference(), risk.Suspicion.PASSKEY_COPIED, place.address)
        record(session, place, Result.FAILURE, login=login, person=person.reference(), reason=word)
        return REFUSED
    note(session, method, {"signcount": counter, "lastusedon": session.now})
    return enter(session, person, place, FACTORS)


def remove(session: Session, person: Row, passkey: Guid) -> None:
    """Take a passkey from its owner. Raises `InvalidRequest` for one that is not the person's."""
    own = {row.id: row for row in passkeys_of(session.transaction, person)}
    if passkey not in own:
        raise InvalidRequest("This is no passkey of yours.")
    change(session, own[passkey], {"publickey": None, "credentialid": None, "statecode": 1, "statuscode": 2})


def _method(transaction: Transaction, answer: str) -> Row | None:
    """The passkey that an answer names."""
    if len(answer) > _LONGEST:
        return None
    try:
        credential = parse_authentication_credential_json(answer)
    except _BROKEN:
        return None
    found = find(transaction, "authenticationmethod", credentialid=bytes_to_base64url(credential.raw_id), statecode=0)
    return None if found is None or found.values.get("kind") != PASSKEY else found


def _checked(method: Row, answer: str, challenge: str, host: Host) -> tuple[str, int]:
    """Why an answer does not hold, empty when it does, and the counter of the passkey."""
    kept = number(method, "signcount")
    try:
        verified = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge.encode(),
            expected_rp_id=host.name,
            expected_origin=host.origin,
            credential_public_key=base64url_to_bytes(text(method, "publickey")),
            credential_current_sign_count=0,  # compared below, to tell a copy from a forgery
            require_user_verification=True,
        )
    except _BROKEN:
        return "passkey-does-not-hold", kept
    counter = verified.new_sign_count
    if (counter or kept) and counter <= kept:
        return "passkey-counter-went-back", kept
    return "", counter
