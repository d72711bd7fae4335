"""Signing in: from what somebody typed to a session, or to the step that is missing.

The slow comparison of a password runs between two transactions, so that nobody waits for it. Whatever is wrong (no such
account, wrong password, locked, disabled), the outcome is the same refusal and takes as long (TS-702); the log knows
why.
"""

import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from strongroom.clock import iso
from strongroom.identity import guard, risk, sessions
from strongroom.identity.conditional.door import at_door
from strongroom.identity.conditional.model import Control, Decision, Device
from strongroom.identity.directory import Directory, change, flag, get, note, reference, text
from strongroom.identity.factors import accepts_recovery_code, accepts_totp, add_totp, has_second_factor
from strongroom.identity.hashing import is_outdated, matches, no_ones_hash, slow_hash
from strongroom.identity.once import Content, Purpose, issue, look, peek, redeem, rewrite
from strongroom.identity.people import find_person, may_enter, password_of, person_by_id
from strongroom.identity.signinlog import Place, Result, record
from strongroom.ids import Guid, Reference
from strongroom.keys import Secret
from strongroom.records import Session
from strongroom.store.protocol import Row, Transaction

_logger = logging.getLogger("strongroom.identity")
STEP_LIFE = timedelta(minutes=10)
MOST_TRIES = 5
"""Wrong codes that one step takes; then the password is asked for again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: a session's token, or a step that has to follow, or neither.

    `must_enrol`: the step is to set up a second factor, because the account must have one. `refusal`: the word of a
    policy that keeps somebody out who has shown who they are; anybody else is told nothing.
    """

    token: str | None = None
    step: str | None = None
    must_enrol: bool = False
    recovery_codes: tuple[str, ...] = ()
    refusal: str = ""


REFUSED = Outcome()


def with_password(directory: Directory, login: str, password: str, place: Place) -> Outcome:
    """The first step of a sign-in."""
    with directory.reading() as transaction:
        person = find_person(transaction, login) if login.strip() else None
        kept = None if person is None else password_of(transaction, person)
        counted = (
            guard.of_strangers(place.address)
            if person is None
            else guard.subjects(login, place.address, is_known_place=_is_known_place(transaction, person, place))
        )
        is_locked = guard.is_locked(transaction, counted, iso(directory.now()))
    is_right = matches(no_ones_hash() if kept is None else text(kept, "secret"), Secret(password.encode()))
    with directory.writing() as session:
        if (
            person is None
            or kept is None
            or not is_right
            or is_locked
            or not may_enter(session.transaction, person, session.now)
        ):
            return _refuse(session, login, person, place, counted, is_right=is_right, is_locked=is_locked)
        if is_outdated(text(kept, "secret")):
            note(session, kept, {"secret": slow_hash(Secret(password.encode()))})
        guard.clear(session, counted[0])
        must_have_more = (
            flag(person, "requiresmfa") or Control.MFA in _judged(session, person, place, ("pwd",)).required
        )
        if must_have_more or has_second_factor(session.transaction, person):
            return _ask_for_more(session, login, person, place)
        return enter(session, person, place, ("pwd",))


def with_code(directory: Directory, step: str, code: str, place: Place) -> Outcome:
    """The second step: a code of the app, or a recovery code. After `MOST_TRIES` wrong ones the step is void."""
    with directory.writing() as session:
        content = peek(session, Purpose.STEP, step)
        if content is None or content.get("enrol"):
            return REFUSED
        person = person_by_id(session.transaction, Guid(str(content["person"])))
        counted = guard.subjects(text(person, "userprincipalname"), place.address, is_known_place=True)
        is_locked = guard.is_locked(session.transaction, counted, session.now)
        if not is_locked and may_enter(session.transaction, person, session.now):
            for factor, accepts in (("otp", accepts_totp), ("rc", accepts_recovery_code)):
                if accepts(session, person, code):
                    redeem(session, Purpose.STEP, step)
                    return enter(session, person, place, ("pwd", factor, "mfa"))
        return _count_try(session, person, place, counted, step, content)


def with_new_app(directory: Directory, step: str, secret: str, code: str, place: Place) -> Outcome:
    """The second step of an account that must set up a second factor first. Raises `InvalidRequest` for a wrong
    code."""
    with directory.writing() as session:
        content = peek(session, Purpose.STEP, step)
        if content is None or not content.get("enrol"):
            return REFUSED
        person = person_by_id(session.transaction, Guid(str(content["person"])))
        codes = add_totp(session, person, secret, code)
        redeem(session, Purpose.STEP, step)
        entered = enter(session, person, place, ("pwd", "otp", "mfa"))
        return replace(entered, recovery_codes=tuple(codes))


def person_of_step(directory: Directory, step: str) -> Row | None:
    """Whose second step it is."""
    with directory.reading() as transaction:
        content = look(transaction, Purpose.STEP, step, iso(directory.now()))
        return None if content is None else find_person(transaction, str(content["person"]))


def prove_again(directory: Directory, session_id: Guid, password: str, code: str, place: Place) -> bool:
    """Whether the person of a session has just shown who they are (step-up): by the password, and by a code where they
    have an app, which then counts for the session. Guesses count as at the door."""
    with directory.reading() as transaction:
        row = get(transaction, Reference("signinsession", session_id))
        person = get(transaction, reference(row, "directoryuserid"))
        kept = password_of(transaction, person)
        counted = guard.subjects(text(person, "userprincipalname"), place.address, is_known_place=True)
        is_locked = guard.is_locked(transaction, counted, iso(directory.now()))
    is_right = matches(no_ones_hash() if kept is None else text(kept, "secret"), Secret(password.encode()))
    with directory.writing() as session:
        has_app = has_second_factor(session.transaction, person)
        is_right = is_right and not is_locked and (not has_app or accepts_totp(session, person, code))
        if not is_right:
            if not is_locked:
                guard.count_failure(session, counted)
            return False
        factors = [*text(row, "factors").split(), *(("otp", "mfa") if has_app else ())]
        change(session, row, {"provenon": session.now, "factors": " ".join(dict.fromkeys(factors))})
        session.transaction.bump_security_epoch()
        return True


def _refuse(
    session: Session,
    login: str,
    person: Row | None,
    place: Place,
    counted: tuple[guard.Subject, ...],
    *,
    is_right: bool,
    is_locked: bool,
) -> Outcome:
    if is_locked:
        reason = "locked"
    elif person is None:
        reason = "unknown-user"
    else:
        reason = "disabled" if is_right else "wrong-password"
    if not is_locked and guard.count_failure(session, counted) and person is not None:
        risk.suspect(session, person.reference(), risk.Suspicion.FAILED_ATTEMPTS, place.address)
    reference_ = None if person is None else person.reference()
    record(session, place, Result.FAILURE, login=login, person=reference_, reason=reason)
    return REFUSED


def _ask_for_more(session: Session, login: str, person: Row, place: Place) -> Outcome:
    must_enrol = not has_second_factor(session.transaction, person)
    content: Content = {"person": person.id, "tries": 0, "enrol": must_enrol}
    step = issue(session, Purpose.STEP, content, STEP_LIFE)
    reason = "second-factor-missing" if must_enrol else "second-factor-asked"
    record(session, place, Result.INTERRUPTED, login=login, person=person.reference(), factors=("pwd",), reason=reason)
    return Outcome(step=step, must_enrol=must_enrol)


def _count_try(
    session: Session,
    person: Row,
    place: Place,
    counted: tuple[guard.Subject, ...],
    step: str,
    content: Content,
) -> Outcome:
    tries = int(str(content.get("tries", 0))) + 1
    guard.count_failure(session, counted)
    login = text(person, "userprincipalname")
    record(
        session, place, Result.FAILURE, login=login, person=person.reference(), factors=("pwd",), reason="wrong-code"
    )
    if tries >= MOST_TRIES:
        redeem(session, Purpose.STEP, step)
        return REFUSED
    rewrite(session, Purpose.STEP, step, {**content, "tries": tries})
    return Outcome(step=step)


def enter(
    session: Session, person: Row, place: Place, factors: tuple[str, ...], origin: sessions.Origin = sessions.HERE
) -> Outcome:
    """Open a session for somebody who has shown who they are by `factors`, unless a policy is in the way (TS-723)."""
    login, reference_ = text(person, "userprincipalname"), person.reference()
    level = risk.of_sign_in(session, person, place.address)
    decision = _judged(session, person, place, factors, origin.device, level)
    reported = decision.reported()
    if not decision.is_granted:
        word = "blocked" if decision.blocked else ",".join(decision.required)
        policies = "; ".join(part for part in (decision.deciding(), reported) if part)
        reason = "blocked-by-policy" if decision.blocked else "controls-missing"
        record(
            session,
            place,
            Result.INTERRUPTED,
            login=login,
            person=reference_,
            factors=factors,
            reason=reason,
            policies=policies,
        )
        return Outcome(refusal=word)
    limited = replace(origin, risk=level, minutes=decision.minutes)
    token, _ = sessions.start(
        session, person, address=place.address, device=place.device, factors=factors, origin=limited
    )
    reason = ""
    if flag(person, "emergencyaccess"):
        reason = "emergency-access"
        _logger.warning("the emergency account '%s' was used from %s", login, place.address)
    record(
        session,
        place,
        Result.SUCCESS,
        login=login,
        person=reference_,
        factors=factors,
        reason=reason,
        policies=reported,
    )
    return Outcome(token)


def _judged(
    session: Session, person: Row, place: Place, factors: tuple[str, ...], device: int | None = None, level: int = 0
) -> Decision:
    return at_door(
        session.transaction,
        person.id,
        address=place.address,
        factors=factors,
        now=session.clock.now(),
        device=Device(device) if device else None,
        risk=level,
    )


def _is_known_place(transaction: Transaction, person: Row, place: Place) -> bool:
    """Whether the person has signed in from this network before."""
    here = guard.network(place.address)
    return any(guard.network(text(row, "address")) == here for row in sessions.of_person(transaction, person))
