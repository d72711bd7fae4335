"""Options that several commands share, and the home that they name."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from strongroom.home import Home
    from strongroom.records import Session

_C = TypeVar("_C", bound=Callable[..., object])


def home_option(command: _C) -> _C:
    """`--home DIR`, passed as `home`."""
    return click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="STRONGROOM_HOME",
        default=Path("home"),
        show_default="home",
        show_envvar=True,
        metavar="DIR",
        help="Folder of the home.",
    )(command)


def environment_option(command: _C) -> _C:
    """`--environment NAME`, passed as `environment`; None is the default environment."""
    return click.option("--environment", "-e", metavar="NAME", help="Environment; without it, the home's default one.")(
        command
    )


def json_option(command: _C) -> _C:
    """`--json`, passed as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(command)


def opened(home: Path) -> "Home":
    """The open home. Raises `HomeError`."""
    from strongroom.home import open_home

    return open_home(home)


@contextmanager
def session_in(home: Path, environment: str | None, user: str, *, write: bool) -> "Generator[Session]":
    """A session of `user`, a sign-in name or id, in an environment of a home; None is the default environment.

    Raises `HomeError`, and what `Environment.session_of` raises.
    """
    from strongroom.cli.telling import facts_of_command
    from strongroom.opening import open_environment

    found = open_environment(opened(home), environment)
    try:
        with found.session_of(user, write=write, facts=facts_of_command()) as session:
            yield session
    finally:
        found.close()
