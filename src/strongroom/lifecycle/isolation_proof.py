"""`ProveIsolation`: tries to reach each environment's rows from each other one, and says door by door what came of it
(TS-401, TS-403, TS-404).

Each environment gets a row with a random word in it. From every other one the row is asked for by its id, the word is
looked for in every table of a kind that people read, and in the trail; tokens, keys, places and back-ups of the one are
tried on the other; and no file of the home may hold the word in clear. Then the rows are removed; their entries in the
trail stay, and say what they were. The doors of HTTP are tried by the tests of Strongroom itself on every route.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import permutations
from secrets import token_hex

from strongroom.environment import Environment
from strongroom.errors import HomeError, InvalidRequest, StrongroomError, Unauthenticated
from strongroom.estate import Ledger
from strongroom.home import EnvironmentKind, EnvironmentRecord, Home
from strongroom.identity.tokens import TokenVerifier, issue
from strongroom.ids import Guid
from strongroom.lifecycle.backups import Backups
from strongroom.lifecycle.manifest import Manifest
from strongroom.lifecycle.proofs import FAILED, NOT_MEASURABLE, PASSED, overall, signed
from strongroom.opening import open_environment
from strongroom.records.delete import delete_rows
from strongroom.records.platform_user import SYSTEM_USER
from strongroom.store.at_rest import found_in, opens, reach_of

KIND = "strongroom proof of isolation"
_TABLES = ("account", "contact", "annotation", "task", "systemuser", "team")
_LIFETIME = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Side:
    """One environment while it is looked at: open, with its canary's word and row."""

    record: EnvironmentRecord
    environment: Environment
    word: str
    row: Guid


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What was tried at a door, and what came of it: None where it cannot be tried here."""

    door: str
    attempt: str
    expected: str
    got: str
    is_fine: bool | None


def prove_isolation(home: Home, names: list[str], *, by: str) -> dict[str, object]:
    """The signed report about two or more environments of business data."""
    if len(set(names)) < 2:
        raise InvalidRequest(
            "Name two environments or more: isolation is between them.",
            details={"reason": "need-two", "rule": "TS-403", "target": "EnvironmentIds"},
        )
    records = [home.environment(name) for name in dict.fromkeys(names)]
    if any(record.kind is not EnvironmentKind.BUSINESS for record in records):
        raise InvalidRequest("The control environment holds no business data to look for: name others.")
    with ExitStack() as stack:
        sides = [_entered(home, record, stack) for record in records]
        doors = [
            _told(attempt, mine.record, theirs.record)
            for mine, theirs in permutations(sides, 2)
            for attempt in _attempts(home, mine, theirs)
        ]
        doors += [_told(attempt, None, side.record) for side in sides for attempt in _on_disk(home, side)]
    return signed(
        home,
        KIND,
        {
            "Environments": [{"Id": side.record.id, "Name": side.record.name} for side in sides],
            "RequestedBy": by,
            "Doors": doors,
            "Result": overall([str(door["Result"]) for door in doors]),
        },
    )


def _entered(home: Home, record: EnvironmentRecord, stack: ExitStack) -> _Side:
    """An environment with its canary, which is taken out at the end, whatever happens."""
    environment = open_environment(home, record.name)
    stack.callback(environment.close)
    ledger = Ledger(environment.database, environment.rules, environment.clock)
    word = f"canary-{token_hex(16)}"
    owner = ledger.rows("team", isdefault=True)[0].reference()
    row = ledger.add("account", {"name": word, "ownerid": owner})
    stack.callback(_take_out, ledger, row)
    return _Side(record, environment, word, row)


def _take_out(ledger: Ledger, row_id: Guid) -> None:
    with ledger.writing() as session:
        row = session.transaction.row(session.table("account"), row_id)
        if row is not None:
            delete_rows(session, [row], is_platform=True)


def _attempts(home: Home, mine: _Side, theirs: _Side) -> Iterator[_Attempt]:
    """Everything that is tried with what is `mine` on what is `theirs`, and the reverse."""
    with mine.environment.database.read() as transaction:
        tables = transaction.schema.tables
        found = transaction.row(tables["account"], theirs.row)
        yield _Attempt("id", "account by the other's id", "no row", _number(found is not None), found is None)
        for name in _TABLES:
            table = tables[name]
            column = table.primary_name or table.primary_id
            rows = transaction.rows_where(table, {column: theirs.word}, limit=1)
            yield _Attempt("search", f"{name} by the other's word", "no row", _number(bool(rows)), not rows)
        entries = transaction.rows_where(tables["audit"], {"objectid": theirs.row}, limit=1)
        yield _Attempt("audit", "entries about the other's row", "none", _number(bool(entries)), not entries)
    yield _token(home, mine, theirs)
    yield from _keys(home, mine, theirs)
    yield _links(mine, theirs)
    yield from _place(home, mine, theirs)
    yield from _backups(home, mine, theirs)


def _token(home: Home, mine: _Side, theirs: _Side) -> _Attempt:
    token = issue(home.keys, mine.record.id, SYSTEM_USER, home.clock, _LIFETIME)
    verifier = TokenVerifier(home.keys, home.clock)
    got = _refusal(lambda: verifier.verify(token, theirs.record.id), Unauthenticated)
    return _Attempt("token", "a token of the one at the other", "401", got or "accepted", got is not None)


def _keys(home: Home, mine: _Side, theirs: _Side) -> Iterator[_Attempt]:
    ring, clock = home.keys, home.clock
    own, other = ring.data_key(mine.record.id).reveal(), ring.data_key(theirs.record.id).reveal()
    yield _Attempt("key", "data keys compared", "different", "different" if own != other else "same", own != other)
    for purpose in ("backup", "journal"):
        one, two = (ring.environment_key(each.record.id, purpose, clock).reveal() for each in (mine, theirs))
        is_other = one != two
        yield _Attempt("key", f"{purpose} keys compared", "different", "different" if is_other else "same", is_other)
    if theirs.record.engine == "sqlcipher":
        is_shut = not opens(home.database_file(theirs.record), own)
        yield _Attempt("store", "the other's file with this key", "shut", "shut" if is_shut else "open", is_shut)


def _links(mine: _Side, theirs: _Side) -> _Attempt:
    is_other = mine.environment.paging_key != theirs.environment.paging_key
    got = "different" if is_other else "same"
    return _Attempt("links", "keys of page, change and file tokens compared", "different", got, is_other)


def _place(home: Home, mine: _Side, theirs: _Side) -> Iterator[_Attempt]:
    """Where the stores are, and whether the one's way in leads to the other."""
    engines = {mine.record.engine, theirs.record.engine}
    if engines == {"sqlcipher"}:
        one, two = (home.database_file(each.record).stat() for each in (mine, theirs))
        is_other = (one.st_dev, one.st_ino) != (two.st_dev, two.st_ino)
        yield _Attempt("store", "files compared", "different", "different" if is_other else "same", is_other)
    if engines == {"postgresql"}:
        addresses = [home.database_address(each.record).reveal().decode() for each in (mine, theirs)]
        reach = reach_of(addresses[0], addresses[1], theirs.record.name)
        got = f"role '{reach.role}' has rights there" if reach.reaches else "no rights"
        yield _Attempt("store", "the other's schema with this role", "no rights", got, not reach.reaches)
    is_own = mine.environment.database is not theirs.environment.database
    yield _Attempt("pool", "connections and caches compared", "different", "different" if is_own else "same", is_own)


def _backups(home: Home, mine: _Side, theirs: _Side) -> Iterator[_Attempt]:
    backups = Backups(home)
    manifest: Manifest | None = next(iter(backups.listed(theirs.record.id)), None)
    if manifest is None:
        yield _Attempt("back-up", "the other's back-up with this key", "shut", "there is no back-up", None)
        return
    is_shut = not backups.opens_with(manifest, mine.record.id)
    yield _Attempt("back-up", "the other's back-up with this key", "shut", "shut" if is_shut else "open", is_shut)


def _on_disk(home: Home, side: _Side) -> Iterator[_Attempt]:
    """TS-404: the word is in no file of the home: stores, logs, journals, back-ups."""
    needle = {"word": side.word.encode()}
    leaks = [path.name for path in sorted(home.path.rglob("*")) if path.is_file() and found_in(path, needle)]
    got = ", ".join(leaks[:5]) or "none"
    yield _Attempt("disk", "files of the home with the word in clear", "none", got, not leaks)


def _refusal(act: Callable[[], object], expected: type[StrongroomError]) -> str | None:
    try:
        act()
    except expected as error:
        return str(error.status)
    except HomeError:
        return None
    return None


def _number(is_there: bool) -> str:
    return "a row" if is_there else "no row"


def _told(attempt: _Attempt, mine: EnvironmentRecord | None, theirs: EnvironmentRecord) -> Mapping[str, object]:
    result = NOT_MEASURABLE if attempt.is_fine is None else PASSED if attempt.is_fine else FAILED
    return {
        "Door": attempt.door,
        "From": mine.name if mine else "the home's folder",
        "To": theirs.name,
        "Attempt": attempt.attempt,
        "Expected": attempt.expected,
        "Got": attempt.got,
        "Result": result,
    }
