"""The npm program `mcp-dataverse`, unmodified, asked by MCP's own client (section 29)."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.servers import RunningServer

HERE = Path(__file__).parent


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed; the npm client cannot run without it")
def test_the_mcp_server_works(tls_server: RunningServer) -> None:
    assert (HERE / "node_modules" / "mcp-dataverse").exists(), "run `make test`, which installs the npm client"
    environ = {
        **os.environ,
        "STRONGROOM_URL": tls_server.address,
        "STRONGROOM_TOKEN": tls_server.token(),
        "STRONGROOM_CA": str(tls_server.home / "tls" / "localhost.pem"),
    }

    done = subprocess.run(
        ["node", "--test", "mcp-dataverse.test.mjs"],
        cwd=HERE,
        env=environ,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
