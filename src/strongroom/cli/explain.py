"""`strongroom explain`: may a user do something with a row, and why."""

from pathlib import Path
from typing import cast

import click

from strongroom.cli.options import environment_option, home_option, json_option, opened
from strongroom.cli.output import print_json, say


@click.command(short_help="Say whether a user may do something, and why.")
@home_option
@environment_option
@click.option("--user", required=True, metavar="U", help="Sign-in name or id of the user.")
@click.option("--table", required=True, metavar="T", help="Logical name of the table, such as account.")
@click.option("--id", "row_id", required=True, metavar="ID", help="Id of the row.")
@click.option(
    "--right",
    default="Read",
    show_default=True,
    metavar="R",
    help="Read, Write, Append, AppendTo, Create, Delete, Share or Assign.",
)
@json_option
def explain(home: Path, environment: str | None, user: str, table: str, row_id: str, right: str, as_json: bool) -> int:
    """Print whether a user has a right on a row, every reason for it, or what is missing and what would allow it.

    The decision is the one that the server makes. Exits with 0 when allowed and 1 when denied.
    """
    from strongroom.access.rights import parse_rights
    from strongroom.environment import find_user, open_environment
    from strongroom.errors import InvalidRequest
    from strongroom.ids import Reference, parse_guid
    from strongroom.messages.explanation import explanation_json
    from strongroom.records.explaining import explain_access

    asked = parse_rights(right if right.endswith("Access") else f"{right}Access")
    target = parse_guid(row_id)
    if target is None:
        raise InvalidRequest(f"'{row_id}' is no id: it must be a GUID.")
    opened_environment = open_environment(opened(home), environment)
    try:
        with opened_environment.session_of("admin", write=False) as session:
            if table not in session.schema.tables:
                raise InvalidRequest(f"There is no table '{table}'; name it by its logical name, such as account.")
            principal = Reference("systemuser", find_user(session.transaction, user))
            explanation = explain_access(session, principal, Reference(table, target), asked)
    finally:
        opened_environment.close()
    shown = explanation_json(explanation)
    if as_json:
        print_json(shown)
    else:
        say(f"{user} {'may' if explanation.allowed else 'may NOT'} {right} {table} {target}")
        for line in _lines(shown):
            say(line)
    return 0 if explanation.allowed else 1


def _lines(shown: object) -> list[str]:
    """The explanation for people, from its public form."""
    facts = cast("dict[str, object]", shown)
    lines: list[str] = []
    for reason in cast("list[dict[str, object]]", facts["Reasons"]):
        sources = [
            f"{source['Table']} '{source['Name']}'" for source in cast("list[dict[str, str]]", reason["Sources"])
        ]
        lines.append(f"  because {reason['Code']}{': ' if sources else ''}{', '.join(sources)}")
    denial = cast("dict[str, object] | None", facts["Denial"])
    if denial is not None:
        details = ", ".join(f"{name}: {value}" for name, value in denial.items() if name != "Code")
        lines.append(f"  because {denial['Code']}{f' ({details})' if details else ''}")
    lines += [f"  would allow it: {change['Code']}" for change in cast("list[dict[str, str]]", facts["WouldAllow"])]
    return lines
