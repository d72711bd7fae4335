"""What every part of the compiler writes into: the parameters of the statement, and the names in force.

A `Writer` belongs to one statement. A `Scope` says what the aliases of the query mean at one place of it; SQL aliases
are made here (`t0`, `t1`, …), so that no text of a caller becomes an identifier.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from strongroom.access.plan import Plan
from strongroom.errors import IntegrityViolation
from strongroom.query.ast import Expression, Predicate
from strongroom.schema.model import Schema, Table
from strongroom.store.column_keys import ColumnKeys
from strongroom.store.compile.shape import Shape
from strongroom.store.compile.values import Encode, same
from strongroom.store.dialect import Dialect, Kind, quote

_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: the place of its value in the shape's values, and how it is bound."""

    place: int
    encode: Encode


@dataclass(frozen=True, slots=True)
class Bound:
    """A table under an SQL alias."""

    table: Table
    sql: str
    hidden: bool = False
    """Whether conditions on its columns must not draw an index (SQLite has no statistics to judge them by)."""
    exposed: frozenset[str] = _NOTHING
    """Columns that may draw an index all the same."""

    principal: str | None = None
    """The alias of the owner's row in `principal`, where the statement joins it."""
    owning_unit: str | None = None
    """The alias of the owning unit's row in `businessunit`, where the statement joins it."""

    def column(self, name: str) -> str:
        return f"{self.sql}.{quote(name)}"


@dataclass(frozen=True, slots=True)
class Scope:
    """The meaning of aliases. Inside the predicates of a plan, `by_plan` is set: security is not asked again."""

    names: Mapping[str, Bound]
    by_plan: bool = False
    under_not: bool = False
    """Whether unknown and false differ here: then a condition may not be replaced by one that is false for null."""

    @classmethod
    def of_plan(cls, bound: Bound) -> "Scope":
        """The scope of a plan's predicates over `bound`. Branches are negated to keep terms apart, so null counts."""
        return cls({"": bound}, by_plan=True, under_not=True)

    def __getitem__(self, alias: str) -> Bound:
        found = self.names.get(alias)
        if found is None:
            raise IntegrityViolation(f"The query names the alias {alias!r}, which no source has.")
        return found

    def within(self, alias: str, bound: Bound) -> "Scope":
        """This scope with one more (or another) meaning."""
        return replace(self, names={**self.names, alias: bound})


@dataclass(slots=True)
class Writer:
    """One statement while it is written."""

    dialect: Dialect
    schema: Schema
    plans: Mapping[str, Plan]
    shape: Shape
    write: "WritePredicate"
    hidden: frozenset[Expression] = frozenset()
    """Outputs that are null for this caller (`PlannedSelect.hidden`)."""
    unmasked: frozenset[Expression] = frozenset()
    """Outputs without their masks (`PlannedSelect.unmasked`)."""
    keys: ColumnKeys = field(default_factory=ColumnKeys)
    """What opens the values of encrypted columns."""

    parameters: list[Parameter] = field(default_factory=list[Parameter])
    _numbers: dict[Parameter, int] = field(default_factory=dict[Parameter, int])
    _aliases: int = 0

    def number(self, place: int, encode: Encode) -> int:
        """The number of the parameter with this value; the same value bound the same way is one parameter."""
        parameter = Parameter(place, encode)
        known = self._numbers.get(parameter)
        if known is None:
            self.parameters.append(parameter)
            known = self._numbers[parameter] = len(self.parameters)
        return known

    def bind(self, place: int, kind: Kind, encode: Encode = same) -> str:
        """A placeholder for the value at `place`."""
        return self.dialect.placeholder(self.number(place, encode), kind)

    def condition(self, scope: Scope, node: Predicate) -> str:
        """A predicate as SQL (`predicates.predicate`, handed in because joins and plans hold predicates and the
        reverse)."""
        return self.write(self, scope, node)

    def bound(self, table: Table) -> Bound:
        """`table` under a new SQL alias."""
        return Bound(table, self.next_alias())

    def next_alias(self) -> str:
        """An SQL alias that the statement does not have yet."""
        self._aliases += 1
        return f"t{self._aliases - 1}"

    def plan(self, alias: str) -> Plan:
        """The plan that guards `alias`; a source without one does not compile."""
        found = self.plans.get(alias)
        if found is None:
            raise IntegrityViolation(f"The source {alias!r} has no plan.")
        return found.required()


WritePredicate = Callable[[Writer, Scope, Predicate], str]
