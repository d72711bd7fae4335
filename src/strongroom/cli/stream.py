"""`strongroom audit stream`: where events of the trail are sent."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.options import environment_option, home_option, json_option, opened, session_in
from strongroom.cli.output import print_json, say, table

if TYPE_CHECKING:
    from strongroom.environment import Environment
    from strongroom.home import Home
    from strongroom.monitoring.stream import Stream
    from strongroom.store.protocol import Row, Value

_KINDS = {"file": 1, "webhook": 2, "syslog-tcp": 3, "syslog-tls": 4}
_FORMATS = {"ocsf": 1, "cef": 2, "plain": 3}
_user_option = click.option("--user", default="admin", show_default=True, metavar="U", help="Who: a name or id.")


@click.group(short_help="Send the trail to other systems.")
def stream() -> None:
    """Destinations of the trail's events: files, webhooks and syslog."""


@stream.command("list", short_help="List destinations and how far behind each is.")
@_user_option
@home_option
@environment_option
@json_option
def list_(user: str, home: Path, environment: str | None, as_json: bool) -> None:
    """List destinations: what waits for each, what it has got, and why it fails."""
    from dataclasses import asdict

    from strongroom.identity.directory import flag, number, text
    from strongroom.monitoring.stream import lags
    from strongroom.monitoring.tables import DESTINATION, FORMATS, KINDS
    from strongroom.records.authorize import demand_privilege
    from strongroom.schema.model import Rights

    with session_in(home, environment, user, write=False) as session:
        described = session.table(DESTINATION)
        demand_privilege(session, described, Rights.READ)
        rows = session.transaction.rows_where(described, {})
        known = {lag.name: lag for lag in lags(session.transaction)}
    shown: list[dict[str, object]] = []
    for row in rows:
        lag = known.get(text(row, "name"))
        shown.append(
            {
                "name": text(row, "name"),
                "on": "on" if flag(row, "isenabled") else "off",
                "kind": KINDS[(number(row, "kind") or 1) - 1],
                "format": FORMATS[(number(row, "format") or 1) - 1],
                "address": text(row, "address"),
                **(
                    asdict(lag)
                    if lag is not None
                    else {"waiting": 0, "delivered": 0, "delivered_on": "", "failures": 0, "error": ""}
                ),
            }
        )
    if as_json:
        print_json(shown)
    elif shown:
        head = ("name", "on", "kind", "format", "waiting", "delivered", "delivered_on", "error")
        say(table(head, [[row[name] for name in head] for row in shown]))
    else:
        say("No destinations.")


@stream.command(short_help="Add a destination.")
@click.argument("name")
@click.option("--kind", type=click.Choice(tuple(_KINDS)), required=True, help="How events go there.")
@click.option("--format", "form", type=click.Choice(tuple(_FORMATS)), default="ocsf", show_default=True, help="Form.")
@click.option("--address", metavar="URL", help="https://…, tcp://host:port or tls://host:port; none for a file.")
@click.option(
    "--certificates",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PEM",
    help="Certificates to trust instead of the machine's.",
)
@click.option("--drop-personal", is_flag=True, help="Leave out addresses, programs, queries and details; keep ids.")
@_user_option
@home_option
@environment_option
def add(
    name: str,
    kind: str,
    form: str,
    address: str | None,
    certificates: Path | None,
    drop_personal: bool,
    user: str,
    home: Path,
    environment: str | None,
) -> None:
    """Add the destination NAME, switched on. It gets what is written to the trail from now on.

    Webhooks and syslog go only to endpoints that the setting outbound.allow lists.
    """
    from strongroom.monitoring.tables import DESTINATION
    from strongroom.records import NewRecord, create

    values: dict[str, Value] = {
        "name": name,
        "kind": _KINDS[kind],
        "format": _FORMATS[form],
        "address": address,
        "certificates": None if certificates is None else certificates.read_text(),
        "dropspersonal": drop_personal,
        "isenabled": True,
    }
    with session_in(home, environment, user, write=True) as session:
        create(session, session.table(DESTINATION), NewRecord(values))
    say(f"{name}: added. A running server begins within a second; `strongroom audit stream test {name}` tries it.")


@stream.command(short_help="Switch a destination on or off.")
@click.argument("name")
@click.argument("state", type=click.Choice(("on", "off")))
@_user_option
@home_option
@environment_option
def switch(name: str, state: str, user: str, home: Path, environment: str | None) -> None:
    """Switch the destination NAME on|off. What is written while it is off waits in the trail."""
    from strongroom.records import update

    with _opened(home, environment) as found:
        identity = found.row(name).id
    with session_in(home, environment, user, write=True) as session:
        update(session, session.table("siemdestination"), identity, {"isenabled": state == "on"})
    say(f"{name}: {state}")


@stream.command(short_help="Remove a destination.")
@click.argument("name")
@_user_option
@home_option
@environment_option
def remove(name: str, user: str, home: Path, environment: str | None) -> None:
    """Remove the destination NAME and its place in the log."""
    from strongroom.records import delete

    with _opened(home, environment) as found:
        identity = found.row(name).id
    with session_in(home, environment, user, write=True) as session:
        delete(session, session.table("siemdestination"), identity)
    say(f"{name}: removed")


@stream.command(short_help="Send a test event.")
@click.argument("name")
@home_option
@environment_option
def test(name: str, home: Path, environment: str | None) -> int:
    """Send an event of its own to the destination NAME, and say whether it arrived. Exits with 1 when it did not."""
    with _opened(home, environment) as found:
        stream = found.stream(name)
        problem = stream.test()
        stream.sender.close()
    say(f"{name}: {'delivered' if problem is None else problem}")
    return 0 if problem is None else 1


@stream.command(short_help="Send now what is waiting.")
@click.argument("name")
@home_option
@environment_option
def deliver(name: str, home: Path, environment: str | None) -> int:
    """Seal the trail and send what is waiting for the destination NAME, where no server does so. Exits with 1 when it
    could not all be sent."""
    from strongroom.errors import Conflict
    from strongroom.monitoring.stream import lags
    from strongroom.watch import lock_of

    with _opened(home, environment) as found, lock_of(found.home, found.environment, f"stream-{name}") as is_ours:
        if not is_ours:
            raise Conflict(f"A running server sends to '{name}' already.")
        found.seal()
        stream = found.stream(name)
        sent = stream.deliver()
        stream.sender.close()
        with found.environment.database.read() as transaction:
            lag = next(each for each in lags(transaction) if each.name == name)
    say(f"{name}: {sent:,} events sent, {lag.waiting:,} waiting{f': {lag.error}' if lag.error else ''}")
    return 1 if lag.error else 0


@stream.command(short_help="Print what a webhook is signed by.")
@click.argument("name")
@click.option("--new", is_flag=True, help="Make another one first.")
@_user_option
@home_option
@environment_option
def secret(name: str, new: bool, user: str, home: Path, environment: str | None) -> None:
    """Print the secret by which the receiver of the webhook NAME checks signatures: HMAC-SHA-256 over the header
    X-Strongroom-Timestamp, a full stop and the body."""
    from strongroom.identity.directory import number
    from strongroom.monitoring.destinations import destination_of
    from strongroom.records import update
    from strongroom.streaming import stream_secret

    if new:
        with _opened(home, environment) as found:
            row = found.row(name)
        with session_in(home, environment, user, write=True) as session:
            changes = {"secretversion": number(row, "secretversion") + 1}
            update(session, session.table("siemdestination"), row.id, changes)
    with _opened(home, environment) as found:
        destination = destination_of(found.row(name))
        say(stream_secret(found.home, found.environment.id, destination).reveal().decode())


class _Opened:
    """An environment for one command."""

    def __init__(self, home: "Home", environment: "Environment") -> None:
        self.home = home
        self.environment = environment

    def __enter__(self) -> "_Opened":
        return self

    def __exit__(self, *_: object) -> None:
        self.environment.close()

    def row(self, name: str) -> "Row":
        from strongroom.streaming import destination_named

        return destination_named(self.environment, name)

    def stream(self, name: str) -> "Stream":
        from strongroom.streaming import stream_to

        return stream_to(self.home, self.environment, self.row(name))

    def seal(self) -> None:
        from strongroom.trail import Trail

        Trail(self.home, self.environment).seal()


def _opened(home: Path, environment: str | None) -> _Opened:
    from strongroom.opening import open_environment

    found = opened(home)
    return _Opened(found, open_environment(found, environment))
