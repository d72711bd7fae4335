"""Other requests than lists, as clients send them: the description of a large environment, many rows at once, sums.

`$metadata` and CreateMultiple go through HTTP to a server; sums are read by FetchXML in a unit of work of their own,
beside the hand-written statement on the same file or database.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import orjson

from strongroom.home import create_home
from strongroom.identity.tokens import issue
from strongroom.ids import Guid
from strongroom.jobs.bench.client import Connection, request
from strongroom.jobs.bench.figures import Figure, Spread, Target
from strongroom.jobs.bench.importing import TABLES, large_solution
from strongroom.jobs.bench.place import Place, make_control
from strongroom.jobs.bench.rounds import interleaved, ratio
from strongroom.jobs.bench.serving import served, token_of
from strongroom.opening import create_environment
from strongroom.query.fetchxml import read_fetchxml
from strongroom.records import Birth, RequestFacts, retrieve_page
from strongroom.records.reading_context import read_context
from strongroom.solutions import Archive, import_solution, read_solution
from strongroom.solutions.writing import write_solution
from strongroom.store.engine import Connection as StoreConnection

_MANY = 1_000
_API = "/api/data/v9.2"
_SUMS = (
    '<fetch aggregate="true"><entity name="account">'
    '<attribute name="statecode" alias="state" groupby="true"/>'
    '<attribute name="accountid" alias="number" aggregate="count"/>'
    '<attribute name="revenue" alias="total" aggregate="sum"/>'
    '<attribute name="numberofemployees" alias="largest" aggregate="max"/>'
    "</entity></fetch>"
)
_BARE_SUMS = (
    "select statecode, count(accountid), sum(revenue), max(numberofemployees) from account group by statecode"
    " order by statecode"
)


def metadata(place: Place, rounds: int) -> Iterator[Figure]:
    """`$metadata` of an environment with 300 more tables, once it has been asked for; on SQLCipher, in an environment
    of its own."""
    if place.engine != "sqlcipher":
        return
    with TemporaryDirectory(prefix="strongroom-bench-") as folder:
        home = create_home(Path(folder) / "home")
        make_control(home)
        environment, _ = create_environment(home, "large", Birth("large", "admin@bench"))
        archive = Archive("bench", write_solution(large_solution(TABLES)))
        with environment.session_of("admin", write=True) as session:
            import_solution(session, read_solution(archive), archive)
            administrator = session.caller.id
        token = issue(home.keys, environment.id, administrator, environment.clock, timedelta(hours=1))
        environment.close()
        with served(home.path) as (port, _):
            connection = Connection(port)
            asked = request(f"{_API}/$metadata", token)
            started = perf_counter()
            _succeed(connection, asked)
            first = perf_counter() - started
            found = [_timed(connection, asked) for _ in range(rounds)]
            connection.close()
    yield Figure(
        f"$metadata of {TABLES} tables and those of the platform", Spread.of(found), "ms", target=Target(most=50)
    )
    yield Figure("… asked for the first time", Spread.of([first * 1e3]), "ms")


def many_rows(place: Place, rounds: int) -> Iterator[Figure]:
    """CreateMultiple of 1,000 rows through HTTP, with audit; the rows go away in the end."""
    everything = next(each for each in place.archetypes if each.name == "global")
    token, numbers = token_of(place, everything), count()
    made: list[Guid] = []
    found: list[float] = []
    with served(place.home.path) as (port, _):
        connection = Connection(port)
        for number in range(rounds + 1):
            targets = [_target(next(numbers)) for _ in range(_MANY)]
            path = f"{_API}/accounts/Microsoft.Dynamics.CRM.CreateMultiple"
            asked = request(path, token, body=orjson.dumps({"Targets": targets}))
            started = perf_counter()
            body = _succeed(connection, asked)
            if number:  # the first one finds out who the owners are
                found.append((perf_counter() - started) * 1e3)
            made += [Guid(each) for each in orjson.loads(body)["Ids"]]
        connection.close()
    with place.environment.database.write() as transaction:
        transaction.delete(place.table, list(transaction.rows(place.table, made).values()))
    yield Figure(f"CreateMultiple of {_MANY:,} rows", Spread.of(found), "ms", target=Target(most=100))


def sums(place: Place, connection: StoreConnection, rounds: int) -> Iterator[Figure]:
    """A FetchXML query that groups and adds up all rows of `place`: read, authorized, planned and run."""
    identity = place.identity(next(each for each in place.archetypes if each.name == "global"))

    def product() -> list[tuple[object, ...]]:
        with place.environment.session(identity, RequestFacts(), write=False) as session:
            query = read_fetchxml(session.schema, _SUMS, read_context(session), expected_table=place.table)
            return [record.values for record in retrieve_page(session, query.select).rows]

    def bare() -> list[tuple[object, ...]]:
        return connection.query(_BARE_SUMS)

    if sum(int(str(row[1])) for row in product()) != sum(int(str(row[1])) for row in bare()):
        raise ValueError("The product counts other rows than the hand-written statement.")
    found = interleaved({"product": product, "bare": bare}, rounds)
    rows = place.company.accounts
    yield ratio(
        f"FetchXML sums over {rows:,} rows", found["product"], found["bare"], "the same by hand", Target(most=1.3)
    )


def _target(number: int) -> dict[str, object]:
    return {
        "@odata.type": "Microsoft.Dynamics.CRM.account",
        "name": f"Made at once {number}",
        "accountnumber": f"M{number:07}",
        "telephone1": f"+49 30 {number:07}",
        "emailaddress1": f"office{number}@bench.example",
        "address1_city": "Berlin",
        "numberofemployees": number % 5_000,
        "revenue": number * 3 / 4,
    }


def _timed(connection: Connection, asked: bytes) -> float:
    started = perf_counter()
    _succeed(connection, asked)
    return (perf_counter() - started) * 1e3


def _succeed(connection: Connection, asked: bytes) -> bytes:
    status, body = connection.ask(asked)
    if status != 200:
        raise ConnectionError(f"The server answered {status}: {body[:300].decode(errors='replace')}")
    return body
