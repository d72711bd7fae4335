"""Solutions over the Web API: `ImportSolution`, `StageSolution`, `ExportSolution` and what a solution has (WA-405).

`CustomizationFile` is the zip in base64, as every client sends it. An import is one transaction; rows of `importjob` do
not exist, so `ImportJobId` is taken and not used.
"""

import base64
import binascii

from strongroom.errors import InvalidRequest, NotFound
from strongroom.ids import Guid
from strongroom.messages.operation import Arguments, Json, Kind, Operation, Parameter, Result, action
from strongroom.records import Session, require
from strongroom.schema.model import Rights
from strongroom.solutions import (
    Archive,
    Step,
    export_solution,
    find_solution,
    import_solution,
    open_archive,
    plan_import,
    read_solution,
)
from strongroom.solutions.contents import Component, add_component, demand_known, remove_component

_FILE = Parameter("CustomizationFile", Kind.STRING, type="Edm.Binary")


def _archive(arguments: Arguments) -> Archive:
    try:
        data = base64.b64decode(arguments.text("CustomizationFile"), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest("'CustomizationFile' holds the zip of a solution in base64.") from None
    return open_archive("CustomizationFile", data)


def _import(session: Session, arguments: Arguments) -> Result:
    archive = _archive(arguments)
    import_solution(session, read_solution(archive), archive)
    return None


def _stage(session: Session, arguments: Arguments) -> Result:
    """What an import would do; nothing is changed."""
    solution = read_solution(_archive(arguments))
    planned = plan_import(session, solution)
    return {
        "StageSolutionResults": {
            "SolutionDetails": {
                "SolutionUniqueName": solution.unique_name,
                "SolutionVersion": solution.version,
                "IsManaged": solution.is_managed,
            },
            "Steps": [_shown(step) for step in planned.steps],
            "MissingDependencies": [
                {"Kind": each.kind, "Name": each.name, "Solution": each.solution} for each in solution.dependencies
            ],
        }
    }


def _export(session: Session, arguments: Arguments) -> Result:
    data = export_solution(session, arguments.text("SolutionName"), as_managed=arguments.flag("Managed"))
    return {"ExportSolutionFile": base64.b64encode(data).decode()}


def _add(session: Session, arguments: Arguments) -> Result:
    solution = _unmanaged(session, arguments)
    is_whole = not arguments.flag("DoNotIncludeSubcomponents")
    component = Component(arguments.integer("ComponentType"), arguments.guid("ComponentId"), is_whole)
    demand_known(session, component)
    return {"id": add_component(session, solution, component)}


def _remove(session: Session, arguments: Arguments) -> Result:
    """`SolutionComponent` names, as clients have it, either the row in `solutioncomponent` or the component itself."""
    solution = _unmanaged(session, arguments)
    kind, named = arguments.integer("ComponentType"), arguments.reference("SolutionComponent").id
    row = session.transaction.row(session.table("solutioncomponent"), named)
    object_id = row.values.get("objectid") if row is not None else named
    if not isinstance(object_id, str) or not remove_component(session, solution, Component(kind, Guid(object_id))):
        raise NotFound(f"The solution '{arguments.text('SolutionUniqueName')[:100]}' has no component {named}.")
    return {"id": named}


def _unmanaged(session: Session, arguments: Arguments) -> Guid:
    """The id of the solution that an action changes."""
    name = arguments.text("SolutionUniqueName")
    solution = find_solution(session, name)
    if solution is None:
        raise NotFound(f"There is no solution '{name[:100]}'.")
    if solution.values.get("ismanaged") is True:
        raise InvalidRequest(f"The solution '{name}' is managed: what it has comes with its import.")
    require(session, solution.table, solution.id, Rights.WRITE)
    return solution.id


def _shown(step: Step) -> Json:
    return {"Kind": step.kind, "Name": step.name, "Verdict": step.verdict.value, "Note": step.note}


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "ImportSolution",
        False,
        _import,
        (
            _FILE,
            Parameter("ImportJobId", Kind.GUID, required=False),
            Parameter("OverwriteUnmanagedCustomizations", Kind.BOOLEAN, required=False),
            Parameter("PublishWorkflows", Kind.BOOLEAN, required=False),
        ),
    ),
    Operation(
        "StageSolution",
        False,
        _stage,
        (_FILE,),
        result="StageSolutionResponse",
        properties={"StageSolutionResults": "mscrm.StageSolutionResults"},
    ),
    action(
        "ExportSolution",
        _export,
        Parameter("SolutionName", Kind.STRING),
        Parameter("Managed", Kind.BOOLEAN, required=False),
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
