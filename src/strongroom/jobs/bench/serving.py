"""The whole server as clients meet it: one connection, many, its memory, and how soon after its start it answers."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import perf_counter, sleep

import orjson

from strongroom.identity.tokens import issue
from strongroom.jobs.bench.bare import Bare
from strongroom.jobs.bench.client import Connection, request, throughput
from strongroom.jobs.bench.figures import Figure, Spread, Target
from strongroom.jobs.bench.place import COLUMNS, PAGE, Place
from strongroom.jobs.bench.rounds import interleaved, ratio
from strongroom.jobs.demo import Archetype

_CONNECTIONS = 16
_ANSWERS = 1_600
_REQUESTS = 10_000
_PATH = f"/api/data/v9.2/accounts?$select={','.join(COLUMNS)}&$orderby=name"
_PREFER = f"odata.maxpagesize={PAGE}"
_PATIENCE_S = 60.0


def over_http(place: Place, rounds: int) -> Iterator[Figure]:
    """W2 through HTTP, the start and the memory of a worker."""
    home = place.home.path
    asked = {each.name: request(_PATH, token_of(place, each), _PREFER) for each in place.archetypes}
    yield _cold_start(home, asked["bu"], rounds)
    with served(home) as (product, process):
        for name in ("bu", "deep_s", "global", "mixed"):
            yield from _list(place, name, asked[name], product, rounds)
        yield _memory_after_requests(product, process, list(asked.values()))
    with served(home) as (product, process):
        everything = next(each for each in place.archetypes if each.name == "global")
        yield from _memory_while_paging(product, process, token_of(place, everything))


def token_of(place: Place, archetype: Archetype) -> str:
    """A token of the archetype, for as long as a run may take."""
    environment = place.environment
    return issue(place.home.keys, environment.id, archetype.user, environment.clock, timedelta(hours=8))


def _cold_start(home: Path, asked: bytes, rounds: int) -> Figure:
    found: list[float] = []
    for _ in range(min(rounds, 7)):
        started = perf_counter()
        with served(home, asked):
            found.append(perf_counter() - started)
    return Figure("cold start to the first list", Spread.of(found), "s", target=Target(most=0.8))


def _list(place: Place, name: str, asked: bytes, product: int, rounds: int) -> Iterator[Figure]:
    with_names = [*COLUMNS, "accountid", "versionnumber"]
    connection = Connection(product)
    rows = orjson.loads(connection.ask(asked)[1])["value"]
    bare = Bare(place.connect())
    keys = bare.keys([str(row["accountid"]) for row in rows])
    sql = f"select {', '.join(with_names)} from account where id in ({', '.join(map(str, keys))})"
    with _running(*_bare_command(place, sql, with_names)) as (reference, _):
        other, plain = Connection(reference), request("/")
        found = interleaved({"product": lambda: connection.ask(asked), "bare": lambda: other.ask(plain)}, rounds)
        yield ratio(f"HTTP list {name}, 1 connection", found["product"], found["bare"], _BARE, Target(most=2.5))
        many = (_CONNECTIONS, _ANSWERS)
        shares = [throughput(product, [asked], *many) / throughput(reference, [plain], *many) for _ in range(rounds)]
        yield Figure(
            f"HTTP list {name}, {_CONNECTIONS} connections, share of throughput",
            Spread.of(shares),
            reference=_BARE,
            target=Target(least=0.4),
        )
        other.close()
    connection.close()


_BARE = "bare ASGI application with the same page"


def _bare_command(place: Place, sql: str, names: list[str]) -> tuple[int, list[str]]:
    port = _free_port()
    module = "strongroom.jobs.bench.bare_server"
    return port, [sys.executable, "-m", module, str(place.home.path), str(port), sql, ",".join(names)]


def _memory_after_requests(port: int, process: int, asked: list[bytes]) -> Figure:
    throughput(port, asked, _CONNECTIONS, _REQUESTS)
    return Figure(
        f"memory after {_REQUESTS:,} requests", Spread.of([_resident_mib(process)]), "MiB", target=Target(most=120)
    )


def _memory_while_paging(port: int, process: int, token: str) -> Iterator[Figure]:
    """All rows, 5,000 to a page, along `@odata.nextLink`."""
    connection = Connection(port)
    path: str | None = _PATH
    sizes: list[float] = []
    rows = 0
    started = perf_counter()
    while path is not None:
        answer = orjson.loads(connection.ask(request(path, token))[1])
        rows += len(answer["value"])
        following: str | None = answer.get("@odata.nextLink")
        path = None if following is None else "/" + following.split("/", 3)[3]
        sizes.append(_resident_mib(process))
    seconds = perf_counter() - started
    connection.close()
    # The first pages fill the page cache and the statement cache; what comes after must not grow.
    settled = sizes[len(sizes) // 5 :]
    yield Figure(f"memory while paging {rows:,} rows", Spread.of(settled), "MiB", target=Target(most=160))
    yield Figure("growth while paging", Spread.of([settled[-1] / settled[0]]), target=Target(most=1.1))
    yield Figure("paging, 5,000 to a page", Spread.of([rows / seconds]), "rows/s")


# --- processes -----------------------------------------------------------------------------------------------------


@contextmanager
def served(home: Path, asked: bytes | None = None, workers: int = 1) -> Generator[tuple[int, int]]:
    """`strongroom serve`, from its start to its stop: port and process. It is there when `asked` has been answered."""
    port = _free_port()
    command = [sys.executable, "-m", "strongroom.cli", "serve", "--home", str(home), "--port", str(port)]
    command += ["--workers", str(workers)]
    with _running(port, command, asked or request("/healthz")) as running:
        yield running


@contextmanager
def _running(port: int, command: list[str], asked: bytes | None = None) -> Generator[tuple[int, int]]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own
    try:
        _await(port, process, asked or request("/"))
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=_PATIENCE_S)


def _await(port: int, process: "subprocess.Popen[bytes]", asked: bytes) -> None:
    deadline = perf_counter() + _PATIENCE_S
    while perf_counter() < deadline:
        if process.poll() is not None:
            raise ConnectionError(f"The server ended with status {process.returncode} before it answered.")
        try:
            connection = Connection(port)
        except ConnectionRefusedError:
            sleep(0.002)
            continue
        status, _ = connection.ask(asked)
        connection.close()
        if status == 200:
            return
        raise ConnectionError(f"The server answered {status}.")
    raise ConnectionError("The server did not answer in time.")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _resident_mib(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
