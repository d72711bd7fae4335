"""`strongroom who` and `strongroom sees`: everybody who has access to a row, and everything that somebody sees."""

from pathlib import Path
from typing import cast

import click

from strongroom.cli.access_words import reason_rows
from strongroom.cli.options import environment_option, home_option, json_option, session_in
from strongroom.cli.output import print_json, say, table
from strongroom.cli.targets import principal_named, row_named

_RIGHTS = "Read, Write, Append, AppendTo, Create, Delete, Share or Assign."


@click.command(short_help="List everybody who has a right on a row.")
@home_option
@environment_option
@click.option("--table", "table_name", required=True, metavar="T", help="Logical name of the table, such as account.")
@click.option("--id", "row_id", required=True, metavar="ID", help="Id of the row.")
@click.option("--right", default="Read", show_default=True, metavar="R", help=_RIGHTS)
@json_option
def who(home: Path, environment: str | None, table_name: str, row_id: str, right: str, as_json: bool) -> int:
    """List every user who has a right on a row, each with all reasons.

    It agrees with `explain` user by user, and is noted in the audit trail. Exits with 1 when nobody has the right.
    """
    from strongroom.messages.explanation import one_right, who_sees

    asked = one_right(right)
    with session_in(home, environment, "admin", write=False) as session:
        shown = who_sees(session, row_named(session.schema, table_name, row_id), asked)
    users = cast("list[dict[str, object]]", shown["Users"])
    if as_json:
        print_json(shown)
    elif not users:
        say(f"nobody may {right} {table_name} {row_id}")
    else:
        lines = [
            (user["Name"] if first else "", code, sources)
            for user in users
            for first, (code, sources, _) in _numbered(reason_rows(cast("list[dict[str, object]]", user["Reasons"])))
        ]
        say(table(("user", "because", "by"), lines))
        say(f"\n{len(users)} {'user' if len(users) == 1 else 'users'}")
    return 0 if users else 1


@click.command(short_help="Count what a user sees, table by table.")
@home_option
@environment_option
@click.option("--user", metavar="U", help="Sign-in name or id of the user.")
@click.option("--team", metavar="T", help="Name or id of a team, asked about instead of a user.")
@click.option("--right", default="Read", show_default=True, metavar="R", help="The right that is counted.")
@json_option
def sees(home: Path, environment: str | None, user: str | None, team: str | None, right: str, as_json: bool) -> int:
    """Count the rows of each table that a user or team has a right on.

    Tables of which it reaches nothing are left out, and so are rows that take the access of others, such as addresses.
    """
    from strongroom.messages.explanation import one_right, what_sees

    asked = one_right(right)
    with session_in(home, environment, "admin", write=False) as session:
        shown = what_sees(session, principal_named(session.transaction, user, team), asked)
    tables = cast("list[dict[str, object]]", shown["Tables"])
    if as_json:
        print_json(shown)
    elif tables:
        say(table(("table", "rows", "of"), [(seen["Table"], seen["Rows"], seen["Total"]) for seen in tables]))
    else:
        say(f"{user or team} may {right} nothing")
    return 0


def _numbered(rows: list[tuple[str, str, str]]) -> list[tuple[bool, tuple[str, str, str]]]:
    """Each row with whether it is the first one."""
    return [(number == 0, row) for number, row in enumerate(rows)]
