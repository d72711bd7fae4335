"""What is written to the log (WA-54)."""

import json
import logging
from collections.abc import Iterator

import pytest

from strongroom.webapi.telemetry import set_up_logging


@pytest.fixture(autouse=True)
def other_logging() -> Iterator[None]:
    """Gives pytest its own logging back."""
    root, driver = logging.getLogger(), logging.getLogger("psycopg")
    handlers, levels = root.handlers[:], (root.level, driver.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    driver.setLevel(levels[1])


@pytest.mark.parametrize("level", ["debug", "info", "warning"])
def test_warnings_of_the_database_driver_are_left_out(level: str, capsys: pytest.CaptureFixture[str]) -> None:
    """They name host, database and user of a connection; its errors and our warnings are written."""
    set_up_logging(level)
    logging.getLogger("psycopg").warning("error ignored in rollback on <Connection user=ada database=main>")
    logging.getLogger("psycopg.pool").warning("error connecting as ada")
    logging.getLogger("psycopg").error("callback")
    logging.getLogger("strongroom").warning("ours")

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["message"] for line in lines] == ["callback", "ours"]
