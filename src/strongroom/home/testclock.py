"""The clock of a test home: the machine's clock plus the time that it was moved ahead (TS-006).

It can be moved forward only, and every process of the home sees the move at once, because it lies in a file. An
ordinary home never reads that file.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from strongroom.clock import Clock, SystemClock, iso
from strongroom.errors import HomeError, InvalidRequest
from strongroom.keys.disk import Disk, Signature, replace_file

CLOCK_FILE = "test-clock"


class MovableClock:
    """A `Clock` that runs like the machine's and can be set ahead."""

    def __init__(self, folder: Path, base: Clock | None = None) -> None:
        self._path = folder / CLOCK_FILE
        self._base = base or SystemClock()
        self._disk = Disk()
        self._ahead_ms = 0
        self._signature: Signature | None = None

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_ms() / 1000, UTC)

    def now_ms(self) -> int:
        self._follow()
        return self._base.now_ms() + self._ahead_ms

    def move_to(self, moment: datetime) -> None:
        """Set the clock to a later time, for every process of the home. Raises `InvalidRequest` for an earlier one."""
        with self._disk.lock(self._path.with_name(CLOCK_FILE + ".lock")):
            step = moment - self.now()
            if step < timedelta(0):
                raise InvalidRequest(
                    f"The clock of a test home moves forward only: {iso(moment)} is before {iso(self.now())}.",
                    code="clock-backwards",
                )
            ahead = self._ahead_ms + step // timedelta(milliseconds=1)
            replace_file(self._disk, self._path, f"{ahead}\n".encode())

    def _follow(self) -> None:
        signature = self._disk.signature(self._path)
        if signature == self._signature:
            return
        text = (self._disk.read(self._path) or b"0").strip()
        if not text.isdigit():
            raise HomeError(f"{self._path} is damaged: it must hold milliseconds as a whole number.")
        self._ahead_ms, self._signature = int(text), signature
