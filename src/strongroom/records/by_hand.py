"""Statements that somebody writes by hand: what the trail keeps of them. Who may read what is `store.by_hand`'s."""

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

_VALUES = (
    *(exp.Literal, exp.National, exp.RawString, exp.UnicodeString),
    *(exp.HexString, exp.BitString, exp.ByteString, exp.Heredoc),
)


def without_values(statement: str) -> str:
    """A statement with `?` in place of its values; only its length where it cannot be read."""
    try:
        parsed = sqlglot.parse_one(statement, dialect="postgres")
        for value in list(parsed.find_all(*_VALUES)):
            value.replace(exp.Var(this="?"))
        return parsed.sql(dialect="postgres", comments=False)
    except (SqlglotError, RecursionError, ValueError):
        return f"a statement of {len(statement):,} characters that cannot be read"
