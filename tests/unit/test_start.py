"""What a server reads before its first answer: a start that is short is one that leaves out what no list needs."""

import subprocess
import sys
from functools import cache

import pytest

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


@cache
def read_by_a_server() -> frozenset[str]:
    program = "import strongroom.cli.serve, strongroom.serving, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return frozenset(done.stdout.split())


@pytest.mark.parametrize("name", NOT_AT_THE_START)
def test_a_server_starts_without_what_no_list_needs(name: str) -> None:
    assert not {each for each in read_by_a_server() if each == name or each.startswith(f"{name}.")}


def test_what_is_left_out_is_there_when_it_is_asked_for() -> None:
    """A name that is misspelled above would be left out for ever."""
    names = [name for name in NOT_AT_THE_START if name.startswith("strongroom.")]
    program = f"import importlib; [importlib.import_module(name) for name in {names}]"
    subprocess.run([sys.executable, "-c", program], check=True)
