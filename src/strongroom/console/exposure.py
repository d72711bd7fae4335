"""What somebody could see in this environment, and saw and changed, from its trail: the scope of an incident, and the
evidence for it with its proofs (TS-1604, TS-1606)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import orjson
from starlette.responses import Response

from strongroom.clock import iso
from strongroom.console.api import ApiError, Json, objects
from strongroom.console.data.lookups import find_row
from strongroom.console.page import Page
from strongroom.console.visit import Crumb, Visit

_USUAL_DAYS = 7


async def show(visit: Visit) -> Response:
    """The estimate for a user and a time."""
    problem: ApiError | None = None
    found: Json = {}
    if visit.parameter("user"):
        try:
            found = await _ask(visit, "EstimateExposure")
        except ApiError as error:
            problem = error
    now = visit.environment.clock.now()
    context = {
        "found": found,
        "tables": objects(found.get("Tables")),
        "since": visit.parameter("since") or (now - timedelta(days=_USUAL_DAYS)).astimezone(visit.zone).date(),
        "until": visit.parameter("until") or now.astimezone(visit.zone).date(),
        "asked": {name: visit.parameter(name) for name in ("user", "since", "until")},
        "problem": problem,
    }
    crumbs = (Crumb(visit.texts("Audit"), visit.address("audit")), Crumb(visit.texts("What somebody could see")))
    status = problem.status if problem else 200
    return visit.render("exposure.html", visit.texts("What somebody could see"), context, crumbs=crumbs, status=status)


async def scope(visit: Visit) -> Response:
    """The estimate as the file that the register of incidents takes in."""
    found, asked = await _ask(visit, "EstimateExposure"), await _arguments(visit)
    parts = [{**_plain(each), "Environment": visit.environment.name, **asked} for each in objects(found.get("Tables"))]
    return _file(f"scope-{visit.environment.name}.json", {"Parts": parts})


async def evidence(visit: Visit) -> Response:
    """Entries and activities with their proofs."""
    return _file(f"evidence-{visit.environment.name}.json", _plain(await _ask(visit, "RetrieveEvidence")))


async def _ask(visit: Visit, function: str) -> Json:
    return await visit.api.ask(function, **await _arguments(visit))


async def _arguments(visit: Visit) -> Mapping[str, str]:
    """Who, and from when until when: whole days of the reader's. Raises `ApiError` 400."""
    _, user = await find_row(visit, ("systemuser",), visit.parameter("user"))
    try:
        since, until = (
            datetime.fromisoformat(visit.parameter(name)).replace(tzinfo=visit.zone) for name in ("since", "until")
        )
        ends = until + timedelta(days=1)
    except (ValueError, OverflowError):
        raise ApiError(400, "", visit.texts("Say from which day and until which day.")) from None
    return {"UserId": user, "From": iso(since.astimezone(UTC)), "To": iso(ends.astimezone(UTC))}


def _plain(answer: Json) -> Json:
    return {name: value for name, value in answer.items() if "@" not in name}


def _file(name: str, content: Json) -> Response:
    body = orjson.dumps(content, option=orjson.OPT_INDENT_2)
    headers = {"Content-Disposition": f"attachment; filename={name}"}
    return Response(body, media_type="application/json", headers=headers)


PAGES = (
    Page("/audit/exposure", show, "audit"),
    Page("/audit/exposure/scope", scope, "audit"),
    Page("/audit/exposure/evidence", evidence, "audit"),
)
