"""What rules find in the trail, and what may be written into one (TS-823, TS-824, TS-826)."""

import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.unit.monitoring.watched import Watched
from tests.worlds import ROLES_OF_USERS, user

from strongroom.access.caller import SYSTEM_ADMINISTRATOR_TEMPLATE
from strongroom.audit.activities import Activity, Outcome
from strongroom.audit.entries import Author
from strongroom.audit.refusals import Refusal, refusal_entry
from strongroom.clock import iso
from strongroom.errors import AccessDenied, Conflict, QueryError, StrongroomError, Unavailable
from strongroom.home import open_home
from strongroom.identity import signinlog
from strongroom.identity.people import add_person
from strongroom.ids import Guid, Reference
from strongroom.monitoring.evaluation import trial_in
from strongroom.monitoring.rules import rule_of
from strongroom.monitoring.tables import RULE
from strongroom.monitoring.watching import FLOODED, MOST_ALERTS
from strongroom.opening import directory_in, open_environment
from strongroom.records import RolePrivilege, add_privileges, associate
from strongroom.schema.model import Depth
from strongroom.store.protocol import Value
from strongroom.trail import Trail
from strongroom.watch import EnvironmentWatch


def administrators(watch: Watched) -> Guid:
    template = Reference("roletemplate", SYSTEM_ADMINISTRATOR_TEMPLATE)
    return watch.world.rows("role", roletemplateid=template)[0].id


# --- finding -------------------------------------------------------------------------------------------------------


def test_a_threshold_within_the_window_raises_one_alert_for_each_group(watch: Watched) -> None:
    """TS-823: five deletions of one user within ten minutes; another user's four are no alert."""
    world = watch.world
    role = administrators(watch)
    ann, bea = world.user("Ann", None, role), world.user("Bea", None, role)
    rows = [world.create("account", name=f"R{number}") for number in range(9)]
    rule = watch.rule(filter="operation eq 3 and objecttypecode eq 'account'", threshold=5, groupby="userid")
    for number, row in enumerate(rows):
        world.delete("account", row, by=ann if number % 2 == 0 else bea)
    watch.look()

    (alert,) = watch.raised(rule)
    assert (alert.values["groupvalue"], alert.values["hits"], alert.values["total"]) == (ann, 5, 5)
    assert alert.values["involvedusers"] == ann


def test_hits_outside_of_the_window_do_not_count_together(watch: Watched) -> None:
    world = watch.world
    rule = watch.rule(filter="operation eq 1 and objecttypecode eq 'lead'", threshold=2, windowminutes=10)
    for _ in range(3):
        world.create("lead", lastname="Slow")
        watch.look()
        watch.pass_time(minutes=10)
    assert watch.raised(rule) == []


def test_further_hits_are_added_until_the_suppression_ends_and_then_raise_anew(watch: Watched) -> None:
    """TS-825."""
    world = watch.world
    rule = watch.rule(filter="operation eq 1 and objecttypecode eq 'task'", windowminutes=1, suppressminutes=30)
    for minutes in (1, 28, 2):
        world.create("task", subject="S")
        watch.look()
        watch.pass_time(minutes=minutes)
    (alert,) = watch.raised(rule)
    assert alert.values["hits"] == 2 + 1
    assert str(alert.values["trailrows"]).count("audit") == 3

    world.create("task", subject="S")
    watch.look()
    assert [each.values["hits"] for each in watch.raised(rule)] == [3, 1]


def test_another_process_goes_on_where_the_first_one_stopped(watch: Watched) -> None:
    """TS-824: nothing is judged twice, and what a window held is known again."""
    world = watch.world
    rule = watch.rule(filter="operation eq 1 and objecttypecode eq 'letter'", threshold=4, windowminutes=10)
    for _ in range(2):
        world.create("letter", subject="S")
    watch.look()
    first, watch.alerts = watch.alerts, type(watch.alerts)(watch.database, world.rules, watch.clock)
    world.create("letter", subject="S")
    watch.look()
    assert watch.raised(rule) == []
    watch.alerts = first
    world.create("letter", subject="S")
    watch.look()

    (alert,) = watch.raised(rule)
    assert alert.values["hits"] == 4


def test_a_sum_and_different_values_count_instead_of_entries(watch: Watched) -> None:
    many = watch.rule(
        source="activitylog",
        filter=f"activity eq '{Activity.SIGN_IN.value}'",
        counts=3,
        countcolumn="address",
        groupby="objectid",
        threshold=3,
        windowminutes=60,
    )
    ann = watch.world.user("Signer", None)
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.2"):
        watch.tell(Activity.SIGN_IN, ann, address=address)
    watch.look()
    assert watch.raised(many) == []
    watch.tell(Activity.SIGN_IN, ann, address="198.51.100.1")
    watch.look()
    assert [each.values["total"] for each in watch.raised(many)] == [3]


def test_a_rule_that_matches_everything_is_bounded(watch: Watched) -> None:
    """It raises so many alerts and one more, which takes up all the others; its own alerts do not feed it."""
    world = watch.world
    rule = watch.rule(groupby="objectid", suppressminutes=600)
    for number in range(MOST_ALERTS + 30):
        world.create("account", name=f"E{number}")
    watch.look()
    watch.look()

    raised = watch.raised(rule)
    assert len(raised) == MOST_ALERTS + 1
    assert raised[-1].values["groupvalue"] == FLOODED
    assert int(str(raised[-1].values["hits"])) >= 29
    assert watch.look() == 0
    world.update(RULE, rule, isenabled=False, offreason="The test is over.")


def test_a_rule_that_is_off_finds_nothing_and_its_trial_says_what_it_would_have(watch: Watched) -> None:
    """TS-824."""
    world = watch.world
    rule = watch.rule(
        isenabled=False, filter="operation eq 1 and objecttypecode eq 'fax'", threshold=2, groupby="userid"
    )
    begun = watch.clock.now()
    for _ in range(4):
        world.create("fax", subject="S")
    watch.look()
    watch.pass_time(minutes=1)
    assert watch.raised(rule) == []
    with watch.acting() as session:
        found = trial_in(
            session.transaction,
            rule_of(session.schema, world.row(RULE, rule), session.now),
            begun,
            watch.clock.now(),
        )
    assert [(each.group, len(each.counted)) for each in found] == [(world.admin, 2)]


# --- rules that come along -----------------------------------------------------------------------------------------


def test_giving_the_administrator_role_raises_an_alert_and_giving_another_does_not(shipped: Watched) -> None:
    """TS-823: administrator added."""
    world = shipped.world
    plain, boss = world.user("Plain"), world.user("Boss")
    world.give_role(world.role("Nothing"), user(plain))
    shipped.look()
    assert shipped.raised(code="administrator-added") == []

    with shipped.acting() as session:
        link = session.schema.many_to_many[ROLES_OF_USERS]
        associate(session, link, user(boss), Reference("role", administrators(shipped)))
    shipped.look()
    assert len(shipped.raised(code="administrator-added")) == 1


def test_widening_a_role_to_the_organization_raises_an_alert(shipped: Watched) -> None:
    world = shipped.world
    role = world.role("Seller")
    shipped.look()
    privilege = world.schema.privileges_by_name["prvReadAccount"].id
    with shipped.acting() as session:
        add_privileges(session, role, [RolePrivilege(privilege, Depth.LOCAL)])
    shipped.look()
    assert shipped.raised(code="role-widened") == []
    with shipped.acting() as session:
        add_privileges(session, role, [RolePrivilege(privilege, Depth.GLOBAL)])
    shipped.look()
    assert [each.values["groupvalue"] for each in shipped.raised(code="role-widened")] == [role]


def test_switching_auditing_off_raises_an_alert_of_the_highest_severity(shipped: Watched) -> None:
    organization = shipped.world.born.organization
    shipped.world.update("organization", organization, isauditenabled=False)
    shipped.world.update("organization", organization, isauditenabled=True)
    shipped.look()
    assert [each.values["severity"] for each in shipped.raised(code="audit-off")] == [4]


def test_failed_sign_ins_of_a_user_and_of_an_address_raise_alerts(shipped: Watched) -> None:
    """TS-823: ten for a user, fifty for an address."""
    ann = shipped.world.user("Forgetful")
    for number in range(50):
        shipped.tell(Activity.SIGN_IN, ann if number < 10 else None, outcome=Outcome.FAILURE, address="192.0.2.9")
    shipped.look()
    assert [each.values["groupvalue"] for each in shipped.raised(code="failed-sign-ins")] == [ann]
    assert [each.values["groupvalue"] for each in shipped.raised(code="failed-sign-ins-address")] == ["192.0.2.9"]


def test_a_sign_in_from_a_new_network_and_after_a_long_time_raise_alerts(shipped: Watched) -> None:
    ann = shipped.world.user("Traveller")
    shipped.tell(Activity.SIGN_IN, ann, address="192.0.2.1")
    shipped.look()
    shipped.tell(Activity.SIGN_IN, ann, address="192.0.2.200")
    shipped.look()
    assert shipped.raised(code="new-network") == []
    shipped.pass_time(days=91)
    shipped.tell(Activity.SIGN_IN, ann, address="203.0.113.1")
    shipped.look()
    assert [each.values["groupvalue"] for each in shipped.raised(code="new-network")] == [ann]
    assert [each.values["groupvalue"] for each in shipped.raised(code="dormant-active")] == [ann]


def test_a_rule_is_not_switched_off_silently(shipped: Watched) -> None:
    """TS-826: it takes a reason, is an event whatever is audited, and raises an alert; shipped ones stay."""
    world = shipped.world
    (rule,) = (row.id for row in world.rows(RULE, code="mass-export"))
    with pytest.raises(StrongroomError, match="offreason"), shipped.acting() as session:
        _switch(shipped, session, rule, {"isenabled": False})
    with shipped.acting() as session:
        _switch(shipped, session, rule, {"isenabled": False, "offreason": "No exports here."})
    shipped.look()
    assert len(shipped.raised(code="rule-off")) == 1
    with pytest.raises(Conflict, match="switched off, not removed"):
        world.delete(RULE, rule)


def _switch(watch: Watched, session: object, rule: Guid, changes: dict[str, Value]) -> None:
    from strongroom.records import Session, update

    assert isinstance(session, Session)
    update(session, watch.world.table(RULE), rule, changes)


# --- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "target"),
    [
        ({"source": "account"}, "source"),
        ({"filter": "contains(objectid_account/name,'x')"}, "filter"),
        ({"filter": "operation eq 1", "threshold": 10_001}, "threshold"),
        ({"threshold": 0}, "threshold"),
        ({"windowminutes": 1441}, "windowminutes"),
        ({"counts": 2}, "countcolumn"),
        ({"counts": 2, "countcolumn": "changedata"}, "countcolumn"),
        ({"groupby": "nothing"}, "groupby"),
        ({"severity": 9}, "severity"),
        ({"recipients": "nobody"}, "recipients"),
        ({"recipients": "a@example.com\nBcc: b@example.com"}, "recipients"),
        ({"webhook": "ftp://127.0.0.1/x"}, "webhook"),
        ({"webhook": "http://user:secret@127.0.0.1/x"}, "webhook"),
        ({"filter": "contains(changedata,'%a%b%c%')"}, "filter"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_by_name_and_nothing_is_written(
    watch: Watched, values: dict[str, Value], target: str
) -> None:
    """TS-005, TS-824."""
    before = len(watch.world.rows(RULE))
    with pytest.raises(StrongroomError) as refused:
        watch.rule(**values)
    assert isinstance(refused.value, QueryError) or refused.value.details.get("target") in (target, None)
    assert len(watch.world.rows(RULE)) == before


def test_a_webhook_outside_of_the_allow_list_is_refused(watch: Watched) -> None:
    """TS-819."""
    with pytest.raises(AccessDenied) as refused:
        watch.rule(webhook="https://evil.example.com/x")
    assert refused.value.details["reason"] == "not-allowed"


# --- through the doors that write the trail ------------------------------------------------------------------------


def test_a_refused_change_of_evidence_raises_an_alert(shipped: Watched) -> None:
    """TS-823: what the refusal leaves in the trail is what the rule looks for."""
    error = AccessDenied("'activitylog' is a ledger: its rows are written by the platform.", code="0x80048306")
    author = Author(Reference("systemuser", shipped.world.admin), None, None, iso(shipped.clock.now()))
    with shipped.database.write() as transaction:
        transaction.append_audit([refusal_entry(author, Refusal("DELETE activitylogs(…)", error), 0)])
    shipped.look()
    assert len(shipped.raised(code="ledger-write")) == 1


def test_real_sign_ins_that_fail_raise_an_alert_for_the_person(
    stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """TS-823: the entries that the directory writes are those that the rules look for."""
    home = open_home(make_home(tmp_path_factory.mktemp("signing"), stores, "sqlcipher"))
    control = open_environment(home, "control")
    watch = EnvironmentWatch(home, control)
    watch.ship()
    with directory_in(control).writing() as session:
        person = add_person(session, "ann@example.com", "Ann", "").reference()
        for number in range(10):
            signinlog.record(
                session, signinlog.Place(f"192.0.2.{number}"), signinlog.Result.FAILURE, login="ann", person=person
            )
    Trail(home, control).seal()
    watch.look()
    with control.database.read() as transaction:
        rows = transaction.rows_where(transaction.schema.tables["alert"], {"groupvalue": person.id})
    control.close()
    assert [row.values["code"] for row in rows] == ["failed-sign-ins"]


def test_a_judgement_that_could_not_be_stored_is_made_again_and_counts_once(
    watch: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TS-824: a store that is busy in between doubles nothing."""
    rule = watch.rule(filter="operation eq 1 and objecttypecode eq 'phonecall'", threshold=4)
    watch.look()
    for _ in range(2):
        watch.world.create("phonecall", subject="S")
    watch.sealer.seal()

    def busy(*_: object) -> None:
        raise Unavailable("The store is busy.")

    with monkeypatch.context() as patched, pytest.raises(Unavailable):
        patched.setattr(type(watch.alerts), "_store", busy)
        watch.alerts.look()
    watch.look()
    assert watch.raised(rule) == []
    for _ in range(2):
        watch.world.create("phonecall", subject="S")
    watch.look()
    assert [row.values["hits"] for row in watch.raised(rule)] == [4]
