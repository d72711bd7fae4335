"""Many rows at once: all or nothing, and the error names the target (WA-300 to WA-306)."""

from collections.abc import Callable, Sequence

import pytest
from tests.worlds import World, depths, user

from strongroom.errors import AccessDenied, InvalidRequest, NotFound, StrongroomError, ValueOutOfRange
from strongroom.ids import Guid, Reference
from strongroom.records import (
    NewRecord,
    Related,
    Session,
    create_multiple,
    delete_multiple,
    update_multiple,
    upsert_multiple,
)
from strongroom.schema.model import Depth, Rights

NOBODY = Guid("99999999-9999-4999-8999-999999999999")


def named(*names: str) -> list[NewRecord]:
    return [NewRecord({"name": name}) for name in names]


@pytest.fixture
def three(world: World) -> list[Guid]:
    """Three accounts."""
    with world.administrating() as session:
        return create_multiple(session, session.table("account"), named("a", "b", "c"))


def test_ids_come_in_the_order_of_the_targets(world: World, three: list[Guid]) -> None:
    """WA-300."""
    assert [world.row("account", row).values["name"] for row in three] == ["a", "b", "c"]


def test_every_row_has_an_audit_entry_of_its_own(world: World, three: list[Guid]) -> None:
    """WA-306."""
    for row in three:
        (entry,) = world.rows("audit", objectid=Reference("account", row))
        assert entry.values["operation"] == 1


def test_one_bad_target_refuses_all_and_is_named(world: World) -> None:
    """WA-303."""
    with pytest.raises(ValueOutOfRange, match=r"\(target 1\)"), world.administrating() as session:
        create_multiple(session, session.table("account"), named("a", "b" * 161, "c" * 161))
    assert world.rows("account") == []


def test_each_row_is_checked_for_rights(world: World) -> None:
    """WA-306: the second target would belong to somebody else."""
    seller = world.user("Ann", None, world.role("Seller", {"account": depths(Depth.BASIC)}))
    records = [*named("a"), NewRecord({"name": "b", "ownerid": user(world.admin)})]
    with pytest.raises(AccessDenied, match=r"\(target 1\)"), world.acting(seller) as session:
        create_multiple(session, session.table("account"), records)


def test_lookup_targets_are_looked_up_together_and_checked_one_by_one(world: World) -> None:
    """WA-115 in bulk."""
    contact = Reference("contact", world.create("contact", lastname="Lee"))
    records = [
        NewRecord({"name": "a", "primarycontactid": target}) for target in (contact, Reference("contact", NOBODY))
    ]
    with pytest.raises(NotFound, match=r"\(target 1\)"), world.administrating() as session:
        create_multiple(session, session.table("account"), records)


def test_updates_change_each_row_in_its_own_way(world: World, three: list[Guid]) -> None:
    """WA-301."""
    with world.administrating() as session:
        update_multiple(session, session.table("account"), [(row, {"name": f"{n}"}) for n, row in enumerate(three)])
    assert [world.row("account", row).values["name"] for row in three] == ["0", "1", "2"]


def test_upserts_tell_what_they_came_to(world: World, three: list[Guid]) -> None:
    """WA-301."""
    with world.administrating() as session:
        found = upsert_multiple(
            session, session.table("account"), [(three[0], named("x")[0]), (NOBODY, named("new")[0])]
        )
    assert [(each.id, each.created) for each in found] == [(three[0], False), (NOBODY, True)]


def test_deletes_take_all_rows_with_their_children(world: World, three: list[Guid]) -> None:
    """WA-302, WA-306."""
    task = world.create("task", subject="Call", regardingobjectid=Reference("account", three[0]))
    with world.administrating() as session:
        delete_multiple(session, session.table("account"), three)
    assert world.rows("account") == []
    assert world.find("task", task) is None


def test_parents_and_children_of_one_table_can_go_together(world: World, three: list[Guid]) -> None:
    """SM-101: what is deleted by the same operation holds nothing back."""
    world.update("account", three[0], parentaccountid=Reference("account", three[1]))
    with world.administrating() as session:
        delete_multiple(session, session.table("account"), three[:2])
    assert {row.id for row in world.rows("account")} == {three[2]}


@pytest.mark.parametrize("number", [0, 2])
def test_targets_are_there_and_differ(world: World, three: list[Guid], number: int) -> None:
    """WA-303."""
    same = [three[0]] * number

    def update_all(session: Session) -> None:
        update_multiple(session, session.table("account"), [(row, {"name": "x"}) for row in same])

    def delete_all(session: Session) -> None:
        delete_multiple(session, session.table("account"), same)

    acts: Sequence[Callable[[Session], None]] = (update_all, delete_all)
    for act in acts:
        with pytest.raises(InvalidRequest), world.administrating() as session:
            act(session)


def test_a_missing_row_is_named(world: World, three: list[Guid]) -> None:
    """WA-303."""

    def update_both(session: Session) -> None:
        update_multiple(session, session.table("account"), [(three[0], {}), (NOBODY, {"name": "x"})])

    def delete_both(session: Session) -> None:
        delete_multiple(session, session.table("account"), [three[0], NOBODY])

    for act in (update_both, delete_both):
        with pytest.raises(StrongroomError) as refusal, world.administrating() as session:
            act(session)
        assert refusal.value.status == 404
        assert "(target 1)" in refusal.value.message


def test_rows_that_bring_others_along_are_created_too(world: World) -> None:
    """WA-120 in bulk."""
    tasks = world.schema.collection_nav("account", "Account_Tasks")
    assert tasks is not None
    record = NewRecord({"name": "a"}, (Related(tasks, create=(NewRecord({"subject": "Call"}),)),))
    with world.administrating() as session:
        create_multiple(session, session.table("account"), [record, record])
    assert len(world.rows("task")) == 2


def test_bulk_needs_the_privilege_once(world: World) -> None:
    reader = world.user("Rita", None, world.role("Reader", {"account": {Rights.READ: Depth.GLOBAL}}))
    with pytest.raises(AccessDenied, match="prvCreateAccount"), world.acting(reader) as session:
        create_multiple(session, session.table("account"), named("a", "b"))
