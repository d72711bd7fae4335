"""`strongroom export --everything`, `strongroom import --everything` and `strongroom export-check`."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, cast

import click

from strongroom.cli.operating import run_operation
from strongroom.cli.options import json_option, opened
from strongroom.cli.output import Progress, print_json, say

_Run = Callable[..., "int | None"]


def or_everything_out(command: _Run) -> _Run:
    """The options with which `strongroom export` writes everything; its own work is done without them."""

    @click.option("--everything", is_flag=True, help="Not a solution: all that the environment has, to FILE.")
    @click.option("--encrypt", "recipients", multiple=True, metavar="AGE1…", help="With --everything: to this key.")
    @wraps(command)
    def run(everything: bool, recipients: tuple[str, ...], **told: Any) -> int | None:
        if everything:
            if told["target"] is not None:
                raise click.UsageError("With --everything, name the file alone.")
            export_all(Path(told["name"]), recipients, told["home"], told["environment"])
            return 0
        if recipients:
            raise click.UsageError("--encrypt goes with --everything.")
        if told["target"] is None:
            raise click.UsageError("Name the solution and the file.")
        return command(**told)

    return run


def or_everything_in(command: _Run) -> _Run:
    """The options with which `strongroom import` makes a whole environment again."""

    @click.option("--everything", is_flag=True, help="FILE holds a whole environment, which is made again.")
    @click.option("--to", "target", metavar="NAME", help="With --everything: the environment to make.")
    @click.option("--database", metavar="URL", help="With --everything: keep it in this PostgreSQL database.")
    @click.option("--public-key", metavar="KEY", help="With --everything: the key that must have signed the file.")
    @wraps(command)
    def run(
        everything: bool, target: str | None, database: str | None, public_key: str | None, **told: Any
    ) -> int | None:
        if not everything:
            if target or database or public_key:
                raise click.UsageError("--to, --database and --public-key go with --everything.")
            return command(**told)
        if target is None:
            raise click.UsageError("Name the environment to make with --to.")
        import_all(told["source"], target, database, public_key, told["home"])
        return 0

    return run


def export_all(file: Path, recipients: tuple[str, ...], home: Path, environment: str | None) -> None:
    """Write everything that an environment has to FILE."""
    name = environment or opened(home).default_environment().name
    arguments = {"name": name, "file": str(file.absolute()), "recipients": " ".join(recipients)}
    answer = run_operation(home, "export", arguments)
    say(f"{file}: everything in '{name}', {answer['rows']:,} rows in {answer['tables']:,} tables")
    say(f"Signed with {answer['publicKey']}; `strongroom export-check {file}` checks it anywhere.")


def import_all(file: Path, name: str, database: str | None, public_key: str | None, home: Path) -> None:
    """Make the environment NAME of an export of everything."""
    arguments = {"to": name, "file": str(file.absolute()), "publickey": public_key}
    run_operation(home, "import", arguments, database=database)
    say(f"'{name}' is what {file} holds. Only administrators get in; `strongroom environment open {name}` opens it.")


@click.command("export-check", short_help="Check an export of everything, on any machine.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--public-key", metavar="KEY", help="What `strongroom audit key` of the environment printed.")
@json_option
def export_check(file: Path, public_key: str | None, as_json: bool) -> int:
    """Check hashes, counts and the signature of FILE. Needs no home. Exits with 1 and names each file that differs."""
    from strongroom.lifecycle.portability.checking import check_export, opened_export

    progress = Progress()
    with opened_export(file) as export:
        doubts = check_export(export, public_key)
        about = cast("dict[str, object]", export.manifest["Environment"])
        rows = sum(int(facts.get("rows", 0)) for facts in export.files.values())
    progress.end()
    if as_json:
        print_json({"file": str(file), "environment": about, "rows": rows, "doubts": doubts})
    else:
        for doubt in doubts:
            say(doubt)
        say(f"{rows:,} rows of '{about['Name']}': {'NOT what was exported' if doubts else 'what was exported'}")
    return 1 if doubts else 0
