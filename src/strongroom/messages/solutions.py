"""Solutions over the Web API: `ImportSolution`, `StageSolution` (WA-405).

`CustomizationFile` is the zip in base64, as every client sends it. An import is one transaction; `importjob` rows do not
exist, so `ImportJobId` is taken and not used.
"""

import base64
import binascii

from strongroom.errors import InvalidRequest
from strongroom.messages.operation import Arguments, Json, Kind, Operation, Parameter, Result
from strongroom.records import Session
from strongroom.solutions import Archive, Step, import_solution, open_archive, plan_import, read_solution

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
)
