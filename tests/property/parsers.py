"""What clients send in languages of their own, and who reads it: a parser with the words that its texts are made of."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from strongroom.query.ast import ReadContext
from strongroom.query.fetchxml import read_fetchxml
from strongroom.query.odata import read_key, read_query, split_options
from strongroom.query.odata.options import Options
from strongroom.query.paging import read_fetch_cookie, read_skiptoken
from strongroom.query.query_expression import read_query_expression
from strongroom.query.sql import read_sql
from strongroom.schema.standard_tables import standard_schema
from strongroom.solutions.archive import open_archive
from strongroom.solutions.xml import parsed
from strongroom.webapi.headers import read_condition, read_preferences
from strongroom.webapi.multipart import boundary_of, read_request, split_parts
from strongroom.webapi.paths import split_path
from strongroom.webapi.values import read_json

SCHEMA = standard_schema()
ACCOUNT = SCHEMA.tables["account"]
CONTEXT = ReadContext(
    "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002", (), "2024-05-01T10:15:00Z"
)
URL, BODY = 32 * 1024, 1024 * 1024
"""How long a text of a URL and of a body may be, as far as a test of time is about it."""


@dataclass(frozen=True)
class Parser:
    """`read` raises only errors of the house. `words` are what random and hostile texts are put together of."""

    name: str
    read: Callable[[str], object]
    words: tuple[str, ...]
    longest: int = URL


def _option(name: str) -> Callable[[str], object]:
    return lambda text: read_query(SCHEMA, ACCOUNT, Options({name: text}, {}, {}), CONTEXT, page_size=None)


def _batch(text: str) -> object:
    parts = split_parts(text.encode("utf-8", "surrogatepass"), "b")
    return [read_request(part.content) for part in parts]


def _archive(text: str) -> object:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("solution.xml", text.encode("utf-8", "replace"))
    data = held.getvalue()
    return parsed("solution.xml", dict(open_archive("x.zip", data).files)["solution.xml"])


def _damaged(text: str) -> object:
    return open_archive("x.zip", b"PK\x03\x04" + text.encode("utf-8", "replace"))


def _expression(text: str) -> object:
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = text
    return read_query_expression(SCHEMA, value, CONTEXT)


_CRM = "Microsoft.Dynamics.CRM"
_XML = (
    "<",
    ">",
    "/>",
    "</a>",
    "<a>",
    "<a ",
    "a='",
    "'",
    '"',
    "&",
    "&lt;",
    "&#1;",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?x ",
    "?>",
)

PARSERS = (
    Parser(
        "$filter",
        _option("$filter"),
        (
            "(",
            ")",
            " and ",
            " or ",
            "not ",
            " eq ",
            "name",
            "'",
            "''",
            "1",
            "-",
            "null",
            "/",
            "primarycontactid/",
            ",",
            "@p",
            "e",
            ".",
            "contains(",
            "Account_Tasks/any(t:",
            "t/subject",
            f"{_CRM}.In(PropertyName='name',PropertyValues=[",
            "]",
            '"',
            " in (",
            "%",
            "[",
            ":",
        ),
    ),
    Parser(
        "$expand",
        _option("$expand"),
        (
            "(",
            ")",
            ";",
            ",",
            "$select=",
            "$expand=",
            "$filter=",
            "primarycontactid",
            "Account_Tasks",
            "'",
            "/",
            "$ref",
            "*",
            "=",
        ),
    ),
    Parser("$select", _option("$select"), ("name", ",", " ", "*", "(", ")", "_ownerid_value", "/", "'")),
    Parser("$orderby", _option("$orderby"), ("name", ",", " ", " desc", " asc", "primarycontactid/", "(", ")", "'")),
    Parser(
        "$apply",
        _option("$apply"),
        (
            "aggregate(",
            "groupby((",
            "))",
            ")",
            "(",
            ",",
            "name",
            "revenue",
            " with ",
            "sum",
            " as ",
            "x",
            "/",
            "filter(",
            "$count",
            "'",
        ),
    ),
    Parser("query string", split_options, ("&", "=", "$filter", "%20", "%", "+", "?", "@p", "a", ";", "%C3", "$top")),
    Parser(
        "key",
        lambda text: read_key(SCHEMA, ACCOUNT, text),
        ("'", "=", ",", "accountid", "{", "}", "1", "-", "(", ")", "@x", "name"),
    ),
    Parser("path", split_path, ("/", "(", ")", "'", '"', "accounts", "%2F", "$ref", ",", "=", "a")),
    Parser(
        "Prefer",
        read_preferences,
        ("odata.", "maxpagesize", "=", '"', ",", ";", "*", "1", "-", "include-annotations", " ", "\\"),
        8192,
    ),
    Parser("If-Match", read_condition, ("W/", '"', ",", "*", "1", " ", "null"), 8192),
    Parser("Content-Type", boundary_of, ("multipart/mixed", ";", "boundary=", '"', "\\", "a", " ", "="), 8192),
    Parser(
        "$skiptoken",
        lambda text: read_skiptoken(text, "f", b"k"),
        ("<", "cookie", " ", "pagenumber", "=", '"', "%25", "%", "/>", "2", "'", "&"),
        URL,
    ),
    Parser(
        "paging-cookie",
        lambda text: read_fetch_cookie(text, "f", b"k"),
        ("<", "cookie", " ", "page", "=", '"', "%25", "/>", "2", "{", "}", "&"),
        URL,
    ),
    Parser(
        "FetchXML",
        lambda text: read_fetchxml(SCHEMA, text, CONTEXT, expected_table=ACCOUNT),
        (
            *_XML,
            "<fetch>",
            "</fetch>",
            "<entity name='account'>",
            "</entity>",
            "<filter>",
            "</filter>",
            "<attribute name='name'/>",
            "<link-entity name='contact'>",
            "</link-entity>",
            "<condition attribute='name' operator='eq' value='",
            "<order attribute='name'/>",
            "<!DOCTYPE a [",
            "]>",
            "<!ENTITY b 'c'>",
        ),
        BODY // 4,
    ),
    Parser(
        "SQL",
        lambda text: read_sql(SCHEMA, text, CONTEXT),
        (
            "select ",
            "name",
            " from account",
            " where ",
            "(",
            ")",
            " and ",
            " or ",
            " not ",
            "=",
            "'",
            "''",
            "1",
            ",",
            " join contact c on ",
            "c.",
            " in (",
            "--",
            "/*",
            "*/",
            ";",
            " like ",
            "[",
            "]",
            '"',
            " group by ",
            "count(*)",
            " order by ",
            " union ",
            " top ",
            "case when ",
            "-",
            "N'",
            "@",
        ),
    ),
    Parser(
        "JSON",
        lambda text: read_json(text.encode("utf-8", "surrogatepass")),
        ("{", "}", "[", "]", ",", ":", '"', "a", "1", "-", "e", ".", "\\u", "\\", "d800", "null", "NaN", " "),
        BODY,
    ),
    Parser(
        "multipart",
        _batch,
        (
            "--b",
            "--b--",
            "\r\n",
            "\n",
            "\r\n\r\n",
            "Content-Type: application/http",
            "Content-ID: 1",
            "GET accounts HTTP/1.1",
            ": ",
            "a",
            " ",
            "\0",
            "--",
            "multipart/mixed; boundary=c",
        ),
        BODY,
    ),
    Parser(
        "QueryExpression",
        _expression,
        (
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            '"EntityName"',
            '"account"',
            '"Criteria"',
            '"Conditions"',
            '"Filters"',
            '"Values"',
            "1",
            '"a"',
            "null",
        ),
    ),
    Parser("solution XML", _archive, (*_XML, "<ImportExportXml>", "</ImportExportXml>", "<Entity>", "</Entity>"), BODY),
    Parser(
        "solution zip",
        _damaged,
        ("PK\x01\x02", "PK\x05\x06", "PK\x03\x04", "\0", "\0\0\0\0", "a", "../", "ÿ", "\x14"),
        BODY,
    ),
)
