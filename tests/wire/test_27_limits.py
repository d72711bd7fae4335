"""Section 27: a server that protects itself, with limits of its own (WA-430 to WA-432, WA-56)."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.engines import ENGINES, Stores
from tests.homes import make_home
from tests.servers import start_server
from tests.wire.client import Api

REQUESTS = 5


@pytest.fixture(params=ENGINES)
def api(request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The administrator of a server that allows five requests in the window."""
    home = make_home(tmp_path_factory.mktemp("protected"), stores, str(request.param))
    (Path(home) / "strongroom.toml").write_text(f"[server]\nprotect_requests = {REQUESTS}\n")
    server = start_server(home, "--protect")
    with httpx.Client(timeout=60) as http:
        yield Api(server.api, server.token(), http)
    server.stop()


def test_a_user_gets_as_many_requests_as_the_server_is_told(api: Api) -> None:
    """WA-430, WA-431, WA-432, TS-301, TS-302: what remains is told, and what is too much changes nothing."""
    left: list[int] = []
    for number in range(REQUESTS):
        answer = api.send("POST", "accounts", {"name": f"A {number}"})
        assert answer.status_code == 204, answer.text
        left.append(int(answer.headers["x-ms-ratelimit-burst-remaining-xrm-requests"]))
        assert float(answer.headers["x-ms-ratelimit-time-remaining-xrm-requests"]) > 0
    assert left == [4, 3, 2, 1, 0]

    says = "Number of requests exceeded the limit of 5 over time window of 300 seconds."
    for _ in range(2):
        refused = api.refused("POST", "accounts", {"name": "X"}, status=429, code="0x80072322", says=says)
        assert int(refused.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("engine", ENGINES)
def test_workers_count_together(engine: str, stores: Stores, tmp_path: Path) -> None:
    """TS-305: more workers do not let more through."""
    home = make_home(tmp_path, stores, engine)
    (home / "strongroom.toml").write_text(f"[server]\nprotect_requests = {REQUESTS}\n")
    server = start_server(home, "--protect", "--workers", "2")
    try:
        statuses: list[int] = []
        token = server.token()
        for _ in range(4 * REQUESTS):
            with httpx.Client(timeout=60) as http:  # a new connection: either worker may take it
                statuses.append(Api(server.api, token, http).send("GET", "WhoAmI").status_code)
    finally:
        server.stop()
    assert statuses == [200] * REQUESTS + [429] * (3 * REQUESTS)
