"""The decision for each request, in every process (TS-723: continuous evaluation).

Policies and people are remembered under the security epoch of the directory, roles under that of the environment, and
decisions under both; so a request costs a look at these numbers, and the first one after a change is judged anew. The
address is that of this request, whoever got the token where.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from strongroom.errors import AccessDenied, StepUpRequired
from strongroom.identity.conditional.model import (
    GRANTED,
    ClientKind,
    Control,
    Decision,
    Policy,
    Signals,
    decide,
)
from strongroom.identity.conditional.people import known_of
from strongroom.identity.conditional.policies import load
from strongroom.identity.directory import Directory
from strongroom.identity.liveness import Liveness, LiveSession, Recent
from strongroom.identity.tokens import TokenClaims
from strongroom.ids import Guid
from strongroom.store.layout import fold
from strongroom.store.protocol import Transaction

PROOF_LASTS = timedelta(minutes=10)
"""How long somebody who has shown who they are may do dangerous things (step-up)."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose token it is, as the environment knows the user: the id in the directory, and names of roles."""

    person: Guid | None
    roles: tuple[str, ...]
    is_program: bool


@dataclass(frozen=True, slots=True)
class Entering:
    """A request on its way into an environment. `stamp` is the security epoch of the environment and `holder` looks
    there; both are called only where a policy needs it."""

    environment: str
    claims: TokenClaims
    address: str
    kind: ClientKind
    stamp: Callable[[], int]
    holder: Callable[[], Holder]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds for a request that may go on. `lacks_proof`: it is of somebody at a browser or a program of theirs who
    has not shown who they are lately, so that nothing dangerous may be done."""

    read_only: bool = False
    lacks_proof: bool = False


_Key = tuple[object, ...]
_CONTROL, _ADMINISTRATOR = "control", fold("System Administrator")


class Gate:
    """What one process knows of policies. Safe to use from several threads."""

    def __init__(self, directory: Directory, liveness: Liveness) -> None:
        self._directory = directory
        self._liveness = liveness
        self._policies: Recent[None, tuple[Policy, ...]] = Recent()
        self._decisions: Recent[_Key, Decision] = Recent()

    def admit(self, entering: Entering) -> Verdict:
        """What holds for a request. Raises `AccessDenied` when a policy blocks it, `StepUpRequired` when it asks for
        more than was shown, or for a newer sign-in."""
        session, epoch = entering.claims.session, self._directory.epoch()
        live = None if session is None else self._liveness.known(session, epoch)
        decision = GRANTED
        if self._policies.get(None, epoch) != () or (live is None) != (session is None):
            with self._directory.reading() as transaction:
                policies = self._known(transaction)
                live = None if session is None else self._liveness.live(transaction, session)
                decision = self._decision(transaction, policies, entering, live) if policies else GRANTED
        if live is not None and live.is_guest:
            _refuse_guest(entering)
        if live is None and decision is GRANTED:
            return Verdict()
        now = self._directory.now()
        age = timedelta(0) if live is None else now - live.proven_on
        if decision.blocked:
            raise blocked()
        if decision.required:
            raise StepUpRequired(tuple(decision.required))
        if decision.minutes is not None and age >= timedelta(minutes=decision.minutes):
            raise StepUpRequired((Control.RECENT_SIGN_IN,))
        return Verdict(decision.read_only, live is not None and age >= PROOF_LASTS)

    def decision(self, entering: Entering) -> Decision:
        """The whole decision, for the log of tokens that are given."""
        with self._directory.reading() as transaction:
            policies = self._known(transaction)
            session = entering.claims.session
            live = None if session is None else self._liveness.live(transaction, session)
            return self._decision(transaction, policies, entering, live) if policies else GRANTED

    def _known(self, transaction: Transaction) -> tuple[Policy, ...]:
        epoch = transaction.stamp.security_epoch
        found = self._policies.get(None, epoch)
        if found is None:
            found = load(transaction)
            self._policies.keep(None, epoch, found)
        return found

    def _decision(
        self, transaction: Transaction, policies: tuple[Policy, ...], entering: Entering, live: LiveSession | None
    ) -> Decision:
        claims, now = entering.claims, self._directory.now()
        moment = now.replace(second=0, microsecond=0) if any(each.window for each in policies) else None
        subject = claims.session or claims.credential or claims.user
        key = (
            subject,
            claims.client,
            entering.environment,
            entering.stamp(),
            entering.address,
            entering.kind,
            moment,
        )
        epoch = transaction.stamp.security_epoch
        found = self._decisions.get(key, epoch)
        if found is None:
            found = decide(policies, self._signals(transaction, entering, live))
            self._decisions.keep(key, epoch, found)
        return found

    def _signals(self, transaction: Transaction, entering: Entering, live: LiveSession | None) -> Signals:
        holder = entering.holder()
        person = live.person if live is not None else holder.person
        known = known_of(transaction, None if holder.is_program else person)
        return Signals(
            now=self._directory.now(),
            person=person,
            client=entering.claims.client,
            is_program=holder.is_program,
            is_guest=known.is_guest,
            is_emergency=known.is_emergency,
            groups=known.groups,
            roles=frozenset(fold(name) for name in holder.roles),
            environment=entering.environment,
            address=entering.address,
            kind=entering.kind,
            device=None if live is None else live.device,
            factors=frozenset() if live is None else frozenset(live.factors),
            sign_in_risk=0 if live is None else live.risk,
            user_risk=known.risk,
        )


def _refuse_guest(entering: Entering) -> None:
    """Guests do not see the directory, and administer nothing, whatever roles they were given (TS-728)."""
    is_administrator = any(fold(name) == _ADMINISTRATOR for name in entering.holder().roles)
    if entering.environment == _CONTROL or is_administrator:
        raise AccessDenied(
            "A guest may not administer an environment, nor enter the control environment.",
            code="0x80072560",
            details={"reason": "guest-restricted", "rule": "TS-728", "target": "usertype"},
        )


def blocked() -> AccessDenied:
    """The refusal of a policy that blocks. Which one it is stands in the log of sign-ins, not in the answer."""
    return AccessDenied(
        "Access has been blocked by a conditional access policy of your organization.",
        code="0x80072560",
        details={"reason": "blocked-by-policy", "rule": "TS-723", "target": "conditionalaccesspolicy"},
    )
