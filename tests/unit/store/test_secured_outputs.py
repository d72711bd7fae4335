"""What secured columns cost a list: nothing where nothing of the table is secured, and for shared values a look-up by
the row's id (SM-132, SM-134, SM-137)."""

from dataclasses import replace

import pytest

from access_schema import column, schema, table
from strongroom.access.masking import Mask
from strongroom.access.plan import Branch, ColumnAccess, Plan, Reach
from strongroom.access.planned import PlannedSelect
from strongroom.query.ast import TRUE, Expression, Field, Output, Select, Source
from strongroom.schema.model import Rights, Table
from strongroom.store.compile import Compiled, Statements, Visible
from strongroom.store.dialect import POSTGRESQL, SQLITE, Dialect
from strongroom.store.layout import VALUE_SHARES

SCHEMA = schema([table("account", columns=[column("note"), column("ssn", secured=True)])])
ACCOUNT = SCHEMA.tables["account"]
SSN, NOTE = (Field("", ACCOUNT.columns[name]) for name in ("ssn", "note"))
CLOSED = Plan(ACCOUNT, Rights.READ, (Branch(TRUE, ()),), mask={"ssn": ColumnAccess.NONE})
OPEN = replace(CLOSED, mask={"ssn": ColumnAccess.READ})
SHARED = replace(CLOSED, shared_values={"ssn": (frozenset({7}),)})
MASKED = replace(OPEN, masking={"ssn": Mask("[0-9]", "#")})
DIALECTS = pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL], ids=lambda dialect: dialect.name)


def guess(_: Table, __: Reach) -> Visible:
    return Visible(10, 1_000)


def compiled(
    plan: Plan, *outputs: Field, dialect: Dialect = SQLITE, unmasked: frozenset[Expression] = frozenset()
) -> Compiled:
    select = Select(Source(ACCOUNT), tuple(Output(each.column.logical_name, each) for each in outputs))
    return Statements(dialect).select(PlannedSelect(select, {"": plan}, unmasked=unmasked), SCHEMA, guess)


@DIALECTS
def test_only_shared_columns_are_looked_up_and_by_the_id_of_the_row(dialect: Dialect) -> None:
    """SM-134: a list that shows none of them is the same statement as ever."""
    assert VALUE_SHARES not in compiled(OPEN, SSN, NOTE, dialect=dialect).sql
    assert compiled(SHARED, NOTE, dialect=dialect).sql == compiled(CLOSED, NOTE, dialect=dialect).sql

    sql = compiled(SHARED, SSN, NOTE, dialect=dialect).sql

    assert sql.count(VALUE_SHARES) == 1
    assert 'v.objectid = t0."accountid"' in sql
    assert ACCOUNT.columns["ssn"].metadata_id in sql


@DIALECTS
def test_a_mask_is_the_last_step_of_decoding(dialect: Dialect) -> None:
    """SM-137: the database does the same work; null stays null."""
    masked = compiled(MASKED, NOTE, SSN, dialect=dialect)

    assert masked.sql == compiled(OPEN, NOTE, SSN, dialect=dialect).sql
    assert masked.rows([("1", "a1"), ("2", None)]) == [("1", "a#"), ("2", None)]
    assert masked.rows([("1", "a1")]) == [("1", "a#")]
    clear = compiled(MASKED, NOTE, SSN, dialect=dialect, unmasked=frozenset({SSN}))
    assert clear.rows([("1", "a1"), ("2", None)]) == [("1", "a1"), ("2", None)]


def test_plans_that_differ_in_masks_or_shares_share_no_statement() -> None:
    """Else one caller's statement would show another what it may not see."""
    statements = Statements(SQLITE)
    select = Select(Source(ACCOUNT), (Output("ssn", SSN),))
    plans = [
        CLOSED,
        OPEN,
        SHARED,
        replace(SHARED, shared_values={"ssn": (frozenset({8}),)}),
        MASKED,
        replace(MASKED, masking={"ssn": Mask("[0-9]", "*")}),
        replace(MASKED, masking={"ssn": Mask("[a-z]", "#")}),
    ]
    shown = [
        (found.sql, found.rows([("a1",), ("b2",)]))
        for plan in plans
        for unmasked in (frozenset[Expression](), frozenset[Expression]({SSN}))
        for found in [statements.select(PlannedSelect(select, {"": plan}, unmasked=unmasked), SCHEMA, guess)]
    ]

    assert len({sql for sql, _ in shown}) == 4
    assert [rows[0][0] for _, rows in shown[8:]] == ["a#", "a1", "a*", "a1", "#1", "a1"]


def test_a_mask_that_cannot_be_used_covers_everything() -> None:
    """SM-7: an expression that is none, or takes too long on a text."""
    assert Mask("[0-9", "#")("a1") == "##"
    assert Mask("(a+)+$", "#")("a" * 2000 + "!") == "#" * 2001


def test_an_answer_has_a_time_limit_for_all_its_matches() -> None:
    """Many slow texts cost no more than a few: the rest is covered whole."""
    mask = Mask("(a|aa)+$", "#").for_answer()

    covered = [mask("a" * 60 + "!") for _ in range(1_000)]

    assert set(covered) == {"#" * 61}
    assert mask("b") == "#"
