"""Reading the XML of exports: no entities, no external references, and helpers for the few shapes that it has."""

from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from strongroom.errors import InvalidRequest, TooLarge
from strongroom.ids import Guid, parse_guid

ENGLISH = "1033"
_DEEPEST = 200
_LARGEST = 64 * 1024 * 1024
"""Bytes of one document. The largest exports that people know have a tenth of that; in memory it is ten times more."""


def parsed(path: str, data: bytes) -> Element:
    """The root element of a file. Raises `InvalidRequest` that names the file and the place."""
    if len(data) > _LARGEST:
        raise TooLarge(f"'{path}' has {len(data):,} bytes; an XML document of a solution has at most {_LARGEST:,}.")
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except ParseError as error:
        raise InvalidRequest(f"'{path}' is not well-formed XML: {error}.") from None
    except DefusedXmlException:
        raise InvalidRequest(f"'{path}' declares a document type or entities, which no export does.") from None
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"'{path}' cannot be read as XML: {error}.") from None
    _demand_shallow(path, root)
    return root


def _demand_shallow(path: str, root: Element) -> None:
    level, depth = [root], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise InvalidRequest(f"'{path}' nests elements deeper than {_DEEPEST}.")
        level = [child for element in level for child in element]


def child_text(element: Element, name: str) -> str:
    """The text of a child, stripped; empty when there is none."""
    return (element.findtext(name) or "").strip()


def flag(element: Element, name: str, *, default: bool = False) -> bool:
    """A child that holds 0 or 1."""
    text = child_text(element, name).lower()
    return text in ("1", "true") if text else default


def whole(text: str) -> int | None:
    """A whole number, None for anything else."""
    try:
        return int(text)
    except ValueError:
        return None


def number(text: str) -> float | None:
    """A number, None for anything else."""
    try:
        return float(text)
    except ValueError:
        return None


def guid(text: str | None) -> Guid | None:
    """A GUID with or without braces."""
    return parse_guid(text) if text else None


def localized(element: Element, path: str) -> str:
    """A text out of a list of translations: English where there is one, else the first."""
    found = element.findall(path)
    chosen = next((each for each in found if each.get("languagecode") == ENGLISH), found[0] if found else None)
    return "" if chosen is None else (chosen.get("description") or "").strip()


def inner_xml(element: Element | None) -> str:
    """What is inside an element, as text: one child element, or the text itself."""
    if element is None:
        return ""
    children = list(element)
    return tostring(children[0], encoding="unicode").strip() if children else (element.text or "").strip()


def first_child(element: Element, *names: str) -> Element | None:
    """The first child with one of these names, in whatever case it is written."""
    wanted = {name.lower() for name in names}
    return next((child for child in element if child.tag.lower() in wanted), None)


# --- writing -------------------------------------------------------------------------------------------------------


def add_text(element: Element, name: str, text: str) -> None:
    """A child with a text."""
    SubElement(element, name).text = text


def add_flag(element: Element, name: str, value: bool) -> None:
    """A child that holds 0 or 1."""
    add_text(element, name, "1" if value else "0")


def add_labels(element: Element, outer: str, inner: str, text: str) -> None:
    """A list of translations that has one, in English."""
    SubElement(SubElement(element, outer), inner, {"description": text, "languagecode": ENGLISH})


def add_inner(element: Element, name: str, text: str) -> None:
    """A child that holds XML, or the text itself where it is none."""
    child = SubElement(element, name)
    try:
        child.append(parsed(name, text.encode()))
    except InvalidRequest:
        child.text = text
