"""What becomes of solutions once they are here: upgrades, patches, removal, and customizations of managed components
(WA-405)."""

from strongroom.access.resolve import require_privilege
from strongroom.errors import InvalidRequest
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action, function
from strongroom.records import Session, require
from strongroom.schema.model import Rights
from strongroom.solutions.customizing import is_customizable, remove_customizations
from strongroom.solutions.importing import IMPORT_PRIVILEGE
from strongroom.solutions.layers import TYPES_BY_NAME
from strongroom.solutions.operations import Order, Work, known_solution, queue
from strongroom.solutions.patches import clone_as_patch, clone_as_solution
from strongroom.solutions.upgrading import promote

_CLONE = (
    Parameter("ParentSolutionUniqueName", Kind.STRING),
    Parameter("DisplayName", Kind.STRING),
    Parameter("VersionNumber", Kind.STRING),
)


def _promote(session: Session, arguments: Arguments) -> Result:
    solution, _ = promote(session, arguments.text("UniqueName"))
    return {"SolutionId": solution}


def _promote_later(session: Session, arguments: Arguments) -> Result:
    require_privilege(session.caller, IMPORT_PRIVILEGE)
    name = arguments.text("UniqueName")
    known_solution(session, name)
    return {"AsyncOperationId": queue(session, Order(Work.PROMOTE, name, {}))}


def _uninstall_later(session: Session, arguments: Arguments) -> Result:
    name = arguments.text("SolutionUniqueName")
    row = known_solution(session, name)
    require(session, row.table, row.id, Rights.DELETE)
    return {"AsyncOperationId": queue(session, Order(Work.UNINSTALL, name, {}))}


def _patch(session: Session, arguments: Arguments) -> Result:
    parent, title, version = (arguments.text(each.name) for each in _CLONE)
    return {"SolutionId": clone_as_patch(session, parent, title, version)}


def _clone(session: Session, arguments: Arguments) -> Result:
    parent, title, version = (arguments.text(each.name) for each in _CLONE)
    return {"SolutionId": clone_as_solution(session, parent, title, version)}


def _remove_customizations(session: Session, arguments: Arguments) -> Result:
    name = arguments.text("SolutionComponentName")
    kind = TYPES_BY_NAME.get(name)
    if kind is None:
        raise InvalidRequest(
            f"'{name[:100]}' is no component that has layers here; there are {', '.join(sorted(TYPES_BY_NAME))}."
        )
    remove_customizations(session, (kind, arguments.guid("ComponentId")))
    return None


def _is_customizable(session: Session, arguments: Arguments) -> Result:
    component = (arguments.integer("ComponentType"), arguments.guid("ComponentId"))
    return {"IsComponentCustomizable": is_customizable(session, component)}


OPERATIONS: tuple[Operation, ...] = (
    action("DeleteAndPromote", _promote, Parameter("UniqueName", Kind.STRING), properties={"SolutionId": "Edm.Guid"}),
    action(
        "DeleteAndPromoteAsync",
        _promote_later,
        Parameter("UniqueName", Kind.STRING),
        properties={"AsyncOperationId": "Edm.Guid"},
    ),
    action(
        "UninstallSolutionAsync",
        _uninstall_later,
        Parameter("SolutionUniqueName", Kind.STRING),
        properties={"AsyncOperationId": "Edm.Guid"},
    ),
    action("CloneAsPatch", _patch, *_CLONE, properties={"SolutionId": "Edm.Guid"}),
    action("CloneAsSolution", _clone, *_CLONE, properties={"SolutionId": "Edm.Guid"}),
    action(
        "RemoveActiveCustomizations",
        _remove_customizations,
        Parameter("SolutionComponentName", Kind.STRING),
        Parameter("ComponentId", Kind.GUID),
    ),
    function(
        "IsComponentCustomizable",
        _is_customizable,
        Parameter("ComponentId", Kind.GUID),
        Parameter("ComponentType", Kind.INTEGER),
        properties={"IsComponentCustomizable": "Edm.Boolean"},
    ),
)
