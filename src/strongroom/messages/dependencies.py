"""Which component needs which: the functions that clients ask before they delete, remove or export (WA-403, WA-405)."""

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator

from strongroom.access.resolve import require_privilege
from strongroom.errors import InvalidRequest
from strongroom.messages.operation import Arguments, Json, Kind, Operation, Parameter, Result, function
from strongroom.records import Session
from strongroom.schema.stable_ids import stable_id
from strongroom.solutions import open_archive, read_solution
from strongroom.solutions.contents import Component, components_of
from strongroom.solutions.dependencies import (
    dependents_of,
    for_delete,
    for_removal,
    missing_from,
    required_of,
)
from strongroom.solutions.dependency_sources import Dependency
from strongroom.solutions.operations import known_solution
from strongroom.solutions.removing import own_components
from strongroom.solutions.requirements import missing_components

_COMPONENT = (Parameter("ObjectId", Kind.GUID), Parameter("ComponentType", Kind.INTEGER))
_SOLUTION = Parameter("SolutionUniqueName", Kind.STRING)
_INTERNAL, _PUBLISHED = 1, 2  # dependency.dependencytype


def _component(session: Session, arguments: Arguments) -> Component:
    require_privilege(session.caller, "prvReadSolution")
    return Component(arguments.integer("ComponentType"), arguments.guid("ObjectId"))


def _dependents(session: Session, arguments: Arguments) -> Result:
    return _shown(dependents_of(session, _component(session, arguments)))


def _required(session: Session, arguments: Arguments) -> Result:
    return _shown(required_of(session, _component(session, arguments)))


def _for_delete(session: Session, arguments: Arguments) -> Result:
    return _shown(for_delete(session, _component(session, arguments)))


def _for_uninstall(session: Session, arguments: Arguments) -> Result:
    require_privilege(session.caller, "prvReadSolution")
    solution = known_solution(session, arguments.text("SolutionUniqueName"))
    if solution.values.get("ismanaged") is not True:
        return _shown(())  # what an unmanaged solution has stays
    return _shown(for_removal(session, {each.id for each in own_components(session, solution.id)}))


def _missing(session: Session, arguments: Arguments) -> Result:
    require_privilege(session.caller, "prvReadSolution")
    solution = known_solution(session, arguments.text("SolutionUniqueName"))
    return _shown(missing_from(session, components_of(session, solution.id)))


def _missing_components(session: Session, arguments: Arguments) -> Result:
    require_privilege(session.caller, "prvImportCustomization")
    try:
        data = base64.b64decode(arguments.text("CustomizationFile"), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest("'CustomizationFile' holds the zip of a solution in base64.") from None
    solution = read_solution(open_archive("CustomizationFile", data))
    return {
        "MissingComponents": [
            {
                "RequiredComponent": {
                    "Type": each.type,
                    "SchemaName": each.name,
                    "DisplayName": each.name,
                    "Solution": each.solution,
                },
                "DependentComponent": {"Type": 0, "SchemaName": solution.unique_name, "Solution": solution.unique_name},
            }
            for each in missing_components(session, solution)
        ]
    }


def _shown(found: Iterable[Dependency]) -> Json:
    return {"value": list(_rows(found))}


def _rows(found: Iterable[Dependency]) -> Iterator[Json]:
    """As rows of `dependency`, with the names that its columns do not have."""
    for each in found:
        dependent, required = each.dependent, each.required
        yield {
            "dependencyid": stable_id("dependency", f"{dependent.id} {required.id}"),
            "dependencytype": _INTERNAL if each.is_internal else _PUBLISHED,
            "dependentcomponenttype": dependent.type,
            "dependentcomponentobjectid": dependent.id,
            "dependentcomponentparentid": dependent.parent,
            "requiredcomponenttype": required.type,
            "requiredcomponentobjectid": required.id,
            "requiredcomponentparentid": required.parent,
            "dependentcomponentobjectid@Strongroom.Name": f"{dependent.kind} {dependent.name}",
            "requiredcomponentobjectid@Strongroom.Name": f"{required.kind} {required.name}",
        }


def _listing(name: str, run: Callable[[Session, Arguments], Result], *parameters: Parameter) -> Operation:
    return Operation(name, True, run, parameters, collection_of="dependency")


OPERATIONS: tuple[Operation, ...] = (
    _listing("RetrieveDependentComponents", _dependents, *_COMPONENT),
    _listing("RetrieveRequiredComponents", _required, *_COMPONENT),
    _listing("RetrieveDependenciesForDelete", _for_delete, *_COMPONENT),
    _listing("RetrieveDependenciesForUninstall", _for_uninstall, _SOLUTION),
    _listing("RetrieveMissingDependencies", _missing, _SOLUTION),
    function(
        "RetrieveMissingComponents",
        _missing_components,
        Parameter("CustomizationFile", Kind.STRING, type="Edm.Binary"),
        properties={"MissingComponents": "Collection(mscrm.MissingComponent)"},
    ),
)
