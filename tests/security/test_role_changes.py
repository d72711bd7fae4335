"""A role of 500 privileges changes while 16 clients read through two processes: no answer is wrong (SM-4).

How long readers wait meanwhile is measured by `strongroom bench --only role-changes`: here other tests run on the same
machine.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.servers import RunningServer, start_server

from strongroom.home import open_home
from strongroom.jobs.bench.changing import PRIVILEGES, READERS, prepare, watch
from strongroom.opening import open_environment

CHANGES = 6


@pytest.fixture
def server(engine: str, stores: Stores, tmp_path: Path) -> Iterator[RunningServer]:
    running = start_server(make_home(tmp_path, stores, engine), "--workers", "2")
    yield running
    running.stop()


def test_no_answer_is_wrong_while_a_role_of_500_privileges_changes(server: RunningServer) -> None:
    home = open_home(server.home)
    environment = open_environment(home)
    cast = prepare(environment, home)
    environment.close()

    watched = watch(urlsplit(server.address).port or 0, cast, CHANGES)

    assert (READERS, PRIVILEGES) == (16, 500)
    assert not watched.wrong(), f"{len(watched.wrong())} of {len(watched.readings)} answers are wrong"
    assert {rows for _, _, rows in watched.readings} == {5, 80}, "the change was not seen: the test shows nothing"
