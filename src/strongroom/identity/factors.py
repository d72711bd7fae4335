"""Second factors: an authenticator app (TOTP, TS-705) and recovery codes (TS-707).

An app's code is six digits of a half minute; the one before and the one after are taken too, and no code twice: the
last accepted half minute is kept. There are ten recovery codes, each good once; new ones void the old.
"""

import hmac
import re
import secrets
from typing import cast

import orjson
from pyotp import random_base32
from pyotp.totp import TOTP as Authenticator

from strongroom.errors import Conflict, InvalidRequest
from strongroom.identity.directory import change, flag, make, note, number, text
from strongroom.identity.hashing import digest
from strongroom.identity.people import method_of
from strongroom.identity.tables import RECOVERY_CODES, TOTP
from strongroom.records import Session
from strongroom.store.protocol import Row, Transaction

ISSUER = "Strongroom"
NUMBER_OF_CODES = 10
_STEP_S = 30
_SECRET = re.compile(r"[A-Z2-7]{32}")
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def new_totp_secret() -> str:
    """A new secret for an authenticator app, base32."""
    return random_base32()


def made_here(secret: str) -> bool:
    """Whether a text has the form of our secrets."""
    return _SECRET.fullmatch(secret) is not None


def totp_address(secret: str, login: str) -> str:
    """The `otpauth:` address of a secret, which apps read from a link or a picture."""
    return Authenticator(secret).provisioning_uri(name=login, issuer_name=ISSUER)


def has_second_factor(transaction: Transaction, person: Row) -> bool:
    """Whether a sign-in of this person asks for more than a password."""
    return method_of(transaction, person, TOTP) is not None


def add_totp(session: Session, person: Row, secret: str, code: str) -> list[str]:
    """Tie an app to the account, once it has shown that it knows the secret, and make recovery codes, which are
    returned for the only time. Raises `InvalidRequest` for a wrong code, `Conflict` when there is an app already."""
    if method_of(session.transaction, person, TOTP) is not None:
        raise Conflict("The account has an authenticator app already; remove it first.")
    if not made_here(secret):
        raise InvalidRequest("The key of the app is not one that was made here. Begin again.")
    step = _matching_step(secret, code, _step(session), -1)
    if step is None:
        raise InvalidRequest(
            "This code does not fit. Check the clock of the device, and type the code that it shows now."
        )
    make(
        session,
        "authenticationmethod",
        {
            "name": "Authenticator app",
            "directoryuserid": person.reference(),
            "kind": TOTP,
            "secret": secret,
            "laststep": step,
        },
    )
    return new_recovery_codes(session, person)


def accepts_totp(session: Session, person: Row, code: str) -> bool:
    """Whether a code is right and has not been used; it is used then."""
    method = method_of(session.transaction, person, TOTP)
    if method is None:
        return False
    step = _matching_step(text(method, "secret"), code, _step(session), number(method, "laststep"))
    if step is None:
        return False
    note(session, method, {"laststep": step, "lastusedon": session.now})
    return True


def new_recovery_codes(session: Session, person: Row) -> list[str]:
    """Ten new codes; the old ones are void."""
    codes = [_new_code() for _ in range(NUMBER_OF_CODES)]
    kept = {"secret": _packed([digest(code) for code in codes]), "remaining": NUMBER_OF_CODES}
    method = method_of(session.transaction, person, RECOVERY_CODES)
    if method is not None:
        change(session, method, {**kept})
    else:
        values = {"name": "Recovery codes", "directoryuserid": person.reference(), "kind": RECOVERY_CODES}
        make(session, "authenticationmethod", {**values, **kept})
    return codes


def accepts_recovery_code(session: Session, person: Row, code: str) -> bool:
    """Whether it is one of the codes that are left; it is used up then."""
    method = method_of(session.transaction, person, RECOVERY_CODES)
    if method is None:
        return False
    kept = cast("list[str]", orjson.loads(text(method, "secret") or "[]"))
    given = digest(code.strip().lower().replace(" ", "").replace("-", ""))
    left = [each for each in kept if not hmac.compare_digest(each, given)]
    if len(left) == len(kept):
        return False
    change(session, method, {"secret": _packed(left), "remaining": len(left), "lastusedon": session.now})
    return True


def remove_totp(session: Session, person: Row) -> None:
    """Take the app and the recovery codes from the account. Raises `Conflict` while the account must have a second
    factor (TS-707)."""
    if flag(person, "requiresmfa"):
        raise Conflict("This account must have a second factor, so its last one stays.")
    for kind in (TOTP, RECOVERY_CODES):
        method = method_of(session.transaction, person, kind)
        if method is not None:
            change(session, method, {"secret": None, "statecode": 1, "statuscode": 2})


def shown(code: str) -> str:
    """A recovery code as people read it."""
    return "-".join(code[place : place + 4] for place in range(0, len(code), 4))


def _new_code() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(24))


def _packed(digests: list[str]) -> str:
    return orjson.dumps(digests).decode()


def _step(session: Session) -> int:
    return int(session.clock.now().timestamp()) // _STEP_S


def _matching_step(secret: str, code: str, now: int, last: int) -> int | None:
    """The half minute whose code this is, among the three around now and after the last accepted one."""
    given = "".join(code.split())
    if not (len(given) == 6 and given.isascii() and given.isdigit()):
        return None
    device = Authenticator(secret)
    for step in (now, now - 1, now + 1):
        if hmac.compare_digest(device.generate_otp(step), given):
            return step if step > last else None
    return None
