"""`strongroom explain`: may a user do something with a row, and why."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from strongroom.cli.access_words import denial_words, reason_rows, would_allow_words
from strongroom.cli.options import environment_option, home_option, json_option, session_in
from strongroom.cli.output import print_json, say, table
from strongroom.cli.targets import principal_named, row_named

if TYPE_CHECKING:
    from strongroom.ids import Reference
    from strongroom.store.protocol import Transaction

RIGHTS = "Read, Write, Append, AppendTo, Create, Delete, Share or Assign."


@click.command(short_help="Say whether a user may do something, and why.")
@home_option
@environment_option
@click.option("--user", metavar="U", help="Sign-in name or id of the user.")
@click.option("--team", metavar="T", help="Name or id of a team, asked about instead of a user.")
@click.option("--table", "table_name", required=True, metavar="T", help="Logical name of the table, such as account.")
@click.option("--id", "row_id", required=True, metavar="ID", help="Id of the row.")
@click.option("--right", default="Read", show_default=True, metavar="R", help=RIGHTS)
@click.option("--column", metavar="C", help="… for this column (Read, Write, Create).")
@click.option("--new-owner", metavar="U", help="… to give the row to this user (Assign, Create).")
@click.option("--new-owner-team", metavar="T", help="… to give the row to this team (Assign, Create).")
@click.option("--with-user", metavar="U", help="… to share the row with this user (Share, with --rights).")
@click.option("--with-team", metavar="T", help="… to share the row with this team (Share, with --rights).")
@click.option("--rights", default="", metavar="R,…", help="What would be shared: Read,Write …")
@json_option
def explain(
    home: Path,
    environment: str | None,
    user: str | None,
    team: str | None,
    table_name: str,
    row_id: str,
    right: str,
    column: str | None,
    new_owner: str | None,
    new_owner_team: str | None,
    with_user: str | None,
    with_team: str | None,
    rights: str,
    as_json: bool,
) -> int:
    """Print whether a user has a right on a row, every reason for it, or what is missing and what would allow it.

    A right may be asked about for what it is to be used for: a column, a new owner, a share. Deleting is asked about
    with all that the delete would take along.

    The decision is the one that the server makes; the question is noted in the audit trail. Exits with 0 when allowed
    and 1 when denied.
    """
    from strongroom.audit.activities import Activity
    from strongroom.cli.telling import operator
    from strongroom.messages.explanation import explained, one_right, some_rights
    from strongroom.records.activity import tell
    from strongroom.records.explaining_acts import Act

    asked, given = one_right(right), some_rights(rights)
    with session_in(home, environment, "admin", write=False) as session:
        principal = principal_named(session.transaction, user, team)
        target = row_named(session.schema, table_name, row_id)
        owner = _principal(session.transaction, new_owner, new_owner_team)
        shared_with = _principal(session.transaction, with_user, with_team)
        told = {"about": principal.id, "right": right, "column": column, "operator": operator()}
        tell(session, Activity.EXPLAIN, table=target.table, row=target.id, details=told)
        shown = explained(session, principal, target, asked, Act(column, owner, shared_with, given))
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
    changes = cast("list[dict[str, object]]", shown["WouldAllow"])
    if changes:
        say()
        say(table(("would allow it", "which is"), [(str(each["Code"]), would_allow_words(each)) for each in changes]))
    return 1


def _principal(transaction: "Transaction", user: str | None, team: str | None) -> "Reference | None":
    """The user or team that an option names; None when neither is given."""
    return None if user is None and team is None else principal_named(transaction, user, team)
