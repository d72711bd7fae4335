"""`strongroom import-data` and `export-data`: rows from files and into files."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.options import environment_option, home_option, json_option, opened
from strongroom.cli.output import Progress, print_json, say, table

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from strongroom.jobs.data import Report
    from strongroom.records import Session

_FORMATS = ("csv", "jsonl", "xlsx", "package")


@click.command(name="import-data", short_help="Import rows: CSV, JSON lines, Excel, configuration data.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--table", "name", metavar="T", help="Table of the rows; without it, the name of the file or the sheet.")
@click.option(
    "--map", "maps", multiple=True, metavar="HEADER=COLUMN", help="The column a header means; HEADER= leaves it out."
)
@click.option("--user", default="admin", show_default=True, metavar="NAME", help="Who imports: a sign-in name or id.")
@home_option
@environment_option
@json_option
def import_data(
    file: Path, name: str | None, maps: tuple[str, ...], user: str, home: Path, environment: str | None, as_json: bool
) -> int:
    """Import the rows of FILE (.csv, .jsonl, .xlsx, or .zip of the Configuration Migration tool), as the user named.

    A row that is there, by its id or an alternate key, is changed where it differs; others are created. An import that
    was ended goes on where it stopped when the command is given again. Rows that are refused are listed in
    <name>.errors.csv beside FILE, with the reason.

    Exits with 0 when all rows are in, 1 when some are not, 2 when nothing was done.
    """
    from strongroom.cli.telling import facts_of_command
    from strongroom.errors import StrongroomError
    from strongroom.jobs.data import Files, Report, open_data, read_map
    from strongroom.jobs.data import import_data as run
    from strongroom.opening import open_environment

    chosen = read_map(maps)
    source = open_data(file, name)
    files, report, progress = Files.beside(file), Report(), Progress()
    live = open_environment(opened(home), environment)

    def session(write: bool) -> "AbstractContextManager[Session]":
        return live.session_of(user, write=write, facts=facts_of_command())

    stopped = None
    try:
        run(session, source, files, live.id, chosen=chosen, progress=progress, report=report)
    except (StrongroomError, OSError, KeyboardInterrupt) as error:
        if not any(each.kept for each in report.counts.values()):
            raise
        stopped = getattr(error, "message", None) or str(error) or "interrupted"
    finally:
        progress.end()
        live.close()
    _tell(report, files.errors, stopped, as_json)
    return 1 if stopped else report.status


def _tell(report: "Report", errors: Path, stopped: str | None, as_json: bool) -> None:
    refused = any(each.refused or each.incomplete for each in report.counts.values())
    if as_json:
        tables = {name: asdict(counts) for name, counts in report.counts.items()}
        print_json(
            {
                "tables": tables,
                "columns_left_out": report.left_out,
                "errors": str(errors) if refused else None,
                "resumed": report.resumed,
                "stopped": stopped,
            }
        )
        return
    if report.resumed:
        say("Went on where an earlier run stopped; the numbers are of both.")
    head = ("table", "created", "updated", "unchanged", "linked", "files", "refused", "incomplete")
    say(table(head, [(name, *(f"{getattr(c, each):,}" for each in head[1:])) for name, c in report.counts.items()]))
    for name, columns in report.left_out.items():
        say(f"Not imported, because nobody can write them in {name}: {', '.join(columns)}")
    if refused:
        say(f"Why rows were refused or are incomplete: {errors}")
    if stopped:
        say(f"Stopped: {' '.join(stopped.split()).rstrip('.')}. The same command goes on from here.")


@click.command(name="export-data", short_help="Export rows: CSV, JSON lines, Excel, configuration data.")
@click.option("--table", "tables", multiple=True, required=True, metavar="T", help="Table; several for a package.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="New file.")
@click.option("--format", "kind", type=click.Choice(_FORMATS), help="Without it, what the file's name says.")
@click.option("--filter", "where", metavar="ODATA", help="Only rows that this $filter finds.")
@click.option("--columns", metavar="C,C", help="Columns; without it, all that an import can write.")
@click.option("--user", default="admin", show_default=True, metavar="NAME", help="Who exports: a sign-in name or id.")
@home_option
@environment_option
@json_option
def export_data(
    tables: tuple[str, ...],
    out: Path,
    kind: str | None,
    where: str | None,
    columns: str | None,
    user: str,
    home: Path,
    environment: str | None,
    as_json: bool,
) -> None:
    """Export the rows that the user named may read to a new FILE, which `strongroom import-data` takes.

    The format is that of the file's name: .csv, .jsonl, .xlsx, or .zip for a package of the Configuration Migration
    tool. Texts that a spreadsheet would run as formulas get an apostrophe in front, which importing takes away.
    """
    from strongroom.cli.telling import facts_of_command
    from strongroom.jobs.data import Format, Wanted, format_of
    from strongroom.jobs.data import export_data as run
    from strongroom.opening import open_environment
    from strongroom.records.reading_context import read_context

    names = tuple(each.strip() for each in columns.split(",") if each.strip()) if columns is not None else None
    progress = Progress()
    live = open_environment(opened(home), environment)
    try:
        with live.session_of(user, write=False, facts=facts_of_command()) as session:
            chosen = Format(kind) if kind else format_of(out)
            written = run(session, Wanted(tables, names, where), out, chosen, read_context(session), progress)
    finally:
        progress.end()
        live.close()
    if as_json:
        print_json({"file": str(out), "tables": written})
    else:
        say(f"{out}: {', '.join(f'{number:,} rows of {name}' for name, number in written.items())}")
