"""Rollup and calculated columns: what they hold, who may see it, and when they are worked out (WA-111, WA-403)."""

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.engines import Stores
from tests.unit.background.job_world import JobWorld
from tests.worlds import depths

from strongroom.clock import TestClock
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.query.ast import Comparison, Field, Literal, Operator
from strongroom.records import change_schema
from strongroom.schema.changes import NewColumn, delete_column, replace_column
from strongroom.schema.model import ColumnType, DateBehavior, Depth, Rights, SourceType
from strongroom.store.protocol import Database, Value

CHILDREN = "contact_customer_accounts"
OPEN = {"Conditions": [{"AttributeName": "statecode", "Operator": "Equal", "Values": [0]}]}


@pytest.fixture
def world(database: Database) -> JobWorld:
    """An environment with its first rows, on both engines."""
    return JobWorld(database)


def rollup(
    name: str,
    type_: ColumnType,
    aggregate: str,
    column: str | None = None,
    where: object = None,
    behavior: DateBehavior | None = None,
    maximum: float | None = None,
) -> NewColumn:
    """A rollup over the contacts of an account."""
    told = {"relationship": CHILDREN, "aggregate": aggregate, "column": column, "filter": where}
    formula = json.dumps({"rollup": told})
    return NewColumn(name, type_, source_type=SourceType.ROLLUP, formula=formula, behavior=behavior, maximum=maximum)


def calculation(
    name: str, type_: ColumnType, expression: object, *, is_secured: bool | None = None, precision: int | None = None
) -> NewColumn:
    """A column that is worked out of the row itself."""
    formula = json.dumps({"calculated": expression})
    return NewColumn(
        name, type_, source_type=SourceType.CALCULATED, formula=formula, is_secured=is_secured, precision=precision
    )


def contact(world: JobWorld, account: Guid, **values: Value) -> Guid:
    return world.make("contact", {"lastname": "C", "parentcustomerid": Reference("account", account), **values})


def test_rollups_add_up_what_points_to_a_row(world: JobWorld) -> None:
    """WA-403: all rows that point to it, whoever may read them; once when the column is made, then every hour."""
    world.new_column("contact", NewColumn("new_Points", ColumnType.INTEGER))
    full, empty = world.make("account", {"name": "full"}), world.make("account", {"name": "empty"})
    contact(world, full, new_points=3, creditlimit=Decimal("10.5"), birthdate="1990-01-02")
    contact(world, full, new_points=4, creditlimit=Decimal("2.5"), birthdate="1980-01-02")
    contact(world, full, new_points=100, statecode=1)
    for column in (
        rollup("new_Number", ColumnType.INTEGER, "COUNT"),
        rollup("new_Sum", ColumnType.INTEGER, "SUM", "new_points", where=OPEN),
        rollup("new_Mean", ColumnType.DECIMAL, "AVG", "new_points", where=OPEN),
        rollup("new_Credit", ColumnType.MONEY, "MAX", "creditlimit"),
        rollup("new_Born", ColumnType.DATETIME, "MIN", "birthdate", behavior=DateBehavior.DATE_ONLY),
        rollup("new_Small", ColumnType.INTEGER, "MAX", "new_points", maximum=50.0),
    ):
        world.new_column("account", column)
    assert world.row("account", full).values["new_number"] is None

    assert world.run() == 6

    row = world.row("account", full).values
    names = ("new_number", "new_sum", "new_mean", "new_credit", "new_credit_base", "new_born", "new_small")
    expected = (3, 7, Decimal("3.50"), Decimal("10.5"), Decimal("10.5"), "1980-01-02", None)
    assert tuple(row[name] for name in names) == expected
    assert (row["new_sum_state"], row["new_small_state"], row["new_sum_date"]) == (1, 2, row["new_number_date"])
    row = world.row("account", empty).values
    assert tuple(row[name] for name in names) == (0, *[None] * 6)
    version, modified = world.row("account", full).version, row["modifiedon"]

    clock = world.clock
    assert isinstance(clock, TestClock)
    clock.move_to(clock.now() + timedelta(hours=1, minutes=1))
    contact(world, empty)
    assert world.run() == 6
    assert world.row("account", empty).values["new_number"] == 1
    assert world.row("account", full).version == version
    assert world.row("account", full).values["modifiedon"] == modified


def test_a_calculated_column_follows_its_row(world: JobWorld) -> None:
    """WA-111: written by nobody, filtered like any other, filled for rows that were there before."""
    old = world.make("account", {"name": "Old", "numberofemployees": 7, "creditonhold": True})
    size = {"if": [{">=": [{"column": "numberofemployees"}, 10]}, "large", "small"]}
    for column in (
        calculation("new_Label", ColumnType.STRING, {"concat": [{"column": "name"}, " (", size, ")"]}),
        calculation("new_Half", ColumnType.DECIMAL, {"/": [{"column": "numberofemployees"}, 2]}, precision=1),
        calculation("new_Ok", ColumnType.BOOLEAN, {"not": {"column": "creditonhold"}}),
        calculation("new_Ratio", ColumnType.INTEGER, {"/": [1, {"-": [{"column": "numberofemployees"}, 7]}]}),
    ):
        world.new_column("account", column)
    assert world.run() == 4
    new = world.make("account", {"name": "New", "numberofemployees": 9, "new_label": "mine"})

    assert _shown(world, old) == ("Old (small)", Decimal("3.5"), False, None)
    assert _shown(world, new) == ("New (small)", Decimal("4.5"), True, 1)
    world.update("account", new, numberofemployees=20, new_half=Decimal(1))
    assert _shown(world, new) == ("New (large)", Decimal(10), True, 0)
    world.update("account", new, name=None)
    label = world.table("account").columns["new_label"]
    where = Comparison(Operator.EQUAL, Field("", label), Literal(" (LARGE)", ColumnType.STRING))
    assert world.visible("account", world.admin, where) == {new}


def _shown(world: JobWorld, account: Guid) -> tuple[Value, ...]:
    values = world.row("account", account).values
    return tuple(values[name] for name in ("new_label", "new_half", "new_ok", "new_ratio"))


def test_what_is_worked_out_of_a_secured_column_is_secured(world: JobWorld) -> None:
    """SM-132, SM-139: neither a result nor a filter tells what its reader may not read."""
    world.new_column("account", NewColumn("new_Secret", ColumnType.INTEGER, is_secured=True))
    world.new_column("contact", NewColumn("new_Points", ColumnType.INTEGER, is_secured=True))
    plus = {"+": [{"column": "new_secret"}, 1]}
    hidden = {"Conditions": [{"AttributeName": "new_points", "Operator": "GreaterThan", "Values": [1]}]}
    for column in (
        calculation("new_Told", ColumnType.INTEGER, plus),
        rollup("new_Sum", ColumnType.INTEGER, "SUM", "new_points"),
        rollup("new_Number", ColumnType.INTEGER, "COUNT", where=hidden),
    ):
        with pytest.raises(InvalidRequest, match="would tell of the secured column"):
            world.new_column("account", column)
    world.new_column("account", calculation("new_Kept", ColumnType.INTEGER, plus, is_secured=True))
    world.new_column("account", calculation("new_Open", ColumnType.INTEGER, {"column": "numberofemployees"}))
    with pytest.raises(InvalidRequest, match="secured column 'new_secret'"):
        _secure(world, "new_kept", secured=False)
    reader = world.user("Reader", world.root, world.role("Reader", {"account": depths(Depth.GLOBAL, (Rights.READ,))}))
    account = world.make("account", {"name": "A", "new_secret": 41})
    assert world.row("account", account).values["new_kept"] == 42
    assert world.read("account", account, "name", "new_kept", by=reader).values[:2] == ("A", None)


def _secure(world: JobWorld, column: str, *, secured: bool) -> None:
    with world.administrating() as session:
        there = session.table("account").columns[column]
        new = NewColumn(there.schema_name, there.type, is_secured=secured)
        change_schema(session, replace_column(session.schema, "account", column, new))


def test_a_formula_outlives_nothing_that_it_is_made_of(world: JobWorld) -> None:
    """What a formula needs is not removed; its hourly job ends with the column."""
    world.new_column("account", NewColumn("new_Base", ColumnType.INTEGER))
    world.new_column("account", calculation("new_Twice", ColumnType.INTEGER, {"*": [{"column": "new_base"}, 2]}))
    world.new_column("account", rollup("new_Number", ColumnType.INTEGER, "COUNT"))
    with pytest.raises(InvalidRequest, match="'new_twice' cannot be worked out"), world.administrating() as session:
        change_schema(session, delete_column(session.schema, "account", "new_base"))
    world.run()
    with world.administrating() as session:
        change_schema(session, delete_column(session.schema, "account", "new_number"))
        assert not session.schema.tables["account"].columns.keys() & {"new_number_date", "new_number_state"}
    states = {(row.values["name"], row.values["statuscode"]) for row in world.rows("asyncoperation")}
    assert states == {
        ("Work out account.new_twice", 30),
        ("Work out account.new_number", 32),
    }


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (NewColumn("new_X", ColumnType.INTEGER, source_type=SourceType.ROLLUP), "JSON object"),
        (NewColumn("new_X", ColumnType.INTEGER, source_type=SourceType.ROLLUP, formula="<Activity/>"), "XAML"),
        (NewColumn("new_X", ColumnType.INTEGER, formula="{}"), "set SourceType"),
        (rollup("new_X", ColumnType.INTEGER, "MEDIAN"), "one of COUNT, SUM"),
        (rollup("new_X", ColumnType.STRING, "COUNT"), "a rollup is a whole number"),
        (rollup("new_X", ColumnType.INTEGER, "COUNT", "creditlimit"), "COUNT takes no column"),
        (rollup("new_X", ColumnType.INTEGER, "SUM", "lastname"), "takes a simple column"),
        (rollup("new_X", ColumnType.DATETIME, "SUM", "createdon"), "MIN and MAX"),
        (calculation("new_X", ColumnType.INTEGER, {"concat": ["a"]}), "makes a text"),
        (calculation("new_X", ColumnType.INTEGER, {"+": [1, "a"]}), "takes a number"),
        (calculation("new_X", ColumnType.INTEGER, {"column": "createdon"}), "of the same table"),
        (calculation("new_X", ColumnType.INTEGER, {"column": "nope"}), "of the same table"),
        (calculation("new_X", ColumnType.INTEGER, {"now": []}), "no operation 'now'"),
        (calculation("new_X", ColumnType.STRING, {"if": [True, "a", 1]}), "of one kind"),
        (calculation("new_X", ColumnType.MONEY, 1), "a text, a whole number"),
        (calculation("new_X", ColumnType.INTEGER, {"+": [1] * 300}), "at most 200 parts"),
    ],
)
def test_what_cannot_be_worked_out_is_refused(shared_world: JobWorld, column: NewColumn, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        shared_world.new_column("account", column)


@pytest.fixture(scope="module")
def shared_world(stores: Stores) -> Iterator[JobWorld]:
    """One world for what changes nothing."""
    with stores.opened("sqlcipher") as database:
        yield JobWorld(database)
