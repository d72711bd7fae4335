"""`strongroom test`: policy tests against an environment."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from strongroom.cli.options import environment_option, home_option, json_option, opened
from strongroom.cli.output import print_json, say

if TYPE_CHECKING:
    from strongroom.environment import Environment
    from strongroom.policies.statements import Outcome
    from strongroom.records import Session

RECORDED = "recorded.yaml"
_ONE_OF_EACH = "Default: one user of each set of roles."


@click.command(name="test", short_help="Run policy tests, or record them.")
@click.argument("policies", type=click.Path(path_type=Path))
@home_option
@environment_option
@click.option(
    "--junit", type=click.Path(path_type=Path, dir_okay=False), metavar="F", help="Write a JUnit report here."
)
@click.option(
    "--solution",
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE|FOLDER",
    help="Test a solution export by itself, in place of an environment.",
)
@click.option("--record", is_flag=True, help=f"Write today's behaviour to {RECORDED} in POLICIES, and test nothing.")
@click.option("--as", "users", multiple=True, metavar="U", help=f"A user to record; may be repeated. {_ONE_OF_EACH}")
@json_option
def policy_test(
    policies: Path,
    home: Path,
    environment: str | None,
    junit: Path | None,
    solution: Path | None,
    record: bool,
    users: tuple[str, ...],
    as_json: bool,
) -> int:
    """Run the policy tests in POLICIES, a YAML file or a folder of such files, against an environment.

    Statements say who can, cannot or sees what, and because of what. Exits with 0 when all hold, 1 when some do not,
    and 2 when some cannot be judged because they name what is not there.

    With --solution the export is imported into an environment of its own, which is gone afterwards: statements about
    roles ({role: NAME}) say what they give, before anybody has them.
    """
    from strongroom.errors import InvalidRequest
    from strongroom.policies.document import read_folder
    from strongroom.policies.junit import write_junit
    from strongroom.policies.running import run

    if users and not record:
        raise InvalidRequest("--as belongs to --record; statements name their users themselves.")
    if record and (junit is not None or as_json):
        raise InvalidRequest("--record writes tests and runs none: there is nothing to report with --junit or --json.")
    if record and solution is not None:
        raise InvalidRequest("--record writes what people of an environment can do; a solution has no people.")
    found = [] if record else read_folder(policies)
    place = _of_solution(solution) if solution is not None else _of_home(home, environment)
    with place as tested, tested.session_of("admin", write=False) as session:
        if record:
            return _record(session, policies, users)
        outcomes = list(run(session, found))
    if junit is not None:
        write_junit(junit, outcomes)
    return _tell(outcomes, as_json)


@contextmanager
def _of_home(home: Path, name: str | None) -> "Generator[Environment]":
    from strongroom.opening import open_environment

    found = open_environment(opened(home), name)
    try:
        yield found
    finally:
        found.close()


@contextmanager
def _of_solution(source: Path) -> "Generator[Environment]":
    """An environment that has nothing but the standard tables and a solution, until the block ends."""
    from strongroom.home import create_home
    from strongroom.opening import create_environment
    from strongroom.records import Birth
    from strongroom.solutions import import_solution, open_source, read_solution

    archive = open_source(source)
    read = read_solution(archive)
    with TemporaryDirectory(prefix="strongroom-solution-") as folder:
        found, _ = create_environment(
            create_home(Path(folder) / "home"), "solution", Birth("Solution", "admin@solution")
        )
        try:
            with found.session_of("admin", write=True) as session:
                import_solution(session, read, archive)
            yield found
        finally:
            found.close()


def _record(session: "Session", folder: Path, users: Sequence[str]) -> int:
    from strongroom.environment import find_user
    from strongroom.errors import InvalidRequest
    from strongroom.policies.recording import record, representatives

    if folder.suffix in (".yaml", ".yml"):
        target = folder
    else:
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / RECORDED
    if target.exists():
        raise InvalidRequest(f"{target} is there already; remove it, or name another file.")
    chosen = [find_user(session.transaction, each) for each in users] or representatives(session)
    target.write_text(record(session, chosen), encoding="utf-8")
    say(f"{target}: what {len(chosen)} {'user' if len(chosen) == 1 else 'users'} can do today")
    return 0


def _tell(outcomes: Sequence["Outcome"], as_json: bool) -> int:
    from strongroom.policies.running import total

    passed, failed, errors = total(outcomes)
    if as_json:
        tests = [
            {
                "file": each.statement.place.file,
                "line": each.statement.place.line,
                "name": each.statement.name,
                "passed": each.is_passed,
                "failure": each.failure,
                "error": each.error,
            }
            for each in outcomes
        ]
        print_json({"passed": passed, "failed": failed, "errors": errors, "tests": tests})
    else:
        for each in outcomes:
            if not each.is_passed:
                say(f"{'FAILED' if each.failure else 'ERROR'}  {each.statement.place}  {each.statement.name}")
                say(f"        {each.failure or each.error}")
        say(f"{passed} passed, {failed} failed{f', {errors} could not be judged' if errors else ''}")
    if errors:
        return 2
    return 1 if failed else 0
