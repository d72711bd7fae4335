"""W1 and W2: one row and lists, as every archetype."""

from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from time import perf_counter, thread_time

from strongroom.access.planned import PlannedSelect, planned
from strongroom.access.planning import plan_for
from strongroom.jobs.bench.bare import Bare
from strongroom.jobs.bench.figures import Figure, Target
from strongroom.jobs.bench.place import COLUMNS, PAGE, Place
from strongroom.jobs.bench.rounds import Act, Clock, interleaved, ratio
from strongroom.jobs.demo import Archetype
from strongroom.query.ast import Comparison, Field, Literal, Operator, Select
from strongroom.records import RequestFacts, Session, retrieve_page
from strongroom.schema.model import ColumnType, Rights
from strongroom.store.protocol import Transaction

_FACTS = RequestFacts()
_OTHER_ORDERS = ("createdon", "numberofemployees")
"""A column with an index, and one without."""
_BY_GUID = "the row by GUID"
_BY_KEY = "50 known rows by primary key"


def clock_of(place: Place) -> Clock:
    """The embedded store works in this thread alone; a server must be waited for."""
    return thread_time if place.engine == "sqlcipher" else perf_counter


def one_row(place: Place, bare: Bare, rounds: int) -> Iterator[Figure]:
    """W1: a row that the caller sees."""
    for archetype in place.archetypes:
        with place.environment.session(place.identity(archetype), _FACTS, write=False) as session:
            yield _one_row(place, bare, session, archetype.name, rounds)


def _one_row(place: Place, bare: Bare, session: Session, name: str, rounds: int) -> Figure:
    seen = session.transaction.select(planned(place.list_by(), session.caller))[0][-1]
    query = planned(_only(place, place.list_by(), seen), session.caller)
    found = interleaved(
        {"product": lambda: session.transaction.select(query), "bare": lambda: bare.row(str(seen))},
        rounds,
        clock=clock_of(place),
    )
    return ratio(f"W1 {name}", found["product"], found["bare"], _BY_GUID, Target(most=1.3))


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
            yield _list(f"W2 {archetype.name}, page 1", place, transaction, query, bare, rounds, most)
            if len(rows) > PAGE:
                after = rows[PAGE - 1][len(COLUMNS) :]
                query = planned(replace(place.list_by(), after=after), session.caller)
                yield _list(f"W2 {archetype.name}, page 2", place, transaction, query, bare, rounds, most)


def _list(
    measure: str, place: Place, transaction: Transaction, query: PlannedSelect, bare: Bare, rounds: int, most: float
) -> Figure:
    rows = transaction.select(query)[:PAGE]
    sql = bare.known_rows(bare.keys([str(row[-1]) for row in rows]))
    found = interleaved(
        {"product": lambda: transaction.select(query), "bare": lambda: bare.connection.query(sql)},
        rounds,
        clock=clock_of(place),
    )
    return ratio(measure, found["product"], found["bare"], _BY_KEY, Target(most=most))


def units_of_work(place: Place, bare: Bare, rounds: int) -> Iterator[Figure]:
    """W2 from the outside of the core: begin, resolve the caller, plan, read, make records, end."""
    select = place.list_by()
    for archetype in place.archetypes:
        with place.environment.session(place.identity(archetype), _FACTS, write=False) as session:
            rows = session.transaction.select(planned(select, session.caller))[:PAGE]
        sql = bare.known_rows(bare.keys([str(row[-1]) for row in rows]))
        found = interleaved(
            {
                "product": lambda archetype=archetype: _page(place, archetype, select),
                "bare": lambda sql=sql: bare.connection.query(sql),
            },
            rounds,
            clock=clock_of(place),
        )
        yield ratio(f"W2 {archetype.name}, unit of work", found["product"], found["bare"], _BY_KEY)


def growth(place: Place, small: Place, rounds: int) -> Iterator[Figure]:
    """W2 here against the same archetype in a small data set: the page, and each row of it where there are fewer."""
    for archetype, before in zip(place.archetypes, small.archetypes, strict=True):
        with (
            place.environment.session(place.identity(archetype), _FACTS, write=False) as here,
            small.environment.session(small.identity(before), _FACTS, write=False) as there,
        ):
            acts = {"large": _listing(here, place.list_by()), "small": _listing(there, small.list_by())}
            found = interleaved(acts, rounds, clock=clock_of(place))
            measure = f"W2 {archetype.name}, growth from {small.company.accounts:,}"
            yield ratio(measure, found["large"], found["small"], "the same list there", Target(most=1.7))
            rows, rows_before = (
                len(session.transaction.select(planned(place.list_by(), session.caller))) for session in (here, there)
            )
            if rows != rows_before:
                large = [seconds / max(rows, 1) for seconds in found["large"]]
                few = [seconds / max(rows_before, 1) for seconds in found["small"]]
                yield ratio(f"{measure}, per row", large, few, "a row of the same list there", Target(most=1.7))


def _listing(session: Session, select: Select) -> Act:
    query = planned(select, session.caller)
    return lambda: session.transaction.select(query)


def other_orders(place: Place, bare: Bare, rounds: int) -> Iterator[Figure]:
    """W2 by other columns, against the better of walking and gathering by hand."""
    for column in _OTHER_ORDERS:
        for archetype in place.archetypes:
            with place.environment.session(place.identity(archetype), _FACTS, write=False) as session:
                yield _by_other_order(place, bare, session, f"W2 {archetype.name}, by {column}", column, rounds)


def _by_other_order(place: Place, bare: Bare, session: Session, measure: str, column: str, rounds: int) -> Figure:
    reach = plan_for(session.caller, place.table, Rights.READ).reach
    walk = bare.walk(reach, column, "+" if place.engine == "sqlcipher" else "")
    gather = bare.gather(reach, column)
    found = interleaved(
        {
            "product": _listing(session, place.list_by(column)),
            "walk": lambda: bare.connection.query(walk),
            "gather": lambda: bare.connection.query(gather),
        },
        rounds,
        clock=clock_of(place),
    )
    best = min(found["walk"], found["gather"], key=median)
    return ratio(measure, found["product"], best, "best of walk and gather by hand", Target(most=1.3))


def _page(place: Place, archetype: Archetype, select: Select) -> object:
    with place.environment.session(place.identity(archetype), _FACTS, write=False) as session:
        return retrieve_page(session, select)
