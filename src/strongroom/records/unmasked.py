"""Reading values unmasked: asked for by the request, allowed by the column's permissions, and audited (SM-138).

A mask that is not asked away stays, and so does one that the caller may not look behind: neither is an error.
"""

from collections.abc import Sequence
from dataclasses import replace

from strongroom.access.plan import ColumnAccess
from strongroom.access.planned import PlannedSelect, planned
from strongroom.ids import Guid, Reference
from strongroom.query.ast import Field, Output, Select
from strongroom.records.session import Session
from strongroom.records.trail import record_unmasked
from strongroom.store.protocol import Value

_ONE = ColumnAccess.READ_UNMASKED_ONE
_NO_ALIASES: frozenset[str] = frozenset()


def planned_for(
    session: Session, select: Select, *, one_row: bool, watched: frozenset[str] = _NO_ALIASES
) -> PlannedSelect:
    """`select` with the plans of the session's caller. When unmasked values are asked for, the ids of the joined rows
    are among the outputs, last, and so are those of the aliases `watched`: the trail names them."""
    if session.request.unmasked:
        query = planned(select, session.caller, _ONE if one_row else ColumnAccess.READ_UNMASKED_ALL)
    elif not watched:
        return planned(select, session.caller)
    else:
        query = planned(select, session.caller)
    aliases = watched | {expression.alias for expression in query.unmasked if isinstance(expression, Field)} - {""}
    if not aliases:
        return query
    tables = {alias: query.plans[alias].table for alias in sorted(aliases)}
    ids = tuple(Output(f"~{alias}", Field(alias, table.id_column)) for alias, table in tables.items())
    return replace(query, select=replace(select, outputs=(*select.outputs, *ids)))


def tell(session: Session, query: PlannedSelect, rows: Sequence[tuple[Value, ...]]) -> None:
    """Record each unmasked value of `rows`, the answer of `query`; empty values hide nothing."""
    outputs = query.select.outputs
    root_at = len(outputs) + len(query.select.order)
    places = {output.expression: at for at, output in enumerate(outputs)}
    shown: dict[Reference, dict[str, None]] = {}
    for expression in query.unmasked:
        if not isinstance(expression, Field):
            continue
        table = query.plans[expression.alias].table
        at = places[expression]
        id_at = root_at if expression.alias == "" else places[Field(expression.alias, table.id_column)]
        for row in rows:
            if row[at] is not None:
                read = shown.setdefault(Reference(table.logical_name, Guid(str(row[id_at]))), {})
                read[expression.column.logical_name] = None
    record_unmasked(session, {row: tuple(columns) for row, columns in shown.items()})
