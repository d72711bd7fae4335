"""Request headers that change an answer (WA-30 to WA-46, WA-142, WA-143)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import InvalidRequest, NotAcceptable, PreconditionFailed, UnsupportedMediaType
from strongroom.webapi.headers import (
    FORMATTED,
    check_accept,
    check_json,
    check_version,
    read_condition,
    read_preferences,
)
from strongroom.webapi.http import Request

LOOKUP = "Microsoft.Dynamics.CRM.lookuplogicalname"


def request(body: bytes = b"", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("POST", "accounts", "", named, body, "http://h/api/data/v9.2/", "id")


def test_preferences_come_quoted_in_one_header() -> None:
    read = read_preferences('return=representation, odata.include-annotations="*",odata.maxpagesize=5')

    assert read.representation
    assert read.max_page_size == 5
    assert read.wants(FORMATTED)
    assert read.applied == ("return=representation", 'odata.include-annotations="*"', "odata.maxpagesize=5")


def test_preferences_come_unquoted_and_joined_by_a_comma() -> None:
    """WA-42: a token after the comma that contains `=` starts a new preference."""
    read = read_preferences(f"odata.include-annotations={FORMATTED},odata.maxpagesize=7")

    assert read.max_page_size == 7
    assert read.wants(FORMATTED)
    assert not read.wants(LOOKUP)


def test_unquoted_annotations_go_on_over_commas() -> None:
    read = read_preferences(f"odata.include-annotations={FORMATTED},{LOOKUP}")

    assert read.wants(FORMATTED)
    assert read.wants(LOOKUP)


def test_a_minus_excludes_and_a_prefix_star_includes() -> None:
    """WA-44."""
    read = read_preferences(f'odata.include-annotations="Microsoft.Dynamics.CRM.*,-{LOOKUP}"')

    assert read.wants("Microsoft.Dynamics.CRM.morerecords")
    assert not read.wants(LOOKUP)
    assert not read.wants(FORMATTED)


@pytest.mark.parametrize("text", ["maxpagesize=0", "odata.maxpagesize=-1", "odata.maxpagesize=x", "odata.maxpagesize"])
def test_page_sizes_that_make_no_sense_are_ignored(text: str) -> None:
    """WA-230."""
    assert read_preferences(text).max_page_size is None
    assert read_preferences(text).applied == ()


def test_page_sizes_are_capped_and_prefixes_optional() -> None:
    """WA-43, WA-230."""
    assert read_preferences("maxpagesize=9000").max_page_size == 5000
    assert read_preferences("continue-on-error").continue_on_error
    assert read_preferences("odata.continue-on-error=true").continue_on_error
    assert not read_preferences("odata.continue-on-error=false").continue_on_error


@given(st.text(max_size=200))
def test_no_prefer_header_is_an_error(text: str) -> None:
    """WA-43: unknown preferences are ignored."""
    assert isinstance(read_preferences(text).applied, tuple)


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json;odata.metadata=full, text/plain", ""])
def test_json_can_be_accepted_in_many_words(accept: str) -> None:
    """WA-31."""
    check_accept(request(accept=accept))


@pytest.mark.parametrize("accept", ["text/html", "application/atom+xml"])
def test_a_client_that_takes_no_json_gets_406(accept: str) -> None:
    """WA-31."""
    with pytest.raises(NotAcceptable):
        check_accept(request(accept=accept))


def test_versions_above_4_are_refused() -> None:
    """WA-30."""
    check_version(request(odata_version="4.0"))
    with pytest.raises(InvalidRequest, match=r"4\.01"):
        check_version(request(odata_version="4.01"))


def test_a_body_must_be_json_but_no_body_may_have_any_type() -> None:
    """WA-32."""
    check_json(request(b"{}", content_type="application/json; charset=utf-8"))
    check_json(request(b"", content_type="text/plain"))
    with pytest.raises(UnsupportedMediaType, match="text/plain"):
        check_json(request(b"{}", content_type="text/plain"))


def test_conditions_read_weak_strong_and_bare_tags() -> None:
    """WA-142, WA-143."""
    assert read_condition("*") == read_condition('"*"')
    for text in ('W/"12"', '"12"', "12"):
        condition = read_condition(text)
        assert condition is not None
        assert condition.versions == (12,)
    assert read_condition('W/"1", "2"') == read_condition("1,2")


def test_the_word_null_is_no_condition() -> None:
    """WA-34."""
    assert read_condition("null") is None
    assert read_condition(None) is None
    assert request(if_none_match="null").header("if-none-match") is None


def test_a_tag_that_cannot_be_read_is_412() -> None:
    """WA-143."""
    with pytest.raises(PreconditionFailed, match="not an ETag"):
        read_condition("W/abc")
