"""`strongroom environment`: the environments of a home, from making to destroying them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from strongroom.cli.operating import confirm_option, require_confirmed, run_operation
from strongroom.cli.options import home_option, json_option, opened
from strongroom.cli.output import print_json, say, table
from strongroom.cli.proofs import prove_encryption, prove_isolation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from strongroom.home import EnvironmentRecord, Home

_TYPES = ("production", "sandbox", "developer", "trial")


@click.group(short_help="Make, copy, close and delete environments.")
def environment() -> None:
    """The environments of a home. Each has a store, a key and a life of its own."""


environment.add_command(prove_isolation)
environment.add_command(prove_encryption)


@environment.command("list", short_help="Show the environments of a home.")
@home_option
@json_option
def list_environments(home: Path, as_json: bool) -> None:
    """Show type, state, engine, key version and last back-up of each environment."""
    opened_home = opened(home)
    rows = [_row(opened_home, record) for record in opened_home.environments()]
    head = ("NAME", "TYPE", "STATE", "ENGINE", "REGION", "KEY", "CUSTODY", "LAST BACK-UP", "ENDS ON")
    if as_json:
        names = [name.lower().replace("-", "").replace(" ", "") for name in head]
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        say(table(head, rows))


@environment.command(short_help="Make an environment.")
@click.argument("name")
@click.option("--type", "kind", type=click.Choice(_TYPES), default="sandbox", show_default=True, help="What it is for.")
@click.option("--region", metavar="R", help="One of the home's regions (setting regions).")
@click.option("--database", metavar="URL", help="Keep its rows in this PostgreSQL database instead of a file.")
@home_option
@json_option
def create(name: str, kind: str, region: str | None, database: str | None, home: Path, as_json: bool) -> None:
    """Make the environment NAME with the standard tables and the home's administrator."""
    _do(home, "create", {"name": name, "type": kind, "region": region}, as_json, f"'{name}' is ready.", database)


@environment.command(short_help="Make one environment as another one is.")
@click.argument("source")
@click.argument("target")
@click.option("--structure-only", is_flag=True, help="Tables, roles, teams, forms and users; no business rows.")
@click.option("--database", metavar="URL", help="For a new target in PostgreSQL: its database.")
@confirm_option
@home_option
@json_option
def copy(
    source: str, target: str, structure_only: bool, database: str | None, confirm: str | None, home: Path, as_json: bool
) -> None:
    """Make TARGET as SOURCE is now. A target that is not there is made, as a sandbox; one that is, must not be
    production. It gets a data key of its own and is in administration mode."""
    if any(record.name == target for record in opened(home).environments()):
        require_confirmed(target, confirm, f"This replaces all that is in '{target}'.")
    arguments = {"source": source, "target": target, "kind": "structure" if structure_only else "everything"}
    _do(home, "copy", arguments, as_json, f"'{target}' is as '{source}'; only administrators get in.", database)


@environment.command(short_help="Back to a fresh environment.")
@click.argument("name")
@confirm_option
@home_option
@json_option
def reset(name: str, confirm: str | None, home: Path, as_json: bool) -> None:
    """Make NAME a fresh environment again. What was there is in a last back-up. Not for production."""
    require_confirmed(name, confirm, f"This removes all that is in '{name}'.")
    _do(home, "reset", {"name": name}, as_json, f"'{name}' is fresh; only administrators get in.")


@environment.command(short_help="Let nobody in.")
@click.argument("name")
@click.option("--message", metavar="TEXT", help="What people are told.")
@home_option
def suspend(name: str, message: str | None, home: Path) -> None:
    """Let nobody into NAME: 503 for everybody, whoever they are. `open` ends it."""
    _do(home, "suspend", {"name": name, "message": message}, False, f"'{name}' is suspended.")


@environment.command(short_help="Let only administrators in.")
@click.argument("name")
@click.option("--message", metavar="TEXT", help="What people are told.")
@home_option
def administer(name: str, message: str | None, home: Path) -> None:
    """Let only System Administrators into NAME. `open` ends it."""
    _do(home, "administer", {"name": name, "message": message}, False, f"'{name}' is in administration mode.")


@environment.command("open", short_help="Let everybody in again.")
@click.argument("name")
@home_option
def open_to_all(name: str, home: Path) -> None:
    """End suspension and administration mode of NAME."""
    _do(home, "open", {"name": name}, False, f"'{name}' is open.")


@environment.command(short_help="Give an environment another type.")
@click.argument("name")
@click.option("--type", "kind", type=click.Choice(_TYPES[:3]), required=True, help="What it is for from now on.")
@home_option
def convert(name: str, kind: str, home: Path) -> None:
    """Give NAME another type. Nothing overwrites a production environment."""
    _do(home, "convert", {"name": name, "type": kind}, False, f"'{name}' is of the type {kind}.")


@environment.command(short_help="Note that an environment is in another region.")
@click.argument("name")
@click.argument("region")
@home_option
def move(name: str, region: str, home: Path) -> None:
    """Note that NAME belongs to REGION, one of the home's. Its files stay where they are."""
    _do(home, "move", {"name": name, "region": region}, False, f"'{name}' belongs to {region}.")


@environment.command(short_help="Put an environment under a legal hold, or lift it.")
@click.argument("name")
@click.option("--lift", is_flag=True, help="End the hold.")
@home_option
def hold(name: str, lift: bool, home: Path) -> None:
    """Let nothing overwrite or destroy NAME and its back-ups, until the hold is lifted."""
    _do(home, "release" if lift else "hold", {"name": name}, False, f"'{name}' is {'free' if lift else 'held'}.")


@environment.command(short_help="How long system back-ups are kept.")
@click.argument("name")
@click.argument("days", type=click.IntRange(7, 3650))
@home_option
def retain(name: str, days: int, home: Path) -> None:
    """Keep the system back-ups of NAME for DAYS. Usual are 28 for production, else 7."""
    _do(home, "retain", {"name": name, "days": str(days)}, False, f"Back-ups of '{name}' are kept for {days} days.")


@environment.command(short_help="Delete an environment; it can be had back for some days.")
@click.argument("name")
@click.option("--days", type=click.IntRange(7, 90), default=7, show_default=True, help="For how long.")
@confirm_option
@home_option
@json_option
def delete(name: str, days: int, confirm: str | None, home: Path, as_json: bool) -> None:
    """Make NAME unreachable at once. `recover` brings it back until the days are over."""
    require_confirmed(name, confirm, f"This deletes '{name}' (recoverable for {days} days).")
    _do(home, "delete", {"name": name, "days": str(days)}, as_json, f"'{name}' is deleted.")


@environment.command(short_help="Have a deleted environment back.")
@click.argument("name")
@home_option
def recover(name: str, home: Path) -> None:
    """Have the deleted NAME back, with its rows, trail and keys."""
    _do(home, "recover", {"name": name}, False, f"'{name}' is back.")


@environment.command(short_help="Destroy a deleted environment for good.")
@click.argument("name")
@click.option(
    "--certificate", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it here too."
)
@confirm_option
@home_option
@json_option
def purge(name: str, certificate: Path | None, confirm: str | None, home: Path, as_json: bool) -> None:
    """Destroy the deleted NAME: its keys first, then its store and its back-ups. Prints the signed certificate."""
    require_confirmed(name, confirm, f"This destroys '{name}' and its back-ups for good.")
    answer = run_operation(home, "purge", {"name": name})
    text = json.dumps(answer["certificate"], indent=2, ensure_ascii=False)
    if certificate is not None:
        with certificate.open("x", encoding="utf-8") as file:
            file.write(text + "\n")
    if as_json or certificate is None:
        say(text)
    else:
        say(f"'{name}' is destroyed. The certificate is {certificate}; `strongroom environment certificate` checks it.")


@environment.command(short_help="Check a certificate of deletion.")
@click.argument("file", type=click.Path(exists=True, path_type=Path, dir_okay=False))
@click.option("--public-key", metavar="KEY", help="What `strongroom audit key -e control` of the home printed.")
def certificate(file: Path, public_key: str | None) -> int:
    """Check the signature of the certificate of deletion in FILE, on any machine."""
    from strongroom.errors import InvalidRequest
    from strongroom.lifecycle.certificates import is_certificate

    try:
        document = json.loads(file.read_bytes())
    except ValueError:
        raise InvalidRequest(f"{file} is no JSON.") from None
    if not isinstance(document, dict) or not is_certificate(cast("dict[str, object]", document), public_key):
        say("This is NO valid certificate.")
        return 1
    say(f"Signed by {document['PublicKey']}{'' if public_key else ', which you compare with the key of the home'}.")
    return 0


def _do(
    home: Path, kind: str, arguments: "Mapping[str, str | None]", as_json: bool, told: str, database: str | None = None
) -> None:
    answer = run_operation(home, kind, arguments, database=database)
    if as_json:
        print_json(answer)
    else:
        say(told)


def _row(home: "Home", record: "EnvironmentRecord") -> tuple[str, ...]:
    from strongroom.clock import iso
    from strongroom.lifecycle.backups import Backups

    keys = home.keys.document.environments.get(record.id)
    lock = home.keys.customer.lock_of(record.id)
    backups = Backups(home).listed(record.id)
    return (
        record.name,
        "control" if record.kind.value == "control" else record.type.value,
        f"locked by {lock.name}" if lock else record.state.value,
        record.engine,
        record.region,
        str(keys.active.version) if keys else "",
        "+".join(keys.custody) if keys else "",
        backups[-1].taken_on if backups else "",
        iso(record.ends_on) if record.ends_on else "",
    )
