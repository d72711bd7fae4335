"""`strongroom bench`: how fast this machine is, as ratios against hand-written SQL in the same run."""

from pathlib import Path

import click

from strongroom.cli.options import json_option
from strongroom.cli.output import Progress, print_json, say


@click.command(short_help="Measure speed against bare SQL.")
@click.option(
    "--accounts", type=click.IntRange(100), default=10_000, show_default=True, metavar="N", help="Size of the data set."
)
@click.option("--database", metavar="URL", help="Measure PostgreSQL at this address too.")
@click.option(
    "--folder", type=click.Path(path_type=Path), metavar="DIR", help="Where to keep the data set for another run."
)
@click.option(
    "--rounds", type=click.IntRange(3), default=9, show_default=True, metavar="N", help="How often each is measured."
)
@click.option(
    "--only", multiple=True, metavar="PART", help="Measure this part alone, such as W2 or http; may be repeated."
)
@json_option
def bench(
    accounts: int, database: str | None, folder: Path | None, rounds: int, only: tuple[str, ...], as_json: bool
) -> None:
    """Measure reading and writing, and print the ratios to bare SQL on the same file.

    The data set is made in a folder that is removed afterwards, unless --folder keeps it.
    """
    from strongroom.jobs.bench import measure

    progress = Progress()
    try:
        report = measure(
            accounts=accounts, database=database, folder=folder, progress=progress, rounds=rounds, only=only
        )
    finally:
        progress.end()
    if as_json:
        print_json(report.as_json())
    else:
        say(report.as_text())
