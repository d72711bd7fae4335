"""R3 on SQLCipher: the n-th write fails, for every n, and the request is refused with 503 and leaves nothing behind.

The operating system itself makes the writes fail: `RLIMIT_FSIZE` lets no file of this process grow beyond a limit, so
each page that would go behind it is refused, as on a full disk. The log is emptied before each request, and the limit
is raised page by page until the request fits. What is not simulated: a disk that reports success and loses the write
(that is `test_torn_files`), and errors while reading.
"""

import logging
import resource
import shutil
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.engines import Stores
from tests.faults.verbs import VERBS, Verb, opened
from tests.homes import make_home
from tests.property.campaign import faults_of_error

FRAME = 24 + 4096


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the rows that the verbs change."""
    folder = tmp_path_factory.mktemp("disk")
    home = make_home(folder, Stores(folder), "sqlcipher")
    with opened(home) as world:
        world.make_rows()
    return home


@contextmanager
def no_file_grows_beyond(limit: int) -> Generator[None]:
    """The limit for this process; the log of the tests is silent meanwhile, since it is a file too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    logging.disable(logging.CRITICAL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        logging.disable(logging.NOTSET)
        signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_write_that_fails_at_any_page_is_refused_and_leaves_nothing(home: Path, tmp_path: Path, verb: Verb) -> None:
    """R3, promises 1 and 2."""
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    with opened(copy) as world:
        before = world.witness.state()
        refused = 0
        for pages in range(2000):
            world.witness.rows("pragma wal_checkpoint(truncate)")
            with no_file_grows_beyond(32 + FRAME * pages + FRAME // 2):
                answer = world.send(verb)
            if answer.status < 300:
                break
            refused += 1
            assert answer.status == 503 or b"HTTP/1.1 503" in answer.body, answer.body
            assert answer.status == 400 or faults_of_error(answer.body) == []
            assert world.witness.state() == before, f"refused at page {pages}, and yet something was written"
        assert refused > 3
        assert world.witness.state() != before
        assert world.environment.database.check() == []
        assert world.send(VERBS[0]).status == 204, "the process does not recover by itself"
