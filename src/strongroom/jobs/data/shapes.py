"""What goes through an import: cells as a file has them, rows with their place, and what became of them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from strongroom.ids import Guid
from strongroom.records import Session

Opening = Callable[[bool], AbstractContextManager[Session]]
"""Opens a unit of work of the importing user; True for one that writes, which is committed at its end."""

Progress = Callable[[str, int, int], None]
"""Told the table, the rows done, and the rows there are (0: not known)."""


@dataclass(frozen=True, slots=True)
class LookupCell:
    """A lookup as files write it: an id, a name for where the id is not known, and the table where several may be."""

    table: str | None = None
    id: Guid | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class FileCell:
    """The content of a file or image column. `pieces` reads it from the beginning, each time it is called."""

    name: str
    size: int
    pieces: Callable[[], Iterator[bytes]]
    id: Guid | None = None


@dataclass(frozen=True, slots=True)
class PartyCell:
    """One party of an activity: a row, an address, or both."""

    party: LookupCell | None = None
    address: str | None = None


Cell = (
    str
    | int
    | float
    | bool
    | Decimal
    | date
    | datetime
    | LookupCell
    | FileCell
    | tuple[PartyCell, ...]
    | list[object]
    | None
)
"""A value as a file has it. An empty cell is None or the empty text."""


@dataclass(frozen=True, slots=True)
class InputRow:
    """One row. `number` counts the rows of the table from 1, `line` is where people find it in the file. A row with a
    `problem` could not be read; its cells are what is known of it."""

    number: int
    line: int
    cells: Mapping[str, Cell]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class InputLink:
    """Two rows that an N:N relationship ties, from a package."""

    number: int
    relationship: str
    source_table: str
    source: Guid
    target: Guid


@dataclass(frozen=True, slots=True)
class TableInput:
    """The rows of one table in a file. `rows` reads them from the beginning, each time it is called."""

    table: str
    headers: tuple[str, ...]
    rows: Callable[[], Iterator[InputRow]]
    total: int = 0
    compare: tuple[str, ...] = ()
    """Columns by whose values rows are told apart, where the file says so; else it is their ids."""


class Source(Protocol):
    """A file that has been looked at: what it is, and the rows in it."""

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the file."""
        ...

    @property
    def tables(self) -> tuple[TableInput, ...]: ...

    @property
    def links(self) -> tuple[InputLink, ...]: ...

    @property
    def beside(self) -> Path | None:
        """The file beside which contents lie; None where they are in it."""
        ...


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row, or one of its columns, is not in."""

    table: str
    line: int
    column: str
    message: str
    cells: Mapping[str, Cell]


@dataclass(slots=True)
class Counts:
    """What became of the rows of a table. An `incomplete` row is in, without a lookup whose row never came."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    incomplete: int = 0
    linked: int = 0
    files: int = 0
    """Contents of files and images, and party lists, that were written."""

    def add(self, other: "Counts") -> None:
        """Count another batch too."""
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.refused += other.refused
        self.incomplete += other.incomplete
        self.linked += other.linked
        self.files += other.files

    @property
    def kept(self) -> int:
        """Rows that are in, whether they were before or not."""
        return self.created + self.updated + self.unchanged + self.linked + self.files


@dataclass(slots=True)
class Report:
    """What an import came to."""

    counts: dict[str, Counts] = field(default_factory=dict[str, Counts])
    left_out: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Columns of the file that nobody can write, by table."""

    resumed: bool = False

    @property
    def status(self) -> int:
        """0 all in, 1 some rows refused or incomplete, 2 nothing done."""
        if not any(each.refused or each.incomplete for each in self.counts.values()):
            return 0
        return 1 if any(each.kept for each in self.counts.values()) else 2
