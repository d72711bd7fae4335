"""The cache of statements: one text for all queries of a shape, and never one for two shapes."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.differential.query_world import ACCOUNT, CONTACT, SCHEMA, guid

from strongroom.access.plan import Branch, ColumnAccess, Guard, Plan, Reach, Reason
from strongroom.access.planned import PlannedSelect
from strongroom.errors import AccessDenied, IntegrityViolation, InvalidRequest
from strongroom.query import ast
from strongroom.schema.model import ColumnType, Rights, Table
from strongroom.store.compile import Compiled, Statements, Visible, compile_count, compile_select
from strongroom.store.dialect import POSTGRESQL, SQLITE, Dialect

READ = Rights.READ
EVERYTHING = Plan(ACCOUNT, READ, (Branch(ast.TRUE, ()),))
OWN = Plan(ACCOUNT, READ, (Branch(ast.OwnerIn("", frozenset({101})), ()),))


def field(name: str) -> ast.Field:
    return ast.Field("", ACCOUNT.columns[name])


def text(value: str) -> ast.Literal:
    return ast.Literal(value, ColumnType.STRING)


def equals(name: str, value: ast.Literal) -> ast.Comparison:
    return ast.Comparison(ast.Operator.EQUAL, field(name), value)


def listing(where: ast.Predicate | None = None, *names: str) -> ast.Select:
    outputs = tuple(ast.Output(name, field(name)) for name in names or ("name",))
    return ast.Select(ast.Source(ACCOUNT), outputs, where=where, order=(ast.Order(field("name")),), page_size=10)


def guess(table: Table, reach: Reach) -> Visible:
    return Visible(10, 1_000)


def statement(select: ast.Select, plan: Plan = EVERYTHING, dialect: Dialect = SQLITE) -> Compiled:
    return compile_select(PlannedSelect(select, {"": plan}), SCHEMA, dialect, guess)


def test_queries_that_differ_in_values_only_share_one_statement() -> None:
    statements = Statements(SQLITE)

    first = statements.select(PlannedSelect(listing(equals("name", text("Adatum"))), {"": OWN}), SCHEMA, guess)
    second = statements.select(PlannedSelect(listing(equals("name", text("Contoso"))), {"": OWN}), SCHEMA, guess)

    assert first.sql is second.sql
    assert first.parameters == ("adatum",)
    assert second.parameters == ("contoso",)


def test_one_literal_in_two_places_is_another_shape_than_two_literals() -> None:
    """Else the statement of the first would give the second value of the second query to nobody."""
    shared = text("Adatum")
    statements = Statements(SQLITE)
    once = ast.And((equals("name", shared), equals("city", shared)))
    twice = ast.And((equals("name", text("Adatum")), equals("city", text("Berlin"))))

    first = statements.select(PlannedSelect(listing(once), {"": OWN}), SCHEMA, guess)
    second = statements.select(PlannedSelect(listing(twice), {"": OWN}), SCHEMA, guess)

    assert set(first.parameters) == {"adatum"}
    assert set(second.parameters) == {"adatum", "berlin"}


@pytest.mark.parametrize(
    "other",
    [
        Plan(ACCOUNT, READ, (Branch(ast.OwnerIn("", frozenset({102})), ()),)),
        Plan(ACCOUNT, READ, (Branch(ast.UnitIn("", frozenset({101})), ()),)),
        Plan(ACCOUNT, READ, (Branch(ast.SharedWith("", frozenset({101}), READ), ()),)),
        Plan(ACCOUNT, READ, (Branch(ast.SharedWith("", frozenset({101}), READ, direct_only=True), ()),)),
        OWN.with_guard(Guard(ast.IsNull(field("name")), Reason("policy"))),
        Plan(ACCOUNT, READ),
        EVERYTHING,
        replace(OWN, mask={"secret": ColumnAccess.READ}),
    ],
)
def test_a_statement_is_never_reused_under_another_plan(other: Plan) -> None:
    statements = Statements(SQLITE)
    select = listing(None, "name", "secret")

    mine = statements.select(PlannedSelect(select, {"": OWN}), SCHEMA, guess)
    theirs = statements.select(PlannedSelect(select, {"": other}), SCHEMA, guess)

    assert mine.sql != theirs.sql


def test_a_new_version_of_the_schema_compiles_anew() -> None:
    statements = Statements(SQLITE)
    planned = PlannedSelect(listing(), {"": OWN})

    first = statements.select(planned, SCHEMA, guess)
    second = statements.select(planned, replace(SCHEMA, version=SCHEMA.version + 1), guess)

    assert first.sql is not second.sql


def test_the_layout_follows_the_counters_while_the_table_grows() -> None:
    statements = Statements(SQLITE)
    planned = PlannedSelect(listing(), {"": OWN})
    seen = Visible(1, 1)

    def estimate(table: Table, reach: Reach) -> Visible:
        return seen

    small = statements.select(planned, SCHEMA, estimate)
    seen = Visible(10, 1_000_000)
    later = [statements.select(planned, SCHEMA, estimate).sql for _ in range(64)]

    assert '+t0."owner" in (101)' in small.sql
    assert 't0."owner" in (101)' in later[-1]
    assert '+t0."owner"' not in later[-1]


def test_the_least_used_statement_is_dropped_first() -> None:
    statements = Statements(SQLITE, capacity=2)
    plans = [replace(OWN, branches=(Branch(ast.OwnerIn("", frozenset({key})), ()),)) for key in (1, 2, 3)]
    first, second, third = (PlannedSelect(listing(), {"": plan}) for plan in plans)

    kept = statements.select(first, SCHEMA, guess)
    dropped = statements.select(second, SCHEMA, guess)
    statements.select(first, SCHEMA, guess)
    statements.select(third, SCHEMA, guess)

    assert statements.select(first, SCHEMA, guess).sql is kept.sql
    assert statements.select(second, SCHEMA, guess).sql is not dropped.sql


def test_a_secured_column_is_null_until_the_plan_opens_it() -> None:
    """SM-132; a mask that says nothing of a secured column opens nothing."""
    select = listing(None, "name", "secret")

    assert '"secret"' not in statement(select).sql
    assert '"secret"' not in statement(select, replace(EVERYTHING, mask={"secret": ColumnAccess.UPDATE})).sql
    assert '"secret"' in statement(select, replace(EVERYTHING, mask={"secret": ColumnAccess.READ})).sql


def test_a_source_without_a_plan_does_not_compile() -> None:
    link = ast.Link("", "primarycontactid", "contactid")
    join = ast.Join(ast.JoinKind.INNER, ast.Source(CONTACT, "c"), link)
    hidden = ast.Exists(link, ast.Source(CONTACT, "e"))

    for select in (replace(listing(), joins=(join,)), listing(hidden)):
        with pytest.raises(IntegrityViolation):
            statement(select)
    with pytest.raises(IntegrityViolation):
        compile_select(PlannedSelect(listing(), {}), SCHEMA, SQLITE, guess)


def test_a_lookup_to_several_tables_is_joined_with_the_one_it_points_to() -> None:
    join = ast.Join(ast.JoinKind.INNER, ast.Source(CONTACT, "c"), ast.Link("", "accountid", "parentcustomerid"))
    plans = {"": EVERYTHING, "c": Plan(CONTACT, READ, (Branch(ast.TRUE, ()),))}

    compiled = compile_select(PlannedSelect(replace(listing(), joins=(join,)), plans), SCHEMA, SQLITE, guess)

    assert "\"parentcustomerid__table\" = 'account'" in compiled.sql


def test_a_refused_plan_raises_its_refusal() -> None:
    """SM-21."""
    refused = Plan(ACCOUNT, READ, refusal=AccessDenied("prvReadAccount is missing"))

    with pytest.raises(AccessDenied, match="prvReadAccount"):
        statement(listing(), refused)


def test_a_plan_without_branches_finds_nothing() -> None:
    assert "where false" in statement(listing(), Plan(ACCOUNT, READ)).sql


def test_a_position_of_another_query_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="position"):
        statement(replace(listing(), after=(guid("account", 1),)))


def test_long_lists_of_values_are_one_parameter() -> None:
    names = [f"name {number}" for number in range(2_000)]
    many = ast.InList(field("name"), tuple(map(text, names)))

    on_sqlite, on_postgresql = (statement(listing(many), OWN, dialect) for dialect in (SQLITE, POSTGRESQL))

    assert len(on_sqlite.parameters) == 1
    assert on_postgresql.parameters == (names,)
    assert "::text[]" in on_postgresql.sql


def test_money_that_lies_between_two_stored_values_keeps_every_comparison_true() -> None:
    """WA-84: SQLite stores money as an integer of ten-thousandths."""
    between = ast.Literal(Decimal("1.00005"), ColumnType.MONEY)
    bound = {
        operator: statement(listing(ast.Comparison(operator, field("revenue"), between))).parameters[0]
        for operator in ast.Operator
    }

    assert bound[ast.Operator.GREATER] == bound[ast.Operator.LESS_OR_EQUAL] == 10_000
    assert bound[ast.Operator.GREATER_OR_EQUAL] == bound[ast.Operator.LESS] == 10_001
    assert abs(bound[ast.Operator.EQUAL]) == abs(bound[ast.Operator.NOT_EQUAL]) == 1e300  # pyright: ignore[reportArgumentType] -- floats


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL])
@pytest.mark.parametrize("value", [10**50, -(10**50), Decimal("1e999999"), Decimal("-1e999999"), Decimal("0e99999")])
def test_a_number_of_any_size_is_bound_as_one_that_fits(dialect: Dialect, value: Decimal | int) -> None:
    for name, kind in (("numberofemployees", ColumnType.INTEGER), ("revenue", ColumnType.MONEY)):
        above = ast.Comparison(ast.Operator.GREATER, field(name), ast.Literal(value, kind))
        (bound,) = statement(listing(above), dialect=dialect).parameters

        assert (bound > 0, bound < 0) == (value > 0, value < 0)  # pyright: ignore[reportOperatorIssue] -- a number
        assert not isinstance(bound, int) or abs(bound) <= 2**63


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), "many"])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(InvalidRequest, match="number"):
        statement(listing(equals("revenue", ast.Literal(value, ColumnType.MONEY))))


def test_a_table_with_many_units_and_sharers_still_fits_into_one_statement() -> None:
    """SQLite takes a million characters and 500 terms."""
    plan = Plan(
        ACCOUNT,
        READ,
        (
            Branch(ast.UnitIn("", frozenset(range(100_000, 105_000))), ()),
            Branch(ast.SharedWith("", frozenset(range(190)), READ), ()),
            Branch(ast.SharedWith("", frozenset(range(190, 900)), READ, direct_only=True), ()),
        ),
    )
    for dialect in (SQLITE, POSTGRESQL):
        compiled = statement(replace(listing(), after=("a", guid("account", 1))), plan, dialect)
        counted = compile_count(PlannedSelect(listing(), {"": plan}), SCHEMA, dialect, 5_000)

        assert len(compiled.sql) < 200_000
        assert len(counted.sql) < 200_000
        assert compiled.sql.count(" union all ") < 400


def test_an_aggregate_over_too_many_rows_is_refused() -> None:
    """WA-225."""
    count = ast.Output("n", ast.Aggregate(ast.AggregateFunction.COUNT, None))
    compiled = statement(ast.Select(ast.Source(ACCOUNT), (count,), is_aggregate=True, aggregate_limit=10))

    assert compiled.rows([(10, 10)]) == [(10,)]
    with pytest.raises(InvalidRequest) as caught:
        compiled.rows([(11, 11)])
    assert caught.value.code == "0x8004e023"


def test_a_text_condition_on_a_number_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="numberofemployees"):
        statement(listing(ast.Match(ast.TextMatch.CONTAINS, field("numberofemployees"), "1")))
