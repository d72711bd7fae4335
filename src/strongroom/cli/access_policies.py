"""`strongroom access-policies`: who gets in, from where, how and when (TS-722 to TS-725)."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import click

from strongroom.cli.directory import open_directory
from strongroom.cli.options import home_option, json_option, opened, session_in
from strongroom.cli.output import print_json, say, table

if TYPE_CHECKING:
    from strongroom.identity.conditional.model import Judgement
    from strongroom.records import Session
    from strongroom.store.protocol import Row, Value

_C = TypeVar("_C", bound=Callable[..., object])
_CONTROL, _ADMINISTRATOR = "control", "admin"
_STATES = {"off": 1, "report": 2, "on": 3}
_LISTS = {
    "include": ("includeusers", "Whom it is about: all, guests, applications, user:LOGIN, group:NAME, role:NAME."),
    "exclude": ("excludeusers", "Whom it leaves out, in the same words."),
    "environment": ("environments", "Only when this environment is entered."),
    "application": ("includeapplications", "Only for this application: a client id, or console."),
    "not-application": ("excludeapplications", "For every application but this one."),
    "client": ("clientkinds", "Only for browser or api."),
    "network": ("includenetworks", "Only from this network: 192.0.2.0/24, a named location, or trusted."),
    "not-network": ("excludenetworks", "Only from outside of this network."),
    "device": ("devices", "Only for devices that are unregistered, registered or compliant."),
    "day": ("days", "Only on this day: mon, tue …"),
    "require": ("requires", "Ask for mfa, passkey, registered-device or compliant-device."),
}


def _policy_options(command: _C) -> _C:
    """All conditions and controls; each list option may be repeated, and an empty one empties the condition."""
    plain = (
        click.option("--sign-in-risk", type=click.IntRange(0, 3), help="Only from this risk of the sign-in on."),
        click.option("--user-risk", type=click.IntRange(0, 3), help="Only from this risk of the account on."),
        click.option("--hours", metavar="H", help="Only in these hours, such as 08:00-18:00."),
        click.option("--timezone", metavar="Z", help="Time zone of the hours; without it, UTC."),
        click.option("--outside/--inside", "outside", default=None, help="Outside of the hours and days, or inside."),
        click.option("--block/--grant", "blocks", default=None, help="Block, or grant with what is asked for."),
        click.option("--one-is-enough/--all-of-them", "one", default=None, help="How much of what is asked for."),
        click.option("--minutes", type=click.IntRange(0, 1440), help="Minutes that a session lasts at most."),
        click.option("--read-only/--read-write", "read_only", default=None, help="Whether it lets read only."),
        click.option("--state", type=click.Choice(list(_STATES)), help="Off, report only, or on."),
    )
    for option in reversed(plain):
        command = option(command)
    for name, (column, told) in reversed(_LISTS.items()):
        command = click.option(f"--{name}", column, multiple=True, metavar="W", help=told)(command)
    return command


@click.group(name="access-policies", short_help="Who gets in, from where, how and when.")
def access_policies() -> None:
    """Who gets in, from where, how and when: policies, the networks that they name, and what they would do."""


@access_policies.command(short_help="Make a policy.")
@click.argument("name")
@_policy_options
@home_option
def add(name: str, home: Path, **given: object) -> None:
    """Make a policy under NAME, and print its id. It is off unless --state says otherwise; report tells in the log of
    sign-ins what it would do."""
    from strongroom.records import NewRecord, create

    values: dict[str, Value] = {"name": name, "state": _STATES["off"], "outcome": 2, **_values(given)}
    with session_in(home, _CONTROL, _ADMINISTRATOR, write=True) as session:
        say(create(session, session.table("conditionalaccesspolicy"), NewRecord(values)))


@access_policies.command(short_help="Change a policy.")
@click.argument("name")
@_policy_options
@home_option
def change(name: str, home: Path, **given: object) -> None:
    """Change the conditions and controls that are given of the policy NAME."""
    from strongroom.records import update

    values = _values(given)
    if not values:
        raise click.UsageError("Say what to change.")
    with session_in(home, _CONTROL, _ADMINISTRATOR, write=True) as session:
        row = _policy(session, name)
        update(session, row.table, row.id, values)


@access_policies.command(short_help="Turn a policy on, off, or let it report only.")
@click.argument("name")
@click.argument("state", type=click.Choice(list(_STATES)), metavar="STATE")
@home_option
def state(name: str, state: str, home: Path) -> None:
    """Give the policy NAME the STATE off, report (it only reports) or on. It holds from the next request on, in every
    process."""
    from strongroom.records import update

    with session_in(home, _CONTROL, _ADMINISTRATOR, write=True) as session:
        row = _policy(session, name)
        update(session, row.table, row.id, {"state": _STATES[state]})


@access_policies.command(short_help="Remove a policy.")
@click.argument("name")
@home_option
def remove(name: str, home: Path) -> None:
    """Remove the policy NAME."""
    from strongroom.records import delete

    with session_in(home, _CONTROL, _ADMINISTRATOR, write=True) as session:
        row = _policy(session, name)
        delete(session, row.table, row.id)


@access_policies.command("list", short_help="Show policies.")
@home_option
@json_option
def list_policies(home: Path, as_json: bool) -> None:
    """Show policies: state, whom they are about, and what they do."""
    with open_directory(opened(home)) as directory, directory.reading() as transaction:
        rows = transaction.rows_where(transaction.schema.tables["conditionalaccesspolicy"], {})
        shown = [_shown(row) for row in sorted(rows, key=lambda row: str(row.values.get("name")))]
    if as_json:
        print_json(shown)
    else:
        head = ("NAME", "STATE", "ABOUT", "DOES")
        say(table(head, [tuple(row[each.lower()] for each in head) for row in shown]))


@access_policies.command("location", short_help="Give networks a name.")
@click.argument("name")
@click.argument("networks", nargs=-1, required=True, metavar="NETWORKS")
@click.option("--trusted/--untrusted", default=None, help="Whether `trusted` in a policy means it too.")
@home_option
def location(name: str, networks: tuple[str, ...], trusted: bool | None, home: Path) -> None:
    """Let NAME stand for NETWORKS in policies; an existing name gets these networks in place of its own."""
    from strongroom.records import NewRecord, create, update

    values: dict[str, Value] = {"networks": "\n".join(networks)}
    if trusted is not None:
        values["istrusted"] = trusted
    with session_in(home, _CONTROL, _ADMINISTRATOR, write=True) as session:
        described = session.table("namedlocation")
        found = session.transaction.rows_where(described, {"name": name}, limit=1)
        if found:
            update(session, described, found[0].id, values)
        else:
            create(session, described, NewRecord({"name": name, **values}))


@access_policies.command(short_help="Mark an account that no policy judges.")
@click.argument("login")
@click.option("--off", is_flag=True, help="Let policies judge it again.")
@home_option
def emergency(login: str, off: bool, home: Path) -> None:
    """Mark the account LOGIN as one for emergencies: no policy judges it, and each use stands in the log of sign-ins
    and of the server. There are two at most."""
    from strongroom.identity.people import person_named
    from strongroom.records import update

    with session_in(home, _CONTROL, _ADMINISTRATOR, write=True) as session:
        person = person_named(session.transaction, login)
        update(session, person.table, person.id, {"emergencyaccess": not off})


@access_policies.command("what-if", short_help="What policies would say.")
@click.argument("login")
@click.option("--environment", "-e", metavar="E", help="Entering this environment; without it, signing in.")
@click.option("--address", default="", metavar="A", help="From this address.")
@click.option("--application", metavar="ID", help="With this application; without it, the console.")
@click.option("--client", type=click.Choice(["browser", "api"]), default="browser", show_default=True, help="By what.")
@click.option("--device", type=click.Choice(["unregistered", "registered", "compliant"]), help="On such a device.")
@click.option("--factor", "factors", multiple=True, metavar="F", help="Having shown this: mfa, hwk (a passkey).")
@click.option("--sign-in-risk", type=click.IntRange(0, 3), default=0, help="With this risk of the sign-in.")
@click.option("--user-risk", type=click.IntRange(0, 3), help="With this risk of the account.")
@click.option("--at", metavar="TIME", help="At this time; without it, now.")
@home_option
@json_option
def what_if(
    login: str,
    environment: str | None,
    address: str,
    application: str | None,
    client: str,
    device: str | None,
    factors: tuple[str, ...],
    sign_in_risk: int,
    user_risk: int | None,
    at: str | None,
    home: Path,
    as_json: bool,
) -> int:
    """Say what the policies would decide about LOGIN, policy by policy, without anybody signing in. Exit status 1 when
    the answer is not a plain grant."""
    from strongroom.clock import moment_of
    from strongroom.identity.conditional import what_if as asking
    from strongroom.identity.conditional.model import ClientKind, Device
    from strongroom.identity.people import person_named
    from strongroom.ids import parse_guid

    moment = None if at is None else moment_of(at)
    if at is not None and moment is None:
        raise click.UsageError("--at takes a time with its zone, such as 2026-05-01T10:15:00Z.")
    guid = None if application is None else parse_guid(application)
    if application is not None and guid is None:
        raise click.UsageError("--application takes a client id.")
    opened_home = opened(home)
    with open_directory(opened_home) as directory, directory.reading() as transaction:
        person = person_named(transaction, login)
        question = asking.Question(
            person=person.id,
            now=moment or directory.now(),
            address=address,
            environment=environment,
            client=guid,
            roles=None if environment is None else _roles(home, environment, person),
            kind=ClientKind[client.upper()],
            device=None if device is None else Device[device.upper()],
            factors=factors,
            sign_in_risk=sign_in_risk,
            user_risk=user_risk,
        )
        decision = asking.answer(transaction, question)
    said = asking.as_json(decision)
    if as_json:
        print_json(said)
    else:
        required = ", ".join(decision.required)
        say(f"{said['Decision']}{': ' if required else ''}{required}")
        judged = decision.judgements
        rows = [(each.policy.name, _state_word(each.policy.state.value), _said(each)) for each in judged]
        say(table(("POLICY", "STATE", "SAYS"), rows))
    return 0 if decision.is_granted else 1


def _values(given: dict[str, object]) -> "dict[str, Value]":
    """The columns that options name."""
    values: dict[str, Value] = {}
    for column, _ in _LISTS.values():
        words = cast("tuple[str, ...]", given.get(column, ()))
        if words:
            values[column] = "\n".join(word for word in words if word) or None
    names = {
        "sign_in_risk": "leastsigninrisk",
        "user_risk": "leastuserrisk",
        "hours": "hours",
        "timezone": "timezone",
        "outside": "outsidehours",
        "one": "oneisenough",
        "minutes": "sessionminutes",
        "read_only": "readonly",
    }
    for option, column in names.items():
        value = given.get(option)
        if isinstance(value, bool | int | str):
            values[column] = value if value != "" else None
    if given.get("blocks") is not None:
        values["outcome"] = 1 if given["blocks"] else 2
    if given.get("state") is not None:
        values["state"] = _STATES[str(given["state"])]
    return values


def _policy(session: "Session", name: str) -> "Row":
    from strongroom.errors import NotFound

    found = session.transaction.rows_where(session.table("conditionalaccesspolicy"), {"name": name}, limit=1)
    if not found:
        raise NotFound(f"There is no policy '{name[:100]}'; `strongroom access-policies list` shows them.")
    return found[0]


def _roles(home: Path, environment: str, person: "Row") -> tuple[str, ...]:
    from strongroom.identity.people import user_of
    from strongroom.opening import open_environment

    found = open_environment(opened(home), environment)
    try:
        with found.database.read() as transaction:
            user = user_of(transaction, person.id)
            facts = None if user is None else transaction.facts(user.reference())
        return () if facts is None else tuple(held.role.name for held in facts.roles)
    finally:
        found.close()


def _shown(row: "Row") -> dict[str, object]:
    values = row.values
    about = str(values.get("includeusers") or "").replace("\n", ", ")
    without = str(values.get("excludeusers") or "").replace("\n", ", ")
    does = ["blocks"] if values.get("outcome") == 1 else []
    does += [f"asks for {values['requires']}".replace("\n", ", ")] if values.get("requires") else []
    does += [f"{values['sessionminutes']} minutes"] if values.get("sessionminutes") else []
    does += ["read only"] if values.get("readonly") else []
    return {
        "id": row.id,
        "name": values.get("name"),
        "state": _state_word(values.get("state")),
        "about": f"{about}, but {without}" if without else about,
        "does": ", ".join(does),
    }


def _state_word(value: object) -> str:
    return next((word for word, number in _STATES.items() if number == value), "off")


def _said(judgement: "Judgement") -> str:
    if not judgement.applies:
        return f"does not apply: {judgement.why_not}"
    if judgement.satisfied:
        return "is satisfied"
    return "blocks" if judgement.policy.blocks else f"lacks {', '.join(judgement.missing)}"
