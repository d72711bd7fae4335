"""`strongroom import`: a solution into an environment, or first what that would do."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.options import environment_option, home_option, json_option, session_in
from strongroom.cli.output import print_json, say, table
from strongroom.cli.portability import or_everything_in

if TYPE_CHECKING:
    from strongroom.records import Session
    from strongroom.solutions import Archive, ImportOptions, Removed, Solution, Step

_MOST_LINES = 40


@click.command("import", short_help="Import a solution, or a whole environment.")
@click.argument("source", metavar="FILE|FOLDER", type=click.Path(exists=True, path_type=Path))
@click.option("--plan", "only_plan", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--upgrade", is_flag=True, help="Take the place of the version that is there: what it had alone goes.")
@click.option(
    "--stage", is_flag=True, help="Import the upgrade beside the version that is there, until it is promoted."
)
@click.option("--overwrite", is_flag=True, help="Let what was customized here give way to the managed solution.")
@click.option("--user", default="admin", show_default=True, metavar="NAME", help="Who imports: a sign-in name or id.")
@home_option
@environment_option
@json_option
@or_everything_in
def import_(
    source: Path,
    only_plan: bool,
    upgrade: bool,
    stage: bool,
    overwrite: bool,
    user: str,
    home: Path,
    environment: str | None,
    as_json: bool,
) -> int:
    """Import a solution, FILE|FOLDER: an exported zip, or the unpacked folder of source control.

    All of it in one transaction, as the user named: an import gives nobody more than that user may give. What needs
    something that the environment does not have waits, and is listed; it comes with the next import after the missing
    part is there. The exit status is 0 when everything came, and 1 when something waits.

    A newer version of a managed solution adds and changes; with --upgrade what it no longer has goes, too, with its
    rows. What was customized here stays on top of it, unless --overwrite is given.
    """
    from strongroom.solutions import ImportOptions, Verdict, open_source, read_solution

    if upgrade and stage:
        raise click.UsageError("--upgrade and --stage exclude each other: a staged upgrade is promoted later.")
    archive = open_source(source)
    solution = read_solution(archive)
    options = ImportOptions(overwrite, is_holding=stage)
    with session_in(home, environment, user, write=not only_plan) as session:
        act = _planned if only_plan else _imported
        steps, going = act(session, solution, archive, options, upgrade=upgrade)
    if as_json:
        shown = [{"kind": s.kind, "name": s.name, "verdict": s.verdict.value, "note": s.note} for s in steps]
        about = {"solution": solution.unique_name, "version": solution.version, "managed": solution.is_managed}
        needed = [{"kind": d.kind, "name": d.name, "solution": d.solution} for d in solution.dependencies]
        gone = [{"kind": each.kind, "name": each.name} for each in going]
        print_json({**about, "imported": not only_plan, "steps": shown, "removed": gone, "dependencies": needed})
    else:
        say(f"{solution.friendly_name} ({solution.unique_name} {solution.version})")
        _tell(steps, going, only_plan=only_plan)
    return 1 if any(step.verdict is Verdict.WAIT for step in steps) else 0


def _planned(
    session: "Session", solution: "Solution", _: "Archive", options: "ImportOptions", *, upgrade: bool
) -> "tuple[Sequence[Step], Sequence[Removed]]":
    from strongroom.solutions import plan_import, plan_upgrade

    if upgrade:
        planned, going = plan_upgrade(session, solution)
        return planned.steps, going
    return plan_import(session, solution, options).steps, ()


def _imported(
    session: "Session", solution: "Solution", archive: "Archive", options: "ImportOptions", *, upgrade: bool
) -> "tuple[Sequence[Step], Sequence[Removed]]":
    from strongroom.solutions import import_solution, stage_and_upgrade

    if upgrade:
        imported, going = stage_and_upgrade(session, solution, archive, overwrites=options.overwrites)
        return imported.steps, going
    return import_solution(session, solution, archive, options).steps, ()


def _tell(steps: "Sequence[Step]", going: "Sequence[Removed]", *, only_plan: bool) -> None:
    from strongroom.solutions import Verdict

    titles = {
        Verdict.CREATE: "Would be created" if only_plan else "Created",
        Verdict.CHANGE: "Would be changed" if only_plan else "Changed",
        Verdict.SAME: "As it is already",
        Verdict.KEEP: "Kept in the archive, not used",
        Verdict.WAIT: "Waits for what is not here",
    }
    for verdict, title in titles.items():
        found = [step for step in steps if step.verdict is verdict]
        told = [step for step in found if verdict is not Verdict.SAME or step.note]
        if not found:
            continue
        say(f"\n{title}: {len(found)}")
        if not told:
            continue
        say(table(("kind", "name", ""), [(s.kind, s.name, s.note) for s in told[:_MOST_LINES]]))
        if len(told) > _MOST_LINES:
            say(f"and {len(told) - _MOST_LINES} more; --json lists all")
    if going:
        say(f"\n{'Would be removed' if only_plan else 'Removed'}: {len(going)}")
        say(table(("kind", "name"), [(each.kind, each.name) for each in going]))
