"""Imports and exports in tests: short ways to run them as a user of a world."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.worlds import World

from strongroom.ids import Guid
from strongroom.jobs.data import Files, Format, Report, Wanted, export_data, format_of, import_data, open_data
from strongroom.query.ast import ReadContext
from strongroom.records import Session


def _silent(what: str, done: int, total: int) -> None:
    """No progress."""


@dataclass
class Mover:
    """Moves data for one user of a world; the administrator, unless told."""

    world: World
    user: Guid | None = None

    def session(self, write: bool) -> AbstractContextManager[Session]:
        return self.world.acting(self.user or self.world.admin)

    def load(self, path: Path, table: str | None = None, chosen: Mapping[str, str] | None = None) -> Report:
        """Import a file."""
        report = Report()
        source = open_data(path, table)
        import_data(
            self.session,
            source,
            Files.beside(path),
            "test",
            chosen=dict(chosen or {}),
            progress=_silent,
            report=report,
        )
        return report

    def save(self, path: Path, *tables: str, columns: tuple[str, ...] | None = None, where: str | None = None) -> Path:
        """Export to a new file."""
        with self.session(False) as session:
            context = ReadContext(str(session.caller.id), str(session.caller.unit_id), (), session.now)
            export_data(session, Wanted(tables, columns, where), path, format_of(path), context, _silent)
        return path


FORMATS = [".csv", ".jsonl", ".xlsx", ".zip"]
assert len(FORMATS) == len(Format)
