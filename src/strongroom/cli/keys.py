"""`strongroom keys`: list, rotate and change the keys of a home."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.column_keys import columns
from strongroom.cli.customer_keys import customer
from strongroom.cli.key_backup import backup, restore
from strongroom.cli.options import environment_option, home_option, json_option, opened
from strongroom.cli.output import print_json, say, table

if TYPE_CHECKING:
    from strongroom.home import Home


@click.group()
def keys() -> None:
    """List, rotate and change the keys of a home. No command ever prints a key."""


keys.add_command(columns)
keys.add_command(customer)
keys.add_command(backup)
keys.add_command(restore)


@keys.command("list", short_help="Show which keys there are.")
@home_option
@json_option
def list_keys(home: Path, as_json: bool) -> None:
    """Show which keys there are: ids, versions and dates."""
    opened_home = opened(home)
    rows = _listed(opened_home)
    if as_json:
        print_json([dict(zip(("kind", "of", "id", "version", "created", "state"), row, strict=True)) for row in rows])
    else:
        say(table(("KIND", "OF", "ID", "VERSION", "CREATED", "STATE"), rows))


@keys.command(short_help="Change the root key, or the key that signs tokens.")
@home_option
@click.option("--signing", is_flag=True, help="Sign new tokens with a new key instead; old tokens stay valid.")
@click.option("--revoke", is_flag=True, help="With --signing: end all tokens that were made before.")
@click.option(
    "--new-key-provider",
    metavar="PROVIDER",
    help="Where the new root key is kept or its passphrase read: file:PATH, env:NAME, fd:NUMBER or credential:NAME.",
)
def rotate(home: Path, signing: bool, revoke: bool, new_key_provider: str | None) -> None:
    """Wrap all keys under a new root key (seconds, also beside a running server), or make a new signing key.

    Losing power at any moment leaves the home under the old key or under the new one.
    """
    from strongroom.keys import parse_source

    if revoke and not signing:
        raise click.UsageError("--revoke goes with --signing.")
    if signing and new_key_provider:
        raise click.UsageError("--new-key-provider is for the root key; leave out --signing.")
    opened_home = opened(home)
    source = parse_source(new_key_provider) if new_key_provider else None
    tell_act(opened_home, "rotate", key="signing" if signing else "root", revoked=revoke)
    if signing:
        key_id = opened_home.keys.rotate_signing_key(opened_home.clock, revoke=revoke)
        say(f"Tokens are signed with the new key {key_id} now.{' All older tokens have ended.' if revoke else ''}")
    else:
        key_id = opened_home.keys.rotate(source)
        say(f"All keys are wrapped by the new root key {key_id} now. The old one opens nothing but older backups.")


@keys.command(short_help="Encrypt an environment under a new data key.")
@home_option
@environment_option
def rekey(home: Path, environment: str | None) -> None:
    """Encrypt an environment anew under a new data key. Stop the server first.

    Takes about as long as copying the file. Losing power at any moment loses nothing: the environment opens with
    whichever key fits.
    """
    opened_home = opened(home)
    record = opened_home.environment(environment) if environment else opened_home.default_environment()
    tell_act(opened_home, "rekey", key="data", environment=record.name)
    _rekey(opened_home, record.name)
    version = opened_home.keys.document.environments[record.id].active.version
    say(f"The environment '{record.name}' is encrypted under a new data key (version {version}).")


def tell_act(home: "Home", action: str, **details: str | bool) -> None:
    """Tell the control environment of an act on keys, before it: where that cannot be told, nothing is done."""
    from strongroom.audit.activities import Activity
    from strongroom.cli.telling import tell_command
    from strongroom.home.registry import CONTROL
    from strongroom.opening import open_environment

    if all(record.name != CONTROL for record in home.environments()):
        return  # a home in the making
    control = open_environment(home, CONTROL)
    try:
        tell_command(control, Activity.KEY_ACTION, f"keys {action}", **details)
    finally:
        control.close()


def _rekey(home: "Home", name: str) -> None:
    from strongroom.errors import InvalidRequest
    from strongroom.keys import Secret
    from strongroom.store import sqlcipher_file

    record = home.environment(name)
    if record.engine != "sqlcipher":
        raise InvalidRequest(
            f"The environment '{name}' lies in PostgreSQL, whose files Strongroom does not encrypt: there is no data "
            "key to change."
        )
    path = home.database_file(record)

    def opens(key: Secret) -> Secret:
        sqlcipher_file.require_usable(path, key.reveal())
        return key

    old = home.keys.open_environment(record.id, opens)
    home.keys.rekey(record.id, lambda new: sqlcipher_file.rekey(path, old.reveal(), new.reveal()), home.clock)


def _listed(home: "Home") -> list[tuple[str, str, str, str, str, str]]:
    from strongroom.clock import iso

    document = home.keys.document
    names = {record.id: record.name for record in home.environments()}
    rows = [("root", str(document.root.source), document.root.id, "", "", "in use")]
    for environment, found in document.environments.items():
        for key, state in ((found.active, "in use"), (found.pending, "pending")):
            if key is not None:
                name = names.get(environment, environment)
                rows.append(("data", name, key.id, str(key.version), iso(key.created_on), state))
    for key in document.signing:
        state = "in use" if key.retired_on is None else f"verifies only, since {iso(key.retired_on)}"
        rows.append(("signing", "tokens", key.id, "", iso(key.created_on), state))
    return rows
