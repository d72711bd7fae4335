"""`strongroom incidents`: the register of incidents and breaches, in the home's control environment."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.options import environment_option, home_option, json_option, session_in
from strongroom.cli.output import print_json, say, table
from strongroom.cli.times import MOMENT

if TYPE_CHECKING:
    from strongroom.ids import Guid
    from strongroom.incidents.clock import BreachClock
    from strongroom.incidents.exposure import Exposure
    from strongroom.store.protocol import Value

CONTROL = "control"
_MEASURES = ("end-sessions", "disable-user", "revoke-credential", "rotate-key", "close-environment", "raise-access")
_ON_PEOPLE = _MEASURES[:2]
_BY = click.option("--by", default="admin", show_default=True, metavar="U", help="Who does it: a user of control.")


@click.group(short_help="Incidents and breaches: clock, scope, evidence.")
def incidents() -> None:
    """The register of incidents and personal-data breaches, with the clock of 72 hours."""


@incidents.command("open", short_help="Open an incident.")
@click.argument("name")
@click.option(
    "--severity", type=click.IntRange(1, 4), default=2, show_default=True, metavar="N", help="1 low … 4 critical."
)
@click.option("--aware", type=MOMENT, metavar="TIME", help="Since when somebody is aware of it.")
@click.option("--description", default="", metavar="TEXT", help="What is known.")
@_BY
@home_option
def open_incident(name: str, severity: int, aware: datetime | None, description: str, by: str, home: Path) -> None:
    """Open an incident called NAME, and print its id."""
    from strongroom.clock import iso
    from strongroom.records import NewRecord, create

    values: dict[str, Value] = {"name": name, "severity": severity, "description": description or None}
    if aware is not None:
        values["awareon"] = iso(aware)
    with session_in(home, CONTROL, by, write=True) as session:
        say(create(session, session.table("securityincident"), NewRecord(values)))


@incidents.command("list", short_help="List incidents with their clocks.")
@_BY
@home_option
@json_option
def list_incidents(by: str, home: Path, as_json: bool) -> None:
    """List all incidents, the newest first: the register of breaches, notified or not."""
    from strongroom.access.planning import plan_for
    from strongroom.incidents.clock import clock_of
    from strongroom.incidents.tables import RISKS, SEVERITIES, STATES
    from strongroom.schema.model import Rights

    with session_in(home, CONTROL, by, write=False) as session:
        about = session.table("securityincident")
        plan_for(session.caller, about, Rights.READ).required()
        found = session.transaction.rows_where(about, {})
        now = session.clock.now()
        rows = [
            {
                "id": row.id,
                "name": row.values["name"],
                "state": STATES[_index(row.values["state"])],
                "severity": SEVERITIES[_index(row.values["severity"])],
                "breach": RISKS[_index(row.values["risklevel"])] if row.values["ispersonaldatabreach"] else None,
                "left": _left(clock_of(row, now)),
            }
            for row in reversed(found)
        ]
    if as_json:
        print_json(rows)
    elif rows:
        head = ("id", "name", "state", "severity", "breach", "left")
        say(table(head, [[row[name] or "-" for name in head] for row in rows]))
    else:
        say("No incidents.")


@incidents.command(short_help="Declare a personal-data breach: the clock runs.")
@click.argument("incident")
@click.option(
    "--risk", type=click.IntRange(1, 3), required=True, metavar="N", help="1 none likely, 2 risk, 3 high risk."
)
@click.option(
    "--aware", type=MOMENT, metavar="TIME", help="Since when somebody is aware of it; without it, as it says."
)
@click.option("--assessment", default="", metavar="TEXT", help="Why; needed where no risk is likely.")
@_BY
@home_option
def declare(incident: str, risk: int, aware: datetime | None, assessment: str, by: str, home: Path) -> None:
    """Say that INCIDENT, an id, is a personal-data breach, and print what is left of the 72 hours."""
    from strongroom.incidents.register import declare_breach

    with session_in(home, CONTROL, by, write=True) as session:
        clock = declare_breach(session, _id(incident), risk, assessment, aware)
    say(_left(clock) or "No clock runs: no risk is likely.")


@incidents.command(short_help="Keep what somebody read and changed as its scope.")
@click.argument("incident")
@click.option("--user", required=True, metavar="U", help="Sign-in name or id of the user in that environment.")
@click.option("--from", "since", type=MOMENT, required=True, metavar="TIME", help="Begin of the time.")
@click.option("--to", "until", type=MOMENT, metavar="TIME", help="Its end; without it, now.")
@_BY
@home_option
@environment_option
@json_option
def scope(
    incident: str,
    user: str,
    since: datetime,
    until: datetime | None,
    by: str,
    home: Path,
    environment: str | None,
    as_json: bool,
) -> None:
    """Compute from an environment's trail what a user read, changed and could read, and keep it with INCIDENT."""
    from strongroom.clock import iso
    from strongroom.environment import find_user
    from strongroom.incidents.exposure import exposure_of
    from strongroom.incidents.register import ScopePart, record_scope

    about = _id(incident)
    with session_in(home, environment, "admin", write=False) as session:
        found = exposure_of(session, find_user(session.transaction, user), since, until or session.clock.now())
    name = environment or _default_name(home)
    parts = [
        ScopePart(
            name,
            found.user,
            iso(found.since),
            iso(found.until),
            each.table,
            each.could,
            len(each.read) + each.unnamed,
            len(each.changed),
            each.is_of_people,
            each.digest,
        )
        for each in found.tables
    ]
    with session_in(home, CONTROL, by, write=True) as session:
        record_scope(session, about, parts)
    _tell_scope(found, as_json)


@incidents.command(short_help="Record a notification, or show what it would say.")
@click.argument("incident")
@click.option(
    "--to", "recipient", type=click.Choice(("authority", "subjects", "customer")), required=True, help="Whom."
)
@click.option("--preview", is_flag=True, help="Show the words and what is missing, and record nothing.")
@click.option("--delay-reason", default="", metavar="TEXT", help="Why it took longer than 72 hours.")
@click.option("--exception", default="", metavar="TEXT", help="Why nobody is told.")
@_BY
@home_option
def notify(incident: str, recipient: str, preview: bool, delay_reason: str, exception: str, by: str, home: Path) -> int:
    """Record that an authority, the people concerned or a customer was told of INCIDENT, with the words.

    With --preview exits with 1 when something is missing.
    """
    from strongroom.incidents import register
    from strongroom.incidents.tables import RECIPIENTS

    number = RECIPIENTS.index(recipient.capitalize()) + 1
    with session_in(home, CONTROL, by, write=True) as session:
        words = register.notice(session, _id(incident), number)
        if not preview:
            register.notify(session, _id(incident), number, delay_reason=delay_reason, exception=exception)
    if not exception:
        say(words.content)
    if preview and words.missing:
        say(f"Missing: {', '.join(words.missing)}")
        return 1
    return 0


@incidents.command(short_help="Do something against an incident, and write it down.")
@click.argument("incident")
@click.option("--measure", type=click.Choice(_MEASURES), required=True, help="What is done.")
@click.option(
    "--target", required=True, metavar="T", help="Id of what it is done to; of a person, the sign-in name too."
)
@click.option("--note", default="", metavar="TEXT", help="Why.")
@_BY
@home_option
def contain(incident: str, measure: str, target: str, note: str, by: str, home: Path) -> None:
    """Do a measure of INCIDENT with the rights of whoever does it: end a person's sessions, disable the account,
    revoke a credential of an application, rotate a key, close an environment, or switch on a policy of conditional
    access.
    """
    from strongroom.identity.people import person_named
    from strongroom.ids import parse_guid
    from strongroom.messages.containment import contain as do
    from strongroom.messages.operation import Arguments

    number = _MEASURES.index(measure) + 1
    with session_in(home, CONTROL, by, write=True) as session:
        found = parse_guid(target)
        if found is None and measure in _ON_PEOPLE:
            found = person_named(session.transaction, target).id
        given = {"SecurityIncidentId": _id(incident), "Measure": number, "TargetId": found or _id(target), "Note": note}
        do(session, Arguments(given))
    say("Done, and written down.")


@incidents.command("from-alert", short_help="Open an incident from an alert.")
@click.argument("alert")
@_BY
@home_option
@environment_option
def from_alert(alert: str, by: str, home: Path, environment: str | None) -> None:
    """Open an incident about ALERT, an id in an environment, with the entries behind it, and print its id."""
    from strongroom.errors import NotFound
    from strongroom.incidents.opening import facts_of, open_from_alert

    name = environment or _default_name(home)
    with session_in(home, name, "admin", write=False) as session:
        row = session.transaction.row(session.table("alert"), _id(alert))
        if row is None:
            raise NotFound(f"There is no alert {alert} in '{name}'; `strongroom alerts list` shows them.")
        facts = facts_of(name, row)
    with session_in(home, CONTROL, by, write=True) as session:
        say(open_from_alert(session, facts))


@incidents.command(short_help="Times to detect, contain and notify.")
@_BY
@home_option
@json_option
def figures(by: str, home: Path, as_json: bool) -> None:
    """Show how long it took to become aware of incidents, to contain them and to notify an authority."""
    from dataclasses import asdict

    from strongroom.incidents.figures import figures_of

    with session_in(home, CONTROL, by, write=False) as session:
        found = figures_of(session)
    if as_json:
        print_json([asdict(each) for each in found])
    else:
        head = ("what", "incidents", "median", "longest")
        say(
            table(
                head,
                [(each.what, each.incidents, each.shown(each.median_h), each.shown(each.longest_h)) for each in found],
            )
        )


@incidents.command(short_help="Close an incident.")
@click.argument("incident")
@click.option("--lessons", required=True, metavar="TEXT", help="What was learned.")
@_BY
@home_option
def close(incident: str, lessons: str, by: str, home: Path) -> None:
    """Close INCIDENT. Tasks must be done, and whoever had to be told must have been, or the reason why not recorded."""
    from strongroom.incidents.register import close_incident

    with session_in(home, CONTROL, by, write=True) as session:
        close_incident(session, _id(incident), lessons)
    say("Closed.")


@incidents.command(short_help="Write entries and activities with their proofs to a file.")
@click.argument("incident")
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="F", help="New zip file."
)
@home_option
def evidence(incident: str, out: Path, home: Path) -> None:
    """Write INCIDENT with its timeline, and what the trails of its scope hold, with proofs, to a new zip file."""
    from strongroom.cli.options import opened
    from strongroom.evidence_package import write_package

    say(f"{out}: {write_package(opened(home), _id(incident), out):,} entries and activities with their proofs")


def _tell_scope(found: "Exposure", as_json: bool) -> None:
    rows = [
        (each.table, f"{each.could:,}", f"{len(each.read) + each.unnamed:,}", f"{len(each.changed):,}")
        for each in found.tables
    ]
    if as_json:
        names = ("table", "could", "read", "changed")
        print_json(
            {
                "rows": found.rows,
                "people": found.people,
                "activities": found.activities,
                "entries": found.entries,
                "tables": [dict(zip(names, row, strict=True)) for row in rows],
            }
        )
        return
    say(f"{found.rows:,} rows read or changed, {found.people:,} of them people")
    if rows:
        say(table(("table", "could read", "read", "changed"), rows))


def _left(clock: "BreachClock") -> str | None:
    if clock.notified is not None:
        return "notified"
    if clock.remaining is None or clock.due is None:
        return None
    hours = int(abs(clock.remaining.total_seconds()) // 3600)
    return f"{hours} h {'late' if clock.is_late else 'left'}, due {clock.due:%Y-%m-%d %H:%M} UTC"


def _index(value: object) -> int:
    return value - 1 if isinstance(value, int) else 0


def _id(text: str) -> "Guid":
    from strongroom.errors import InvalidRequest
    from strongroom.ids import parse_guid

    found = parse_guid(text)
    if found is None:
        raise InvalidRequest(f"'{text[:60]}' is no id of an incident; `strongroom incidents list` shows them.")
    return found


def _default_name(home: Path) -> str:
    from strongroom.cli.options import opened

    return opened(home).default_environment().name
