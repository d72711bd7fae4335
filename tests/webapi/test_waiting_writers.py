"""Readers go on while writers wait: an embedded store is not called on the event loop for what takes its time."""

import json
import threading
from collections.abc import Iterator

import httpx
import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.servers import RunningServer, start_server

from strongroom.home import open_home
from strongroom.opening import open_environment


@pytest.fixture(scope="module")
def served(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of one process on an embedded store."""
    running = start_server(make_home(tmp_path_factory.mktemp("waiting"), stores, "sqlcipher"))
    yield running
    running.stop()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("accounts", {"name": "waits"}),
        (
            "EntityDefinitions(LogicalName='account')/Attributes",
            {
                "@odata.type": "Microsoft.Dynamics.CRM.IntegerAttributeMetadata",
                "SchemaName": "new_Waits",
                "DisplayName": {"LocalizedLabels": [{"Label": "Waits", "LanguageCode": 1033}]},
            },
        ),
    ],
)
def test_readers_are_answered_while_a_write_waits_for_another_process(
    served: RunningServer, path: str, body: dict[str, object]
) -> None:
    """A row and a column: both wait for the one who writes, and nobody waits for them."""
    headers = {"Authorization": f"Bearer {served.token()}"}
    done: list[httpx.Response] = []

    def write() -> None:
        done.append(httpx.post(served.api + path, content=json.dumps(body), headers=headers | _JSON, timeout=60))

    environment = open_environment(open_home(served.home))
    writer = threading.Thread(target=write)
    try:
        with environment.database.write(), httpx.Client(headers=headers, timeout=25) as reader:
            writer.start()
            for _ in range(10):
                assert reader.get(f"{served.api}accounts?$top=1").status_code == 200
            assert done == []
    finally:
        environment.close()
    writer.join()
    assert [answer.status_code for answer in done] == [204]


_JSON = {"Content-Type": "application/json"}
