"""Which tables may take part in relationships, as designers ask before they offer a choice (WA-408).

Every table can, on either side, but for those that hold the links of N:N relationships.
"""

from collections.abc import Callable

from strongroom.errors import InvalidRequest
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action, function
from strongroom.records import Session
from strongroom.schema.model import Table


def _table(session: Session, name: str) -> Table:
    table = session.schema.tables.get(name)
    if table is None:
        raise InvalidRequest(f"There is no table '{name[:100]}'.", code="0x80041102")
    return table


def _may(name: str) -> Operation:
    def run(session: Session, arguments: Arguments) -> Result:
        return {name: not _table(session, arguments.text("EntityName")).is_intersect}

    return action(name, run, Parameter("EntityName", Kind.STRING), properties={name: "Edm.Boolean"})


def _names(session: Session) -> list[str]:
    return sorted(name for name, table in session.schema.tables.items() if not table.is_intersect)


def _all(session: Session, _: Arguments) -> Result:
    return {"EntityNames": _names(session)}


def _beside(parameter: str) -> Callable[[Session, Arguments], Result]:
    """The names of the tables that may stand on the other side of the one that the parameter names, if it names one."""

    def run(session: Session, arguments: Arguments) -> Result:
        name = arguments.optional_text(parameter)
        is_possible = name is None or not _table(session, name).is_intersect
        return {"EntityNames": _names(session) if is_possible else []}

    return run


_ENTITY_NAMES = {"EntityNames": "Collection(Edm.String)"}

OPERATIONS: tuple[Operation, ...] = (
    _may("CanBeReferenced"),
    _may("CanBeReferencing"),
    _may("CanManyToMany"),
    function("GetValidManyToMany", _all, properties=_ENTITY_NAMES),
    *(
        function(
            f"GetValid{side}Entities",
            _beside(f"{other}EntityName"),
            Parameter(f"{other}EntityName", Kind.STRING, required=False),
            properties=_ENTITY_NAMES,
        )
        for side, other in (("Referenced", "Referencing"), ("Referencing", "Referenced"))
    ),
)
