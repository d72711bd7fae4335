"""Statements that somebody writes by hand: which ones may be run at all.

The guard reads its sets from settings of the session. A statement that changes settings could lift it, so such a
statement is refused before it is sent.
"""

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from strongroom.errors import InvalidRequest

_LONGEST = 20_000
_CHANGES_SETTINGS = frozenset({"set_config", "set", "dblink", "pg_read_file", "lo_import", "query_to_xml"})


def demand_select(statement: str) -> None:
    """Refuse everything but one SELECT that leaves settings alone."""
    if len(statement) > _LONGEST:
        raise InvalidRequest(f"The statement is longer than {_LONGEST} characters.")
    try:
        parsed = [each for each in sqlglot.parse(statement, dialect="postgres") if each is not None]
    except (SqlglotError, RecursionError) as error:
        raise InvalidRequest(f"The statement cannot be read as SQL: {str(error).splitlines()[0]}") from None
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Query):
        raise InvalidRequest("One SELECT is run, and nothing else.")
    for call in parsed[0].find_all(exp.Anonymous):
        if str(call.this).lower().split(".")[-1] in _CHANGES_SETTINGS:
            raise InvalidRequest(f"The function {call.this} may not be called here.")
