"""What stores the trace of refused requests, beside the requests, in every process of a server that keeps one."""

import logging

from strongroom.environment import Environment
from strongroom.environments import Environments
from strongroom.monitoring.trace import keep
from strongroom.records import Session
from strongroom.records.platform_user import platform_caller
from strongroom.rounds import Rounds

_PERIOD_S = 1.0
_logger = logging.getLogger("strongroom.trace")


class TraceKeeping(Rounds):
    """Once a second, what was refused in it."""

    def __init__(self, environments: Environments) -> None:
        super().__init__("trace", _PERIOD_S, _logger)
        self._environments = environments

    def look(self) -> None:
        """Store what each environment's trace has gathered."""
        self.in_each(self._environments, _store, "storing the trace of")

    def stop(self) -> None:
        """End, with nothing left in memory."""
        super().stop()
        self._guarded(self.look, "storing the trace")


def _store(environment: Environment) -> None:
    taken = {} if environment.trace is None else environment.trace.take()
    if not taken:
        return
    with environment.database.write() as transaction:
        caller = platform_caller(transaction.schema)
        keep(Session(transaction, caller, environment.clock, environment.rules), taken)
