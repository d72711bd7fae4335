"""R1: the server is killed without warning while four clients write, again and again, on both engines.

After each restart every acknowledged write and its audit entry is there, nothing is half done, and the store's own
check has no doubt. This kills processes: what the operating system has taken over is not lost. The loss of power is
the matter of `test_torn_files`.
"""

import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest
from tests.engines import ENGINES, Stores
from tests.faults.writers import WRITERS, Truth, Writer, doubts
from tests.homes import make_home
from tests.property.witness import Witness
from tests.servers import RunningServer, run_cli
from tests.servers import start_server as serve

from strongroom.home import open_home
from strongroom.opening import open_environment

KILLS = {"sqlcipher": 20, "postgresql": 10}
"""R1 asks for 20 with every run of all tests; a kill of the server leaves PostgreSQL itself running, which has less to
recover from. The campaign has as many of both."""

CAMPAIGN_KILLS = int(os.environ.get("STRONGROOM_KILLS", "1000"))
MOST_RESTART_S = 10.0
MOST_ANSWERS = 20
MOST_PATIENCE_S = 60.0


@pytest.mark.parametrize("engine", ENGINES)
def test_every_acknowledged_write_survives_the_kill_of_the_server(tmp_path: Path, stores: Stores, engine: str) -> None:
    """R1, promises 1 and 2. Every fifth round of SQLCipher has two workers."""
    _kill_again_and_again(make_home(tmp_path, stores, engine), engine, KILLS[engine])


@pytest.mark.campaign
@pytest.mark.parametrize("engine", ENGINES)
def test_campaign_of_kills(tmp_path: Path, stores: Stores, engine: str) -> None:
    """R1, campaign: as many kills as STRONGROOM_KILLS says, 1,000 without it."""
    _kill_again_and_again(make_home(tmp_path, stores, engine), f"{engine} {os.urandom(4).hex()}", CAMPAIGN_KILLS)


def _kill_again_and_again(home: Path, seed: str, kills: int) -> None:
    print("seed", seed)
    chance = random.Random(seed)
    witness = Witness(open_home(home), open_home(home).default_environment())
    acknowledged = 0
    for number in range(kills):
        workers = ("--workers", "2") if seed.startswith("sqlcipher") and number % 5 == 1 else ()
        started = time.monotonic()
        server = serve(home, *workers)
        assert time.monotonic() - started < MOST_RESTART_S
        writers = killed_while_writing(server, chance.randint(1, MOST_ANSWERS), chance.uniform(0, 0.02))
        truth = Truth.seen_by(witness)
        for writer in writers:
            assert not writer.refused
            assert doubts(writer, truth) == []
        acknowledged += answered(writers)
        environment = open_environment(open_home(home))
        assert environment.database.check() == []
        environment.close()
    witness.close()
    assert acknowledged >= kills
    run_cli("check", "--home", str(home))


def killed_while_writing(server: RunningServer, answers: int, more_s: float) -> list[Writer]:
    """The clients, after the server and all its workers were killed in the middle of their writes: a moment after so
    many were acknowledged, however slow the machine is."""
    token, stopped = server.token(), threading.Event()
    writers = [Writer(server.api, token) for _ in range(WRITERS)]
    threads = [threading.Thread(target=writer.run, args=(stopped,)) for writer in writers]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + MOST_PATIENCE_S
    while answered(writers) < answers and time.monotonic() < deadline:
        stopped.wait(0.002)
    stopped.wait(more_s)
    for process in workers_of(server.process.pid):
        os.kill(process, signal.SIGKILL)
    server.kill()
    stopped.set()
    for thread in threads:
        thread.join()
    return writers


def answered(writers: list[Writer]) -> int:
    """How many writes were acknowledged so far."""
    return sum(write.is_acknowledged for writer in writers for write in writer.writes)


def workers_of(process: int) -> list[int]:
    """The ids of the processes that a process started."""
    path = Path(f"/proc/{process}/task/{process}/children")
    return [int(child) for child in path.read_text().split()]


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    """R1: nobody has to look for what is left of a server before it can start again."""
    home = make_home(tmp_path, Stores(tmp_path), "sqlcipher")
    server = serve(home, "--workers", "2")
    children = workers_of(server.process.pid)
    assert len(children) >= 2
    server.kill()
    deadline = time.monotonic() + 10
    while any(is_running(child) for child in children):
        assert time.monotonic() < deadline, "workers go on without their parent"
        time.sleep(0.05)
    again = serve(home, port=int(server.address.rpartition(":")[2]))
    assert again.stop() == 0


def is_running(process: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
