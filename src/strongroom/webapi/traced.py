"""One request, answered in this process and told step by step: the query, what security made of it, the statements.

What is told is what ran: the request goes the way of every other one, on a store that records (`store.recording`).
"""

from dataclasses import dataclass
from time import perf_counter
from typing import Any

import orjson

from strongroom.access.plan import Plan
from strongroom.access.planned import PlannedSelect
from strongroom.environment import Environment
from strongroom.errors import InvalidRequest
from strongroom.identity import TokenClaims
from strongroom.identity.conditional.gate import Verdict
from strongroom.ids import Guid
from strongroom.query.describing import described
from strongroom.store.recording import Recording
from strongroom.webapi.addressing import read_address
from strongroom.webapi.http import Request, Response
from strongroom.webapi.service import respond

_ROOT = "http://localhost/api/data/v9.2/"


@dataclass(frozen=True, slots=True)
class Traced:
    """A request's answer, and how it came to it. The first time is of a process that knows nothing yet, the second of
    one that has answered it before, as a server has."""

    response: Response
    recording: Recording
    first_s: float
    second_s: float

    @property
    def store_s(self) -> float:
        """How much of the second time went by in the store."""
        return sum(ran.seconds for ran in self.recording.statements)


def trace(environment: Environment, user: Guid, target: str, headers: dict[str, str]) -> Traced:
    """Send GET `target`, what follows the service root or a whole address, as `user`, twice.

    Raises `InvalidRequest` for an address of something else.
    """
    path, _, query = _relative(target).partition("?")
    request = Request("GET", path, query, headers, b"", _ROOT, environment.id)
    now = environment.clock.now()
    claims = TokenClaims(user, environment.id, environment.id, "", now, now)
    started = perf_counter()
    respond(environment, request, claims, Verdict())
    between = perf_counter()
    recording = environment.database.record()
    _warm(environment, recording)
    warm = perf_counter()
    response = respond(environment, request, claims, Verdict())
    return Traced(response, recording, between - started, perf_counter() - warm)


def _warm(environment: Environment, recording: Recording) -> None:
    """Open the connection that will be recorded before anything is measured."""
    with environment.database.read():
        pass
    recording.statements.clear()


def _relative(target: str) -> str:
    text = target.removeprefix("GET ").strip()
    if "/api/data/" in text:
        path, mark, query = text.partition("?")
        address = read_address(path[path.index("/api/data/") :])
        if address is None:
            raise InvalidRequest(f"'{path[:100]}' is no address of the Web API.")
        text = f"{address.path}{mark}{query}"
    return text.lstrip("/")


def shown(traced: Traced) -> dict[str, object]:
    """The whole as JSON shows it."""
    return {
        "status": traced.response.status,
        "error": _error(traced.response),
        "bytes": len(traced.response.body),
        "firstMilliseconds": _ms(traced.first_s),
        "milliseconds": _ms(traced.second_s),
        "storeMilliseconds": _ms(traced.store_s),
        "queries": [
            {"query": described(query.select), "plans": [plan_words(plan) for plan in plans_of(query)]}
            for query in traced.recording.queries
        ],
        "statements": [
            {"sql": ran.sql, "values": list(ran.parameters), "rows": ran.rows, "milliseconds": _ms(ran.seconds)}
            for ran in traced.recording.statements
        ],
    }


def plans_of(query: PlannedSelect) -> list[Plan]:
    """The plan of each table that a query touches, once each."""
    found = {plan.table.logical_name: plan for plan in query.plans.values()}
    for inner in query.expands:
        found |= {plan.table.logical_name: plan for plan in plans_of(inner)}
    return list(found.values())


def plan_words(plan: Plan) -> str:
    """Which rows of its table a plan reaches, and why."""
    name, right = plan.table.logical_name, str(plan.right.name).title()
    if plan.is_everything:
        rows = "every row"
    else:
        rows = f"rows by {len(plan.branches)} branches" if len(plan.branches) != 1 else "rows by 1 branch"
        rows += f", each within {len(plan.guards)} guards" if plan.guards else ""
    codes = sorted({reason.code for branch in plan.branches for reason in branch.reasons})
    sources = sorted({source[2] for branch in plan.branches for reason in branch.reasons for source in reason.sources})
    closed = sorted(plan.mask)
    return (
        f"{right} {name}: {rows}; because {', '.join(codes) or 'nothing'}"
        + (f" by {', '.join(sources[:5])}" if sources else "")
        + (f"; secured columns {', '.join(closed)}" if closed else "")
    )


def _error(response: Response) -> dict[str, Any] | None:
    if response.status < 400:
        return None
    found: dict[str, Any] = orjson.loads(response.body)["error"]
    return found


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
