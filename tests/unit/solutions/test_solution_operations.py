"""Operations that nobody waits for: what was asked for is what is done, once, as the one who asked (WA-405)."""

from dataclasses import replace

import pytest
from tests.unit.background.job_world import JobWorld, Killed
from tests.unit.solutions.exports import role_xml, small

from strongroom.background.jobs import JOB, who_began
from strongroom.background.work import Running
from strongroom.errors import InvalidRequest, NotFound
from strongroom.ids import Guid
from strongroom.solutions import find_solution, read_solution
from strongroom.solutions.import_jobs import begin_job, result_of
from strongroom.solutions.operations import WORKS, Order, Work, exported_file, queue, staged_file
from strongroom.store.protocol import Database

_ROLE = "aaaaaaaa-0000-4000-8000-00000000000a"


@pytest.fixture
def world(database: Database) -> JobWorld:
    """An environment with its first rows, on both engines."""
    return JobWorld(database, works=WORKS)


def test_an_operation_waits_runs_and_ends(world: JobWorld) -> None:
    operation, job = _asked(world)
    assert world.state(operation) == (0, 0)

    assert world.run() == 1

    row = world.job(operation)
    with world.administrating() as session:
        assert find_solution(session, "later") is not None
        assert (row.values["statuscode"], session.transaction.file(row, "datablobid")) == (30, None)
        assert "'Status': 'Passed'" in str(result_of(session, job))
    assert world.run() == 0


def test_what_was_changed_after_it_was_asked_for_is_not_done(world: JobWorld) -> None:
    """Who may write the store could otherwise let others do what they did not ask for."""
    operation, _ = _asked(world)
    with world.administrating() as session:
        row = world.job(operation)
        data = str(row.values["data"]).replace('\\"overwrites\\": false', '\\"overwrites\\": true')
        assert data != row.values["data"]
        session.transaction.update(row, {"data": data})

    world.run()

    assert "changed since" in str(world.job(operation).values["friendlymessage"])
    assert world.state(operation) == (3, 31)


def test_what_was_only_staged_is_never_run(world: JobWorld) -> None:
    archive = small("", name="staged")
    assert archive.packed is not None
    with world.administrating() as session:
        upload = queue(session, Order(Work.IMPORT, "staged", {}, archive.packed), waits=True)
        assert staged_file(session, upload) == archive.packed
    assert world.run() == 0

    world.update(JOB, upload, statecode=0)
    world.run()

    assert "only staged" in str(world.job(upload).values["friendlymessage"])
    with pytest.raises(NotFound, match="no staged solution"), world.administrating() as session:
        staged_file(session, upload)


def test_an_operation_that_was_interrupted_is_run_again_and_given_up_after_some_times(world: JobWorld) -> None:
    """TS-007."""
    operation, job = _asked(world)
    for _ in range(3):
        runner = world.runner()
        runner.works = {kind: replace(work, run=_killing) for kind, work in WORKS.items()}
        with pytest.raises(Killed):
            runner.run_turn(operation)
        assert world.state(operation) == (2, 20)

    world.run()

    assert world.state(operation) == (3, 31)
    with world.administrating() as session:
        assert "interrupted 3 times" in str(result_of(session, job)["SolutionOperationResult"])


def _killing(running: Running) -> str:
    raise Killed


def test_a_cancelled_import_says_so(world: JobWorld) -> None:
    operation, job = _asked(world)
    world.update(JOB, operation, statecode=3, statuscode=32)

    assert world.run() == 0

    with world.administrating() as session:
        assert "cancelled" in str(result_of(session, job)["SolutionOperationResult"])
        assert find_solution(session, "later") is None


def test_an_operation_gives_nobody_more_than_they_may(world: JobWorld) -> None:
    """SM-29: run as the user who asked, whose rights are looked at when it runs."""
    clerk = world.user("Clerk", world.root, world.role("Nothing"))
    archive = small(role_xml(_ROLE, "Mighty", prvReadAccount="Global"), name="mighty")
    with world.acting(clerk) as session:
        operation = queue(session, Order(Work.IMPORT, "mighty", {}, archive.packed))

    world.run()

    assert "prvImportCustomization" in str(world.job(operation).values["friendlymessage"])


def test_who_asked_for_somebody_else_is_remembered_with_them(world: JobWorld) -> None:
    """SM-68: an operation that was asked for on behalf of another runs on their behalf."""
    clerk = world.user("Clerk", world.root)
    with world.acting(clerk, behind=world.admin) as session:
        operation = queue(session, Order(Work.EXPORT, "any", {}))

    assert who_began(world.job(operation)) == (world.admin, clerk)


def test_an_export_that_failed_says_why_and_gives_no_file(world: JobWorld) -> None:
    with world.administrating() as session:
        operation = queue(session, Order(Work.EXPORT, "unheard", {}))
        with pytest.raises(InvalidRequest, match="is not done yet"):
            exported_file(session, operation)

    world.run()

    with (
        world.administrating() as session,
        pytest.raises(InvalidRequest, match=r"failed: There is no solution 'unheard'"),
    ):
        exported_file(session, operation)


def test_an_import_job_has_an_id_of_its_own(world: JobWorld) -> None:
    _, job = _asked(world)

    with pytest.raises(InvalidRequest, match="give each import a new one"), world.administrating() as session:
        begin_job(session, read_solution(small("")), job, "Import")


def _asked(world: JobWorld) -> tuple[Guid, Guid]:
    """An import that waits, and its job."""
    archive = small("", name="later")
    with world.administrating() as session:
        job = begin_job(session, read_solution(archive), None, "Import").id
        arguments = {"job": job, "overwrites": False, "holding": False}
        return queue(session, Order(Work.IMPORT, "later", arguments, archive.packed)), job
