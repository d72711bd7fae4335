"""`?sql=` → the query AST (WA-270 to WA-277): one SELECT over tables and columns of the schema, nothing else."""

from strongroom.query.ast import ReadContext, Select
from strongroom.schema.model import Schema


def read_sql(schema: Schema, text: str, context: ReadContext) -> Select:
    """Read `text`; `QueryError` names what is not part of the language and where it stands, where that is known.

    The parser's library is loaded with the first query: it would make up a tenth of the time that a server takes to
    start, and most servers never see SQL.
    """
    from strongroom.query.sql.reader import read_select

    return read_select(schema, text, context)


__all__ = ["read_sql"]
