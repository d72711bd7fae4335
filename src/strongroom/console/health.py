"""Health: whether what looks after an environment is at work; in the control environment, of all of them (TS-818)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.responses import Response

from strongroom.console.api import ApiError, Json, formatted, strings, text
from strongroom.console.page import Page
from strongroom.console.visit import Crumb, Visit

_FRESH = timedelta(days=1)
_PROVEN = timedelta(days=7)
_STATE_TONES = {1: "good", 2: "", 3: "warn", 4: "bad", 5: "bad", 6: "", 7: "bad", 8: "warn"}
_GONE = (5, 6)


@dataclass(frozen=True, slots=True)
class Standing:
    """One environment: its state, and how old its newest back-up and its newest proof are. Tones are good or warn."""

    id: str
    name: str
    state: str
    tone: str
    backup: str
    backup_tone: str
    proof: str
    proof_tone: str
    locked_by: str


async def show(visit: Visit) -> Response:
    """The health of this environment, and what the control environment knows of the others."""
    problem: ApiError | None = None
    found: Json = {}
    try:
        found = await visit.api.ask("RetrieveHealth")
    except ApiError as error:
        if error.status != 403:
            raise
        problem = error
    context = {
        "found": found,
        "problems": strings(found.get("Problems")),
        "sealed": visit.moment(text(found.get("SealedOn"))),
        "standings": await _standings(visit),
        "problem": problem,
    }
    title = visit.texts("Health")
    crumbs = (Crumb(visit.texts("Administration"), visit.address("administration")), Crumb(title))
    return visit.render("health.html", title, context, crumbs=crumbs, status=problem.status if problem else 200)


async def _standings(visit: Visit) -> Sequence[Standing]:
    if not visit.is_control:
        return ()
    rows = await visit.api.rows_if_allowed("environments", {"$orderby": "uniquename"}) or ()
    now = visit.environment.clock.now()
    return [_standing(row, now) for row in rows if row.get("state") not in _GONE]


def _standing(row: Json, now: datetime) -> Standing:
    state = row.get("state")
    return Standing(
        text(row.get("environmentid")),
        text(row.get("uniquename")),
        formatted(row, "state"),
        _STATE_TONES.get(state, "") if isinstance(state, int) else "",
        formatted(row, "lastbackupon"),
        "good" if _is_within(row.get("lastbackupon"), now, _FRESH) else "warn",
        formatted(row, "lastverifiedon"),
        "good" if _is_within(row.get("lastverifiedon"), now, _PROVEN) else "warn",
        formatted(row, "lockedby"),
    )


def _is_within(moment: object, now: datetime, age: timedelta) -> bool:
    return isinstance(moment, str) and now - datetime.fromisoformat(moment).astimezone(UTC) < age


PAGES = (Page("/health", show, "administration"),)
