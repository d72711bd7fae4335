"""Time enters here and nowhere else, so that a test can hold it."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where the rest of the program asks for the time."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        ...

    def now_ms(self) -> int:
        """The present in milliseconds since 1970."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class TestClock:
    """A clock that only moves when told to."""

    __test__ = False

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def now_ms(self) -> int:
        return int(self._now.timestamp() * 1000)

    def move_to(self, moment: datetime) -> None:
        """Set the time; it may go backwards, as real clocks do."""
        self._now = moment


def moment_of(text: str) -> datetime | None:
    """The moment that an ISO 8601 text names, such as 2024-05-01T10:15:00Z; None without a zone, or for no time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment


def iso(moment: datetime) -> str:
    """`moment` as the platform stores and sends times: UTC, whole seconds, `2024-05-01T10:15:00Z` (WA-90)."""
    return f"{moment.astimezone(UTC).isoformat()[:19]}Z"
