"""`strongroom alerts`: what the rules found, who looks after it, and the rules themselves."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.options import environment_option, home_option, json_option, opened, session_in
from strongroom.cli.output import print_json, say, table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from strongroom.ids import Guid
    from strongroom.records import Session
    from strongroom.store.protocol import Row
    from strongroom.watch import EnvironmentWatch

_user_option = click.option("--user", default="admin", show_default=True, metavar="U", help="Who: a name or id.")
_RESULTS = {"resolved": 4, "false-positive": 5}


@click.group(short_help="See and look after alerts, and their rules.")
def alerts() -> None:
    """Alerts that rules found in the trail, and the rules."""


@alerts.command("list", short_help="List alerts.")
@click.option("--all", "with_closed", is_flag=True, help="Closed ones too.")
@_user_option
@home_option
@environment_option
@json_option
def list_(with_closed: bool, user: str, home: Path, environment: str | None, as_json: bool) -> None:
    """List alerts that nobody has closed, the newest first."""
    from strongroom.identity.directory import number, text
    from strongroom.monitoring.alerts import RESOLVED
    from strongroom.monitoring.tables import ALERT, SEVERITIES, STATES

    with session_in(home, environment, user, write=False) as session:
        rows = _readable(session, ALERT)
    shown = [
        {
            "id": row.id,
            "severity": SEVERITIES[number(row, "severity") - 1],
            "state": STATES[number(row, "state") - 1],
            "name": text(row, "name"),
            "entries": number(row, "hits"),
            "count": number(row, "total"),
            "first": text(row, "firsthiton"),
            "last": text(row, "lasthiton"),
            "told": text(row, "toldon") or None,
            "problem": text(row, "tellerror") or None,
        }
        for row in reversed(rows)
        if with_closed or number(row, "state") < RESOLVED
    ]
    head = ("id", "severity", "state", "name", "entries", "count", "first", "last")
    _print(head, shown, as_json, "No alerts.")


@alerts.command(short_help="Say that you look after an alert.")
@click.argument("alert", metavar="ID")
@click.option("--note", metavar="TEXT", help="What you know so far.")
@_user_option
@home_option
@environment_option
def ack(alert: str, note: str | None, user: str, home: Path, environment: str | None) -> None:
    """Acknowledge the alert ID."""
    from strongroom.monitoring.alerts import acknowledge

    with session_in(home, environment, user, write=True) as session:
        acknowledge(session, _guid(alert), note)
    say(f"{alert}: acknowledged")


@alerts.command(short_help="Close an alert.")
@click.argument("alert", metavar="ID")
@click.option("--as", "result", type=click.Choice(tuple(_RESULTS)), default="resolved", show_default=True, help="How.")
@click.option("--note", required=True, metavar="TEXT", help="What it was, and what was done.")
@_user_option
@home_option
@environment_option
def close(alert: str, result: str, note: str, user: str, home: Path, environment: str | None) -> int:
    """Close the alert ID. Whoever caused an alert of severity High or above can only propose to close it: somebody else
    has to give the same command. Exits with 1 when that is so."""
    from strongroom.identity.directory import number
    from strongroom.monitoring.alerts import RESOLVED, close

    with session_in(home, environment, user, write=True) as session:
        row = close(session, _guid(alert), _RESULTS[result], note)
        is_closed = number(row, "state") >= RESOLVED
    say(f"{alert}: closed" if is_closed else f"{alert}: you are involved, so somebody else has to agree")
    return 0 if is_closed else 1


@alerts.command(short_help="Keep an alert quiet for a time.")
@click.argument("alert", metavar="ID")
@click.option("--minutes", type=int, required=True, metavar="N", help="For how long.")
@click.option("--reason", required=True, metavar="TEXT", help="Why.")
@_user_option
@home_option
@environment_option
def suppress(alert: str, minutes: int, reason: str, user: str, home: Path, environment: str | None) -> None:
    """Add what the rule finds for this group to the alert ID, instead of raising new ones."""
    from strongroom.identity.directory import text
    from strongroom.monitoring.alerts import suppress

    with session_in(home, environment, user, write=True) as session:
        until = text(suppress(session, _guid(alert), minutes, reason), "suppresseduntil")
    say(f"{alert}: quiet until {until}")


@alerts.command(short_help="Show the entries behind an alert, with their proofs.")
@click.argument("alert", metavar="ID")
@_user_option
@home_option
@environment_option
@json_option
def evidence(alert: str, user: str, home: Path, environment: str | None, as_json: bool) -> None:
    """Show the entries of the trail behind the alert ID. With --json each comes with its inclusion proof."""
    from dataclasses import asdict

    from strongroom.monitoring.alerts import evidence

    with session_in(home, environment, user, write=False) as session:
        found = [asdict(each) for each in evidence(session, _guid(alert))]
    _print(("sequence", "table", "id", "leaf_hash"), found, as_json, "No entries: the alert is not about the trail.")


@alerts.command(short_help="List the rules.")
@_user_option
@home_option
@environment_option
@json_option
def rules(user: str, home: Path, environment: str | None, as_json: bool) -> None:
    """List the rules, with what each looks for."""
    from strongroom.identity.directory import number, text
    from strongroom.monitoring.rules import is_on
    from strongroom.monitoring.tables import RULE, SEVERITIES

    _watch_of(home, environment, lambda watch: watch.ship())
    with session_in(home, environment, user, write=False) as session:
        rows = _readable(session, RULE)
    shown = [
        {
            "id": row.id,
            "code": text(row, "code") or None,
            "on": "on" if is_on(row) else "off",
            "severity": SEVERITIES[(number(row, "severity") or 2) - 1],
            "name": text(row, "name"),
            "source": text(row, "source"),
            "filter": text(row, "filter"),
            "threshold": number(row, "threshold"),
            "minutes": number(row, "windowminutes"),
            "group": text(row, "groupby"),
        }
        for row in rows
    ]
    _print(("id", "code", "on", "severity", "threshold", "minutes", "group", "name"), shown, as_json, "No rules.")


@alerts.command("off", short_help="Switch a rule off.")
@click.argument("rule", metavar="CODE|ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stands in the trail.")
@_user_option
@home_option
@environment_option
def off(rule: str, reason: str, user: str, home: Path, environment: str | None) -> None:
    """Switch the rule CODE|ID off, which is an event in the trail and an alert of its own."""
    from strongroom.records import update

    with session_in(home, environment, user, write=True) as session:
        found = _rule(session, rule)
        update(session, found.table, found.id, {"isenabled": False, "offreason": reason})
    say(f"{rule}: off")


@alerts.command("on", short_help="Switch a rule on.")
@click.argument("rule", metavar="CODE|ID")
@_user_option
@home_option
@environment_option
def on(rule: str, user: str, home: Path, environment: str | None) -> None:
    """Switch the rule CODE|ID on."""
    from strongroom.records import update

    with session_in(home, environment, user, write=True) as session:
        found = _rule(session, rule)
        update(session, found.table, found.id, {"isenabled": True, "offreason": None})
    say(f"{rule}: on")


@alerts.command("dry-run", short_help="Try a rule on the past.")
@click.argument("rule", metavar="CODE|ID")
@click.option("--from", "begun", required=True, metavar="TIME", help="Such as 2026-05-01T00:00:00Z.")
@click.option("--to", "ended", metavar="TIME", help="Without it, now.")
@_user_option
@home_option
@environment_option
@json_option
def dry_run(
    rule: str, begun: str, ended: str | None, user: str, home: Path, environment: str | None, as_json: bool
) -> None:
    """Show what the rule CODE|ID, switched on or not, would have raised in a time of the past. Nothing is written."""
    from strongroom.monitoring.evaluation import trial_in
    from strongroom.monitoring.rules import rule_of

    with session_in(home, environment, user, write=False) as session:
        chosen = rule_of(session.schema, _rule(session, rule), session.now)
        found = trial_in(session.transaction, chosen, _moment(begun), _moment(ended or session.now))
    shown = [
        {
            "group": each.group,
            "entries": len(each.counted),
            "count": each.total,
            "first": each.counted[0].entry.row.values["createdon"],
            "last": each.counted[-1].entry.row.values["createdon"],
        }
        for each in found
    ]
    _print(("group", "entries", "count", "first", "last"), shown, as_json, "It would have raised nothing.")


@alerts.command("check", short_help="Judge now what is new in the trail.")
@home_option
@environment_option
def check(home: Path, environment: str | None) -> None:
    """Seal the trail, judge what is new, and tell whom it concerns. A running server does so by itself."""
    number = _watch_of(home, environment, lambda watch: watch.look(), seal=True)
    say(f"{number:,} findings")


@alerts.command("webhook-secret", short_help="Print what webhooks of alerts are signed by.")
@home_option
@environment_option
def webhook_secret(home: Path, environment: str | None) -> None:
    """Print the secret by which a receiver checks the signature of a webhook: HMAC-SHA-256 over the header
    X-Strongroom-Timestamp, a full stop and the body."""
    from strongroom.watch import outbound_secret

    found = opened(home)
    record = found.environment(environment) if environment else found.default_environment()
    say(outbound_secret(found, record.id, "alerts").reveal().decode())


@alerts.command("mail-password", short_help="Set the password for the mail server.")
@click.option("--clear", is_flag=True, help="Forget it.")
@home_option
def mail_password(clear: bool, home: Path) -> None:
    """Read the password for the mail server from standard input, and keep it in the key ring."""
    from strongroom.errors import InvalidRequest
    from strongroom.keys import Secret
    from strongroom.watch import MAIL_PASSWORD

    text = "" if clear else sys.stdin.readline().rstrip("\n")
    if not text and not clear:
        raise InvalidRequest("The password is read from standard input, which was empty; --clear forgets it.")
    opened(home).keys.seal(MAIL_PASSWORD, Secret(text.encode()))
    say("The password is forgotten." if clear else "The password is kept.")


def _watch_of(
    home: Path, environment: str | None, act: "Callable[[EnvironmentWatch], int]", *, seal: bool = False
) -> int:
    from strongroom.opening import open_environment
    from strongroom.trail import Trail
    from strongroom.watch import EnvironmentWatch

    found = opened(home)
    live = open_environment(found, environment)
    try:
        if seal:
            Trail(found, live).seal()
        return act(EnvironmentWatch(found, live))
    finally:
        live.close()


def _readable(session: "Session", name: str) -> "list[Row]":
    """All rows of a table that users without Read on it are refused."""
    from strongroom.records.authorize import demand_privilege
    from strongroom.schema.model import Rights

    described = session.table(name)
    demand_privilege(session, described, Rights.READ)
    return session.transaction.rows_where(described, {})


def _rule(session: "Session", rule: str) -> "Row":
    from strongroom.errors import InvalidRequest
    from strongroom.ids import parse_guid
    from strongroom.monitoring.tables import RULE

    identity = parse_guid(rule)
    rows = _readable(session, RULE)
    found = next((row for row in rows if row.id == identity or row.values.get("code") == rule), None)
    if found is None:
        known = ", ".join(sorted(str(row.values["code"]) for row in rows if row.values.get("code")))
        raise InvalidRequest(f"There is no rule '{rule}'; name one by its id, or one of: {known}.")
    return found


def _guid(text: str) -> "Guid":
    from strongroom.errors import InvalidRequest
    from strongroom.ids import parse_guid

    found = parse_guid(text)
    if found is None:
        raise InvalidRequest(f"'{text}' is no id: it must be a GUID, as `strongroom alerts list` shows it.")
    return found


def _moment(text: str) -> "datetime":
    from strongroom.clock import moment_of

    found = moment_of(text)
    if found is None:
        raise click.BadParameter(f"'{text}' is no time with its zone, such as 2026-05-01T10:15:00Z.")
    return found


def _print(head: tuple[str, ...], rows: "Sequence[Mapping[str, object]]", as_json: bool, nothing: str) -> None:
    if as_json:
        print_json(rows)
    elif rows:
        say(table(head, [[row[name] if row[name] is not None else "" for name in head] for row in rows]))
    else:
        say(nothing)
