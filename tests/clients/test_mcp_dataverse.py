"""The npm program `mcp-dataverse`, unmodified, asked by MCP's own client (section 29)."""

from tests.clients.node import needs_node, run_node_tests
from tests.servers import RunningServer


@needs_node
def test_the_mcp_server_works(tls_server: RunningServer) -> None:
    run_node_tests(
        "mcp-dataverse",
        "mcp-dataverse.test.mjs",
        timeout_s=240,
        STRONGROOM_URL=tls_server.address,
        STRONGROOM_TOKEN=tls_server.token(),
        STRONGROOM_CA=str(tls_server.home / "tls" / "localhost.pem"),
    )
