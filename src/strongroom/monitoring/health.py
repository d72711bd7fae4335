"""Whether what looks after an environment is at work: sealing, alert rules, the stream of events (TS-007, TS-818).

Read from the tables, so that every process says the same, also one that does none of this itself. Counts and moments
only: nothing in it is about a person.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from strongroom.identity.directory import number
from strongroom.monitoring.reading import RULES, position
from strongroom.monitoring.stream import FAILING, REFUSED, lags
from strongroom.monitoring.tables import ALERT, SEVERITIES
from strongroom.store.protocol import Transaction

BEHIND_S = 60
"""Seconds after which work that waits is late."""

_CLOSED = 4


@dataclass(frozen=True, slots=True)
class Health:
    """One environment at a moment. `problems` are words of ours, empty when all is well."""

    leaves: int
    sealed_on: str | None
    waiting_for_seal_s: int
    waiting_for_rules: int
    destinations: int
    failing_destinations: int
    waiting_events: int
    open_alerts: dict[str, int]
    problems: tuple[str, ...]

    @property
    def is_well(self) -> bool:
        """Whether there is nothing to be put right."""
        return not self.problems

    def shown(self) -> dict[str, object]:
        """As JSON."""
        return {"status": "ok" if self.is_well else "degraded", **asdict(self), "problems": list(self.problems)}


def health_of(transaction: Transaction, now: datetime) -> Health:
    """The health of the environment that a transaction is in."""
    log = transaction.log
    size, heads, unsealed = log.size(), log.heads(newest=1), log.unsealed(1)
    waiting_s = 0
    if unsealed:
        waiting_s = max(int((now - datetime.fromisoformat(str(unsealed[0].values["createdon"]))).total_seconds()), 0)
    judged = position(transaction, RULES)
    streams = lags(transaction)
    failing = [each for each in streams if each.state in (FAILING, REFUSED) and each.failures]
    problems: list[str] = []
    if waiting_s > BEHIND_S:
        problems.append("entries of the trail wait for their seal")
    if judged is not None and size - judged > 0 and waiting_s > BEHIND_S:
        problems.append("alert rules are behind")
    if failing:
        problems.append("events cannot be delivered")
    return Health(
        leaves=size,
        sealed_on=heads[0].signed_on if heads else None,
        waiting_for_seal_s=waiting_s,
        waiting_for_rules=0 if judged is None else max(size - judged, 0),
        destinations=len(streams),
        failing_destinations=len(failing),
        waiting_events=sum(each.waiting for each in streams),
        open_alerts=_open_alerts(transaction),
        problems=tuple(problems),
    )


def _open_alerts(transaction: Transaction) -> dict[str, int]:
    found: dict[str, int] = dict.fromkeys(SEVERITIES, 0)
    table = transaction.schema.tables[ALERT]
    for state in range(1, _CLOSED):
        for row in transaction.rows_where(table, {"state": state}):
            found[SEVERITIES[(number(row, "severity") or 1) - 1]] += 1
    return found
