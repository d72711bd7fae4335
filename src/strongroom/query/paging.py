"""Where a page ended, as text that a client carries to the next request (WA-231 to WA-235, WA-252 to WA-254).

A position is the *next* page's number and, for keyset paging, the order values and the id of the last row seen. It
travels inside a cookie in the form that clients take apart:

    <cookie pagenumber="2" pagingcookie="…" istracking="False" />

`pagingcookie` is the inner cookie, percent-encoded twice (lower-case digits, as the original has it):

    <cookie page="1"><accountid last="{GUID}" first="{GUID}" /><position value="…" tag="…" /></cookie>

Clients read `pagenumber`, `page`, and compare whole `pagingcookie` texts to notice a walk that stands still; the page's
number and the position make each text unlike the one before. Only `<position>` counts when the cookie comes back:
`value` is the position, `tag` an HMAC over it and over the fingerprint of the query, so that a changed cookie, or that
of another query, is refused (WA-234). The inner cookie never holds an ampersand: one client escapes only the other
special characters when it puts the cookie into the next document (WA-253).

A cookie gives no rights: it says where to go on, and each page is authorised anew (WA-235).
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final, cast
from urllib.parse import quote, unquote

import orjson

from strongroom.errors import InvalidRequest
from strongroom.ids import parse_guid
from strongroom.query.ast import Field, Join, JoinKind, Order
from strongroom.schema.model import Table

MAX_VALUE_LENGTH: Final = 4_000
"""Longer positions (an order by a long text) would break the limit of URLs: the number of the page is kept alone."""

_OUTER = re.compile(
    r'<cookie pagenumber="(?P<number>\d{1,9})" pagingcookie="(?P<inner>[^"]*)" istracking="(?:True|False)" ?/>/?'
)
_INNER = re.compile(
    r'<cookie page="(?P<page>\d{1,9})">(?:<[a-z_][a-z0-9_]* last="\{[0-9A-F-]{36}\}" first="\{[0-9A-F-]{36}\}" ?/>)?'
    r'<position value="(?P<value>[A-Za-z0-9_-]*)" tag="(?P<tag>[A-Za-z0-9_-]{22})" ?/></cookie>'
)
_ESCAPE = re.compile(r"%[0-9A-F]{2}")
_ESCAPES = tuple(
    (character, f"%{ord(character):02x}")
    for character in ("%", *(chr(code) for code in range(128) if chr(code) != "%"))
    if quote(character, safe="") != character
)
"""The percent sign comes first: those that the others bring stay as they are."""
_NOT_TRACKING, _TRACKING = "istracking%3d%22False", "istracking%3d%22True"
_NAME = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)


class MalformedCookie(InvalidRequest):
    """400: a skip token or paging cookie that was cut, changed, or made for another query (WA-234, WA-253)."""

    default_code = "0x80040203"

    def __init__(self) -> None:
        super().__init__("Malformed XML in the Paging Cookie")


@dataclass(frozen=True, slots=True)
class Position:
    """Where to go on. `values` is `Select.after`; None means that only the number of the page is known, and the rows
    of the pages before it are passed over. `page_number` is the page to read, counted from 1."""

    page_number: int
    values: tuple[object, ...] | None


def fingerprint(*parts: str) -> str:
    """A short text that stands for a query: equal parts, and only those, give the same."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:32]


def stable_order(table: Table, joins: Sequence[Join], orders: Sequence[Order]) -> tuple[Order, ...]:
    """`orders`, made such that every row of the result has a place of its own.

    Joins that give several rows for one row of the root need their own ids in the order; otherwise a page could end
    between two rows that the position cannot tell apart (WA-233). The store adds the root's id to the end itself.
    """
    several = [
        Field(join.source.alias, join.source.table.id_column)
        for join in joins
        if join.kind is not JoinKind.FIRST_ROW and join.link.inner_column != join.source.table.primary_id
    ]
    if not several:
        return tuple(orders)
    return (*orders, Order(Field("", table.id_column)), *(Order(column) for column in several))


def make_skiptoken(
    values: Sequence[object] | None,
    page_number: int,
    query_fingerprint: str,
    key: bytes,
    *,
    id_name: str | None = None,
    first_id: str | None = None,
    is_tracking: bool = False,
) -> str:
    """The value of `$skiptoken`, percent-encoded, ready to be put into a URL.

    `values` are the order values and the id of the last row of this page (None or empty for simple paging),
    `page_number` is the number of the page to come. `id_name` and `first_id` (of this page's first row) fill the
    visible part. `is_tracking` marks a walk that ends in a delta link (WA-310).
    """
    parts = _parts(values, page_number, query_fingerprint, key, id_name, first_id)
    token = _token_form(parts.id_name).format(**parts.texts)
    return token.replace(_NOT_TRACKING, _TRACKING) if is_tracking else token


def read_skiptoken(text: str, query_fingerprint: str, key: bytes) -> Position:
    """The position in a `$skiptoken` (as the URL's decoded value), or `MalformedCookie`.

    A slash at the end is passed over, for a client that appends one to every link (WA-234).
    """
    found = _OUTER.fullmatch(_decoded(text))
    if found is None:
        raise MalformedCookie
    position = _read_inner(_decoded(found["inner"]), query_fingerprint, key)
    if int(found["number"]) != position.page_number:
        raise MalformedCookie
    return position


def make_fetch_cookie(
    values: Sequence[object] | None,
    page_number: int,
    query_fingerprint: str,
    key: bytes,
    *,
    id_name: str | None = None,
    first_id: str | None = None,
) -> str:
    """The text of the annotation `fetchxmlpagingcookie` (WA-252). Arguments as for `make_skiptoken`."""
    parts = _parts(values, page_number, query_fingerprint, key, id_name, first_id)
    return _cookie_form(parts.id_name).format(**parts.texts)


def read_fetch_cookie(text: str, query_fingerprint: str, key: bytes) -> Position:
    """The position in a `paging-cookie` attribute, or `MalformedCookie`.

    The inner cookie, decoded, is what clients send; the whole annotation is understood as well.
    """
    decoded = _decoded(text)
    if _OUTER.fullmatch(decoded):
        return read_skiptoken(decoded, query_fingerprint, key)
    return _read_inner(decoded, query_fingerprint, key)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What differs from one cookie to the next; `id_name` is None for a cookie without a visible part. The texts hold
    letters, digits, `-` and `_` alone, which percent-encoding leaves as they are."""

    id_name: str | None
    texts: dict[str, str]


def _parts(
    values: Sequence[object] | None,
    page_number: int,
    query_fingerprint: str,
    key: bytes,
    id_name: str | None,
    first_id: str | None,
) -> _Parts:
    value = _pack(values)
    if len(value) > MAX_VALUE_LENGTH:
        value = ""
    tag = _tag(value, page_number, query_fingerprint, key)
    texts = {"number": str(page_number), "page": str(page_number - 1), "value": value, "tag": tag}
    last_id = values[-1] if values else None
    if id_name and _NAME.fullmatch(id_name) and isinstance(last_id, str) and parse_guid(last_id):
        first = first_id if first_id and parse_guid(first_id) else last_id
        texts |= {"last": last_id.upper(), "first": first.upper()}
        return _Parts(id_name, texts)
    return _Parts(None, texts)


_MARKS = ("number", "page", "value", "tag", "last", "first")


@lru_cache(maxsize=512)
def _cookie_form(id_name: str | None) -> str:
    """The cookie of a table as a format. What is the same in each is encoded once: every list with a next page makes
    one, and encoding a text part by part gives the same as encoding it whole."""
    ends = f'<{id_name} last="{{~last~}}" first="{{~first~}}" />' if id_name else ""
    inner = f'<cookie page="~page~">{ends}<position value="~value~" tag="~tag~" /></cookie>'
    cookie = f'<cookie pagenumber="~number~" pagingcookie="{_encode(_encode(inner))}" istracking="False" />'
    return _as_form(cookie)


@lru_cache(maxsize=512)
def _token_form(id_name: str | None) -> str:
    """The cookie of a table, encoded once more, as a format."""
    form = _cookie_form(id_name)
    return _as_form(_encode(re.sub(r"\{(\w+)\}", r"~\1~", form)))


def _as_form(text: str) -> str:
    """`~name~`, which percent-encoding leaves alone, as `{name}`; the only braces of a cookie are encoded ones."""
    for mark in _MARKS:
        text = text.replace(f"~{mark}~", f"{{{mark}}}")
    return text


def _read_inner(text: str, query_fingerprint: str, key: bytes) -> Position:
    found = _INNER.fullmatch(text)
    if found is None:
        raise MalformedCookie
    page_number = int(found["page"]) + 1
    expected = _tag(found["value"], page_number, query_fingerprint, key)
    if not hmac.compare_digest(expected, found["tag"]):
        raise MalformedCookie
    return Position(page_number, _unpack(found["value"]))


def _tag(value: str, page_number: int, query_fingerprint: str, key: bytes) -> str:
    """A tag over everything that counts. 128 bits: nobody can try enough of them over HTTP."""
    signed = f"page\n{query_fingerprint}\n{page_number}\n{value}".encode()
    return _base64(hmac.digest(key, signed, "sha256")[:16])


def _pack(values: Sequence[object] | None) -> str:
    """Values as URL-safe text. Decimals are wrapped, so that they come back as decimals."""
    if not values:
        return ""
    return _base64(orjson.dumps([{"d": str(value)} if isinstance(value, Decimal) else value for value in values]))


def _unpack(text: str) -> tuple[object, ...] | None:
    """The reverse of `_pack`. The text carries our tag, so it is what `_pack` wrote."""
    if not text:
        return None
    values = cast("list[object]", orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))
    return tuple(Decimal(cast("dict[str, str]", value)["d"]) if isinstance(value, dict) else value for value in values)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _encode(text: str) -> str:
    """Percent-encoding with lower-case digits, as the original writes it."""
    if text.isascii():
        # To look for each character costs a tenth of looking at each place; every list with a next page pays it.
        for character, escape in _ESCAPES:
            if character in text:
                text = text.replace(character, escape)
        return text
    return _ESCAPE.sub(lambda found: found[0].lower(), quote(text, safe=""))


def _decoded(text: str) -> str:
    """`text` with percent-encoding taken off until it is XML: clients differ in how often they decode."""
    text = text.strip()
    for _ in range(3):
        if text.startswith("<"):
            break
        text = unquote(text)
    return text
