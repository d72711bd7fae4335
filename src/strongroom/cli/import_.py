"""`strongroom import`: a solution into an environment, or first what that would do."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.options import environment_option, home_option, json_option, session_in
from strongroom.cli.output import print_json, say, table
from strongroom.cli.portability import import_all

if TYPE_CHECKING:
    from strongroom.solutions import Step

_MOST_LINES = 40


@click.command("import", short_help="Import a solution, or everything of an environment.")
@click.argument("source", metavar="FILE|FOLDER", type=click.Path(exists=True, path_type=Path))
@click.option("--plan", "only_plan", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--user", default="admin", show_default=True, metavar="NAME", help="Who imports: a sign-in name or id.")
@click.option("--everything", is_flag=True, help="FILE holds a whole environment, which is made again.")
@click.option("--to", "target", metavar="NAME", help="With --everything: the environment to make.")
@click.option("--database", metavar="URL", help="With --everything: keep it in this PostgreSQL database.")
@click.option("--public-key", metavar="KEY", help="With --everything: the key that must have signed the file.")
@home_option
@environment_option
@json_option
def import_(
    source: Path,
    only_plan: bool,
    user: str,
    everything: bool,
    target: str | None,
    database: str | None,
    public_key: str | None,
    home: Path,
    environment: str | None,
    as_json: bool,
) -> int:
    """Import a solution, FILE|FOLDER: an exported zip, or the unpacked folder of source control.

    All of it in one transaction, as the user named: an import gives nobody more than that user may give. What needs
    something that the environment does not have waits, and is listed; it comes with the next import after the missing
    part is there. The exit status is 0 when everything came, and 1 when something waits.

    With --everything FILE is what `strongroom export --everything` wrote, of either engine, and a new environment is
    made of it.
    """
    if everything:
        if target is None:
            raise click.UsageError("Name the environment to make with --to.")
        import_all(source, target, database, public_key, home)
        return 0
    if target or database or public_key:
        raise click.UsageError("--to, --database and --public-key go with --everything.")
    from strongroom.solutions import Verdict, import_solution, open_source, plan_import, read_solution

    archive = open_source(source)
    solution = read_solution(archive)
    with session_in(home, environment, user, write=not only_plan) as session:
        steps = plan_import(session, solution).steps if only_plan else import_solution(session, solution, archive).steps
    if as_json:
        shown = [{"kind": s.kind, "name": s.name, "verdict": s.verdict.value, "note": s.note} for s in steps]
        about = {"solution": solution.unique_name, "version": solution.version, "managed": solution.is_managed}
        needed = [{"kind": d.kind, "name": d.name, "solution": d.solution} for d in solution.dependencies]
        print_json({**about, "imported": not only_plan, "steps": shown, "dependencies": needed})
    else:
        say(f"{solution.friendly_name} ({solution.unique_name} {solution.version})")
        _tell(steps, only_plan=only_plan)
    return 1 if any(step.verdict is Verdict.WAIT for step in steps) else 0


def _tell(steps: "Sequence[Step]", *, only_plan: bool) -> None:
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
        if not found:
            continue
        say(f"\n{title}: {len(found)}")
        if verdict is Verdict.SAME:
            continue
        say(table(("kind", "name", ""), [(s.kind, s.name, s.note) for s in found[:_MOST_LINES]]))
        if len(found) > _MOST_LINES:
            say(f"and {len(found) - _MOST_LINES} more; --json lists all")
