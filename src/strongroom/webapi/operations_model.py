"""Functions and actions as `$metadata` lists them (WA-65)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListedParameter:
    """One parameter. `type` is written as in CSDL: `Edm.String`, `mscrm.systemuser`, `Collection(Edm.String)`."""

    name: str
    type: str
    is_nullable: bool = True


@dataclass(frozen=True, slots=True)
class ListedComplexType:
    """A complex type that operations take or answer: names of properties and their types, in order. `is_own` types are
    of the namespace `Strongroom`, whichever operation uses them."""

    name: str
    properties: tuple[tuple[str, str], ...]
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class ListedEnumType:
    """An enumeration that operations take or answer: names of members and their values, in order."""

    name: str
    members: tuple[tuple[str, int], ...]
    is_flags: bool = False


@dataclass(frozen=True, slots=True)
class ListedOperation:
    """A function or an action that the server implements.

    `binding_type` is the type that a bound operation is called on (`mscrm.systemuser`), None for an unbound one.
    `return_type` is None when nothing is answered. `import_name` is the name in URLs of an unbound operation, when it
    differs from `name`. Own operations (`is_own`) are listed in the namespace `Strongroom` (WA-410).
    """

    name: str
    is_function: bool
    parameters: tuple[ListedParameter, ...] = ()
    return_type: str | None = None
    binding_type: str | None = None
    complex_types: tuple[ListedComplexType, ...] = ()
    enum_types: tuple[ListedEnumType, ...] = ()
    import_name: str | None = None
    is_own: bool = False

    @property
    def is_bound(self) -> bool:
        return self.binding_type is not None
