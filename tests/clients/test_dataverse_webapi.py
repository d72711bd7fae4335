"""The npm client `dataverse-webapi`, unmodified, run by node over TLS (WA-7, WA-33, section 29)."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.servers import RunningServer

HERE = Path(__file__).parent


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed; the npm client cannot run without it")
def test_the_npm_client_works(tls_server: RunningServer) -> None:
    assert (HERE / "node_modules" / "dataverse-webapi").exists(), "run `make test`, which installs the npm client"
    told = {
        "STRONGROOM_URL": tls_server.address,
        "STRONGROOM_TOKEN": tls_server.token(),
        "STRONGROOM_CA": str(tls_server.home / "tls" / "localhost.pem"),
    }

    done = subprocess.run(
        ["node", "--test", "dataverse-webapi.test.mjs"],
        cwd=HERE,
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
