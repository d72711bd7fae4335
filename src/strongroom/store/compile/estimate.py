"""What the compiler asks of the counters: how much of a table a caller sees."""

from collections.abc import Callable
from dataclasses import dataclass

from strongroom.access.plan import Reach
from strongroom.schema.model import Table


@dataclass(frozen=True, slots=True)
class Visible:
    """Rows reached through owners and units (shares left out), and all rows of the table. Guesses are allowed."""

    visible: int
    total: int


Estimate = Callable[[Table, Reach], Visible]
"""Answers from maintained counters, never by looking at the data; only the speed of a plan depends on it."""
