"""Statements that somebody writes by hand: which ones may be run at all.

The guard reads its sets from settings of the session, and its role can be left, by whoever can call a function of their
choice: `set_config`, or one that runs SQL given as text. So only functions of a list are let through, whatever others a
server has; a name in quotes or of another schema is none of them.
"""

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from strongroom.errors import InvalidRequest

_LONGEST = 20_000
_OPEN: frozenset[type[exp.Func]] = frozenset(
    {
        *(exp.And, exp.Or, exp.Case, exp.If, exp.Cast, exp.Exists, exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least),
        *(exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max),
        *(exp.Lower, exp.Upper, exp.Length, exp.Trim, exp.Substring, exp.Concat, exp.Replace),
        *(exp.Abs, exp.Round, exp.Ceil, exp.Floor, exp.Extract, exp.TimestampTrunc, exp.CurrentDate),
        *(exp.CurrentTimestamp, exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead),
    }
)


def demand_select(statement: str) -> None:
    """Refuse everything but one SELECT that calls no function beyond the open ones."""
    if len(statement) > _LONGEST:
        raise InvalidRequest(f"The statement is longer than {_LONGEST} characters.")
    try:
        parsed = [each for each in sqlglot.parse(statement, dialect="postgres") if each is not None]
    except (SqlglotError, RecursionError) as error:
        raise InvalidRequest(f"The statement cannot be read as SQL: {str(error).splitlines()[0]}") from None
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Query):
        raise InvalidRequest("One SELECT is run, and nothing else.")
    for call in parsed[0].find_all(exp.Func):
        if type(call) not in _OPEN or isinstance(call.parent, exp.Dot):
            name = call.name if isinstance(call, exp.Anonymous) else call.sql_name()
            raise InvalidRequest(f"The function {name} may not be called here.")


def without_values(statement: str) -> str:
    """A statement that `demand_select` let through, with `?` in place of its values: what the trail keeps of it."""
    parsed = sqlglot.parse_one(statement, dialect="postgres")
    for literal in list(parsed.find_all(exp.Literal)):
        literal.replace(exp.Placeholder())
    return parsed.sql(dialect="postgres")
