"""Every scenario of the record security model, black-box through the Web API, on both engines.

The rules that a scenario exercises are named in its file (`rules`), and in the test's id.
"""

import json
from pathlib import Path

import pytest
from tests.scenarios.steps import Runner
from tests.scenarios.wire import Wire, World
from tests.servers import RunningServer

SCENARIOS = sorted((Path(__file__).parent / "data").glob("security-*.json"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario_holds_through_the_web_api(path: Path, server: RunningServer) -> None:
    """Each step is seen as the file says: status, code, rows, rights, reasons and smallest changes."""
    wire = Wire(server.api, server.token())
    world = World(wire, json.loads(path.read_text()))

    try:
        world.build()
        runner = Runner(world)
        for step in world.scenario["steps"]:
            runner.run(step)
    finally:
        world.restore()
        wire.close()
