"""Rows out of a list into a file, and out of a file into a table.

Both are the jobs of the command line (`strongroom export-data`, `import-data`), run as the person who looks: the same
formats, rights and trail. What a file holds is kept in memory while it is brought in, where the machine allows it.
"""

import csv
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, aclosing
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.datastructures import UploadFile
from starlette.responses import Response, StreamingResponse

from strongroom.console.api import ApiError, text
from strongroom.console.data.columns import chosen_columns
from strongroom.console.data.lists import filter_in
from strongroom.console.data.tables import title_of
from strongroom.console.page import Page
from strongroom.console.threads import results_of
from strongroom.console.visit import Crumb, Visit
from strongroom.console.working import End, Step, Work, working
from strongroom.errors import StrongroomError
from strongroom.jobs.data import (
    Counts,
    Files,
    Format,
    Report,
    Wanted,
    export_pieces,
    format_of,
    import_data,
    open_data,
    read_map,
)
from strongroom.records import RequestFacts, Session
from strongroom.records.reading_context import read_context
from strongroom.schema.model import Table

_MEMORY = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
_TYPES = {Format.CSV: "text/csv; charset=utf-8", Format.JSONL: "application/x-ndjson"}
_SHOWN_REFUSALS = 200
_WAITING_PIECES = 8


async def export(visit: Visit) -> Response:
    """The list of the address as a file: its columns and conditions, all of its rows."""
    table = visit.table(visit.named("table"))
    try:
        kind = Format(visit.parameter("format") or "csv")
    except ValueError:
        kind = None
    if kind not in _TYPES:
        raise ApiError(400, "", visit.texts("A list is exported as csv or jsonl."))
    columns = [column.logical_name for column in chosen_columns(table, visit.parameter("columns"))]
    wanted = Wanted((table.logical_name,), tuple(columns), filter_in(visit, table) or None)
    pieces = _pieces(visit, wanted, kind)
    first = await anext(pieces)  # what is wrong with the question is said before there is a file

    async def whole() -> AsyncIterator[str]:
        async with aclosing(pieces):
            yield first
            async for piece in pieces:
                yield piece

    name = f'attachment; filename="{table.logical_name}.{kind.value}"'
    return StreamingResponse(whole(), media_type=_TYPES[kind], headers={"Content-Disposition": name})


def _pieces(visit: Visit, wanted: Wanted, kind: Format) -> AsyncGenerator[str]:
    """The file, read no faster than it is taken."""

    def read(give: Callable[[str], None]) -> None:
        with _opening(visit)(False) as session:
            for piece in export_pieces(session, wanted, kind, read_context(session)):
                give(piece)

    return results_of(read, _WAITING_PIECES)


async def bring(visit: Visit) -> Response:
    """A file to bring in, and bringing it in."""
    table = visit.table(visit.named("table"))
    title = visit.texts("Import into %(table)s", table=title_of(table))
    crumbs = (
        Crumb(visit.texts("Data"), visit.address("tables")),
        Crumb(title_of(table), visit.address(f"tables/{table.logical_name}")),
        Crumb(visit.texts("Import")),
    )
    problem: str | None = None
    maps = ""
    if visit.request.method == "POST":
        form = await visit.form()
        file, maps = form.get("file"), text(form.get("map"))
        try:
            if not isinstance(file, UploadFile) or not file.filename:
                raise ApiError(400, "", visit.texts("Choose a file."))
            chosen = read_map([line.strip() for line in maps.splitlines() if line.strip()])
            format_of(Path(file.filename))
            work = _bring(visit, table, Path(file.filename).name[-100:], await file.read(), chosen)
            return working(visit, title, work, crumbs=crumbs)
        except (ApiError, StrongroomError) as error:
            problem = error.message
    context = {"table": table, "problem": problem, "map": maps}
    return visit.render("import.html", title, context, crumbs=crumbs, status=400 if problem else 200)


async def _bring(visit: Visit, table: Table, name: str, content: bytes, chosen: dict[str, str]) -> Work:
    report = Report()
    refusals: list[tuple[str, str, str]] = []

    def run(give: Callable[[Step], None]) -> None:
        with TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
            path = Path(folder, name)
            path.write_bytes(content)
            files = Files.beside(path)
            source = open_data(path, None if format_of(path) is Format.PACKAGE else table.logical_name)
            try:
                import_data(
                    _opening(visit),
                    source,
                    files,
                    visit.environment.id,
                    chosen=chosen,
                    progress=lambda what, done, total: give(Step(what, done, total)),
                    report=report,
                )
            finally:
                refusals.extend(_refusals(files.errors))

    stopped = ""
    yield Step(title_of(table), 0, 0)
    try:
        async with aclosing(results_of(run)) as steps:
            async for step in steps:
                yield step
    except StrongroomError as error:
        stopped = error.message
    yield _end(report, refusals, stopped, table)


def _end(report: Report, refusals: list[tuple[str, str, str]], stopped: str, table: Table) -> End:
    counts: list[tuple[str, Counts]] = sorted(report.counts.items())
    context = {
        "table": table,
        "counts": counts,
        "left_out": sorted(report.left_out.items()),
        "refusals": refusals[:_SHOWN_REFUSALS],
        "more": max(0, len(refusals) - _SHOWN_REFUSALS),
        "stopped": stopped,
    }
    return End("import-outcome.html", context)


def _refusals(path: Path) -> Iterator[tuple[str, str, str]]:
    """(line, column, message) of each refusal in an errors file."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["line"], row["column"], row["message"]


def _opening(visit: Visit) -> Callable[[bool], AbstractContextManager[Session]]:
    """Units of work of the visitor."""
    facts = RequestFacts(visit.environment.new_id())
    return lambda write: visit.environment.session(visit.identity, facts, write=write)


PAGES = (
    Page("/tables/{table}/export", export, "data"),
    Page("/tables/{table}/import", bring, "data", ("GET", "POST")),
)
