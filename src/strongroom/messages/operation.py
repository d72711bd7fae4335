"""What a message is: a name, typed parameters, and one function that does it.

The web layer reads calls (`F(A='x')`, `{"A": "x"}`) into `Arguments` by the declared kinds and shows the result;
`$metadata` lists exactly the operations that are registered (WA-65).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import cast

from strongroom.clock import moment_of
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.records import Session


class Kind(Enum):
    """How an argument is written and what it becomes."""

    STRING = "Edm.String"
    GUID = "Edm.Guid"
    INTEGER = "Edm.Int32"
    BOOLEAN = "Edm.Boolean"
    REFERENCE = "mscrm.crmbaseentity"  # {"@odata.id": …} or an entity with its key → Reference
    REFERENCES = "Collection(mscrm.crmbaseentity)"
    STRINGS = "Collection(Edm.String)"
    ENUM = "enum"  # NS.Type'Name' → the name
    COMPLEX = "complex"  # a JSON object
    COMPLEXES = "Collection(complex)"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `type` is its name in `$metadata` where the kind does not say it all."""

    name: str
    kind: Kind
    required: bool = True
    type: str | None = None


ANY_TABLE = "crmbaseentity"
"""What a collection whose rows may be of any table is of."""

Json = Mapping[str, object]
Result = Json | None


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one call, typed by their kinds. `target` is the row that a bound operation is called on."""

    values: Mapping[str, object]
    target: Reference | None = None

    def bound(self) -> Reference:
        """The row that the operation is bound to."""
        if self.target is None:
            raise InvalidRequest("This operation is called on a row.")
        return self.target

    def text(self, name: str) -> str:
        return cast(str, self.values[name])

    def optional_text(self, name: str) -> str | None:
        return cast("str | None", self.values.get(name))

    def guid(self, name: str) -> Guid:
        return cast(Guid, self.values[name])

    def reference(self, name: str) -> Reference:
        return cast(Reference, self.values[name])

    def optional_reference(self, name: str) -> Reference | None:
        return cast("Reference | None", self.values.get(name))

    def references(self, name: str) -> list[Reference]:
        return cast("list[Reference]", self.values[name])

    def strings(self, name: str) -> list[str]:
        return cast("list[str]", self.values[name])

    def object(self, name: str) -> Json:
        return cast(Json, self.values[name])

    def optional_object(self, name: str) -> Json | None:
        return cast("Json | None", self.values.get(name))

    def integer(self, name: str) -> int:
        return cast(int, self.values[name])

    def moment(self, name: str) -> datetime:
        """A text that is a time with its zone. Raises `InvalidRequest`."""
        text = self.text(name)
        moment = moment_of(text)
        if moment is None:
            raise InvalidRequest(
                f"{name} must be a time with its zone, such as 2024-05-01T10:15:00Z, not '{text[:40]}'."
            )
        return moment

    def flag(self, name: str) -> bool:
        return self.values.get(name) is True

    def objects(self, name: str) -> list[Json]:
        return cast("list[Json]", self.values[name])


@dataclass(frozen=True, slots=True)
class Operation:
    """A function (GET, changes nothing) or an action (POST).

    `bound_to` are the tables on whose rows it is called, empty when it is unbound. `result` names the complex type of
    the answer in `$metadata`, with its properties and their types; None answers 204. `collection_of` is set when the
    answer is a collection of rows of that table.
    """

    name: str
    is_function: bool
    run: Callable[[Session, Arguments], Result]
    parameters: tuple[Parameter, ...] = ()
    bound_to: tuple[str, ...] = ()
    result: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    collection_of: str | None = None
    is_own: bool = False
    own_name: str | None = None
    """The name in the namespace `Strongroom`, where it is not the one in URLs without `sr_`."""
    is_accepted: bool = False
    """Its work is done after the answer, which is 202 and says where to look."""

    changes: bool = False
    """A function that the documentation calls one although it changes rows."""

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of this name, whose case matters."""
        return next((p for p in self.parameters if p.name == name), None)


def function(
    name: str,
    run: Callable[[Session, Arguments], Result],
    *parameters: Parameter,
    properties: Mapping[str, str],
    bound_to: tuple[str, ...] = (),
    is_own: bool = False,
) -> Operation:
    """A function with a complex result called `<name>Response`."""
    return Operation(name, True, run, parameters, bound_to, f"{name}Response", properties, is_own=is_own)


def action(
    name: str,
    run: Callable[[Session, Arguments], Result],
    *parameters: Parameter,
    properties: Mapping[str, str] | None = None,
    bound_to: tuple[str, ...] = (),
) -> Operation:
    """An action; with `properties` it answers a `<name>Response`, else 204."""
    result = f"{name}Response" if properties is not None else None
    return Operation(name, False, run, parameters, bound_to, result, properties or {})
