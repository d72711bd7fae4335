"""Searching what people did, and the user log (TS-809, TS-821, TS-827)."""

from datetime import timedelta

import pytest
from tests.engines import START
from tests.worlds import World

from strongroom.audit.activities import Activity, Actor, Outcome, activity
from strongroom.clock import iso
from strongroom.errors import AccessDenied, InvalidRequest, NotFound
from strongroom.ids import Guid, Reference
from strongroom.records.activity_search import ActivitySearch, search_activity
from strongroom.records.kept_searches import PREDEFINED, named_search
from strongroom.records.user_log import user_log
from strongroom.schema.model import Depth
from strongroom.schema.trail_tables import SEARCH

SINCE, UNTIL = START - timedelta(days=1), START + timedelta(days=1)
ROW = Guid("00000000-0000-4000-8000-000000000007")
OTHER = Guid("00000000-0000-4000-8000-000000000008")


@pytest.fixture
def told(world: World) -> World:
    """One activity of each kind."""
    admin = Actor(iso(START), Reference("systemuser", world.admin), address="192.0.2.7")
    with world.database.write() as transaction:
        transaction.append_activity(
            [
                activity(admin, Activity.RETRIEVE, table="contact", row=ROW, sensitive=("emailaddress1",)),
                activity(admin, Activity.RETRIEVE_MULTIPLE, table="contact", rows=[ROW, OTHER]),
                activity(admin, Activity.EXPORT, table="account", rows=[OTHER] * 1500),
                activity(Actor(iso(START)), Activity.SIGN_IN, outcome=Outcome.FAILURE, details={"reason": "password"}),
                activity(admin, Activity.DENIED, outcome=Outcome.FAILURE),
                activity(
                    Actor(iso(START)), Activity.KEY_ACTION, details={"operator": "root", "command": "keys rotate"}
                ),
            ]
        )
    return world


def found(world: World, search: ActivitySearch, by: Guid | None = None) -> list[object]:
    with world.acting(by or world.admin) as session:
        return [row["activity"] for row in search_activity(session, search).rows]


def test_who_saw_a_row_is_found_in_single_readings_and_in_lists(told: World) -> None:
    """TS-809."""
    target = Reference("contact", ROW)
    assert sorted(map(str, found(told, ActivitySearch(SINCE, UNTIL, target=target)))) == [
        "retrieve",
        "retrieve-multiple",
    ]
    other = Reference("contact", OTHER)
    assert found(told, ActivitySearch(SINCE, UNTIL, target=other)) == ["retrieve-multiple"]
    assert found(told, ActivitySearch(SINCE, UNTIL, target=Reference("account", ROW))) == []


def test_the_log_is_read_by_its_privilege(told: World) -> None:
    """TS-809: `prvReadActivityLog`."""
    plain = told.user("Ann", None, told.role("Plain"))
    auditor = told.user("Bea", None, told.role("Auditor", by_name={"prvReadActivityLog": Depth.GLOBAL}))
    with pytest.raises(AccessDenied):
        found(told, ActivitySearch(SINCE, UNTIL), plain)
    assert len(found(told, ActivitySearch(SINCE, UNTIL), auditor)) == 6


@pytest.mark.parametrize(
    ("name", "activities"),
    [
        ("failed-sign-ins", ["sign-in"]),
        ("exports", ["export"]),
        ("denied-access", ["denied"]),
        ("sensitive-reads", ["retrieve"]),
        ("at-the-machine", ["key-action"]),
        ("administration", ["key-action"]),
        ("mass-reads", []),
    ],
)
def test_searches_that_come_along(told: World, name: str, activities: list[str]) -> None:
    """TS-821."""
    with told.administrating() as session:
        search = named_search(session, name, SINCE, UNTIL)
        assert [row["activity"] for row in search_activity(session, search).rows] == activities


def test_a_search_is_kept_under_its_name(told: World) -> None:
    """TS-821: in the table `activitysearch`, checked when it is written; full text in any of the texts."""
    told.create(SEARCH, name="Bulk", definition='{"LeastRows": 1000, "Table": "account"}')
    with told.administrating() as session:
        bulk = search_activity(session, named_search(session, "Bulk", SINCE, UNTIL))
        with pytest.raises(NotFound):
            named_search(session, "Nothing", SINCE, UNTIL)
    assert [row["objectcount"] for row in bulk.rows] == [1500]
    assert found(told, ActivitySearch(SINCE, UNTIL, text="ROTATE")) == ["key-action"]
    assert found(told, ActivitySearch(SINCE, UNTIL, text="100%")) == []


@pytest.mark.parametrize(
    ("name", "definition"),
    [
        ("exports", "{}"),
        ("A", "[]"),
        ("A", '{"Colour": "red"}'),
        ("A", '{"Categories": ["Reading"]}'),
        ("A", '{"Categories": "Read"}'),
        ("A", '{"LeastRows": -1}'),
        ("A", '{"Text": ""}'),
        ("A", '{"Outcome": "Perhaps"}'),
    ],
)
def test_a_search_that_makes_no_sense_is_not_kept(told: World, name: str, definition: str) -> None:
    """TS-821: also none under the name of one that comes along."""
    assert "exports" in PREDEFINED
    with pytest.raises(InvalidRequest):
        told.create(SEARCH, name=name, definition=definition)


@pytest.mark.parametrize(
    "search",
    [
        ActivitySearch(UNTIL, SINCE),
        ActivitySearch(START - timedelta(days=400), START),
        ActivitySearch(SINCE, UNTIL, size=5001),
        ActivitySearch(SINCE, UNTIL, page=0),
        ActivitySearch(SINCE, UNTIL, page=1000),
    ],
)
def test_a_search_without_bounds_is_refused(told: World, search: ActivitySearch) -> None:
    """TS-809: 400 `range-too-long`; pages that are too deep."""
    with pytest.raises(InvalidRequest):
        found(told, search)


def test_the_user_log_tells_who_may_see_and_who_saw(told: World) -> None:
    """TS-827: by user and by role, in a period."""
    ann = told.user("Ann", None, told.role("Plain"))
    with told.administrating() as session:
        lines = user_log(session, SINCE, UNTIL)
        administrators = user_log(session, SINCE, UNTIL, "System Administrator")
        nobody = user_log(session, SINCE, UNTIL, "Plain")
        earlier = user_log(session, SINCE - timedelta(days=9), SINCE - timedelta(days=8))

    (admin,) = [line for line in lines if line.user == told.admin]
    assert admin.seen == {"contact.emailaddress1": 1}
    assert admin.readings == 1
    assert admin.last == iso(START)
    assert admin in administrators
    assert nobody == []
    assert all(line.user != ann for line in lines)
    assert all(line.readings == 0 for line in earlier)
