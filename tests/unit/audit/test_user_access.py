"""A user's first request in a while is told (TS-801, actions 64 and 65), and every kind of entry opens in its own shape
(TS-805)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import cast

from tests.engines import START
from tests.worlds import World, depths, user

from strongroom.audit.entries import Action
from strongroom.clock import TestClock
from strongroom.ids import Reference
from strongroom.messages import operations
from strongroom.messages.operation import Arguments
from strongroom.monitoring.user_access import UserAccesses
from strongroom.records import RequestFacts, Session, grant_access, update
from strongroom.schema.model import Depth, Rights
from strongroom.store.protocol import Row

BROWSER = "Mozilla/5.0 (X11)"


def enter(world: World, seen: UserAccesses, clock: TestClock, client: str | None = None) -> None:
    """A request of the administrator, as an edge does it."""
    with world.acting(world.admin) as session:
        request = Session(
            session.transaction, session.caller, clock, session.rules, RequestFacts(client=client, address="192.0.2.7")
        )
    seen.see(request)


def entries(world: World) -> list[Row]:
    with world.database.read() as transaction:
        rows = transaction.rows_where(transaction.schema.tables["audit"], {})
    return [row for row in rows if row.values["action"] in (64, 65)]


def interval(world: World, hours: int | None, *, is_on: bool = True) -> None:
    with world.acting(world.admin) as session:
        (organization,) = session.transaction.rows_where(session.table("organization"), {})
        changes = {"useraccessauditinginterval": hours, "isuseraccessauditenabled": is_on}
        update(session, session.table("organization"), organization.id, changes)


def test_a_users_first_request_in_four_hours_is_told_once_whatever_the_number_of_servers(world: World) -> None:
    """TS-801: 65 for a program, 64 for a browser; with who, from where, and the interval."""
    clock, first, second = TestClock(START), UserAccesses(world.database), UserAccesses(world.database)
    enter(world, first, clock)
    assert entries(world) == []  # nobody has said how long a while is
    interval(world, 4)
    for seen in (first, second, first):
        enter(world, seen, clock, "python-requests/2")
    clock.move_to(START + timedelta(hours=3, minutes=59))
    enter(world, first, clock, BROWSER)
    assert [row.values["action"] for row in entries(world)] == [65]
    clock.move_to(START + timedelta(hours=4, seconds=1))
    enter(world, second, clock, BROWSER)
    enter(world, first, clock, BROWSER)

    told = entries(world)
    assert [(row.values["action"], row.values["operation"]) for row in told] == [(65, 4), (64, 4)]
    assert told[0].values["userid"] == told[0].values["objectid"] == Reference("systemuser", world.admin)
    assert told[0].values["clientaddress"] == "192.0.2.7"
    interval(world, 4, is_on=False)
    clock.move_to(START + timedelta(days=1))
    enter(world, first, clock, BROWSER)
    assert len(entries(world)) == 2


def detail_of(world: World, action: Action) -> Mapping[str, object]:
    """The newest entry with this action, as the message shows it."""
    with world.database.read() as transaction:
        rows = transaction.rows_where(transaction.schema.tables["audit"], {"action": action.value})
    with world.acting(world.admin) as session:
        run = operations()["RetrieveAuditDetails"].run
        answer = run(session, Arguments({}, Reference("audit", rows[-1].id)))
    assert answer is not None
    return cast("Mapping[str, object]", answer["AuditDetail"])


def test_shares_ties_privileges_and_accesses_have_details_of_their_own(world: World) -> None:
    """TS-805: ShareAuditDetail, RelationshipAuditDetail, RolePrivilegeAuditDetail, UserAccessAuditDetail."""
    account = Reference("account", world.create("account", name="A"))
    seller = world.role("Seller", {"account": depths(Depth.BASIC)})
    ann = user(world.user("Ann", None, seller))
    with world.administrating() as session:
        for rights in (Rights.READ, Rights.READ | Rights.WRITE):
            grant_access(session, account, ann, rights)
    interval(world, 4)
    enter(world, UserAccesses(world.database), TestClock(START))

    share = detail_of(world, Action.SHARE)
    assert share["@odata.type"] == "#Microsoft.Dynamics.CRM.ShareAuditDetail"
    assert (share["OldPrivileges"], share["NewPrivileges"]) == ("ReadAccess", "ReadAccess, WriteAccess")
    assert share["Principal"] == {"@odata.type": "#Microsoft.Dynamics.CRM.systemuser", "systemuserid": ann.id}
    tie = detail_of(world, Action.ASSIGN_ROLE_TO_USER)
    assert tie["@odata.type"] == "#Microsoft.Dynamics.CRM.RelationshipAuditDetail"
    assert tie["RelationshipName"] == "systemuserroles_association"
    assert tie["TargetRecords"] == [{"@odata.type": "#Microsoft.Dynamics.CRM.role", "roleid": seller}]
    access = detail_of(world, Action.USER_ACCESS_VIA_SERVICE)
    assert (access["@odata.type"], access["Interval"]) == ("#Microsoft.Dynamics.CRM.UserAccessAuditDetail", 4)
    privileges = detail_of(world, Action.ADD_PRIVILEGES)
    assert privileges["@odata.type"] == "#Microsoft.Dynamics.CRM.RolePrivilegeAuditDetail"
    held = cast("list[Mapping[str, object]]", privileges["NewRolePrivileges"])
    assert ("prvReadAccount", "Basic") in {(each["PrivilegeName"], each["Depth"]) for each in held}
