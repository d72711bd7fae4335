"""`strongroom providers` and `strongroom scim`: other authorities, and systems that keep the directory."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.directory import open_directory
from strongroom.cli.options import home_option, json_option, opened, session_in
from strongroom.cli.output import print_json, say, table

if TYPE_CHECKING:
    from strongroom.store.protocol import Row, Transaction, Value

_CONTROL, _ADMINISTRATOR = "control", "admin"
_MOST_DAYS = 730


@click.group()
def providers() -> None:
    """OpenID providers whose people may sign in here."""


@providers.command(short_help="List a provider.")
@click.argument("name")
@click.argument("issuer")
@click.argument("client_id")
@click.option("--creates-users", is_flag=True, help="Whoever it knows becomes a person here when they first come.")
@click.option("--guests", is_flag=True, help="These people are guests.")
@click.option("--trust-mfa", is_flag=True, help="A second factor shown there counts here.")
@click.option("--trust-device", is_flag=True, help="What it says of devices counts here.")
@click.option("--group-claim", metavar="C", help="The claim that names groups.")
@click.option("--scopes", metavar="S", help="Scopes to ask for; without it, openid profile email.")
@click.option("--ends-there", is_flag=True, help="Offer to sign out there too.")
@home_option
def add(
    name: str,
    issuer: str,
    client_id: str,
    creates_users: bool,
    guests: bool,
    trust_mfa: bool,
    trust_device: bool,
    group_claim: str | None,
    scopes: str | None,
    ends_there: bool,
    home: Path,
) -> None:
    """List the provider at ISSUER under NAME, which knows this home as CLIENT_ID, and print its id. Give it
    ORIGIN/sign-in/back/ID as the address for answers, and ORIGIN/sign-in/back-channel/ID for logout
    (ORIGIN/sign-in/front-channel/ID where it only knows the other kind).

    Its host must stand in the setting outbound.allow. A provider that wants a secret gets it by `strongroom providers
    secret`.
    """
    from strongroom.records import NewRecord, create

    values: dict[str, Value] = {
        "name": name,
        "issuer": issuer,
        "clientid": client_id,
        "createsusers": creates_users,
        "makesguests": guests,
        "trustmfa": trust_mfa,
        "trustdevice": trust_device,
        "groupclaim": group_claim,
        "scopes": scopes,
        "endsat": ends_there,
    }
    with session_in(home, _CONTROL, _ADMINISTRATOR, write=True) as session:
        say(create(session, session.table("identityprovider"), NewRecord(values)))


@providers.command(short_help="Keep the secret that a provider gave.")
@click.argument("name")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read it from standard input instead of asking for it.")
@home_option
def secret(name: str, from_stdin: bool, home: Path) -> None:
    """Keep the secret by which this home proves itself to the provider NAME, sealed in the key ring."""
    from strongroom.errors import InvalidRequest
    from strongroom.identity.federation.providers import keep_secret
    from strongroom.keys import Secret

    given = sys.stdin.readline().rstrip("\r\n") if from_stdin else click.prompt("Secret", hide_input=True)
    if not given:
        raise InvalidRequest("The secret is empty.")
    with open_directory(opened(home)) as directory, directory.writing() as session:
        keep_secret(session, _provider(session.transaction, name), Secret(given.encode()))


@providers.command(short_help="Let people come from a provider again.")
@click.argument("name")
@home_option
def enable(name: str, home: Path) -> None:
    """Let people come from the provider NAME again."""
    _set(home, name, is_disabled=False)


@providers.command(short_help="Let nobody come from a provider.")
@click.argument("name")
@home_option
def disable(name: str, home: Path) -> None:
    """Let nobody come from the provider NAME. Sessions that stand go on; `strongroom sessions end` ends them."""
    _set(home, name, is_disabled=True)


@providers.command(short_help="Let an account sign in by a provider too.")
@click.argument("name")
@click.argument("login")
@click.argument("subject")
@home_option
def link(name: str, login: str, subject: str, home: Path) -> None:
    """Let the account LOGIN sign in by the provider NAME, which knows it as SUBJECT (the claim `sub`)."""
    from strongroom.errors import Conflict
    from strongroom.identity.federation import persons
    from strongroom.identity.federation.providers import provider_of
    from strongroom.identity.people import person_named

    with open_directory(opened(home)) as directory, directory.writing() as session:
        provider = provider_of(_provider(session.transaction, name))
        if persons.person_of(session.transaction, provider, subject) is not None:
            raise Conflict("Somebody has this subject at the provider already.")
        persons.link(session, person_named(session.transaction, login), provider, subject)


@providers.command("list", short_help="Show providers.")
@home_option
@json_option
def list_providers(home: Path, as_json: bool) -> None:
    """Show providers: issuer, state, and what they are trusted with."""
    from strongroom.identity.directory import find_all, flag, text

    names = ("createsusers", "makesguests", "trustmfa", "trustdevice", "endsat")
    with open_directory(opened(home)) as directory, directory.reading() as transaction:
        rows = [
            (
                text(row, "name"),
                row.id,
                text(row, "issuer"),
                "disabled" if flag(row, "isdisabled") else "enabled",
                ", ".join(name for name in names if flag(row, name)),
            )
            for row in find_all(transaction, "identityprovider")
        ]
    _print(("NAME", "ID", "ISSUER", "STATE", "TRUSTED WITH"), rows, as_json=as_json)


@click.group(short_help="Systems that keep people and groups by SCIM.")
def scim() -> None:
    """Systems that keep people and groups of the directory by SCIM 2.0."""


@scim.command("add", short_help="Make a token for a system.")
@click.argument("name")
@click.option("--days", type=click.IntRange(1, _MOST_DAYS), default=182, show_default=True, help="How long it lives.")
@click.option("--provider", metavar="P", help="People that it brings sign in by this provider (externalId is `sub`).")
@home_option
def add_scim(name: str, days: int, provider: str | None, home: Path) -> None:
    """Make a token for the system NAME, and print it: once. The endpoint is ORIGIN/scim/v2."""
    from strongroom.identity.provisioning import endpoint

    with open_directory(opened(home)) as directory, directory.writing() as session:
        chosen = None if provider is None else _provider(session.transaction, provider).id
        made = endpoint.add(session, name, timedelta(days=days), chosen)
    say(made.token.reveal().decode())


@scim.command("remove", short_help="End the tokens of a system.")
@click.argument("name")
@home_option
def remove_scim(name: str, home: Path) -> None:
    """End the tokens of the system NAME, from the next request on."""
    from strongroom.errors import NotFound
    from strongroom.identity.directory import find_all
    from strongroom.identity.provisioning import endpoint

    with open_directory(opened(home)) as directory, directory.writing() as session:
        found = find_all(session.transaction, endpoint.TABLE, name=name, statecode=0)
        if not found:
            raise NotFound(f"No system '{name[:100]}' has a token; `strongroom scim list` shows them.")
        for row in found:
            endpoint.end(session, row)
    say(f"{len(found)} ended.")


@scim.command("list", short_help="Show systems that provision.")
@home_option
@json_option
def list_scim(home: Path, as_json: bool) -> None:
    """Show systems that provision, with the dates on which their tokens end."""
    from strongroom.identity.directory import find_all, text
    from strongroom.identity.provisioning.endpoint import TABLE

    with open_directory(opened(home)) as directory, directory.reading() as transaction:
        rows = [
            (text(row, "name"), text(row, "expireson"), text(row, "lastusedon") or "never")
            for row in find_all(transaction, TABLE, statecode=0)
        ]
    _print(("NAME", "ENDS", "LAST USED"), rows, as_json=as_json)


def _print(head: tuple[str, ...], rows: "list[tuple[str, ...]]", *, as_json: bool) -> None:
    if as_json:
        keys = [each.lower().replace(" ", "_") for each in head]
        print_json([dict(zip(keys, row, strict=True)) for row in rows])
    else:
        say(table(head, rows))


def _set(home: Path, name: str, *, is_disabled: bool) -> None:
    from strongroom.identity.directory import change

    with open_directory(opened(home)) as directory, directory.writing() as session:
        change(session, _provider(session.transaction, name), {"isdisabled": is_disabled})


def _provider(transaction: "Transaction", name: str) -> "Row":
    from strongroom.errors import NotFound
    from strongroom.identity.directory import find

    row = find(transaction, "identityprovider", name=name)
    if row is None:
        raise NotFound(f"There is no provider '{name[:100]}'; `strongroom providers list` shows them.")
    return row
