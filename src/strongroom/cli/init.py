"""`strongroom init`: a new home, with an empty environment or the demo company."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.options import home_option, json_option
from strongroom.cli.output import Progress, print_json, say

if TYPE_CHECKING:
    from strongroom.environment import Environment
    from strongroom.home import EnvironmentKind, Home
    from strongroom.keys import Secret
    from strongroom.records import Born

CONTROL = "control"


@click.command(short_help="Make a home.")
@home_option
@click.option("--demo", is_flag=True, help="Fill it with the demo company.")
@click.option("--accounts", type=click.IntRange(1), metavar="N", help="With --demo: how many accounts. Default: 5000.")
@click.option("--seed", type=int, metavar="N", help="With --demo: another seed makes another company. Default: 1.")
@click.option(
    "--environment", "-e", metavar="NAME", help="Name of the environment. Default: main, or demo with --demo."
)
@click.option(
    "--database", metavar="URL", help="Keep the environment's rows in this PostgreSQL database instead of a file."
)
@click.option("--test-clock", is_flag=True, help="Make a test home, whose clock can be moved. It stays one for ever.")
@click.option(
    "--key-provider",
    metavar="PROVIDER",
    help="Root key: file:PATH, env:NAME, fd:NUMBER or credential:NAME. Default: file:root.key.",
)
@json_option
def init(
    home: Path,
    demo: bool,
    accounts: int | None,
    seed: int | None,
    environment: str | None,
    database: str | None,
    test_clock: bool,
    key_provider: str | None,
    as_json: bool,
) -> None:
    """Make a home: a folder with keys, settings, the control environment and one environment for business data.

    The folder must be new or empty. It gets its name only when everything is complete. The first administrator is
    `admin@HOME`; `strongroom token --user admin` lets you in.
    """
    if not demo and (accounts is not None or seed is not None):
        raise click.UsageError("--accounts and --seed go with --demo.")
    name = environment or ("demo" if demo else "main")
    if name == CONTROL:
        raise click.UsageError(f"'{CONTROL}' is the name of the home's own environment; choose another.")
    from strongroom.home import EnvironmentKind, create_home, put_in_place
    from strongroom.home.registry import require_name
    from strongroom.keys import Secret, parse_source

    require_name(name)
    source = parse_source(key_provider) if key_provider else None
    address = Secret(database.encode()) if database else None
    with put_in_place(home.absolute()) as folder:
        made = create_home(folder, source=source, is_test_home=test_clock)
        administrator = f"admin@{home.absolute().name.lower()}"
        _make(made, CONTROL, EnvironmentKind.CONTROL, administrator)
        filling = _Filling(accounts or 5000, 1 if seed is None else seed) if demo else None
        _make(made, name, EnvironmentKind.BUSINESS, administrator, address, filling)
        _mirror(made)
    if as_json:
        print_json({"home": str(home), "id": made.id, "environment": name, "administrator": administrator})
        return
    say(f"{home} is ready: environment '{name}', administrator {administrator}.")
    say(f"  strongroom serve --home {home}")
    say(f"  strongroom token --home {home} --user admin")
    if made.keys.source.is_file:
        say(f"Keep {made.keys.source.path(home)} safe, apart from copies of the home: nothing opens without it.")


@dataclass(frozen=True, slots=True)
class _Filling:
    """How to fill an environment with the demo company."""

    accounts: int
    seed: int


def _make(
    home: "Home",
    name: str,
    kind: "EnvironmentKind",
    administrator: str,
    database: "Secret | None" = None,
    filling: _Filling | None = None,
) -> None:
    from strongroom.home import EnvironmentType
    from strongroom.opening import create_environment
    from strongroom.records import Birth

    environment, born = create_environment(
        home,
        name,
        Birth(name, administrator),
        kind=kind,
        database=database,
        type=EnvironmentType.SANDBOX if filling else EnvironmentType.PRODUCTION,
        region=next(iter(home.settings.regions), ""),
    )
    try:
        if filling is not None:
            _fill(home, environment, born, filling)
    finally:
        environment.close()


def _mirror(home: "Home") -> None:
    """Say in the control environment which environments there are."""
    from strongroom.lifecycle.mirroring import mirror
    from strongroom.opening import ledger_in, open_environment

    control = open_environment(home, CONTROL)
    try:
        mirror(home, ledger_in(control))
    finally:
        control.close()


def _fill(home: "Home", environment: "Environment", born: "Born", filling: _Filling) -> None:
    from strongroom.home.personas import Persona, write_personas
    from strongroom.jobs import fill_demo

    progress = Progress()
    try:
        personas = fill_demo(environment, born, accounts=filling.accounts, seed=filling.seed, progress=progress)
    finally:
        progress.end()
    write_personas(home.path, [Persona(found.name, found.login, found.sees) for found in personas])
