"""Access of support only with consent, for one task, until a moment, and all of it on record (TS-1501 to TS-1508)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from tests.engines import ENGINES, Stores
from tests.homes import make_home

from strongroom.access.plan import ColumnAccess
from strongroom.access.planning import plan_for
from strongroom.access.resolve import require_entry, resolve
from strongroom.environment import Environment, Identity
from strongroom.errors import AccessDenied, Conflict, InvalidRequest, StrongroomError
from strongroom.home import Home, MovableClock, open_home
from strongroom.identity import TokenVerifier
from strongroom.ids import Guid, Key, Reference
from strongroom.lockbox import emergencies, requests
from strongroom.lockbox.roles import APPROVER, OPERATOR, SUPPORT
from strongroom.lockbox.scope import Scope, read_scope
from strongroom.lockbox.sessions import bound, without_literals
from strongroom.opening import open_environment
from strongroom.query.ast import Field, Output, Select, Source
from strongroom.records import (
    NewRecord,
    RequestFacts,
    RolePrivilege,
    Session,
    add_privileges,
    associate,
    change_schema,
    create,
    delete,
    retrieve_page,
    update,
)
from strongroom.schema.model import Depth, Rights
from strongroom.store.protocol import Row
from strongroom.watch import EnvironmentWatch

READ_ACCOUNTS = read_scope(["account"], ["read"])
WHY = "The import of accounts fails since Monday."


@dataclass
class House:
    """A home with people of support and of the customer in its control environment."""

    home: Home
    control: Environment
    main: Environment

    def pass_time(self, **span: float) -> None:
        clock = self.home.clock
        assert isinstance(clock, MovableClock)
        clock.move_to(clock.now() + timedelta(**span))

    def asked(self, scope: Scope = READ_ACCOUNTS, minutes: int = 60) -> Guid:
        """A request of Sam's that Sue agrees to."""
        with self.control.session_of("sam", write=True) as session:
            request = requests.ask(session, "main", scope, minutes, WHY, "C-1").id
        with self.control.session_of("sue", write=True) as session:
            requests.approve_internally(session, request)
        return request

    def approved(self, scope: Scope = READ_ACCOUNTS, minutes: int = 60) -> Guid:
        """A request that Ann approved."""
        request = self.asked(scope, minutes)
        with self.control.session_of("ann", write=True) as session:
            requests.approve(session, request, None, None)
        return request

    def identity(self, request: Guid) -> Identity:
        """Who comes in with the token of an access."""
        with self.control.session_of("sam", write=True) as session:
            token, _ = requests.open_access(session, request)
        return Identity(TokenVerifier(self.home.keys, self.home.clock).verify(token, self.main.id).user)

    def seen(self, who: Identity, table: str = "account", asked: str = "GET accounts") -> list[Guid]:
        """The rows of a table that an access sees."""
        with self.main.session(who, RequestFacts("r-1", asked=asked), write=False) as session:
            return ids_of(session, table)

    def request(self, request: Guid) -> Row:
        with self.control.database.read() as transaction:
            row = transaction.row(transaction.schema.tables["lockboxrequest"], request)
        assert row is not None
        return row

    def rows(self, table: str) -> list[Row]:
        with self.main.database.read() as transaction:
            return transaction.rows_where(transaction.schema.tables[table], {})


def ids_of(session: Session, name: str) -> list[Guid]:
    table = session.table(name)
    select = Select(Source(table), (Output("id", Field("", table.id_column)),))
    return [record.id for record in retrieve_page(session, select).rows if record.id is not None]


@pytest.fixture(scope="module", params=ENGINES)
def house(request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home = open_home(make_home(tmp_path_factory.mktemp("lockbox"), stores, str(request.param), "--test-clock"))
    control, main = open_environment(home, "control"), open_environment(home)
    people = {"sam": SUPPORT, "sue": SUPPORT, "ann": APPROVER, "bob": APPROVER, "olga": OPERATOR, "otto": OPERATOR}
    with control.session_of("admin", write=True) as session:
        unit = session.transaction.rows_where(session.table("businessunit"), {})[0].reference()
        roles = {str(row.values["name"]): row for row in session.transaction.rows_where(session.table("role"), {})}
        link = session.schema.many_to_many["systemuserroles_association"]
        for name, role in people.items():
            values = {"lastname": name, "domainname": name, "internalemailaddress": f"{name}@x", "businessunitid": unit}
            user = create(session, session.table("systemuser"), NewRecord(values))
            associate(session, link, Reference("systemuser", user), roles[role].reference())
    with main.session_of("admin", write=True) as session:
        for name in ("One", "Two"):
            create(session, session.table("account"), NewRecord({"name": name}))
        create(session, session.table("contact"), NewRecord({"lastname": "Private"}))
    yield House(home, control, main)
    control.close()
    main.close()


# --- asking and deciding -------------------------------------------------------------------------------------------


def test_an_approved_access_sees_what_was_approved_and_nothing_else(house: House) -> None:
    """TS-1504: tables and verbs, by the plans that everybody has."""
    who = house.identity(house.approved())
    assert len(house.seen(who)) == 2
    for table in ("contact", "systemuser", "lockboxsession", "audit"):
        with pytest.raises(AccessDenied):
            house.seen(who, table)
    (account, *_) = house.seen(who)
    with pytest.raises(AccessDenied), house.main.session(who, RequestFacts(), write=True) as session:
        create(session, session.table("account"), NewRecord({"name": "Forged"}))
    with pytest.raises(AccessDenied), house.main.session(who, RequestFacts(), write=True) as session:
        update(session, session.table("account"), account, {"name": "Changed"})
    with pytest.raises(AccessDenied), house.main.session(who, RequestFacts(), write=True) as session:
        delete(session, session.table("account"), account)


def test_roles_that_somebody_gives_to_the_user_of_an_access_do_not_count(house: House) -> None:
    """TS-1504: only what was approved."""
    who = house.identity(house.approved())
    with house.main.session_of("admin", write=True) as session:
        roles = {str(row.values["name"]): row for row in session.transaction.rows_where(session.table("role"), {})}
        link = session.schema.many_to_many["systemuserroles_association"]
        associate(session, link, Reference("systemuser", who.user_id), roles["System Administrator"].reference())
    assert len(house.seen(who)) == 2
    with pytest.raises(AccessDenied):
        house.seen(who, "contact")


def test_nobody_decides_on_their_own_request_nor_support_for_the_customer(house: House) -> None:
    """TS-1502: 403 `own-access`, also for one who holds both roles."""
    request = house.asked()
    with house.control.session_of("admin", write=True) as session:
        roles = {str(row.values["name"]): row for row in session.transaction.rows_where(session.table("role"), {})}
        approver = roles[APPROVER]
        users = session.transaction.rows_where(session.table("systemuser"), {})
        both = [row.id for row in users if row.values["domainname"] in ("sam", "sue")]
        link = session.schema.many_to_many["systemuserroles_association"]
        for user in both:
            if approver.id not in session.transaction.linked(link, user, from_first=True):
                associate(session, link, Reference("systemuser", user), approver.reference())
    for name in ("sam", "sue"):
        with pytest.raises(AccessDenied) as refused, house.control.session_of(name, write=True) as session:
            requests.approve(session, request, None, None)
        assert refused.value.details["reason"] == "own-access"
    assert house.request(request).values["requeststatus"] == requests.ACTION_NEEDED
    with house.control.session_of("admin", write=True) as session:
        link = session.schema.many_to_many["systemuserroles_association"]
        for user in both:
            session.transaction.unlink(link, user, approver.id)
        session.transaction.bump_security_epoch()


def test_support_without_the_right_cannot_decide_and_approvers_cannot_ask(house: House) -> None:
    request = house.asked()
    with pytest.raises(AccessDenied), house.control.session_of("olga", write=True) as session:
        requests.approve(session, request, None, None)
    with pytest.raises(AccessDenied), house.control.session_of("bob", write=True) as session:
        requests.ask(session, "main", READ_ACCOUNTS, 10, WHY, None)


def test_a_second_person_of_support_agrees_before_the_customer_is_asked(house: House) -> None:
    """TS-1502."""
    with house.control.session_of("sam", write=True) as session:
        request = requests.ask(session, "main", READ_ACCOUNTS, 10, WHY, None).id
    with pytest.raises(AccessDenied), house.control.session_of("sam", write=True) as session:
        requests.approve_internally(session, request)
    with pytest.raises(Conflict) as refused, house.control.session_of("ann", write=True) as session:
        requests.approve(session, request, None, None)
    assert refused.value.details["reason"] == "not-approved-internally"


def test_an_approval_may_narrow_and_never_widen(house: House) -> None:
    """TS-1502: 400 `cannot-widen`."""
    wide = read_scope(["account", "contact"], ["read", "write"])
    request = house.asked(wide, 30)
    for minutes, scope in ((31, None), (None, read_scope(["account", "lead"], ["read"]))):
        with pytest.raises(InvalidRequest) as refused, house.control.session_of("ann", write=True) as session:
            requests.approve(session, request, minutes, scope)
        assert refused.value.details["reason"] == "cannot-widen"
    with house.control.session_of("ann", write=True) as session:
        requests.approve(session, request, 5, READ_ACCOUNTS)
    who = house.identity(request)
    assert len(house.seen(who)) == 2
    with pytest.raises(AccessDenied):
        house.seen(who, "contact")


def test_no_answer_in_time_is_a_no(house: House) -> None:
    """TS-1503: 409 `not-pending`, before anything has noted the expiry."""
    request = house.asked()
    house.pass_time(hours=96, seconds=1)
    with pytest.raises(Conflict) as refused, house.control.session_of("ann", write=True) as session:
        requests.approve(session, request, None, None)
    assert refused.value.details["reason"] == "not-pending"
    EnvironmentWatch(house.home, house.control).look()
    assert house.request(request).values["requeststatus"] == requests.EXPIRED


def test_what_was_denied_stays_denied(house: House) -> None:
    request = house.asked()
    with house.control.session_of("ann", write=True) as session:
        requests.deny(session, request, "Ask the department first.")
    with pytest.raises(Conflict), house.control.session_of("bob", write=True) as session:
        requests.approve(session, request, None, None)
    with pytest.raises(Conflict), house.control.session_of("sam", write=True) as session:
        requests.open_access(session, request)


# --- ending --------------------------------------------------------------------------------------------------------


def test_an_access_ends_to_the_second(house: House) -> None:
    """TS-1504."""
    who = house.identity(house.approved(minutes=10))
    house.pass_time(minutes=9, seconds=30)
    assert len(house.seen(who)) == 2
    house.pass_time(seconds=31)
    with pytest.raises(AccessDenied) as refused:
        house.seen(who)
    assert refused.value.details["reason"] == "access-ended"


def test_an_access_ends_within_a_request_that_is_running_and_undoes_it(house: House) -> None:
    """TS-1504: by time, in the middle of a write."""
    who = house.identity(house.approved(read_scope(["account"], ["read", "create"]), 10))
    with pytest.raises(AccessDenied), house.main.session(who, RequestFacts(), write=True) as session:
        create(session, session.table("account"), NewRecord({"name": "Too late"}))
        house.pass_time(minutes=11)
    assert all(row.values["name"] != "Too late" for row in house.rows("account"))


def test_an_access_that_is_revoked_ends_at_once_also_for_running_requests(house: House) -> None:
    """TS-1504: nothing that was read is answered."""
    request = house.approved()
    who = house.identity(request)
    with pytest.raises(AccessDenied) as refused, house.main.session(who, RequestFacts(), write=False) as session:
        assert len(ids_of(session, "account")) == 2
        with house.control.session_of("ann", write=True) as deciding:
            requests.revoke(deciding, request, "Enough.")
    assert refused.value.details["reason"] == "access-ended"
    with pytest.raises(StrongroomError):
        house.seen(who)
    assert house.request(request).values["requeststatus"] == requests.REVOKED


def test_whoever_has_an_access_gives_it_back(house: House) -> None:
    request = house.approved()
    with house.control.session_of("sam", write=True) as session:
        requests.revoke(session, request, "Done.")
    assert house.request(request).values["requeststatus"] == requests.ENDED
    with pytest.raises(AccessDenied), house.control.session_of("olga", write=True) as session:
        requests.revoke(session, request, "Mine?")


# --- on record -----------------------------------------------------------------------------------------------------


def test_every_request_is_written_down_before_it_is_answered_without_values(house: House) -> None:
    """TS-1505: refused ones too; visible while the access lasts; nobody changes the record."""
    who = house.identity(house.approved())
    house.seen(who, asked="GET accounts?$filter=name eq 'Secret' and revenue gt 1000&$top=5")
    with pytest.raises(AccessDenied):
        house.seen(who, "contact", asked="GET contacts")
    (session_row,) = (row for row in house.rows("lockboxsession") if row.values["principalid"] == _user(who))
    commands = [
        row for row in house.rows("lockboxcommand") if row.values["lockboxsessionid"] == session_row.reference()
    ]
    assert [row.values["name"] for row in commands] == [
        "GET accounts?$filter=name eq … and revenue gt …&$top=…",
        "GET contacts",
    ]
    with pytest.raises(AccessDenied, match="ledger"), house.main.session_of("admin", write=True) as session:
        delete(session, session.table("lockboxcommand"), commands[0].id)
    with house.control.session_of("admin", write=True) as session:
        request = Guid(str(session_row.values["requestid"]))
        update(session, session.table("lockboxrequest"), request, {"requeststatus": 1, "justification": "Other."})
    assert house.request(request).values["justification"] == WHY


def _user(who: Identity) -> Reference:
    return Reference("systemuser", who.user_id)


def test_what_an_access_changed_stands_in_the_trail_under_its_user(house: House) -> None:
    who = house.identity(house.approved(read_scope(["account"], ["read", "write"]), 10))
    (account, *_) = house.seen(who)
    with house.main.session(who, RequestFacts(), write=True) as session:
        update(session, session.table("account"), account, {"description": "Put right."})
    told = [row for row in house.rows("audit") if row.values["userid"] == _user(who)]
    assert any(row.values["operation"] == 2 for row in told)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("GET accounts(01a2)?$filter=name eq 'O''Hara'", "GET accounts(01a2)?$filter=name eq …"),
        (
            "GET accounts?$filter=name%20eq%20%27Secret%27+and+revenue+gt+1.5",
            "GET accounts?$filter=name eq … and revenue gt …",
        ),
        ("GET accounts(name=%27Secret%27)", "GET accounts(name=…)"),
        ("GET accounts?$filter=name eq 'never closed", "GET accounts?$filter=name eq …"),
        (
            'GET accounts?fetchXml=%3Ccondition%20attribute=%22name%22%20value="Secret"/>',
            "GET accounts?fetchXml=<condition attribute=… value=…/>",
        ),
        ("POST $batch", "POST $batch"),
    ],
)
def test_values_are_left_out_of_a_command(asked: str, shown: str) -> None:
    """TS-1505."""
    assert without_literals(asked) == shown


def test_an_approval_stands_for_the_security_group_of_the_environment(house: House) -> None:
    """SM-69: the user of an access is in no team, and enters all the same; once it has ended, not any more."""
    who = house.identity(house.approved(minutes=10))
    with house.main.database.read() as transaction:
        facts = transaction.facts(_user(who))
        assert facts is not None
        guarded = replace(facts, settings=replace(facts.settings, entry_team=Key(4711)))
        require_entry(resolve(bound(transaction, guarded), transaction.schema, 1))
        with pytest.raises(AccessDenied):
            require_entry(resolve(guarded, transaction.schema, 1))


# --- secured columns -----------------------------------------------------------------------------------------------


def test_secured_columns_stay_closed_unless_the_scope_names_them(house: House) -> None:
    """TS-1504: the mask of the plan decides, as for everybody."""
    with house.main.database.read() as transaction:
        secured = [name for name, column in transaction.schema.tables["account"].columns.items() if column.is_secured]
    if not secured:
        with house.main.session_of("admin", write=True) as session:
            account = session.table("account")
            column = replace(account.columns["accountnumber"], is_secured=True)
            table = replace(account, columns={**account.columns, "accountnumber": column})
            change_schema(session, replace(session.schema, tables={**session.schema.tables, "account": table}))
        secured = ["accountnumber"]
    closed = house.identity(house.approved())
    opened = house.identity(house.approved(read_scope(["account"], ["read"], [f"account.{secured[0]}"])))
    for who, expected in ((closed, ColumnAccess.NONE), (opened, ColumnAccess.READ)):
        with house.main.session(who, RequestFacts(), write=False) as session:
            assert plan_for(session.caller, session.table("account"), Rights.READ).mask[secured[0]] == expected


# --- emergencies ---------------------------------------------------------------------------------------------------


def emergency(house: House) -> Guid:
    with house.control.session_of("olga", write=True) as session:
        otto = next(
            row.id
            for row in session.transaction.rows_where(session.table("systemuser"), {})
            if row.values["domainname"] == "otto"
        )
        return emergencies.break_glass(session, "main", "The service is down since noon.", otto).id


def test_an_emergency_takes_two_people_is_told_at_once_and_is_reviewed(house: House) -> None:
    """TS-1507."""
    exclusion = emergency(house)
    with pytest.raises(AccessDenied), house.control.session_of("olga", write=True) as session:
        emergencies.confirm_break_glass(session, exclusion)
    with pytest.raises(Conflict), house.control.session_of("olga", write=True) as session:
        emergencies.open_emergency(session, exclusion)
    with house.control.session_of("otto", write=True) as session:
        row = emergencies.confirm_break_glass(session, exclusion)
    assert row.values["reviewdueon"] is not None
    told = [row.values["activity"] for row in house.rows("activitylog")]
    assert "break-glass" in told
    with house.control.session_of("olga", write=True) as session:
        token, _ = emergencies.open_emergency(session, exclusion)
    who = Identity(TokenVerifier(house.home.keys, house.home.clock).verify(token, house.main.id).user)
    assert house.seen(who, "contact")
    with pytest.raises(AccessDenied):
        house.seen(who, "systemuser")
    house.pass_time(minutes=61)
    with pytest.raises(StrongroomError):
        house.seen(who, "contact")
    with pytest.raises(AccessDenied), house.control.session_of("otto", write=True) as session:
        emergencies.review(session, exclusion, "All fine.")
    with house.control.session_of("ann", write=True) as session:
        emergencies.review(session, exclusion, "Nothing but the queue was touched.")


def test_a_second_operator_who_agrees_too_late_opens_nothing(house: House) -> None:
    exclusion = emergency(house)
    house.pass_time(minutes=31)
    with house.control.session_of("otto", write=True) as session:
        row = emergencies.confirm_break_glass(session, exclusion)
    assert (row.values["exclusionstate"], row.values["sessionuid"]) == (emergencies.LAPSED, None)


def test_the_customer_can_switch_emergencies_off_and_protection_ends_a_day_later(house: House) -> None:
    """TS-1507, TS-1508."""
    with house.control.session_of("ann", write=True) as session:
        values = {"name": "main", "isprotected": True, "allowsbreakglass": False}
        policy = create(session, session.table("lockboxpolicy"), NewRecord(values))
    with pytest.raises(AccessDenied) as refused:
        emergency(house)
    assert refused.value.details["reason"] == "break-glass-off"
    with house.control.session_of("ann", write=True) as session:
        update(session, session.table("lockboxpolicy"), policy, {"isprotected": False, "allowsbreakglass": True})
    with house.control.database.read() as transaction:
        row = transaction.row(transaction.schema.tables["lockboxpolicy"], policy)
    assert row is not None
    assert row.values["protectionendson"] is not None


# --- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tables", "verbs", "columns", "reason"),
    [
        ([], ["read"], [], "scope-missing"),
        (["account"], [], [], "scope-missing"),
        (["account"], ["assign"], [], "bad-verb"),
        (["nothing"], ["read"], [], "unknown-table"),
        (["role"], ["write"], [], "scope-not-possible"),
        (["audit"], ["read", "delete"], [], "scope-not-possible"),
        (["lockboxcommand"], ["delete"], [], "scope-not-possible"),
        (["siemdelivery"], ["write"], [], "scope-not-possible"),
        (["activitylog"], ["read", "write"], [], "scope-not-possible"),
        (["account"], ["read"], ["account.name"], "unknown-column"),
        (["account"], ["read"], ["contact.lastname"], "unknown-column"),
    ],
)
def test_a_scope_that_cannot_be_is_refused_and_nothing_is_written(
    house: House, tables: list[str], verbs: list[str], columns: list[str], reason: str
) -> None:
    """TS-1502, TS-005."""
    with house.control.database.read() as transaction:
        before = len(transaction.rows_where(transaction.schema.tables["lockboxrequest"], {}))
    with pytest.raises(InvalidRequest) as refused, house.control.session_of("sam", write=True) as session:
        requests.ask(session, "main", read_scope(tables, verbs, columns), 10, WHY, None)
    assert refused.value.details["reason"] == reason
    with house.control.database.read() as transaction:
        assert len(transaction.rows_where(transaction.schema.tables["lockboxrequest"], {})) == before


@pytest.mark.parametrize(
    ("environment", "minutes", "why", "reason"),
    [
        ("nowhere", 10, WHY, "unknown-environment"),
        ("control", 10, WHY, "unknown-environment"),
        ("main", 0, WHY, "bad-minutes"),
        ("main", 481, WHY, "bad-minutes"),
        ("main", 10, "please", "reason-too-short"),
    ],
)
def test_a_request_that_cannot_be_is_refused(
    house: House, environment: str, minutes: int, why: str, reason: str
) -> None:
    with pytest.raises(InvalidRequest) as refused, house.control.session_of("sam", write=True) as session:
        requests.ask(session, environment, READ_ACCOUNTS, minutes, why, None)
    assert refused.value.details["reason"] == reason


def test_a_user_whose_access_ended_is_nobody_even_with_a_role(house: House) -> None:
    """A token that was made for longer, by whoever has the home's keys, opens nothing afterwards."""
    request = house.approved()
    who = house.identity(request)
    with house.main.session_of("admin", write=True) as session:
        role = create(
            session,
            session.table("role"),
            NewRecord({"name": "Wide", "businessunitid": Reference("businessunit", session.caller.unit_id)}),
        )
        read = session.table("account").privileges
        add_privileges(session, role, [RolePrivilege(each.id, Depth.GLOBAL) for each in read.values()])
        link = session.schema.many_to_many["systemuserroles_association"]
        associate(session, link, _user(who), Reference("role", role))
    house.pass_time(hours=2)
    with pytest.raises(AccessDenied):
        house.seen(who)
