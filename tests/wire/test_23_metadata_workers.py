"""WA-68: a change of metadata is seen by the next request, whichever worker answers it."""

from collections.abc import Iterator

import httpx
import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.servers import RunningServer, start_server
from tests.wire.client import Api, column, table


@pytest.fixture(scope="module", params=["sqlcipher", "postgresql"])
def workers(
    request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server of two processes."""
    home = make_home(tmp_path_factory.mktemp("workers"), stores, str(request.param))
    running = start_server(home, "--workers", "2")
    yield running
    running.stop()


def test_a_change_is_seen_by_every_worker_at_once(workers: RunningServer) -> None:
    """WA-68: each request comes on a connection of its own, so that either process may answer it."""
    token = workers.token()

    def api() -> Api:
        return Api(workers.api, token, httpx.Client(timeout=60, headers={"Connection": "close"}))

    assert api().send("POST", "EntityDefinitions", table("wire_Seen")).status_code == 204
    for number in range(2):
        where = "EntityDefinitions(LogicalName='wire_seen')/Attributes"
        assert api().send("POST", where, column("Integer", f"wire_N{number}")).status_code == 204
        for _ in range(8):
            assert api().new("wire_seens", {f"wire_n{number}": number})
            assert api().rows(f"wire_seens?$select=wire_n{number}&$top=1")
    assert api().send("DELETE", "EntityDefinitions(LogicalName='wire_seen')").status_code == 204
    assert {api().send("GET", "wire_seens").status_code for _ in range(12)} == {404}
