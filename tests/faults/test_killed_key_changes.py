"""R2, R20: the real commands that change keys, killed before each of their file operations, leave a home that is whole.

A child process runs the command and ends itself, without any clean-up, when it is about to touch the n-th file of the
home; the interpreter's audit events tell it when. The power-loss tests of the key ring are the other half: here no
write is lost, but everything is real, the encrypted store included.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

from strongroom.cli.main import run
from strongroom.home import open_home

_EVENTS = ("open", "os.rename", "os.remove", "os.mkdir", "os.truncate")
_KILLED = 137


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that nothing has happened to."""
    path = tmp_path_factory.mktemp("homes") / "home"
    assert run(["init", "--home", str(path)]) == 0
    return path


def killed_at(step: int, home: Path, command: list[str]) -> bool:
    """Run `command` on `home` in a child that dies at its `step`-th file operation there; False when it ended first."""
    child = os.fork()
    if child == 0:
        left = step

        def die_when_due(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal left
            if event in _EVENTS and arguments and str(arguments[0]).startswith(str(home)):
                left -= 1
                if left == 0:
                    os._exit(_KILLED)

        sys.addaudithook(die_when_due)
        os._exit(run([*command, "--home", str(home)]))
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, _KILLED)
    return code == _KILLED


@pytest.mark.parametrize(
    "command",
    [["keys", "rotate"], ["keys", "rotate", "--signing"], ["keys", "rekey"]],
    ids=["root key", "signing key", "data key"],
)
def test_home_is_whole_after_a_kill_at_every_file_operation(whole: Path, tmp_path: Path, command: list[str]) -> None:
    step = 0
    was_killed = True
    while was_killed:
        step += 1
        home = tmp_path / str(step)
        shutil.copytree(whole, home)

        was_killed = killed_at(step, home, command)

        opened = open_home(home, environ={})
        opened.keys.signing_key()
        assert run(["check", "--home", str(home)]) == 0, f"killed at operation {step}"
        assert all(keys.pending is None for keys in opened.keys.document.environments.values()) or was_killed
        shutil.rmtree(home)
    assert step > 10
