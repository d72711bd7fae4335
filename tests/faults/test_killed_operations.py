"""TS-413: a back-up, a restore, a copy and a change of custody that are killed at any moment leave the source as it was
and the target as it was or as it should be; the next try succeeds."""

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.lifecycle.states import OF_THE_TRAIL, add_accounts, change, differing, opened, state_of
from tests.servers import STRONGROOM, run_cli

from strongroom.lifecycle.backups import Backups
from strongroom.lifecycle.operations import Asked, perform

_KILLS = int(os.environ.get("STRONGROOM_TEST_KILLS", "50"))
_IN_SUITE = 2


@pytest.fixture(scope="module", params=["sqlcipher", "postgresql"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, stores: Stores) -> Path:
    """A home with a back-up of `main` and a change after it."""
    home = make_home(tmp_path_factory.mktemp("killed"), stores, str(request.param))
    perform(opened(home), "convert", Asked({"name": "main", "type": "sandbox"}, "a test"))
    change(home, "main", lambda environment: add_accounts(environment, "Ada"))
    perform(opened(home), "backup", Asked({"name": "main", "label": "first"}, "a test"))
    change(home, "main", lambda environment: add_accounts(environment, "Bea"))
    return home


def killed_after(delay_s: float, home: Path, *command: str) -> bool:
    """Run a command and kill it after a time; whether it was still running."""
    process = subprocess.Popen(
        [STRONGROOM, *command, "--home", str(home)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(delay_s)  # the moment of the kill is what is tested, not waited for
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def lasting(home: Path, *command: str) -> float:
    """How long the command takes when nobody kills it."""
    started = time.monotonic()
    run_cli(*command, "--home", str(home))
    return time.monotonic() - started


def check_kills(whole: Path, kills: int) -> None:
    """Kill back-ups and restores at random moments, and look at everything after each."""
    chance = random.Random(kills)
    first = Backups(opened(whole)).listed()[0].id
    backup, restore = ("backup", "create"), ("restore", "--backup", first, "--confirm", "main")
    old_state = _state_of_backup(whole, first)
    times = {command: lasting(whole, *command) for command in (backup, restore)}
    hits = 0
    for number in range(kills):
        change(whole, "main", lambda environment, number=number: add_accounts(environment, f"after {number}"))
        before = state_of(whole, "main")
        command = restore if number % 2 else backup

        hits += killed_after(chance.uniform(0.1, 1.0) * times[command], whole, *command)

        after = state_of(whole, "main")
        is_old = differing(after, old_state) <= OF_THE_TRAIL | {"counters", "stamp"}
        is_same = differing(after, before) <= OF_THE_TRAIL | {"counters"}
        assert is_same or (command is restore and is_old), f"kill {number} of {command[0]}"
        assert _is_proven(whole), f"kill {number} of {command[0]}"
        _drop_all_but(whole, first)
    assert hits > 0
    run_cli(*backup, "--home", str(whole))
    run_cli(*restore, "--home", str(whole))
    assert differing(state_of(whole, "main"), old_state) <= OF_THE_TRAIL | {"counters"}
    assert not list((whole / "environments").glob("*.staged*"))
    run_cli("check", "--home", str(whole))


def _state_of_backup(home: Path, backup: str) -> dict[str, str]:
    run_cli("restore", "--home", str(home), "--backup", backup, "--confirm", "main")
    return state_of(home, "main")


def _is_proven(home: Path) -> bool:
    return run_cli("audit", "verify", "--home", str(home)).returncode == 0


def _drop_all_but(home: Path, kept: str) -> None:
    backups = Backups(opened(home))
    for manifest in backups.listed():
        if manifest.id != kept:
            backups.remove(manifest)


def test_killed_back_ups_and_restores_leave_a_whole_environment(whole: Path) -> None:
    check_kills(whole, _IN_SUITE)


@pytest.mark.campaign
def test_killed_back_ups_and_restores_many_times(whole: Path) -> None:
    check_kills(whole, _KILLS)


def test_killed_change_of_custody_leaves_the_environment_open(tmp_path: Path, stores: Stores) -> None:
    """TS-505: the environment is under the one key or the other, never under none."""
    home = make_home(tmp_path, stores, "sqlcipher")
    key = tmp_path / "customer.key"
    run_cli("keys", "customer", "make-file", str(key))
    run_cli("keys", "customer", "add", "ours", f"file:{key}", "--home", str(home))
    command = ("keys", "customer", "assign", "ours", "-e", "main")
    takes = lasting(home, *command)
    run_cli("keys", "customer", "assign", "--home", str(home), "-e", "main")
    chance = random.Random(7)

    for number in range(_IN_SUITE):
        copied = tmp_path / str(number)
        shutil.copytree(home, copied)
        killed_after(chance.uniform(0.3, 1.0) * takes, copied, *command)
        run_cli("check", "--home", str(copied))
        run_cli("keys", "customer", "rotate", "ours", "--home", str(copied))
        run_cli("check", "--home", str(copied))
