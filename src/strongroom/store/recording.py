"""A store whose queries and statements are written down as they run, for whoever asks what a request does.

Recording puts itself in front of the engine's connections and of the reader of one database: what is not recorded pays
nothing for it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, TypeVar, cast

from strongroom.access.planned import PlannedSelect
from strongroom.store.engine import Connection, Engine, Raw
from strongroom.store.protocol import Value
from strongroom.store.reading import Reader
from strongroom.store.work import Work

T = TypeVar("T")
_SHOWN = 60
"""Characters of a bound value that are kept."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One statement: its text, its values as they were bound, the rows that it gave (None for one without rows), and
    how long the engine took."""

    sql: str
    parameters: tuple[str, ...]
    rows: int | None
    seconds: float


@dataclass(slots=True)
class Recording:
    """What ran since it began, in order. `queries` are those of clients, which security has seen."""

    queries: list[PlannedSelect] = field(default_factory=list[PlannedSelect])
    statements: list[Ran] = field(default_factory=list[Ran])


class RecordingReader(Reader):
    """A reader that writes down what it is asked for."""

    def __init__(self, plain: Reader, recording: Recording) -> None:
        super().__init__(plain.statements, plain.estimates, plain.numbers)
        object.__setattr__(self, "_recording", recording)

    def select(self, work: Work, query: PlannedSelect) -> list[tuple[Value, ...]]:
        self._note(query)
        return super().select(work, query)

    def count(self, work: Work, query: PlannedSelect, limit: int | None) -> int:
        self._note(query)
        return super().count(work, query, limit)

    def _note(self, query: PlannedSelect) -> None:
        recording: Recording = self.__dict__["_recording"]
        recording.queries.append(query)


class RecordingConnection:
    """A connection that writes down its statements; everything else is the connection's own."""

    def __init__(self, plain: Connection, recording: Recording) -> None:
        self._plain = plain
        self._recording = recording

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)

    def query(self, sql: str, parameters: Sequence[object] = (), *, one_plan: bool | None = None) -> list[Raw]:
        return self._timed(sql, parameters, lambda: self._plain.query(sql, parameters, one_plan=one_plan), len)

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        return self._timed(sql, parameters, lambda: self._plain.execute(sql, parameters), None)

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        self._timed(sql, (), lambda: self._plain.execute_many(sql, rows), None)

    def _timed(
        self, sql: str, parameters: Sequence[object], run: Callable[[], T], size: Callable[[Any], int] | None
    ) -> T:
        started = perf_counter()
        found = run()
        seconds = perf_counter() - started
        shown = tuple(_shown(value) for value in parameters)
        self._recording.statements.append(Ran(sql, shown, None if size is None else size(found), seconds))
        return found


class RecordingEngine:
    """An engine whose connections record; everything else is the engine's own."""

    def __init__(self, plain: Engine, recording: Recording) -> None:
        self._plain = plain
        self._recording = recording

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)

    def connect(self) -> Connection:
        return cast("Connection", RecordingConnection(self._plain.connect(), self._recording))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
