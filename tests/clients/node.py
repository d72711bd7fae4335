"""Programs of npm, run by node as they are published."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
needs_node = pytest.mark.skipif(
    shutil.which("node") is None, reason="node is not installed; the npm client cannot run without it"
)


def run_node_tests(package: str, *files: str, timeout_s: int = 120, **told: str) -> None:
    """Run test files of this folder that use an npm package; `told` are their environment variables."""
    assert (HERE / "node_modules" / package).exists(), "run `make test`, which installs the npm client"
    done = subprocess.run(
        ["node", "--test", *files],
        cwd=HERE,
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
