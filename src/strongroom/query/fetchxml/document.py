"""FetchXML as a checked tree: well-formed, within the limits, only elements and attributes that the language has.

The parser is expat without a document type, so there are no entities to expand and nothing external to fetch
(WA-241); size and depth are bounded while reading. What comes out needs no further checks of *shape*: readers ask
for attributes and children knowing that nothing else can be there (WA-242, WA-257).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from strongroom.errors import FetchXmlError
from strongroom.query.names import hint, shown

MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 64

_LINK_ATTRIBUTES = frozenset(
    {"name", "from", "to", "alias", "link-type", "intersect", "visible", "enableprefiltering", "prefilterparametername"}
)
_ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "fetch": frozenset(
        {
            *("version", "output-format", "mapping", "top", "count", "page", "paging-cookie", "distinct", "aggregate"),
            *("aggregatelimit", "returntotalrecordcount", "no-lock", "latematerialize", "options", "datasource"),
            *("useraworderby", "min-active-row-version"),
        }
    ),
    "entity": frozenset({"name", "enableprefiltering", "prefilterparametername"}),
    "all-attributes": frozenset(),
    "no-attrs": frozenset(),
    "attribute": frozenset(
        {
            *("name", "alias", "aggregate", "groupby", "dategrouping", "distinct", "usertimezone", "rowaggregate"),
            *("build", "added-by"),
        }
    ),
    "order": frozenset({"attribute", "alias", "descending", "entityname"}),
    "filter": frozenset({"type", "hint", "isquickfindfields", "overridequickfindrecordlimitenabled"}),
    "condition": frozenset(
        {
            *("attribute", "operator", "value", "valueof", "entityname", "column", "aggregate", "alias"),
            *("uitype", "uiname", "uihidden"),
        }
    ),
    "value": frozenset({"uitype", "uiname"}),
    "link-entity": _LINK_ATTRIBUTES,
}
_CHILDREN: Mapping[str, frozenset[str]] = {
    "fetch": frozenset({"entity"}),
    "entity": frozenset({"all-attributes", "no-attrs", "attribute", "order", "filter", "link-entity"}),
    "link-entity": frozenset({"all-attributes", "no-attrs", "attribute", "order", "filter", "link-entity"}),
    "filter": frozenset({"condition", "filter", "link-entity"}),
    "condition": frozenset({"value"}),
}
_NOTHING: frozenset[str] = frozenset()
_TRUE = frozenset({"true", "1"})
_FALSE = frozenset({"false", "0"})


@dataclass(slots=True)
class Node:
    """One element. `text` is the character data directly inside it, without the white space around.

    `alias` is what readers call the source of a link; the document may leave it out.
    """

    name: str
    attributes: dict[str, str]
    line: int
    children: list["Node"] = field(default_factory=list["Node"])
    text: str = ""
    alias: str = ""

    def get(self, name: str) -> str | None:
        """The attribute, or None when it is absent or empty."""
        return self.attributes.get(name, "").strip() or None

    def required(self, name: str) -> str:
        """The attribute; one that is absent or empty is an error."""
        value = self.get(name)
        if value is None:
            raise self.error(f"Element <{self.name}> needs the attribute '{name}'.")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """The attribute as true or false (`true`, `false`, `1`, `0`)."""
        value = self.get(name)
        if value is None:
            return default
        word = value.lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        raise self.error(f"Attribute '{name}' of <{self.name}> is '{shown(value)}'; it must be 'true' or 'false'.")

    def number(self, name: str, lowest: int, highest: int) -> int | None:
        """The attribute as a whole number within the bounds, or None when it is absent."""
        value = self.get(name)
        if value is None:
            return None
        if value.isascii() and value.isdigit() and len(value) <= 10 and lowest <= int(value) <= highest:
            return int(value)
        bounds = f"{lowest:,} to {highest:,}"
        raise self.error(f"Attribute '{name}' of <{self.name}> is '{shown(value)}'; it must be a number from {bounds}.")

    def all(self, name: str) -> Iterator["Node"]:
        """The child elements with this name, in order."""
        return (child for child in self.children if child.name == name)

    def first(self, name: str) -> "Node | None":
        """The first child element with this name."""
        return next(self.all(name), None)

    def error(self, message: str) -> FetchXmlError:
        """An error that names the line of this element."""
        return FetchXmlError(f"{message} (line {self.line})")


def parse(text: str) -> Node:
    """The `<fetch>` element of `text`, checked for shape. Whatever is wrong raises `FetchXmlError`."""
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise FetchXmlError("Invalid XML: the text holds a character that is not valid Unicode.") from error
    if len(data) > MAX_BYTES:
        raise FetchXmlError(f"The FetchXML is longer than {MAX_BYTES:,} bytes.")
    root = _Builder().build(data)
    if root.name != "fetch":
        raise root.error(f"The root element must be <fetch>, not <{shown(root.name)}>.")
    _check(root)
    return root


class _Builder:
    """Collects expat's events into nodes."""

    def __init__(self) -> None:
        self._open: list[Node] = []
        self._roots: list[Node] = []
        # The text is Python's own, so a declared encoding means nothing any more.
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._doctype

    def build(self, data: bytes) -> Node:
        """The root element; text without one is not well-formed, and says so."""
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            reason = expat.errors.messages.get(error.code, "not well-formed")
            raise FetchXmlError(f"Invalid XML: {reason} (line {error.lineno}, column {error.offset + 1}).") from error
        return self._roots[0]

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        node = Node(name, attributes, self._parser.CurrentLineNumber)
        if len(self._open) >= MAX_DEPTH:
            raise node.error(f"The FetchXML is nested deeper than {MAX_DEPTH} elements.")
        if self._open:
            self._open[-1].children.append(node)
        else:
            self._roots.append(node)
        self._open.append(node)

    def _end(self, name: str) -> None:
        node = self._open.pop()
        node.text = node.text.strip()

    def _characters(self, data: str) -> None:
        self._open[-1].text += data

    def _doctype(self, name: str, system_id: str | None, public_id: str | None, has_subset: bool) -> None:
        raise FetchXmlError("Invalid XML: a document type declaration is not allowed.")


def _check(root: Node) -> None:
    """Refuse elements, attributes and text that FetchXML does not have (WA-257)."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        known = _ATTRIBUTES[node.name]
        for name in node.attributes:
            if name not in known:
                raise node.error(f"Element <{node.name}> has no attribute '{shown(name)}'.{hint(name, known)}")
        if node.text and node.name != "value":
            raise node.error(f"Element <{node.name}> cannot hold the text '{shown(node.text, 40)}'.")
        children = _CHILDREN.get(node.name, _NOTHING)
        for child in node.children:
            if child.name not in children:
                known_here = hint(child.name, children)
                raise child.error(f"Element <{shown(child.name)}> is not allowed in <{node.name}>.{known_here}")
        waiting += node.children
