"""Section 1: transport and addressing (WA-1 to WA-13)."""

import socket
from urllib.parse import urlsplit

import httpx
import pytest
from tests.servers import RunningServer
from tests.wire.client import EMPTY, NOBODY, Api, unique


def _raw(api: Api, request: bytes) -> bytes:
    """The bytes that the server answers to bytes, until it closes the connection."""
    place = urlsplit(api.root)
    with socket.create_connection((place.hostname or "", place.port or 80), timeout=20) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received


@pytest.mark.parametrize("version", ["v9.0", "v9.1", "v9.2", "v8.0", "v8.1", "v8.2"])
def test_each_version_reaches_the_same_service_and_stays_in_links(api: Api, version: str) -> None:
    """WA-1: URLs in the answer carry the version that was asked for."""
    root = api.root.replace("v9.2", version)

    context = api.get(f"{root}accounts?$select=name&$top=1")["@odata.context"]

    assert context == f"{root}$metadata#accounts(name)"


@pytest.mark.parametrize("version", ["v7.0", "v8.3", "v9.3", "v10.0", "x"])
def test_other_versions_are_404_with_an_error_body(api: Api, version: str) -> None:
    """WA-1."""
    api.refused("GET", api.root.replace("v9.2", version) + "accounts", status=404, code="0x8006088a")


def test_the_root_answers_with_and_without_its_slash(api: Api) -> None:
    """WA-2."""
    assert api.get(api.root.rstrip("/")) == api.get(api.root)


def test_names_are_case_sensitive_and_guids_are_not(api: Api) -> None:
    """WA-3."""
    row = api.new("accounts", {"name": unique()})

    api.refused("GET", "Accounts", status=404, code="0x8006088a", says="Resource not found for the segment 'Accounts'.")
    api.refused("GET", "accounts?$select=Name", status=400, says="Could not find a property named 'Name'")
    api.refused("GET", "accounts?$Select=name", status=400, says="$Select")
    api.refused("GET", "whoami", status=404)
    assert api.get(f"accounts({row.upper()})?$select=name")["accountid"] == row


def test_queries_are_decoded_once_and_a_plus_is_a_space(api: Api) -> None:
    """WA-4."""
    name = unique("a+b c%2Bd")
    row = api.new("accounts", {"name": name})
    written = name.replace("%", "%25").replace("+", "%2B")

    for spaced in (written.replace(" ", "%20"), written.replace(" ", "+")):
        assert [r["accountid"] for r in api.rows(f"accounts?$select=name&$filter=name+eq%20'{spaced}'")] == [row]


def test_characters_that_should_have_been_encoded_are_accepted_raw(api: Api) -> None:
    """WA-5: everything that the HTTP parser lets through, also `$` encoded as %24."""
    place = urlsplit(api.root).netloc
    head = f"Host: {place}\r\nAuthorization: Bearer {api.token}\r\nConnection: close\r\n\r\n"
    target = """/api/data/v9.2/accounts?$select=name,accountid&$filter=(name%20ne%20'{}"<>$,')"""

    answer = _raw(api, f"GET {target} HTTP/1.1\r\n{head}".encode())

    assert answer.startswith(b"HTTP/1.1 200"), answer[:400]
    assert api.get("accounts?%24select=name&%24top=1")


def test_links_use_the_authority_that_the_client_used(api: Api) -> None:
    """WA-6: the Host header, and forwarded headers from a loopback peer."""
    query = "accounts?$select=name&$top=1"
    for headers, root in (
        ({"Host": "crm.example:8443"}, "http://crm.example:8443"),
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Host": "crm.example"}, "https://crm.example"),
        ({"Forwarded": "for=1.2.3.4;proto=https;host=crm.example"}, "https://crm.example"),
    ):
        assert api.get(query, headers)["@odata.context"].startswith(f"{root}/api/data/v9.2/$metadata")
    created = api.send("POST", "accounts", {"name": unique()}, headers={"Host": "crm.example"})
    assert created.headers["OData-EntityId"].startswith("http://crm.example/api/data/v9.2/accounts(")
    assert created.headers["Location"] == created.headers["OData-EntityId"]


def test_https_links_are_https_links(tls_server: RunningServer) -> None:
    """WA-6, WA-7: the scheme is that of the listener."""
    with httpx.Client(verify=False, timeout=60) as http:  # noqa: S501 - the certificate is another test's business
        api = Api(tls_server.api, tls_server.token(), http)
        assert api.get("accounts?$select=name&$top=1")["@odata.context"].startswith("https://localhost:")


def test_keep_alive_close_and_chunked_bodies_work(api: Api) -> None:
    """WA-8."""
    place = urlsplit(api.root).netloc
    head = f"Host: {place}\r\nAuthorization: Bearer {api.token}\r\n"
    get = f"GET /api/data/v9.2/WhoAmI HTTP/1.1\r\n{head}"
    both = _raw(api, f"{get}\r\n{get}Connection: close\r\n\r\n".encode())
    body = b'{"name":"chunk'
    post = f"POST /api/data/v9.2/accounts HTTP/1.1\r\n{head}Content-Type: application/json\r\nConnection: close\r\n"
    pieces = b'%x\r\n%s\r\n3\r\ned"\r\n1\r\n}\r\n0\r\n\r\n' % (len(body), body)

    chunked = _raw(api, post.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + pieces)

    assert both.count(b"HTTP/1.1 200") == 2
    assert chunked.startswith(b"HTTP/1.1 204"), chunked[:300]


def test_expect_100_continue_is_answered_before_the_body(api: Api) -> None:
    """WA-8."""
    place = urlsplit(api.root)
    head = (
        f"POST /api/data/v9.2/accounts HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {api.token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 15\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((place.hostname or "", place.port or 80), timeout=20) as connection:
        connection.sendall(head.encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 100")
        connection.sendall(b'{"name":"wait"}')
        assert connection.recv(65536).startswith(b"HTTP/1.1 204")


@pytest.mark.parametrize("path", ["accounts?$select=name&$top=1", "WhoAmI", "$metadata", "", "accounts/$count"])
def test_head_gives_the_headers_of_get_without_a_body(api: Api, path: str) -> None:
    """WA-8."""
    got, head = api.send("GET", path), api.send("HEAD", path)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Type"] == got.headers["Content-Type"]
    assert head.headers["Content-Length"] == got.headers["Content-Length"]
    assert head.headers.get("Content-Encoding") == got.headers.get("Content-Encoding")


def test_methods_that_a_resource_does_not_have_are_405_and_say_which_it_has(api: Api) -> None:
    """WA-9, WA-148 (PUT of a whole row)."""
    row = api.new("accounts", {"name": unique()})
    for method, path, allow in (
        ("PATCH", "accounts", "GET, HEAD, POST"),
        ("DELETE", "accounts", "GET, HEAD, POST"),
        ("PUT", "accounts", "GET, HEAD, POST"),
        ("PUT", f"accounts({row})", "GET, HEAD, PATCH, DELETE"),
        ("POST", f"accounts({row})", "GET, HEAD, PATCH, DELETE"),
        ("POST", f"accounts({row})/name", "GET, HEAD, PUT, DELETE"),
        ("POST", f"accounts({row})/primarycontactid/$ref", "GET, HEAD, PUT, DELETE"),
        ("POST", "$metadata", "GET, HEAD"),
        ("DELETE", "", "GET, HEAD"),
        ("OPTIONS", "accounts", "GET, HEAD, POST, PATCH, PUT, DELETE"),
    ):
        says = f"The requested resource does not support http method '{method}'."
        body = None if method in ("DELETE", "OPTIONS") else EMPTY
        answer = api.refused(method, path, body, status=405, code="0x80060800", says=says)
        assert answer.headers["Allow"] == allow, (method, path)


def test_functions_are_not_posted_and_actions_are_not_got(api: Api) -> None:
    """WA-10."""
    for method, path in (("POST", "WhoAmI"), ("GET", "GrantAccess"), ("PATCH", "WhoAmI"), ("GET", "BulkDelete")):
        body = EMPTY if method != "GET" else None
        says = "No HTTP resource was found that matches the request URI"
        answer = api.refused(method, path, body, status=404, says=says)
        assert answer.json()["error"]["code"] == ""


def test_urls_up_to_32768_characters_are_read_and_longer_ones_are_414(api: Api) -> None:
    """WA-12."""
    head = "accounts?$select=name&$top=1&tag="
    room = 32_768 - len(urlsplit(api.root).path + head)

    assert api.send("GET", head + "x" * room).status_code == 200
    api.refused("GET", head + "x" * (room + 1), status=414)


def test_a_body_that_declares_too_much_is_413_before_it_is_read(api: Api) -> None:
    """WA-13."""
    place = urlsplit(api.root).netloc
    head = (
        f"POST /api/data/v9.2/accounts HTTP/1.1\r\nHost: {place}\r\nAuthorization: Bearer {api.token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 104857601\r\nConnection: close\r\n\r\n"
    )

    answer = _raw(api, head.encode())

    assert answer.startswith(b"HTTP/1.1 413"), answer[:300]
    assert b'"error"' in answer


def test_what_is_not_there_is_404(api: Api) -> None:
    """WA-56: the segment is named, also behind a collection."""
    for path, segment in (("nonsense", "nonsense"), ("accounts/nonsense", "nonsense"), ("accounts/$value", "$value")):
        says = f"Resource not found for the segment '{segment}'."
        api.refused("GET", path, status=404, code="0x8006088a", says=says)
    api.refused("GET", f"accounts({NOBODY})", status=404, code="0x80040217")
