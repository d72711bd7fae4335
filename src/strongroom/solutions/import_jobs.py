"""Rows of `importjob`: how far the import of a solution is, and what became of each component."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from strongroom.errors import InvalidRequest, NotFound, StrongroomError
from strongroom.ids import Guid
from strongroom.records import Session, require
from strongroom.records.create import store_new
from strongroom.schema.model import Rights
from strongroom.solutions.model import Solution
from strongroom.solutions.planning import Step, Verdict
from strongroom.solutions.xml import add_text, parsed
from strongroom.store.protocol import Row

JOBS = "importjob"
_DONE = 100.0


def begin_job(session: Session, solution: Solution, job_id: Guid | None, context: str) -> Row:
    """The job of an import that begins. Raises when there is one of this id."""
    table = session.table(JOBS)
    if job_id is not None and session.transaction.row(table, job_id) is not None:
        raise InvalidRequest(f"There is an import job with the id {job_id} already; give each import a new one.")
    values: dict[str, object] = {
        "name": solution.friendly_name[:256],
        "solutionname": solution.unique_name[:256],
        "progress": 0.0,
        "startedon": session.now,
        "operationcontext": context,
        "importcontext": "ImportInstall",
    }
    return store_new(session, table, values, job_id)


def show_progress(session: Session, job: Row, percent: float) -> None:
    """Say how far it is."""
    session.transaction.update(job, {"progress": percent, "modifiedon": session.now})


def complete_job(session: Session, job: Row, solution: Solution, solution_id: Guid, steps: Sequence[Step]) -> None:
    """The import is done."""
    session.transaction.update(
        job,
        {
            "progress": _DONE,
            "completedon": session.now,
            "modifiedon": session.now,
            "solutionid": solution_id,
            "data": _report(session, job, solution.unique_name, steps, None),
        },
    )


def fail_job(session: Session, job: Row, error: StrongroomError) -> None:
    """The import was refused; nothing of it is there."""
    name = str(job.values.get("solutionname"))
    data = _report(session, job, name, (), error)
    session.transaction.update(job, {"completedon": session.now, "modifiedon": session.now, "data": data})


def result_of(session: Session, job_id: Guid) -> dict[str, object]:
    """How an import ended, as `RetrieveSolutionImportResult` tells it."""
    table = session.table(JOBS)
    require(session, table, job_id, Rights.READ)
    job = session.transaction.row(table, job_id)
    if job is None:
        raise NotFound(f"There is no import job with the id {job_id}.")
    values = job.values
    if values.get("completedon") is None:
        status, errors = "None", []
    elif values.get("progress") == _DONE:
        status, errors = "Passed", []
    else:
        status, errors = "Failed", [_error_in(str(values.get("data") or ""))]
    return {
        "SolutionOperationResult": {
            "Type": "Import",
            "Status": status,
            "ErrorMessages": errors,
            "WarningMessages": _warnings_in(str(values.get("data") or "")),
            "ActionLink": {"Label": "", "Target": ""},
        }
    }


def _report(session: Session, job: Row, name: str, steps: Sequence[Step], error: StrongroomError | None) -> str:
    """The XML that clients read: `solutionManifest/result`, and one `result` for each component."""
    succeeded = error is None
    root = Element(
        "importexportxml",
        {
            "start": str(job.values.get("startedon")),
            "stop": session.now,
            "progress": "100" if succeeded else str(job.values.get("progress")),
            "processed": "true",
            "succeeded": str(succeeded).lower(),
        },
    )
    manifest = SubElement(
        SubElement(root, "solutionManifests"), "solutionManifest", {"id": name, "languagecode": "1033"}
    )
    _add_result(manifest, "success" if succeeded else "failure", error)
    add_text(manifest, "UniqueName", name)
    components = SubElement(root, "components")
    for step in steps:
        facts = {"kind": step.kind, "name": step.name, "verdict": step.verdict.value}
        component = SubElement(components, "component", facts)
        is_waiting = step.verdict is Verdict.WAIT
        result = SubElement(component, "result", {"result": "warning" if is_waiting else "success"})
        if step.note:
            result.set("errortext", step.note)
    return tostring(root, encoding="unicode")


def _add_result(element: Element, result: str, error: StrongroomError | None) -> None:
    facts = {"result": result, "errorcode": "0" if error is None else error.code}
    SubElement(element, "result", {**facts, "errortext": "" if error is None else error.message})


def _error_in(data: str) -> str:
    result = parsed("data", data.encode()).find("solutionManifests/solutionManifest/result") if data else None
    return "" if result is None else result.get("errortext", "")


def _warnings_in(data: str) -> list[str]:
    root = parsed("data", data.encode()) if data else Element("none")
    return [
        f"{component.get('kind')} {component.get('name')}: {result.get('errortext', '')}"
        for component in root.iterfind("components/component")
        if (result := component.find("result")) is not None and result.get("result") == "warning"
    ]
