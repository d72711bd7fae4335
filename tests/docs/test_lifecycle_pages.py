"""The how-to pages about environments, back-ups, keys and secrets: their commands run, in their order."""

import re
import subprocess
from pathlib import Path

import pytest
from tests.docs.blocks import PROJECT, blocks
from tests.servers import STRONGROOM, run_cli

_PAGES = (
    "back-up-and-restore",
    "manage-environments",
    "hold-your-own-keys",
    "take-everything-along",
    "keep-secrets",
    "encrypt-a-column",
    "take-a-role-for-a-time",
)


@pytest.mark.parametrize("page", _PAGES)
def test_the_commands_of_a_page_run(page: str, tmp_path: Path) -> None:
    """TS-408, TS-410, TS-504, TS-507, TS-2101, TS-601"""
    run_cli("init", "--home", str(tmp_path / "home"))
    text = (PROJECT / f"docs/how-to/{page}.md").read_text()
    lines = [line for block in blocks(text, "sh") for line in block.splitlines() if "strongroom " in line]
    assert lines
    script = "\n".join(re.sub(r"\bstrongroom (?=[a-z])", f"{STRONGROOM} ", line, count=1) for line in lines)

    done = subprocess.run(
        ["sh", "-e", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
