"""`strongroom health` and `strongroom diagnose`: how an environment is, and a bundle for whoever helps from afar."""

from pathlib import Path
from typing import cast

import click

from strongroom.cli.options import environment_option, home_option, json_option, opened
from strongroom.cli.output import print_json, say, table


@click.command(short_help="Say whether sealing, alerts and streams are at work.")
@home_option
@environment_option
@json_option
def health(home: Path, environment: str | None, as_json: bool) -> int:
    """Say whether the trail of an environment is being sealed, judged by the alert rules, and sent to its destinations.
    Exits with 1 when something is late or fails."""
    from strongroom.monitoring.health import health_of
    from strongroom.opening import open_environment

    live = open_environment(opened(home), environment)
    try:
        with live.database.read() as transaction:
            found = health_of(transaction, live.clock.now())
    finally:
        live.close()
    shown = found.shown()
    if as_json:
        print_json(shown)
    else:
        say(table(("what", "is"), [(name.replace("_", " "), _said(value)) for name, value in shown.items()]))
    return 0 if found.is_well else 1


@click.command(short_help="Write a bundle for whoever helps from afar.")
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="F", help="New zip file."
)
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    envvar="STRONGROOM_HOME",
    default=Path("home"),
    show_default="home",
    show_envvar=True,
    metavar="DIR",
    help="Folder of the home; it may be damaged.",
)
def diagnose(out: Path, home: Path) -> int:
    """Write what there is to know of a home to a zip, without secrets and personal data: versions, settings without
    their texts, files by size, counts and health of each environment.

    A damaged home gives what can be read of it; what cannot is listed, and the exit status is 1.
    """
    import os

    from strongroom.diagnosis import diagnose as collect
    from strongroom.errors import HomeError, InvalidRequest

    if out.exists():
        raise InvalidRequest(f"{out} is there already; remove it, or name another file.")
    if not home.is_dir():
        raise HomeError(f"There is no folder {home}.")
    data, problems = collect(home, os.environ)
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    for problem in problems:
        say(problem)
    say(f"{out}: {len(data):,} bytes. Look at it before you send it.")
    return 1 if problems else 0


def _said(value: object) -> object:
    match value:
        case dict():
            numbers = cast("dict[str, int]", value)
            return ", ".join(f"{name} {number}" for name, number in numbers.items() if number) or "none"
        case list():
            return "; ".join(cast("list[str]", value)) or "none"
        case None:
            return "never"
        case _:
            return value
