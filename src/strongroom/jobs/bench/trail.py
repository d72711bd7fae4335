"""The trail: what auditing costs a write, and how quickly a long trail is searched.

The data set leaves one entry for each account. Before it is searched, the trail is lengthened to `ENTRIES` for each
account, past the verbs: updates of accounts by all users, spread over the year before, a thousand of them of one row.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from strongroom.audit import record_change_history
from strongroom.clock import iso
from strongroom.ids import Guid, Reference, new_guids
from strongroom.jobs.bench.figures import Figure, Spread, Target
from strongroom.jobs.bench.place import PAGE, SEED, Place
from strongroom.jobs.bench.reading import clock_of
from strongroom.jobs.bench.rounds import Act, interleaved, ratio
from strongroom.query.ast import Comparison, Field, Literal, Operator, Order, Output, Select, Source, conjunction
from strongroom.records import NewRecord, RequestFacts, create, retrieve_page, update
from strongroom.schema.model import ColumnType
from strongroom.store.engine import Connection, Raw
from strongroom.store.protocol import Value

ENTRIES = 10
"""Entries of the trail for each account."""

_VERSIONS = 1_000
_DAYS = 365
_CHUNK = 10_000
_BLOCK_S = 0.05
_FACTS = RequestFacts()
_COLUMNS = (
    *("id", "versionnumber", "auditid", "createdon", "operation", "action", "objectid", "objectid__table"),
    *("objecttypecode", "userid", "transactionid", "attributemask", "changedata"),
)
_SHOWN = ("createdon", "action", "operation", "objecttypecode", "userid")
_INDEXES = {
    "sqlcipher": "select name, sql from sqlite_schema where type = 'index' and tbl_name = 'audit' and sql is not null",
    "postgresql": "select indexname::text, indexdef from pg_indexes where tablename = 'audit'"
    " and schemaname = current_schema() and indexname not like '%pkey'",
}


def figures(place: Place, connection: Connection, rounds: int) -> Iterator[Figure]:
    """The cost of auditing, then searches of the trail, made long before."""
    yield from _cost(place, rounds)
    versions, day = _lengthen(place, connection)
    with place.environment.session_of("admin", write=False) as session:
        users = [Guid(str(row["systemuserid"])) for row in place.company.people.users]
        lists = [_of_user_and_day(place, user, day + timedelta(days=number)) for number, user in enumerate(users[:300])]
        entries = [len(retrieve_page(session, each).rows) for each in lists]
        measure = f"trail of {_entries(connection):,}, search by user and day"
        searches = [lambda each=each: retrieve_page(session, each) for each in lists]
        yield _times(place, f"{measure}, {sum(entries) / len(entries):.0f} found", searches, Target(most=100))
        newest = _select(place, None)
        yield _times(place, "trail, its newest 50", [lambda: retrieve_page(session, newest)] * rounds, None)
        history = [lambda: record_change_history(session.transaction, session.caller, versions)] * rounds
        yield _times(place, f"history of a row with {_VERSIONS:,} versions", history, Target(most=20))


def _times(place: Place, measure: str, acts: Sequence[Act], target: Target | None) -> Figure:
    clock = clock_of(place)
    taken: list[float] = []
    for act in acts:
        started = clock()
        act()
        taken.append((clock() - started) * 1e3)
    return Figure(measure, Spread.of(taken), "ms", target=target)


# --- what auditing costs -------------------------------------------------------------------------------------------


def _cost(place: Place, rounds: int) -> Iterator[Figure]:
    """The same creates and updates with the organization's switch on and off."""
    rows = ({name: value for name, value in row.items() if name != "ownerid"} for row in place.new_rows())
    made: list[Guid] = []
    numbers = count(1)

    def create_one() -> None:
        with place.environment.session_of("admin", write=True) as session:
            made.append(create(session, place.table, NewRecord(next(rows))))

    def update_one() -> None:
        with place.environment.session_of("admin", write=True) as session:
            number = next(numbers)
            update(session, place.table, made[number % len(made)], {"numberofemployees": number})

    for name, act in (("create", create_one), ("update", update_one)):
        switch = _Switch(place)
        acts = {"on": switch.before(act, is_on=True), "off": switch.before(act, is_on=False)}
        found = interleaved(acts, rounds, warm=True, least_s=_BLOCK_S)
        switch.turn(is_on=True)
        yield ratio(f"audited {name}", found["on"], found["off"], f"the same {name} without audit", Target(most=1.25))
    with place.environment.database.write() as transaction:
        transaction.delete(place.table, list(transaction.rows(place.table, made).values()))


class _Switch:
    """The organization's switch; the first call of a round turns it, and is not timed."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._is_on = True

    def before(self, act: Callable[[], None], *, is_on: bool) -> Act:
        """`act` with the switch turned."""

        def turned() -> None:
            self.turn(is_on=is_on)
            act()

        return turned

    def turn(self, *, is_on: bool) -> None:
        """Turn it, when it is not so already."""
        if self._is_on != is_on:
            self._is_on = is_on
            with self._place.environment.session_of("admin", write=True) as session:
                table = session.table("organization")
                row = session.transaction.rows_where(table, {}, limit=1)[0]
                update(session, table, row.id, {"isauditenabled": is_on})


# --- a long trail --------------------------------------------------------------------------------------------------


def _entries(connection: Connection) -> int:
    return connection.query("select count(*) from audit")[0][0]


def _lengthen(place: Place, connection: Connection) -> tuple[Reference, datetime]:
    """Add the entries, unless an earlier run did; the row with many versions, and the first day."""
    accounts = [row_id for (row_id,) in connection.query("select accountid from account order by id limit 200000")]
    versions = Reference("account", Guid(str(accounts[0])))
    ended = datetime.fromisoformat(place.company.until).astimezone(UTC)
    begun = ended - timedelta(days=_DAYS)
    if connection.query("select 1 from audit where createdon < ? limit 1", (iso(ended),)):
        return versions, begun
    missing = ENTRIES * place.company.accounts
    indexes = connection.query(_INDEXES[place.engine])
    connection.execute("begin")
    for name, _ in indexes:
        connection.execute(f'drop index "{name}"')
    first: int = connection.query("select version from stamp")[0][0] + 1
    connection.execute("update stamp set version = version + ?", (missing,))
    for start in range(0, missing, _CHUNK):
        number = min(_CHUNK, missing - start)
        connection.insert("audit", _COLUMNS, list(_rows(place, accounts, begun, first + start, start, number, missing)))
    for _, statement in indexes:
        connection.execute(statement)
    connection.execute("commit")
    return versions, begun


def _rows(
    place: Place, accounts: list[str], begun: datetime, key: int, start: int, number: int, total: int
) -> Iterator[Raw]:
    users = [str(row["systemuserid"]) for row in place.company.people.users]
    draw = random.Random(SEED + start)  # noqa: S311 - a data set, not a secret
    step = timedelta(days=_DAYS) / total
    for place_in, identity in enumerate(new_guids(place.environment.clock, number)):
        at = start + place_in
        row = accounts[0] if at % max(1, total // _VERSIONS) == 0 else draw.choice(accounts)
        user = users[int(len(users) * draw.random() ** 2)]
        change = f'{{"changedAttributes":[{{"logicalName":"numberofemployees","oldValue":{at},"newValue":{at + 1}}}]}}'
        moment = iso(begun + step * at)
        yield (
            *(key + place_in, key + place_in, identity, moment, 2, 2, row, "account", "account", user),
            *(identity, "44", change),
        )


def _of_user_and_day(place: Place, user: Guid, day: datetime) -> Select:
    return _select(place, (user, iso(day), iso(day + timedelta(days=1))))


def _select(place: Place, search: tuple[Guid, str, str] | None) -> Select:
    """The newest 50 entries, of a user between two moments."""
    table = place.schema.tables["audit"]

    def compare(operator: Operator, name: str, value: Value, kind: ColumnType) -> Comparison:
        return Comparison(operator, Field("", table.columns[name]), Literal(value, kind))

    where = None
    if search is not None:
        user, first, after = search
        where = conjunction(
            compare(Operator.EQUAL, "userid", user, ColumnType.UNIQUEIDENTIFIER),
            compare(Operator.GREATER_OR_EQUAL, "createdon", first, ColumnType.DATETIME),
            compare(Operator.LESS, "createdon", after, ColumnType.DATETIME),
        )
    outputs = tuple(Output(name, Field("", table.columns[name])) for name in _SHOWN)
    order = (Order(Field("", table.columns["createdon"]), descending=True),)
    return Select(Source(table), outputs, where=where, order=order, page_size=PAGE)
