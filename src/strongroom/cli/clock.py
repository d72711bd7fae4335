"""`strongroom clock`: what time it is for a home, and moving a test home ahead (TS-006)."""

from datetime import datetime
from pathlib import Path

import click

from strongroom.cli.options import home_option, json_option, opened
from strongroom.cli.output import print_json, say


@click.group(invoke_without_command=True, short_help="Show the clock of a home, or move a test home ahead.")
@home_option
@json_option
@click.pass_context
def clock(context: click.Context, home: Path, as_json: bool) -> None:
    """Show the clock of a home. Only a test home (`strongroom init --test-clock`) can be moved, and only ahead."""
    if context.invoked_subcommand is not None:
        return
    from strongroom.clock import iso

    opened_home = opened(home)
    now = iso(opened_home.clock.now())
    if as_json:
        print_json({"now": now, "testclock": opened_home.is_test_home})
    else:
        say(f"{now}{' (test home: this clock can be moved)' if opened_home.is_test_home else ''}")


@clock.command("set", short_help="Move the clock of a test home ahead.")
@click.argument("time")
@home_option
def set_clock(time: str, home: Path) -> None:
    """Move the clock of a test home ahead to TIME, such as 2030-05-01T10:15:00Z; a running server follows at once, and
    the system jobs that became due are run.

    The move is for ever: an earlier time is refused. Ordinary homes have no such clock.
    """
    from strongroom.clock import iso
    from strongroom.errors import HomeError
    from strongroom.home import MovableClock
    from strongroom.system_jobs import run_after

    opened_home = opened(home)
    if not isinstance(opened_home.clock, MovableClock):
        raise HomeError(
            f"{home} is an ordinary home, whose clock nobody moves. `strongroom init --test-clock` makes a test home."
        )
    clock, moment = opened_home.clock, _moment(time)
    ended = run_after(opened_home, lambda: clock.move_to(moment))
    say(f"It is {iso(clock.now())} in this home now.")
    if ended:
        say(f"{ended} system jobs became due and were run.")


def _moment(text: str) -> datetime:
    from strongroom.clock import moment_of

    moment = moment_of(text)
    if moment is None:
        raise click.BadParameter(f"'{text}' is no time with its zone, such as 2030-05-01T10:15:00Z.")
    return moment
