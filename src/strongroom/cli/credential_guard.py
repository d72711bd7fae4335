"""`strongroom vault guard`: keep credentials out of ordinary columns (TS-611)."""

from pathlib import Path

import click

from strongroom.cli.options import environment_option, home_option, json_option, session_in
from strongroom.cli.output import print_json, say

_SWITCH = "blockcredentials"


@click.command(short_help="Keep credentials out of ordinary columns.")
@click.argument("state", type=click.Choice(["on", "off", "show"]), metavar="STATE")
@click.option("--user", default="admin", metavar="NAME", help="As whom; admin unless said otherwise.")
@environment_option
@home_option
@json_option
def guard(state: str, user: str, environment: str | None, home: Path, as_json: bool) -> None:
    """Refuse writes that put a password, key or token into an ordinary column of an environment, from now on.

    STATE is on, off or show. What is there already stays. The refusal names the column and the kind of what was found,
    never the value.
    """
    from strongroom.records import update

    with session_in(home, environment, user, write=state != "show") as session:
        row = session.transaction.rows_where(session.table("organization"), {}, limit=1)[0]
        if state != "show":
            update(session, row.table, row.id, {_SWITCH: state == "on"})
        is_on = row.values.get(_SWITCH) is True if state == "show" else state == "on"
    if as_json:
        print_json({"guard": is_on})
    else:
        say(f"Credentials in ordinary columns are {'refused' if is_on else 'not looked for'}.")
