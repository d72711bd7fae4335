"""`strongroom users`: accounts of people."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.directory import in_environments, membership_options, open_directory
from strongroom.cli.options import home_option, json_option, opened
from strongroom.cli.output import print_json, say, table

if TYPE_CHECKING:
    from strongroom.identity.directory import Directory
    from strongroom.store.protocol import Row


@click.group(short_help="Accounts of people who sign in.")
def users() -> None:
    """Accounts of people who sign in: made, given a password, kept out, let in again."""


@users.command(short_help="Make an account, and a user of environments with it.")
@click.argument("login")
@click.option("--name", default="", metavar="N", help="The person's name.")
@membership_options
@home_option
def add(login: str, name: str, environments: tuple[str, ...], roles: tuple[str, ...], home: Path) -> None:
    """Make an account with the sign-in name LOGIN, and print its id.

    In each environment it is the user with that sign-in name, who is made if there is none. `strongroom users password`
    or `strongroom users link` gives it a password.
    """
    from strongroom.identity.directory import text
    from strongroom.identity.membership import make_person_user
    from strongroom.identity.people import add_person, find_person

    opened_home = opened(home)
    with open_directory(opened_home) as directory, directory.writing() as session:
        person = find_person(session.transaction, login) or add_person(session, login, name)
    shown, sign_in = text(person, "name"), text(person, "userprincipalname")
    in_environments(
        opened_home, environments, lambda session: make_person_user(session, person.id, sign_in, shown, roles)
    )
    say(person.id)


@users.command(short_help="Set a password.")
@click.argument("login")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read it from standard input instead of asking for it.")
@home_option
def password(login: str, from_stdin: bool, home: Path) -> None:
    """Set the password of the account LOGIN, and end all its sessions."""
    from strongroom.identity.people import demand_password, hashed, person_named, set_password

    with open_directory(opened(home)) as directory:
        given = (
            sys.stdin.readline().rstrip("\r\n")
            if from_stdin
            else click.prompt("New password", hide_input=True, confirmation_prompt=True)
        )
        with directory.reading() as transaction:
            demand_password(transaction, person_named(transaction, login), given)
        kept = hashed(given)
        with directory.writing() as session:
            set_password(session, person_named(session.transaction, login), kept)


@users.command(short_help="Make a one-time link to a new password.")
@click.argument("login")
@home_option
def link(login: str, home: Path) -> None:
    """Print the path of a page where LOGIN chooses a password: once, within an hour. Give it to nobody else."""
    from strongroom.identity.people import begin_reset, person_named

    with open_directory(opened(home)) as directory, directory.writing() as session:
        token = begin_reset(session, person_named(session.transaction, login))
    say(f"/sign-in/new-password?token={token}")


@users.command(short_help="Invite a guest, who signs in by a provider of theirs.")
@click.argument("mail")
@click.option("--name", default="", metavar="N", help="The guest's name.")
@click.option("--sponsor", metavar="LOGIN", help="Who answers for the guest; without them, the guest does not get in.")
@click.option("--until", metavar="TIME", help="When the account ends, such as 2026-12-31T00:00:00Z.")
@home_option
def invite(mail: str, name: str, sponsor: str | None, until: str | None, home: Path) -> None:
    """Make a guest account for MAIL, and print the path of a page by which the guest comes the first time, within a
    week, from one of the listed providers."""
    from strongroom.clock import iso, moment_of
    from strongroom.identity.people import invite_guest, person_named

    ends = None if until is None else moment_of(until)
    if until is not None and ends is None:
        raise click.UsageError("--until takes a time with its zone, such as 2026-12-31T00:00:00Z.")
    with open_directory(opened(home)) as directory, directory.writing() as session:
        answers = None if sponsor is None else person_named(session.transaction, sponsor).id
        _, token = invite_guest(session, mail, name, answers, None if ends is None else iso(ends))
    say(f"/sign-in/invitation?token={token}")


@users.command(short_help="Make a group, or put accounts into one.")
@click.argument("name")
@click.argument("logins", nargs=-1, metavar="LOGINS")
@click.option("--remove", is_flag=True, help="Take the accounts out of it.")
@home_option
def group(name: str, logins: tuple[str, ...], remove: bool, home: Path) -> None:
    """Put the accounts LOGINS into the directory group NAME, which is made if there is none, and print its id. A team
    of an environment follows the group that its `azureactivedirectoryobjectid` names."""
    from strongroom.identity.conditional.tables import GROUP
    from strongroom.identity.directory import find, make
    from strongroom.identity.groups import add_member, remove_member
    from strongroom.identity.people import person_named

    with open_directory(opened(home)) as directory, directory.writing() as session:
        row = find(session.transaction, GROUP, name=name) or make(session, GROUP, {"name": name[:200]})
        for login in logins:
            person = person_named(session.transaction, login).reference()
            _ = remove_member(session, row, person) if remove else add_member(session, row, person)
    say(row.id)


@users.command(short_help="Let an account in again.")
@click.argument("login")
@home_option
def enable(login: str, home: Path) -> None:
    """Let the account LOGIN in again."""
    _set_enabled(home, login, enabled=True)


@users.command(short_help="Keep an account out; its sessions end.")
@click.argument("login")
@home_option
def disable(login: str, home: Path) -> None:
    """Keep the account LOGIN out. Its sessions, and tokens that hang on them, end with the next request."""
    _set_enabled(home, login, enabled=False)


@users.command(short_help="Lift the locks that failed attempts brought.")
@click.argument("login")
@home_option
def unlock(login: str, home: Path) -> None:
    """Lift the locks that failed attempts brought upon the account LOGIN."""
    from strongroom.identity.guard import unlock as lift

    with open_directory(opened(home)) as directory, directory.writing() as session:
        number = lift(session, login)
    say(f"{number} lifted.")


@users.command(name="require-mfa", short_help="Demand a second factor of an account.")
@click.argument("login")
@click.option("--off", is_flag=True, help="Demand none any more.")
@home_option
def require_mfa(login: str, off: bool, home: Path) -> None:
    """Demand a second factor of the account LOGIN; one that has none sets it up at the next sign-in. Its sessions
    end."""
    from strongroom.identity.directory import change
    from strongroom.identity.people import person_named
    from strongroom.identity.sessions import end_all

    with open_directory(opened(home)) as directory, directory.writing() as session:
        person = person_named(session.transaction, login)
        change(session, person, {"requiresmfa": not off})
        if not off:
            end_all(session, person)


@users.command("list", short_help="Show accounts.")
@home_option
@json_option
def list_users(home: Path, as_json: bool) -> None:
    """Show accounts: sign-in name, state, how they prove who they are, last sign-in."""
    from strongroom.identity.directory import find_all

    with open_directory(opened(home)) as directory, directory.reading() as transaction:
        rows = [_shown(directory, person) for person in find_all(transaction, "directoryuser")]
    head = ("SIGN-IN NAME", "NAME", "STATE", "FACTORS", "LAST SIGN-IN")
    if as_json:
        keys = [each.lower().replace(" ", "_").replace("-", "_") for each in head]
        print_json([dict(zip(keys, row, strict=True)) for row in rows])
    else:
        say(table(head, rows))


@click.group()
def sessions() -> None:
    """Where people are signed in."""


@sessions.command("list", short_help="Show open sessions.")
@click.option("--user", "login", metavar="LOGIN", help="Of this account only.")
@home_option
@json_option
def list_sessions(login: str | None, home: Path, as_json: bool) -> None:
    """Show open sessions: whose, from where, since when, by which factors."""
    from strongroom.identity.directory import find_all, text
    from strongroom.identity.people import person_named
    from strongroom.identity.sessions import is_live, of_person

    rows: list[tuple[str, ...]] = []
    with open_directory(opened(home)) as directory, directory.reading() as transaction:
        people = [person_named(transaction, login)] if login else find_all(transaction, "directoryuser")
        for person in people:
            for row in of_person(transaction, person):
                if is_live(row, directory.now()):
                    shown = [text(row, name) for name in ("name", "address", "createdon", "factors")]
                    rows.append((row.id, text(person, "userprincipalname"), *shown))
    head = ("SESSION", "USER", "DEVICE", "ADDRESS", "SINCE", "FACTORS")
    if as_json:
        print_json([dict(zip([each.lower() for each in head], row, strict=True)) for row in rows])
    else:
        say(table(head, rows))


@sessions.command(short_help="End a session, or all of a user.")
@click.argument("session_id", required=False)
@click.option("--user", "login", metavar="LOGIN", help="End every session of this account.")
@home_option
def end(session_id: str | None, login: str | None, home: Path) -> None:
    """End the session SESSION_ID, or every session of an account. Whatever hangs on it is refused from the next request
    on, in every process."""
    from strongroom.errors import InvalidRequest
    from strongroom.identity.people import person_named
    from strongroom.identity.sessions import end as end_one
    from strongroom.identity.sessions import end_all
    from strongroom.ids import parse_guid

    if (session_id is None) == (login is None):
        raise click.UsageError("Name either a session or, with --user, an account.")
    with open_directory(opened(home)) as directory, directory.writing() as session:
        if login is not None:
            say(f"{end_all(session, person_named(session.transaction, login))} ended.")
            return
        guid = parse_guid(session_id or "")
        row = None if guid is None else session.transaction.row(session.table("signinsession"), guid)
        if row is None:
            raise InvalidRequest("There is no such session; `strongroom sessions list` shows them.")
        end_one(session, row)
        say("1 ended.")


def _set_enabled(home: Path, login: str, *, enabled: bool) -> None:
    from strongroom.identity.people import person_named, set_enabled

    with open_directory(opened(home)) as directory, directory.writing() as session:
        set_enabled(session, person_named(session.transaction, login), enabled=enabled)


def _shown(directory: "Directory", person: "Row") -> tuple[str, str, str, str, str]:
    from strongroom.identity.directory import number, text
    from strongroom.identity.people import is_enabled, methods_of

    names = ("", "password", "app", "passkey", "recovery codes")
    with directory.reading() as transaction:
        kinds = sorted(number(method, "kind") for method in methods_of(transaction, person))
    return (
        text(person, "userprincipalname"),
        text(person, "name"),
        "enabled" if is_enabled(person) else "disabled",
        ", ".join(names[kind] for kind in kinds) or "none",
        text(person, "lastsigninon") or "never",
    )
