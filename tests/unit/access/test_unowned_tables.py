"""Tables that nobody owns (SM-10): they take the access of their parents, or are open to everyone or to administrators.

The tables are those of the standard catalogue; custom intersect tables are made by hand.
"""

import re
from dataclasses import replace

import pytest
from people import ADA, NORTH, administrator, facts, holding, role, team

from access_schema import column, guid, schema, table
from strongroom.access.caller import AccessMode, Caller
from strongroom.access.check import SecuredRow, reaches, rights_on
from strongroom.access.columns import EVERYTHING
from strongroom.access.parents import ParentLink, parent_links
from strongroom.access.plan import Branch, ColumnAccess, Guard, Plan, Reason
from strongroom.access.planning import plan_for
from strongroom.access.predicates import branch_predicates, row_predicate, under
from strongroom.access.resolve import resolve
from strongroom.errors import IntegrityViolation
from strongroom.query.ast import (
    FALSE,
    TRUE,
    And,
    Exists,
    IsNull,
    Join,
    JoinKind,
    Link,
    Or,
    OwnerIn,
    Predicate,
    SharedWith,
    Source,
    UnitIn,
)
from strongroom.query.ast import Field as AstField
from strongroom.schema.model import ColumnType, Depth, ManyToMany, Ownership, Privilege, Rights
from strongroom.schema.standard_tables import standard_schema

STANDARD = standard_schema()
READ, WRITE = Rights.READ, Rights.WRITE


def seller(depth: Depth, *on: str, right: Rights = READ) -> Caller:
    """Ada, with one right at one depth on several standard tables."""
    privileges = {"seller": {(name, right): depth for name in on}}
    return resolve(facts(role("seller"), privileges=privileges, of=STANDARD), STANDARD, 1)


def plan(caller: Caller, name: str, right: Rights = READ) -> Plan:
    return plan_for(caller, STANDARD.tables[name], right)


def test_an_address_is_read_through_the_account_or_contact_it_belongs_to() -> None:
    """SM-10: the parent's own predicate, over the row that the lookup points to."""
    (branch,) = plan(seller(Depth.LOCAL, "account", "contact"), "customeraddress").branches

    match branch.predicate:
        case Or((Exists(link, source, where), Exists())):
            assert (link.outer_column, link.inner_column) == ("parentid", "accountid")
            assert source.alias == "~parentid"
            assert where == Or(
                (
                    UnitIn("~parentid", frozenset({NORTH})),
                    OwnerIn("~parentid", frozenset({ADA})),
                    SharedWith("~parentid", frozenset({ADA}), READ),
                )
            )
        case other:
            pytest.fail(f"not an access through parents: {other}")


def test_only_parents_that_the_caller_may_read_at_all_open_a_way() -> None:
    """SM-10, SM-21."""
    (branch,) = plan(seller(Depth.GLOBAL, "contact"), "customeraddress").branches

    match branch.predicate:
        case Exists(_, source, None):
            assert source.table.logical_name == "contact"
        case other:
            pytest.fail(f"not the contact alone: {other}")


def test_without_any_parent_privilege_the_parents_refusal_is_the_answer() -> None:
    """SM-150."""
    refusal = plan(seller(Depth.GLOBAL, "lead"), "customeraddress").refusal

    assert refusal is not None
    assert "is missing prvReadAccount privilege" in refusal.message


@pytest.mark.parametrize("right", [Rights.CREATE, Rights.WRITE, Rights.DELETE])
def test_changing_a_child_needs_write_on_its_parent(right: Rights) -> None:
    """SM-10."""
    reader, writer = seller(Depth.GLOBAL, "role"), seller(Depth.GLOBAL, "role", right=WRITE)

    assert plan(reader, "roleprivileges", right).refusal is not None
    assert plan(writer, "roleprivileges", right).refusal is None


@pytest.mark.parametrize("right", [Rights.SHARE, Rights.ASSIGN])
def test_children_can_be_neither_shared_nor_assigned(right: Rights) -> None:
    """SM-10."""
    assert plan(administrator(STANDARD), "customeraddress", right).refusal is not None


def test_an_assignment_of_a_role_needs_both_the_user_and_the_role() -> None:
    """SM-10."""
    both = plan(seller(Depth.GLOBAL, "systemuser", "role"), "systemuserroles")
    one = plan(seller(Depth.GLOBAL, "systemuser"), "systemuserroles")

    match both.branches[0].predicate:
        case And((Exists(first), Exists(second))):
            assert (first.outer_column, second.outer_column) == ("systemuserid", "roleid")
        case other:
            pytest.fail(f"not both sides: {other}")
    assert one.refusal is not None
    assert "prvReadRole" in one.refusal.message


def test_a_grandchild_hangs_on_its_grandparent() -> None:
    """SM-10: aliases stay unique when predicates are nested."""
    (branch,) = plan(seller(Depth.BASIC, "asyncoperation"), "bulkdeletefailure").branches

    match branch.predicate:
        case Exists(_, Source(_, "~bulkdeleteoperationid"), Exists(link, Source(_, alias), where)):
            assert link.outer_alias == "~bulkdeleteoperationid"
            assert alias == "~bulkdeleteoperationid~asyncoperationid"
            assert where is not None
        case other:
            pytest.fail(f"not nested: {other}")


def test_a_custom_intersect_table_needs_both_sides() -> None:
    """SM-10."""
    association = ManyToMany("a_b", guid("a_b"), "a", "aid", "bs", "b", "bid", "as", "a_b")
    made = schema([table("a"), table("b"), table("a_b", Ownership.NONE)], many_to_many=[association])
    caller = resolve(
        facts(role("seller"), privileges={"seller": {("a", READ): Depth.GLOBAL, ("b", READ): Depth.BASIC}}, of=made),
        made,
        1,
    )

    assert [link.tables for link in parent_links(made.tables["a_b"], made)] == [("a",), ("b",)]
    assert isinstance(plan_for(caller, made.tables["a_b"], READ).branches[0].predicate, And)


@pytest.mark.parametrize("name", ["privilege", "roletemplate"])
def test_what_the_platform_itself_is_made_of_is_readable_by_every_user(name: str) -> None:
    caller = seller(Depth.BASIC, "account")

    assert plan(caller, name).is_everything
    assert plan(caller, name).branches[0].reasons == (Reason("everyone"),)
    assert plan(caller, name, WRITE).refusal is not None


def test_the_audit_trail_needs_its_own_privilege() -> None:
    """SM-173."""
    reader = plan(seller(Depth.BASIC, "account"), "audit")
    admin = administrator(STANDARD)

    assert reader.refusal is not None
    assert "is missing prvReadAuditSummary privilege" in reader.refusal.message
    assert plan(admin, "audit").is_everything
    assert plan(admin, "audit", Rights.DELETE).is_everything
    assert plan(admin, "audit", WRITE).refusal is not None


def test_shares_are_read_by_administrators_only() -> None:
    """SM-79."""
    refusal = plan(seller(Depth.GLOBAL, "account"), "principalobjectaccess").refusal

    assert refusal is not None
    assert (refusal.status, refusal.code) == (403, "0x80040220")
    assert plan(administrator(STANDARD), "principalobjectaccess").is_everything


def test_what_is_for_administrators_obeys_access_mode_and_impersonation_too() -> None:
    """SM-63, SM-68."""
    read_only = administrator(STANDARD, AccessMode.READ)
    real = resolve(facts(role("blank"), of=STANDARD), STANDARD, 1)
    impersonated = resolve(administrator(STANDARD).facts, STANDARD, 1, initiated_by=real)

    assert plan(read_only, "principalobjectaccess").is_everything
    assert plan(read_only, "principalobjectaccess", WRITE).refusal is not None
    assert plan(impersonated, "principalobjectaccess").refusal is not None


def test_administrators_reach_every_row_of_a_child_table_without_looking_at_its_parents() -> None:
    """SM-64."""
    found = plan(administrator(STANDARD), "systemuserroles")

    assert found.is_everything
    assert found.branches[0].reasons == (Reason("bypass-sysadmin"),)


def test_an_unowned_table_with_privileges_of_its_own_goes_by_them() -> None:
    """SM-20: team templates are read with the customization privilege."""
    deals = team("deals", ADA)
    privileges = {"helper": {("teamtemplate", READ): Depth.GLOBAL}}
    direct = facts(role("helper"), privileges=privileges, of=STANDARD)
    through_team = facts(role("helper", NORTH, deals), teams=[deals], privileges=privileges, of=STANDARD)
    codes = [
        plan(resolve(known, STANDARD, 1), "teamtemplate").branches[0].reasons[0].code
        for known in (direct, through_team, administrator(STANDARD).facts)
    ]

    assert codes == ["role-global", "team-role-global", "bypass-sysadmin"]
    assert plan(seller(Depth.GLOBAL, "account"), "teamtemplate").refusal is not None


@pytest.mark.parametrize("right", [right for right in Rights if right])
def test_every_plan_is_of_what_was_asked_and_either_refuses_or_reaches(right: Rights) -> None:
    """SM-150: over the whole catalogue; a refusal names the table, and reasons have their sources."""
    everything = {"boss": {("account", READ): Depth.BASIC, ("teamtemplate", READ): Depth.GLOBAL}}
    callers = (
        resolve(facts(role("blank"), of=STANDARD), STANDARD, 1),
        resolve(facts(role("boss"), privileges=everything, of=STANDARD), STANDARD, 1),
        administrator(STANDARD),
        administrator(STANDARD, AccessMode.READ),
    )
    for caller in callers:
        for asked in STANDARD.tables.values():
            found = plan_for(caller, asked, right)

            assert (found.table, found.right) == (asked, right)
            assert bool(found.branches) is (found.refusal is None)
            if found.refusal is not None:
                assert (found.refusal.status, found.refusal.code) == (403, "0x80040220")
                named = set(re.findall(r"entity '(\w+)'", found.refusal.message))
                assert len(named) == 1
                assert named <= STANDARD.tables.keys()
            for branch in found.branches:
                assert all(reason.sources or reason.code in _WITHOUT_SOURCES for reason in branch.reasons)


_WITHOUT_SOURCES = {"everyone", "parent", "bypass-sysadmin"}


def test_values_in_the_trail_are_for_administrators() -> None:
    """SM-132, SM-173: everybody else asks for the history of a row."""
    summary = STANDARD.extra_privileges["prvReadAuditSummary"]
    known = facts(role("auditor"), of=STANDARD)
    auditor = resolve(replace(known, role_privileges={guid("auditor"): {summary.id: Depth.GLOBAL}}), STANDARD, 1)

    assert plan(auditor, "audit").mask["changedata"] is ColumnAccess.NONE
    assert "changedata" not in plan(administrator(STANDARD), "audit").mask
    (branch,) = plan(auditor, "audit").branches
    assert branch.reasons == (Reason("role-global", (("role", guid(f"auditor in {NORTH}"), "auditor"),)),)


def test_tables_open_to_everybody_or_administrators_have_masks_too() -> None:
    """SM-130."""
    made = schema(
        [table(name, Ownership.NONE, columns=[column("secret", secured=True)]) for name in ("privilege", "own")]
    )
    blank = resolve(facts(role("blank"), of=made), made, 1)

    assert plan_for(blank, made.tables["privilege"], READ).mask == {"secret": ColumnAccess.NONE}
    assert plan_for(administrator(made), made.tables["own"], READ).mask == {"secret": EVERYTHING}


def test_direct_shares_stay_direct_wherever_a_predicate_goes() -> None:
    """SM-146."""
    direct = SharedWith("", frozenset({3}), READ, direct_only=True)

    assert under(direct, "c") == SharedWith("c", frozenset({3}), READ, direct_only=True)
    assert branch_predicates(Plan(STANDARD.tables["account"], READ, (Branch(direct, ()),))) == (direct,)


def test_a_child_with_secured_columns_has_a_mask_whichever_way_it_is_reached() -> None:
    """SM-130."""
    child = table(
        "customeraddress",
        Ownership.NONE,
        columns=[column("parentid", ColumnType.LOOKUP, targets=("account",)), column("line1", secured=True)],
    )
    own = table("thing", Ownership.NONE, columns=[column("secret", secured=True)], privileges=_READ_THING)
    made = schema([table("account"), child, own])
    given = {"seller": {("account", READ): Depth.LOCAL, ("thing", READ): Depth.GLOBAL}}
    caller = resolve(facts(role("seller"), privileges=given, of=made), made, 1)
    boss = administrator(made)

    for name, secret in (("customeraddress", "line1"), ("thing", "secret")):
        assert plan_for(caller, made.tables[name], READ).mask == {secret: ColumnAccess.NONE}
        assert plan_for(boss, made.tables[name], READ).mask == {secret: EVERYTHING}


_READ_THING = {READ: Privilege(guid("prvReadThing"), "prvReadThing", READ, "thing", frozenset({Depth.GLOBAL}))}


def test_an_exists_keeps_its_condition_and_its_negation_when_it_moves() -> None:
    account = STANDARD.tables["account"]
    inside = SharedWith("~p", frozenset({3}), WRITE)
    moved = under(Exists(Link("x", "parentid", "accountid"), Source(account, "~p"), inside, negated=True), "c")

    assert moved == Exists(
        Link("cx", "parentid", "accountid"),
        Source(account, "c~p"),
        SharedWith("c~p", frozenset({3}), WRITE),
        negated=True,
    )
    assert under(UnitIn("x", frozenset({1})), "c") == UnitIn("cx", frozenset({1}))
    assert under(OwnerIn("x", frozenset({1})), "c") == OwnerIn("cx", frozenset({1}))
    assert under(TRUE, "c") == TRUE
    joined = replace(Exists(Link("", "parentid", "accountid"), Source(account, "~p")), joins=(_JOIN,))
    with pytest.raises(IntegrityViolation, match="that plans do not have: Exists"):
        under(joined, "c")


_JOIN = Join(JoinKind.INNER, Source(STANDARD.tables["account"], "j"), Link("~p", "accountid", "accountid"))


def test_guards_come_with_the_branches_under_the_same_alias() -> None:
    """A policy narrows every row, whichever branch reaches it; under an alias it speaks of the same row."""
    branch, guard = Branch(OwnerIn("", frozenset({1})), ()), Guard(UnitIn("", frozenset({2})), Reason("hold"))
    guarded = Plan(STANDARD.tables["account"], READ, (branch,)).with_guard(guard)
    every = Plan(STANDARD.tables["account"], READ, (Branch(TRUE, ()),)).with_guard(guard)

    assert row_predicate(guarded, "c") == And((OwnerIn("c", frozenset({1})), UnitIn("c", frozenset({2}))))
    assert row_predicate(every) == UnitIn("", frozenset({2}))
    assert not every.is_everything
    assert row_predicate(Plan(STANDARD.tables["account"], READ, (Branch(TRUE, ()),))) == TRUE


def test_a_child_whose_parents_are_not_in_the_schema_is_for_administrators() -> None:
    """SM-7."""
    orphan = schema([table("uom", Ownership.NONE)])

    refusal = plan_for(administrator(orphan), orphan.tables["uom"], READ).refusal

    assert refusal is not None


# --- predicates ----------------------------------------------------------------------------------------------------


def test_branches_that_look_at_other_rows_hold_only_when_somebody_can_look() -> None:
    """SM-7."""
    found = plan(seller(Depth.LOCAL, "account", "contact"), "customeraddress")
    row = SecuredRow(None, None)

    asked: list[Predicate] = []

    def yes(predicate: Predicate) -> bool:
        asked.append(predicate)
        return True

    assert not reaches(found, row)
    assert reaches(found, row, yes)
    assert asked == [branch.predicate for branch in found.branches]  # as a whole, not in parts


def test_a_plan_without_branches_is_the_false_predicate_and_guards_are_added() -> None:
    """One-core, section 1: no branch is false."""
    nothing = Plan(STANDARD.tables["account"], READ)

    assert row_predicate(nothing) == FALSE
    assert branch_predicates(plan(administrator(STANDARD), "account")) == (TRUE,)


def test_every_kind_of_branch_keeps_its_meaning_when_folded_and_moved() -> None:
    """Shares of subordinates count directly only (SM-146), also behind an alias."""
    kinds: tuple[Predicate, ...] = (
        OwnerIn("", frozenset({1})),
        OwnerIn("", frozenset({2})),
        SharedWith("", frozenset({3}), READ, direct_only=True),
        And((UnitIn("", frozenset({4})), Or((FALSE, OwnerIn("", frozenset({5})))))),
    )
    made = Plan(STANDARD.tables["account"], READ, tuple(Branch(kind, ()) for kind in kinds))

    assert branch_predicates(made, "c") == (
        OwnerIn("c", frozenset({1, 2})),
        SharedWith("c", frozenset({3}), READ, direct_only=True),
        And((UnitIn("c", frozenset({4})), Or((FALSE, OwnerIn("c", frozenset({5})))))),
    )


def test_predicates_that_plans_do_not_have_are_not_moved() -> None:
    account = STANDARD.tables["account"]

    with pytest.raises(IntegrityViolation):
        under(IsNull(AstField("", account.columns["name"])), "c")


def test_an_exists_without_condition_moves_with_its_link() -> None:
    account = STANDARD.tables["account"]
    moved = under(Exists(Link("", "parentid", "accountid"), Source(account, "~p")), "c")

    assert moved == Exists(Link("c", "parentid", "accountid"), Source(account, "c~p"))


def test_check_evaluates_nested_conditions() -> None:
    """One-core, I-1."""
    nested = And((UnitIn("", frozenset({NORTH})), Or((FALSE, OwnerIn("", frozenset({ADA}))))))
    made = Plan(holding(Depth.BASIC, READ).schema.tables["account"], READ, (Branch(nested, (Reason("x"),)),))

    assert reaches(made, SecuredRow(ADA, NORTH))
    assert not reaches(made, SecuredRow(None, NORTH))


def test_all_rights_on_a_child_are_those_that_its_parents_give() -> None:
    """SM-170: asked of whoever can look at the parents."""
    caller = seller(Depth.GLOBAL, "account")
    address = STANDARD.tables["customeraddress"]

    assert rights_on(caller, address, SecuredRow(None, None), lambda _: True) is READ
    assert rights_on(caller, address, SecuredRow(None, None)) is Rights.NONE


def test_a_custom_intersect_table_hangs_on_both_of_its_columns() -> None:
    """SM-10."""
    tie = ManyToMany("tie", guid("tie"), "account", "accountid", "n1", "contact", "contactid", "n2", "ties")
    made = schema([table("account"), table("contact"), table("ties", Ownership.NONE)], many_to_many=[tie])

    assert parent_links(made.tables["ties"], made) == (
        ParentLink("accountid", ("account",)),
        ParentLink("contactid", ("contact",)),
    )


def test_administrators_whose_mode_takes_the_table_away_are_refused() -> None:
    """SM-63: settings and administration are left to an administrative user, business data is not."""
    made = schema([table("nobodys", Ownership.NONE), table("principalobjectaccess", Ownership.NONE)])
    clerk = administrator(made, AccessMode.ADMINISTRATIVE)

    assert plan_for(clerk, made.tables["nobodys"], READ).refusal is not None
    (branch,) = plan_for(clerk, made.tables["principalobjectaccess"], READ).branches
    assert branch.reasons == (Reason("bypass-sysadmin"),)
    (everyone,) = plan(seller(Depth.BASIC, "account"), "privilege").branches
    assert everyone.reasons == (Reason("everyone"),)
