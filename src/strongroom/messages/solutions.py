"""Solutions over the Web API: importing, staging, exporting, and what a solution has (WA-405).

`CustomizationFile` is the zip in base64, as every client sends it. What can take long exists twice: `ImportSolution`
answers when all is done, in one transaction; `ImportSolutionAsync` at once, with the operation to look at.
"""

import base64
import binascii
from dataclasses import dataclass

from strongroom.access.resolve import require_privilege
from strongroom.errors import InvalidRequest, NotFound
from strongroom.ids import Guid, parse_guid
from strongroom.messages.operation import Arguments, Json, Kind, Operation, Parameter, Result, action, function
from strongroom.records import Session, require
from strongroom.schema.model import Rights
from strongroom.solutions import (
    Archive,
    ImportOptions,
    Solution,
    Step,
    export_solution,
    import_solution,
    open_archive,
    plan_import,
    read_solution,
)
from strongroom.solutions.contents import Component, add_component, demand_known, remove_component
from strongroom.solutions.dependencies import required_by
from strongroom.solutions.import_jobs import begin_job, complete_job, result_of
from strongroom.solutions.importing import IMPORT_PRIVILEGE
from strongroom.solutions.operations import Order, Work, exported_file, known_solution, queue, staged_file
from strongroom.solutions.placing import open_solution
from strongroom.solutions.upgrading import stage_and_upgrade
from strongroom.store.protocol import Row

_FILE = Parameter("CustomizationFile", Kind.STRING, type="Edm.Binary")
_IMPORT = (
    Parameter("CustomizationFile", Kind.STRING, required=False, type="Edm.Binary"),
    Parameter("ImportJobId", Kind.GUID, required=False),
    Parameter("OverwriteUnmanagedCustomizations", Kind.BOOLEAN, required=False),
    Parameter("PublishWorkflows", Kind.BOOLEAN, required=False),
    Parameter("ConvertToManaged", Kind.BOOLEAN, required=False),
    Parameter("SkipProductUpdateDependencies", Kind.BOOLEAN, required=False),
    Parameter("SkipQueueRibbonJob", Kind.BOOLEAN, required=False),
    Parameter("AsyncRibbonProcessing", Kind.BOOLEAN, required=False),
    Parameter("LayerDesiredOrder", Kind.COMPLEX, required=False),
    Parameter("ComponentParameters", Kind.COMPLEXES, required=False, type="Collection(mscrm.crmbaseentity)"),
    Parameter("SolutionParameters", Kind.COMPLEX, required=False),
)
_HOLDING = Parameter("HoldingSolution", Kind.BOOLEAN, required=False)
_SETTINGS = (
    "ExportAutoNumberingSettings",
    "ExportCalendarSettings",
    "ExportCustomizationSettings",
    "ExportEmailTrackingSettings",
    "ExportExternalApplications",
    "ExportGeneralSettings",
    "ExportIsvConfig",
    "ExportMarketingSettings",
    "ExportOutlookSynchronizationSettings",
    "ExportRelationshipRoles",
    "ExportSales",
)
"""Settings of an organization that a solution could carry; clients send them all, and there are none here."""

_EXPORT = (
    Parameter("SolutionName", Kind.STRING),
    Parameter("Managed", Kind.BOOLEAN, required=False),
    Parameter("TargetVersion", Kind.STRING, required=False),
    *(Parameter(name, Kind.BOOLEAN, required=False) for name in _SETTINGS),
)


@dataclass(frozen=True, slots=True)
class _Given:
    """A solution that came with a request."""

    archive: Archive
    solution: Solution
    file: bytes


def _given(session: Session, arguments: Arguments) -> _Given:
    """The file of the request, or the one that was staged before and that `SolutionParameters` names."""
    text = arguments.optional_text("CustomizationFile")
    if text:
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise InvalidRequest("'CustomizationFile' holds the zip of a solution in base64.") from None
    else:
        data = _staged(session, arguments)
    archive = open_archive("CustomizationFile", data)
    return _Given(archive, read_solution(archive), data)


def _staged(session: Session, arguments: Arguments) -> bytes:
    parameters = arguments.optional_object("SolutionParameters") or {}
    upload = parse_guid(str(parameters.get("StageSolutionUploadId") or ""))
    if upload is None:
        raise InvalidRequest(
            "The solution is missing: give its zip in 'CustomizationFile', or the StageSolutionUploadId of a staged "
            "one in 'SolutionParameters'."
        )
    return staged_file(session, upload)


# --- import --------------------------------------------------------------------------------------------------------


def _import(session: Session, arguments: Arguments) -> Result:
    given = _given(session, arguments)
    job = _begin(session, arguments, given.solution)
    options = ImportOptions(arguments.flag("OverwriteUnmanagedCustomizations"), arguments.flag("HoldingSolution"))
    imported = import_solution(session, given.solution, given.archive, options)
    complete_job(session, job, given.solution, imported.solution, imported.steps)
    return None


def _upgrade(session: Session, arguments: Arguments) -> Result:
    given = _given(session, arguments)
    job = _begin(session, arguments, given.solution)
    overwrites = arguments.flag("OverwriteUnmanagedCustomizations")
    imported, _ = stage_and_upgrade(session, given.solution, given.archive, overwrites=overwrites)
    complete_job(session, job, given.solution, imported.solution, imported.steps)
    return {"SolutionId": imported.solution}


def _begin(session: Session, arguments: Arguments, solution: Solution) -> Row:
    require_privilege(session.caller, IMPORT_PRIVILEGE)
    return begin_job(session, solution, _job_id(arguments), "Import")


def _job_id(arguments: Arguments) -> Guid | None:
    return arguments.guid("ImportJobId") if arguments.values.get("ImportJobId") is not None else None


def _import_later(session: Session, arguments: Arguments) -> Result:
    return _later(session, arguments, Work.IMPORT)


def _upgrade_later(session: Session, arguments: Arguments) -> Result:
    return _later(session, arguments, Work.UPGRADE)


def _later(session: Session, arguments: Arguments, work: Work) -> Result:
    """Check what can be checked at once, and queue the rest."""
    given = _given(session, arguments)
    job = _begin(session, arguments, given.solution)
    options: dict[str, object] = {
        "job": job.id,
        "overwrites": arguments.flag("OverwriteUnmanagedCustomizations"),
        "holding": arguments.flag("HoldingSolution"),
    }
    operation = queue(session, Order(work, given.solution.unique_name, options, given.file))
    return {"ImportJobKey": job.id, "AsyncOperationId": operation}


def _stage(session: Session, arguments: Arguments) -> Result:
    """What an import would do. The file is kept for `ImportSolutionAsync`; nothing else is changed."""
    given = _given(session, arguments)
    planned = plan_import(session, given.solution)
    upload = queue(session, Order(Work.IMPORT, given.solution.unique_name, {}, given.file), waits=True)
    return {
        "StageSolutionResults": {
            "StageSolutionUploadId": upload,
            "StageSolutionStatus": "Passed",
            "SolutionDetails": {
                "SolutionUniqueName": given.solution.unique_name,
                "SolutionVersion": given.solution.version,
                "IsManaged": given.solution.is_managed,
            },
            "Steps": [_shown(step) for step in planned.steps],
            "MissingDependencies": [
                {"Kind": each.kind, "Name": each.name, "Solution": each.solution}
                for each in given.solution.dependencies
            ],
        }
    }


def _shown(step: Step) -> Json:
    return {"Kind": step.kind, "Name": step.name, "Verdict": step.verdict.value, "Note": step.note}


def _result(session: Session, arguments: Arguments) -> Result:
    return result_of(session, arguments.guid("ImportJobId"))


def _formatted(session: Session, arguments: Arguments) -> Result:
    job_id = arguments.guid("ImportJobId")
    require(session, session.table("importjob"), job_id, Rights.READ)
    row = session.transaction.row(session.table("importjob"), job_id)
    return {"FormattedResults": "" if row is None else str(row.values.get("data") or "")}


# --- export --------------------------------------------------------------------------------------------------------


def _export(session: Session, arguments: Arguments) -> Result:
    data = export_solution(session, arguments.text("SolutionName"), as_managed=arguments.flag("Managed"))
    return {"ExportSolutionFile": base64.b64encode(data).decode()}


def _export_later(session: Session, arguments: Arguments) -> Result:
    name = arguments.text("SolutionName")
    require_privilege(session.caller, "prvExportCustomization")
    known_solution(session, name)
    operation = queue(session, Order(Work.EXPORT, name, {"managed": arguments.flag("Managed")}))
    return {"AsyncOperationId": operation, "ExportJobId": operation}


def _download(session: Session, arguments: Arguments) -> Result:
    return {"ExportSolutionFile": base64.b64encode(exported_file(session, arguments.guid("ExportJobId"))).decode()}


# --- components ----------------------------------------------------------------------------------------------------


def _add(session: Session, arguments: Arguments) -> Result:
    solution = open_solution(session, arguments.text("SolutionUniqueName"))
    is_whole = not arguments.flag("DoNotIncludeSubcomponents")
    component = Component(arguments.integer("ComponentType"), arguments.guid("ComponentId"), is_whole)
    demand_known(session, component)
    if arguments.flag("AddRequiredComponents"):
        for needed in required_by(session, component):
            add_component(session, solution, needed)
    return {"id": add_component(session, solution, component)}


def _remove(session: Session, arguments: Arguments) -> Result:
    """`SolutionComponent` names, as clients have it, either the row in `solutioncomponent` or the component itself."""
    solution = open_solution(session, arguments.text("SolutionUniqueName"))
    kind, named = arguments.integer("ComponentType"), arguments.reference("SolutionComponent").id
    row = session.transaction.row(session.table("solutioncomponent"), named)
    object_id = row.values.get("objectid") if row is not None else named
    if not isinstance(object_id, str) or not remove_component(session, solution, Component(kind, Guid(object_id))):
        raise NotFound(f"The solution '{arguments.text('SolutionUniqueName')[:100]}' has no component {named}.")
    return {"id": named}


_QUEUED = {"ImportJobKey": "Edm.String", "AsyncOperationId": "Edm.Guid"}

OPERATIONS: tuple[Operation, ...] = (
    Operation("ImportSolution", False, _import, (*_IMPORT, _HOLDING)),
    action("ImportSolutionAsync", _import_later, *_IMPORT, _HOLDING, properties=_QUEUED),
    action("StageAndUpgrade", _upgrade, *_IMPORT, properties={"SolutionId": "Edm.Guid"}),
    action("StageAndUpgradeAsync", _upgrade_later, *_IMPORT, properties=_QUEUED),
    Operation(
        "StageSolution",
        False,
        _stage,
        (_FILE,),
        result="StageSolutionResponse",
        properties={"StageSolutionResults": "mscrm.StageSolutionResults"},
    ),
    function(
        "RetrieveSolutionImportResult",
        _result,
        Parameter("ImportJobId", Kind.GUID),
        properties={"SolutionOperationResult": "mscrm.SolutionOperationResult"},
    ),
    function(
        "RetrieveFormattedImportJobResults",
        _formatted,
        Parameter("ImportJobId", Kind.GUID),
        properties={"FormattedResults": "Edm.String"},
    ),
    action("ExportSolution", _export, *_EXPORT, properties={"ExportSolutionFile": "Edm.Binary"}),
    action(
        "ExportSolutionAsync",
        _export_later,
        *_EXPORT,
        properties={"AsyncOperationId": "Edm.Guid", "ExportJobId": "Edm.Guid"},
    ),
    action(
        "DownloadSolutionExportData",
        _download,
        Parameter("ExportJobId", Kind.GUID),
        properties={"ExportSolutionFile": "Edm.Binary"},
    ),
    action(
        "AddSolutionComponent",
        _add,
        Parameter("ComponentId", Kind.GUID),
        Parameter("ComponentType", Kind.INTEGER),
        Parameter("SolutionUniqueName", Kind.STRING),
        Parameter("AddRequiredComponents", Kind.BOOLEAN, required=False),
        Parameter("DoNotIncludeSubcomponents", Kind.BOOLEAN, required=False),
        Parameter("IncludedComponentSettingsValues", Kind.STRINGS, required=False),
        properties={"id": "Edm.Guid"},
    ),
    action(
        "RemoveSolutionComponent",
        _remove,
        Parameter("SolutionComponent", Kind.REFERENCE),
        Parameter("ComponentType", Kind.INTEGER),
        Parameter("SolutionUniqueName", Kind.STRING),
        properties={"id": "Edm.Guid"},
    ),
)
