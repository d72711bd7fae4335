"""`strongroom whatif`: what a change would do, before it is made."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import click

from strongroom.cli.options import environment_option, home_option, json_option, session_in
from strongroom.cli.output import print_json, say, table
from strongroom.cli.targets import one_named, principal_named, row_named

if TYPE_CHECKING:
    from strongroom.ids import Reference
    from strongroom.records import Session

Shown = Mapping[str, object]
Change = dict[str, object]
_C = TypeVar("_C", bound=Callable[..., object])
_MOST_USERS = 10


@click.group(short_help="Say what a change would do, before it is made.")
def whatif() -> None:
    """Say who would gain and lose which rows and columns by a change, exactly and before it is made.

    Nothing is written, but for a note in the audit trail that the question was asked. Exits with 0 when nobody would
    gain or lose anything, and with 1 when somebody would.
    """


def _common(command: _C) -> _C:
    """Options that every kind of change has."""
    rights = click.option(
        "--right",
        "rights",
        multiple=True,
        metavar="R",
        help="A right to count, such as Write; may be repeated. Without it: those of changed privileges, or Read.",
    )
    return home_option(environment_option(rights(json_option(command))))


def _principal(command: _C) -> _C:
    """`--user` or `--team`."""
    user = click.option("--user", metavar="U", help="Sign-in name or id of the user.")
    return user(click.option("--team", metavar="T", help="Name or id of a team, instead of a user.")(command))


_REMOVED = click.option("--take", "is_taken", is_flag=True, help="Take it away instead of giving it.")


@whatif.command(short_help="Change the privileges of a role.")
@click.argument("role")
@click.option("--set", "given", multiple=True, metavar="P=D", help="A privilege and its depth: prvReadAccount=Deep.")
@click.option("--remove", "removed", multiple=True, metavar="P", help="A privilege to take away.")
@_common
def role(
    role: str,
    given: tuple[str, ...],
    removed: tuple[str, ...],
    home: Path,
    environment: str | None,
    rights: tuple[str, ...],
    as_json: bool,
) -> int:
    """What changing the privileges of ROLE (name or id) would do."""

    def change(session: "Session") -> Change:
        return {
            "Kind": "RolePrivileges",
            "Role": _row(one_named(session.transaction, "role", role)),
            "Set": [dict(zip(("Privilege", "Depth"), _pair(each), strict=True)) for each in given],
            "Remove": list(removed),
        }

    return _run(home, environment, rights, as_json, change)


@whatif.command(short_help="Give a role, or take it.")
@click.argument("role")
@_principal
@_REMOVED
@_common
def assign(
    role: str,
    user: str | None,
    team: str | None,
    is_taken: bool,
    home: Path,
    environment: str | None,
    rights: tuple[str, ...],
    as_json: bool,
) -> int:
    """What giving ROLE (name or id) to a user or team would do."""

    def change(session: "Session") -> Change:
        return {
            "Kind": "TakeRole" if is_taken else "GiveRole",
            "Principal": _row(principal_named(session.transaction, user, team)),
            "Role": _row(one_named(session.transaction, "role", role)),
        }

    return _run(home, environment, rights, as_json, change)


@whatif.command(short_help="Add a user to a team, or remove it.")
@click.option("--team", required=True, metavar="T", help="Name or id of the team.")
@click.option("--user", required=True, metavar="U", help="Sign-in name or id of the user.")
@click.option("--leave", "is_leaving", is_flag=True, help="Take the user out of the team instead.")
@_common
def member(
    team: str,
    user: str,
    is_leaving: bool,
    home: Path,
    environment: str | None,
    rights: tuple[str, ...],
    as_json: bool,
) -> int:
    """What adding a user to a team would do."""

    def change(session: "Session") -> Change:
        return {
            "Kind": "LeaveTeam" if is_leaving else "JoinTeam",
            "Team": _row(one_named(session.transaction, "team", team)),
            "User": _row(principal_named(session.transaction, user, None)),
        }

    return _run(home, environment, rights, as_json, change)


@whatif.command(short_help="Move a user, a team or a business unit.")
@click.argument("unit")
@_principal
@click.option("--unit", "moved", metavar="B", help="Name or id of a business unit that moves, instead of a user.")
@_common
def move(
    unit: str,
    user: str | None,
    team: str | None,
    moved: str | None,
    home: Path,
    environment: str | None,
    rights: tuple[str, ...],
    as_json: bool,
) -> int:
    """What moving a user or team into the business unit UNIT, or another unit under it, would do."""

    def change(session: "Session") -> Change:
        target = _row(one_named(session.transaction, "businessunit", unit))
        if moved is not None:
            place = _row(one_named(session.transaction, "businessunit", moved))
            return {"Kind": "MoveBusinessUnit", "BusinessUnit": place, "Parent": target}
        principal = _row(principal_named(session.transaction, user, team))
        return {"Kind": "MovePrincipal", "Principal": principal, "BusinessUnit": target}

    return _run(home, environment, rights, as_json, change)


@whatif.command(short_help="Share a row, or end a share.")
@click.option("--table", "table_name", required=True, metavar="T", help="Logical name of the table.")
@click.option("--id", "row_id", required=True, metavar="ID", help="Id of the row.")
@_principal
@click.option("--give", "given", multiple=True, metavar="R", help="A right to give; may be repeated. Default: Read.")
@click.option("--end", "is_ended", is_flag=True, help="End the share instead.")
@_common
def share(
    table_name: str,
    row_id: str,
    user: str | None,
    team: str | None,
    given: tuple[str, ...],
    is_ended: bool,
    home: Path,
    environment: str | None,
    rights: tuple[str, ...],
    as_json: bool,
) -> int:
    """What sharing a row with a user or team would do, with all that is passed on to related rows."""

    def change(session: "Session") -> Change:
        found: Change = {
            "Kind": "Unshare" if is_ended else "Share",
            "Target": _row(row_named(session.schema, table_name, row_id)),
            "Principal": _row(principal_named(session.transaction, user, team)),
        }
        if not is_ended:
            found["Rights"] = ", ".join(_right(each) for each in given or ("Read",))
        return found

    return _run(home, environment, rights, as_json, change)


@whatif.command(short_help="Set a user's manager.")
@click.option("--user", required=True, metavar="U", help="Sign-in name or id of the user.")
@click.option("--manager", metavar="U", help="Sign-in name or id of the manager; without it, none.")
@_common
def manager(
    user: str, manager: str | None, home: Path, environment: str | None, rights: tuple[str, ...], as_json: bool
) -> int:
    """What giving a user another manager would do."""

    def change(session: "Session") -> Change:
        above = None if manager is None else _row(principal_named(session.transaction, manager, None))
        return {
            "Kind": "SetManager",
            "User": _row(principal_named(session.transaction, user, None)),
            "Manager": above,
        }

    return _run(home, environment, rights, as_json, change)


@whatif.command(short_help="Set hierarchy security.")
@click.option("--on/--off", "enabled", default=None, help="Whether hierarchy security is on.")
@click.option("--by-position/--by-manager", "by_position", default=None, help="Which hierarchy counts.")
@click.option("--depth", type=click.IntRange(1, 100), metavar="N", help="How many levels down.")
@_common
def hierarchy(
    enabled: bool | None,
    by_position: bool | None,
    depth: int | None,
    home: Path,
    environment: str | None,
    rights: tuple[str, ...],
    as_json: bool,
) -> int:
    """What setting hierarchy security otherwise would do; what is not named stays."""
    change: Change = {"Kind": "SetHierarchy", "Enabled": enabled, "ByPosition": by_position, "Depth": depth}
    return _run(home, environment, rights, as_json, lambda _: change)


@whatif.command(short_help="Disable or enable a user.")
@click.option("--user", required=True, metavar="U", help="Sign-in name or id of the user.")
@click.option("--enable", is_flag=True, help="Enable the user instead.")
@_common
def disable(
    user: str, enable: bool, home: Path, environment: str | None, rights: tuple[str, ...], as_json: bool
) -> int:
    """What disabling a user would do."""

    def change(session: "Session") -> Change:
        return {
            "Kind": "EnableUser" if enable else "DisableUser",
            "User": _row(principal_named(session.transaction, user, None)),
        }

    return _run(home, environment, rights, as_json, change)


@whatif.command(short_help="Any change, as the Web API takes it.")
@click.argument("change", metavar="JSON")
@_common
def change(change: str, home: Path, environment: str | None, rights: tuple[str, ...], as_json: bool) -> int:
    """What any change would do that sr_PreviewChange takes, such as of column profiles, told as JSON or as @FILE."""
    from strongroom.errors import InvalidRequest

    text = Path(change[1:]).read_text(encoding="utf-8") if change.startswith("@") else change
    try:
        body: object = json.loads(text)
    except ValueError as error:
        raise InvalidRequest(f"The change is not JSON: {error}.") from None
    if not isinstance(body, dict):
        raise InvalidRequest('A change is a JSON object such as {"Kind": "DisableUser", …}.')
    return _run(home, environment, rights, as_json, lambda _: cast(Change, body))


# --- asking and telling --------------------------------------------------------------------------------------------


def _run(
    home: Path,
    environment: str | None,
    rights: Sequence[str],
    as_json: bool,
    change: "Callable[[Session], Change]",
) -> int:
    from strongroom.messages.explanation import one_right
    from strongroom.messages.foresight import foreseen

    wanted = [one_right(each) for each in rights]
    with session_in(home, environment, "admin", write=False) as session:
        shown = foreseen(session, change(session), wanted)
    tables, columns = (cast("list[Shown]", shown[name]) for name in ("Tables", "Columns"))
    if as_json:
        print_json(shown)
    else:
        _tell(tables, columns)
    return 1 if tables or columns else 0


def _tell(tables: Sequence[Shown], columns: Sequence[Shown]) -> None:
    if not tables and not columns:
        say("Nobody would gain or lose anything.")
    if tables:
        head = ("table", "right", "rows gained", "by users", "rows lost", "by users")
        names = ("Table", "Right", "RowsGained", "UsersGaining", "RowsLost", "UsersLosing")
        say(table(head, [[each[name] for name in names] for each in tables]))
    for each in tables:
        say(f"\n{each['Table']}, {each['Right']}:")
        users = cast("list[Shown]", each["Users"])
        rows = [(user["Name"], user["Gained"], user["Lost"]) for user in users[:_MOST_USERS]]
        say(table(("user", "gains", "loses"), rows))
        if len(users) > _MOST_USERS:
            say(f"and {len(users) - _MOST_USERS} more; --json lists up to 100")
        examples = cast("list[Shown]", each["Examples"])
        if examples:
            say()
            lines = [(one["Change"], one["Name"] or one["Id"], one["User"]) for one in examples]
            say(table(("for example", "row", "by"), lines))
    if columns:
        say()
        lines = [(one["User"], f"{one['Table']}.{one['Column']}", one["Gained"], one["Lost"]) for one in columns]
        say(table(("user", "column", "gains", "loses"), lines))


def _row(reference: "Reference") -> Change:
    return {"@odata.type": f"Microsoft.Dynamics.CRM.{reference.table}", f"{reference.table}id": reference.id}


def _right(text: str) -> str:
    return text if text.endswith("Access") else f"{text}Access"


def _pair(text: str) -> tuple[str, str]:
    from strongroom.errors import InvalidRequest

    name, equals, depth = text.partition("=")
    if not equals:
        raise InvalidRequest(f"'{text}' is not of the form privilege=depth, such as prvReadAccount=Deep.")
    return name.strip(), depth.strip().capitalize()
