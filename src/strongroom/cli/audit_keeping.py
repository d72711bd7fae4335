"""`strongroom audit storage` and `keep`: how much the trail holds, and what need not be kept any longer."""

from pathlib import Path

import click

from strongroom.cli.options import environment_option, home_option, json_option, opened, session_in
from strongroom.cli.output import print_json, say, table


@click.command(short_help="How much the trail holds, and how fast it grows.")
@click.option("--days", type=click.IntRange(1, 365), default=7, show_default=True, metavar="N", help="Measured over.")
@home_option
@environment_option
@json_option
def storage(days: int, home: Path, environment: str | None, as_json: bool) -> None:
    """Print entries by quarter, and by table what a day writes and a year will hold under the retention in force."""
    from dataclasses import asdict

    from strongroom.clock import iso
    from strongroom.records.trail_storage import trail_storage

    with session_in(home, environment, "admin", write=False) as session:
        report = trail_storage(session, days)
    if as_json:
        growth = [{**asdict(each), "bytes_in_a_year": each.bytes_in_a_year} for each in report.growth]
        print_json({**asdict(report), "growth": growth, "bytes_in_a_year": report.bytes_in_a_year})
        return
    say(f"{report.entries:,} entries and {report.activities:,} activities; {report.leaves:,} leaves in the log")
    quarters = [
        (iso(each.start)[:10], iso(each.end)[:10] if each.end else "…", f"{each.entries:,}")
        for each in report.partitions
    ]
    if quarters:
        say(table(("from", "to", "entries"), quarters))
    rows = [
        (
            each.table or "-",
            f"{each.entries_a_day:,.1f}",
            _size(each.bytes_a_day),
            "for ever" if each.retention_days is None else f"{each.retention_days} days",
            _size(each.bytes_in_a_year),
        )
        for each in report.growth
    ]
    if rows:
        say(table(("table", "entries a day", "a day", "kept", "in a year"), rows))
    say(f"In a year the trail grows by about {_size(report.bytes_in_a_year)}.")


@click.command(short_help="Take out what need not be kept any longer.")
@home_option
@environment_option
@json_option
def keep(home: Path, environment: str | None, as_json: bool) -> None:
    """Take out entries whose time is over, and archive activities that are old enough. A running server does so itself.

    Segments of activities go to archive/ENVIRONMENT in the home; `strongroom audit verify` checks them. What a legal
    hold covers stays.
    """
    from dataclasses import asdict

    from strongroom.keeping import Keeper
    from strongroom.opening import open_environment
    from strongroom.trail import Trail

    opened_home = opened(home)
    found = open_environment(opened_home, environment)
    try:
        Trail(opened_home, found).seal()
        kept = Keeper(opened_home, found).keep()
    finally:
        found.close()
    if as_json:
        print_json(asdict(kept))
    else:
        say(
            f"{kept.expired:,} entries taken out, {kept.held:,} held, {kept.archived:,} activities archived, "
            f"{kept.restamped:,} entries stamped anew"
        )


def _size(number: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:,.0f} {unit}"
        number /= 1000
    return f"{number:,.1f} TB"
