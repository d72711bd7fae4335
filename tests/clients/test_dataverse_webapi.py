"""The npm client `dataverse-webapi`, unmodified, run by node over TLS (WA-7, WA-33, section 29)."""

from tests.clients.node import needs_node, run_node_tests
from tests.servers import RunningServer


@needs_node
def test_the_npm_client_works(tls_server: RunningServer) -> None:
    run_node_tests(
        "dataverse-webapi",
        "dataverse-webapi.test.mjs",
        STRONGROOM_URL=tls_server.address,
        STRONGROOM_TOKEN=tls_server.token(),
        STRONGROOM_CA=str(tls_server.home / "tls" / "localhost.pem"),
    )
