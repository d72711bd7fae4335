"""Containing an incident (TS-1606, TS-1608): each measure is the ordinary, authorized and audited verb, and a step in
the timeline in the same transaction; and opening one from an alert of any environment.

| measure | what is done | `TargetId` |
| --- | --- | --- |
| 1 | all sessions of a person end | `directoryuser` |
| 2 | a person's account is disabled | `directoryuser` |
| 3 | a credential of an application is revoked | `applicationcredential` |
| 4 | a key is rotated | `keyreference` |
| 5 | an environment is closed to everybody | `environment` |
| 6 | a policy of conditional access is switched on | `conditionalaccesspolicy` |
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from strongroom.errors import InvalidRequest, NotFound, ResourceNotFound
from strongroom.identity.step_up import DANGEROUS, demand_proof
from strongroom.incidents.opening import facts_of, open_from_alert
from strongroom.incidents.register import add_decision
from strongroom.incidents.tables import INCIDENT
from strongroom.lockbox.reach import reach_of
from strongroom.messages import environments, identities
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action
from strongroom.monitoring.tables import ALERT
from strongroom.records import Session, update
from strongroom.records.authorize import demand_privilege
from strongroom.schema.model import Rights
from strongroom.store.protocol import Value

_POLICY_ON = 3


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure: how it is called in the timeline, and how it is done to a target."""

    name: str
    act: Callable[[Session, Arguments], Result]


def _by(operation: str, target: str) -> Callable[[Session, Arguments], Result]:
    """The operation of this name, whose parameter `target` is the id."""

    def run(session: Session, arguments: Arguments) -> Result:
        if operation in DANGEROUS:
            demand_proof(session)
        known = (each for each in (*identities.OPERATIONS, *environments.OPERATIONS) if each.name == operation)
        return next(known).run(session, Arguments({target: arguments.guid("TargetId")}))

    return run


def _change(table: str, **changes: Value) -> Callable[[Session, Arguments], Result]:
    """An ordinary update of a row."""

    def run(session: Session, arguments: Arguments) -> Result:
        update(session, session.table(table), arguments.guid("TargetId"), dict(changes))
        return None

    return run


MEASURES: tuple[Measure, ...] = (
    Measure("Sessions ended", _by("EndAllSessions", "UserId")),
    Measure("Account disabled", _change("directoryuser", accountenabled=False)),
    Measure("Credential revoked", _by("RemoveApplicationCredential", "CredentialId")),
    Measure("Key rotated", _by("RotateKey", "KeyReferenceId")),
    Measure("Environment closed", _by("SuspendEnvironment", "EnvironmentId")),
    Measure("Conditional access raised", _change("conditionalaccesspolicy", state=_POLICY_ON)),
)


def contain(session: Session, arguments: Arguments) -> Result:
    """Do a measure and write it down; what the verb refuses is refused, and nothing is written."""
    if INCIDENT not in session.schema.tables:
        raise ResourceNotFound("The register of incidents is in the control environment.")
    number = arguments.integer("Measure")
    if not 1 <= number <= len(MEASURES):
        raise InvalidRequest(
            f"Measure is {', '.join(f'{place} ({each.name})' for place, each in enumerate(MEASURES, 1))}.",
            details={"reason": "unknown-measure", "rule": "TS-1606", "target": "Measure"},
        )
    measure = MEASURES[number - 1]
    done = measure.act(session, arguments) or {}
    said = [f"Target {arguments.guid('TargetId')}", *(f"{name} {value}" for name, value in done.items())]
    note = "; ".join([*said, (arguments.optional_text("Note") or "").strip()]).strip("; ")
    step = add_decision(session, arguments.guid("SecurityIncidentId"), measure.name, note)
    return {"StepId": step, "OperationId": done.get("OperationId")}


def _open(session: Session, arguments: Arguments) -> Result:
    """Open an incident from an alert of an environment of this home."""
    if INCIDENT not in session.schema.tables:
        raise ResourceNotFound("The register of incidents is in the control environment.")
    demand_privilege(session, session.table(INCIDENT), Rights.CREATE)
    demand_privilege(session, session.table(ALERT), Rights.READ)
    named, alert = arguments.optional_text("EnvironmentId"), arguments.guid("AlertId")
    if named is None:
        row, name = session.transaction.row(session.table(ALERT), alert), "control"
    else:
        reach = reach_of(session)
        name = reach.name_of(named)
        with reach.writing(name) as other:
            row = other.transaction.row(other.table(ALERT), alert)
    if row is None:
        raise NotFound(f"There is no alert {alert} in '{name}'.")
    return {"SecurityIncidentId": open_from_alert(session, facts_of(name, row))}


_ACTIONS = (
    action(
        "ContainIncident",
        contain,
        Parameter("SecurityIncidentId", Kind.GUID),
        Parameter("Measure", Kind.INTEGER),
        Parameter("TargetId", Kind.GUID),
        Parameter("Note", Kind.STRING, required=False),
        properties={"StepId": "Edm.Guid", "OperationId": "Edm.Guid"},
    ),
    action(
        "OpenIncidentFromAlert",
        _open,
        Parameter("AlertId", Kind.GUID),
        Parameter("EnvironmentId", Kind.STRING, required=False),
        properties={"SecurityIncidentId": "Edm.Guid"},
    ),
)

OPERATIONS: tuple[Operation, ...] = tuple(replace(each, is_own=True) for each in _ACTIONS)
