"""Everything that a server does beside its requests, in the order in which it begins; `rounds` has how.

The trail is sealed first of all, and in the end once more when everything else has stopped.
"""

from collections.abc import Sequence

from strongroom.anchoring import Anchoring
from strongroom.converting import Converting
from strongroom.elevating import Elevating
from strongroom.environment import Environment
from strongroom.environments import Environments
from strongroom.keeping import Keeping
from strongroom.lifecycle.upkeep import KeepingJournals, LettingGo, Upkeep
from strongroom.request_trace import TraceKeeping
from strongroom.rounds import Rounds
from strongroom.streaming import Streaming
from strongroom.system_jobs import SystemJobs
from strongroom.trail import Sealing
from strongroom.watch import Watching, tell_of_tampering


def rounds_of(environments: Environments) -> Sequence[Rounds]:
    """The rounds of one worker, none of them begun."""

    def tell(environment: Environment) -> None:
        tell_of_tampering(environments.home, environment)

    kinds = (
        Converting,
        Elevating,
        Keeping,
        Watching,
        Streaming,
        Anchoring,
        SystemJobs,
        LettingGo,
        KeepingJournals,
        Upkeep,
    )
    rounds: list[Rounds] = [Sealing(environments, tell), *(kind(environments) for kind in kinds)]
    if environments.home.settings.server.trace:
        rounds.append(TraceKeeping(environments))
    return rounds
