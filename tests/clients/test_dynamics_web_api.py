"""The npm client `dynamics-web-api`, unmodified, run by node (section 29)."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.servers import RunningServer

HERE = Path(__file__).parent


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed; the npm client cannot run without it")
def test_the_npm_client_works(server: RunningServer) -> None:
    assert (HERE / "node_modules" / "dynamics-web-api").exists(), "run `make test`, which installs the npm client"
    environ = {**os.environ, "STRONGROOM_URL": server.address, "STRONGROOM_TOKEN": server.token()}

    done = subprocess.run(
        ["node", "--test", "dynamics-web-api.test.mjs", "dynamics-web-api-surface.test.mjs"],
        cwd=HERE,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
