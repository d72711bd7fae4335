"""What the texts of rows speak of: tables and columns in FetchXML and forms, web resources, connection references.

A text that cannot be read speaks of nothing: it was kept as it came.
"""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from strongroom.errors import InvalidRequest
from strongroom.solutions.xml import parsed

_RESOURCE = re.compile(r"\$webresource:([\w./-]{1,200})")
_CONNECTION = re.compile(r'"connectionReferenceLogicalName"\s*:\s*"([\w.-]{1,200})"')
_VARIABLE = re.compile(r'"schemaName"\s*:\s*"([\w.-]{1,200})"')


def in_fetch(text: object) -> Iterator[tuple[str, str | None]]:
    """(table, column or None) of FetchXML; every table once without a column."""
    root = _root(text)
    if root is None:
        return
    for place in root.iter():
        table = place.get("name")
        if place.tag not in ("entity", "link-entity") or not table:
            continue
        yield table, None
        yield from ((table, column) for column in _columns(place))
        if place.tag == "link-entity" and place.get("from"):
            yield table, str(place.get("from"))


def _columns(place: Element) -> Iterator[str]:
    """The columns that are named below an element, but not below another link."""
    waiting = [child for child in place if child.tag != "link-entity"]
    while waiting:
        element = waiting.pop()
        waiting += [child for child in element if child.tag != "link-entity"]
        named = element.get("name") if element.tag == "attribute" else element.get("attribute")
        if named:
            yield named


def in_form(text: object) -> Iterator[str]:
    """The columns that a form shows."""
    root = _root(text)
    if root is not None:
        for control in root.iter("control"):
            if control.get("datafieldname"):
                yield str(control.get("datafieldname")).lower()


def resources_in(text: object) -> Iterator[str]:
    """The web resources that a form or the navigation of an app loads, by name."""
    root = _root(text)
    if root is None:
        return
    for library in root.iter("Library"):
        if library.get("name"):
            yield str(library.get("name"))
    for match in _RESOURCE.finditer(str(text)):
        yield match[1]


def tables_in(text: object) -> Iterator[str]:
    """The tables of a site map or an app, by logical name."""
    root = _root(text)
    if root is None:
        return
    for area in root.iter("SubArea"):
        if area.get("Entity"):
            yield str(area.get("Entity")).lower()
    for component in root.iter("AppModuleComponent"):
        if component.get("type") == "1" and component.get("schemaName"):
            yield str(component.get("schemaName")).lower()


def connections_in(text: object) -> Iterator[str]:
    """The connection references of a cloud flow, by logical name."""
    yield from (match[1] for match in _CONNECTION.finditer(str(text or "")))


def variables_in(text: object) -> Iterator[str]:
    """The environment variables of a cloud flow, by schema name."""
    yield from (match[1] for match in _VARIABLE.finditer(str(text or "")))


def _root(text: object) -> Element | None:
    if not isinstance(text, str) or not text.strip():
        return None
    try:
        return parsed("text", text.encode())
    except InvalidRequest:
        return None
