"""Homes for tests, made by the command line on either engine."""

from pathlib import Path

from tests.engines import Stores
from tests.servers import run_cli


def make_home(folder: Path, stores: Stores, engine: str, *options: str) -> Path:
    """A new home in `folder` whose business environment is on `engine`."""
    home = folder / "home"
    database = ("--database", str(stores.empty_place(engine))) if engine == "postgresql" else ()
    run_cli("init", "--home", str(home), *database, *options)
    return home
