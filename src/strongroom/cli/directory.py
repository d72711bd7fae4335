"""What the commands about people, programs and sessions share: the directory of a home, and users of environments."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from strongroom.home import Home
    from strongroom.identity.directory import Directory
    from strongroom.records import Session

_C = TypeVar("_C", bound=Callable[..., object])


def membership_options(command: _C) -> _C:
    """`--environment E` and `--role R`, passed as `environments` and `roles`."""
    command = click.option(
        "--role", "-r", "roles", multiple=True, metavar="R", help="Give this role there; may be repeated."
    )(command)
    return click.option(
        "--environment",
        "-e",
        "environments",
        multiple=True,
        metavar="E",
        help="Make it a user of this environment; may be repeated. Without it, of the home's default one.",
    )(command)


@contextmanager
def open_directory(home: "Home") -> Generator["Directory"]:
    """The directory of a home. Whoever can read the home's keys may change it."""
    from strongroom.home.registry import CONTROL
    from strongroom.opening import directory_in, open_environment

    control = open_environment(home, CONTROL)
    try:
        yield directory_in(control)
    finally:
        control.close()


def in_environments(home: "Home", names: Sequence[str], act: Callable[["Session"], object]) -> list[str]:
    """Do something in each environment as its first administrator, and return their names."""
    from strongroom.opening import open_environment

    chosen = list(names) or [home.default_environment().name]
    for name in chosen:
        environment = open_environment(home, name)
        try:
            with environment.session_of("admin", write=True) as session:
                act(session)
        finally:
            environment.close()
    return chosen
