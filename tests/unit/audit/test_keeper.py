"""Retention on the clock of a test home: entries go, activities are archived, holds keep (TS-807, TS-822, TS-909)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.servers import run_cli

from strongroom.audit.activities import Activity, Actor, activity
from strongroom.clock import iso
from strongroom.environment import Environment
from strongroom.home import Home, MovableClock, open_home
from strongroom.ids import Guid, Reference
from strongroom.keeping import ARCHIVE_FOLDER, Keeper
from strongroom.opening import open_environment
from strongroom.records import NewRecord, create, update
from strongroom.store.protocol import Row
from strongroom.trail import Trail


class Kept:
    """An environment of a test home, and what keeps its trail."""

    def __init__(self, home: Home, environment: Environment) -> None:
        self.home = home
        self.environment = environment
        self.trail = Trail(home, environment)
        self.keeper = Keeper(home, environment)

    def settings(self, **values: str) -> None:
        with self.environment.session_of("admin", write=True) as session:
            table = session.table("organization")
            (organization,) = session.transaction.rows_where(table, {}, limit=1)
            update(session, table, organization.id, values)

    def make(self, table: str, **values: object) -> Guid:
        with self.environment.session_of("admin", write=True) as session:
            return create(session, session.table(table), NewRecord(values))

    def tell(self, number: int) -> None:
        now = iso(self.environment.clock.now())
        with self.environment.database.write() as transaction:
            transaction.append_activity(
                [activity(Actor(now), Activity.EXPORT, details={"number": each}) for each in range(number)]
            )

    def pass_days(self, days: int) -> None:
        clock = self.home.clock
        assert isinstance(clock, MovableClock)
        self.trail.seal()
        clock.move_to(clock.now() + timedelta(days=days))

    def rows(self, table: str, **values: object) -> list[Row]:
        with self.environment.database.read() as transaction:
            return transaction.rows_where(transaction.schema.tables[table], values)


@pytest.fixture(params=["sqlcipher", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path: Path, stores: Stores) -> Iterator[Kept]:
    home = open_home(make_home(tmp_path, stores, str(request.param), "--test-clock"))
    environment = open_environment(home)
    try:
        yield Kept(home, environment)
    finally:
        environment.close()


def test_entries_go_when_their_time_is_over_and_holds_keep_them(kept: Kept) -> None:
    """TS-807, TS-909: continuously, each with a tombstone; what is held stays until the hold ends."""
    kept.settings(auditretentionperiodv2="30")
    going, held = kept.make("account", name="Going"), kept.make("account", name="Held")
    kept.make("legalhold", name="Case", tablename="account", objectid=held)
    kept.pass_days(29)
    early = kept.keeper.keep()
    kept.pass_days(2)
    done = kept.keeper.keep()
    again = kept.keeper.keep()

    assert (early.expired, early.held) == (0, 0)
    assert done.expired >= 2
    assert done.held == again.held == 1
    assert again.expired == 0
    assert kept.rows("audit", objectid=Reference("account", going)) == []
    assert len(kept.rows("audit", objectid=Reference("account", held))) == 1
    verdict = kept.trail.verify()
    assert verdict.doubts == ()
    assert verdict.removed == done.expired


def test_retention_is_applied_to_entries_from_before_when_asked(kept: Kept) -> None:
    """TS-807: `ApplyRetentionToExistingLogs` stamps anew, and is then taken out of the settings."""
    account = kept.make("account", name="Old")
    kept.settings(auditretentionperiodv2="10", auditsettings='{"ApplyRetentionToExistingLogs": true}')
    stamped = kept.keeper.keep()
    kept.pass_days(11)
    done = kept.keeper.keep()

    assert stamped.restamped > 0
    assert done.expired > 0
    assert done.restamped == 0
    assert kept.rows("audit", objectid=Reference("account", account)) == []
    assert kept.rows("organization")[0].values["auditsettings"] is None
    assert kept.trail.verify().doubts == ()


def test_old_activities_are_archived_in_signed_segments_before_they_go(kept: Kept) -> None:
    """TS-822: a segment is checked with the public key alone, and finds whoever changes it."""
    kept.settings(auditsettings='{"ActivityRetentionDays": 90}')
    kept.tell(3)
    kept.pass_days(90)
    assert kept.keeper.keep().archived == 0
    kept.tell(1)
    kept.pass_days(2)
    assert kept.keeper.keep().archived >= 3

    (segment,) = (kept.home.path / ARCHIVE_FOLDER / kept.environment.name).iterdir()
    left = [row for row in kept.rows("activitylog") if row.values["activity"] == "export"]
    assert len(left) == 1
    assert kept.trail.verify().doubts == ()
    assert segment.stat().st_mode & 0o077 == 0
    key = run_cli("audit", "key", "--home", str(kept.home.path)).stdout.strip()
    whole = run_cli("audit", "verify", str(segment), "--public-key", key)
    assert "proven" in whole.stdout
    segment.write_bytes(segment.read_bytes().replace(b'\\"number\\":1', b'\\"number\\":7'))
    changed = run_cli("audit", "verify", str(segment), "--public-key", key, expect=1)
    assert "was changed" in changed.stdout


def test_storage_and_keeping_by_the_command_line(kept: Kept) -> None:
    """TS-807, TS-811: every report of the Web API is a command too."""
    kept.make("account", name="Fabrikam")
    home = ("--home", str(kept.home.path))
    shown = run_cli("audit", "storage", *home).stdout
    done = run_cli("audit", "keep", *home, "--json").stdout

    assert "account" in shown
    assert "for ever" in shown
    assert '"expired": 0' in done
