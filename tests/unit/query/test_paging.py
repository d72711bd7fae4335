"""Cookies have the form that clients take apart, and only our own are accepted (WA-231, WA-234, WA-252, WA-253)."""

import re
import xml.etree.ElementTree as ET
from decimal import Decimal
from urllib.parse import parse_qs, unquote, urlparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.query.paging import (
    MAX_VALUE_LENGTH,
    MalformedCookie,
    Position,
    fingerprint,
    make_fetch_cookie,
    make_skiptoken,
    read_fetch_cookie,
    read_skiptoken,
)

KEY = b"\x07" * 32
PRINT = fingerprint("accounts", "name asc")
FIRST = "0a000000-0000-7000-8000-000000000001"
LAST = "0b000000-0000-7000-8000-00000000000f"

_VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(allow_nan=False, allow_infinity=False, places=4),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
)


def token(values: tuple[object, ...] | None = ("Zoë & Söhne", LAST), page: int = 2) -> str:
    return make_skiptoken(values, page, PRINT, KEY, id_name="accountid", first_id=FIRST)


def test_a_skip_token_has_the_form_of_wa_231():
    text = unquote(token())
    outer = ET.fromstring(text)  # noqa: S314 (our own text)
    inner = ET.fromstring(unquote(unquote(outer.attrib["pagingcookie"])))  # noqa: S314

    assert re.fullmatch(
        r'<cookie pagenumber="2" pagingcookie="%253ccookie%2520page%253d%25221%2522%253e.+" istracking="False" />', text
    )
    assert inner.attrib == {"page": "1"}
    assert inner[0].tag == "accountid"
    assert inner[0].attrib == {"last": "{" + LAST.upper() + "}", "first": "{" + FIRST.upper() + "}"}


def test_a_skip_token_survives_a_url_and_the_slash_that_one_client_appends():
    """WA-234."""
    url = f"http://h/api/data/v9.2/accounts?$select=name&$skiptoken={token()}"

    (sent,) = parse_qs(urlparse(url).query)["$skiptoken"]

    expected = Position(2, ("Zoë & Söhne", LAST))
    assert read_skiptoken(sent, PRINT, KEY) == expected
    assert read_skiptoken(sent + "/", PRINT, KEY) == expected
    assert read_skiptoken(token(), PRINT, KEY) == expected


def test_the_python_client_sees_another_cookie_on_each_page():
    """Its expression; it stops when the same text comes twice."""
    found = [
        re.search(r'pagingcookie="([^"]+)"', unquote(token(values, page)))
        for values, page in ((("a", LAST), 2), (("a", FIRST), 3), (None, 4), (None, 5))
    ]

    assert len({match[1] for match in found if match}) == 4


def test_the_node_client_finds_page_and_cookie_and_sends_back_what_we_read():
    """It decodes the whole annotation twice, matches its expression, and escapes only < > " and '."""
    annotation = make_fetch_cookie(("Zoë", LAST), 2, PRINT, KEY, id_name="accountid")

    found = re.search(r'pagingcookie="(<cookie page="(\d+)".+</cookie>)', unquote(unquote(annotation)))

    assert found is not None
    assert found[2] == "1"
    assert "&" not in found[1]
    assert read_fetch_cookie(found[1], PRINT, KEY) == Position(2, ("Zoë", LAST))


def test_the_python_client_finds_the_next_page_number_and_the_inner_cookie():
    annotation = ET.fromstring(make_fetch_cookie((None, LAST), 2, PRINT, KEY))  # noqa: S314

    cookie = unquote(unquote(annotation.attrib["pagingcookie"]))

    assert annotation.attrib["pagenumber"] == "2"
    assert read_fetch_cookie(cookie, PRINT, KEY) == Position(2, (None, LAST))


@given(st.lists(_VALUE, max_size=5), st.integers(2, 10**6))
def test_every_position_comes_back_with_its_types(values: list[object], page: int):
    found = read_skiptoken(unquote(make_skiptoken(values, page, PRINT, KEY)), PRINT, KEY)

    assert found == Position(page, tuple(values) or None)
    assert [type(value) for value in found.values or ()] == [type(value) for value in values]


def test_a_position_that_would_not_fit_into_a_url_keeps_the_page_number_alone():
    found = read_skiptoken(unquote(token(("x" * MAX_VALUE_LENGTH, LAST))), PRINT, KEY)

    assert found == Position(2, None)


def test_a_decimal_stays_exact():
    position = (Decimal("0.1000"), LAST)

    found = read_skiptoken(unquote(token(position)), PRINT, KEY)

    assert [str(value) for value in found.values or ()] == ["0.1000", LAST]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"^.*$", ""),
        (r"^.*$", "x"),
        (r".{20}$", ""),
        ('pagenumber="2"', 'pagenumber="3"'),
        ("%25221%2522", "%25222%2522"),
        ("value%253d%2522", "value%253d%2522A"),
        ("tag%253d%2522", "tag%253d%2522A"),
        (r"$", '<cookie page="1"></cookie>'),
        (r"^.*$", "%" * 50),
        (r"^.*$", '<cookie pagenumber="2" pagingcookie="%253ccookie" istracking="False" />'),
    ],
)
def test_a_changed_or_cut_token_is_refused_wa_234(old: str, new: str):
    changed = re.sub(old, new, unquote(token()), count=1)

    assert changed != unquote(token())
    with pytest.raises(MalformedCookie, match="Malformed XML in the Paging Cookie") as caught:
        read_skiptoken(changed, PRINT, KEY)

    assert caught.value.status == 400


@pytest.mark.parametrize(("query", "key"), [(fingerprint("accounts", "fax"), KEY), (PRINT, b"\x08" * 32)])
def test_a_token_of_another_query_or_environment_is_refused_wa_234(query: str, key: bytes):
    with pytest.raises(MalformedCookie):
        read_skiptoken(unquote(token()), query, key)


@given(st.text(max_size=80), st.sampled_from(["", "<cookie ", "%3ccookie", '<cookie page="1">']))
def test_no_text_breaks_the_reader(text: str, start: str):
    for reader in (read_skiptoken, read_fetch_cookie):
        with pytest.raises(MalformedCookie):
            reader(start + text, PRINT, KEY)


def test_a_fingerprint_tells_where_parts_begin():
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
