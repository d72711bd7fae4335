"""`strongroom explain`: may a user do something with a row, and why."""

from pathlib import Path
from typing import cast

import click

from strongroom.cli.access_words import denial_words, reason_rows, would_allow_words
from strongroom.cli.options import environment_option, home_option, json_option, opened
from strongroom.cli.output import print_json, say, table
from strongroom.cli.targets import principal_named, row_named

RIGHTS = "Read, Write, Append, AppendTo, Create, Delete, Share or Assign."


@click.command(short_help="Say whether a user may do something, and why.")
@home_option
@environment_option
@click.option("--user", metavar="U", help="Sign-in name or id of the user.")
@click.option("--team", metavar="T", help="Name or id of a team, asked about instead of a user.")
@click.option("--table", "table_name", required=True, metavar="T", help="Logical name of the table, such as account.")
@click.option("--id", "row_id", required=True, metavar="ID", help="Id of the row.")
@click.option("--right", default="Read", show_default=True, metavar="R", help=RIGHTS)
@json_option
def explain(
    home: Path,
    environment: str | None,
    user: str | None,
    team: str | None,
    table_name: str,
    row_id: str,
    right: str,
    as_json: bool,
) -> int:
    """Print whether a user has a right on a row, every reason for it, or what is missing and what would allow it.

    The decision is the one that the server makes; the question is noted in the audit trail. Exits with 0 when allowed
    and 1 when denied.
    """
    from strongroom.environment import open_environment
    from strongroom.messages.explanation import explained, one_right

    asked = one_right(right)
    opened_environment = open_environment(opened(home), environment)
    try:
        with opened_environment.session_of("admin", write=False) as session:
            principal = principal_named(session.transaction, user, team)
            target = row_named(session.schema, table_name, row_id)
            shown = explained(session, principal, target, asked)
    finally:
        opened_environment.close()
    if as_json:
        print_json(shown)
        return 0 if shown["Allowed"] else 1
    say(f"{user or team} {'may' if shown['Allowed'] else 'may NOT'} {right} {table_name} {target.id}")
    reasons = cast("list[dict[str, object]]", shown["Reasons"])
    if reasons:
        say()
        say(table(("because", "by", "background"), reason_rows(reasons)))
        return 0
    denial = cast("dict[str, object]", shown["Denial"])
    say(f"  because {denial['Code']}: {denial_words(denial)}")
    changes = [change["Code"] for change in cast("list[dict[str, str]]", shown["WouldAllow"])]
    if changes:
        say()
        say(table(("would allow it", "which is"), [(code, would_allow_words(code)) for code in changes]))
    return 1
