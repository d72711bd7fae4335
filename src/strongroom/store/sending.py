"""Sending rows to a PostgreSQL server from a thread of its own, while this one prepares what comes after them.

The driver takes rows into memory as fast as they are written and hands them to the socket only when it is asked to, or
when it waits for the end. Between the two the server would have nothing to do, though storing the rows is more work for
it than making them was for us.
"""

from collections.abc import Generator
from contextlib import contextmanager
from select import select
from threading import Event, Thread

from psycopg.errors import OperationalError
from psycopg.pq.abc import PGconn

_LOOK_S = 0.05


@contextmanager
def sending(connection: PGconn) -> Generator[None]:
    """What was written to `connection` goes out during the block, which must not use it. Nothing is raised for a
    connection that is lost: whoever uses it next is told."""
    is_over = Event()

    def send() -> None:
        try:
            while not is_over.is_set() and connection.flush():
                select((), (connection.socket,), (), _LOOK_S)
        except (OperationalError, OSError, ValueError):
            return

    thread = Thread(target=send, name="rows", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


__all__ = ["sending"]
