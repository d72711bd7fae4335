"""`strongroom trace`: what clients asked for in vain, and what one request does."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from strongroom.cli.options import environment_option, home_option, json_option, opened
from strongroom.cli.output import print_json, say, table

if TYPE_CHECKING:
    from strongroom.environment import Environment

_SHOWN = ("lastrequeston", "client", "requests", "status", "code", "name", "message")
_HEAD = ("last", "program", "times", "status", "code", "request", "what it was told")


@click.command(short_help="What clients asked for in vain; what a request does.")
@click.argument("request", required=False, metavar="[REQUEST]")
@home_option
@environment_option
@click.option("--user", metavar="U", help="Who sends REQUEST: sign-in name or id.")
@click.option("--prefer", metavar="P", help="Its Prefer header, such as odata.maxpagesize=50.")
@click.option("--client", metavar="C", help="Only what this program asked for: the beginning of its name.")
@click.option("--clear", is_flag=True, help="Forget what was kept.")
@json_option
def trace(
    request: str | None,
    home: Path,
    environment: str | None,
    user: str | None,
    prefer: str | None,
    client: str | None,
    clear: bool,
    as_json: bool,
) -> int:
    """Show what clients asked for that was refused or is not there, or what one REQUEST does.

    Without REQUEST: by program and shape of the request, the newest last, while the server keeps a trace (`strongroom
    serve --trace`, or server.trace). Exits with 1 when something was refused.

    With REQUEST, such as "accounts?$select=name&$top=5": it is sent as --user, and told step by step: the query as it
    was understood, what security made of it, the SQL that ran, and where the time went. It only reads. Exits with 1
    when it is refused.
    """
    from strongroom.opening import open_environment

    if request is not None and (user is None or clear or client):
        raise click.UsageError("REQUEST needs --user, and goes without --client and --clear.")
    if request is None and (user or prefer):
        raise click.UsageError("--user and --prefer are about a REQUEST, which is missing.")
    found = open_environment(opened(home), environment)
    try:
        if request is not None:
            return _one(found, request, user or "", prefer, as_json=as_json)
        return _forget(found) if clear else _refused(found, opened(home).settings.server.trace, client, as_json=as_json)
    finally:
        found.close()


def _refused(environment: "Environment", is_kept: bool, client: str | None, *, as_json: bool) -> int:
    from strongroom.monitoring.trace import kept

    with environment.database.read() as transaction:
        rows = [row.values for row in kept(transaction)]
    rows = [row for row in rows if str(row["client"]).lower().startswith((client or "").lower())]
    if as_json:
        print_json([{name: row[name] for name in (*_SHOWN, "method", "firstrequeston")} for row in rows])
    elif rows:
        say(table(_HEAD, [[_cell(row, name) for name in _SHOWN] for row in rows]))
    else:
        say(
            "Nothing was refused."
            if is_kept
            else "The server keeps no trace. Start it with `strongroom serve --trace`."
        )
    return 1 if rows else 0


def _cell(row: Mapping[str, object], name: str) -> str:
    return str(row[name] if row[name] is not None else "")


def _forget(environment: "Environment") -> int:
    from strongroom.monitoring.trace import forget
    from strongroom.records import Session
    from strongroom.records.platform_user import platform_caller

    with environment.database.write() as transaction:
        session = Session(transaction, platform_caller(transaction.schema), environment.clock, environment.rules)
        number = forget(session)
    say(f"Forgotten: {number}.")
    return 0


def _one(environment: "Environment", request: str, user: str, prefer: str | None, *, as_json: bool) -> int:
    from strongroom.cli.telling import facts_of_command
    from strongroom.environment import find_user
    from strongroom.webapi.traced import shown
    from strongroom.webapi.traced import trace as traced

    with environment.database.read() as transaction:
        sender = find_user(transaction, user)
    headers = {"user-agent": facts_of_command().client or ""} | ({"prefer": prefer} if prefer else {})
    found = shown(traced(environment, sender, request, headers))
    if as_json:
        print_json(found)
    else:
        _tell(found)
    return 0 if found["error"] is None else 1


def _tell(found: dict[str, object]) -> None:
    error = cast("dict[str, str] | None", found["error"])
    said = f"{found['bytes']} bytes" if error is None else f"{error['code']}: {error['message']}"
    say(f"answer  {found['status']}, {said}")
    say(
        f"time    {found['milliseconds']} ms, of which {found['storeMilliseconds']} in the store;"
        f" {found['firstMilliseconds']} the first time"
    )
    for query in cast("list[dict[str, object]]", found["queries"]):
        say()
        say(f"query   {query['query']}")
        for plan in cast("list[str]", query["plans"]):
            say(f"plan    {plan}")
    for ran in cast("list[dict[str, object]]", found["statements"]):
        rows = "" if ran["rows"] is None else f", {ran['rows']} rows"
        say()
        say(f"sql     {ran['sql']}")
        values = cast("list[str]", ran["values"])
        if values:
            say(f"with    {', '.join(values)}")
        say(f"took    {ran['milliseconds']} ms{rows}")
