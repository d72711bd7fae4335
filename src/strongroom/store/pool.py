"""The connections of one process.

The last one given back is the first one taken: a process that works on one thread, as the server does, always uses
the same connection, whose page cache its own writes keep valid. Nested or threaded use opens more of them.
"""

import time
from threading import Lock

from strongroom.errors import Unavailable
from strongroom.store.engine import Connection, Engine

MOST_IDLE = 4
_LOOK_S = 0.01


class Pool:
    """Open connections that nobody uses at the moment."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._idle: list[Connection] = []
        self._taken: set[Connection] = set()
        self._lock = Lock()
        self._is_closed = False

    def take(self) -> Connection:
        """A connection without a transaction."""
        with self._lock:
            if self._is_closed:
                raise Unavailable("The environment was closed; try again.")
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = self._engine.connect()
        self._taken.add(connection)
        return connection

    def give_back(self, connection: Connection) -> None:
        """Keep the connection for the next one, unless it is broken or there are enough."""
        self._taken.discard(connection)
        with self._lock:
            if not self._is_closed and not connection.is_broken and len(self._idle) < MOST_IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def drop_idle(self) -> None:
        """Close what is idle: after one connection was lost, the others likely are too."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def interrupt(self, wait_s: float) -> None:
        """End the statements that run on connections in use; their transactions are undone. Waits for that a while."""
        self._is_closed = True
        for connection in tuple(self._taken):
            connection.interrupt()
        limit = time.monotonic() + wait_s
        while self._taken and time.monotonic() < limit:
            time.sleep(_LOOK_S)

    def close(self) -> None:
        """Close all idle connections, and those in use when they come back."""
        self._is_closed = True
        self.drop_idle()
