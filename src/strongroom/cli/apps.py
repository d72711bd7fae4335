"""`strongroom apps`: programs that may ask for tokens, and their credentials."""

from datetime import timedelta
from pathlib import Path

import click

from strongroom.cli.directory import in_environments, membership_options, open_directory
from strongroom.cli.options import home_option, json_option, opened
from strongroom.cli.output import print_json, say, table

_MOST_DAYS = 730


@click.group(short_help="Register programs that ask for tokens.")
def apps() -> None:
    """Register programs that ask for tokens, and keep their secrets and certificates."""


@apps.command(short_help="Register a program, and make it a user of environments.")
@click.argument("name")
@click.option("--client-id", metavar="ID", help="The client id; without it, a new one is made.")
@click.option(
    "--redirect", "redirects", multiple=True, metavar="URL", help="Address that may get codes; may be repeated."
)
@click.option("--public", is_flag=True, help="A program that can keep no secret, such as one on people's machines.")
@membership_options
@home_option
@json_option
def add(
    name: str,
    client_id: str | None,
    redirects: tuple[str, ...],
    public: bool,
    environments: tuple[str, ...],
    roles: tuple[str, ...],
    home: Path,
    as_json: bool,
) -> None:
    """Register a program under NAME, and print its client id.

    Unless it is public, it becomes an application user of the environments, with the roles that are given.
    """
    from strongroom.identity.applications import register
    from strongroom.identity.directory import text
    from strongroom.identity.membership import make_application_user
    from strongroom.ids import Guid

    opened_home = opened(home)
    with open_directory(opened_home) as directory, directory.writing() as session:
        row = register(session, name, redirects=redirects, is_public=public, client_id=client_id)
    client = Guid(text(row, "clientid"))
    users = (
        []
        if public
        else in_environments(
            opened_home,
            environments,
            lambda session: make_application_user(session, row.id, client, name.strip(), roles),
        )
    )
    if as_json:
        print_json({"clientid": client, "tenantid": opened_home.id, "environments": users})
    else:
        say(client)


@apps.command(short_help="Make a secret; it is shown once.")
@click.argument("client_id")
@click.option("--days", type=click.IntRange(1, _MOST_DAYS), default=182, show_default=True, help="How long it lives.")
@home_option
@json_option
def secret(client_id: str, days: int, home: Path, as_json: bool) -> None:
    """Make a secret for the program CLIENT_ID, and print it. It is kept as a hash and cannot be shown again.

    A program has two valid secrets at most: make the new one, put it in place, remove the old one.
    """
    from strongroom.identity.applications import add_secret, registration

    with open_directory(opened(home)) as directory, directory.writing() as session:
        made = add_secret(session, registration(session.transaction, client_id), timedelta(days=days))
    shown = made.secret.reveal().decode()
    if as_json:
        print_json({"credential": made.credential, "secret": shown, "expires_on": made.expires_on})
    else:
        say(shown)


@apps.command(short_help="Make a new secret; the present one goes on for some days.")
@click.argument("client_id")
@click.option(
    "--overlap", type=click.IntRange(0, 31), default=7, show_default=True, help="Days for which both are good."
)
@home_option
def rotate(client_id: str, overlap: int, home: Path) -> None:
    """Make a new secret for the program CLIENT_ID, and print it: once. The present one ends after the overlap."""
    from strongroom.identity.applications import registration, rotate_secret

    with open_directory(opened(home)) as directory, directory.writing() as session:
        made = rotate_secret(session, registration(session.transaction, client_id), timedelta(days=overlap))
    say(made.secret.reveal().decode())


@apps.command(short_help="Let a workload of another authority act as a program.")
@click.argument("client_id")
@click.argument("provider")
@click.argument("subject")
@click.option("--audience", default="", metavar="A", help="What its tokens are for; api://AzureADTokenExchange.")
@home_option
def federate(client_id: str, provider: str, subject: str, audience: str, home: Path) -> None:
    """Let the workload that the listed PROVIDER calls SUBJECT act as the program CLIENT_ID: its token stands in for
    a secret. Prints the id of the credential."""
    from strongroom.errors import NotFound
    from strongroom.identity.applications import add_federated, registration
    from strongroom.identity.directory import find

    with open_directory(opened(home)) as directory, directory.writing() as session:
        row = find(session.transaction, "identityprovider", name=provider)
        if row is None:
            raise NotFound(f"There is no provider '{provider[:100]}'; `strongroom providers list` shows them.")
        made = add_federated(session, registration(session.transaction, client_id), row, subject, audience)
    say(made.id)


@apps.command(short_help="Register a certificate that a program signs with.")
@click.argument("client_id")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@home_option
def certificate(client_id: str, file: Path, home: Path) -> None:
    """Register the certificate in FILE (PEM), with whose private key the program CLIENT_ID proves itself. Prints the
    credential's id."""
    from strongroom.identity.applications import add_certificate, registration

    with open_directory(opened(home)) as directory, directory.writing() as session:
        made = add_certificate(session, registration(session.transaction, client_id), file.read_bytes())
    say(made.id)


@apps.command(name="remove-credential", short_help="End a secret or certificate, with the tokens that it got.")
@click.argument("credential")
@home_option
def remove(credential: str, home: Path) -> None:
    """End the secret or certificate CREDENTIAL. Tokens that it got are refused from the next request on."""
    from strongroom.errors import InvalidRequest
    from strongroom.identity.applications import remove_credential
    from strongroom.ids import parse_guid

    guid = parse_guid(credential)
    if guid is None:
        raise InvalidRequest("Name the credential by its id; `strongroom apps list` shows it.")
    with open_directory(opened(home)) as directory, directory.writing() as session:
        remove_credential(session, guid)


@apps.command(short_help="Let a program in again.")
@click.argument("client_id")
@home_option
def enable(client_id: str, home: Path) -> None:
    """Let the program CLIENT_ID in again."""
    _set(home, client_id, is_enabled=True)


@apps.command(short_help="Keep a program out, with all its tokens.")
@click.argument("client_id")
@home_option
def disable(client_id: str, home: Path) -> None:
    """Keep the program CLIENT_ID out, with all its tokens, from the next request on."""
    _set(home, client_id, is_enabled=False)


def _set(home: Path, client_id: str, *, is_enabled: bool) -> None:
    from strongroom.identity.applications import registration, set_enabled

    with open_directory(opened(home)) as directory, directory.writing() as session:
        set_enabled(session, registration(session.transaction, client_id), is_enabled=is_enabled)


@apps.command("list", short_help="Show programs and their credentials.")
@home_option
@json_option
def list_apps(home: Path, as_json: bool) -> None:
    """Show programs and their credentials, with the dates on which these end."""
    from strongroom.clock import iso
    from strongroom.identity.applications import credentials, is_usable, is_valid
    from strongroom.identity.directory import find_all, number, text

    rows: list[tuple[str, str, str, str, str, str, str]] = []
    with open_directory(opened(home)) as directory, directory.reading() as transaction:
        now = iso(directory.now())
        for program in find_all(transaction, "applicationregistration"):
            state = "enabled" if is_usable(program) else "disabled"
            rows.append((text(program, "name"), text(program, "clientid"), "application", "", "", "", state))
            for each in credentials(transaction, program):
                kind = ("secret", "certificate", "federated")[number(each, "kind") - 1]
                state = "valid" if is_valid(each, now) else "ended"
                ends, used = text(each, "expireson"), text(each, "lastusedon")
                rows.append((text(each, "name"), text(program, "clientid"), kind, each.id, ends, used, state))
    head = ("NAME", "CLIENT ID", "KIND", "CREDENTIAL", "ENDS", "LAST USED", "STATE")
    if as_json:
        keys = [each.lower().replace(" ", "_") for each in head]
        print_json([dict(zip(keys, row, strict=True)) for row in rows])
    else:
        say(table(head, rows))
