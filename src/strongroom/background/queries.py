"""The rows that a job is about: what a QueryExpression finds, as ids in their order."""

from collections.abc import Mapping

from strongroom.errors import InvalidRequest
from strongroom.query.ast import Field, Output, Select, Source
from strongroom.query.query_expression import read_query_expression
from strongroom.records import Session
from strongroom.records.reading_context import read_context


def ids_only(session: Session, query: Mapping[str, object]) -> Select:
    """The query for the ids alone. A job that goes on after the last id that it has reached takes all rows."""
    asked = read_query_expression(session.schema, query, read_context(session))
    if asked.top is not None:
        raise InvalidRequest("A job takes all rows that its query finds: leave out TopCount.")
    table = asked.source.table
    output = Output(table.primary_id, Field("", table.id_column))
    return Select(Source(table), (output,), joins=asked.joins, where=asked.where)
