"""Doing an operation on environments for a command: who asks, progress, and the question before what is dangerous."""

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from strongroom.cli.options import opened
from strongroom.cli.output import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_C = TypeVar("_C", bound="Callable[..., object]")


def confirm_option(command: _C) -> _C:
    """`--confirm NAME`, passed as `confirm`."""
    return click.option(
        "--confirm", metavar="NAME", help="The environment's name again, where nobody is there to be asked."
    )(command)


def require_confirmed(name: str, confirm: str | None, what: str) -> None:
    """Ask a person, or take `--confirm`. Raises `InvalidRequest` unless the name was given (TS-410)."""
    from strongroom.errors import InvalidRequest

    if confirm is None and sys.stdin.isatty():
        confirm = click.prompt(f"{what} Type the name '{name}' to go on", default="", show_default=False)
    if confirm != name:
        raise InvalidRequest(
            f"{what} To do it, repeat the name: --confirm {name}.",
            details={"reason": "confirm-name", "rule": "TS-410", "target": "confirm"},
        )


def run_operation(
    home: Path, kind: str, arguments: "Mapping[str, str | None]", *, database: str | None = None
) -> "dict[str, object]":
    """Do an operation and give what there is to say of it."""
    from strongroom.keys import Secret
    from strongroom.lifecycle.operations import Asked, perform

    progress = Progress()
    told = {name: value for name, value in arguments.items() if value}
    asked = Asked(
        told, f"command line ({getpass.getuser()})", Secret(database.encode()) if database else None, progress
    )
    try:
        return dict(perform(opened(home), kind, asked))
    finally:
        progress.end()
