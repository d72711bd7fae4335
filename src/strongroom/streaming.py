"""What sends the trails of a server's environments to their destinations, beside the requests (TS-818, TS-819).

Each destination has a worker of its own, so that a receiver that is slow or away holds up neither a writer nor another
destination. Of several processes that serve one home, the first one to take a destination keeps it, with its
connection, until it ends.
"""

import logging
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from strongroom.environment import Environment
from strongroom.environments import Environments
from strongroom.errors import InvalidRequest, StrongroomError
from strongroom.home import Home
from strongroom.ids import Guid
from strongroom.keys import Secret
from strongroom.monitoring.destinations import Destination, destination_of
from strongroom.monitoring.events import Origin
from strongroom.monitoring.outbound import Outbound
from strongroom.monitoring.sending import sender_of
from strongroom.monitoring.stream import Stream
from strongroom.monitoring.tables import DESTINATION
from strongroom.rounds import Rounds
from strongroom.store.protocol import Row
from strongroom.watch import lock_of, outbound_secret

STREAM_FOLDER = "stream"
_PERIOD_S = 1.0
_WORKERS = 16

_logger = logging.getLogger("strongroom.stream")


def stream_to(home: Home, environment: Environment, row: Row) -> Stream:
    """The stream to the destination in a row. Raises `InvalidRequest` for one that cannot be."""
    destination = destination_of(row)
    sender = sender_of(
        destination,
        home.path / STREAM_FOLDER / environment.name,
        lambda: stream_secret(home, environment.id, destination),
        environment.clock,
    )
    return Stream(
        environment.database,
        environment.rules,
        environment.clock,
        Origin(environment.name, environment.id),
        destination,
        sender,
        Outbound(home.settings.outbound.allow),
        datetime.fromisoformat(str(row.values["createdon"])),
    )


def stream_secret(home: Home, environment: Guid, destination: Destination) -> Secret:
    """What the receiver of a webhook checks signatures by; another one for each destination and version."""
    return outbound_secret(home, environment, f"stream:{destination.id}:{destination.secret_version}")


def destination_named(environment: Environment, name: str) -> Row:
    """The destination with this name. Raises `InvalidRequest`."""
    with environment.database.read() as transaction:
        rows = transaction.rows_where(transaction.schema.tables[DESTINATION], {})
    found = next((row for row in rows if row.values.get("name") == name), None)
    if found is None:
        known = ", ".join(str(row.values["name"]) for row in rows) or "none yet"
        raise InvalidRequest(f"There is no destination '{name}'; there are: {known}.")
    return found


@dataclass(slots=True)
class _Work:
    """One destination that this process has taken."""

    version: int
    stream: Stream
    held: ExitStack
    running: "Future[int] | None" = None

    @property
    def is_idle(self) -> bool:
        return self.running is None or self.running.done()

    def end(self) -> None:
        """Close the connection and give the destination back."""
        self.stream.sender.close()
        self.held.close()


class Streaming(Rounds):
    """The workers of all open environments."""

    def __init__(self, environments: Environments) -> None:
        super().__init__("streams", _PERIOD_S, _logger)
        self._environments = environments
        self._work: dict[Guid, _Work] = {}
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="stream")

    def stop(self) -> None:
        """End, once the batches that are under way are through or have failed."""
        super().stop()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for work in self._work.values():
            work.end()
        self._work.clear()

    def look(self) -> None:
        """Set every destination with nothing under way to work."""
        self.in_each(self._environments, self._set_to_work, "looking at the destinations of")

    def _set_to_work(self, environment: Environment) -> None:
        with environment.database.read() as transaction:
            rows = transaction.rows_where(transaction.schema.tables[DESTINATION], {"isenabled": True})
        wanted = {row.id: row for row in rows if row.values.get("statecode") == 0}
        self._end_others(environment, wanted)
        for identity, row in wanted.items():
            work = self._work.get(identity) or self._take(environment, row)
            if work is not None and work.is_idle:
                work.running = self._pool.submit(_deliver, work.stream)

    def _end_others(self, environment: Environment, wanted: Mapping[Guid, Row]) -> None:
        """Give back destinations that are gone, off, or changed."""
        for identity, work in list(self._work.items()):
            row = wanted.get(identity)
            if work.stream.origin.environment_id != environment.id or not work.is_idle:
                continue
            is_current = work.stream.database is environment.database  # another one once it was opened anew
            if not is_current or row is None or row.version != work.version:
                work.end()
                del self._work[identity]

    def _take(self, environment: Environment, row: Row) -> _Work | None:
        """Take a destination, unless another process has it."""
        with ExitStack() as held:
            lock = lock_of(self._environments.home, environment, f"stream-{row.values['name']}")
            if not held.enter_context(lock):
                return None
            stream = stream_to(self._environments.home, environment, row)
            work = self._work[row.id] = _Work(row.version, stream, held.pop_all())
            return work


def _deliver(stream: Stream) -> int:
    try:
        return stream.deliver()
    except StrongroomError as error:  # the store is busy or locked: the next round tries again
        _logger.error("events for %s could not be sent: %s", stream.destination.name, error.message)
    except Exception:  # the boundary of the worker
        _logger.exception("events for %s could not be sent", stream.destination.name)
    return 0
