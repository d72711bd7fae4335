"""`strongroom backup` and `strongroom restore`."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from strongroom.cli.operating import confirm_option, require_confirmed, run_operation
from strongroom.cli.options import environment_option, home_option, json_option, opened
from strongroom.cli.output import print_json, say, table

if TYPE_CHECKING:
    from strongroom.lifecycle.manifest import Manifest


@click.group(short_help="Take, list, verify and remove back-ups.")
def backup() -> None:
    """Back-ups of environments: encrypted, taken while clients write, verified by putting them back aside."""


@backup.command(short_help="Back an environment up.")
@click.option("--label", metavar="TEXT", help="A word of your own about it.")
@click.option("--verify", is_flag=True, help="Put it back aside at once and look whether all is there.")
@home_option
@environment_option
@json_option
def create(label: str | None, verify: bool, home: Path, environment: str | None, as_json: bool) -> int:
    """Back an environment up as it is now, beside a running server. It is kept until it is removed."""
    name = environment or opened(home).default_environment().name
    answer = run_operation(home, "backup", {"name": name, "label": label})
    if verify:
        found = run_operation(home, "verify-backup", {"backup": str(answer["backup"])})
        answer["doubts"] = found["doubts"]
    if as_json:
        print_json(answer)
    else:
        say(
            f"{answer['backup']}: {answer['rows']:,} rows of '{name}' as of {answer['takenOn']}, "
            f"{answer['sizeBytes']:,} bytes"
        )
        if verify:
            _tell_doubts(cast("list[str]", answer["doubts"]))
    return 1 if answer.get("doubts") else 0


@backup.command("list", short_help="Show the back-ups that there are.")
@home_option
@environment_option
@json_option
def list_backups(home: Path, environment: str | None, as_json: bool) -> None:
    """Show the back-ups of the home, or of one environment, oldest first."""
    from dataclasses import asdict

    from strongroom.lifecycle.backups import Backups

    opened_home = opened(home)
    found = Backups(opened_home).listed(opened_home.record(environment).id if environment else None)
    if as_json:
        hidden = ("wrapped_key", "parts", "rows", "signature")
        print_json(
            [{k: v for k, v in asdict(each).items() if k not in hidden} | {"rows": each.total_rows} for each in found]
        )
    else:
        head = ("ID", "ENVIRONMENT", "TAKEN ON", "KIND", "ROWS", "BYTES", "EXPIRES ON", "LABEL")
        say(table(head, [_shown(each) for each in found]))


@backup.command(short_help="Show which moments can be had back.")
@home_option
@environment_option
@json_option
def window(home: Path, environment: str | None, as_json: bool) -> None:
    """Show between which moments every second can be had back with `strongroom restore --at`, oldest first.

    A window begins with a back-up, and ends where something is missing of the journal of changes after it.
    """
    from strongroom.clock import iso
    from strongroom.lifecycle.backups import Backups

    opened_home = opened(home)
    record = opened_home.record(environment) if environment else opened_home.default_record()
    backups = Backups(opened_home)
    found = backups.journals.windows(backups.listed(record.id), backups.journals.keep_of(record))
    told = [{"environment": record.name, "from": iso(each.begins), "to": iso(each.ends)} for each in found]
    if as_json:
        print_json(told)
    else:
        say(table(("ENVIRONMENT", "FROM", "TO"), [tuple(each.values()) for each in told]))


@backup.command(short_help="Put a back-up back aside, and look whether all is there.")
@click.argument("backup_id", metavar="ID")
@home_option
@json_option
def verify(backup_id: str, home: Path, as_json: bool) -> int:
    """Restore the back-up ID aside, check pages, meaning, rows and trail, and remove that again.

    ID may be the beginning of one, or `newest`.

    Exits with 1 when there is a doubt, with 2 when the back-up does not open at all.
    """
    answer = run_operation(home, "verify-backup", {"backup": backup_id})
    doubts = cast("list[str]", answer["doubts"])
    if as_json:
        print_json(answer)
    else:
        say(f"{answer['backup']}: {answer['rows']:,} rows, {answer['entries']:,} entries of the trail")
        _tell_doubts(doubts)
    return 1 if doubts else 0


@backup.command(short_help="Remove a back-up for good.")
@click.argument("backup_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
def delete(backup_id: str, yes: bool, home: Path) -> None:
    """Remove the back-up ID for good. That it was there stays written down."""
    from strongroom.lifecycle.backups import Backups

    found = Backups(opened(home)).find(backup_id)
    if not yes:
        click.confirm(f"Remove the back-up of '{found.environment}' of {found.taken_on} for good?", abort=True)
    answer = run_operation(home, "remove-backup", {"backup": found.id})
    say(f"{answer['backup']} is gone.")


@click.command(short_help="Put a back-up in place, or beside.")
@click.option("--backup", "backup_id", metavar="ID", help="The back-up; the beginning of its id, or newest.")
@click.option("--at", metavar="TIME", help="Instead: the state at this second, such as 2026-05-01T10:15:00Z.")
@click.option("--to", "target", metavar="NAME", help="Environment to replace, or to make; default: the one it is of.")
@click.option("--database", metavar="URL", help="For a new environment: its PostgreSQL database.")
@confirm_option
@home_option
@environment_option
@json_option
def restore(
    backup_id: str | None,
    at: str | None,
    target: str | None,
    database: str | None,
    confirm: str | None,
    home: Path,
    environment: str | None,
    as_json: bool,
) -> None:
    """Put a back-up in the place of an environment that is not production, or make a sandbox of it.

    A server may run; it lets go of the environment for as long as it takes. What is there before is backed up first.
    Afterwards the environment is in administration mode: `strongroom environment open NAME` lets everybody in.
    """
    from strongroom.lifecycle.backups import Backups

    if (backup_id is None) == (at is None):
        raise click.UsageError("Name a back-up with --backup, or a time with --at.")
    opened_home = opened(home)
    source = environment or (opened_home.default_record().name if backup_id in (None, "newest") else None)
    if backup_id is not None:
        only = opened_home.record(source).id if source else None
        found = Backups(opened_home).find(backup_id, only)
        backup_id, source = found.id, found.environment
    target = target or source or ""
    if any(record.name == target for record in opened_home.environments()):
        require_confirmed(target, confirm, f"This replaces all that is in '{target}'.")
    arguments = {"backup": backup_id, "at": at, "name": source, "to": target}
    answer = run_operation(home, "restore", arguments, database=database)
    if as_json:
        print_json(answer)
        return
    if answer["pointInTime"]:
        say(
            f"'{answer['environment']}' is as it was on {answer['pointInTime']}: the back-up of {answer['takenOn']}, "
            f"and {answer['unitsOfWork']:,} units of work after it."
        )
    else:
        say(f"'{answer['environment']}' is as it was on {answer['takenOn']}: {answer['rows']:,} rows.")
    if answer["before"]:
        say(f"What was there before is the back-up {answer['before']}.")
    say(f"Only administrators get in; `strongroom environment open {answer['environment']}` opens it.")


def _shown(each: "Manifest") -> tuple[str, ...]:
    size, rows = f"{each.size_bytes:,}", f"{each.total_rows:,}"
    return (each.id, each.environment, each.taken_on, each.kind, rows, size, each.expires_on or "never", each.label)


def _tell_doubts(doubts: list[str]) -> None:
    for doubt in doubts:
        say(f"  {doubt}")
    say("The back-up is NOT what it should be." if doubts else "All is there: the back-up can be relied on.")
