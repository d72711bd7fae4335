"""Where things lie in an export, and how values are written.

A table is a file of JSON lines, one object a row, by the names of its columns; nulls are left out. Numbers of money and
decimal columns are texts, so that no digit is lost; bytes are `{"base64": …}`; GUIDs, dates and times are texts as in
the Web API. `id`, `owner` and `unit` are the numbers by which the platform ties rows together; `principal` says which
user or team an owner is. Beside it lies the same as CSV, for people and spreadsheets; importing reads the JSON.
"""

import base64
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import cast

import orjson

from strongroom.errors import InvalidRequest
from strongroom.schema.model import ColumnType, Schema
from strongroom.store.portable import Row

FORMAT = 1
MANIFEST, README, DOCUMENTS, CATALOGUE = (
    "manifest.json",
    "README.txt",
    "metadata/documents.jsonl",
    "metadata/tables.json",
)
PROOF = "audit/proof.jsonl"

_AUDIT = frozenset({"audit", "auditleaf", "audithead", "activitylog"})
_FILES = frozenset({"filecontent", "filechunk", "filetransfer", "filetransferblock"})
_SECURITY = frozenset(
    {
        "businessunit",
        "fieldpermission",
        "fieldsecurityprofile",
        "inheritedaccess",
        "position",
        "principal",
        "principalobjectaccess",
        "principalobjectattributeaccess",
        "privilege",
        "role",
        "roleprivileges",
        "roletemplate",
        "roletemplateprivileges",
        "systemuser",
        "systemuserprofiles",
        "systemuserroles",
        "team",
        "teammembership",
        "teamprofiles",
        "teamroles",
        "teamtemplate",
    }
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

READ_ME = """This is everything that was in one environment of Strongroom, at one moment.

manifest.json      what this is, with the SHA-256 of every file and a signature
metadata/          tables and columns: tables.json for people, documents.jsonl for importing
security/          business units, users, teams, roles, what they hold, shares
data/              all other rows
files/             contents of files
audit/             the trail, its log and its signed heads; proof.jsonl is what `strongroom audit verify` takes

Each table is there twice: as .jsonl (JSON lines, the form that counts) and as .csv (UTF-8, RFC 4180; a text that a
spreadsheet would run as a formula has an apostrophe in front). No key and no password is in here.

`strongroom export-check FILE` checks hashes and signature, on any machine.
`strongroom import --everything FILE --to NAME` makes the environment again, on either engine.
"""


def folder_of(table: str) -> str:
    """The folder that a table lies in."""
    for names, folder in ((_AUDIT, "audit"), (_FILES, "files"), (_SECURITY, "security")):
        if table in names:
            return folder
    return "data"


def written(columns: Sequence[str], row: Row) -> bytes:
    """One line of JSON."""
    shown = {name: _shown(value) for name, value in zip(columns, row, strict=True) if value is not None}
    return orjson.dumps(shown, option=orjson.OPT_APPEND_NEWLINE)


def cell(value: object) -> str:
    """One cell of CSV."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def reader_of(schema: Schema, table: str, columns: Sequence[str]) -> Callable[[bytes], Row]:
    """What reads a line of a table back. Raises `InvalidRequest` for one that is none."""
    known = schema.tables.get(table)
    exact = (ColumnType.MONEY, ColumnType.DECIMAL)
    decimals = {name for name in columns if known and name in known.columns and known.columns[name].type in exact}
    doubles = {
        name for name in columns if known and name in known.columns and known.columns[name].type is ColumnType.DOUBLE
    }

    def read(line: bytes) -> Row:
        try:
            values = cast("dict[str, object]", orjson.loads(line))
            return [_read(values.get(name), name in decimals, name in doubles) for name in columns]
        except (ValueError, TypeError, AttributeError, KeyError, ArithmeticError):
            raise InvalidRequest(f"The export is damaged: a row of {table} cannot be read.") from None

    return read


def _shown(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    return value


def _read(value: object, is_decimal: bool, is_double: bool) -> object:
    if value is None:
        return None
    if isinstance(value, dict):
        return base64.b64decode(cast("dict[str, str]", value)["base64"], validate=True)
    if is_decimal:
        return Decimal(str(value))
    return float(cast("float", value)) if is_double else value
