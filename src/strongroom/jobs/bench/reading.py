"""W1 to W3: one row, lists, counts, as every archetype."""

from collections.abc import Iterator
from dataclasses import replace

from strongroom.access.planned import PlannedSelect, planned
from strongroom.jobs.bench.bare import Bare
from strongroom.jobs.bench.figures import Figure, Target
from strongroom.jobs.bench.place import COLUMNS, PAGE, Place
from strongroom.jobs.bench.rounds import interleaved, ratio
from strongroom.jobs.demo import Archetype
from strongroom.query.ast import Comparison, Field, Literal, Operator, Select
from strongroom.records import RequestFacts, retrieve_page
from strongroom.records.read import COUNT_CAP
from strongroom.schema.model import ColumnType
from strongroom.store.protocol import Transaction

_FACTS = RequestFacts()
_BY_GUID = "the row by GUID"
_BY_KEY = "50 known rows by primary key"
_WHOLE = "count(*) of the table"


def one_row(place: Place, bare: Bare, rounds: int) -> Iterator[Figure]:
    """W1: a row that the caller sees, and one that it does not."""
    for archetype in place.archetypes:
        with place.environment.session(place.identity(archetype), _FACTS, write=False) as session:
            transaction = session.transaction
            listed = planned(place.list_by(), session.caller)
            seen = transaction.select(listed)[0][-1]
            query = planned(_only(place, place.list_by(), seen), session.caller)
            found = interleaved(
                {"product": lambda: transaction.select(query), "bare": lambda: bare.row(str(seen))}, rounds
            )
            yield ratio(f"W1 {archetype.name}, seen", found["product"], found["bare"], _BY_GUID, Target(most=1.3))


def _only(place: Place, select: Select, row_id: object) -> Select:
    identity = Field("", place.table.columns[place.table.primary_id])
    is_this = Comparison(Operator.EQUAL, identity, Literal(row_id, ColumnType.UNIQUEIDENTIFIER))
    return replace(select, where=is_this, order=(), page_size=None)


def lists(place: Place, bare: Bare, rounds: int) -> Iterator[Figure]:
    """W2: the first page and the next one, by the engine alone and as a whole unit of work."""
    for archetype in place.archetypes:
        most = {"global": 1.1, "mixed": 4.5}.get(archetype.name, 4.0)
        with place.environment.session(place.identity(archetype), _FACTS, write=False) as session:
            transaction = session.transaction
            query = planned(place.list_by(), session.caller)
            rows = transaction.select(query)
            yield _list(f"W2 {archetype.name}, page 1", transaction, query, bare, rounds, most)
            if len(rows) > PAGE:
                after = rows[PAGE - 1][len(COLUMNS) :]
                query = planned(replace(place.list_by(), after=after), session.caller)
                yield _list(f"W2 {archetype.name}, page 2", transaction, query, bare, rounds, most)


def _list(
    measure: str, transaction: Transaction, query: PlannedSelect, bare: Bare, rounds: int, most: float
) -> Figure:
    rows = transaction.select(query)[:PAGE]
    sql = bare.known_rows(bare.keys([str(row[-1]) for row in rows]))
    found = interleaved(
        {"product": lambda: transaction.select(query), "bare": lambda: bare.connection.query(sql)}, rounds
    )
    return ratio(measure, found["product"], found["bare"], _BY_KEY, Target(most=most))


def units_of_work(place: Place, bare: Bare, rounds: int) -> Iterator[Figure]:
    """W2 from the outside of the core: begin, resolve the caller, plan, read, make records, end."""
    for archetype in place.archetypes:
        identity, select = place.identity(archetype), place.list_by()

        def read(identity: object = identity, select: Select = select) -> object:
            return _page(place, archetype, select)

        with place.environment.session(identity, _FACTS, write=False) as session:
            rows = session.transaction.select(planned(select, session.caller))[:PAGE]
        sql = bare.known_rows(bare.keys([str(row[-1]) for row in rows]))
        found = interleaved({"product": read, "bare": lambda sql=sql: bare.connection.query(sql)}, rounds)
        yield ratio(f"W2 {archetype.name}, unit of work", found["product"], found["bare"], _BY_KEY)


def _page(place: Place, archetype: Archetype, select: Select) -> object:
    with place.environment.session(place.identity(archetype), _FACTS, write=False) as session:
        return retrieve_page(session, select)


def counts(place: Place, bare: Bare, rounds: int) -> Iterator[Figure]:
    """W3: how many rows the caller sees, exactly and up to the cap of `$count`."""
    for archetype in place.archetypes:
        with place.environment.session(place.identity(archetype), _FACTS, write=False) as session:
            transaction = session.transaction
            query = planned(replace(place.list_by(), order=(), page_size=None), session.caller)
            most = 1.0 if archetype.name == "mixed" else 0.05
            found = interleaved(
                {
                    "exact": lambda: transaction.count(query, None),
                    "capped": lambda: transaction.count(query, COUNT_CAP),
                    "bare": bare.count,
                },
                rounds,
            )
            yield ratio(f"W3 {archetype.name}, exact", found["exact"], found["bare"], _WHOLE, Target(most=most))
            yield ratio(f"W3 {archetype.name}, $count", found["capped"], found["bare"], _WHOLE)
