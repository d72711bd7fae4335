"""SQL text → one parsed SELECT, and the means to take it apart without trusting it.

The parser is sqlglot's. It understands far more than the documented subset, so nothing of its tree is used unless a
reader names it: `only` refuses every clause or modifier that it is not told to expect. What is refused is named in the
words of SQL, with its place in the text where the parser kept it.
"""

from collections.abc import Mapping
from typing import Final, cast

from sqlglot import Dialect, exp
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.tokenizer_core import TokenType

from strongroom.errors import QueryError
from strongroom.query.limits import MAX_NESTING
from strongroom.query.names import shown

MAX_LENGTH: Final = 32_768
"""Characters of one statement; a URL does not hold more."""

_HIDDEN = frozenset(
    {
        *("select", "insert", "update", "delete", "drop", "truncate", "alter", "create", "exec", "execute", "grant"),
        *("revoke", "merge", "union", "declare", "bulk"),
    }
)
_CLAUSES: Mapping[str, str] = {
    "with_": "WITH (a common table expression)",
    "having": "HAVING",
    "offset": "OFFSET",
    "into": "INTO",
    "for_": "FOR",
    "hint": "a hint",
    "hints": "a table hint",
    "options": "OPTION",
    "limit_options": "PERCENT or WITH TIES",
    "db": "a table name with a schema",
    "catalog": "a table name with a database",
    "using": "USING",
    "method": "a join of this kind",
    "pivots": "PIVOT",
    "laterals": "APPLY",
    "windows": "WINDOW",
    "sample": "TABLESAMPLE",
    "joins": "a join in parentheses",
    "columns": "a list of columns behind an alias",
    "temporary": "a temporary table",
    "symmetric": "SYMMETRIC",
    "all": "GROUP BY ALL",
    "on": "ON",
    "query": "a subquery",
    "global_": "GLOBAL",
}
_CONSTRUCTS: Mapping[type[exp.Expr], str] = {
    exp.Star: "SELECT *",
    exp.Union: "UNION",
    exp.Except: "EXCEPT",
    exp.Intersect: "INTERSECT",
    exp.Subquery: "a subquery",
    exp.Select: "a subquery",
    exp.Exists: "EXISTS",
    exp.Case: "CASE",
    exp.Window: "a window function",
    exp.Lateral: "APPLY",
    exp.Escape: "ESCAPE",
    exp.Parameter: "a variable",
    exp.Rollup: "ROLLUP",
    exp.Cube: "CUBE",
    exp.GroupingSets: "GROUPING SETS",
    exp.Literal: "a literal here",
    exp.National: "a literal here",
    exp.Null: "NULL here",
    exp.Fetch: "OFFSET … FETCH",
}


def parse(text: str) -> exp.Select:
    """The one SELECT in `text`. Anything else, and whatever the parser does not understand, is a `QueryError`."""
    if len(text) > MAX_LENGTH:
        raise QueryError(f"The SQL text is longer than {MAX_LENGTH:,} characters.")
    _scan(text)
    dialect = Dialect.get_or_raise("tsql")
    try:
        tokens = dialect.tokenize(text)
        if not tokens or tokens[0].token_type is not TokenType.SELECT:
            # Decided before parsing: of other statements the parser would write the text into the log.
            first = f", not '{shown(tokens[0].text, 30)}'" if tokens else ""
            raise QueryError(f"The sql option takes one SELECT statement{first}.", position=0)
        limit = next((token for token in tokens if token.token_type is TokenType.LIMIT), None)
        if limit is not None:
            raise QueryError("LIMIT is not supported in SQL queries; use SELECT TOP n.", position=limit.start)
        statements = dialect.parser(error_level=ErrorLevel.IMMEDIATE).parse(tokens, text)
    except SqlglotError as error:
        raise _syntax_error(text, error) from error
    except RecursionError as error:
        raise QueryError("The SQL text is nested too deeply.") from error
    found = [statement for statement in statements if statement is not None]
    if len(found) != 1:
        raise QueryError("The sql option takes exactly one statement.")
    statement = found[0]
    if not isinstance(statement, exp.Select):
        raise refused(statement)
    return statement


def only(node: exp.Expr, *expected: str) -> None:
    """Refuse `node` when it has a part that is not among `expected`."""
    for name, part in node.args.items():
        if name not in expected and part not in (None, False, [], ""):
            clause = _CLAUSES.get(name, name.rstrip("_").replace("_", " ").upper())
            place = part if isinstance(part, exp.Expr) else node
            raise QueryError(f"{clause} is not supported in SQL queries.", position=position(place))


def part(node: exp.Expr, name: str) -> exp.Expr | None:
    """The part of `node` with this name, when there is one."""
    found = node.args.get(name)
    return found if isinstance(found, exp.Expr) else None


def parts(node: exp.Expr, name: str = "expressions") -> list[exp.Expr]:
    """The list of parts of `node` with this name."""
    found = cast("list[object]", node.args.get(name) or [])
    return [each for each in found if isinstance(each, exp.Expr)]


def word(node: exp.Expr | None) -> str:
    """An identifier as written, without its quotes."""
    if not isinstance(node, exp.Identifier):  # pragma: no cover - nothing else may pass as a name, should one be parsed
        raise QueryError("A name is missing in the SQL text.")
    only(node, "this", "quoted")
    return str(node.this)


def refused(node: exp.Expr) -> QueryError:
    """The error that names the construct that `node` is."""
    if isinstance(node, exp.Func) and not isinstance(node, exp.Case | exp.Exists):
        name = str(node.this) if isinstance(node, exp.Anonymous) else node.sql_name()
        return QueryError(f"The function {shown(name, 40)} is not supported here.", position=position(node))
    construct = _CONSTRUCTS.get(type(node), f"the expression '{type(node).__name__}'")
    more = " Name the columns, for example SELECT name, revenue FROM account." if isinstance(node, exp.Star) else ""
    return QueryError(f"{construct} is not supported in SQL queries.{more}", position=position(node))


def position(node: exp.Expr) -> int | None:
    """Where in the text the first name in `node` begins, when the parser kept it."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        start = current.meta.get("start")
        if isinstance(start, int):
            return start
        waiting += list(current.iter_expressions(reverse=True))
    return None


def _scan(text: str) -> None:
    """Bound the nesting before a recursive parser sees it, and refuse comments that hide statements (WA-272)."""
    depth = index = 0
    while index < len(text):
        if text[index] in "'\"[":
            index = _after(text, index + 1, "]" if text[index] == "[" else text[index])
            continue
        if text.startswith(("--", "/*"), index):
            end = _after(text, index + 2, "\n" if text[index] == "-" else "*/")
            comment = text[index + 2 : end]
            if ";" in comment or not _HIDDEN.isdisjoint(comment.lower().split()):
                raise QueryError("A comment in the SQL text holds a statement.", position=index)
            index = end
            continue
        if text[index] == "(":
            depth += 1
            if depth > MAX_NESTING:
                raise QueryError(f"The SQL text has more than {MAX_NESTING} nested parentheses.", position=index)
        elif text[index] == ")":
            depth -= 1
        index += 1


def _after(text: str, start: int, end: str) -> int:
    """The index behind the next `end`; behind the text when there is none."""
    found = text.find(end, start)
    return len(text) if found < 0 else found + len(end)


def _syntax_error(text: str, error: SqlglotError) -> QueryError:
    """The parser's complaint in our words: its own message quotes the text with terminal colours."""
    details: list[dict[str, object]] = getattr(error, "errors", [])
    line, column = (details[0].get("line"), details[0].get("col")) if details else (None, None)
    if not isinstance(line, int) or not isinstance(column, int):
        return QueryError("Syntax error in the SQL text.")
    before = text.split("\n")[: line - 1]
    highlight = str(details[0].get("highlight") or "")
    place = max(0, sum(len(each) + 1 for each in before) + column - len(highlight))
    near = f" near '{shown(highlight, 40)}'" if highlight else ""
    return QueryError(f"Syntax error at position {place} in the SQL text{near}.", position=place)
