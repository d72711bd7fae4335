"""What stands between the parentheses of `accounts(…)`, and references to rows in bodies.

A key is an id (`accounts(<guid>)`, also quoted, in braces or as `accountid=<guid>`), or the columns of an alternate key
in any order (WA-75 to WA-79).
"""

import re
from collections.abc import Mapping
from urllib.parse import unquote

from strongroom.errors import InvalidRequest, QueryError
from strongroom.ids import Guid, parse_guid
from strongroom.query.names import shown
from strongroom.query.odata.comparison import accepts
from strongroom.query.odata.edm import PRINCIPALS, edm_type, type_name
from strongroom.query.odata.parser import Parser
from strongroom.query.odata.scope import OWNER_NAV
from strongroom.query.odata.syntax import Constant, LiteralKind
from strongroom.query.typed_values import read_value
from strongroom.schema.model import AlternateKey, Column, Schema, Table

Key = Guid | Mapping[str, object]
"""The id of a row, or the values of an alternate key by logical column name (a lookup's value is the bare GUID)."""

_ROOT = re.compile(r"/api/data/v[0-9]+\.[0-9]+/", re.ASCII)
_AUTHORITY = re.compile(r"https?:/{1,2}[^/]*/", re.IGNORECASE)
_REFERENCE = re.compile(r"([A-Za-z_]\w*)\((.*)\)/?", re.ASCII | re.DOTALL)


def read_key(schema: Schema, table: Table, text: str) -> Key:
    """The key that `text`, percent-decoded, gives for a row of `table`. Raises `QueryError`."""
    stripped = text.strip()
    if not stripped:
        message = f"The key of '{table.entity_set_name}' is empty: write {table.entity_set_name}(<guid>)."
        raise QueryError(message, position=0)
    if (row_id := parse_guid(stripped)) is not None:
        return row_id
    parser = Parser(text)
    if not parser.following.is_mark("="):
        return _id(table, parser)
    return _named(table, _parts(parser))


def parse_reference(text: str) -> tuple[str, str]:
    """The entity set and the key text of a reference: `/contacts(<guid>)` → (`contacts`, `<guid>`).

    Absolute, relative and with or without leading slash; of an absolute URL only the part behind `/api/data/v…/`
    counts, and one slash after `https:` is enough (WA-114, WA-160). Raises `QueryError`.
    """
    decoded = unquote(text.strip())
    root = _ROOT.search(decoded)
    if root is not None:
        path = decoded[root.end() :]
    elif _AUTHORITY.match(decoded):
        message = f"'{shown(text)}' is not a URL of the Web API: its path has no '/api/data/v…/'."
        raise QueryError(message, position=0)
    else:
        path = decoded.removeprefix("/")
    match = _REFERENCE.fullmatch(path)
    if match is None:
        message = f"'{shown(text)}' does not refer to a row: write /contacts(<guid>) or the full URL of the row."
        raise QueryError(message, position=0)
    return match[1], match[2]


def _id(table: Table, parser: Parser) -> Guid:
    node = parser.operand()
    parser.expect_end()
    row_id = parse_guid(node.text) if isinstance(node, Constant) else None
    if row_id is None:
        message = f"'{shown(parser.text)}' is not a GUID, which the key of '{table.entity_set_name}' must be."
        raise QueryError(message, position=node.position)
    return row_id


def _parts(parser: Parser) -> dict[str, Constant]:
    """`name=value` pairs."""
    found: dict[str, Constant] = {}
    while True:
        name = parser.expect_name("The name of a key column")
        if name.value in found:
            raise parser.fault(name.position, f"The key column '{shown(name.value)}' occurs twice.")
        parser.expect("=")
        value = parser.operand()
        if not isinstance(value, Constant) or value.kind is LiteralKind.NULL:
            raise parser.fault(value.position, f"The key column '{shown(name.value)}' needs a value, such as 'x' or 5.")
        found[name.value] = value
        if not parser.accept(","):
            break
    parser.expect_end()
    return found


def _named(table: Table, parts: Mapping[str, Constant]) -> Key:
    if len(parts) == 1:
        [(name, constant)] = parts.items()
        id_name = OWNER_NAV if table.logical_name in PRINCIPALS else table.primary_id
        if name == id_name:
            return Guid(str(_value(table.id_column, constant)))
    for key in table.keys:
        columns = _columns(table, key)
        if columns.keys() == parts.keys():
            return {column.logical_name: _value(column, parts[name]) for name, column in columns.items()}
    raise _undeclared(table)


def _columns(table: Table, key: AlternateKey) -> dict[str, Column]:
    """The columns of the key by the name that stands in URLs; none when the key is not active."""
    if not key.is_active:
        return {}
    return {table.columns[name].property_name: table.columns[name] for name in key.columns}


def _value(column: Column, constant: Constant) -> object:
    if not accepts(column, constant):
        message = f"The key column '{column.property_name}' is of type '{edm_type(column)}', not '{constant.edm_type}'."
        raise QueryError(message, position=constant.position)
    try:
        return read_value(column, constant.text).value
    except InvalidRequest as error:
        raise QueryError(error.message, position=constant.position) from error


def _undeclared(table: Table) -> QueryError:
    message = (
        f"The key in the request URI is not valid for resource '{type_name(table)}'. Ensure that the names and number "
        "of key properties match the declared or alternate key properties for the resource."
    )
    known = [",".join(_columns(table, key)) for key in table.keys if key.is_active]
    if known:
        message += f" The alternate keys are ({'), ('.join(known)})."
    return QueryError(message)
