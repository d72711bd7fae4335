"""`strongroom vault`: secrets of programs."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from strongroom.cli.credential_guard import guard
from strongroom.cli.options import home_option, json_option, session_in
from strongroom.cli.output import print_json, say, table
from strongroom.cli.vault_certificates import certificate

if TYPE_CHECKING:
    from strongroom.estate.vault import Asker
    from strongroom.records import Session

CONTROL = "control"
_C = TypeVar("_C", bound=Callable[..., object])


def _user_option(command: _C) -> _C:
    return click.option("--user", default="admin", show_default=True, metavar="NAME", help="Who: a name or id.")(
        command
    )


@click.group(short_help="Secrets of programs: set, get, rotate, and who may.")
def vault() -> None:
    """Vaults hold secrets, in versions, for those whom a policy lets. Every use is written down."""


@vault.command(short_help="Make a vault.")
@click.argument("name")
@click.option("--purge-protection", is_flag=True, help="Nothing deleted is destroyed before its 90 days are over.")
@_user_option
@home_option
def create(name: str, purge_protection: bool, user: str, home: Path) -> None:
    """Make the vault NAME. Whoever makes it may do everything in it."""
    from strongroom.estate import vault as vaults
    from strongroom.records.authorize import demand_privilege
    from strongroom.schema.model import Rights

    with session_in(home, CONTROL, user, write=True) as session:
        demand_privilege(session, session.table("keyvault"), Rights.CREATE)
        vaults.create_vault(session, name, asker_of(session), is_purge_protected=purge_protection)
    say(f"The vault '{name}' is there.")


@vault.command("set", short_help="Store a new version of a secret.")
@click.argument("vault_name", metavar="VAULT")
@click.argument("name")
@click.option("--expires-on", metavar="TIME", help="Not readable from then on, such as 2027-01-01T00:00:00Z.")
@_user_option
@home_option
def set_(vault_name: str, name: str, expires_on: str | None, user: str, home: Path) -> None:
    """Store what standard input holds as a new version of the secret NAME in VAULT, without its last line end."""
    from strongroom.estate.vault import set_secret
    from strongroom.keys import Secret

    value = Secret(sys.stdin.buffer.read().removesuffix(b"\n"))
    with session_in(home, CONTROL, user, write=True) as session:
        version = set_secret(session, vault_name, name, value, asker_of(session), expires_on=expires_on)
    say(f"'{name}' has the version {version}.")


@vault.command(short_help="Print a secret.")
@click.argument("vault_name", metavar="VAULT")
@click.argument("name")
@click.option("--version", type=click.IntRange(1), metavar="N", help="Another version than the current one.")
@_user_option
@home_option
def get(vault_name: str, name: str, version: int | None, user: str, home: Path) -> None:
    """Print the value of the secret NAME in VAULT on standard output, nothing else. The use is written down."""
    from strongroom.estate.vault import get_secret

    with session_in(home, CONTROL, user, write=True) as session:
        found = get_secret(session, vault_name, name, asker_of(session), version)
    click.echo(found.value.reveal())


@vault.command("list", short_help="Show what is in the vaults.")
@_user_option
@home_option
@json_option
def list_items(user: str, home: Path, as_json: bool) -> None:
    """Show the items of all vaults, without their values."""
    from strongroom.records.authorize import demand_privilege
    from strongroom.schema.model import Rights

    with session_in(home, CONTROL, user, write=False) as session:
        demand_privilege(session, session.table("vaultsecret"), Rights.READ)
        vaults = session.transaction.rows_where(session.table("keyvault"), {})
        names = {row.reference(): str(row.values["name"]) for row in vaults}
        found = session.transaction.rows_where(session.table("vaultsecret"), {})
    kinds = {1: "secret", 2: "key", 3: "certificate"}
    rows = [
        (
            next((name for reference, name in names.items() if reference == row.values["keyvaultid"]), ""),
            str(row.values["name"]),
            kinds.get(int(str(row.values["kind"])), ""),
            str(row.values["currentversion"]),
            str(row.values["expireson"] or ""),
            "deleted" if row.values["deletedon"] else "",
        )
        for row in found
    ]
    if as_json:
        print_json(
            [dict(zip(("vault", "name", "kind", "version", "expires", "state"), row, strict=True)) for row in rows]
        )
    else:
        say(table(("VAULT", "NAME", "KIND", "VERSION", "EXPIRES", ""), rows))


@vault.command(short_help="Give a secret a new, generated value.")
@click.argument("vault_name", metavar="VAULT")
@click.argument("name")
@_user_option
@home_option
def rotate(vault_name: str, name: str, user: str, home: Path) -> None:
    """Give the secret NAME in VAULT a generated value. Programs have it when they ask the next time."""
    from strongroom.estate.vault import rotate_secret

    with session_in(home, CONTROL, user, write=True) as session:
        version = rotate_secret(session, vault_name, name, asker_of(session))
    say(f"'{name}' has the version {version}.")


@vault.command(short_help="Let somebody use a vault or an item.")
@click.argument("vault_name", metavar="VAULT")
@click.argument("principal")
@click.argument("rights")
@click.option("--item", metavar="NAME", help="One item instead of all.")
@_user_option
@home_option
def access(vault_name: str, principal: str, rights: str, item: str | None, user: str, home: Path) -> None:
    """Give PRINCIPAL, a sign-in name or extension:NAME, RIGHTS such as get,list on VAULT."""
    from strongroom.estate.vault import give, vault_named
    from strongroom.records.authorize import demand_privilege
    from strongroom.schema.model import Rights

    with session_in(home, CONTROL, user, write=True) as session:
        demand_privilege(session, session.table("vaultaccesspolicy"), Rights.CREATE)
        give(session, vault_named(session, vault_name), principal, rights, item or "")
    say(f"{principal} may {rights} in '{vault_name}'.")


@vault.command(short_help="Take an item away; it can be recovered.")
@click.argument("vault_name", metavar="VAULT")
@click.argument("name")
@_user_option
@home_option
def delete(vault_name: str, name: str, user: str, home: Path) -> None:
    """Take the item NAME in VAULT away. `recover` has it back within 90 days."""
    from strongroom.estate.vault import delete_item

    with session_in(home, CONTROL, user, write=True) as session:
        delete_item(session, vault_name, name, asker_of(session))
    say(f"'{name}' is deleted; `strongroom vault recover {vault_name} {name}` has it back.")


@vault.command(short_help="Have a deleted item back.")
@click.argument("vault_name", metavar="VAULT")
@click.argument("name")
@_user_option
@home_option
def recover(vault_name: str, name: str, user: str, home: Path) -> None:
    """Have the deleted item NAME in VAULT back, with its versions."""
    from strongroom.estate.vault import recover_item

    with session_in(home, CONTROL, user, write=True) as session:
        recover_item(session, vault_name, name, asker_of(session))
    say(f"'{name}' is back.")


@vault.command(short_help="Destroy a deleted item for good.")
@click.argument("vault_name", metavar="VAULT")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_user_option
@home_option
def purge(vault_name: str, name: str, yes: bool, user: str, home: Path) -> None:
    """Destroy the deleted item NAME in VAULT for good."""
    from strongroom.estate.vault import purge_item

    if not yes:
        click.confirm(f"Destroy '{name}' for good?", abort=True)
    with session_in(home, CONTROL, user, write=True) as session:
        purge_item(session, vault_name, name, asker_of(session))
    say(f"'{name}' is destroyed.")


vault.add_command(guard)
vault.add_command(certificate)


def asker_of(session: "Session") -> "Asker":
    """Who uses a vault: the session's user by their sign-in name."""
    from strongroom.estate.vault import Asker

    row = session.transaction.row(session.table("systemuser"), session.caller.id)
    return Asker(str(row.values.get("domainname")) if row else str(session.caller.id))
