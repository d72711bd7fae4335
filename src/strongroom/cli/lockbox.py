"""`strongroom lockbox`: access of support by consent, and what it did."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.options import environment_option, home_option, json_option, session_in
from strongroom.cli.output import print_json, say, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from strongroom.ids import Guid
    from strongroom.records import Session
    from strongroom.store.protocol import Row

_user_option = click.option("--user", required=True, metavar="U", help="Who: a name or id in the control environment.")


@click.group(short_help="Access of support: ask, decide, watch, end.")
def lockbox() -> None:
    """Access of support to an environment, with the consent of its owner. Requests lie in the control environment."""


@lockbox.command(short_help="Ask for access.")
@click.option("--environment", "-e", required=True, metavar="NAME", help="Environment of business data.")
@click.option("--table", "tables", multiple=True, required=True, metavar="T", help="Table; may be repeated.")
@click.option("--verb", "verbs", multiple=True, required=True, metavar="V", help="read, create, write, delete, …")
@click.option("--column", "columns", multiple=True, metavar="T.C", help="Secured column to be read.")
@click.option("--minutes", type=int, required=True, metavar="N", help="For how long.")
@click.option("--reason", required=True, metavar="TEXT", help="Why.")
@click.option("--case", metavar="ID", help="The support case.")
@_user_option
@home_option
def request(
    environment: str,
    tables: tuple[str, ...],
    verbs: tuple[str, ...],
    columns: tuple[str, ...],
    minutes: int,
    reason: str,
    case: str | None,
    user: str,
    home: Path,
) -> None:
    """Ask for access, and print the id of the request. A second person of support has to agree before the owner is
    asked; no answer in time is a no."""
    from strongroom.lockbox.requests import ask
    from strongroom.lockbox.scope import read_scope

    with _control(home, user) as session:
        row = ask(session, environment, read_scope(tables, verbs, columns), minutes, reason, case)
        say(str(row.id))


@lockbox.command(short_help="Agree for support that the owner may be asked.")
@click.argument("request", metavar="ID")
@_user_option
@home_option
def agree(request: str, user: str, home: Path) -> None:
    """Agree, as a second person of support, that the request ID is put to the owner."""
    from strongroom.lockbox.requests import approve_internally

    with _control(home, user) as session:
        approve_internally(session, _guid(request))
    say(f"{request}: waits for the owner")


@lockbox.command(short_help="Say yes to a request.")
@click.argument("request", metavar="ID")
@click.option("--minutes", type=int, metavar="N", help="Less than was asked for.")
@click.option("--table", "tables", multiple=True, metavar="T", help="Only these tables.")
@click.option("--verb", "verbs", multiple=True, metavar="V", help="Only these verbs.")
@_user_option
@home_option
def approve(
    request: str, minutes: int | None, tables: tuple[str, ...], verbs: tuple[str, ...], user: str, home: Path
) -> None:
    """Approve the request ID, or less than it asks for. Access begins at once."""
    from strongroom.identity.directory import text
    from strongroom.lockbox.requests import approve
    from strongroom.lockbox.scope import read_scope, scope_in
    from strongroom.lockbox.tables import REQUEST
    from strongroom.records.authorize import demand_existing
    from strongroom.schema.model import Rights

    with _control(home, user) as session:
        asked = scope_in(demand_existing(session, session.table(REQUEST), _guid(request), Rights.READ))
        narrowed = None
        if tables or verbs:
            chosen = tables or asked.tables
            columns = [each for each in asked.columns if each.partition(".")[0] in chosen]
            narrowed = read_scope(chosen, verbs or asked.verbs, columns)
        row = approve(session, _guid(request), minutes, narrowed)
        say(f"{request}: approved until {text(row, 'accessexpireson')}")


@lockbox.command(short_help="Say no to a request.")
@click.argument("request", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why.")
@_user_option
@home_option
def deny(request: str, reason: str, user: str, home: Path) -> None:
    """Deny the request ID."""
    from strongroom.lockbox.requests import deny

    with _control(home, user) as session:
        deny(session, _guid(request), reason)
    say(f"{request}: denied")


@lockbox.command(short_help="End an access now.")
@click.argument("request", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why.")
@_user_option
@home_option
def revoke(request: str, reason: str, user: str, home: Path) -> None:
    """End the access of the request ID at once, also for requests that are running."""
    from strongroom.lockbox.requests import revoke

    with _control(home, user) as session:
        revoke(session, _guid(request), reason)
    say(f"{request}: ended")


@lockbox.command(short_help="Print the token of an access of one's own.")
@click.argument("request", metavar="ID")
@_user_option
@home_option
def token(request: str, user: str, home: Path) -> None:
    """Print the bearer token of the access that the request ID got for the user; it ends with the access."""
    from strongroom.lockbox.requests import open_access

    with _control(home, user) as session:
        say(open_access(session, _guid(request))[0])


@lockbox.command(short_help="List requests.")
@click.option("--recent", is_flag=True, help="Those of the last 28 days.")
@_user_option
@home_option
@json_option
def requests(recent: bool, user: str, home: Path, as_json: bool) -> None:
    """List requests for access, the newest first."""
    from datetime import timedelta

    from strongroom.clock import iso
    from strongroom.identity.directory import number, text
    from strongroom.lockbox.tables import REQUEST, STATUSES

    with _control(home, user, write=False) as session:
        since = iso(session.clock.now() - timedelta(days=28)) if recent else ""
        rows = _rows(session, REQUEST)
    shown = [
        {
            "id": row.id,
            "status": STATUSES[number(row, "requeststatus") - 1],
            "environment": text(row, "environmentname"),
            "tables": text(row, "scopetables"),
            "verbs": text(row, "scopeverbs"),
            "minutes": number(row, "accessminutes"),
            "requested": text(row, "requestedon"),
            "expires": text(row, "expireson"),
            "until": text(row, "accessexpireson") or None,
            "reason": text(row, "justification"),
        }
        for row in reversed(rows)
        if text(row, "requestedon") >= since
    ]
    head = ("id", "status", "environment", "tables", "verbs", "minutes", "requested", "until")
    _print(head, shown, as_json, "No requests.")


@lockbox.command(short_help="Show accesses to an environment.")
@click.option("--user", default="admin", show_default=True, metavar="U", help="Who: a name or id in the environment.")
@home_option
@environment_option
@json_option
def sessions(user: str, home: Path, environment: str | None, as_json: bool) -> None:
    """Show what support may do, or could do, in an environment, and until when."""
    from strongroom.identity.directory import text
    from strongroom.lockbox.tables import SESSION

    with session_in(home, environment, user, write=False) as session:
        rows, now = _rows(session, SESSION), session.now
    shown = [
        {
            "id": row.id,
            "request": row.values.get("requestid"),
            "state": "ended" if text(row, "endedon") or text(row, "accessexpireson") <= now else "OPEN",
            "who": text(row, "requester"),
            "tables": text(row, "scopetables"),
            "verbs": text(row, "scopeverbs"),
            "started": text(row, "startedon"),
            "until": text(row, "endedon") or text(row, "accessexpireson"),
        }
        for row in reversed(rows)
    ]
    _print(("request", "state", "who", "tables", "verbs", "started", "until"), shown, as_json, "No accesses.")


@lockbox.command(short_help="Show what support asked for, request by request.")
@click.argument("request", metavar="ID")
@click.option("--user", default="admin", show_default=True, metavar="U", help="Who: a name or id in the environment.")
@home_option
@environment_option
@json_option
def log(request: str, user: str, home: Path, environment: str | None, as_json: bool) -> None:
    """Show each request that was sent with the access of the request ID, also while it lasts. Values are left out; what
    was read and changed stands in the trail under the same user."""
    from strongroom.ids import Reference
    from strongroom.lockbox.tables import COMMAND, SESSION

    wanted = _guid(request)
    with session_in(home, environment, user, write=False) as session:
        opened = {row.reference() for row in _rows(session, SESSION) if row.values.get("requestid") == wanted}
        rows = [row for row in _rows(session, COMMAND) if row.values.get("lockboxsessionid") in opened]
    names = ("createdon", "name", "address", "client", "correlationid")
    shown: list[dict[str, object]] = [
        {name: value.id if isinstance(value := row.values.get(name), Reference) else value for name in names}
        for row in rows
    ]
    _print(("createdon", "name", "address"), shown, as_json, "Nothing was asked for.")


@lockbox.command("break-glass", short_help="Ask for access without consent, in an emergency.")
@click.option("--environment", "-e", required=True, metavar="NAME", help="Environment of business data.")
@click.option("--reason", required=True, metavar="TEXT", help="Why.")
@click.option("--second", required=True, metavar="U", help="The second operator, who has to agree.")
@_user_option
@home_option
def break_glass(environment: str, reason: str, second: str, user: str, home: Path) -> None:
    """Ask for access without consent, to restore the service, and print its id. A second operator has to agree, the
    owner hears of it at once, and a review is due in three working days."""
    from strongroom.environment import find_user
    from strongroom.lockbox.emergencies import break_glass

    with _control(home, user) as session:
        other = find_user(session.transaction, second)
        say(str(break_glass(session, environment, reason, other).id))


@lockbox.command(short_help="Agree to an emergency, as the second operator.")
@click.argument("exclusion", metavar="ID")
@_user_option
@home_option
def confirm(exclusion: str, user: str, home: Path) -> int:
    """Agree to the emergency ID, as the second operator. Exits with 1 when that comes too late."""
    from strongroom.identity.directory import text
    from strongroom.lockbox.emergencies import confirm_break_glass

    with _control(home, user) as session:
        until = text(confirm_break_glass(session, _guid(exclusion)), "accessexpireson")
    say(f"{exclusion}: open until {until}" if until else f"{exclusion}: too late; ask again")
    return 0 if until else 1


@lockbox.command("emergency-token", short_help="Print the token of an emergency of one's own.")
@click.argument("exclusion", metavar="ID")
@_user_option
@home_option
def emergency_token(exclusion: str, user: str, home: Path) -> None:
    """Print the bearer token of the emergency ID; it ends with the access."""
    from strongroom.lockbox.emergencies import open_emergency

    with _control(home, user) as session:
        say(open_emergency(session, _guid(exclusion))[0])


@lockbox.command("end-emergency", short_help="End an emergency access now.")
@click.argument("exclusion", metavar="ID")
@_user_option
@home_option
def end_emergency(exclusion: str, user: str, home: Path) -> None:
    """End the access of the emergency ID at once."""
    from strongroom.lockbox.emergencies import end_emergency

    with _control(home, user) as session:
        end_emergency(session, _guid(exclusion))
    say(f"{exclusion}: ended; a review is due")


@lockbox.command(short_help="Review an emergency after it.")
@click.argument("exclusion", metavar="ID")
@click.option("--note", required=True, metavar="TEXT", help="What was found.")
@_user_option
@home_option
def review(exclusion: str, note: str, user: str, home: Path) -> None:
    """Write the review of the emergency ID, as somebody who was no part of it."""
    from strongroom.lockbox.emergencies import review

    with _control(home, user) as session:
        review(session, _guid(exclusion), note)
    say(f"{exclusion}: reviewed")


@contextmanager
def _control(home: Path, user: str, *, write: bool = True) -> "Generator[Session]":
    """A session of somebody in the control environment."""
    with session_in(home, "control", user, write=write) as session:
        yield session


def _rows(session: "Session", name: str) -> "list[Row]":
    from strongroom.records.authorize import demand_privilege
    from strongroom.schema.model import Rights

    described = session.table(name)
    demand_privilege(session, described, Rights.READ)
    return session.transaction.rows_where(described, {})


def _guid(text: str) -> "Guid":
    from strongroom.errors import InvalidRequest
    from strongroom.ids import parse_guid

    found = parse_guid(text)
    if found is None:
        raise InvalidRequest(f"'{text}' is no id: it must be a GUID, as `strongroom lockbox requests` shows it.")
    return found


def _print(head: tuple[str, ...], rows: "Sequence[Mapping[str, object]]", as_json: bool, nothing: str) -> None:
    if as_json:
        print_json(rows)
    elif rows:
        say(table(head, [[row[name] if row[name] is not None else "" for name in head] for row in rows]))
    else:
        say(nothing)
