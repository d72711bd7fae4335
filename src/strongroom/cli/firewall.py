"""`strongroom firewall`: from which networks an environment is reached (TS-308)."""

from pathlib import Path

import click

from strongroom.cli.options import environment_option, home_option, json_option, session_in
from strongroom.cli.output import print_json, say, table

_ENABLED, _RANGES = "enableipbasedfirewallrule", "allowediprangeforfirewall"
_SHOWN = (
    _ENABLED,
    _RANGES,
    "enableipbasedfirewallruleinauditmode",
    "allowapplicationuseraccess",
    "reverseproxyipaddresses",
    "enableipbasedcookiebinding",
)


@click.group()
def firewall() -> None:
    """From which networks an environment is reached."""


@firewall.command(short_help="Show the firewall of an environment.")
@home_option
@environment_option
@json_option
def show(home: Path, environment: str | None, as_json: bool) -> None:
    """Show the firewall of an environment: columns of its organization."""
    with session_in(home, environment, "admin", write=False) as session:
        row = session.transaction.rows_where(session.table("organization"), {}, limit=1)[0]
    shown = {name: row.values.get(name) for name in _SHOWN}
    if as_json:
        print_json(shown)
    else:
        say(table(("COLUMN", "VALUE"), [(name, "" if value is None else value) for name, value in shown.items()]))


@firewall.command("set", short_help="Let only some networks in.")
@click.argument("networks", nargs=-1, required=True, metavar="NETWORKS")
@click.option("--audit-only", is_flag=True, help="Let others in too, and tell of them in the trail.")
@click.option("--programs", is_flag=True, help="Let programs with credentials of their own in from anywhere.")
@home_option
@environment_option
def set_networks(
    networks: tuple[str, ...], audit_only: bool, programs: bool, home: Path, environment: str | None
) -> None:
    """Let only NETWORKS reach an environment, such as 192.0.2.0/24, from the next request on."""
    from strongroom.records import update

    with session_in(home, environment, "admin", write=True) as session:
        row = session.transaction.rows_where(session.table("organization"), {}, limit=1)[0]
        changes = {
            _ENABLED: True,
            _RANGES: ",".join(networks),
            "enableipbasedfirewallruleinauditmode": audit_only,
            "allowapplicationuseraccess": programs,
        }
        update(session, row.table, row.id, {**changes})


@firewall.command(short_help="Turn the firewall of an environment off.")
@home_option
@environment_option
def reset(home: Path, environment: str | None) -> None:
    """Turn the firewall of an environment off: the way back for whoever is locked out. Its networks stay."""
    from strongroom.records import update

    with session_in(home, environment, "admin", write=True) as session:
        row = session.transaction.rows_where(session.table("organization"), {}, limit=1)[0]
        update(session, row.table, row.id, {_ENABLED: False})
