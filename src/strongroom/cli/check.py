"""`strongroom check`: is everything in a home whole."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.options import home_option, json_option, opened
from strongroom.cli.output import print_json, say

if TYPE_CHECKING:
    from strongroom.home import EnvironmentRecord, Home


@click.command(short_help="Check the integrity of a home.")
@home_option
@json_option
def check(home: Path, as_json: bool) -> int:
    """Check the integrity of a home: keys, settings, and the store of every environment.

    Prints every doubt and exits with 1 when there is one. It may run beside a server.
    """
    opened_home = opened(home)
    doubts = {record.name: _doubts(opened_home, record) for record in opened_home.environments()}
    is_sound = not any(doubts.values())
    if as_json:
        print_json({"home": opened_home.id, "sound": is_sound, "doubts": doubts})
    else:
        for name, found in doubts.items():
            say(f"{name}: {'sound' if not found else ''}".rstrip())
            for doubt in found:
                say(f"  {doubt}")
        say("The home is sound." if is_sound else "The home is NOT sound. Keep this state, and restore from a backup.")
    return 0 if is_sound else 1


def _doubts(home: "Home", record: "EnvironmentRecord") -> list[str]:
    from strongroom.errors import HomeError, IntegrityViolation
    from strongroom.opening import open_environment
    from strongroom.trail import Trail

    try:
        environment = open_environment(home, record.name)
        try:
            return environment.database.check() or list(Trail(home, environment).verify().doubts)
        finally:
            environment.close()
    except (HomeError, IntegrityViolation) as error:
        return [error.message]
