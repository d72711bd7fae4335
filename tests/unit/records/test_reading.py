"""Pages, single rows, counts and expands (SM-5, SM-150 to SM-153, WA-211, WA-212, WA-232, WA-236)."""

from dataclasses import replace

import pytest
from tests.worlds import World, select, user

from strongroom.errors import AccessDenied, NotFound
from strongroom.ids import Guid, Reference
from strongroom.query.ast import (
    Aggregate,
    AggregateFunction,
    Comparison,
    Expand,
    Field,
    Literal,
    Operator,
    Order,
    Output,
    Select,
    Source,
)
from strongroom.records import Page, Record, associate, count, require, retrieve, retrieve_page
from strongroom.records.explaining import explain_access
from strongroom.schema.model import ColumnType, Depth, Rights, Table

NOBODY = Guid("99999999-9999-4999-8999-999999999999")


def by_name(table: Table, *, descending: bool = False) -> tuple[Order, ...]:
    name = table.primary_name
    assert name is not None
    return (Order(Field("", table.columns[name]), descending),)


def names(page: Page) -> list[object]:
    return [record.values[0] for record in page.rows]


def children(record: Record, name: str) -> list[object]:
    found = record.expanded[name]
    assert isinstance(found, list)
    return [child.values[0] for child in found]


@pytest.fixture
def reader(world: World) -> Guid:
    """Rita reads what she owns."""
    basic = {Rights.READ: Depth.BASIC}
    return world.user("Rita", None, world.role("Reader", {"account": basic, "contact": basic, "task": basic}))


def test_pages_follow_each_other_without_gaps(world: World) -> None:
    """WA-232, WA-233: the last page has no position, also when it is full."""
    for letter in "dbeac":
        world.create("account", name=letter)
    with world.administrating() as session:
        table = session.table("account")
        query = replace(select(table, "name"), order=by_name(table), page_size=2)
        seen: list[list[object]] = []
        position = None
        while True:
            page = retrieve_page(session, replace(query, after=position))
            seen.append(names(page))
            position = page.position
            if position is None:
                break
        full = retrieve_page(session, replace(query, page_size=5))

    assert seen == [["a", "b"], ["c", "d"], ["e"]]
    assert names(full) == list("abcde") and full.position is None


def test_a_record_tells_its_id_and_version(world: World) -> None:
    """WA-130: whether or not they were asked for."""
    account = world.create("account", name="A")
    row = world.row("account", account)
    assert world.read("account", account, "name") == Record(("A",), account, row.version)


def test_groups_have_neither_id_nor_version(world: World) -> None:
    world.create("account", name="A")
    with world.administrating() as session:
        source = Source(session.table("account"))
        query = Select(source, (Output("n", Aggregate(AggregateFunction.COUNT, None)),), is_aggregate=True)
        page = retrieve_page(session, query)
    assert page.rows == [Record((1,))]


def test_groups_are_paged_by_number(world: World) -> None:
    """Their position is empty, and handing it back continues with the next page."""
    for letter in "abc":
        world.create("account", name=letter)
    with world.administrating() as session:
        table = session.table("account")
        name = Field("", table.columns["name"])
        query = Select(
            Source(table),
            (Output("name", name),),
            order=(Order(name),),
            group_by=(name,),
            is_aggregate=True,
            page_size=2,
        )
        first = retrieve_page(session, query)
        second = retrieve_page(session, replace(query, after=first.position, page_number=2))
    assert (names(first), first.position) == (["a", "b"], ())
    assert (names(second), second.position) == (["c"], None)


def test_totals_count_what_the_caller_sees(world: World, reader: Guid) -> None:
    """SM-5, WA-236."""
    for number in range(3):
        world.create("account", name=str(number), ownerid=user(reader) if number else user(world.admin))
    with world.acting(reader) as session:
        table = session.table("account")
        page = retrieve_page(session, replace(select(table, "name"), page_size=1, count=True))
        number = count(session, select(table), 1)
    assert (len(page.rows), page.total, page.total_exceeded, number) == (1, 2, False, 1)


def test_one_row_is_refused_in_the_order_of_the_model(world: World, reader: Guid) -> None:
    """SM-152: privilege, existence, reach."""
    account = world.create("account", name="A")
    stranger = world.user("Sam", None, world.role("Nothing"))

    for by, row, error, code in (
        (stranger, NOBODY, AccessDenied, "0x80040220"),
        (reader, NOBODY, NotFound, "0x80040217"),
        (reader, account, AccessDenied, "0x80048306"),
    ):
        with pytest.raises(error) as refusal:
            world.read("account", row, "name", by=by)
        assert refusal.value.code == code


def test_an_unknown_key_is_404(world: World) -> None:
    """WA-128."""
    with pytest.raises(NotFound) as refusal, world.administrating() as session:
        table = session.table("account")
        retrieve(session, select(table, "name"), {"accountid": NOBODY})
    assert refusal.value.code == "0x80060891"


def test_messages_ask_for_a_row_with_a_right(world: World, reader: Guid) -> None:
    """SM-150 to SM-152, by id and by key."""
    own, foreign = world.create("account", name="A", ownerid=user(reader)), world.create("account", name="B")
    with world.acting(reader) as session:
        table = session.table("account")
        assert require(session, table, own, Rights.READ).id == own
        assert require(session, table, {"accountid": own}, Rights.READ).id == own
        for address, error in ((foreign, AccessDenied), (NOBODY, NotFound), ({"accountid": NOBODY}, NotFound)):
            with pytest.raises(error):
                require(session, table, address, Rights.READ)


def test_a_row_that_its_select_leaves_out_is_missing(world: World) -> None:
    account = world.create("account", name="A")
    with pytest.raises(NotFound), world.administrating() as session:
        table = session.table("account")
        name = Field("", table.columns["name"])
        where = Comparison(Operator.EQUAL, name, Literal("B", ColumnType.STRING))
        retrieve(session, select(table, "name", where=where), account)


def test_explanations_are_for_administrators_and_for_oneself(world: World, reader: Guid) -> None:
    """Section 16."""
    account = Reference("account", world.create("account", name="A", ownerid=user(reader)))
    other = world.user("Otto", None, world.role("Nothing"))
    with world.acting(reader) as session:
        assert explain_access(session, user(reader), account, Rights.READ).allowed
        with pytest.raises(AccessDenied):
            explain_access(session, user(other), account, Rights.READ)
    with world.administrating() as session:
        address = Reference("customeraddress", world.admin)
        assert not explain_access(session, user(other), account, Rights.READ).allowed
        assert not explain_access(session, user(other), address, Rights.READ).allowed


# --- expands ---


@pytest.fixture
def company(world: World) -> World:
    """Two accounts: A with a primary contact and the contacts x, y, z; B with none."""
    boss = world.create("contact", lastname="Boss")
    a = world.create("account", name="A", primarycontactid=Reference("contact", boss))
    world.create("account", name="B")
    for name in "yxz":
        world.create("contact", lastname=name, parentcustomerid=Reference("account", a))
    return world


def expanded(world: World, by: Guid, expand: Expand) -> dict[object, Record]:
    with world.acting(by) as session:
        query = replace(select(session.table("account"), "name"), expands=(expand,))
        return {record.values[0]: record for record in retrieve_page(session, query).rows}


def contacts(world: World, **options: object) -> Expand:
    link = world.schema.collection_nav("account", "contact_customer_accounts")
    inner = replace(select(world.table("contact"), "fullname"), **options)  # pyright: ignore[reportArgumentType]
    return Expand("contact_customer_accounts", inner, relationship=link)


def primary(world: World) -> Expand:
    link = world.schema.lookup_nav("account", "primarycontactid")
    return Expand("primarycontactid", select(world.table("contact"), "fullname"), relationship=link, to_parent=True)


def test_a_single_valued_expand_is_a_record_or_nothing(company: World) -> None:
    """WA-211."""
    rows = expanded(company, company.admin, primary(company))
    boss = rows["A"].expanded["primarycontactid"]
    assert isinstance(boss, Record) and boss.values == ("Boss",) and boss.version is not None
    assert rows["B"].expanded["primarycontactid"] is None


def test_a_collection_is_ordered_filtered_and_cut_for_each_parent(company: World) -> None:
    """WA-210, WA-212."""
    contact = company.table("contact")
    fullname = Field("", contact.columns["fullname"])
    whole = expanded(company, company.admin, contacts(company, order=by_name(contact)))
    cut = expanded(company, company.admin, contacts(company, order=by_name(contact, descending=True), top=2))
    only = Comparison(Operator.EQUAL, fullname, Literal("X", ColumnType.STRING))
    some = expanded(company, company.admin, contacts(company, where=only))

    name = "contact_customer_accounts"
    assert children(whole["A"], name) == ["x", "y", "z"] and children(whole["B"], name) == []
    assert children(cut["A"], name) == ["z", "y"]
    assert children(some["A"], name) == ["x"]


def test_expanded_rows_that_may_not_be_read_are_left_out(company: World) -> None:
    """SM-153: null for one, absent from many. Rita reads all accounts, but of the contacts only one."""
    role = company.role("Reader", {"account": {Rights.READ: Depth.GLOBAL}, "contact": {Rights.READ: Depth.BASIC}})
    rita = company.user("Rita", None, role)
    company.share(company.rows("contact", lastname="y")[0].reference(), user(rita), Rights.READ)

    assert expanded(company, rita, primary(company))["A"].expanded["primarycontactid"] is None
    assert children(expanded(company, rita, contacts(company))["A"], "contact_customer_accounts") == ["y"]


def test_expanding_needs_the_read_privilege_of_the_other_table(company: World) -> None:
    """SM-153."""
    only_accounts = company.user("Oda", None, company.role("Accounts", {"account": {Rights.READ: Depth.GLOBAL}}))
    with pytest.raises(AccessDenied, match="prvReadContact"):
        expanded(company, only_accounts, primary(company))


def test_expands_nest(company: World) -> None:
    """WA-213: contacts of an account, each with its account."""
    link = company.schema.lookup_nav("contact", "parentcustomerid_account")
    back = Expand("back", select(company.table("account"), "name"), relationship=link, to_parent=True)
    rows = expanded(company, company.admin, contacts(company, expands=(back,)))

    found = rows["A"].expanded["contact_customer_accounts"]
    assert isinstance(found, list)
    for contact in found:
        account = contact.expanded["back"]
        assert isinstance(account, Record) and account.values == ("A",)


def test_a_lookup_to_several_tables_expands_only_the_one_that_is_meant(company: World) -> None:
    """WA-117: a contact whose parent is a contact has no parent account."""
    parent = company.rows("contact", lastname="x")[0]
    company.create("contact", lastname="child", parentcustomerid=parent.reference())
    link = company.schema.lookup_nav("contact", "parentcustomerid_account")
    expand = Expand("account", select(company.table("account"), "name"), relationship=link, to_parent=True)
    with company.administrating() as session:
        query = replace(select(session.table("contact"), "lastname"), expands=(expand,))
        found = {r.values[0]: r.expanded["account"] for r in retrieve_page(session, query).rows}
    assert found["child"] is None and found["Boss"] is None
    assert isinstance(found["y"], Record)


def test_many_to_many_expands_from_both_sides(company: World) -> None:
    """Users with their roles, and roles with their users."""
    link = company.schema.many_to_many["systemuserroles_association"]
    role = company.role("Clerk")
    people = {name: company.user(name, None, role) for name in ("Ann", "Bob")}
    with company.administrating() as session:
        roles, users = session.table("role"), session.table("systemuser")
        of_users = Expand(link.nav1, select(roles, "name"), many_to_many=link)
        of_roles = Expand(link.nav2, replace(select(users, "firstname"), order=by_name(users)), many_to_many=link)
        ann = retrieve(session, replace(select(users, "firstname"), expands=(of_users,)), people["Ann"])
        clerk = retrieve(session, replace(select(roles, "name"), expands=(of_roles,)), role)
    assert children(ann, link.nav1) == ["Clerk"]
    assert children(clerk, link.nav2) == ["Ann", "Bob"]


def test_many_to_many_within_one_table_keeps_its_sides_apart(world: World) -> None:
    """A table linked to itself: what it points to, and what points to it."""
    table = world.new_table("node")
    link = world.new_association("edges", table, table)
    a, b = (Reference(table, world.create(table, new_name=name)) for name in "ab")
    with world.administrating() as session:
        associate(session, link, a, b)
        node = session.table(table)
        row: dict[str, dict[object, list[object]]] = {}
        for nav in (link.nav1, link.nav2):
            query = replace(
                select(node, "new_name"), expands=(Expand(nav, select(node, "new_name"), many_to_many=link),)
            )
            row[nav] = {r.values[0]: children(r, nav) for r in retrieve_page(session, query).rows}
    assert link.nav1 != link.nav2
    assert {frozenset(k for k, v in found.items() if v) for found in row.values()} == {frozenset("a"), frozenset("b")}
