"""TS-730: roles for a time: who may take them, taking them, and their end by itself."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.engines import START
from tests.worlds import World, depths

from strongroom.clock import TestClock
from strongroom.errors import AccessDenied, Conflict, InvalidRequest, StepUpRequired
from strongroom.identity import elevation
from strongroom.identity.elevation import ACTIVATION, ELIGIBILITY, elevation_tables
from strongroom.ids import Guid, Reference
from strongroom.records.own_tables import ensure_tables
from strongroom.schema.model import Depth, Rights
from strongroom.store.protocol import Database


class Elevated(World):
    """A world with the tables and rules of elevation, a user who may take a role, and who has to agree."""

    def __post_init__(self) -> None:
        super().__post_init__()
        elevation.register(self.rules)
        ensure_tables(self.database, self.rules, self.clock, elevation_tables())
        self.reader = self.role("Reader", {"account": depths(Depth.GLOBAL)})
        everyday = self.role("Everyday", {"contact": depths(Depth.BASIC)})
        self.ann, self.bob = self.user("Ann", None, everyday), self.user("Bob", None, everyday)
        self.create("account", name="Contoso")

    def allow(self, **more: object) -> Guid:
        values = {
            "name": "x",
            "systemuserid": Reference("systemuser", self.ann),
            "roleid": Reference("role", self.reader),
        }
        return self.make(ELIGIBILITY, {**values, **more})

    def activate(self, minutes: int = 60, reason: str = "an incident", who: Guid | None = None) -> Guid:
        with self.acting(who or self.ann) as session:
            return elevation.activate(session, self.reader, minutes, reason, "T-1").id

    def sees(self) -> bool:
        try:
            return bool(self.visible("account", self.ann))
        except AccessDenied:
            return False

    def later(self, minutes: int) -> int:
        assert isinstance(self.clock, TestClock)
        self.clock.move_to(self.clock.now() + timedelta(minutes=minutes))
        return elevation.end_due(self.database, self.rules, self.clock)


@pytest.fixture
def world(database: Database) -> Elevated:
    return Elevated(database, TestClock(START))


def test_a_role_is_taken_with_a_reason_and_ends_by_itself(world: Elevated) -> None:
    """TS-730: the next unit of work has it, and the next one after its end has not; both are in the trail."""
    world.allow(maxminutes=120)
    assert not world.sees()

    made = world.activate(60)

    assert world.sees()
    assert world.later(59) == 0
    assert world.sees()
    assert world.later(2) == 1
    assert not world.sees()
    row = world.row(ACTIVATION, made)
    assert (row.values["activationstate"], row.values["ticket"], row.values["reason"]) == (3, "T-1", "an incident")
    actions = [entry.values["action"] for entry in world.rows("audit", objecttypecode="systemuser")]
    assert (actions.count(55), actions.count(56)) == (3, 1)


def test_only_who_may_takes_it_and_only_as_it_is_allowed(world: Elevated) -> None:
    """TS-730: no eligibility, too long, without a reason, twice; and with a stale proof of identity."""
    with pytest.raises(AccessDenied, match="may not take"):
        world.activate()
    world.allow(maxminutes=30)
    with pytest.raises(AccessDenied):
        world.activate(who=world.bob)
    for minutes, reason in ((31, "x"), (0, "x"), (481, "x"), (10, " ")):
        with pytest.raises(InvalidRequest):
            world.activate(minutes, reason)
    with world.acting(world.ann) as session, pytest.raises(StepUpRequired):
        session.request = replace(session.request, lacks_proof=True)
        elevation.activate(session, world.reader, 10, "x")
    world.activate(30)
    with pytest.raises(Conflict):
        world.activate(30)


def test_the_approver_agrees_and_nobody_else(world: Elevated) -> None:
    """TS-730: until then nothing is held; nobody agrees for themselves."""
    with pytest.raises(InvalidRequest, match="themselves"):
        world.allow(approverid=Reference("systemuser", world.ann))
    world.allow(approverid=Reference("systemuser", world.bob))
    made = world.activate()
    assert not world.sees()
    for who in (world.ann, world.admin):
        with world.acting(who) as session, pytest.raises(AccessDenied):
            elevation.decide(session, made, agrees=True)
    with world.acting(world.bob) as session:
        elevation.decide(session, made, agrees=True)
    assert world.sees()
    with world.acting(world.ann) as session:
        elevation.end(session, made)
    assert not world.sees()
    again = world.activate()
    with world.acting(world.bob) as session:
        elevation.decide(session, again, agrees=False)
    assert not world.sees()


def test_nobody_offers_more_than_they_hold_and_the_ledger_is_not_written(world: Elevated) -> None:
    """TS-730, SM-29, TS-003; with its eligibility an active role goes at once."""
    keeper = world.user(
        "Kim",
        None,
        world.role(
            "Keeper", {ELIGIBILITY: depths(Depth.GLOBAL, (Rights.CREATE, Rights.READ)), "contact": depths(Depth.GLOBAL)}
        ),
    )
    values = {
        "name": "x",
        "systemuserid": Reference("systemuser", world.ann),
        "roleid": Reference("role", world.reader),
    }
    with pytest.raises(AccessDenied):
        world.make(ELIGIBILITY, values, keeper)
    offered = world.allow()
    made = world.activate()
    for act in (
        lambda: world.create(ACTIVATION, name="x"),
        lambda: world.update(ACTIVATION, made, statecode=1),
        lambda: world.delete(ACTIVATION, made),
    ):
        with pytest.raises(AccessDenied, match="evidence"):
            act()
    world.delete(ELIGIBILITY, offered)
    assert world.later(0) == 1
    assert not world.sees()
