"""`strongroom bench`: the workloads of the performance page, as ratios to hand-written SQL in the same run.

| module | what |
| --- | --- |
| `place`, `loading`, `connecting` | the data set: made through the verbs, kept, opened |
| `bare` | the hand-written statements |
| `reading`, `counting`, `writing`, `plain`, `grants` | the engine: W1 to W5, SQLCipher against plain, grants |
| `questions`, `changing` | explain, who, what if, a unit that moves; a role that changes under load |
| `importing` | a solution of 300 tables |
| `keeping` | the journal beside single and bulk creates; new keys for a hundred environments |
| `by_hand` | PostgreSQL's row security: beside the product's lists, and on statements by hand |
| `trail` | what auditing costs, and searching a long trail |
| `proof` | sealing and verifying the trail, the sealer's lag, reading that is told |
| `serving`, `client`, `bare_server` | the whole server: lists over HTTP, cold start, memory |
| `requests` | `$metadata` of 300 tables, CreateMultiple of 1,000 rows, sums by FetchXML |
| `rounds`, `figures` | timing side by side; the report |
"""

import os
import platform
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from strongroom.errors import HomeError
from strongroom.jobs.bench import (
    by_hand,
    changing,
    counting,
    grants,
    importing,
    instructions,
    keeping,
    plain,
    proof,
    questions,
    reading,
    requests,
    serving,
    trail,
    writing,
)
from strongroom.jobs.bench.bare import Bare
from strongroom.jobs.bench.figures import Figure, Report, Spread, Target
from strongroom.jobs.bench.loading import Progress
from strongroom.jobs.bench.place import Place, open_place

SMALL = 10_000
ROUNDS = 9

_Part = Callable[[Place, Place, int], Iterator[Figure]]

PARTS: dict[str, _Part] = {
    "load": lambda place, _, rounds: _loading(place),
    "W1": lambda place, _, rounds: reading.one_row(place, Bare(place.connect()), rounds),
    "W2": lambda place, _, rounds: reading.lists(place, Bare(place.connect()), rounds),
    "W2-work": lambda place, _, rounds: reading.units_of_work(place, Bare(place.connect()), rounds),
    "W2-growth": lambda place, small, rounds: reading.growth(place, small, rounds),
    "W2-instructions": lambda place, small, _: instructions.of_lists(place, small),
    "W2-orders": lambda place, _, rounds: reading.other_orders(place, Bare(place.connect()), rounds),
    "W3": lambda place, _, rounds: counting.counts(place, Bare(place.connect()), rounds),
    "W4": lambda place, _, rounds: writing.writes(place, place.connect(), rounds),
    "trail": lambda place, _, rounds: trail.figures(place, place.connect(), rounds),
    "proof": lambda place, _, rounds: proof.figures(place, rounds),
    "grants": lambda place, small, rounds: grants.resolution(place),
    "questions": lambda place, small, rounds: questions.questions(place, rounds),
    "role-changes": lambda place, small, rounds: changing.role_changes(place, rounds),
    "row-security": lambda place, small, rounds: by_hand.row_security(place, rounds),
    "import": lambda place, small, rounds: importing.large_import(place),
    "metadata": lambda place, _, rounds: requests.metadata(place, rounds),
    "bulk": lambda _, small, rounds: requests.many_rows(small, rounds),
    "sums": lambda _, small, rounds: requests.sums(small, small.connect(), rounds),
    "plain": lambda place, small, rounds: plain.against_plain(small, rounds),
    "journal": lambda place, small, rounds: keeping.journal(rounds) if place.engine == "sqlcipher" else iter(()),
    "keys": lambda place, small, rounds: keeping.rotation(rounds) if place.engine == "sqlcipher" else iter(()),
    "http": lambda place, _, rounds: serving.over_http(place, rounds),
}
"""What can be measured, by the name that `--only` takes, in the order of a whole run."""

_ON_SMALL = frozenset({"W2-growth", "W2-instructions", "bulk", "sums", "plain"})
"""Parts that look at the data set of 10,000 accounts too."""


def measure(
    *,
    accounts: int,
    database: str | None,
    folder: Path | None,
    progress: Progress,
    rounds: int = ROUNDS,
    only: tuple[str, ...] = (),
) -> Report:
    """Measure on SQLCipher, and on the PostgreSQL server at `database` when given.

    `folder` keeps the data sets; without it they are made in a temporary folder. `only` names parts of `PARTS`.
    """
    unknown = [name for name in only if name not in PARTS]
    if unknown:
        raise HomeError(f"'{unknown[0]}' is nothing that can be measured; there are: {', '.join(PARTS)}.")
    report = Report(accounts, rounds, _machine())
    with ExitStack() as stack:
        chosen = folder or Path(stack.enter_context(TemporaryDirectory(prefix="strongroom-bench-")))
        chosen.mkdir(parents=True, exist_ok=True)
        for address in (None, database) if database else (None,):
            place = open_place(chosen, accounts, address, progress)
            stack.callback(place.environment.close)
            small = place
            if accounts != SMALL and (not only or _ON_SMALL & set(only)):
                small = open_place(chosen, SMALL, address, progress)
                stack.callback(small.environment.close)
            found: list[Figure] = []
            report.figures[place.engine] = found
            for name, part in PARTS.items():
                if not only or name in only:
                    for figure in part(place, small, rounds):
                        found.append(figure)
                        progress(name, len(found), len(found))
    return report


def _loading(place: Place) -> Iterator[Figure]:
    if place.loaded is not None:
        least = 9_000 if place.engine == "sqlcipher" else 30_000
        yield Figure("load with audit", Spread.of([place.loaded.rate]), "rows/s", target=Target(least=least))


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


__all__ = ["PARTS", "ROUNDS", "Report", "measure"]
