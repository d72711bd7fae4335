"""What a server has read when it has answered its first list: a short start leaves out what no list needs."""

import os
import subprocess
import sys

import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.servers import run_cli

from strongroom.messages import CHANGING_FUNCTIONS, operations

NOT_AT_THE_START = (
    "strongroom.beside",  # what is done beside requests, a moment later
    "strongroom.streaming",
    "strongroom.anchoring",
    "strongroom.system_jobs",
    "strongroom.lifecycle",
    "strongroom.console",  # pages, when somebody looks at one
    "strongroom.signin.site",
    "strongroom.messages.catalogue",  # operations, when one is called
    "strongroom.jobs",
    "strongroom.store.postgresql",  # where there is one
    "psycopg",
    "PIL",  # where pictures are stored
    "zxcvbn",  # when a password is chosen
    "webauthn",
    "babel",
    "jinja2",
)


PROGRAM = """
import asyncio, sys
from strongroom.serving import application

async def ask(app, token):
    asked = {"type": "http", "method": "GET", "path": "/api/data/v9.2/accounts", "query_string": b"$select=name"}
    asked |= {"scheme": "http", "client": ("127.0.0.1", 1), "http_version": "1.1"}
    asked["headers"] = [(b"host", b"localhost"), (b"authorization", f"Bearer {token}".encode())]
    answers = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        answers.append(message)

    await app(asked, receive, send)
    return answers[0]["status"]

app = application()
app.open()
assert asyncio.run(ask(app, sys.argv[1])) == 200
print(*sys.modules)
app.close()
"""


@pytest.fixture(scope="module")
def read_by_a_server(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """All modules that a server has read once it has answered its first list."""
    folder = tmp_path_factory.mktemp("start")
    home = make_home(folder, Stores(folder), "sqlcipher")
    token = run_cli("token", "--home", str(home), "--user", "admin").stdout.strip()
    told = {**os.environ, "STRONGROOM_SERVE_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, token], capture_output=True, text=True, check=True, env=told, timeout=300
    )
    return frozenset(done.stdout.split())


@pytest.mark.parametrize("name", NOT_AT_THE_START)
def test_a_server_answers_its_first_list_without_what_no_list_needs(
    name: str, read_by_a_server: frozenset[str]
) -> None:
    assert not {each for each in read_by_a_server if each == name or each.startswith(f"{name}.")}


def test_what_is_left_out_is_there_when_it_is_asked_for() -> None:
    """A name that is misspelled above would be left out for ever."""
    names = [name for name in NOT_AT_THE_START if name.startswith("strongroom.")]
    program = f"import importlib; [importlib.import_module(name) for name in {names}]"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_functions_that_change_rows_are_known_without_their_rooms() -> None:
    assert {name for name, operation in operations().items() if operation.changes} == CHANGING_FUNCTIONS


def test_what_is_done_beside_requests_reads_no_driver_of_a_database_that_is_not_there() -> None:
    program = "import strongroom.beside, sys; assert 'psycopg' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
