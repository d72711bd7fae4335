"""How a part of the schema is shown: which properties it has on the wire, and where its navigation properties lead.

Properties are functions, so that a request for three of a hundred tables' properties computes only those.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

NAMESPACE = "Microsoft.Dynamics.CRM"

Item = TypeVar("Item")


class Shown(Protocol):
    """One thing that metadata requests can show, filter and expand."""

    @property
    def type_name(self) -> str:
        """The concrete type, without namespace: `StringAttributeMetadata`."""
        ...

    @property
    def is_typed(self) -> bool:
        """Whether `@odata.type` stands in every answer, because items of several types come together."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """The names of all properties, in the order of the wire."""
        ...

    def value(self, name: str) -> object:
        """The value of a property, as JSON."""
        ...

    def follow(self, name: str) -> "list[Shown] | Shown | None":
        """What a navigation property leads to."""
        ...


Follow = Callable[[Item], "list[Shown] | Shown | None"]


def _no_navigation() -> "dict[str, Follow[object]]":
    return {}


@dataclass(frozen=True, slots=True)
class Shape(Generic[Item]):
    """The properties and navigation properties of one type."""

    type_name: str
    properties: Mapping[str, Callable[[Item], object]]
    navigation: Mapping[str, "Callable[[Item], list[Shown] | Shown | None]"] = field(default_factory=_no_navigation)
    is_typed: bool = False


@dataclass(frozen=True, slots=True)
class Node(Generic[Item]):
    """An item with its shape."""

    shape: Shape[Item]
    item: Item

    @property
    def type_name(self) -> str:
        return self.shape.type_name

    @property
    def is_typed(self) -> bool:
        return self.shape.is_typed

    @property
    def names(self) -> Sequence[str]:
        return tuple(self.shape.properties)

    def value(self, name: str) -> object:
        return self.shape.properties[name](self.item)

    def follow(self, name: str) -> "list[Shown] | Shown | None":
        return self.shape.navigation[name](self.item)


@dataclass(frozen=True, slots=True)
class Declared:
    """What a request may name: the properties and navigation properties of the type that its URL leads to."""

    type_name: str
    properties: frozenset[str]
    navigation: Mapping[str, "Declared"]


def declared(type_name: str, *shapes: "Shape[Item]", navigation: Mapping[str, Declared] | None = None) -> Declared:
    """The names of all `shapes` together, under the name of their common type."""
    names = frozenset(name for shape in shapes for name in shape.properties)
    return Declared(type_name, names, navigation or {})
