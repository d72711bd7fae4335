"""`strongroom audit witness` and `audit anchor`: who keeps heads of the trail, and giving them the newest one."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.options import environment_option, home_option, json_option, opened, session_in
from strongroom.cli.output import print_json, say, table

if TYPE_CHECKING:
    from strongroom.anchoring import Outcome
    from strongroom.store.protocol import Value

_KINDS = {"webhook": 1, "environment": 2, "home": 3}
_user_option = click.option("--user", default="admin", show_default=True, metavar="U", help="Who: a name or id.")


@click.group(short_help="Who keeps heads of the trail.")
def witness() -> None:
    """Witnesses of the trail: webhooks, other environments and other homes that keep its signed heads.

    A file gets them too where the setting auditanchor.path names a folder.
    """


@witness.command("list", short_help="List witnesses, and how far each has come.")
@_user_option
@home_option
@environment_option
@json_option
def list_(user: str, home: Path, environment: str | None, as_json: bool) -> int:
    """List witnesses with the head that each keeps and what it said last. Exits with 1 when one disagrees."""
    from strongroom.identity.directory import find
    from strongroom.monitoring.witness_tables import ANCHOR, KINDS, WITNESS
    from strongroom.monitoring.witnesses import shown_anchor, witnesses_of
    from strongroom.records.authorize import demand_privilege
    from strongroom.schema.model import Rights

    has_file = bool(opened(home).settings.auditanchor.path)
    with session_in(home, environment, user, write=False) as session:
        demand_privilege(session, session.table(WITNESS), Rights.READ)
        rows: list[dict[str, object]] = [
            {
                "name": each.name,
                "kind": "File" if each.kind is None else KINDS[each.kind.value - 1],
                **shown_anchor(find(session.transaction, ANCHOR, name=each.name)),
            }
            for each in witnesses_of(session.transaction, has_file=has_file)
        ]
    if as_json:
        print_json(rows)
    elif rows:
        head = ("name", "kind", "outcome", "leaves", "kept_on", "error")
        say(table(head, [["-" if row[name] is None else row[name] for name in head] for row in rows]))
    else:
        say("No witnesses but the folder 'witness' of the home.")
    return 1 if any(row["outcome"] == "Disagrees" for row in rows) else 0


@witness.command(short_help="Add a witness.")
@click.argument("name")
@click.option("--kind", type=click.Choice(tuple(_KINDS)), required=True, help="Who it is.")
@click.option("--address", required=True, metavar="A", help="https://host[/e/NAME], or the name of an environment.")
@click.option("--client-id", metavar="ID", help="For another home: the application that it knows.")
@click.option(
    "--certificates",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PEM",
    help="Certificates to trust instead of the machine's.",
)
@_user_option
@home_option
@environment_option
def add(
    name: str,
    kind: str,
    address: str,
    client_id: str | None,
    certificates: Path | None,
    user: str,
    home: Path,
    environment: str | None,
) -> None:
    """Add the witness NAME, switched on: it gets the newest head from now on, every ten minutes.

    Webhooks and other homes must be listed in the setting outbound.allow.
    """
    from strongroom.errors import InvalidRequest
    from strongroom.monitoring.witness_tables import WITNESS
    from strongroom.records import NewRecord, create

    if kind == "environment":
        found = opened(home)
        own = environment or found.default_environment().name
        if found.environment(address).name == own:
            raise InvalidRequest("An environment is no witness of its own trail.")
    values: dict[str, Value] = {
        "name": name,
        "kind": _KINDS[kind],
        "address": address,
        "clientid": client_id,
        "certificates": None if certificates is None else certificates.read_text(),
        "isenabled": True,
    }
    with session_in(home, environment, user, write=True) as session:
        create(session, session.table(WITNESS), NewRecord(values))
    say(f"{name}: added. `strongroom audit anchor` gives it the newest head now.")


@witness.command(short_help="Remove a witness.")
@click.argument("name")
@_user_option
@home_option
@environment_option
def remove(name: str, user: str, home: Path, environment: str | None) -> None:
    """Remove the witness NAME. What it keeps stays with it."""
    from strongroom.errors import InvalidRequest
    from strongroom.identity.directory import find
    from strongroom.monitoring.witness_tables import WITNESS
    from strongroom.records import delete

    with session_in(home, environment, user, write=True) as session:
        row = find(session.transaction, WITNESS, name=name)
        if row is None:
            raise InvalidRequest(f"There is no witness '{name}'; `strongroom audit witness list` shows them.")
        delete(session, row.table, row.id)
    say(f"{name}: removed")


@witness.command(short_help="Set the secret of the application at another home.")
@click.argument("name")
@home_option
@environment_option
def secret(name: str, home: Path, environment: str | None) -> None:
    """Read the secret for the witness NAME, another home, from standard input, and keep it in the key ring."""
    from strongroom.anchoring import credential_name
    from strongroom.errors import InvalidRequest
    from strongroom.keys import Secret
    from strongroom.opening import open_environment

    text = sys.stdin.readline().rstrip("\n")
    if not text:
        raise InvalidRequest("The secret is read from standard input, which was empty.")
    found = opened(home)
    live = open_environment(found, environment)
    try:
        found.keys.seal(credential_name(live, name), Secret(text.encode()))
    finally:
        live.close()
    say("The secret is kept.")


@witness.command("key", short_help="Print what a webhook is signed by.")
@click.argument("name")
@home_option
@environment_option
def signed_by(name: str, home: Path, environment: str | None) -> None:
    """Print the secret by which the receiver of the webhook NAME checks heads: HMAC-SHA-256 over the header
    X-Strongroom-Timestamp, a full stop and the body."""
    from strongroom.anchoring import witness_signature
    from strongroom.opening import open_environment

    found = opened(home)
    live = open_environment(found, environment)
    try:
        say(witness_signature(found, live, name).reveal().decode())
    finally:
        live.close()


@witness.command(short_help="Let another log of an environment begin here.")
@click.argument("id_", metavar="ENVIRONMENT_ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why: a restore with permission.")
@_user_option
@home_option
@environment_option
def anew(id_: str, reason: str, user: str, home: Path, environment: str | None) -> None:
    """Say, where this environment is the witness, that the log of ENVIRONMENT_ID goes on another way. What was kept
    stays."""
    from strongroom.errors import InvalidRequest
    from strongroom.ids import parse_guid
    from strongroom.monitoring.deposits import begin_anew

    about = parse_guid(id_)
    if about is None:
        raise InvalidRequest(f"'{id_[:60]}' is no id of an environment.")
    with session_in(home, environment, user, write=True) as session:
        begin_anew(session, about, reason)
    say("Another log may begin; what was kept stays.")


@click.command(short_help="Give the newest head to all witnesses.")
@home_option
@environment_option
@json_option
def anchor(home: Path, environment: str | None, as_json: bool) -> int:
    """Seal what is committed, and give the newest head to all witnesses now. Exits with 1 when one disagrees or could
    not be reached."""
    from strongroom.anchoring import sealed_and_anchored
    from strongroom.opening import open_environment

    found = opened(home)
    live = open_environment(found, environment)
    try:
        outcomes = sealed_and_anchored(found, live)
    finally:
        live.close()
    if as_json:
        print_json(
            [{"witness": each.witness, "problem": each.problem, "disagrees": each.disagrees} for each in outcomes]
        )
    elif outcomes:
        say("\n".join(_told(each) for each in outcomes))
    else:
        say("No witnesses: `strongroom audit witness add`, or the setting auditanchor.path.")
    return 1 if any(each.problem for each in outcomes) else 0


def _told(outcome: "Outcome") -> str:
    if outcome.problem is None:
        return f"{outcome.witness}: keeps the newest head"
    return f"{outcome.witness}: {'DISAGREES: ' if outcome.disagrees else ''}{outcome.problem}"
