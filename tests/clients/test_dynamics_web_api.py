"""The npm client `dynamics-web-api`, unmodified, run by node (section 29)."""

from tests.clients.node import needs_node, run_node_tests
from tests.servers import RunningServer


@needs_node
def test_the_npm_client_works(server: RunningServer) -> None:
    run_node_tests(
        "dynamics-web-api",
        "dynamics-web-api.test.mjs",
        "dynamics-web-api-surface.test.mjs",
        STRONGROOM_URL=server.address,
        STRONGROOM_TOKEN=server.token(),
    )
