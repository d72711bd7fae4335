"""Takes back the roles that were taken for a time, once it is over, in the open environments of a server (TS-730)."""

import logging

from strongroom.environment import Environment
from strongroom.environments import Environments
from strongroom.identity.elevation import end_due
from strongroom.rounds import Rounds

_PERIOD_S = 1.0
_logger = logging.getLogger("strongroom.elevating")


class Elevating(Rounds):
    """Looks each second for activations that have ended."""

    def __init__(self, environments: Environments) -> None:
        super().__init__("elevating", _PERIOD_S, _logger)
        self._environments = environments

    def look(self) -> None:
        """One round."""
        self.in_each(self._environments, self._end, "ending roles in")

    def _end(self, environment: Environment) -> None:
        ended = end_due(environment.database, environment.rules, environment.clock)
        if ended:
            _logger.info("%s roles ended in %s", ended, environment.name)
