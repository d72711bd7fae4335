"""A receiver that sends a byte now and then does not hold anybody up (TS-819)."""

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Event, Thread

import pytest

from strongroom.monitoring.outbound import ended_in_time


@pytest.fixture
def dripping() -> Iterator[int]:
    """The port of a server whose answer never comes to its end, though each piece of it comes soon."""
    ended = Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                connection, _ = listening.accept()
                with connection:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
                    while not ended.wait(0.01):
                        connection.sendall(b"x")

        thread = Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        ended.set()
        thread.join()


def test_an_exchange_ends_though_each_step_of_it_is_in_time(dripping: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", dripping, timeout=10)
    started = time.monotonic()
    with pytest.raises((OSError, http.client.HTTPException)), ended_in_time(connection, 0.2):
        connection.request("POST", "/", b"{}")
        connection.getresponse().read(1_000_000)
    assert time.monotonic() - started < 30
    connection.close()
