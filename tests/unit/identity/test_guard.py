"""What failures lock, and whom not (TS-703)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.engines import START
from tests.worlds import World

from strongroom.clock import TestClock, iso
from strongroom.identity import guard
from strongroom.identity.directory import Directory
from strongroom.records import standard_rules
from strongroom.store.protocol import Database


@pytest.fixture
def clock() -> TestClock:
    return TestClock(START)


@pytest.fixture
def directory(database: Database, clock: TestClock) -> Iterator[Directory]:
    World(database)
    made = Directory(database, standard_rules(), clock)
    made.prepare()
    made.prepare()
    yield made


def fail(directory: Directory, account: str, address: str, times: int, *, known: bool = False) -> None:
    with directory.writing() as session:
        for _ in range(times):
            guard.count_failure(session, guard.subjects(account, address, is_known_place=known))


def locked(directory: Directory, account: str, address: str, *, known: bool = False) -> bool:
    with directory.reading() as transaction:
        counted = guard.subjects(account, address, is_known_place=known)
        return guard.is_locked(transaction, counted, iso(directory.now()))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_a_network_is_what_one_party_has(address: str, network: str) -> None:
    assert guard.network(address) == network


def test_ten_failures_lock_one_account_from_one_network(directory: Directory) -> None:
    fail(directory, "ada", "192.0.2.1", 9)
    assert not locked(directory, "ada", "192.0.2.1")
    fail(directory, "ADA ", "192.0.2.200", 1)

    assert locked(directory, "ada", "192.0.2.1")
    assert not locked(directory, "ada", "198.51.100.1")
    assert not locked(directory, "bo", "192.0.2.1")


def test_locks_double_up_to_an_hour_and_are_forgotten_after_quiet(directory: Directory, clock: TestClock) -> None:
    lengths: list[int] = []
    for _ in range(8):
        fail(directory, "ada", "192.0.2.1", 10)
        began = clock.now()
        while locked(directory, "ada", "192.0.2.1"):
            clock.move_to(clock.now() + timedelta(minutes=1))
        lengths.append(int((clock.now() - began).total_seconds()) // 60)
    assert lengths == [1, 2, 4, 8, 16, 32, 60, 60]

    clock.move_to(clock.now() + timedelta(hours=2))
    fail(directory, "ada", "192.0.2.1", 10)
    clock.move_to(clock.now() + timedelta(seconds=61))
    assert not locked(directory, "ada", "192.0.2.1")


def test_slow_failures_lock_nobody(directory: Directory, clock: TestClock) -> None:
    """Ten within ten minutes count."""
    for _ in range(30):
        fail(directory, "ada", "192.0.2.1", 1)
        clock.move_to(clock.now() + timedelta(minutes=2))
    assert not locked(directory, "ada", "192.0.2.1")


def test_one_network_that_tries_many_accounts_is_locked_out(directory: Directory) -> None:
    """Password spraying."""
    for number in range(50):
        fail(directory, f"user{number}", "192.0.2.1", 1)

    assert locked(directory, "somebody-else", "192.0.2.99")


def test_many_networks_against_one_account_do_not_lock_out_where_it_is_at_home(directory: Directory) -> None:
    for number in range(100):
        fail(directory, "ada", f"10.0.{number}.1", 1)

    assert locked(directory, "ada", "203.0.113.1")
    assert not locked(directory, "ada", "198.51.100.1", known=True)


def test_an_administrator_lifts_the_locks_of_an_account(directory: Directory) -> None:
    fail(directory, "ada", "192.0.2.1", 10)
    fail(directory, "adam", "192.0.3.1", 10)
    with directory.writing() as session:
        assert guard.unlock(session, "ada") == 2

    assert not locked(directory, "ada", "192.0.2.1")
    assert locked(directory, "adam", "192.0.3.1")


def test_rows_that_let_somebody_in_are_read_by_nobody(directory: Directory) -> None:
    """TS-702, TS-713: hashes and secrets are in columns that are not valid for reading."""
    with directory.reading() as transaction:
        tables = transaction.schema.tables
    for table, column in (
        ("authenticationmethod", "secret"),
        ("authenticationmethod", "previous"),
        ("applicationcredential", "secret"),
        ("signinsession", "digest"),
        ("refreshtokenfamily", "digest"),
        ("onetimetoken", "digest"),
        ("onetimetoken", "content"),
    ):
        found = tables[table].columns[column]
        assert not found.valid_for_read
        assert not found.valid_for_create
        assert not found.valid_for_update
        assert not found.is_audited
