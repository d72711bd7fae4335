"""BulkDetectDuplicates as a job: every pair once, with the eyes of whoever began it (WA-422, WA-308)."""

import pytest
from tests.unit.background.job_world import JobWorld, Killed, killing_after
from tests.unit.records.test_duplicates import on, rule
from tests.worlds import depths

from strongroom.background import duplicate_search
from strongroom.background.duplicate_search import begin_duplicate_search
from strongroom.background.tables import DUPLICATE, job_tables
from strongroom.errors import AccessDenied, InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.records.own_tables import ensure_tables
from strongroom.schema.model import Depth, Rights
from strongroom.store.protocol import Database


@pytest.fixture
def world(database: Database) -> JobWorld:
    """An environment with its first rows and the table of pairs, on both engines."""
    world = JobWorld(database)
    ensure_tables(database, world.rules, world.clock, job_tables())
    return world


def begun(world: JobWorld, table: str = "account", by: Guid | None = None, **more: object) -> Guid:
    with world.acting(by or world.admin) as session:
        return begin_duplicate_search(session, "Look", {"EntityName": table, **more}).id


def pairs(world: JobWorld) -> list[set[object]]:
    return [{row.values["baserecordid"], row.values["duplicaterecordid"]} for row in world.rows(DUPLICATE)]


def test_every_pair_is_told_once_even_when_the_process_is_killed(
    world: JobWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WA-422, TS-007: whichever of the two was looked at first."""
    monkeypatch.setattr(duplicate_search, "_PIECE", 2)
    made_rule = rule(world, "account", on("name"))
    rows = [world.make("account", {"name": name}) for name in ("Same", "other", "SAME", "same", "none")]
    same = [Reference("account", rows[place]) for place in (0, 2, 3)]
    job = begun(world)
    for pieces in (1, 2):
        with pytest.raises(Killed):
            world.runner(killing_after(pieces)).run_turn(job)

    assert world.run() == 1

    found = pairs(world)
    assert len(found) == 3
    assert all(pair in found for pair in ({same[0], same[1]}, {same[0], same[2]}, {same[1], same[2]}))
    assert {row.values["duplicateruleid"] for row in world.rows(DUPLICATE)} == {Reference("duplicaterule", made_rule)}
    assert world.job(job).values["message"] == "5 rows looked at, 3 pairs of duplicates found."
    world.delete("asyncoperation", job)
    assert world.rows(DUPLICATE) == []


def test_a_search_sees_what_its_user_sees(world: JobWorld) -> None:
    """SM-4, SM-153: rows of others are neither looked at nor told of, and the pairs are for those who read the job."""
    role = world.role("Own", {"account": depths(Depth.BASIC, (Rights.READ, Rights.CREATE))})
    ann = world.user("Ann", world.root, role)
    rule(world, "account", on("name"))
    for owner in (world.admin, ann, ann):
        world.make("account", {"name": "same", "ownerid": Reference("systemuser", owner)})
    begun(world, by=ann)

    world.run()

    assert len(pairs(world)) == 1
    with pytest.raises(AccessDenied):
        begun(world, "contact", by=ann)


def test_a_search_ends_at_so_many_pairs_and_says_so(world: JobWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicate_search, "MOST_PAIRS", 2)
    rule(world, "account", on("name"))
    for _ in range(4):
        world.make("account", {"name": "same"})
    job = begun(world)

    world.run()

    assert (len(pairs(world)), world.state(job)) == (2, (3, 30))
    assert "2 pairs at most" in str(world.job(job).values["message"])


def test_a_search_without_rules_or_with_a_limit_is_refused(world: JobWorld) -> None:
    with pytest.raises(InvalidRequest, match="publish one"):
        begun(world)
    rule(world, "account", on("name"))
    with pytest.raises(InvalidRequest, match="TopCount"):
        begun(world, TopCount=5)
