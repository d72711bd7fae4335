"""Deleting with cascades, and tying and untying (SM-100 to SM-104, SM-113, WA-123, WA-160 to WA-165)."""

import pytest
from tests.worlds import World, depths

from strongroom.errors import AccessDenied, DeleteRestricted, InvalidRequest, NotFound, PreconditionFailed
from strongroom.ids import Guid, Reference
from strongroom.records import associate, delete, disassociate
from strongroom.schema.model import Cascade, Depth, Rights

CASCADE = Cascade(delete="Cascade")
RESTRICT = Cascade(delete="Restrict")


@pytest.fixture
def family(world: World) -> World:
    """Parents with children that go along, that hold them back, and that are only linked."""
    parent, along, holding, linked = (world.new_table(name) for name in ("parent", "along", "holding", "linked"))
    world.new_relationship("r1", parent, along, "parentid", CASCADE)
    world.new_relationship("r2", parent, holding, "parentid", RESTRICT)
    world.new_relationship("r3", parent, linked, "parentid")
    world.new_relationship("r4", along, holding, "alongid", RESTRICT)
    return world


def below(parent: Guid) -> dict[str, object]:
    return {"new_parentid": Reference("new_parent", parent)}


def test_children_go_along_and_links_are_emptied(family: World) -> None:
    """SM-102."""
    parent = family.create("new_parent", new_name="p")
    along = family.make("new_along", below(parent))
    linked = family.make("new_linked", below(parent))

    family.delete("new_parent", parent)

    assert family.find("new_along", along) is None
    assert family.row("new_linked", linked).values["new_parentid"] is None


def test_a_restrict_relationship_holds_the_row_back(family: World) -> None:
    """SM-101, WA-123: also for a row that would only go along."""
    parent = family.create("new_parent", new_name="p")
    along = family.make("new_along", below(parent))
    holding = family.make("new_holding", {"new_alongid": Reference("new_along", along)})

    with pytest.raises(DeleteRestricted) as refusal:
        family.delete("new_parent", parent)
    assert (refusal.value.status, refusal.value.code) == (405, "0x80040227")
    assert family.find("new_along", along) is not None

    family.delete("new_holding", holding)
    family.delete("new_parent", parent)
    assert family.find("new_along", along) is None


def test_a_hidden_child_holds_back_too_and_rights_come_first(family: World) -> None:
    """SM-103, SM-104."""
    parent = family.create("new_parent", new_name="p")
    family.make("new_holding", below(parent))
    some = family.user("Sam", None, family.role("Some", {"new_parent": depths(Depth.GLOBAL)}))

    with pytest.raises(DeleteRestricted):
        family.delete("new_parent", parent, by=some)
    family.make("new_along", below(parent))
    with pytest.raises(AccessDenied, match="prvDelete"):
        family.delete("new_parent", parent, by=some)


def test_a_delete_needs_the_privilege_the_row_and_the_reach(world: World) -> None:
    """SM-100, WA-150."""
    account = world.create("account", name="A")
    reader = world.user("Rita", None, world.role("Reader", {"account": {Rights.READ: Depth.GLOBAL}}))
    own = world.user("Olaf", None, world.role("Own", {"account": depths(Depth.BASIC)}))

    for by, code in ((reader, "0x80040220"), (own, "0x80048306")):
        with pytest.raises(AccessDenied) as refusal:
            world.delete("account", account, by=by)
        assert refusal.value.code == code
    world.delete("account", account)
    with pytest.raises(NotFound):
        world.delete("account", account)


def test_a_delete_with_an_old_version_is_refused(world: World) -> None:
    """WA-150."""
    account = world.create("account", name="A")
    with pytest.raises(PreconditionFailed), world.administrating() as session:
        delete(session, session.table("account"), account, expected_version=1)


# --- ties ---


def test_tying_one_to_many_sets_the_childs_lookup(world: World) -> None:
    """WA-160, WA-163: repeating it is fine, untying what is tied elsewhere is 404."""
    account, other = world.create("account", name="A"), world.create("account", name="B")
    task = world.create("task", subject="Call")
    link = world.schema.collection_nav("account", "Account_Tasks")
    assert link is not None
    ends = (Reference("account", account), Reference("task", task))
    with world.administrating() as session:
        associate(session, link, *ends)
        associate(session, link, *ends)
    assert world.row("task", task).values["regardingobjectid"] == ends[0]

    with pytest.raises(NotFound), world.administrating() as session:
        disassociate(session, link, Reference("account", other), ends[1])
    with world.administrating() as session:
        disassociate(session, link, *ends)
    assert world.row("task", task).values["regardingobjectid"] is None


def test_tying_many_to_many_twice_is_refused_and_untying_twice_too(family: World) -> None:
    """WA-161, WA-163."""
    link = family.new_association("pals", "new_parent", "new_linked")
    ends = (
        Reference("new_parent", family.create("new_parent", new_name="p")),
        Reference("new_linked", family.create("new_linked", new_name="l")),
    )
    with family.administrating() as session:
        associate(session, link, *ends)
    with pytest.raises(PreconditionFailed) as refusal, family.administrating() as session:
        associate(session, link, *ends)
    assert refusal.value.code == "0x80040237"
    with family.administrating() as session:
        disassociate(session, link, *ends)
    with pytest.raises(NotFound), family.administrating() as session:
        disassociate(session, link, *ends)


def test_tying_many_to_many_needs_append_on_both_rows(family: World) -> None:
    """SM-113."""
    link = family.new_association("pals", "new_parent", "new_linked")
    one_side = family.role("One", {"new_parent": depths(Depth.GLOBAL), "new_linked": {Rights.READ: Depth.GLOBAL}})
    some = family.user("Sam", None, one_side)
    ends = (
        Reference("new_parent", family.create("new_parent", new_name="p")),
        Reference("new_linked", family.create("new_linked", new_name="l")),
    )
    with pytest.raises(AccessDenied, match="prvAppend"), family.acting(some) as session:
        associate(session, link, *ends)


def test_rows_must_fit_the_relationship(world: World) -> None:
    """WA-165."""
    link = world.schema.collection_nav("account", "Account_Tasks")
    assert link is not None
    account = Reference("account", world.create("account", name="A"))
    with pytest.raises(InvalidRequest, match="ties account to task"), world.administrating() as session:
        associate(session, link, account, account)
