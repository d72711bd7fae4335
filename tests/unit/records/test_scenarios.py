"""Every security scenario that needs no masks or column shares, straight through the verbs, on both engines."""

import json
from pathlib import Path

import pytest
from tests.unit.records.scenario_play import Play
from tests.worlds import World

DATA = Path(__file__).parents[2] / "scenarios" / "data"
LATER = {"security-23-column-share-and-filter", "security-24-masking"}
SCENARIOS = [path for path in sorted(DATA.glob("security-*.json")) if path.stem not in LATER]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario_holds_through_the_verbs(path: Path, world: World) -> None:
    """The rules that each exercises are named in its file."""
    play = Play(world, json.loads(path.read_text()))
    play.build()

    for step in play.scenario["steps"]:
        play.step(step)
