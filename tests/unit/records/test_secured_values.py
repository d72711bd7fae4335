"""Shares of single values, masks, and reading behind them (SM-132 to SM-139)."""

from dataclasses import dataclass, replace

import pytest
from tests.worlds import World, depths, select, team, user

from strongroom.audit.history import record_change_history
from strongroom.errors import AccessDenied, InvalidRequest, StrongroomError
from strongroom.ids import Guid, Reference, new_guid
from strongroom.query.ast import (
    Aggregate,
    AggregateFunction,
    Comparison,
    Expand,
    Field,
    Literal,
    LookupName,
    Operator,
    Output,
    Select,
    Source,
)
from strongroom.records import (
    Record,
    RequestFacts,
    associate,
    change_schema,
    count,
    grant_access,
    retrieve,
    retrieve_page,
)
from strongroom.schema.changes import NewColumn, replace_column
from strongroom.schema.model import ColumnType, Depth, Rights
from strongroom.store.protocol import Value

SSN, CARD = "new_ssn", "new_card"
LAST_FOUR = "[0-9](?=[0-9]{4})"
SHARES = "principalobjectattributeaccess"
SHARING: dict[str, dict[Rights, Depth]] = {
    SHARES: depths(Depth.GLOBAL, (Rights.CREATE, Rights.READ, Rights.WRITE, Rights.DELETE, Rights.APPEND)),
    "systemuser": depths(Depth.GLOBAL, (Rights.READ, Rights.APPEND_TO)),
    "team": depths(Depth.GLOBAL, (Rights.READ, Rights.APPEND_TO)),
}


@dataclass
class Office:
    """A table with two secured texts, Ann who opens none of them, and Ray whose profile can be given anything."""

    world: World
    table: str
    ann: Guid
    ray: Guid
    first: Guid
    second: Guid

    def share(self, column: str, row: Guid, principal: Reference, by: Guid | None = None, **access: bool) -> Guid:
        values: dict[str, Value] = {
            "attributeid": self.world.table(self.table).columns[column].metadata_id,
            "objectid": Reference(self.table, row),
            "principalid": principal,
            "readaccess": access.get("read", False),
            "updateaccess": access.get("update", False),
        }
        return self.world.make(SHARES, values, by)

    def open(self, column: str, **permissions: int) -> Guid:
        """A new profile of Ray's."""
        profile = self.world.create("fieldsecurityprofile", name=column)
        values = {"entityname": self.table, "attributelogicalname": column, "canread": 4, **permissions}
        self.world.make(
            "fieldpermission", {**values, "fieldsecurityprofileid": Reference("fieldsecurityprofile", profile)}
        )
        with self.world.administrating() as session:
            association = session.schema.many_to_many["systemuserprofiles_association"]
            ends = (user(self.ray), Reference("fieldsecurityprofile", profile))
            associate(session, association, *(ends if association.table1 == "systemuser" else reversed(ends)))
        return profile

    def mask(self, column: str = CARD, pattern: str = LAST_FOUR) -> Guid:
        rule = self.world.create(
            "maskingrule", name=column, displayname=column, regularexpression=pattern, maskedcharacter="#"
        )
        self.world.create(
            "attributemaskingrule",
            entityname=self.table,
            attributelogicalname=column,
            uniquename=column,
            maskingruleid=Reference("maskingrule", rule),
        )
        return rule

    def one(self, row: Guid, by: Guid, *columns: str, unmasked: bool = False) -> tuple[Value, ...]:
        with self.world.acting(by) as session:
            session.request = RequestFacts(unmasked=unmasked)
            return retrieve(session, select(session.table(self.table), *columns), row).values

    def all(self, by: Guid, *columns: str, unmasked: bool = False) -> dict[Guid | None, tuple[Value, ...]]:
        with self.world.acting(by) as session:
            session.request = RequestFacts(unmasked=unmasked)
            page = retrieve_page(session, select(session.table(self.table), *columns))
            return {record.id: record.values for record in page.rows}

    def ask(self, query: Select, by: Guid) -> list[Record]:
        with self.world.acting(by) as session:
            return list(retrieve_page(session, query).rows)

    def field(self, column: str) -> Field:
        return Field("", self.world.table(self.table).columns[column])


@pytest.fixture
def office(world: World) -> Office:
    """Two rows, of which the first has both values."""
    secured = [NewColumn(name, ColumnType.STRING, is_secured=True) for name in (SSN, CARD)]
    table = world.new_table("thing", *secured)
    role = world.role("All", {table: depths(Depth.GLOBAL), **SHARING})
    ann, ray = world.user("Ann", None, role), world.user("Ray", None, role)
    first = world.create(table, new_name="first", new_ssn="one", new_card="12345678")
    second = world.create(table, new_name="second", new_ssn="two", new_card="87654321")
    return Office(world, table, ann, ray, first, second)


# --- value shares --------------------------------------------------------------------------------------------------


def test_a_shared_value_shows_in_its_row_alone(office: Office) -> None:
    """SM-134, SM-135: in lists and in single reads, at once and until it is taken back."""
    assert office.all(office.ann, SSN) == {office.first: (None,), office.second: (None,)}

    share = office.share(SSN, office.first, user(office.ann), read=True)

    assert office.all(office.ann, SSN, CARD) == {office.first: ("one", None), office.second: (None, None)}
    assert office.one(office.first, office.ann, SSN) == ("one",)
    assert office.one(office.second, office.ann, SSN) == (None,)
    assert office.one(office.first, office.ray, SSN) == (None,)
    office.world.delete(SHARES, share)
    assert office.one(office.first, office.ann, SSN) == (None,)


@pytest.mark.parametrize("kind", [0, 1])
def test_a_value_shared_with_a_team_shows_to_its_members(office: Office, kind: int) -> None:
    """SM-134: owner teams and access teams alike."""
    sales = office.world.team("Sales", None, members=[office.ann], kind=kind)

    office.share(SSN, office.first, team(sales), read=True)

    assert office.one(office.first, office.ann, SSN) == ("one",)
    assert office.one(office.first, office.ray, SSN) == (None,)


def test_a_shared_value_opens_no_row(office: Office) -> None:
    """SM-135."""
    bo = office.world.user("Bo", None, office.world.role("Own", {office.table: depths(Depth.BASIC)}))
    office.share(SSN, office.first, user(bo), read=True)

    assert office.all(bo, SSN) == {}
    with office.world.administrating() as session:
        grant_access(session, Reference(office.table, office.first), user(bo), Rights.READ)
    assert office.all(bo, SSN) == {office.first: ("one",)}


def test_a_shared_value_is_changed_only_with_update_access_and_only_there(office: Office) -> None:
    """SM-133, SM-134."""
    share = office.share(SSN, office.first, user(office.ann), read=True)
    with pytest.raises(AccessDenied) as refusal:
        office.world.update(office.table, office.first, office.ann, new_ssn="x")
    assert refusal.value.code == "0x8004f507"

    office.world.update(SHARES, share, updateaccess=True)

    office.world.update(office.table, office.first, office.ann, new_ssn="uno")
    assert office.one(office.first, office.ann, SSN) == ("uno",)
    for row, changes in (
        (office.second, {SSN: "x"}),
        (office.first, {CARD: "x"}),
        (office.first, {SSN: "y", CARD: ""}),
    ):
        with pytest.raises(AccessDenied):
            office.world.change(office.table, row, changes, office.ann)
    assert office.one(office.first, office.world.admin, SSN) == ("uno",)


def test_update_access_alone_does_not_show_the_value(office: Office) -> None:
    """SM-134: each access is for itself."""
    office.share(SSN, office.first, user(office.ann), update=True)

    office.world.update(office.table, office.first, office.ann, new_ssn="uno")

    assert office.one(office.first, office.ann, SSN) == (None,)


def test_shared_values_decide_nothing(office: Office) -> None:
    """SM-136: neither rows nor order nor groups; distinct rows do not show them."""
    office.share(SSN, office.first, user(office.ann), read=True)
    ssn, name = office.field(SSN), office.field("new_name")
    plain = select(office.world.table(office.table), "new_name")
    equal = Comparison(Operator.EQUAL, ssn, Literal("one", ColumnType.STRING))
    counted = Output("n", Aggregate(AggregateFunction.COUNT_COLUMN, ssn))

    for query in (
        replace(plain, where=equal),
        Select(Source(office.world.table(office.table)), (counted,), is_aggregate=True),
        Select(Source(office.world.table(office.table)), (Output("s", ssn),), group_by=(ssn,)),
    ):
        with pytest.raises(AccessDenied) as refusal:
            office.ask(query, office.ann)
        assert refusal.value.code == "0x8004f504"
    distinct = replace(plain, outputs=(Output("n", name), Output("s", ssn)), distinct=True)
    assert {record.values for record in office.ask(distinct, office.ann)} == {("first", None), ("second", None)}


def test_a_value_is_shared_once_and_only_of_secured_columns(office: Office) -> None:
    """SM-134: 0x8004f50b; SM-131: 0x8004f508."""
    office.share(SSN, office.first, user(office.ann), read=True)
    office.share(SSN, office.second, user(office.ann), read=True)
    office.share(SSN, office.first, user(office.ray), read=True)
    for column, code in ((SSN, "0x8004f50b"), ("new_name", "0x8004f508")):
        with pytest.raises(InvalidRequest) as refusal:
            office.share(column, office.first, user(office.ann), read=True)
        assert refusal.value.code == code


def test_what_a_share_is_about_cannot_change(office: Office) -> None:
    """A share that moved would give what nobody has checked."""
    share = office.share(SSN, office.first, user(office.ann), read=True)
    card = office.world.table(office.table).columns[CARD].metadata_id
    for changes in (
        {"objectid": Reference(office.table, office.second)},
        {"principalid": user(office.ray)},
        {"attributeid": card},
    ):
        with pytest.raises(InvalidRequest, match="cannot be changed"):
            office.world.change(SHARES, share, changes)


def test_nobody_shares_a_value_that_they_may_not_use_themselves(office: Office) -> None:
    """SM-134: Share on the row, and the permission itself, from a profile or from a share."""
    with pytest.raises(AccessDenied, match="may not read the secured column"):
        office.share(SSN, office.first, user(office.ray), by=office.ann, read=True)
    office.share(SSN, office.first, user(office.ann), read=True)
    with pytest.raises(AccessDenied, match="may not update the secured column"):
        office.share(SSN, office.first, user(office.ray), by=office.ann, read=True, update=True)

    passed_on = office.share(SSN, office.first, user(office.ray), by=office.ann, read=True)

    assert office.one(office.first, office.ray, SSN) == ("one",)
    with pytest.raises(AccessDenied):
        office.world.update(SHARES, passed_on, office.ann, updateaccess=True)


def test_sharing_and_ending_it_need_share_on_the_row(office: Office) -> None:
    """SM-134, as for rows (SM-73, SM-78)."""
    rights = {office.table: depths(Depth.GLOBAL, (Rights.READ, Rights.WRITE, Rights.APPEND_TO)), **SHARING}
    bo = office.world.user("Bo", None, office.world.role("No sharing", rights))
    share = office.share(SSN, office.first, user(bo), read=True)
    for act in (
        lambda: office.share(SSN, office.first, user(office.ray), by=bo, read=True),
        lambda: office.world.delete(SHARES, share, bo),
        lambda: office.world.update(SHARES, share, bo, readaccess=False),
    ):
        with pytest.raises(AccessDenied, match="prvSharenew_thing"):
            act()


def test_shared_values_go_with_their_row(office: Office) -> None:
    """As shares do (SM-79): whoever may delete the row needs no right on them."""
    bo = office.world.user("Bo", None, office.world.role("Deleter", {office.table: depths(Depth.GLOBAL)}))
    office.share(SSN, office.first, user(office.ann), read=True)

    office.world.delete(office.table, office.first, bo)

    assert office.world.rows(SHARES) == []


def test_a_column_that_is_no_longer_secured_forgets_who_was_let_in(office: Office) -> None:
    """Secured again, it is closed again: permissions, shares and masks of before do not come back."""
    office.open(SSN)
    office.share(SSN, office.first, user(office.ann), read=True)
    office.mask(SSN)
    for secured in (False, True):
        with office.world.administrating() as session:
            new = NewColumn(SSN, ColumnType.STRING, is_secured=secured)
            change_schema(session, replace_column(session.schema, office.table, SSN, new))

    assert office.one(office.first, office.ann, SSN) == office.one(office.first, office.ray, SSN) == (None,)
    assert [office.world.rows(name) for name in ("fieldpermission", SHARES, "attributemaskingrule")] == [[], [], []]


def test_behind_an_impersonation_a_value_must_be_shared_with_both(office: Office) -> None:
    """WA-420: a column is open when it is open to both."""
    delegate = office.world.role(
        "Delegate",
        {office.table: depths(Depth.GLOBAL)},
        by_name={"prvActOnBehalfOfAnotherUser": Depth.GLOBAL},
    )
    office.world.give_role(delegate, user(office.ray))
    office.share(SSN, office.first, user(office.ann), read=True)

    def seen() -> Value:
        with office.world.acting(office.ann, behind=office.ray) as session:
            return retrieve(session, select(session.table(office.table), SSN), office.first).values[0]

    assert seen() is None
    office.share(SSN, office.first, user(office.ray), read=True)
    assert seen() == "one"


# --- masks ---------------------------------------------------------------------------------------------------------


def test_readers_get_masked_values_until_they_ask_and_may(office: Office) -> None:
    """SM-137, SM-138: 1 unmasks a single row, 3 lists too; without asking the mask stays."""
    office.mask()
    office.open(CARD)
    masked = {office.first: ("####5678",), office.second: ("####4321",)}
    clear = {office.first: ("12345678",), office.second: ("87654321",)}

    assert office.all(office.ray, CARD) == office.all(office.ray, CARD, unmasked=True) == masked
    assert office.one(office.first, office.ray, CARD, unmasked=True) == masked[office.first]
    assert office.one(office.first, office.ann, CARD, unmasked=True) == (None,)
    office.open(CARD, canreadunmasked=1)
    assert office.all(office.ray, CARD, unmasked=True) == masked
    assert office.one(office.first, office.ray, CARD) == masked[office.first]
    assert office.one(office.first, office.ray, CARD, unmasked=True) == clear[office.first]
    office.open(CARD, canreadunmasked=3)
    assert office.all(office.ray, CARD) == masked
    assert office.all(office.ray, CARD, unmasked=True) == clear


def test_masks_are_over_the_eyes_of_administrators_too(office: Office) -> None:
    """SM-65."""
    office.mask()

    assert office.one(office.first, office.world.admin, CARD) == ("####5678",)
    assert office.one(office.first, office.world.admin, CARD, unmasked=True) == ("12345678",)


def test_a_shared_value_comes_masked(office: Office) -> None:
    """SM-137 holds whatever lets the reader in."""
    office.mask()
    office.share(CARD, office.first, user(office.ann), read=True)

    assert office.all(office.ann, CARD, unmasked=True) == {office.first: ("####5678",), office.second: (None,)}


def test_each_unmasked_value_that_is_read_is_audited(office: Office) -> None:
    """SM-138: one entry a row that names the columns and not the values; none for what stayed masked or is empty."""
    office.mask()
    office.open(CARD, canreadunmasked=1)
    empty = office.world.create(office.table, new_name="empty")

    office.all(office.ray, CARD, unmasked=True)
    office.one(office.first, office.ray, CARD)
    office.one(empty, office.ray, CARD, unmasked=True)
    assert office.world.rows("audit", action=15) == []
    office.one(office.first, office.ray, CARD, SSN, unmasked=True)

    (entry,) = office.world.rows("audit", action=15)
    assert entry.values["operation"] == 4
    assert entry.values["objectid"] == Reference(office.table, office.first)
    assert entry.values["userid"] == user(office.ray)
    assert entry.values["attributemask"] == str(office.world.table(office.table).columns[CARD].column_number)
    assert "1234" not in str(entry.values["changedata"])


def test_masked_columns_decide_only_for_who_may_read_all_of_them_unmasked(office: Office) -> None:
    """SM-137: filters, orders and distinct rows would tell the value piece by piece."""
    office.mask()
    office.open(CARD, canreadunmasked=1)
    card = office.field(CARD)
    plain = select(office.world.table(office.table), CARD)
    equal = replace(plain, where=Comparison(Operator.EQUAL, card, Literal("12345678", ColumnType.STRING)))
    distinct = replace(plain, distinct=True)

    for query in (equal, distinct):
        with pytest.raises(AccessDenied) as refusal:
            office.ask(query, office.ray)
        assert refusal.value.code == "0x8004f504"
    with office.world.acting(office.ray) as session, pytest.raises(AccessDenied):
        count(session, equal)
    office.open(CARD, canreadunmasked=3)
    assert [record.values for record in office.ask(equal, office.ray)] == [("####5678",)]
    assert sorted(str(record.values[0]) for record in office.ask(distinct, office.ray)) == ["####4321", "####5678"]


def test_expanded_rows_are_lists(office: Office) -> None:
    """SM-138: the permission for one row does not unmask what hangs on it."""
    office.world.new_relationship("line", office.table, office.table, "parent")
    office.world.change(office.table, office.second, {"new_parent": Reference(office.table, office.first)})
    office.mask()
    office.open(CARD, canreadunmasked=1)

    def expanded() -> tuple[Value, ...]:
        with office.world.acting(office.ray) as session:
            session.request = RequestFacts(unmasked=True)
            table = session.table(office.table)
            relationship = session.schema.relationships["new_line"]
            inner = select(table, CARD)
            query = replace(
                select(table, CARD), expands=(Expand("p", inner, relationship=relationship, to_parent=True),)
            )
            record = retrieve(session, query, office.second)
            parent = record.expanded["p"]
            assert isinstance(parent, Record)
            return (*record.values, *parent.values)

    assert expanded() == ("87654321", "####5678")
    office.open(CARD, canreadunmasked=3)
    assert expanded() == ("87654321", "12345678")
    assert len({row.values["objectid"] for row in office.world.rows("audit", action=15)}) == 2


@pytest.mark.parametrize(
    ("pattern", "character", "said"),
    [
        ("[0-9", "#", "no regular expression"),
        ("(a+)+$", "#", "takes too long"),
        ("((a{1000}){1000}){1000}", "#", "repeats too often"),
        ("a" * 501, "#", "at most 500"),
        ("", "#", "regularexpression"),
        ("a", "\n", "one printable character"),
    ],
)
def test_a_masking_rule_must_be_safe_to_run(world: World, pattern: str, character: str, said: str) -> None:
    """SM-137: on the texts of others."""
    values = {"name": "r", "displayname": "r", "regularexpression": pattern, "maskedcharacter": character}
    with pytest.raises(StrongroomError, match=said) as refusal:
        world.make("maskingrule", values)
    assert refusal.value.status == 400


def test_a_rule_is_tied_to_one_secured_text(office: Office) -> None:
    """SM-137."""
    rule = Reference("maskingrule", office.mask())
    for column, said in (("new_name", "not secured"), ("new_none", "no column"), (CARD, "already")):
        values = {"entityname": office.table, "attributelogicalname": column, "uniquename": "u", "maskingruleid": rule}
        with pytest.raises(InvalidRequest, match=said):
            office.world.make("attributemaskingrule", values)


def test_a_changed_rule_is_in_force_at_once(office: Office) -> None:
    """SM-4."""
    rule = office.mask()
    assert office.one(office.first, office.world.admin, CARD) == ("####5678",)

    office.world.update("maskingrule", rule, regularexpression="[0-9]", maskedcharacter="*")
    assert office.one(office.first, office.world.admin, CARD) == ("********",)
    office.world.delete("maskingrule", rule)
    assert office.one(office.first, office.world.admin, CARD) == ("12345678",)


def test_the_name_of_a_lookup_does_not_tell_what_is_secured_behind_it(world: World) -> None:
    """SM-132, SM-137: neither a closed name nor a masked one."""
    contact = world.create("contact", firstname="Cy", lastname="Low")
    account = world.create("account", name="A", primarycontactid=Reference("contact", contact))
    role = world.role("R", {name: depths(Depth.GLOBAL) for name in ("account", "contact")})
    ann = world.user("Ann", None, role)
    with world.administrating() as session:
        contacts = session.table("contact")  # no client can do this (SM-139): the second lock on the same door
        secured = {**contacts.columns, "fullname": replace(contacts.columns["fullname"], is_secured=True)}
        tables = {**session.schema.tables, "contact": replace(contacts, columns=secured)}
        change_schema(session, replace(session.schema, tables=tables))

    def name(by: Guid) -> Value:
        with world.acting(by) as session:
            table = session.table("account")
            output = Output("n", LookupName("", table.columns["primarycontactid"]))
            return retrieve(session, Select(Source(table), (output,)), account).values[0]

    assert (name(ann), name(world.admin)) == (None, "Cy Low")
    rule = world.create("maskingrule", name="r", displayname="r", regularexpression=".", maskedcharacter="#")
    world.create(
        "attributemaskingrule",
        entityname="contact",
        attributelogicalname="fullname",
        uniquename="u",
        maskingruleid=Reference("maskingrule", rule),
    )
    assert name(world.admin) is None


# --- the trail -----------------------------------------------------------------------------------------------------


def test_the_history_of_a_row_is_masked_as_the_row_is(office: Office) -> None:
    """SM-132, SM-137: for administrators too, and also in the entries as they are stored."""
    office.mask()
    office.world.update(office.table, office.first, new_card="99998888")
    row = Reference(office.table, office.first)

    with office.world.administrating() as session:
        detail = record_change_history(session.transaction, session.caller, row).details[0]
        table = session.table("audit")
        listed = retrieve_page(session, select(table, "changedata")).rows

    assert (detail.old[CARD], detail.new[CARD]) == ("####5678", "####8888")
    assert detail.entry["changedata"] is None
    assert {record.values for record in listed} == {(None,)}


def test_a_shared_value_opens_no_history(office: Office) -> None:
    """SM-135: what is shared is the value that the row has."""
    seer = office.world.role("Seer", by_name={"prvReadRecordAuditHistory": Depth.GLOBAL})
    office.world.give_role(seer, user(office.ann))
    office.share(SSN, office.first, user(office.ann), read=True)

    with office.world.acting(office.ann) as session:
        row = Reference(office.table, office.first)
        history = record_change_history(session.transaction, session.caller, row)

    assert history.details
    assert all(SSN not in {**detail.old, **detail.new} for detail in history.details)


def test_the_name_of_a_secured_file_is_as_closed_as_the_file(office: Office) -> None:
    """SM-132: the columns that the platform keeps beside a file tell of it."""
    office.world.new_column(office.table, NewColumn("new_file", ColumnType.FILE, is_secured=True))
    with office.world.administrating() as session:
        row = session.transaction.row(session.table(office.table), office.first)
        assert row is not None
        session.transaction.update(row, {"new_file": new_guid(session.clock), "new_file_name": "plan.pdf"})

    assert office.one(office.first, office.ann, "new_file", "new_file_name") == (None, None)
    office.open("new_file")
    assert office.one(office.first, office.ray, "new_file_name") == ("plan.pdf",)
