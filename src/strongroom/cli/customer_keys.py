"""`strongroom keys customer`: keys that the customer holds, and may take away."""

from pathlib import Path
from typing import cast

import click

from strongroom.cli.operating import run_operation
from strongroom.cli.options import environment_option, home_option, json_option, opened
from strongroom.cli.output import print_json, say, table


@click.group(short_help="Keys that the customer holds.")
def customer() -> None:
    """Keys that the customer holds with a provider: a file, an HSM (PKCS#11), AWS KMS, HashiCorp Vault.

    An environment under such a key does not open without it, whoever has the home.
    """


@customer.command("list", short_help="Show the keys, and what their providers say.")
@home_option
@json_option
def list_keys(home: Path, as_json: bool) -> int:
    """Show each key, the environments that it guards, and what its provider says now.

    Exits with 1 when a key cannot be used.
    """
    from strongroom.lifecycle.custody import states

    found = states(opened(home))
    head = ("NAME", "VERSION", "STATE", "ENVIRONMENTS", "PROVIDER SAYS", "ADDRESS")
    rows = [
        (
            key.name,
            str(key.version),
            "revoked" if key.revoked_on else "active",
            " ".join(names),
            state.detail if state.is_enabled else f"NOT USABLE: {state.detail}",
            key.provider,
        )
        for key, state, names in found
    ]
    if as_json:
        names = ("name", "version", "state", "environments", "says", "address")
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        say(table(head, rows))
    return 0 if all(state.is_enabled and key.revoked_on is None for key, state, _ in found) else 1


@customer.command("make-file", short_help="Make a key file.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def make_file(file: Path) -> None:
    """Put a new key into FILE, which must not be there, readable by its owner only. Keep a copy elsewhere: nothing
    opens without it."""
    from strongroom.keys.providers.files import make

    make(file)
    say(f"{file} holds a new key. Its address is file:{file.absolute()}")


@customer.command(short_help="Make a key known to the home.")
@click.argument("name")
@click.argument("address")
@click.option("--unprotected", is_flag=True, help="Take it although its provider lets it be read out or deleted.")
@home_option
def add(name: str, address: str, unprotected: bool, home: Path) -> None:
    """Make the key at ADDRESS known under NAME. Nothing is under it yet.

    file:PATH · pkcs11:MODULE?token=T&key=K&pin=env:NAME · aws-kms:KEY?region=R&endpoint=URL ·
    vault-transit:KEY?address=URL&token=env:NAME
    """
    arguments = {"key": name, "address": address, "unprotected": "yes" if unprotected else None}
    run_operation(home, "add-key", arguments)
    say(f"The home knows the key '{name}'.")


@customer.command(short_help="Put an environment under keys.")
@click.argument("keys", metavar="KEYS", nargs=-1)
@home_option
@environment_option
def assign(keys: tuple[str, ...], home: Path, environment: str | None) -> None:
    """Put an environment under KEYS: one, or two of which both are needed. Without any it is under the home's own key
    alone again."""
    name = environment or opened(home).default_environment().name
    run_operation(home, "assign-key", {"name": name, "keys": ",".join(keys)})
    say(f"'{name}' is under {' and '.join(keys) or 'the key of the home alone'}.")


@customer.command(short_help="Put everything under the next version of a key.")
@click.argument("name")
@click.option("--address", metavar="ADDRESS", help="Where the next version is; without it, the provider makes one.")
@home_option
def rotate(name: str, address: str | None, home: Path) -> None:
    """Put everything that is under NAME under its next version. No store is encrypted anew, and nothing stops."""
    answer = run_operation(home, "rotate-key", {"key": name, "address": address})
    say(f"'{name}' has the version {answer['version']}.")


@customer.command(short_help="Lock everything that is under a key.")
@click.argument("name")
@click.option("--reason", metavar="TEXT", help="Why; operators see it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
def revoke(name: str, reason: str | None, yes: bool, home: Path) -> None:
    """Lock every environment that is under NAME: running requests end, and no process keeps what opens it."""
    if not yes:
        click.confirm(f"Lock everything that is under '{name}'?", abort=True)
    answer = run_operation(home, "revoke-key", {"key": name, "reason": reason})
    locked = cast("list[str]", answer["environments"])
    say(f"Locked: {', '.join(locked) or 'nothing was under it'}.")


@customer.command(short_help="Give access to a key back.")
@click.argument("name")
@home_option
def restore(name: str, home: Path) -> None:
    """Open what was locked by revoking NAME. Its provider must have the original key."""
    answer = run_operation(home, "restore-key", {"key": name})
    opens = cast("list[str]", answer["environments"])
    say(f"Open again: {', '.join(opens) or 'nothing was under it'}.")


@customer.command(short_help="Forget a key that guards nothing.")
@click.argument("name")
@home_option
def remove(name: str, home: Path) -> None:
    """Forget the key NAME, under which nothing may be."""
    run_operation(home, "remove-key", {"key": name})
    say(f"The home knows no key '{name}' any more.")
