"""The grammar of OData expressions (WA-185 to WA-193): text → `syntax` tree.

Recursive descent with one function per level of nesting, so that 100 levels (WA-196) stay far from Python's recursion
limit; chains of `and`, `or` and `not` are loops. Everything that Dataverse does not understand is refused by name, and
every error carries its position.
"""

from collections.abc import Callable
from typing import TypeVar

from strongroom.errors import QueryError
from strongroom.query.limits import MAX_LIST_VALUES, MAX_NESTING
from strongroom.query.names import hint, shown
from strongroom.query.odata.lexer import Kind, Token, syntax_error, tokens
from strongroom.query.odata.syntax import (
    LITERAL_TOKENS,
    LITERAL_WORDS,
    Alias,
    Call,
    Compare,
    Constant,
    Items,
    Junction,
    Lambda,
    Membership,
    Negation,
    Node,
    Path,
)

COMPARISONS = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
_REFUSED_OPERATORS = frozenset({"add", "sub", "mul", "div", "divby", "mod", "has"})
_CONNECTIVES = ("and", "or")

_T = TypeVar("_T")


class Parser:
    """A cursor over the tokens of one text. The grammars of `$filter`, `$orderby` and `$apply` share it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = tokens(text)
        self._index = 0
        self._depth = 0

    # --- the cursor ---

    @property
    def current(self) -> Token:
        return self._tokens[self._index]

    @property
    def following(self) -> Token:
        return self._tokens[min(self._index + 1, len(self._tokens) - 1)]

    @property
    def at_end(self) -> bool:
        return self.current.kind is Kind.END

    def advance(self) -> Token:
        """The current token; the cursor moves behind it."""
        token = self.current
        self._index = min(self._index + 1, len(self._tokens) - 1)
        return token

    def accept(self, mark: str) -> bool:
        """Move behind `mark` when it is the current token."""
        if self.current.is_mark(mark):
            self.advance()
            return True
        return False

    def expect(self, mark: str) -> Token:
        """Move behind `mark`, which must be the current token."""
        if not self.current.is_mark(mark):
            raise self.error(f"'{mark}' is expected here")
        return self.advance()

    def expect_name(self, what: str) -> Token:
        """Move behind the name that must stand here."""
        if self.current.kind is not Kind.NAME:
            raise self.error(f"{what} is expected here")
        return self.advance()

    def expect_end(self) -> None:
        """Nothing may follow."""
        token = self.current
        if token.kind is Kind.END:
            return
        if token.is_mark(")"):
            raise self.error("There is a closing parenthesis without an opening one")
        if token.kind is Kind.NAME and token.value in _REFUSED_OPERATORS:
            raise self.error(f"The '{token.value}' function is not supported", found=False)
        known = (*_CONNECTIVES, *COMPARISONS, "in")
        suggestion = hint(token.value, known) if token.kind is Kind.NAME else ""
        raise self.error("An operator (and, or, eq, ne, gt, ge, lt, le, in) or the end is expected here", suggestion)

    def error(self, problem: str, suggestion: str = "", *, found: bool = True) -> QueryError:
        """A `QueryError` at the current token."""
        token = self.current
        what = "the end" if token.kind is Kind.END else f"'{shown(token.value)}'"
        tail = f", not {what}" if found else ""
        return syntax_error(self.text, token.position, f"{problem}{tail}.{suggestion}")

    def fault(self, position: int, problem: str) -> QueryError:
        """A `QueryError` at any place of the text."""
        return syntax_error(self.text, position, problem)

    # --- expressions ---

    def expression(self) -> Node:
        """A whole expression, down to the first token that cannot continue it."""
        self._depth += 1
        if self._depth > MAX_NESTING + 1:  # the whole expression is a level, too
            raise self.error(f"The expression is nested more than {MAX_NESTING} levels deep", found=False)
        start = self.current.position
        alternatives: list[Node] = []
        parts = [self._negatable()]
        while self.current.kind is Kind.NAME and self.current.value in _CONNECTIVES:
            if self.advance().value == "or":
                alternatives.append(_joined(parts, start, is_and=True))
                parts = []
            parts.append(self._negatable())
        alternatives.append(_joined(parts, start, is_and=True))
        self._depth -= 1
        return _joined(alternatives, start, is_and=False)

    def _negatable(self) -> Node:
        """A comparison with any number of `not` before it."""
        position, negations = self.current.position, 0
        while self.current.is_word("not"):
            self.advance()
            negations += 1
        node = self._comparison()
        for _ in range(min(negations, 2) if negations % 2 == 0 else 1):
            node = Negation(node, position)
        return node

    def _comparison(self) -> Node:
        position = self.current.position
        left = self._primary()
        operator = self.current
        if operator.kind is not Kind.NAME:
            return left
        if operator.value in COMPARISONS:
            self.advance()
            return Compare(operator.value, left, self._primary(), position)
        if operator.value == "in":
            self.advance()
            return Membership(left, self._membership_items(), position)
        return left

    def _primary(self) -> Node:
        token = self.current
        if token.is_mark("("):
            self.advance()
            node = self.expression()
            if not self.current.is_mark(")"):
                raise self.error("A closing parenthesis is expected here")
            self.advance()
            return node
        if token.kind is Kind.NAME and token.value not in LITERAL_WORDS:
            return self._named()
        return self.operand()

    def operand(self) -> Node:
        """A literal, a list, an alias or a path."""
        token = self.current
        if token.kind in LITERAL_TOKENS:
            self.advance()
            return Constant(LITERAL_TOKENS[token.kind], token.value, token.position)
        if token.kind is Kind.ALIAS:
            self.advance()
            return Alias(token.value, token.position)
        if token.is_mark("["):
            return self._items("]")
        if token.kind is Kind.NAME:
            if token.value in LITERAL_WORDS:
                self.advance()
                return Constant(LITERAL_WORDS[token.value], token.value, token.position)
            return self.path()
        raise self.error("A column, a value or a function is expected here")

    def path(self) -> Path:
        """Names separated by slashes."""
        position = self.current.position
        segments = [self.expect_name("The name of a column").value]
        while self.accept("/"):
            segments.append(self.expect_name("The name of a column").value)
        return Path(tuple(segments), position)

    def _named(self) -> Node:
        """A path, a function, or a lambda at the end of a path."""
        position = self.current.position
        segments: list[str] = []
        while True:
            name = self.expect_name("The name of a column or a function")
            if self.current.is_mark("("):
                if name.value in ("any", "all") and segments:
                    return self._lambda(Path(tuple(segments), position), is_any=name.value == "any")
                return self._call(name, tuple(segments))
            segments.append(name.value)
            if not self.accept("/"):
                return Path(tuple(segments), position)

    def _lambda(self, path: Path, *, is_any: bool) -> Node:
        self.expect("(")
        if self.current.is_mark(")") and is_any:
            self.advance()
            return Lambda(path, is_any, "", None, path.position)
        variable = self.expect_name("The variable of the lambda, as in any(t:t/statecode eq 0),")
        self.expect(":")
        body = self.expression()
        self.expect(")")
        return Lambda(path, is_any, variable.value, body, path.position)

    def _call(self, name: Token, target: tuple[str, ...]) -> Node:
        self.expect("(")
        if self.current.kind is Kind.NAME and self.following.is_mark("="):
            parameters = self._separated(self._parameter, ")")
            return Call(name.value, (), tuple(parameters), name.position, target)
        # A nested call counts as a level, like a parenthesis.
        arguments = [] if self.accept(")") else self._separated(self.expression, ")")
        return Call(name.value, tuple(arguments), (), name.position, target)

    def _parameter(self) -> tuple[str, Node]:
        name = self.expect_name("The name of a parameter").value
        self.expect("=")
        return name, self.operand()

    def _membership_items(self) -> Items | Alias:
        token = self.current
        if token.kind is Kind.ALIAS:
            self.advance()
            return Alias(token.value, token.position)
        return self._items("]" if token.is_mark("[") else ")")

    def _items(self, closing: str) -> Items:
        position = self.current.position
        self.expect("[" if closing == "]" else "(")
        if self.accept(closing):
            return Items((), position)
        members = self._separated(self._item, closing)
        return Items(tuple(members), position)

    def _item(self) -> Constant:
        # A list within a list is refused before it is read, so that lists never nest.
        node = None if self.current.is_mark("[") else self.operand()
        if not isinstance(node, Constant):
            position = self.current.position if node is None else node.position
            message = "A list holds values only: texts in quotes, numbers, GUIDs, dates, true, false."
            raise syntax_error(self.text, position, message)
        return node

    def _separated(self, read: Callable[[], _T], closing: str) -> list[_T]:
        """What `read` reads, separated by commas, up to and with `closing`."""
        found = [read()]
        while not self.accept(closing):
            if not self.current.is_mark(","):
                raise self.error(f"',' or '{closing}' is expected here")
            self.advance()
            found.append(read())
            if len(found) > MAX_LIST_VALUES:
                raise self.error(f"A list may have {MAX_LIST_VALUES} values, and this one has more", found=False)
        return found


def parse_expression(text: str) -> Node:
    """`text` as one whole expression. Raises `QueryError` with a position."""
    parser = Parser(text)
    node = parser.expression()
    parser.expect_end()
    return node


def parse_operand(text: str) -> Node:
    """`text` as the value of a parameter alias: a literal, a list or a path (WA-176)."""
    parser = Parser(text)
    node = parser.operand()
    parser.expect_end()
    return node


def _joined(parts: list[Node], position: int, *, is_and: bool) -> Node:
    return parts[0] if len(parts) == 1 else Junction(is_and, tuple(parts), position)
