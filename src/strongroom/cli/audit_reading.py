"""`strongroom audit access`, `search` and `users`: who saw a row, what was done, who may see what is sensitive."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.options import environment_option, home_option, json_option, session_in
from strongroom.cli.output import print_json, say, table
from strongroom.cli.targets import row_named
from strongroom.cli.times import MOMENT

if TYPE_CHECKING:
    from strongroom.records import Session
    from strongroom.records.activity_search import Found
    from strongroom.store.protocol import Value


@click.command(short_help="Who saw a row, or what a user saw.")
@click.option("--table", "table_name", metavar="T", help="Logical name of the row's table, with --id.")
@click.option("--id", "row_id", metavar="ID", help="Id of the row: who saw it?")
@click.option("--user", metavar="U", help="Sign-in name or id of a user: what did they see?")
@click.option("--from", "since", type=MOMENT, required=True, metavar="TIME", help="Begin: 2026-05-01T00:00:00Z.")
@click.option("--to", "until", type=MOMENT, metavar="TIME", help="End; without it, now.")
@click.option(
    "--count", type=click.IntRange(1, 5000), default=500, show_default=True, metavar="N", help="Most of them."
)
@home_option
@environment_option
@json_option
def access(
    table_name: str | None,
    row_id: str | None,
    user: str | None,
    since: datetime,
    until: datetime | None,
    count: int,
    home: Path,
    environment: str | None,
    as_json: bool,
) -> None:
    """Print who read or exported the row, or what the user read and exported, newest first.

    Reading is told where the environment's `isreadauditenabled` and a switch of the table or column are on; exports
    always are.
    """
    from strongroom.audit.activities import Category
    from strongroom.environment import find_user
    from strongroom.errors import InvalidRequest
    from strongroom.records.activity_search import ActivitySearch, search_activity

    if (user is None) == (row_id is None or table_name is None):
        raise InvalidRequest("Ask about a row with --table and --id, or about a user with --user.")
    with session_in(home, environment, "admin", write=False) as session:
        about = None if user is None else find_user(session.transaction, user)
        target = row_named(session.schema, table_name, row_id) if table_name and row_id else None
        seen = (Category.READ, Category.EXPORT)
        end = until or session.clock.now()
        search = ActivitySearch(since, end, user=about, target=target, categories=seen, size=count)
        print_activities(session, search_activity(session, search), as_json=as_json)


@click.command(short_help="Search the activity log.")
@click.argument("name")
@click.option("--from", "since", type=MOMENT, required=True, metavar="TIME", help="Begin: 2026-05-01T00:00:00Z.")
@click.option("--to", "until", type=MOMENT, metavar="TIME", help="End; without it, now.")
@click.option("--user", metavar="U", help="Only of this user: a sign-in name or id.")
@click.option("--text", metavar="TEXT", help="Only with these words.")
@click.option(
    "--count", type=click.IntRange(1, 5000), default=500, show_default=True, metavar="N", help="Most of them."
)
@home_option
@environment_option
@json_option
def search(
    name: str,
    since: datetime,
    until: datetime | None,
    user: str | None,
    text: str | None,
    count: int,
    home: Path,
    environment: str | None,
    as_json: bool,
) -> None:
    """Print what a search finds, newest first.

    NAME is a search that comes along (failed-sign-ins, exports, mass-reads, denied-access, sensitive-reads,
    administration, at-the-machine, support-access), or one that somebody keeps in the table activitysearch.
    """
    from dataclasses import replace

    from strongroom.environment import find_user
    from strongroom.records.activity_search import search_activity
    from strongroom.records.kept_searches import named_search

    with session_in(home, environment, "admin", write=False) as session:
        asked = named_search(session, name, since, until or session.clock.now())
        about = None if user is None else find_user(session.transaction, user)
        asked = replace(asked, user=about, text=text or asked.text, size=count)
        print_activities(session, search_activity(session, asked), as_json=as_json)


@click.command(short_help="Who may see sensitive columns, and who did.")
@click.option("--from", "since", type=MOMENT, required=True, metavar="TIME", help="Begin: 2026-05-01T00:00:00Z.")
@click.option("--to", "until", type=MOMENT, metavar="TIME", help="End; without it, now.")
@click.option("--role", metavar="NAME", help="Only holders of this role.")
@home_option
@environment_option
@json_option
def users(
    since: datetime, until: datetime | None, role: str | None, home: Path, environment: str | None, as_json: bool
) -> None:
    """Print each user who may see a secured column or did: their roles, and how often they saw which."""
    from dataclasses import asdict

    from strongroom.records.user_log import user_log

    with session_in(home, environment, "admin", write=False) as session:
        lines = user_log(session, since, until or session.clock.now(), role)
    if as_json:
        print_json([asdict(line) for line in lines])
        return
    rows = [
        (line.name, ", ".join(line.roles), len(line.may_see), line.readings, ", ".join(line.seen) or "-")
        for line in lines
    ]
    say(
        table(("user", "roles", "may see", "readings", "seen"), rows) if rows else "Nobody may see one, and nobody did."
    )


def print_activities(session: "Session", found: "Found", *, as_json: bool) -> None:
    """A page of activities, with the names of their users."""
    names = _names_of_users(session, found)
    if as_json:
        print_json(
            {"activities": [{**row, "user": names.get(row["userid"])} for row in found.rows], "more": found.more}
        )
        return
    rows = [(row["createdon"], names.get(row["userid"], "-"), row["activity"], *_about(row)) for row in found.rows]
    say(table(("when", "user", "activity", "table", "rows", "sensitive columns"), rows) if rows else "Nothing found.")
    if found.more:
        say("There are more; narrow the time, or raise --count.")


def _about(row: "Mapping[str, Value]") -> "tuple[Value, Value, Value]":
    rows = row["objectid"] or row["objectcount"]
    return row["objecttypecode"] or "", "" if rows is None else rows, row["sensitivecolumns"] or ""


def _names_of_users(session: "Session", found: "Found") -> "dict[Value, str]":
    from strongroom.ids import Guid

    users = session.table("systemuser")
    ids = [Guid(str(each)) for each in dict.fromkeys(row["userid"] for row in found.rows) if each is not None]
    return {row_id: str(row.values.get("domainname")) for row_id, row in session.transaction.rows(users, ids).items()}
