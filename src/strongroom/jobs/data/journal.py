"""How far an import is, in a file beside the input; and the file of errors that grows with it.

The journal is JSON lines: what is imported how by whom, then a line for each batch, written after the batch is
committed. A batch that was committed while its line was not written is done again by the next run, which finds every
row as it is already, and so changes nothing. Each line also tells how long the file of errors was, so that no refusal
stands in it twice. A lock keeps a second run away while the first is alive.
"""

import csv
import fcntl
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from strongroom.errors import Conflict, InvalidRequest
from strongroom.jobs.data.neutral import neutral
from strongroom.jobs.data.party_lists import text_of
from strongroom.jobs.data.private_files import owner_only
from strongroom.jobs.data.shapes import Counts, FileCell, LookupCell, PartyCell, Refusal

_PLACE = ("line", "column", "message")


@dataclass(slots=True)
class Step:
    """A line of the journal: the rows of a table that are done in a phase, and what became of the last batch."""

    phase: str
    table: str
    done: int
    counts: Counts
    postponed: list[tuple[int, list[str]]] = field(default_factory=list[tuple[int, list[str]]])
    """Rows that are in without these lookups, which come when all rows are there."""

    moved: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    """Rows that are here under another id than in the file: table, id there, id here."""

    errors_bytes: int = 0


class Journal:
    """The journal of one input, locked for this process."""

    def __init__(self, path: Path, about: Mapping[str, object]) -> None:
        """Take up the journal at `path`, or begin one. Raises `Conflict` when somebody else is at it, or when it
        belongs to another import."""
        self.path = path
        self.steps: list[Step] = []
        self._file: BinaryIO = open(path, "a+b", opener=owner_only)  # noqa: SIM115 - held until `close`
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise Conflict(f"Another import of this file is running: it holds '{path.name}'.") from None
        try:
            self._take_up(about)
        except BaseException:
            self._file.close()
            raise

    def note(self, step: Step) -> None:
        """Add a step, safely on the disk."""
        self.steps.append(step)
        self._write(asdict(step))

    def close(self) -> None:
        """Let go of the journal; the next run takes it up."""
        self._file.close()

    def finish(self) -> None:
        """The import is through: there is nothing to take up any more."""
        self.path.unlink(missing_ok=True)
        self._file.close()

    def _take_up(self, about: Mapping[str, object]) -> None:
        self._file.seek(0)
        lines = self._file.read().split(b"\n")
        torn = len(lines.pop())  # what is behind the last line break was never finished
        if torn:
            self._file.truncate(self._file.tell() - torn)
        if not lines:
            self._write(about)
            return
        try:
            first, *steps = [cast("dict[str, object]", json.loads(line)) for line in lines]
            self.steps = [_step(each) for each in steps]
        except (ValueError, TypeError, KeyError):
            raise InvalidRequest(f"'{self.path.name}' is no journal of an import; remove it to begin anew.") from None
        different = [name for name in about if first.get(name) != about[name]]
        if different:
            raise Conflict(
                f"An import that was not finished left '{self.path.name}', and this one differs in "
                f"{', '.join(different)}: finish that one as it was begun, or remove the file to begin anew."
            )

    def _write(self, value: Mapping[str, object]) -> None:
        self._file.write(json.dumps(value, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _step(line: dict[str, object]) -> Step:
    counts = Counts(**cast("dict[str, int]", line.pop("counts")))
    postponed = [(number, columns) for number, columns in cast("list[tuple[int, list[str]]]", line.pop("postponed"))]
    moved = [(table, there, here) for table, there, here in cast("list[tuple[str, str, str]]", line.pop("moved", []))]
    return Step(counts=counts, postponed=postponed, moved=moved, **line)  # pyright: ignore[reportArgumentType] -- as `note` wrote it


class ErrorsFile:
    """`<name>.errors.csv`: a line for each refusal. It is there only when there is one."""

    def __init__(self, path: Path, headers: Sequence[str] | None, kept_bytes: int) -> None:
        """`headers` are those of the input; None for several tables, whose values then share one column as JSON.
        What is behind `kept_bytes` belongs to a batch that is done again."""
        self.path = path
        self.size = kept_bytes
        self._headers = headers
        if path.exists():
            if kept_bytes:
                os.truncate(path, kept_bytes)
            else:
                path.unlink()

    def add(self, refusals: Sequence[Refusal]) -> None:
        """Write refusals, safely on the disk."""
        if not refusals:
            return
        text = io.StringIO()
        writer = csv.writer(text)
        if not self.size:
            named = [neutral(name) for name in self._headers] if self._headers is not None else None
            writer.writerow((*_PLACE, *named) if named is not None else ("table", *_PLACE, "values"))
        for each in refusals:
            place = (str(each.line), each.column, neutral(each.message))
            if self._headers is not None:
                writer.writerow((*place, *(neutral(_shown(each.cells.get(name))) for name in self._headers)))
            else:
                values = json.dumps({name: _shown(cell) for name, cell in each.cells.items()}, ensure_ascii=False)
                writer.writerow((each.table, *place, values))
        with open(self.path, "ab", opener=owner_only) as file:
            file.write(text.getvalue().encode("utf-8", "backslashreplace"))
            file.flush()
            os.fsync(file.fileno())
            self.size = file.tell()


def _shown(cell: object) -> str:
    if isinstance(cell, LookupCell):
        known = f"{cell.table}:" if cell.table else ""
        return f"{known}{cell.id or cell.name or ''}"
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, FileCell):
        return cell.name
    if isinstance(cell, tuple):
        return text_of(cast("tuple[PartyCell, ...]", cell))
    return "" if cell is None else str(cell)
