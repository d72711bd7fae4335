"""Operations that nobody waits for: what was asked for is what is done, once, as the one who asked (WA-405)."""

import pytest
from tests.unit.solutions.exports import role_xml, small
from tests.worlds import World

from strongroom.errors import AccessDenied, InvalidRequest, NotFound
from strongroom.ids import Guid
from strongroom.records import Session
from strongroom.solutions import find_solution, read_solution
from strongroom.solutions.import_jobs import begin_job, result_of
from strongroom.solutions.operations import (
    OPERATIONS,
    Order,
    Work,
    claim,
    exported_file,
    fail,
    queue,
    run,
    staged_file,
    waiting,
    who_asked,
)
from strongroom.store.protocol import Database, Row

_ROLE = "aaaaaaaa-0000-4000-8000-00000000000a"


@pytest.fixture
def world(database: Database) -> World:
    """An environment with its first rows, on both engines."""
    return World(database)


def test_an_operation_waits_is_claimed_runs_and_ends(world: World) -> None:
    operation, job = _asked(world)
    with world.administrating() as session:
        assert waiting(session.transaction) == [operation]
        assert claim(session, operation) is not None
        assert who_asked(session.transaction, operation) == (world.admin, None)
    with world.administrating() as session:
        run(session, operation)

    with world.administrating() as session:
        assert waiting(session.transaction) == []
        assert find_solution(session, "later") is not None
        row = _row(session, operation)
        assert (row.values["statuscode"], session.transaction.file(row, "datablobid")) == (30, None)
        assert "'Status': 'Passed'" in str(result_of(session, job))
        assert claim(session, operation) is None


def test_what_was_changed_after_it_was_asked_for_is_not_done(world: World) -> None:
    """Who may write the row of an operation could otherwise let others do what they did not ask for."""
    operation, _ = _asked(world)
    with world.administrating() as session:
        row = _row(session, operation)
        data = str(row.values["data"]).replace('"overwrites": false', '"overwrites": true')
        session.transaction.update(row, {"data": data})

    with pytest.raises(InvalidRequest, match="not what was asked for"), world.administrating() as session:
        run(session, operation)


def test_what_was_only_staged_is_never_run(world: World) -> None:
    archive = small("", name="staged")
    assert archive.packed is not None
    with world.administrating() as session:
        upload = queue(session, Order(Work.IMPORT, "staged", {}, archive.packed), waits=True)

        assert waiting(session.transaction) == []
        assert staged_file(session, upload) == archive.packed
        session.transaction.update(_row(session, upload), {"statecode": 0})
        with pytest.raises(InvalidRequest, match="was only staged"):
            run(session, upload)
        with pytest.raises(NotFound, match="no staged solution"):
            staged_file(session, upload)


def test_an_operation_that_was_interrupted_is_run_again_and_given_up_after_some_times(world: World) -> None:
    operation, job = _asked(world)
    for _ in range(3):
        with world.administrating() as session:
            assert waiting(session.transaction) == [operation]
            assert claim(session, operation) is not None
    with world.administrating() as session:
        assert claim(session, operation) is None

        assert _row(session, operation).values["statuscode"] == 31
        result = result_of(session, job)["SolutionOperationResult"]
        assert "interrupted 3 times" in str(result)


def test_an_operation_gives_nobody_more_than_they_may(world: World) -> None:
    """SM-29: run as the user who asked, whose rights are looked at when it runs."""
    clerk = world.user("Clerk", world.root, world.role("Nothing"))
    archive = small(role_xml(_ROLE, "Mighty", prvReadAccount="Global"), name="mighty")
    with world.acting(clerk) as session:
        operation = queue(session, Order(Work.IMPORT, "mighty", {}, archive.packed))
        assert who_asked(session.transaction, operation) == (clerk, None)

    with pytest.raises(AccessDenied, match="prvImportCustomization"), world.acting(clerk) as session:
        run(session, operation)


def test_who_asked_for_somebody_else_is_remembered_with_them(world: World) -> None:
    """SM-68: an operation that was asked for on behalf of another runs on their behalf."""
    clerk = world.user("Clerk", world.root)
    with world.acting(clerk, behind=world.admin) as session:
        operation = queue(session, Order(Work.EXPORT, "any", {}))

        assert who_asked(session.transaction, operation) == (world.admin, clerk)


def test_an_export_that_failed_says_why_and_gives_no_file(world: World) -> None:
    with world.administrating() as session:
        operation = queue(session, Order(Work.EXPORT, "unheard", {}))
        with pytest.raises(InvalidRequest, match="is not done yet"):
            exported_file(session, operation)
        with pytest.raises(NotFound, match="unheard") as refused:
            run(session, operation)
        fail(session, _row(session, operation), refused.value)

        with pytest.raises(InvalidRequest, match=r"failed: There is no solution 'unheard'"):
            exported_file(session, operation)


def test_an_import_job_has_an_id_of_its_own(world: World) -> None:
    _, job = _asked(world)

    with pytest.raises(InvalidRequest, match="give each import a new one"), world.administrating() as session:
        begin_job(session, read_solution(small("")), job, "Import")


def _asked(world: World) -> tuple[Guid, Guid]:
    """An import that waits, and its job."""
    archive = small("", name="later")
    with world.administrating() as session:
        job = begin_job(session, read_solution(archive), None, "Import").id
        arguments = {"job": job, "overwrites": False, "holding": False}
        return queue(session, Order(Work.IMPORT, "later", arguments, archive.packed)), job


def _row(session: Session, operation: Guid) -> Row:
    row = session.transaction.row(session.table(OPERATIONS), operation)
    assert row is not None
    return row
