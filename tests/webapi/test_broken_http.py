"""Clients that write HTTP oddly, slowly, or not to the end (WA-8, WA-12, WA-13, WA-33, WA-434)."""

import http.client
import json
import select
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
from tests.webapi.conftest import Wire

MIB = 1024 * 1024


@pytest.fixture
def line(wire: Wire) -> Iterator[socket.socket]:
    """A bare connection to the server."""
    host, _, port = wire.server.address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        yield connection


def head(wire: Wire, line: str, *headers: str) -> bytes:
    """The head of a request of the administrator's."""
    lines = [line, "Host: 127.0.0.1", f"Authorization: Bearer {wire.tokens['admin']}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def answer_on(line: socket.socket) -> tuple[int, bytes]:
    """The next answer: its status and body."""
    answer = http.client.HTTPResponse(line)
    try:
        answer.begin()
        return answer.status, answer.read()
    finally:
        answer.close()


def error_in(body: bytes) -> tuple[str, str]:
    error = json.loads(body)["error"]
    return error["code"], error["message"]


CREATE = "POST /api/data/v9.2/accounts HTTP/1.1"
JSON = "Content-Type: application/json"


def test_chunked_body_is_read(wire: Wire, line: socket.socket) -> None:
    chunks = b'4\r\n{"na\r\n9\r\nme":"chu"\r\n1\r\n}\r\n0\r\n\r\n'
    line.sendall(head(wire, CREATE, JSON, "Transfer-Encoding: chunked") + chunks)
    assert answer_on(line) == (204, b"")


def test_body_that_comes_byte_by_byte_is_read(wire: Wire, line: socket.socket) -> None:
    body = b'{"name":"slow"}'
    for byte in head(wire, CREATE, JSON, f"Content-Length: {len(body)}") + body:
        line.sendall(bytes((byte,)))
    assert answer_on(line) == (204, b"")


def test_client_that_asks_before_it_sends_the_body_is_told_to_go_on(wire: Wire, line: socket.socket) -> None:
    body = b'{"name":"asked"}'
    line.sendall(head(wire, CREATE, JSON, f"Content-Length: {len(body)}", "Expect: 100-continue"))
    assert line.recv(1000).startswith(b"HTTP/1.1 100")
    line.sendall(body)
    assert answer_on(line) == (204, b"")


@pytest.mark.parametrize("extra", [(), ("Expect: 100-continue",)])
def test_oversized_body_is_413_before_it_is_read(wire: Wire, line: socket.socket, extra: tuple[str, ...]) -> None:
    """WA-13: nothing of the body has been sent, and the answer is there."""
    before = wire.witness.state()
    line.sendall(head(wire, CREATE, JSON, f"Content-Length: {101 * MIB}", *extra))
    status, body = answer_on(line)
    assert status == 413
    code, message = error_in(body)
    assert code == "0x80040216"
    assert str(101 * MIB) in message
    assert str(100 * MIB) in message
    assert wire.witness.state() == before


def test_chunked_body_is_413_as_soon_as_it_exceeds_the_limit(wire: Wire, line: socket.socket) -> None:
    line.sendall(head(wire, CREATE, JSON, "Transfer-Encoding: chunked"))
    chunk = b"%x\r\n" % MIB + b" " * MIB + b"\r\n"
    for _ in range(101):
        line.sendall(chunk)
    status, body = answer_on(line)
    assert (status, error_in(body)[0]) == (413, "0x80040216")


def test_oversized_body_without_a_token_is_401(wire: Wire, line: socket.socket) -> None:
    """WA-22."""
    line.sendall(f"{CREATE}\r\nHost: 127.0.0.1\r\nContent-Length: {101 * MIB}\r\n\r\n".encode())
    assert answer_on(line)[0] == 401
    assert wire.send("GET", "WhoAmI").status_code == 200


def test_half_closed_connection_is_still_answered(wire: Wire, line: socket.socket) -> None:
    body = b'{"name":"half"}'
    line.sendall(head(wire, CREATE, JSON, f"Content-Length: {len(body)}") + body)
    line.shutdown(socket.SHUT_WR)
    assert answer_on(line) == (204, b"")


def test_body_that_ends_too_early_changes_nothing(wire: Wire, line: socket.socket) -> None:
    """WA-33: one client counts its bytes wrongly; whatever it sent of a body is not half a change."""
    before = wire.witness.state()
    line.sendall(head(wire, CREATE, JSON, "Content-Length: 100") + b'{"name":"cut"}')
    line.shutdown(socket.SHUT_WR)
    line.settimeout(5)
    while line.recv(1000):
        pass
    assert wire.witness.state() == before
    assert wire.send("GET", "WhoAmI").status_code == 200


def test_body_cut_in_the_middle_of_a_character_is_400(wire: Wire, line: socket.socket) -> None:
    """WA-33: the length counted in UTF-16 units."""
    text = '{"name":"Zoë ë ë"}'
    line.sendall(head(wire, CREATE, JSON, f"Content-Length: {len(text)}") + text.encode()[: len(text)])
    status, body = answer_on(line)
    assert (status, error_in(body)[0]) == (400, "0x80048d19")


def test_bytes_that_are_no_http_are_400_with_an_error_body(line: socket.socket) -> None:
    line.sendall(b"hello\r\n\r\n")
    status, body = answer_on(line)
    assert status == 400
    assert "no HTTP/1.1 request" in error_in(body)[1]


def test_raw_letters_outside_ascii_in_the_url_are_400_and_the_way_out_is_told(wire: Wire, line: socket.socket) -> None:
    line.sendall(head(wire, "GET /api/data/v9.2/accounts?$filter=name%20eq%20'Zoë' HTTP/1.1"))
    status, body = answer_on(line)
    assert status == 400
    assert "Percent-encode" in error_in(body)[1]


def test_requests_sent_in_one_go_are_answered_in_order(wire: Wire, line: socket.socket) -> None:
    paths = ("WhoAmI", "nothing", "accounts?$top=1", "$metadata")
    line.sendall(b"".join(head(wire, f"GET /api/data/v9.2/{path} HTTP/1.1") for path in paths))
    statuses: list[int] = []
    with line.makefile("rb") as stream:
        for _ in paths:
            statuses.append(int(stream.readline().split()[1]))
            headers = http.client.parse_headers(stream)
            stream.read(int(headers["content-length"]))
    assert statuses == [200, 404, 200, 200]


def test_old_client_without_a_host_header_is_answered(wire: Wire, line: socket.socket) -> None:
    line.sendall(f"GET /api/data/v9.2/WhoAmI HTTP/1.0\r\nAuthorization: Bearer {wire.tokens['admin']}\r\n\r\n".encode())
    assert answer_on(line)[0] == 200


def test_host_header_that_is_no_name_is_400(wire: Wire, line: socket.socket) -> None:
    line.sendall(head(wire, "GET /api/data/v9.2/WhoAmI HTTP/1.1").replace(b"127.0.0.1", b'a"b'))
    status, body = answer_on(line)
    assert status == 400
    assert "Host" in error_in(body)[1]


@pytest.mark.parametrize(
    "character", ["'", "(", ")", "$", ",", "{", "}", '"', "<", ">", ";", "|", "^", "`", "\\", "[", "]"]
)
def test_characters_that_should_have_been_encoded_are_read(wire: Wire, line: socket.socket, character: str) -> None:
    """WA-5."""
    text = character * 2 if character == "'" else character
    line.sendall(head(wire, f"GET /api/data/v9.2/accounts?$filter=name+eq+'{text}' HTTP/1.1"))
    assert answer_on(line)[0] == 200


def endless(line: socket.socket, start: bytes, piece: bytes) -> tuple[int, bytes]:
    """Send `start` and then `piece` until the server answers; it must before 16 MiB."""
    line.sendall(start)
    with suppress(ConnectionError):
        for _ in range(16 * MIB // len(piece)):
            line.sendall(piece)
            if select.select([line], [], [], 0)[0]:
                break
    return answer_on(line)


@pytest.mark.parametrize("piece", [b"x" * 8192, b"x: y\r\n" * 50], ids=["one header", "many headers"])
def test_head_that_never_ends_is_431(wire: Wire, line: socket.socket, piece: bytes) -> None:
    start = head(wire, "GET /api/data/v9.2/WhoAmI HTTP/1.1")[:-2] + b"A: b\r\n"
    status, body = endless(line, start, piece)
    assert status == 431
    assert "at most" in error_in(body)[1]


def test_url_that_never_ends_is_414(line: socket.socket) -> None:
    """WA-12."""
    status, body = endless(line, b"GET /api/data/v9.2/", b"x" * 8192)
    assert (status, error_in(body)[0]) == (414, "0x80060888")


def test_large_head_within_the_limit_is_answered(wire: Wire, line: socket.socket) -> None:
    line.sendall(head(wire, "GET /api/data/v9.2/WhoAmI HTTP/1.1", "X: " + "x" * 60_000))
    assert answer_on(line)[0] == 200


def test_many_idle_connections_do_not_keep_others_out(wire: Wire) -> None:
    """WA-434: clients that connect and say nothing, or half a head."""
    host, _, port = wire.server.address.removeprefix("http://").partition(":")
    idle = [socket.create_connection((host, int(port)), timeout=10) for _ in range(200)]
    try:
        for connection in idle[::2]:
            connection.sendall(b"GET /api/data/v9.2/accounts HTTP/1.1\r\nHost: x\r\n")
        assert wire.send("GET", "WhoAmI").status_code == 200
    finally:
        for connection in idle:
            connection.close()
