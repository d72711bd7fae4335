"""How what a solution says of a component meets what is there: which layer it makes, and what then holds.

Unmanaged solutions write what they say: they are customizations. A managed one puts its layer in its place, and what
was customized here stays on top of it, property by property, unless the importer overwrites customizations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from strongroom.ids import Guid
from strongroom.solutions.definitions import Definition, changed, merged
from strongroom.solutions.layers import ComponentKey, LayerFacts, Layers, own_layer
from strongroom.solutions.managed_properties import not_customizable, refusal


@dataclass(slots=True)
class Layering:
    """The layers of an environment as one import sees them."""

    layers: Layers
    is_managed: bool
    solution: Guid | None = None
    """The row of the solution, when it is there already."""

    maker: Guid | None = None
    """Its publisher, when it is there already."""

    makers: Mapping[Guid, Guid] = field(default_factory=dict[Guid, Guid])
    """The publishers of all solutions."""

    held: frozenset[ComponentKey] = frozenset()
    """What the solution has already. Where it has no layer, it came before there were layers."""

    overwrites: bool = False
    brought: dict[ComponentKey, LayerFacts] = field(default_factory=dict[ComponentKey, LayerFacts])
    """What the solution says of each component, for its own layers."""

    met: dict[ComponentKey, Definition] = field(default_factory=dict[ComponentKey, Definition])
    """What holds of each component that was there before."""

    def bring(
        self,
        component: ComponentKey,
        name: str,
        theirs: Definition,
        withheld: tuple[str, ...] = (),
    ) -> None:
        """Note what the solution says of a component that it makes."""
        self.brought.setdefault(component, LayerFacts(component, name, theirs, withheld))

    def settle(
        self,
        component: ComponentKey,
        name: str,
        mine: Definition,
        theirs: Definition,
        withheld: tuple[str, ...] = (),
    ) -> tuple[Definition, str]:
        """What holds of a component that is there as `mine` when the solution says `theirs`, and a note for people.

        Raises `InvalidRequest` when another maker has switched off what would change.
        """
        self.brought[component] = LayerFacts(component, name, theirs, withheld)
        result, note = self._settled(component, name, mine, theirs)
        self.met[component] = result
        return result, note

    def _settled(
        self, component: ComponentKey, name: str, mine: Definition, theirs: Definition
    ) -> tuple[Definition, str]:
        known = self.layers.get(component, ())
        if not self.is_managed:
            self._demand_free(component, name, mine, theirs)
            return theirs, ""
        own = own_layer(known, self.solution)
        above = [layer for layer in known if own is not None and layer.order > own.order]
        if above:
            return mine, f"below the layer of {above[-1].solution_name}"
        if known and own is None:
            self._demand_free(component, name, known[-1].definition, theirs)
        top = own or (known[-1] if known else None)
        if self.overwrites or (top is None and component in self.held):
            return theirs, ""
        if top is None:
            return mine, "" if mine == theirs else "customized here, which stays on top"
        result = merged(top.definition, mine, theirs)
        kept = changed(result, theirs)
        return result, f"customized here, which stays on top: {', '.join(kept)}" if kept else ""

    def _demand_free(self, component: ComponentKey, name: str, before: Definition, after: Definition) -> None:
        known = self.layers.get(component, ())
        if not known or (
            self.is_managed and self.maker is not None and self.makers.get(known[0].solution) == self.maker
        ):
            return
        properties = changed(before, after)
        forbidden = refusal(known[0].withheld, properties)
        if forbidden is not None:
            raise not_customizable("component", name, forbidden, ", ".join(properties))
