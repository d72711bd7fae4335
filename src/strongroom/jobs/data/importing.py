"""A file into an environment: batches, each in a transaction of its own, and what comes of them.

The order is: all rows of each table in the order of the file, then the lookups that pointed to rows further down, then
files, images and party lists, then N:N links. What a batch may not do is found by halves, down to the row, so that one
row that is refused takes no other with it. After each batch comes its step in the journal; a run that was ended goes on
behind the last one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from strongroom.errors import InvalidRequest, PreconditionFailed, StrongroomError
from strongroom.ids import Guid, Reference
from strongroom.jobs.data.contents import has_contents, incomplete_content, store_contents, units
from strongroom.jobs.data.journal import ErrorsFile, Journal, Step
from strongroom.jobs.data.mapping import TableMapping, mapped
from strongroom.jobs.data.shapes import (
    Counts,
    InputLink,
    InputRow,
    Opening,
    Progress,
    Refusal,
    Report,
    Source,
    TableInput,
)
from strongroom.jobs.data.storing import Place, Stored, incomplete, store_lookups, store_rows
from strongroom.records import Session, associate
from strongroom.records.authorize import demand_privilege
from strongroom.records.create import refuse_direct_writes
from strongroom.schema.model import ManyToMany, Rights

BATCH = 500
"""Rows in one transaction."""

_ABOUT_ROWS = frozenset({400, 403, 404, 405, 409, 412, 413})
"""Errors with these statuses are about what a row says; others, such as a store that is away, end the run."""

_LINKED_ALREADY = "0x80040237"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Files:
    """Where an import keeps its files: beside the input."""

    journal: Path
    errors: Path

    @classmethod
    def beside(cls, path: Path) -> "Files":
        """`accounts.csv` has `accounts.csv.journal` and `accounts.errors.csv`."""
        return cls(path.with_name(f"{path.name}.journal"), path.with_suffix(".errors.csv"))


def import_data(
    open_session: Opening,
    source: Source,
    files: Files,
    environment: str,
    *,
    chosen: dict[str, str],
    progress: Progress,
    report: Report,
) -> None:
    """Import all of `source`; `chosen` are the columns of `--map`. `report` is kept up to date, so that it tells what
    is in when this raises: `InvalidRequest` for a file that does not fit, before anything is done, or whatever ends
    the run."""
    with open_session(False) as session:
        own = _by_table(source, chosen)
        mappings = [_planned(session, each, own[each.table]) for each in source.tables]
        user = session.caller.id
    report.left_out.update({each.table: list(each.left_out) for each in mappings if each.left_out})
    about = {"file": source.fingerprint, "environment": environment, "user": user, "map": chosen}
    journal = Journal(files.journal, about)
    try:
        run = _Run(open_session, source, journal, files.errors, progress, report)
        for mapping in mappings:
            run.rows(mapping)
        for mapping in mappings:
            run.lookups(mapping)
        for mapping in mappings:
            run.contents(mapping)
        run.links()
    except BaseException:
        journal.close()
        raise
    journal.finish()


def _by_table(source: Source, chosen: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The columns of `--map` for each table; where there are several, each header stands behind its table."""
    if len(source.tables) == 1:
        return {source.tables[0].table: dict(chosen)}
    found: dict[str, dict[str, str]] = {each.table: {} for each in source.tables}
    for header, column in chosen.items():
        table, _, name = header.partition(".")
        if table not in found:
            raise InvalidRequest(f"--map '{header}': the file has several tables; write TABLE.{header}=COLUMN.")
        found[table][name] = column
    return found


def _planned(session: Session, wanted: TableInput, chosen: Mapping[str, str]) -> TableMapping:
    name = wanted.table
    table = session.schema.tables.get(name)
    if table is None:
        raise InvalidRequest(f"There is no table '{name}'; name it by its logical name, as in --table account.")
    refuse_direct_writes(table)
    demand_privilege(session, table, Rights.READ)
    compare = () if table.primary_id in wanted.compare else wanted.compare
    return mapped(table, wanted.headers, chosen, compare)


class _Run:
    """One run over a file, from where the journal says."""

    def __init__(
        self,
        open_session: Opening,
        source: Source,
        journal: Journal,
        errors: Path,
        progress: Progress,
        report: Report,
    ) -> None:
        self._open = open_session
        self._source = source
        self._journal = journal
        self._progress = progress
        self._report = report
        self._place = Place(source.fingerprint, frozenset(each.table for each in source.tables), source.beside)
        self._done: dict[tuple[str, str], int] = {}
        self._postponed: dict[str, dict[int, list[str]]] = {}
        report.resumed = bool(journal.steps)
        for step in journal.steps:
            self._count(step)
        headers = source.tables[0].headers if len(source.tables) == 1 and not source.links else None
        self._errors = ErrorsFile(errors, headers, journal.steps[-1].errors_bytes if journal.steps else 0)

    def rows(self, mapping: TableMapping) -> None:
        """Bring in the rows of a table."""
        table = next(each for each in self._source.tables if each.table == mapping.table)
        behind = self._done.get(("rows", mapping.table), 0)

        def act(session: Session, rows: Sequence[InputRow]) -> Stored:
            return store_rows(session, mapping, rows, self._place)

        def refuse(row: InputRow, error: StrongroomError) -> Stored:
            return Stored(Counts(refused=1), [Refusal(mapping.table, row.line, "", error.message, row.cells)])

        for batch in _batches(row for row in table.rows() if row.number > behind):
            self._note("rows", mapping.table, batch[-1].number, self._attempt(batch, act, refuse), table.total)

    def lookups(self, mapping: TableMapping) -> None:
        """Set the lookups of a table that had to wait."""
        waiting = self._postponed.get(mapping.table, {})
        if not waiting:
            return
        table = next(each for each in self._source.tables if each.table == mapping.table)
        behind = self._done.get(("lookups", mapping.table), 0)

        def act(session: Session, rows: Sequence[tuple[InputRow, Sequence[str]]]) -> Stored:
            return store_lookups(session, mapping, rows, self._place)

        def refuse(item: tuple[InputRow, Sequence[str]], error: StrongroomError) -> Stored:
            row, names = item
            return Stored(Counts(incomplete=1), [incomplete(mapping.table, row, ", ".join(names), error.message)])

        found = ((r, waiting[r.number]) for r in table.rows() if r.number > behind and r.number in waiting)
        for batch in _batches(found):
            self._note("lookups", mapping.table, batch[-1][0].number, self._attempt(batch, act, refuse), table.total)

    def contents(self, mapping: TableMapping) -> None:
        """Bring in the files, images and parties of a table's rows, row by row."""
        if not has_contents(mapping):
            return
        table = next(each for each in self._source.tables if each.table == mapping.table)
        behind = self._done.get(("contents", mapping.table), 0)

        def act(session: Session, rows: Sequence[InputRow]) -> Stored:
            return store_contents(session, mapping, rows, self._place)

        def refuse(row: InputRow, error: StrongroomError) -> Stored:
            return Stored(Counts(incomplete=1), [incomplete_content(mapping, row, error)])

        for unit in units(mapping, (row for row in table.rows() if row.number > behind), BATCH):
            self._note("contents", mapping.table, unit[-1].number, self._attempt(unit, act, refuse), table.total)

    def links(self) -> None:
        """Tie the rows that the file says are tied."""
        links = self._source.links
        behind = self._done.get(("links", ""), 0)

        def refuse(link: InputLink, error: StrongroomError) -> Stored:
            cells = {"source": link.source, "target": link.target}
            refusal = Refusal(link.source_table, link.number, link.relationship, error.message, cells)
            return Stored(Counts(refused=1), [refusal])

        def act(session: Session, batch: Sequence[InputLink]) -> Stored:
            return _tie_all(session, batch, self._place.moved)

        for batch in _batches(link for link in links if link.number > behind):
            self._note("links", "", batch[-1].number, self._attempt(batch, act, refuse), len(links))

    def _attempt(
        self,
        items: Sequence[T],
        act: Callable[[Session, Sequence[T]], Stored],
        refuse: Callable[[T, StrongroomError], Stored],
    ) -> Stored:
        """`act` on all in one transaction, or else on halves, down to the items that are refused themselves."""
        try:
            with self._open(True) as session:
                return act(session, items)
        except StrongroomError as error:
            if error.status not in _ABOUT_ROWS:
                raise
            if len(items) == 1:
                return refuse(items[0], error)
        middle = len(items) // 2
        stored = self._attempt(items[:middle], act, refuse)
        stored.add(self._attempt(items[middle:], act, refuse))
        return stored

    def _note(self, phase: str, table: str, done: int, stored: Stored, total: int) -> None:
        self._errors.add(stored.refusals)
        step = Step(phase, table, done, stored.counts, stored.postponed, stored.moved, self._errors.size)
        self._journal.note(step)
        self._count(step)
        self._progress(f"{table or 'links'}{f' ({phase})' if phase in ('lookups', 'contents') else ''}", done, total)

    def _count(self, step: Step) -> None:
        self._done[step.phase, step.table] = step.done
        self._postponed.setdefault(step.table, {}).update(step.postponed)
        self._place.moved.update({(table, Guid(there)): Guid(here) for table, there, here in step.moved})
        self._report.counts.setdefault(step.table or "links", Counts()).add(step.counts)


def _tie_all(session: Session, links: Sequence[InputLink], moved: Mapping[tuple[str, Guid], Guid]) -> Stored:
    stored = Stored()
    for link in links:
        found = _relationship(session, link)
        is_first = found.table1 == link.source_table
        other = found.table2 if is_first else found.table1
        source = Reference(link.source_table, moved.get((link.source_table, link.source), link.source))
        target = Reference(other, moved.get((other, link.target), link.target))
        try:
            associate(session, found, *((source, target) if is_first else (target, source)))
            stored.counts.linked += 1
        except PreconditionFailed as error:
            if error.code != _LINKED_ALREADY:
                raise
            stored.counts.unchanged += 1
    return stored


def _relationship(session: Session, link: InputLink) -> ManyToMany:
    """By its own name or that of its intersect table: packages have either."""
    wanted = link.relationship.lower()
    for each in session.schema.many_to_many.values():
        if wanted in (each.schema_name.lower(), each.intersect) and link.source_table in (each.table1, each.table2):
            return each
    raise InvalidRequest(f"There is no N:N relationship '{link.relationship}' of '{link.source_table}'.")


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    remaining = iter(items)
    while batch := list(islice(remaining, BATCH)):
        yield batch
