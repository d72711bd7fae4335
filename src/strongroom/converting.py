"""Converts the rows of columns whose encryption is being changed, beside the requests, in every open environment of
this server (TS-504). What an interrupted server left goes on with the next one."""

import logging
import time

from strongroom.environment import Environment
from strongroom.environments import Environments
from strongroom.records.column_encryption import go_on
from strongroom.rounds import Rounds

_PERIOD_S = 1.0
_TURN_S = 0.3
"""How long a round goes on in one environment: other writers get most of the time."""

_logger = logging.getLogger("strongroom.converting")


class Converting(Rounds):
    """Takes the next steps of each conversion that there is."""

    def __init__(self, environments: Environments) -> None:
        super().__init__("converting", _PERIOD_S, _logger)
        self._environments = environments

    def look(self) -> None:
        """One round."""
        self.in_each(self._environments, self._go_on, "converting columns of")

    def _go_on(self, environment: Environment) -> None:
        until = time.monotonic() + _TURN_S
        while not self.is_ending and time.monotonic() < until and go_on(environment.database):
            pass
