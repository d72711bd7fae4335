"""`strongroom sql`: a statement by hand, as a user, under PostgreSQL's own guard."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.options import environment_option, home_option, json_option, session_in
from strongroom.cli.output import print_json, say, table
from strongroom.cli.telling import operator

if TYPE_CHECKING:
    from strongroom.access.plan import Plan
    from strongroom.records import Session


@click.command(short_help="Read by SQL as a user, on PostgreSQL.")
@click.argument("statement", metavar="SELECT")
@click.option("--user", required=True, metavar="U", help="Sign-in name or id of the user.")
@click.option("--limit", type=click.IntRange(1, 5000), default=100, show_default=True, metavar="N", help="Most rows.")
@home_option
@environment_option
@json_option
def sql(statement: str, user: str, limit: int, home: Path, environment: str | None, as_json: bool) -> None:
    """Run a SELECT as a user and print its rows.

    It runs in a session of its own, logged in as a role that reads under row-level security: it sees the rows that the
    user may read, by ownership, units and shares, no secured columns, and nothing of tables that the user may not read.
    The environment must be on PostgreSQL. Tables and columns have their logical names.
    """
    from strongroom.audit.activities import Activity
    from strongroom.records.activity import tell
    from strongroom.records.by_hand import without_values

    with session_in(home, environment, user, write=False) as session:
        tell(session, Activity.SQL, query=without_values(statement), details={"limit": limit, "operator": operator()})
        rows = session.transaction.read_by_hand(_plans(session), statement, limit)
    if as_json:
        print_json(rows)
    elif rows:
        say(table(tuple(rows[0]), [[str(value) for value in row.values()] for row in rows]))
    else:
        say("No rows.")


def _plans(session: "Session") -> "list[Plan]":
    """What the user may read, table by table."""
    from strongroom.access.planning import plan_for
    from strongroom.access.resolve import require_usable
    from strongroom.schema.model import Rights

    require_usable(session.caller)
    return [plan_for(session.caller, each, Rights.READ) for each in session.schema.tables.values()]
