"""BulkDelete as a job: piece by piece, with the rights of whoever began it (WA-308, WA-404)."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from tests.unit.background.job_world import JobWorld, Killed, killing_after
from tests.worlds import depths

from strongroom.background import bulk_delete
from strongroom.background.bulk_delete import begin_bulk_delete
from strongroom.background.jobs import When
from strongroom.background.tables import FAILURE, OPERATION
from strongroom.clock import TestClock, iso
from strongroom.errors import AccessDenied, InvalidRequest, StrongroomError
from strongroom.ids import Guid, Reference
from strongroom.records import update
from strongroom.schema.model import Depth, Rights
from strongroom.store.protocol import Database, Row, Value


@pytest.fixture
def world(database: Database) -> JobWorld:
    """An environment with its first rows, on both engines."""
    return JobWorld(database)


def query(table: str, **equal: Value) -> dict[str, object]:
    """A QueryExpression of rows with these values."""
    conditions = [{"AttributeName": name, "Operator": "Equal", "Values": [value]} for name, value in equal.items()]
    return {"EntityName": table, "Criteria": {"FilterOperator": "And", "Conditions": conditions}}


def begun(world: JobWorld, *queries: dict[str, object], by: Guid | None = None, when: When = When()) -> Guid:  # noqa: B008 - a value
    with world.acting(by or world.admin) as session:
        return begin_bulk_delete(session, "Clean up", queries, when).id


def names(world: JobWorld) -> set[object]:
    with world.database.read() as transaction:
        return {row.values["name"] for row in transaction.rows_where(transaction.schema.tables["account"], {})}


def counts(world: JobWorld, job: Guid) -> list[tuple[Value, ...]]:
    with world.database.read() as transaction:
        table = transaction.schema.tables[OPERATION]
        rows = transaction.rows_where(table, {"asyncoperationid": Reference("asyncoperation", job)})
    columns = ("successcount", "failurecount", "statecode", "statuscode")
    return [tuple(row.values[name] for name in columns) for row in rows]


def failures(world: JobWorld) -> list[tuple[Value, Value]]:
    with world.database.read() as transaction:
        rows = transaction.rows_where(transaction.schema.tables[FAILURE], {})
    return [(row.values["regardingobjectid"], row.values["errornumber"]) for row in rows]


def deleter(world: JobWorld) -> Guid:
    """Somebody who reads every account and deletes own ones."""
    rights = {Rights.READ: Depth.GLOBAL, Rights.DELETE: Depth.BASIC, Rights.CREATE: Depth.BASIC}
    role = world.role("Deleter", {"account": rights}, by_name={"prvBulkDelete": Depth.GLOBAL})
    return world.user("Dee", world.root, role)


def test_a_job_deletes_what_its_queries_find_and_counts_it(world: JobWorld) -> None:
    """WA-308: the job waits, runs, and says what it did; its own row of `bulkdeleteoperation` too."""
    for name in ("one", "two", "three"):
        world.make("account", {"name": name})
    job = begun(world, query("account", name="one"), query("account", name="two"))
    assert (world.state(job), counts(world, job)) == ((0, 0), [(0, 0, 0, 0)])

    assert world.run() == 1

    assert names(world) == {"three"}
    assert (world.state(job), counts(world, job)) == ((3, 30), [(2, 0, 3, 30)])
    assert world.job(job).values["message"] == "2 rows deleted, 0 could not be."
    assert world.run() == 0


def test_rows_that_may_not_go_stay_and_are_told_one_by_one(world: JobWorld) -> None:
    """WA-308, SM-4: the rights of whoever began the job, row by row."""
    dee = deleter(world)
    kept = world.make("account", {"name": "of the admin"})
    for number in range(3):
        world.make("account", {"name": f"own {number}", "ownerid": Reference("systemuser", dee)})
    job = begun(world, query("account"), by=dee)

    world.run()

    assert names(world) == {"of the admin"}
    assert counts(world, job) == [(3, 1, 3, 30)]
    ((regarding, number),) = failures(world)
    assert (regarding, number) == (Reference("account", kept), int("0x80048306", 16) - (1 << 32))


def test_what_a_rule_keeps_is_told_with_its_reason(world: JobWorld) -> None:
    """TS-909: a legal hold keeps rows from jobs as from everybody."""
    world.make("account", {"name": "free"})
    held = world.make("account", {"name": "held"})
    world.make("legalhold", {"name": "Hold", "tablename": "account", "objectid": held})
    job = begun(world, query("account"))

    world.run()

    assert (names(world), counts(world, job)) == ({"held"}, [(1, 1, 3, 30)])


def test_a_killed_job_goes_on_where_it_was_and_does_nothing_twice(
    world: JobWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TS-007: after `kill -9` the pieces that were done are done, and counted once."""
    monkeypatch.setattr(bulk_delete, "_PIECE", 2)
    for number in range(7):
        world.make("account", {"name": f"{number}"})
    job = begun(world, query("account"))
    for pieces in (1, 2, 3):
        with pytest.raises(Killed):
            world.runner(killing_after(pieces)).run_turn(job)
        assert world.state(job)[0] == 2

    assert world.run() == 1

    assert (names(world), counts(world, job)) == (set(), [(7, 0, 3, 30)])


def test_a_job_is_paused_resumed_and_cancelled_between_its_pieces(
    world: JobWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WA-308: by its state, as Dataverse documents it; the rest stays."""
    monkeypatch.setattr(bulk_delete, "_PIECE", 2)
    for number in range(6):
        world.make("account", {"name": f"{number}"})
    job = begun(world, query("account"))

    def pause(seconds: float) -> bool:
        if seconds > 0 and len(names(world)) == 4:
            world.update("asyncoperation", job, statecode=1, statuscode=10)
        return False

    assert world.runner(pause).run_due() == 0
    assert (len(names(world)), world.state(job), world.run()) == (4, (1, 10), 0)
    world.update("asyncoperation", job, statecode=0)
    assert world.state(job) == (0, 0)
    world.update("asyncoperation", job, statecode=3, statuscode=32)
    assert (world.run(), len(names(world)), counts(world, job)) == (0, 4, [(2, 0, 3, 32)])
    assert str(world.job(job).values["message"]).startswith("Cancelled. 2 rows deleted")


def test_a_job_begins_when_it_is_to_begin_and_comes_again(world: JobWorld) -> None:
    """WA-308: StartDateTime and RecurrencePattern; each run is a job of its own of the same user."""
    clock = world.clock
    assert isinstance(clock, TestClock)
    dee = deleter(world)
    job = begun(world, query("account"), by=dee, when=When(iso(clock.now() + timedelta(hours=2)), "FREQ=DAILY"))
    assert (world.state(job), world.run()) == ((1, 10), 0)

    clock.move_to(clock.now() + timedelta(hours=3))
    assert world.run() == 1
    following = _waiting(world)
    assert following.values["postponeuntil"] == iso(clock.now() + timedelta(hours=23))
    assert following.values["createdby"] == Reference("systemuser", dee)
    assert following.owner == world.job(job).owner
    assert counts(world, following.id) == [(0, 0, 1, 10)]

    clock.move_to(clock.now() + timedelta(days=10))
    assert world.run() == 1  # once, however many days have passed
    world.update("asyncoperation", _waiting(world).id, statecode=3, statuscode=32)
    clock.move_to(clock.now() + timedelta(days=10))
    assert world.run() == 0


def _waiting(world: JobWorld) -> Row:
    with world.database.read() as transaction:
        (row,) = transaction.rows_where(transaction.schema.tables["asyncoperation"], {"statecode": 1})
    return row


def test_what_makes_no_sense_is_refused_before_there_is_a_job(world: JobWorld) -> None:
    """WA-308, WA-404, SM-153."""
    dee = deleter(world)
    nobody = world.user("Nobody", world.root, world.role("Reader", {"account": depths(Depth.GLOBAL)}))
    cases: Sequence[tuple[type[StrongroomError], Guid, list[dict[str, object]]]] = (
        (InvalidRequest, world.admin, []),
        (InvalidRequest, world.admin, [query("nope")]),
        (InvalidRequest, world.admin, [query("account", nope=1)]),
        (InvalidRequest, world.admin, [query("sdkmessage")]),
        (InvalidRequest, world.admin, [{**query("account"), "TopCount": 1}]),
        (InvalidRequest, world.admin, [query("account")] * 101),
        (AccessDenied, dee, [query("contact")]),
        (AccessDenied, nobody, [query("account")]),
    )
    for kind, who, queries in cases:
        with pytest.raises(kind):
            begun(world, *queries, by=who)
    with world.database.read() as transaction:
        assert transaction.rows_where(transaction.schema.tables["asyncoperation"], {}) == []


def test_rights_that_are_gone_when_a_job_runs_count_no_more(world: JobWorld) -> None:
    """SM-4: the privilege is looked at again in every piece."""
    dee = deleter(world)
    own = world.make("account", {"name": "own", "ownerid": Reference("systemuser", dee)})
    job = begun(world, query("account"), by=dee)
    with world.administrating() as session:
        update(session, session.table("systemuser"), dee, {"isdisabled": True})

    world.run()

    assert world.state(job) == (3, 31)
    assert own and names(world) == {"own"}
