"""Batches as clients write them (WA-280 to WA-293)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import InvalidRequest, StrongroomError, UnsupportedMediaType
from strongroom.webapi.http import Response
from strongroom.webapi.multipart import boundary_of, http_part, read_request, split_parts, write_parts

CRLF = (
    b"\r\n--b_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 7\r\n\r\n"
    b"POST http://h/api/data/v9.2/accounts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"
    b'{"name":"x"}\r\n--b_1--\r\n'
)


def test_boundaries_come_with_and_without_quotes() -> None:
    assert boundary_of('multipart/mixed; boundary="a b"') == "a b"
    assert boundary_of("multipart/mixed;boundary=a_b") == "a_b"


@pytest.mark.parametrize(
    ("content_type", "error"), [("multipart/mixed", InvalidRequest), ("application/json", UnsupportedMediaType)]
)
def test_a_batch_needs_its_type_and_a_boundary(content_type: str, error: type[StrongroomError]) -> None:
    """WA-280."""
    with pytest.raises(error):
        boundary_of(content_type)


@pytest.mark.parametrize("body", [CRLF, CRLF.replace(b"\r\n", b"\n"), CRLF.replace(b"--b_1--\r\n", b"--b_1--")])
def test_parts_come_with_crlf_or_lf(body: bytes) -> None:
    """WA-281."""
    (part,) = split_parts(body, "b_1")
    request = read_request(part.content)

    assert part.headers["content-id"] == "7"
    assert (request.method, request.target) == ("POST", "http://h/api/data/v9.2/accounts")
    assert request.body == b'{"name":"x"}'


def test_a_request_line_may_hold_raw_spaces() -> None:
    """WA-282."""
    request = read_request(b"\n\nGET accounts?$filter=name eq 'a b' HTTP/1.1\nAccept:application/json\n\n")

    assert request.target == "accounts?$filter=name eq 'a b'"
    assert request.headers == {"accept": "application/json"}
    assert request.body == b""


def test_a_get_part_may_end_without_an_empty_line() -> None:
    (part,) = split_parts(b"--x\nContent-Type: application/http\n\nGET accounts HTTP/1.1\n--x--", "x")

    assert read_request(part.content).target == "accounts"


def test_an_empty_batch_has_no_parts() -> None:
    """WA-293."""
    assert split_parts(b"--x--\r\n", "x") == []


@pytest.mark.parametrize("body", [b"", b"nothing", b"--y\r\n\r\n--y--"])
def test_a_body_without_its_delimiter_is_refused(body: bytes) -> None:
    """WA-292."""
    with pytest.raises(InvalidRequest, match="--x"):
        split_parts(body, "x")


def test_answers_begin_with_their_delimiter_and_can_be_read_back() -> None:
    """WA-285."""
    answer = Response(201, (("Content-Type", "application/json"),), b'{"a":1}')
    body = write_parts("r", [http_part(answer, "7"), http_part(Response(204))])
    first, second = split_parts(body, "r")

    assert body.startswith(b"--r\r\n")
    assert body.endswith(b"--r--\r\n")
    assert b"HTTP/1.1 201 Created" in first.content
    assert first.content.rstrip().endswith(b'{"a":1}')
    assert first.headers["content-id"] == "7"
    assert b"HTTP/1.1 204 No Content" in second.content


@given(st.binary(max_size=400))
def test_random_bodies_are_read_or_refused(body: bytes) -> None:
    try:
        for part in split_parts(b"--x\r\n" + body, "x"):
            read_request(part.content)
    except InvalidRequest as error:
        assert error.message
