"""FetchXML → the query AST. `read_fetchxml` reads a document, `continued` applies its paging cookie."""

from strongroom.query.fetchxml.reader import FetchQuery, continued, read_fetchxml

__all__ = ["FetchQuery", "continued", "read_fetchxml"]
