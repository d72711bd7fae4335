"""Section 1: gzip both ways, pages of other origins, and methods inside of others (WA-11, WA-14, WA-15)."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.servers import RunningServer, run_cli, start_server
from tests.wire.client import Api, unique

PLAIN = {"Accept-Encoding": "identity"}
JSON = {"Content-Type": "application/json"}
PAGE = "https://app.example"


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.5", "*", "deflate, x-gzip"])
@pytest.mark.parametrize("path", ["EntityDefinitions(LogicalName='account')", "$metadata"])
def test_long_answers_are_compressed_for_those_who_take_it(api: Api, path: str, accepted: str) -> None:
    """WA-14."""
    plain = api.send("GET", path, headers=PLAIN)
    packed = api.send("GET", path, headers={"Accept-Encoding": accepted})

    assert "Content-Encoding" not in plain.headers
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < len(plain.content) / 3
    assert packed.content == plain.content


@pytest.mark.parametrize(
    ("path", "accepted"),
    [("WhoAmI", "gzip"), ("$metadata", "gzip;q=0"), ("$metadata", "br"), ("$metadata", "gzip;q=x")],
)
def test_short_answers_and_other_clients_get_them_plain(api: Api, path: str, accepted: str) -> None:
    """WA-14."""
    assert "Content-Encoding" not in api.send("GET", path, headers={"Accept-Encoding": accepted}).headers


def test_files_are_never_compressed(api: Api, boxes: str) -> None:
    """WA-14, WA-363: a range means the same bytes for every client."""
    row = api.new(boxes)
    body = b"a" * 5000
    sent = {"Content-Type": "application/octet-stream", "x-ms-file-name": "a.txt"}
    assert api.send("PATCH", f"{boxes}({row})/wire_file", content=body, headers=sent).status_code == 204
    answer = api.send("GET", f"{boxes}({row})/wire_file/$value", headers={"Accept-Encoding": "gzip"})
    assert ("Content-Encoding" in answer.headers, answer.content) == (False, body)


@pytest.mark.parametrize(
    ("coding", "pack"), [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_bodies_may_come_compressed(api: Api, coding: str, pack: Callable[[bytes], bytes]) -> None:
    """WA-14: what is written is what was packed."""
    name = unique("packed")
    body = pack(json.dumps({"name": name}).encode())
    answer = api.send("POST", "accounts", content=body, headers={**JSON, "Content-Encoding": coding})
    assert answer.status_code == 204, answer.text
    assert len(api.rows(f"accounts?$select=name&$filter=name eq '{name}'")) == 1


def test_bodies_that_cannot_be_unpacked_are_refused(api: Api) -> None:
    """WA-14, TS-306: damaged ones, unknown codings, and ones that swell beyond the limit."""
    packed = gzip.compress(b'{"name":"X"}')
    for content in (packed[:-4], b"no gzip", packed + b"tail"):
        headers = {**JSON, "Content-Encoding": "gzip"}
        api.refused("POST", "accounts", status=400, content=content, headers=headers, says="gzip")
    api.refused("POST", "accounts", status=415, content=packed, headers={**JSON, "Content-Encoding": "br"}, says="br")
    bomb = gzip.compress(b" " * (101 * 1024 * 1024), 9)
    headers = {**JSON, "Content-Encoding": "gzip"}
    api.refused("POST", "accounts", status=413, content=bomb, headers=headers, says="when it is expanded")


def test_a_method_may_come_inside_of_post(api: Api) -> None:
    """WA-11: by itself and in a batch; what cannot be carried is refused."""
    row = api.new("accounts", {"name": unique("tunnel")})

    def tunnelled(method: str, body: object = None, path: str = f"accounts({row})") -> int:
        return api.send("POST", path, body, headers={"X-HTTP-Method-Override": method}).status_code

    assert tunnelled("PATCH", {"name": "patched"}) == 204
    assert tunnelled("merge", {"telephone1": "1"}) == 204
    assert tunnelled("PUT", {"value": "put"}, f"accounts({row})/name") == 204
    assert api.get(f"accounts({row})?$select=name,telephone1")["name"] == "put"
    part = f"POST accounts({row}) HTTP/1.1\r\nX-HTTP-Method-Override: DELETE\r\n\r\n\r\n"
    batch = f"--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{part}--b--\r\n"
    answer = api.send("POST", "$batch", content=batch.encode(), headers={"Content-Type": "multipart/mixed; boundary=b"})
    assert "204 No Content" in answer.text
    api.refused("GET", f"accounts({row})", status=404)
    api.refused("POST", "accounts", {}, status=400, headers={"X-HTTP-Method-Override": "TRACE"}, says="PATCH, PUT")


@pytest.fixture(scope="module")
def open_server(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that lets the pages of one origin call it."""
    home = make_home(tmp_path_factory.mktemp("origins"), stores, "sqlcipher")
    (Path(home) / "strongroom.toml").write_text(f'[server]\ncors_origins = ["{PAGE}"]\n')
    running = start_server(home)
    yield running
    running.stop()


def _asked(server: RunningServer, origin: str) -> httpx.Response:
    sent = {
        "Origin": origin,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization, if-match, prefer",
    }
    return httpx.options(f"{server.api}accounts", headers=sent)


def test_pages_of_named_origins_may_call(open_server: RunningServer) -> None:
    """WA-15: the question before needs no token; answers and errors can be read, with the headers that clients need."""
    asked = _asked(open_server, PAGE)
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Origin"] == PAGE
    assert "PATCH" in asked.headers["Access-Control-Allow-Methods"]
    assert asked.headers["Access-Control-Allow-Headers"] == "authorization, if-match, prefer"
    assert "Access-Control-Allow-Credentials" not in asked.headers

    token = {"Authorization": f"Bearer {open_server.token()}"}
    for headers, status in (({**token, "Origin": PAGE}, 200), ({"Origin": PAGE}, 401)):
        answer = httpx.get(f"{open_server.api}WhoAmI", headers=headers)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (status, PAGE)
        exposed = answer.headers["Access-Control-Expose-Headers"]
        for name in ("OData-EntityId", "OData-Version", "Preference-Applied", "x-ms-chunk-size", "x-ms-file-name"):
            assert name in exposed
        assert all(name in exposed for name in ("x-ms-file-size", "Location", "Retry-After"))


def test_pages_of_other_origins_are_told_nothing(open_server: RunningServer, api: Api) -> None:
    """WA-15: by default nobody's page may call."""
    for answer in (_asked(open_server, "https://evil.example"), _asked(open_server, f"{PAGE}.evil.example")):
        assert answer.status_code == 401
        assert not any(name.startswith("access-control") for name in answer.headers)
    closed = httpx.options(f"{api.root}accounts", headers={"Origin": PAGE, "Access-Control-Request-Method": "GET"})
    assert closed.status_code == 401
    plain = api.send("GET", "WhoAmI", headers={"Origin": PAGE})
    assert not any(name.startswith("access-control") for name in plain.headers)


@pytest.mark.parametrize("origin", ["app.example", "https://app.example/", "https://*.example", ""])
def test_an_origin_that_no_browser_would_send_is_refused(stores: Stores, tmp_path: Path, origin: str) -> None:
    """WA-15: a rule that never matches is a mistake that should be seen."""
    home = make_home(tmp_path, stores, "sqlcipher")
    (home / "strongroom.toml").write_text(f'[server]\ncors_origins = ["{origin}"]\n')
    assert "cors_origins" in run_cli("check", "--home", str(home), expect=2).stderr
