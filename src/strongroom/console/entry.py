"""Who gets in: the policies of conditional access, and what they would say to somebody (TS-722, TS-724)."""

from collections.abc import Mapping

from starlette.responses import Response

from strongroom.console.api import ApiError, Json, as_object, objects, text
from strongroom.console.data.lookups import find_row
from strongroom.console.page import Page
from strongroom.console.visit import Visit

_STATE_TONES = {1: "", 2: "warn", 3: "good"}
_DECISION_TONES = {"block": "bad", "grant": "good", "grant-with": "warn"}
_NUMBERS = {"device": "DeviceState", "client": "ClientKind", "risk": "SignInRisk"}


async def show(visit: Visit) -> Response:
    """The policies; with `user`, what they would say to that person."""
    if not visit.is_control:
        raise ApiError(404, "", visit.texts("Policies are kept in the control environment."))
    policies = await visit.api.rows_if_allowed("conditionalaccesspolicies", {"$orderby": "name"})
    asked = dict(visit.request.query_params)
    problem: ApiError | None = None
    answer: Json = {}
    if asked.get("user"):
        try:
            answer = await _what_if(visit, asked)
        except ApiError as error:
            problem = error
    decision = text(answer.get("Decision"))
    context = {
        "policies": policies,
        "tones": _STATE_TONES,
        "asked": asked,
        "problem": problem,
        "decision": decision,
        "tone": _DECISION_TONES.get(decision, ""),
        "required": answer.get("Required") or (),
        "session": as_object(answer.get("Session")),
        "judgements": objects(answer.get("Policies")),
    }
    status = problem.status if problem else 200
    return visit.render("entry.html", visit.texts("Who gets in"), context, status=status)


async def _what_if(visit: Visit, asked: Mapping[str, str]) -> Json:
    _, user = await find_row(visit, ("directoryuser",), asked["user"].strip())
    body: dict[str, object] = {"UserId": user}
    if asked.get("address", "").strip():
        body["Address"] = asked["address"].strip()
    if asked.get("environment"):
        body["Environment"] = asked["environment"]
    for name, parameter in _NUMBERS.items():
        if asked.get(name, "").isdigit():
            body[parameter] = int(asked[name])
    factors = asked.get("factors", "").replace(",", " ").split()
    if factors:
        body["Factors"] = factors
    return (await visit.api.send("POST", "EvaluateConditionalAccess", body)).body


PAGES = (Page("/entry", show, "entry"),)
