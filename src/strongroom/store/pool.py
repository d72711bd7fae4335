"""The connections of one process.

The last one given back is the first one taken: a process that works on one thread, as the server does, always uses
the same connection, whose page cache its own writes keep valid. Nested or threaded use opens more of them.
"""

from threading import Lock

from strongroom.store.engine import Connection, Engine

MOST_IDLE = 4


class Pool:
    """Open connections that nobody uses at the moment."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._idle: list[Connection] = []
        self._lock = Lock()
        self._is_closed = False

    def take(self) -> Connection:
        """A connection without a transaction."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._engine.connect()

    def give_back(self, connection: Connection) -> None:
        """Keep the connection for the next one, unless it is broken or there are enough."""
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

    def close(self) -> None:
        """Close all idle connections, and those in use when they come back."""
        self._is_closed = True
        self.drop_idle()
