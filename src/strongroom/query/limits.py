"""How much one query may ask for. Every reader counts with these numbers, whatever its language.

The numbers are part of the wire contract (WA-196, WA-210, WA-241); they also bound the recursion of the readers and
the size of the SQL, so that no text can exhaust the stack or the statement cache.
"""

from dataclasses import dataclass

from strongroom.errors import QueryError

MAX_CONDITIONS = 500
"""Conditions in one query, all filters together: FetchXML documents it, OData follows (WA-196)."""

MAX_NESTING = 100
"""Parentheses, lambdas or expands inside one another (WA-196). Far below Python's recursion limit."""

MAX_LAMBDA_DEPTH = 10
"""`any` and `all` inside one another. Each is a sub-select with the row security of its table; the parsers of the
databases carry about this many with certainty."""

MAX_SUB_SELECTS = 100
"""`any` and `all` in one query. Planning them costs a database more than running them: 250 took PostgreSQL seconds."""

MAX_EXPANDS = 15
"""Navigation properties in `$expand`, nested ones included (WA-210); also links of FetchXML (WA-243)."""

MAX_LIST_VALUES = 2_000
"""Values in one `in` list (WA-196)."""

MAX_JOINS = 60
"""Joined tables in one statement: SQLite takes 64 tables in a join, and the store adds its own."""

MAX_TOP = 5_000
"""Rows in one answer and in one page (WA-175, WA-230)."""


@dataclass(slots=True)
class ConditionBudget:
    """Counts the conditions of one query."""

    used: int = 0

    def spend(self, position: int | None = None) -> None:
        """Count one more condition; more than `MAX_CONDITIONS` raise `QueryError`."""
        self.used += 1
        if self.used > MAX_CONDITIONS:
            message = f"The query has more than {MAX_CONDITIONS} conditions, which is the most that one query may have."
            raise QueryError(message, position=position)
