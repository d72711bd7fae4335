"""What an OData expression says, before any name in it is looked up.

The tree is independent of tables, so metadata collections can evaluate the same `$filter` on their own properties.
Every node knows its position in the text. Parentheses leave no trace.
"""

from dataclasses import dataclass
from enum import Enum

from strongroom.query.odata.lexer import Kind


class LiteralKind(Enum):
    """The kinds of values that can be written (WA-186)."""

    STRING = "Edm.String"
    INTEGER = "Edm.Int32"
    DECIMAL = "Edm.Decimal"
    DATE = "Edm.Date"
    MOMENT = "Edm.DateTimeOffset"
    GUID = "Edm.Guid"
    BOOLEAN = "Edm.Boolean"
    ENUM = "Edm.Enum"
    NULL = "null"


LITERAL_TOKENS = {
    Kind.STRING: LiteralKind.STRING,
    Kind.INTEGER: LiteralKind.INTEGER,
    Kind.DECIMAL: LiteralKind.DECIMAL,
    Kind.DATE: LiteralKind.DATE,
    Kind.MOMENT: LiteralKind.MOMENT,
    Kind.GUID: LiteralKind.GUID,
    Kind.ENUM: LiteralKind.ENUM,
}

LITERAL_WORDS = {"true": LiteralKind.BOOLEAN, "false": LiteralKind.BOOLEAN, "null": LiteralKind.NULL}


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal; `text` is its value without quotes."""

    kind: LiteralKind
    text: str
    position: int

    @property
    def edm_type(self) -> str:
        """The type that error messages name; whole numbers beyond 32 bits are `Edm.Int64`."""
        if self.kind is LiteralKind.INTEGER and not -(2**31) <= int(self.text[:20]) < 2**31:
            return "Edm.Int64"
        return self.kind.value


@dataclass(frozen=True, slots=True)
class Path:
    """`primarycontactid/fullname`, `t/subject`, `name`."""

    segments: tuple[str, ...]
    position: int

    @property
    def text(self) -> str:
        return "/".join(self.segments)


@dataclass(frozen=True, slots=True)
class Items:
    """A list in brackets or, after `in`, in parentheses."""

    members: tuple[Constant, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Alias:
    """`@p1`; its text is in the context's aliases."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Call:
    """`contains(name,'x')` has `arguments`; `Microsoft.Dynamics.CRM.In(PropertyName=…)` has `parameters`.

    `target` is the path before a function that stands behind a lambda variable (`t/Microsoft.Dynamics.CRM.Today(…)`).
    """

    name: str
    arguments: tuple["Node", ...]
    parameters: tuple[tuple[str, "Node"], ...]
    position: int
    target: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compare:
    """`operator` is one of eq ne gt ge lt le."""

    operator: str
    left: "Node"
    right: "Node"
    position: int


@dataclass(frozen=True, slots=True)
class Membership:
    """`name in ('a','b')`."""

    operand: "Node"
    items: Items | Alias
    position: int


@dataclass(frozen=True, slots=True)
class Negation:
    part: "Node"
    position: int


@dataclass(frozen=True, slots=True)
class Junction:
    """All of `parts` when `is_and`, else any of them; at least two."""

    is_and: bool
    parts: tuple["Node", ...]
    position: int


@dataclass(frozen=True, slots=True)
class Lambda:
    """`path/any(variable:body)` or `path/all(…)`. `any()` has no variable and no body."""

    path: Path
    is_any: bool
    variable: str
    body: "Node | None"
    position: int


Node = Constant | Path | Items | Alias | Call | Compare | Membership | Negation | Junction | Lambda
