"""`strongroom export` and `strongroom solutions`: solutions as files, what is installed, and taking one out again."""

import os
from pathlib import Path

import click

from strongroom.cli.options import environment_option, home_option, json_option, session_in
from strongroom.cli.output import print_json, say, table
from strongroom.cli.portability import or_everything_out

_user_option = click.option("--user", default="admin", show_default=True, metavar="NAME", help="Who: a name or id.")


@click.command("export", short_help="Write a solution, or everything, to a zip.")
@click.argument("name", metavar="NAME")
@click.argument("target", metavar="[FILE]", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--managed", is_flag=True, help="Make a managed one, which can be removed whole where it is imported.")
@_user_option
@home_option
@environment_option
@or_everything_out
def export(name: str, target: Path, managed: bool, user: str, home: Path, environment: str | None) -> None:
    """Write the unmanaged solution NAME, as it is now, to FILE; or, with --everything, the whole environment: rows,
    metadata, security, trail and files in open formats, with hashes and a signature.

    A file that is there is not overwritten.
    """
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


@solutions.command(short_help="Put a staged upgrade into its place.")
@click.argument("name")
@_user_option
@home_option
@environment_option
def promote(name: str, user: str, home: Path, environment: str | None) -> None:
    """Put the staged upgrade of the solution NAME into its place: the old version goes, with what it alone had."""
    from strongroom.solutions import promote as promote_solution

    with session_in(home, environment, user, write=True) as session:
        _, going = promote_solution(session, name)
    say(f"Promoted: {name}, without {len(going)} components of the old version")
    say(table(("kind", "name"), [(each.kind, each.name) for each in going]))


@solutions.command(short_help="Make a patch of a solution.")
@click.argument("name")
@click.argument("version")
@click.option("--title", default="", help="What people call it; the solution's own title unless told.")
@_user_option
@home_option
@environment_option
def patch(name: str, version: str, title: str, user: str, home: Path, environment: str | None) -> None:
    """Make a patch of the unmanaged solution NAME, and print its unique name. VERSION keeps the first two numbers of
    the solution's version and is higher. While there are patches, the solution itself is locked."""
    from strongroom.solutions.patches import clone_as_patch

    with session_in(home, environment, user, write=True) as session:
        made = clone_as_patch(session, name, title or name, version)
        row = session.transaction.row(session.table("solution"), made)
        unique_name = "" if row is None else str(row.values["uniquename"])
    say(unique_name)


@solutions.command(short_help="Roll the patches of a solution up.")
@click.argument("name")
@click.argument("version")
@_user_option
@home_option
@environment_option
def clone(name: str, version: str, user: str, home: Path, environment: str | None) -> None:
    """Make the next VERSION of the unmanaged solution NAME: its patches go into it, and are no more."""
    from strongroom.solutions.patches import clone_as_solution

    with session_in(home, environment, user, write=True) as session:
        clone_as_solution(session, name, name, version)
    say(f"{name} {version}")


@solutions.command(short_help="Show what a solution has.")
@click.argument("name")
@_user_option
@home_option
@environment_option
@json_option
def contents(name: str, user: str, home: Path, environment: str | None, as_json: bool) -> None:
    """Show the components of the solution NAME, and what they need that neither it nor the platform has."""
    from strongroom.access.resolve import require_privilege
    from strongroom.solutions.contents import components_of
    from strongroom.solutions.dependencies import missing_from, told
    from strongroom.solutions.operations import known_solution
    from strongroom.solutions.removing import named_components

    with session_in(home, environment, user, write=False) as session:
        require_privilege(session.caller, "prvReadSolution")
        components = components_of(session, known_solution(session, name).id)
        found = list(named_components(session, components))
        missing = missing_from(session, components)
    if as_json:
        needed = [{"component": str(each.dependent), "needs": str(each.required)} for each in missing]
        print_json({"components": [{"kind": each.kind, "name": each.name} for each in found], "missing": needed})
        return
    say(table(("kind", "name"), [(each.kind, each.name) for each in found]))
    if missing:
        say(f"\nNeeded, and not in it: {told(missing)}")


@solutions.command(short_help="Show the layers of a component.")
@click.argument("component", metavar="TABLE[.COLUMN]")
@_user_option
@home_option
@environment_option
@json_option
def layers(component: str, user: str, home: Path, environment: str | None, as_json: bool) -> None:
    """Show which managed solutions say what of TABLE[.COLUMN], lowest first, and what was customized here on top
    of them."""
    from strongroom.access.resolve import require_privilege
    from strongroom.errors import NotFound
    from strongroom.solutions.layers import stored_layers

    with session_in(home, environment, user, write=False) as session:
        require_privilege(session.caller, "prvReadmsdyn_componentlayer")
        name, _, column = component.lower().partition(".")
        known = session.schema.tables.get(name)
        part = known if known is None or not column else known.columns.get(column)
        if part is None:
            raise NotFound(f"There is no table or column '{component[:100]}'; write account, or account.name.")
        found = stored_layers(session, part.metadata_id)
    if as_json:
        print_json([{"solution": each.solution, "order": each.order, "changes": each.changes} for each in found])
        return
    lines = [
        (str(each.order), each.solution, ", ".join(f"{k} = {v}" for k, v in each.changes.items())) for each in found
    ]
    say(table(("ORDER", "SOLUTION", "SAYS"), lines))
