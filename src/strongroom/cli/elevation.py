"""`strongroom elevation`: roles that people take for a time (TS-730)."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.options import environment_option, home_option, json_option, session_in
from strongroom.cli.output import print_json, say, table

if TYPE_CHECKING:
    from strongroom.ids import Guid
    from strongroom.records import Session

_user_option = click.option("--user", default="admin", metavar="NAME", help="As whom; admin unless said otherwise.")


@click.group(short_help="Roles that people take for a time.")
def elevation() -> None:
    """Roles that people may take for a time, with a reason, and that end by themselves."""


@elevation.command(short_help="Let somebody take a role for a time.")
@click.argument("login")
@click.argument("role")
@click.option("--minutes", type=click.IntRange(1, 480), default=480, show_default=True, help="For how long at most.")
@click.option("--approver", metavar="NAME", help="Who has to agree each time.")
@_user_option
@environment_option
@home_option
def allow(
    login: str, role: str, minutes: int, approver: str | None, user: str, environment: str | None, home: Path
) -> None:
    """Let the user LOGIN take ROLE, by name or id, for a time. It takes what giving the role takes."""
    from strongroom.environment import find_user
    from strongroom.ids import Reference
    from strongroom.records import NewRecord, create

    with session_in(home, environment, user, write=True) as session:
        holder = find_user(session.transaction, login)
        agreeing = Reference("systemuser", find_user(session.transaction, approver)) if approver else None
        values = {
            "name": f"{role} for {login}",
            "systemuserid": Reference("systemuser", holder),
            "roleid": Reference("role", _role(session, role, holder)),
            "maxminutes": minutes,
            "approverid": agreeing,
        }
        create(session, session.table("roleeligibility"), NewRecord(values))
    say(f"{login} may take '{role}' for {minutes} minutes.")


@elevation.command(short_help="Take a role.")
@click.argument("role")
@click.option("--minutes", type=click.IntRange(1, 480), required=True, help="For how long.")
@click.option("--reason", required=True, help="Why.")
@click.option("--ticket", default="", help="The number of a ticket.")
@_user_option
@environment_option
@home_option
def activate(role: str, minutes: int, reason: str, ticket: str, user: str, environment: str | None, home: Path) -> None:
    """Take ROLE, by name or id, as the user that --user names."""
    from strongroom.identity.elevation import STATES
    from strongroom.identity.elevation import activate as take

    with session_in(home, environment, user, write=True) as session:
        row = take(session, _role(session, role, session.caller.id), minutes, reason, ticket)
        state, ends = STATES[int(str(row.values["activationstate"]))], row.values.get("endson")
    say(f"{row.id}: {state.lower()}{f' until {ends}' if ends else ''}.")


@elevation.command(short_help="Agree to a role that somebody asked for, or not.")
@click.argument("activation")
@click.option("--deny", is_flag=True, help="Do not agree.")
@_user_option
@environment_option
@home_option
def decide(activation: str, deny: bool, user: str, environment: str | None, home: Path) -> None:
    """Agree to ACTIVATION, an id, as its approver."""
    from strongroom.identity.elevation import decide as say_so

    with session_in(home, environment, user, write=True) as session:
        say_so(session, _guid(activation), agrees=not deny)
    say("Denied." if deny else "Agreed.")


@elevation.command(short_help="Give a role back.")
@click.argument("activation")
@_user_option
@environment_option
@home_option
def end(activation: str, user: str, environment: str | None, home: Path) -> None:
    """End ACTIVATION, an id, before its time."""
    from strongroom.identity.elevation import end as give_back

    with session_in(home, environment, user, write=True) as session:
        give_back(session, _guid(activation))
    say("Ended.")


@elevation.command("list", short_help="Show who may take what, and who took it.")
@_user_option
@environment_option
@home_option
@json_option
def list_activations(user: str, environment: str | None, home: Path, as_json: bool) -> None:
    """Show the roles that were taken: by whom, why, until when."""
    from strongroom.identity.elevation import ACTIVATION, STATES
    from strongroom.records.authorize import demand_privilege
    from strongroom.schema.model import Rights

    with session_in(home, environment, user, write=False) as session:
        demand_privilege(session, session.table(ACTIVATION), Rights.READ)
        rows = [
            (
                row.id,
                str(row.values["name"]),
                str(getattr(row.values["systemuserid"], "id", "")),
                STATES[int(str(row.values["activationstate"]))],
                str(row.values.get("endson") or ""),
                str(row.values["reason"]),
            )
            for row in session.transaction.rows_where(session.table(ACTIVATION), {})
        ]
    heads = ("id", "role", "user", "state", "ends", "reason")
    if as_json:
        print_json([dict(zip(heads, row, strict=True)) for row in rows])
    else:
        say(table(tuple(head.upper() for head in heads), rows))


def _role(session: "Session", named: str, holder: "Guid") -> "Guid":
    """The role of this name as the user's unit has it, or of this id."""
    from strongroom.errors import NotFound
    from strongroom.ids import parse_guid

    ident = parse_guid(named)
    if ident is not None:
        return ident
    user = session.transaction.row(session.table("systemuser"), holder)
    unit = user.values.get("businessunitid") if user else None
    found = session.transaction.rows_where(session.table("role"), {"name": named, "businessunitid": unit}, limit=1)
    if not found:
        raise NotFound(f"There is no role '{named[:100]}' in the user's business unit.")
    return found[0].id


def _guid(text: str) -> "Guid":
    from strongroom.errors import InvalidRequest
    from strongroom.ids import parse_guid

    found = parse_guid(text)
    if found is None:
        raise InvalidRequest(f"'{text[:60]}' is no id; `strongroom elevation list` shows them.")
    return found
