"""How long a large solution takes to come in: 300 tables of ten columns and a lookup, read from its zip and imported.

The import is undone afterwards, so that the data set stays as it is; what is measured ends where the commit begins.
"""

from collections.abc import Iterator
from time import perf_counter

from strongroom.jobs.bench.figures import Figure, Spread, Target
from strongroom.jobs.bench.place import Place
from strongroom.schema.changes import NewColumn, NewRelationship
from strongroom.schema.model import ColumnType, Ownership
from strongroom.solutions import Archive, Solution, import_solution, read_solution
from strongroom.solutions.model import Publisher, SolutionRelationship, SolutionTable
from strongroom.solutions.writing import write_solution

TABLES = 300
_KINDS = (
    ColumnType.STRING,
    ColumnType.INTEGER,
    ColumnType.DECIMAL,
    ColumnType.DATETIME,
    ColumnType.BOOLEAN,
    ColumnType.MEMO,
    ColumnType.MONEY,
)


class _UndoneError(Exception):
    """Ends the unit of work without keeping it."""


def large_import(place: Place) -> Iterator[Figure]:
    """From the files to the last row, in seconds."""
    archive = Archive("bench", write_solution(large_solution(TABLES)))
    started = perf_counter()
    taken = 0.0
    try:
        with place.environment.session_of("admin", write=True) as session:
            import_solution(session, read_solution(archive), archive)
            taken = perf_counter() - started
            raise _UndoneError
    except _UndoneError:
        pass
    yield Figure(f"import of {TABLES} tables", Spread.of([taken]), "s", target=Target(most=60))


def large_solution(tables: int) -> Solution:
    """A solution with so many tables, each of which looks up the one before it."""
    return Solution(
        unique_name="benchlarge",
        friendly_name="Large",
        description="",
        version="1.0.0.0",
        is_managed=False,
        publisher=Publisher("bench", "Bench", "bench", 10_000),
        tables=tuple(_table(number) for number in range(tables)),
        relationships=tuple(_lookup(number) for number in range(1, tables)),
    )


def _table(number: int) -> SolutionTable:
    columns = [NewColumn(f"bench_Column{place}", _KINDS[place % len(_KINDS)]) for place in range(10)]
    return SolutionTable(
        logical_name=f"bench_table{number}",
        schema_name=f"bench_Table{number}",
        ownership=Ownership.USER,
        entity_set_name=None,
        label=f"Table {number}",
        collection_label=f"Tables {number}",
        description="",
        primary_name=NewColumn("bench_Name", ColumnType.STRING, max_length=100),
        columns=(*columns, NewColumn("bench_Before", ColumnType.LOOKUP)),
    )


def _lookup(number: int) -> SolutionRelationship:
    child, parent = f"bench_table{number}", f"bench_table{number - 1}"
    return SolutionRelationship(NewRelationship(f"bench_table{number}_before", parent, child), "bench_Before")
