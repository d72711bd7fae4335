"""`MSCRM.SolutionUniqueName`: what a metadata request makes becomes part of a solution (WA-351)."""

from collections.abc import Iterator

from strongroom.errors import InvalidRequest
from strongroom.ids import Guid
from strongroom.records import Session, require
from strongroom.schema.model import Rights, Schema
from strongroom.solutions.contents import Component, add_components, find_solution
from strongroom.solutions.definitions import CHOICE, COLUMN, RELATIONSHIP, TABLE
from strongroom.webapi.exchange import Exchange


def named_solution(exchange: Exchange, session: Session) -> Guid | None:
    """The unmanaged solution that the header names, or the query option that a client sends in its place. 400 when
    there is no such solution, or it is managed."""
    custom = exchange.options.custom
    name = (exchange.request.header("mscrm.solutionuniquename") or custom.get("SolutionUniqueName", "")).strip()
    if not name:
        return None
    solution = find_solution(session, name)
    if solution is None:
        raise InvalidRequest(f"There is no solution '{name[:100]}'.")
    if solution.values.get("ismanaged") is True:
        raise InvalidRequest(f"The solution '{name[:100]}' is managed: what it has comes with its import.")
    require(session, solution.table, solution.id, Rights.WRITE)
    return solution.id


def add_made_parts(session: Session, solution: Guid, before: Schema) -> None:
    """Put what `session.schema` has, and `before` had not, into the solution."""
    add_components(session, solution, tuple(_made(before, session.schema)))


def _made(before: Schema, after: Schema) -> Iterator[Component]:
    for name, table in after.tables.items():
        known = before.tables.get(name)
        if known is None:
            if not table.is_intersect:
                yield Component(TABLE, table.metadata_id)
            continue
        for column in table.columns.values():
            if column.logical_name not in known.columns:
                yield Component(COLUMN, column.metadata_id)
    for name, relationship in after.relationships.items():
        ends = {relationship.referencing_table, relationship.referenced_table}
        if name not in before.relationships and ends <= before.tables.keys():  # others came with a table
            yield Component(RELATIONSHIP, relationship.metadata_id)
    for name, association in after.many_to_many.items():
        if name not in before.many_to_many:
            yield Component(RELATIONSHIP, association.metadata_id)
    for name, choice in after.choices.items():
        if name not in before.choices:
            yield Component(CHOICE, choice.metadata_id)
