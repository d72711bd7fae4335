"""Owner columns among the outputs: the rows of `principal` and `businessunit` behind them, joined once per source.

`ownerid`, `owninguser`, `owningteam` and the owner's table come from one row of `principal`; without the join each of
them would be a look-up of its own for every row of the page.
"""

from collections.abc import Iterable
from dataclasses import replace

from strongroom.query.ast import Expression, Field, LookupName, LookupTable
from strongroom.store.compile.expressions import is_owner_column
from strongroom.store.compile.writer import Scope, Writer


def joined(writer: Writer, scope: Scope, expressions: Iterable[Expression]) -> tuple[Scope, str]:
    """The joins that `expressions` want, and the scope in which the sources know of them."""
    text = ""
    for alias, name in _wanted(scope, expressions):
        bound = scope[alias]
        number = writer.next_alias()
        if name == "owningbusinessunit":
            if bound.owning_unit is None:
                text += f" left join businessunit {number} on {number}.id = {bound.column('unit')}"
                scope = scope.within(alias, replace(bound, owning_unit=number))
        elif bound.principal is None:
            text += f" left join principal {number} on {number}.id = {bound.column('owner')}"
            scope = scope.within(alias, replace(bound, principal=number))
    return scope, text


def _wanted(scope: Scope, expressions: Iterable[Expression]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for each in expressions:
        if isinstance(each, Field | LookupTable | LookupName):
            name = each.column.logical_name
            is_unit_name = name == "owningbusinessunit" and not isinstance(each, Field)
            if is_owner_column(scope[each.alias].table, name) and not is_unit_name:
                found.append((each.alias, name))
    return found
