"""What policies would say, and risk that an administrator settles (TS-724, TS-727): in the control environment."""

from strongroom.errors import InvalidRequest
from strongroom.identity import risk
from strongroom.identity.conditional import what_if
from strongroom.identity.conditional.model import ClientKind, Device
from strongroom.identity.conditional.tables import POLICY, RISK
from strongroom.ids import parse_guid
from strongroom.messages.identities import in_control
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action
from strongroom.records import Session
from strongroom.schema.model import Rights

_CONSOLE = "console"
_USER = Parameter("UserId", Kind.GUID)


def _evaluate(session: Session, arguments: Arguments) -> Result:
    values = arguments.values
    application = arguments.optional_text("Application") or _CONSOLE
    client = parse_guid(application)
    if client is None and application != _CONSOLE:
        raise InvalidRequest(f"'{application[:60]}' is no application: write its client id, or {_CONSOLE}.")
    given_risk = values.get("UserRisk")
    question = what_if.Question(
        person=arguments.guid("UserId"),
        now=session.clock.now() if values.get("Time") is None else arguments.moment("Time"),
        address=arguments.optional_text("Address") or "",
        environment=arguments.optional_text("Environment"),
        client=client,
        roles=tuple(arguments.strings("Roles")) if values.get("Roles") is not None else None,
        kind=_kind(values.get("ClientKind")),
        device=_device(values.get("DeviceState")),
        factors=tuple(arguments.strings("Factors")) if values.get("Factors") is not None else (),
        sign_in_risk=_level(values.get("SignInRisk")),
        user_risk=None if given_risk is None else _level(given_risk),
    )
    return what_if.as_json(what_if.answer(session.transaction, question))


def _kind(value: object) -> ClientKind:
    if value not in (None, 1, 2):
        raise InvalidRequest("ClientKind is 1 (browser) or 2 (API).")
    return ClientKind.API if value == ClientKind.API.value else ClientKind.BROWSER


def _device(value: object) -> Device | None:
    if value is None:
        return None
    if value not in (1, 2, 3):
        raise InvalidRequest("DeviceState is 1 (unregistered), 2 (registered) or 3 (compliant).")
    return Device(value)


def _level(value: object) -> int:
    if value is None:
        return 0
    if not isinstance(value, int) or not 0 <= value <= 3:
        raise InvalidRequest("A risk is 0 (none) to 3 (high).")
    return value


def _dismiss(session: Session, arguments: Arguments) -> Result:
    return {"Settled": risk.settle(session, arguments.guid("UserId"), risk.Settlement.DISMISSED)}


def _confirm(session: Session, arguments: Arguments) -> Result:
    return {"Settled": risk.settle(session, arguments.guid("UserId"), risk.Settlement.CONFIRMED)}


OPERATIONS: tuple[Operation, ...] = (
    action(
        "EvaluateConditionalAccess",
        in_control(POLICY, Rights.READ, _evaluate),
        _USER,
        Parameter("Application", Kind.STRING, required=False),
        Parameter("Environment", Kind.STRING, required=False),
        Parameter("Roles", Kind.STRINGS, required=False),
        Parameter("Address", Kind.STRING, required=False),
        Parameter("DeviceState", Kind.INTEGER, required=False),
        Parameter("ClientKind", Kind.INTEGER, required=False),
        Parameter("Factors", Kind.STRINGS, required=False),
        Parameter("SignInRisk", Kind.INTEGER, required=False),
        Parameter("UserRisk", Kind.INTEGER, required=False),
        Parameter("Time", Kind.STRING, required=False, type="Edm.DateTimeOffset"),
        properties={
            "Decision": "Edm.String",
            "Required": "Collection(Edm.String)",
            "Session": "Strongroom.SessionLimits",
            "Policies": "Collection(Strongroom.PolicyJudgement)",
        },
    ),
    action("DismissRisk", in_control(RISK, Rights.WRITE, _dismiss), _USER, properties={"Settled": "Edm.Int32"}),
    action("ConfirmRisk", in_control(RISK, Rights.WRITE, _confirm), _USER, properties={"Settled": "Edm.Int32"}),
)
