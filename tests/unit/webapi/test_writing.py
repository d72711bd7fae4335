"""How answers are written: head and body by one call, and nothing is held back that nothing follows."""

from asyncio import Transport
from typing import Any

from strongroom.webapi.writing import WholeAnswers

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"


class Written(Transport):
    """A connection that keeps what was written, call by call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[bytes] = []
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.calls.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


def test_head_and_body_go_out_together() -> None:
    below = Written()
    answers = WholeAnswers(below)

    for _ in range(2):
        answers.write(HEAD)
        answers.write(b"body")

    assert below.calls == [HEAD + b"body", HEAD + b"body"]


def test_a_head_that_no_body_follows_goes_out_with_the_end_of_the_answer_or_of_the_connection() -> None:
    below = Written()
    answers = WholeAnswers(below)

    answers.write(HEAD)
    answers.flush()
    answers.flush()
    answers.write(HEAD)
    answers.close()

    assert below.calls == [HEAD, HEAD]
    assert answers.is_closing()


def test_what_may_be_long_in_coming_waits_for_nothing() -> None:
    """Interim answers, and heads of answers whose length is not known."""
    below = Written()
    answers = WholeAnswers(below)
    parts = [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        b"4\r\nbody\r\n",
    ]

    for part in parts:
        answers.write(part)

    assert below.calls == parts


def test_a_large_body_is_not_copied() -> None:
    below = Written()
    answers = WholeAnswers(below)
    body = bytes(300 * 1024)

    answers.write(HEAD)
    answers.write(body)

    assert below.calls == [HEAD, body]
