"""Whole queries under security: SM-132, SM-136, SM-153."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from people import ADA, NORTH, administrator, facts, role

from access_schema import column, guid, schema, table
from strongroom.access.caller import Caller
from strongroom.access.masking import Mask
from strongroom.access.plan import ColumnAccess
from strongroom.access.planned import planned
from strongroom.access.resolve import resolve
from strongroom.errors import AccessDenied
from strongroom.query.ast import (
    TRUE,
    Aggregate,
    AggregateFunction,
    And,
    ChoiceMatch,
    Comparison,
    DateGroup,
    DatePart,
    Exists,
    Expand,
    Expression,
    Field,
    Hierarchy,
    InList,
    IsNull,
    Join,
    JoinKind,
    Link,
    Literal,
    LookupName,
    LookupTable,
    Match,
    Not,
    Operator,
    Or,
    Order,
    Output,
    Predicate,
    Select,
    Source,
    TextMatch,
)
from strongroom.schema.model import ColumnType, Depth, ManyToMany, Relationship, Rights

SCHEMA = schema(
    [
        table(
            "account",
            columns=[
                column("ssn", secured=True),
                column("note"),
                column("kinds", ColumnType.MULTISELECT, secured=True),
                column("born", ColumnType.DATETIME, secured=True),
                column("parentid", ColumnType.LOOKUP, secured=True, targets=("account",)),
                column("bossid", ColumnType.LOOKUP, targets=("contact", "gone")),
                column("friendid", ColumnType.LOOKUP, targets=("account", "list")),
            ],
        ),
        table(
            "contact",
            columns=[column("fullname", secured=True), column("accountid", ColumnType.LOOKUP, targets=("account",))],
            primary_name="fullname",
        ),
        table("list", primary_name=None),
    ]
)
ACCOUNT, CONTACT = SCHEMA.tables["account"], SCHEMA.tables["contact"]
ROOT, OTHER = Source(ACCOUNT), Source(CONTACT, "c")
SSN, NOTE = Field("", ACCOUNT.columns["ssn"]), Field("", ACCOUNT.columns["note"])
KINDS, BORN = Field("", ACCOUNT.columns["kinds"]), Field("", ACCOUNT.columns["born"])
PARENT = ACCOUNT.columns["parentid"]
TEXT = Literal("x", ColumnType.STRING)


def hierarchy(column_name: str) -> Relationship:
    return Relationship("tree", guid("tree"), "account", "accountid", "account", column_name, "parent", "children")


def reader(*tables: str, columns: dict[str, dict[str, ColumnAccess]] | None = None) -> Caller:
    """Ada, who reads her own rows of `tables`."""
    privileges = {"seller": {(name, Rights.READ): Depth.BASIC for name in tables}}
    return resolve(facts(role("seller"), privileges=privileges, columns=columns, of=SCHEMA), SCHEMA, 1)


def select(
    *outputs: Expression,
    where: Predicate | None = None,
    joins: tuple[Join, ...] = (),
    order: Sequence[Order] = (),
    group_by: tuple[Field | DateGroup | LookupName, ...] = (),
    expands: tuple[Expand, ...] = (),
) -> Select:
    named = tuple(Output(f"o{i}", expression) for i, expression in enumerate(outputs))
    return Select(ROOT, named, joins, where, tuple(order), group_by, expands=expands)


def join(link: Link, where: Predicate | None = None) -> Join:
    return Join(JoinKind.OUTER, OTHER, link, where)


OPEN_LINK = Link("", "accountid", "accountid")
FURTHER = Join(
    JoinKind.INNER,
    Source(ACCOUNT, "p"),
    Link("c", "accountid", "accountid"),
    IsNull(Field("p", ACCOUNT.columns["ssn"])),
)


def test_every_alias_gets_the_plan_of_its_own_table() -> None:
    """SM-153: joins, sub-selects and joins inside them."""
    inner = Exists(
        Link("c", "contactid", "bossid"),
        Source(ACCOUNT, "a2"),
        joins=(Join(JoinKind.INNER, Source(CONTACT, "c3"), Link("a2", "bossid", "contactid")),),
    )
    query = select(NOTE, joins=(join(OPEN_LINK),), where=inner)

    plans = planned(query, reader("account", "contact")).plans

    assert {alias: plan.table.logical_name for alias, plan in plans.items()} == {
        "": "account",
        "c": "contact",
        "a2": "account",
        "c3": "contact",
    }
    assert all(plan.right is Rights.READ and plan.reach.owners == {ADA} for plan in plans.values())


@pytest.mark.parametrize(
    "query",
    [
        select(NOTE, joins=(join(OPEN_LINK),)),
        select(NOTE, where=Not(Exists(OPEN_LINK, OTHER))),
        select(NOTE, expands=(Expand("c", Select(Source(CONTACT), ())),)),
    ],
    ids=["join", "exists", "expand"],
)
def test_a_table_without_the_read_privilege_refuses_the_whole_query(query: Select) -> None:
    """SM-153."""
    with pytest.raises(AccessDenied, match="prvReadContact") as refused:
        planned(query, reader("account"))

    assert refused.value.code == "0x80040220"


@pytest.mark.parametrize(
    "predicate",
    [
        Comparison(Operator.EQUAL, SSN, TEXT),
        Comparison(Operator.EQUAL, NOTE, SSN),
        IsNull(SSN),
        InList(SSN, (TEXT,)),
        Match(TextMatch.CONTAINS, SSN, "x"),
        ChoiceMatch(KINDS, (1,)),
        And((TRUE, IsNull(SSN))),
        Or((IsNull(NOTE), Not(IsNull(SSN)))),
        Hierarchy("", hierarchy("parentid"), guid("row")),
        IsNull(LookupName("", PARENT)),
        Exists(Link("", "parentid", "accountid"), Source(ACCOUNT, "p")),
        Exists(Link("", "accountid", "parentid"), Source(ACCOUNT, "p")),
        Exists(OPEN_LINK, OTHER, IsNull(Field("c", CONTACT.columns["fullname"]))),
        Exists(
            OPEN_LINK,
            OTHER,
            joins=(
                Join(
                    JoinKind.INNER,
                    Source(ACCOUNT, "p"),
                    Link("c", "accountid", "accountid"),
                    IsNull(Field("p", ACCOUNT.columns["ssn"])),
                ),
            ),
        ),
    ],
)
def test_a_closed_column_cannot_filter(predicate: Predicate) -> None:
    """SM-136: wherever it hides, also in comparisons with itself and in sub-selects."""
    with pytest.raises(AccessDenied, match="secured column") as refused:
        planned(select(NOTE, where=predicate), reader("account", "contact"))

    assert (refused.value.status, refused.value.code) == (403, "0x8004f504")


@pytest.mark.parametrize(
    "query",
    [
        select(NOTE, order=(Order(SSN),)),
        select(NOTE, order=(Order(LookupName("", ACCOUNT.columns["bossid"])),)),
        select(NOTE, group_by=(SSN,)),
        select(Aggregate(AggregateFunction.MAXIMUM, SSN)),
        select(DateGroup(BORN, DatePart.YEAR)),
        select(NOTE, order=(Order(Aggregate(AggregateFunction.SUM, SSN)),)),
        select(NOTE, joins=(join(Link("", "parentid", "contactid")),)),
        select(NOTE, joins=(join(OPEN_LINK, IsNull(Field("c", CONTACT.columns["fullname"]))),)),
        select(NOTE, expands=(Expand("p", Select(ROOT, ()), hierarchy("parentid"), to_parent=True),)),
        select(NOTE, expands=(Expand("p", Select(ROOT, ()), hierarchy("parentid")),)),
    ],
    ids=[
        "order",
        "order by name",
        "group",
        "aggregate",
        "date group",
        "order by aggregate",
        "join",
        "join condition",
        "expand to parent",
        "expand to children",
    ],
)
def test_a_closed_column_can_neither_sort_nor_group_nor_aggregate_nor_join(query: Select) -> None:
    """SM-136."""
    with pytest.raises(AccessDenied, match="secured column") as refused:
        planned(query, reader("account", "contact"))

    assert refused.value.code == "0x8004f504"


def test_closed_columns_come_out_as_null() -> None:
    """SM-132: also the name and the table of a closed lookup, and a name that is itself closed."""
    boss, friend = ACCOUNT.columns["bossid"], ACCOUNT.columns["friendid"]
    closed = (SSN, Field("", PARENT), LookupName("", PARENT), LookupTable("", PARENT), LookupName("", boss))
    open_ = (NOTE, Field("", boss), LookupName("", friend), Aggregate(AggregateFunction.COUNT, None), TEXT)

    assert planned(select(*open_, *closed), reader("account")).hidden == set(closed)


def test_open_columns_may_be_used_everywhere() -> None:
    """SM-136 refuses no more than it says."""
    friend = LookupName("", ACCOUNT.columns["friendid"])
    query = select(
        Aggregate(AggregateFunction.COUNT, None),
        where=And((IsNull(NOTE), Or((IsNull(friend), Comparison(Operator.EQUAL, NOTE, TEXT))))),
        order=(Order(NOTE), Order(friend)),
        group_by=(NOTE, friend),
    )

    assert planned(query, reader("account")).hidden == frozenset()


def test_a_profile_opens_a_column_for_everything() -> None:
    """SM-131."""
    caller = reader("account", columns={"account": {"ssn": ColumnAccess.READ}})
    query = select(SSN, where=IsNull(SSN), order=(Order(SSN),))

    assert planned(query, caller).hidden == frozenset()
    with pytest.raises(AccessDenied):
        planned(select(NOTE, where=IsNull(BORN)), caller)


def test_administrators_read_and_use_every_column() -> None:
    """SM-65."""
    query = select(SSN, LookupName("", ACCOUNT.columns["bossid"]), where=IsNull(SSN))

    assert planned(query, administrator(SCHEMA)).hidden == frozenset()


def test_expands_are_planned_queries_of_their_own() -> None:
    """SM-153."""
    inner = Select(Source(CONTACT), (Output("fullname", Field("", CONTACT.columns["fullname"])),))
    contacts = Relationship("ac", guid("ac"), "account", "accountid", "contact", "accountid", "account", "contacts")
    friends = ManyToMany("acs", guid("acs"), "account", "accountid", "friends", "contact", "contactid", "of", "acs")
    query = select(NOTE, expands=(Expand("contacts", inner, contacts), Expand("friends", inner, many_to_many=friends)))

    first, second = planned(query, reader("account", "contact")).expands

    assert (first.select, second.select) == (inner, inner)
    assert first.plans[""].table is CONTACT
    assert first.hidden == {inner.outputs[0].expression}


def test_links_through_an_intersect_table_use_no_column_of_either_row() -> None:
    """SM-136: both ends are primary keys."""
    friends = ManyToMany("acs", guid("acs"), "account", "parentid", "friends", "contact", "fullname", "of", "acs")

    planned(select(NOTE, joins=(join(Link("", "parentid", "fullname", friends)),)), reader("account", "contact"))


def test_the_unit_of_the_caller_is_in_the_plan_of_each_alias() -> None:
    """SM-32, for joined tables too."""
    privileges = {"seller": {(name, Rights.READ): Depth.LOCAL for name in ("account", "contact")}}
    caller = resolve(facts(role("seller"), privileges=privileges, of=SCHEMA), SCHEMA, 1)

    plans = planned(select(NOTE, joins=(join(OPEN_LINK),)), caller).plans

    assert all(plan.reach.units == {NORTH} for plan in plans.values())


# --- what masks give way to ------------------------------------------------------------------------------------------


def masked_reader(access: ColumnAccess) -> Caller:
    """Ada, to whom `ssn` and `born` are open so far, with a mask over `ssn`."""
    opened = {"account": {"ssn": access, "born": ColumnAccess.READ}}
    caller = reader("account", columns=opened)
    return resolve(replace(caller.facts, masking={"account": {"ssn": Mask("[0-9]", "#")}}), SCHEMA, 1)


ONE = ColumnAccess.READ | ColumnAccess.READ_UNMASKED_ONE
ALL = ONE | ColumnAccess.READ_UNMASKED_ALL


@pytest.mark.parametrize(
    ("access", "asked", "shown"),
    [
        (ColumnAccess.READ, ColumnAccess.READ_UNMASKED_ONE, False),
        (ONE, ColumnAccess.NONE, False),
        (ONE, ColumnAccess.READ_UNMASKED_ONE, True),
        (ONE, ColumnAccess.READ_UNMASKED_ALL, False),
        (ALL, ColumnAccess.READ_UNMASKED_ALL, True),
    ],
)
def test_a_mask_gives_way_to_whom_is_allowed_and_asks(access: ColumnAccess, asked: ColumnAccess, shown: bool) -> None:
    """SM-138; a column without a mask is not among what is noted as read unmasked."""
    found = planned(select(SSN, BORN, NOTE), masked_reader(access), asked)

    assert found.unmasked == (frozenset({SSN}) if shown else frozenset())
    assert found.hidden == frozenset()


def test_groups_and_names_keep_their_masks() -> None:
    """SM-138: nobody could say afterwards whose values were read."""
    caller = masked_reader(ALL)
    for query in (
        replace(select(SSN), distinct=True),
        replace(select(SSN, group_by=(SSN,)), is_aggregate=True),
        select(SSN, group_by=(SSN,)),
    ):
        assert planned(query, caller, ColumnAccess.READ_UNMASKED_ALL).unmasked == frozenset()


def test_expanded_rows_are_lists_whatever_they_hang_on() -> None:
    """SM-138: one row unmasked is not all that it expands to."""
    inner = Select(Source(ACCOUNT), (Output("ssn", SSN),))
    tree = hierarchy("parentid")
    query = select(NOTE, expands=(Expand("children", inner, replace(tree, referencing_column="bossid")),))

    for access, shown in ((ONE, frozenset[Expression]()), (ALL, frozenset({SSN}))):
        (expanded,) = planned(query, masked_reader(access), ColumnAccess.READ_UNMASKED_ONE).expands
        assert expanded.unmasked == shown


def test_the_query_itself_stays_what_was_asked() -> None:
    query = select(SSN, NOTE)

    assert planned(query, masked_reader(ALL), ColumnAccess.READ_UNMASKED_ONE).select is query


def test_behind_a_mask_only_who_reads_all_values_unmasked_may_let_a_column_decide() -> None:
    """SM-137; the refusal names the column."""
    query = select(NOTE, where=IsNull(SSN))

    planned(query, masked_reader(ALL))
    with pytest.raises(AccessDenied, match="the secured column 'ssn' of 'account'"):
        planned(query, masked_reader(ONE))


def test_a_name_behind_a_mask_decides_nothing_and_is_hidden() -> None:
    """SM-137: `friend` may lead to an account with an open name, or to a list without one; `boss` to a contact, whose
    name is secured, or to a table that is not there."""
    boss, friend = LookupName("", ACCOUNT.columns["bossid"]), LookupName("", ACCOUNT.columns["friendid"])
    opened = {"contact": {"fullname": ALL}}
    caller = reader("account", "contact", columns=opened)
    masked = resolve(replace(caller.facts, masking={"contact": {"fullname": Mask("a", "#")}}), SCHEMA, 1)

    assert planned(select(boss, friend), caller).hidden == frozenset()
    assert planned(select(boss, friend), masked).hidden == frozenset({boss})
    with pytest.raises(AccessDenied, match="the secured column 'fullname' of 'contact'"):
        planned(select(NOTE, order=(Order(boss),)), masked)
    with pytest.raises(AccessDenied, match="the secured column 'ssn' of 'account'"):
        planned(replace(select(SSN), distinct=True), masked_reader(ColumnAccess.READ))


def test_a_lookup_that_may_lead_elsewhere_first_is_looked_at_to_its_last_target() -> None:
    """SM-136: a table that is not there, or one without a name, hides nothing behind it."""
    secured = replace(ACCOUNT.columns["friendid"], targets=("gone", "list", "contact"))

    assert planned(select(LookupName("", secured)), reader("account")).hidden == {LookupName("", secured)}


@pytest.mark.parametrize("to_parent", [True, False])
def test_following_a_closed_lookup_is_refused_by_whoever_holds_it(to_parent: bool) -> None:
    """SM-136: the row that is asked for holds it on the way to its parent, other rows on the way to children."""
    inner = Select(Source(CONTACT), (Output("id", Field("", CONTACT.columns["contactid"])),))
    tie = Relationship("t", guid("t"), "contact", "contactid", "account", "parentid", "to", "from")
    expand = Expand(
        "x", inner, replace(tie, referencing_column="parentid" if to_parent else "accountid"), to_parent=to_parent
    )

    if to_parent:
        with pytest.raises(AccessDenied, match="'parentid' of 'account'"):
            planned(select(NOTE, expands=(expand,)), reader("account", "contact"))
        return
    assert len(planned(select(NOTE, expands=(expand,)), reader("account", "contact")).expands) == 1
    closed = replace(expand, relationship=replace(tie, referencing_column="fullname"))
    with pytest.raises(AccessDenied, match="'fullname' of 'contact'"):
        planned(select(NOTE, expands=(closed,)), reader("account", "contact"))
