"""What policies would say of a sign-in or request that nobody made (TS-724): the same `decide` as at the door and for
each request, with what the directory knows of the person."""

from dataclasses import dataclass
from datetime import datetime

from strongroom.errors import InvalidRequest
from strongroom.identity.conditional.model import (
    ClientKind,
    Control,
    Decision,
    Device,
    Judgement,
    Signals,
    decide,
    is_within,
)
from strongroom.identity.conditional.people import known_of
from strongroom.identity.conditional.policies import load
from strongroom.ids import Guid
from strongroom.store.layout import fold
from strongroom.store.protocol import Transaction


@dataclass(frozen=True, slots=True)
class Question:
    """Who, for what, from where. Without `environment` it is the door, where only people are known; `roles` are those
    that the person has there, None where nobody knows."""

    person: Guid
    now: datetime
    address: str = ""
    environment: str | None = None
    client: Guid | None = None
    roles: tuple[str, ...] | None = None
    kind: ClientKind = ClientKind.BROWSER
    device: Device | None = None
    factors: tuple[str, ...] = ()
    sign_in_risk: int = 0
    user_risk: int | None = None


def answer(transaction: Transaction, question: Question) -> Decision:
    """The decision. Raises `InvalidRequest` for an address that is none."""
    if question.address and is_within(question.address, ()) is None:
        raise InvalidRequest(
            f"'{question.address[:60]}' is no address; write one like 192.0.2.7.",
            details={"reason": "bad-address", "rule": "TS-724", "target": "Address"},
        )
    known = known_of(transaction, question.person)
    roles = question.roles
    signals = Signals(
        now=question.now,
        person=question.person,
        client=question.client,
        is_guest=known.is_guest,
        is_emergency=known.is_emergency,
        groups=known.groups,
        roles=None if roles is None else frozenset(fold(name) for name in roles),
        environment=question.environment,
        address=question.address,
        kind=question.kind,
        device=question.device,
        factors=frozenset(question.factors),
        sign_in_risk=question.sign_in_risk,
        user_risk=known.risk if question.user_risk is None else question.user_risk,
    )
    return decide(load(transaction), signals)


def as_json(decision: Decision) -> dict[str, object]:
    """The answer of `EvaluateConditionalAccess`."""
    word = "block" if decision.blocked else "grant-with" if decision.required else "grant"
    return {
        "Decision": word,
        "Required": [str(each) for each in decision.required],
        "Session": {"MaxMinutes": decision.minutes, "ReadOnly": decision.read_only},
        "Policies": [_judgement_json(each) for each in decision.judgements],
    }


def _judgement_json(judgement: Judgement) -> dict[str, object]:
    policy = judgement.policy
    missing: tuple[Control, ...] = judgement.missing
    return {
        "Id": policy.id,
        "Name": policy.name,
        "State": policy.state.value,
        "Applies": judgement.applies,
        "WhyNot": judgement.why_not,
        "Satisfied": judgement.satisfied,
        "Missing": [str(each) for each in missing],
    }
