"""`strongroom jobs`: the system jobs of an environment, and beginning one."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import click

from strongroom.cli.options import environment_option, home_option, json_option, opened, session_in
from strongroom.cli.output import print_json, say, table

if TYPE_CHECKING:
    from strongroom.background.jobs import When
    from strongroom.ids import Guid
    from strongroom.query.ast import Select
    from strongroom.records import Record, Session

_C = TypeVar("_C", bound=Callable[..., object])
_COLUMNS = (
    *("name", "operationtype", "statecode", "statuscode", "message", "createdby", "createdon", "startedon"),
    *("completedon", "postponeuntil", "recurrencepattern", "errorcode"),
)
_STATES = {0: "ready", 1: "waiting", 2: "running", 3: "over"}
_OVER = {30: "succeeded", 31: "failed", 32: "cancelled"}
_MOST = 500
_user_option = click.option("--user", default="admin", show_default=True, metavar="NAME", help="Who: a name or id.")


def _begun(command: _C) -> _C:
    """The options of commands that begin a job."""
    for option in (
        click.option(
            "--where",
            "conditions",
            multiple=True,
            metavar="'C OP V'",
            help="Only rows where column C is related to V by OP, such as 'createdon OlderThanXYears 7' or 'fax Null'; "
            "several must all hold.",
        ),
        click.option("--name", metavar="TEXT", help="Name of the job."),
        click.option("--start", metavar="TIME", help="When it begins, with a zone; without it, at once."),
        click.option("--repeat", default="", metavar="PATTERN", help="Again and again: 'FREQ=DAILY;INTERVAL=1'."),
        _user_option,
        home_option,
        environment_option,
    ):
        command = option(command)
    return command


@click.group(short_help="See, begin, pause and cancel system jobs.")
def jobs() -> None:
    """See, begin, pause, resume and cancel system jobs: work that goes on after its request.

    A server runs what is due by itself; `strongroom jobs run` does where none is running.
    """


@jobs.command("list", short_help="Show the jobs of an environment.")
@click.option("--all", "with_ended", is_flag=True, help="Also those that are over.")
@_user_option
@home_option
@environment_option
@json_option
def list_jobs(with_ended: bool, user: str, home: Path, environment: str | None, as_json: bool) -> None:
    """Show the jobs that the user named may read, newest first, and how far each is."""
    with session_in(home, environment, user, write=False) as session:
        found = _found(session, with_ended=with_ended)
    if as_json:
        print_json(found)
    else:
        lines = [(each["id"], each["state"], each["name"], each["message"] or "") for each in found]
        say(table(("ID", "STATE", "NAME", ""), lines))


@jobs.command(short_help="Show one job.")
@click.argument("job", metavar="ID")
@_user_option
@home_option
@environment_option
@json_option
def show(job: str, user: str, home: Path, environment: str | None, as_json: bool) -> None:
    """Show how far the job ID is, and what came of it."""
    with session_in(home, environment, user, write=False) as session:
        found = _shown(session, job)
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        if value is not None:
            say(f"{name + ':':18}{value}")


@jobs.command(short_help="Let a job wait until somebody resumes it.")
@click.argument("job", metavar="ID")
@_user_option
@home_option
@environment_option
def pause(job: str, user: str, home: Path, environment: str | None) -> None:
    """Let the job ID wait. One that is running stops after what it is just doing."""
    _change(home, environment, user, job, 1, 10)


@jobs.command(short_help="Let a job go on.")
@click.argument("job", metavar="ID")
@_user_option
@home_option
@environment_option
def resume(job: str, user: str, home: Path, environment: str | None) -> None:
    """Let the job ID go on where it was, or begin now although its time has not come."""
    _change(home, environment, user, job, 0, 0)


@jobs.command(short_help="End a job for good.")
@click.argument("job", metavar="ID")
@_user_option
@home_option
@environment_option
def cancel(job: str, user: str, home: Path, environment: str | None) -> None:
    """End the job ID for good. What it has done stays done, and it does not come again."""
    _change(home, environment, user, job, 3, 32)


@jobs.command(short_help="Run the jobs that are due.")
@home_option
@environment_option
def run(home: Path, environment: str | None) -> None:
    """Run every job whose time has come, each as the user who began it. Only needed where no server runs; one that
    does has nothing left for this command."""
    from strongroom.system_jobs import run_due

    found = opened(home)
    name = environment or found.default_environment().name
    say(f"{run_due(found, name)} jobs have ended.")


@jobs.command("bulk-delete", short_help="Begin to delete the rows that a query finds.")
@click.argument("table_name", metavar="TABLE")
@_begun
def bulk_delete(
    table_name: str,
    conditions: tuple[str, ...],
    name: str | None,
    start: str | None,
    repeat: str,
    user: str,
    home: Path,
    environment: str | None,
) -> None:
    """Begin a job that deletes rows of TABLE with the rights of the user named, row by row. What could not be deleted
    is counted, and told in bulkdeletefailures."""
    from strongroom.background.bulk_delete import begin_bulk_delete

    with session_in(home, environment, user, write=True) as session:
        query = _query(table_name, conditions)
        job = begin_bulk_delete(session, name or f"Delete rows of {table_name}", [query], _when(session, start, repeat))
        say(job.id)


@jobs.command("find-duplicates", short_help="Begin to look for duplicates.")
@click.argument("table_name", metavar="TABLE")
@_begun
def find_duplicates(
    table_name: str,
    conditions: tuple[str, ...],
    name: str | None,
    start: str | None,
    repeat: str,
    user: str,
    home: Path,
    environment: str | None,
) -> None:
    """Begin a job that holds rows of TABLE against its published duplicate rules. The pairs that it finds are rows of
    duplicaterecords."""
    from strongroom.background.duplicate_search import begin_duplicate_search

    with session_in(home, environment, user, write=True) as session:
        query = _query(table_name, conditions)
        job = begin_duplicate_search(
            session, name or f"Duplicates in {table_name}", query, _when(session, start, repeat)
        )
        say(job.id)


@jobs.command(short_help="Work out a column for all rows.")
@click.argument("table_name", metavar="TABLE")
@click.argument("column_name", metavar="COLUMN")
@_user_option
@home_option
@environment_option
def recalculate(table_name: str, column_name: str, user: str, home: Path, environment: str | None) -> None:
    """Begin a job that works out the rollup or calculated COLUMN for every row of TABLE now. Rollups are worked out
    every hour anyway."""
    from strongroom.access.resolve import require_privilege
    from strongroom.background.recalculation import begin_recalculation
    from strongroom.errors import NotFound

    with session_in(home, environment, user, write=True) as session:
        require_privilege(session.caller, "prvWriteAttribute")
        found = session.schema.tables.get(table_name.lower())
        column = None if found is None else found.columns.get(column_name.lower())
        if found is None or column is None or column.formula is None:
            raise NotFound(f"'{table_name}' has no rollup or calculated column '{column_name}'.")
        say(begin_recalculation(session, found, column).id)


def _query(table_name: str, conditions: tuple[str, ...]) -> dict[str, object]:
    """The QueryExpression of a table and conditions."""
    read: list[dict[str, object]] = []
    for each in conditions:
        column, _, rest = each.strip().partition(" ")
        operator, _, value = rest.strip().partition(" ")
        if not operator:
            raise click.BadParameter(f"'{each}' is no condition such as 'name Equal Contoso'.")
        values = [value.strip()] if value.strip() else []
        read.append({"AttributeName": column, "Operator": operator, "Values": values})
    return {"EntityName": table_name, "Criteria": {"FilterOperator": "And", "Conditions": read}}


def _when(session: "Session", start: str | None, repeat: str) -> "When":
    from strongroom.background.jobs import when
    from strongroom.clock import moment_of

    moment = None if start is None else moment_of(start)
    if start is not None and moment is None:
        raise click.BadParameter(f"'{start}' is no time with its zone, such as 2030-05-01T10:15:00Z.")
    return when(session.clock, moment, repeat)


def _change(home: Path, environment: str | None, user: str, job: str, state: int, status: int) -> None:
    from strongroom.records import update

    with session_in(home, environment, user, write=True) as session:
        values = {"statecode": state, "statuscode": status}
        update(session, session.table("asyncoperation"), _id(job), values)
        say(str(_shown(session, job)["state"]))


def _found(session: "Session", *, with_ended: bool) -> list[dict[str, object]]:
    from dataclasses import replace

    from strongroom.query.ast import Comparison, Field, Literal, Operator, Order
    from strongroom.records import retrieve_page
    from strongroom.schema.model import ColumnType

    select, columns = _select(session), session.table("asyncoperation").columns
    state = Comparison(Operator.NOT_EQUAL, Field("", columns["statecode"]), Literal(3, ColumnType.STATE))
    order = (Order(Field("", columns["createdon"]), descending=True),)
    select = replace(select, where=None if with_ended else state, order=order, page_size=_MOST)
    return [_told(record) for record in retrieve_page(session, select).rows]


def _shown(session: "Session", job: str) -> dict[str, object]:
    from strongroom.records import retrieve

    return _told(retrieve(session, _select(session), _id(job)))


def _select(session: "Session") -> "Select":
    from strongroom.query.ast import Field, Output, Select, Source

    jobs_table = session.table("asyncoperation")
    return Select(Source(jobs_table), tuple(Output(name, Field("", jobs_table.columns[name])) for name in _COLUMNS))


def _told(record: "Record") -> dict[str, object]:
    values = dict(zip(_COLUMNS, record.values, strict=False))
    state, status = cast(int, values.pop("statecode")), cast(int, values.pop("statuscode"))
    return {"id": record.id, "state": _OVER.get(status) or _STATES[state], **values}


def _id(text: str) -> "Guid":
    from strongroom.ids import parse_guid

    found = parse_guid(text)
    if found is None:
        raise click.BadParameter(f"'{text}' is no id of a job; `strongroom jobs list` shows them.")
    return found
