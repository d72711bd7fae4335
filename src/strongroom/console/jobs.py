"""Jobs in the background: what waits, runs and has ended, with how far it is and what it could not do.

Every kind of job is a row of `asyncoperation`; solution imports tell their progress in `importjob`, deletions in bulk
theirs in `bulkdeleteoperation` with what they left behind in `bulkdeletefailure`. Columns are read as they are there.
"""

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from strongroom.console.api import ApiError, Json, formatted, text
from strongroom.console.data.columns import label
from strongroom.console.data.lists import PAGE_SIZE
from strongroom.console.page import Page
from strongroom.console.sent import line
from strongroom.console.visit import Crumb, Visit
from strongroom.schema.model import ColumnType

_READY, _PAUSED, _COMPLETED, _FAILED = 0, 1, 3, 31
_STATES: Mapping[str, int] = {"pause": _PAUSED, "resume": _READY, "cancel": _COMPLETED}
"""What a job is set to by the button's name."""

_TONES = {0: "", 10: "", 20: "warn", 21: "warn", 22: "warn", 30: "good", 31: "bad", 32: ""}
_FILTERS: Mapping[str, str] = {
    "open": f"statecode ne {_COMPLETED}",
    "failed": f"statuscode eq {_FAILED}",
    "all": "",
}
_FOLLOW_S = 3
_MOST_FAILURES = 100
_OF_PLATFORM = frozenset({"data", "dependencytoken", "rootexecutioncontext", "workflowstate", "orderedquerysetxml"})
"""Columns that a job keeps for itself."""


async def show(visit: Visit) -> Response:
    """The jobs, the newest first; and the imports of solutions."""
    which = visit.parameter("which") if visit.parameter("which") in _FILTERS else "all"
    options = {"$orderby": "createdon desc"} | ({"$filter": _FILTERS[which]} if _FILTERS[which] else {})
    rows = await visit.api.rows_if_allowed("asyncoperations", options, most=PAGE_SIZE * 2)
    imports = await visit.api.rows_if_allowed(
        "importjobs", {"$select": "name,solutionname,progress,startedon,completedon", "$orderby": "startedon desc"}
    )
    context = {"rows": rows, "imports": imports or (), "which": which, "tones": _TONES}
    return visit.render("jobs.html", visit.texts("Jobs"), context)


async def one(visit: Visit) -> Response:
    """One job; the page looks again until it has ended."""
    job = visit.row_id()
    problem: ApiError | None = None
    if visit.request.method == "POST":
        wanted = _STATES.get(line(await visit.form(), "act"))
        try:
            if wanted is None:
                raise ApiError(400, "", visit.texts("Choose what is to be done."))
            await visit.api.send("PATCH", f"asyncoperations({job})", {"statecode": wanted})
            return visit.redirect(f"jobs/{job}", done="saved")
        except ApiError as error:
            problem = error
    row = await visit.api.get(f"asyncoperations({job})")
    details: list[tuple[str, Sequence[tuple[str, str]]]] = [("", _facts(visit, "asyncoperation", row))]
    of_job = {"$filter": f"_asyncoperationid_value eq {job}"}
    for each in await visit.api.rows_if_allowed("bulkdeleteoperations", of_job, unless=(400, 403, 404)) or ():
        details.append((visit.texts("Deletion in bulk"), _facts(visit, "bulkdeleteoperation", each)))
    failures = await visit.api.rows_if_allowed(
        "bulkdeletefailures", of_job, most=_MOST_FAILURES, unless=(400, 403, 404)
    )
    is_over = row.get("statecode") == _COMPLETED
    is_paused = row.get("statecode") == _PAUSED
    context = {
        "row": row,
        "tone": _TONES.get(_status(row), ""),
        "details": details,
        "failures": failures or (),
        "progress": await _progress(visit, row),
        "is_over": is_over,
        "is_paused": is_paused,
        "problem": problem,
    }
    name = text(row.get("name")) or visit.texts("Job")
    crumbs = (Crumb(visit.texts("Jobs"), visit.address("jobs")), Crumb(name))
    status = problem.status if problem else 200
    response = visit.render("job.html", name, context, crumbs=crumbs, status=status)
    if not is_over and not is_paused and problem is None:
        response.headers["Refresh"] = str(_FOLLOW_S)
    return response


async def _progress(visit: Visit, row: Json) -> float | None:
    """How far an import is, in percent; None where nobody says."""
    imports = await visit.api.rows_if_allowed(
        "importjobs", {"$select": "progress", "$filter": f"importjobid eq {row.get('asyncoperationid')}"}
    )
    value = imports[0].get("progress") if imports else None
    return float(value) if isinstance(value, int | float) else None


def _status(row: Json) -> int:
    status = row.get("statuscode")
    return status if isinstance(status, int) else 0


def _facts(visit: Visit, table: str, row: Json) -> Sequence[tuple[str, str]]:
    """(label, value) of the columns that say something."""
    unseen = (ColumnType.UNIQUEIDENTIFIER, ColumnType.FILE, ColumnType.STATE, ColumnType.STATUS, ColumnType.BIGINT)
    columns = [
        column
        for column in visit.table(table).columns.values()
        if column.type not in unseen
        and column.logical_name not in _OF_PLATFORM
        and not column.logical_name.startswith(("owning", "modified"))
    ]
    told = [(label(column), formatted(row, column.property_name)) for column in columns]
    return [(name, shown) for name, shown in told if shown not in ("", "False", "No", "0")]


PAGES = (
    Page("/jobs", show, "administration"),
    Page("/jobs/{id}", one, "administration", ("GET", "POST")),
)
