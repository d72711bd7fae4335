"""`strongroom export` and `strongroom solutions`: solutions as files, what is installed, and taking one out again."""

import os
from pathlib import Path

import click

from strongroom.cli.options import environment_option, home_option, json_option, session_in
from strongroom.cli.output import print_json, say, table
from strongroom.cli.portability import export_all

_user_option = click.option("--user", default="admin", show_default=True, metavar="NAME", help="Who: a name or id.")


@click.command("export", short_help="Write a solution, or everything, to a zip that imports again.")
@click.argument("name", metavar="NAME|FILE")
@click.argument("target", metavar="[FILE]", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--managed", is_flag=True, help="Make a managed one, which can be removed whole where it is imported.")
@click.option("--everything", is_flag=True, help="Not a solution: all that the environment has, to FILE.")
@click.option("--encrypt", "recipients", multiple=True, metavar="AGE1…", help="With --everything: encrypt to this key.")
@_user_option
@home_option
@environment_option
def export(
    name: str,
    target: Path | None,
    managed: bool,
    everything: bool,
    recipients: tuple[str, ...],
    user: str,
    home: Path,
    environment: str | None,
) -> None:
    """Write the unmanaged solution NAME, as it is now, to FILE; or, with --everything, the whole environment: rows,
    metadata, security, trail and files in open formats, with hashes and a signature.

    A file that is there is not overwritten.
    """
    if everything:
        if target is not None or managed:
            raise click.UsageError("With --everything, name the file alone.")
        export_all(Path(name), recipients, home, environment)
        return
    if target is None:
        raise click.UsageError("Name the solution and the file.")
    from strongroom.solutions import export_solution

    with session_in(home, environment, user, write=False) as session:
        data = export_solution(session, name, as_managed=managed)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
        file.write(data)
    say(f"{target}: {len(data):,} bytes")


@click.group()
def solutions() -> None:
    """See which solutions an environment has, and remove one."""


@solutions.command("list", short_help="Show the solutions of an environment.")
@_user_option
@home_option
@environment_option
@json_option
def list_solutions(user: str, home: Path, environment: str | None, as_json: bool) -> None:
    """Show the solutions of an environment, with their versions."""
    from strongroom.access.resolve import require_privilege

    with session_in(home, environment, user, write=False) as session:
        require_privilege(session.caller, "prvReadSolution")  # the organization's: all of them, or none
        found = [row.values for row in session.transaction.rows_where(session.table("solution"), {})]
    keys = ("uniquename", "version", "ismanaged", "friendlyname")
    if as_json:
        print_json([{key: row[key] for key in keys} for row in found])
    else:
        lines = [(str(r[keys[0]]), str(r[keys[1]]), "managed" if r[keys[2]] else "", str(r[keys[3]])) for r in found]
        say(table(("NAME", "VERSION", "", "TITLE"), lines))


@solutions.command(short_help="Remove a solution.")
@click.argument("name")
@click.option("--plan", "only_plan", is_flag=True, help="Show what would go, and remove nothing.")
@_user_option
@home_option
@environment_option
@json_option
def remove(name: str, only_plan: bool, user: str, home: Path, environment: str | None, as_json: bool) -> None:
    """Remove the solution NAME: a managed one with all that it alone brought, rows of its tables included; of an
    unmanaged one only the name of the collection. Refused when others need something of it."""
    from strongroom.errors import NotFound
    from strongroom.records import delete
    from strongroom.solutions import find_solution, plan_removal

    with session_in(home, environment, user, write=not only_plan) as session:
        row = find_solution(session, name)
        if row is None:
            raise NotFound(f"There is no solution '{name}'.")
        going = plan_removal(session, row) if row.values.get("ismanaged") is True else ()
        if not only_plan:
            delete(session, row.table, row.id)
    if as_json:
        shown = [{"kind": each.kind, "name": each.name} for each in going]
        print_json({"solution": name, "removed": not only_plan, "components": shown})
    else:
        say(f"{'Would be removed' if only_plan else 'Removed'}: {name}, with {len(going)} components")
        say(table(("kind", "name"), [(each.kind, each.name) for each in going]))
