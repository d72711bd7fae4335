"""A query that security has seen, the only kind that the store compiles."""

from collections.abc import Mapping
from dataclasses import dataclass

from strongroom.access.plan import Plan
from strongroom.query.ast import Select


@dataclass(frozen=True, slots=True)
class PlannedSelect:
    """A query that security has seen: every alias in `select` (joins and `Exists` included) has its read plan.

    `plans` is keyed by alias. `expands` are the planned forms of `select.expands`, in their order. A secured output
    column is null unless its plan's mask opens it (SM-132).
    """

    select: Select
    plans: Mapping[str, Plan]
    expands: tuple["PlannedSelect", ...] = ()
