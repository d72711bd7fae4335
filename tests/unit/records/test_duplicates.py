"""Duplicate rules: how each operator compares, and whose eyes look (WA-422, SM-132, SM-136)."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.worlds import World, depths

from strongroom.errors import AccessDenied, InvalidRequest, PreconditionFailed
from strongroom.ids import Guid, Reference
from strongroom.records import NewRecord, change_schema, create, update
from strongroom.records.duplicate_rules import published_rules
from strongroom.schema.changes import NewColumn, NewOption, delete_column
from strongroom.schema.model import Column, ColumnType, DateBehavior, Depth, Rights
from strongroom.store.protocol import Value

EXACT, FIRST, LAST, DAY, MOMENT, LABEL, CHOICE = range(7)


def rule(world: World, table: str, *conditions: Mapping[str, Value], matching: str | None = None, **own: Value) -> Guid:
    """A published rule of `table`."""
    values: dict[str, Value] = {"name": "Rule", "baseentityname": table, "matchingentityname": matching or table}
    made = world.make("duplicaterule", {**values, **own})
    for condition in conditions:
        named = {"matchingattributename": condition["baseattributename"], "operatorcode": EXACT, **condition}
        world.make("duplicaterulecondition", {**named, "regardingobjectid": Reference("duplicaterule", made)})
    world.update("duplicaterule", made, statecode=1)
    return made


def on(column: str, operator: int = EXACT, length: int | None = None, **more: Value) -> dict[str, Value]:
    """A condition."""
    return {"baseattributename": column, "operatorcode": operator, "operatorparam": length, **more}


def is_duplicate(world: World, table: str, values: Mapping[str, Value], by: Guid | None = None) -> bool:
    """Whether a create that asks for detection is refused with 0x80040333. The row is not kept."""
    try:
        with world.acting(by or world.admin) as session:
            session.request = replace(session.request, detects_duplicates=True)
            create(session, session.table(table), NewRecord(values))
            raise _Undo
    except PreconditionFailed as error:
        assert error.code == "0x80040333"
        return True
    except _Undo:
        return False


class _Undo(Exception):
    """Ends a unit of work without a trace."""


@pytest.mark.parametrize(
    ("condition", "there", "same", "other"),
    [
        (on("name"), "Straße 5", "STRAßE 5", "Straße"),
        (on("name", FIRST, 3), "Contoso", "CONtinent", "Co"),
        (on("name", FIRST, 3), "Co", "CO", "Contoso"),
        (on("name", FIRST, 2), "%_", "%_x", "ab"),
        (on("name", LAST, 3), "Contoso", "miOSO", "so"),
        (on("name", LAST, 3), "so", "SO", "Contoso"),
        (on("description"), "A long text", "a LONG text", "A long text."),
        (on("numberofemployees"), 5, 5, 6),
        (on("revenue"), Decimal("100.50"), Decimal("100.5"), Decimal("100.51")),
        (on("address1_latitude"), 1.5, 1.5, 1.25),
        (on("creditonhold"), True, True, False),
        (on("industrycode"), 1, 1, 2),
        (on("industrycode", LABEL), 1, 1, 2),
        (on("industrycode", CHOICE), 1, 1, 2),
    ],
)
def test_an_operator_finds_what_is_the_same(
    world: World, condition: dict[str, Value], there: Value, same: Value, other: Value
) -> None:
    column = str(condition["baseattributename"])
    world.make("account", {column: there})
    rule(world, "account", condition)

    assert is_duplicate(world, "account", {column: same})
    assert not is_duplicate(world, "account", {column: other})


@pytest.mark.parametrize(
    ("operator", "there", "same", "other"),
    [
        (DAY, "2026-05-01T23:59:59Z", "2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z"),
        (MOMENT, "2026-05-01T10:15:00Z", "2026-05-01T10:15:00Z", "2026-05-01T10:15:01Z"),
        (EXACT, "2026-05-01T10:15:00Z", "2026-05-01T10:15:00Z", "2026-05-01T10:15:01Z"),
    ],
)
def test_moments_are_compared_to_the_second_or_by_their_day(
    world: World, operator: int, there: str, same: str, other: str
) -> None:
    world.create("task", subject="Call", scheduledend=there)
    rule(world, "task", on("scheduledend", operator))

    assert is_duplicate(world, "task", {"subject": "Mail", "scheduledend": same})
    assert not is_duplicate(world, "task", {"subject": "Mail", "scheduledend": other})


def test_dates_without_a_time_are_compared_as_days(world: World) -> None:
    world.create("contact", birthdate="2000-02-29")
    rule(world, "contact", on("birthdate", DAY))

    assert is_duplicate(world, "contact", {"birthdate": "2000-02-29"})
    assert not is_duplicate(world, "contact", {"birthdate": "2000-02-28"})


def test_lookups_are_compared_by_their_targets(world: World) -> None:
    one, other = world.create("account", name="One"), world.create("account", name="Other")
    world.create("contact", lastname="Lee", parentcustomerid=Reference("account", one))
    rule(world, "contact", on("lastname"), on("parentcustomerid"))

    assert is_duplicate(world, "contact", {"lastname": "lee", "parentcustomerid": Reference("account", one)})
    assert not is_duplicate(world, "contact", {"lastname": "lee", "parentcustomerid": Reference("account", other)})
    assert not is_duplicate(world, "contact", {"lastname": "lee"})


def test_labels_are_compared_between_choices_that_number_them_otherwise(world: World) -> None:
    """Gender of a contact: 1 Male, 2 Female; the other choice counts from 10."""
    options = (NewOption("female", 10), NewOption("male", 11))
    world.new_column("account", NewColumn("new_sex", ColumnType.PICKLIST, options=options))
    world.make("account", {"name": "A", "new_sex": 10})
    rule(world, "contact", on("gendercode", LABEL, matchingattributename="new_sex"), matching="account")

    assert is_duplicate(world, "contact", {"gendercode": 2})
    assert not is_duplicate(world, "contact", {"gendercode": 1})


def test_case_counts_in_each_page_of_what_agrees_but_for_case(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strongroom.records.duplicates._PAGE", 2)
    for name in ("abc", "abC", "aBc", "aBC", "ABC"):
        world.create("account", name=name)
    rule(world, "account", on("name"), iscasesensitive=True)

    assert is_duplicate(world, "account", {"name": "ABC"})
    assert not is_duplicate(world, "account", {"name": "Abc"})


@pytest.mark.parametrize("operator", [FIRST, LAST])
def test_case_counts_only_in_the_characters_that_are_compared(world: World, operator: int) -> None:
    world.create("account", name="ab-X-ab")
    rule(world, "account", on("name", operator, 2), iscasesensitive=True)

    assert is_duplicate(world, "account", {"name": "ab-y-ab"})
    assert not is_duplicate(world, "account", {"name": "aB-X-aB"})


def test_a_secured_column_that_the_caller_may_not_read_finds_nothing(world: World) -> None:
    """SM-132, SM-136: neither in the matching table nor in the base table."""
    table = world.new_table("thing", NewColumn("new_ssn", ColumnType.STRING, is_secured=True))
    everything = world.role("All", {table: depths(Depth.GLOBAL), "account": depths(Depth.GLOBAL)})
    ann = world.user("Ann", None, everything)
    world.make(table, {"new_name": "Eve", "new_ssn": "123"})
    rule(world, "account", on("name", matchingattributename="new_ssn"), matching=table)

    assert not is_duplicate(world, "account", {"name": "123"}, by=ann)
    assert is_duplicate(world, "account", {"name": "123"})

    world.create("account", name="456")
    hidden = world.make(table, {"new_name": "Ida", "new_ssn": "456"})
    rule(world, table, on("new_ssn", matchingattributename="name"), matching="account")
    _change(world, table, hidden, {"new_name": "Ida"}, ann)
    with pytest.raises(PreconditionFailed):
        _change(world, table, hidden, {"new_name": "Ida"}, world.admin)


def test_a_row_that_may_be_written_but_not_read_tells_nothing(world: World) -> None:
    writes = world.role(
        "Writer", {"account": {Rights.WRITE: Depth.GLOBAL, Rights.READ: Depth.BASIC, Rights.CREATE: Depth.BASIC}}
    )
    ann = world.user("Ann", None, writes)
    world.create("account", by=ann, name="Guess")
    hidden = world.create("account", name="Guess")
    rule(world, "account", on("name"))

    _change(world, "account", hidden, {"fax": "1"}, ann)
    with pytest.raises(PreconditionFailed):
        _change(world, "account", hidden, {"fax": "1"}, world.admin)


def test_who_reads_nothing_of_the_matching_table_finds_nothing(world: World) -> None:
    ann = world.user("Ann", None, world.role("Maker", {"account": depths(Depth.BASIC)}))
    world.create("contact", lastname="Lee")
    rule(world, "account", on("name", matchingattributename="lastname"), matching="contact")

    assert not is_duplicate(world, "account", {"name": "Lee"}, by=ann)
    assert is_duplicate(world, "account", {"name": "Lee"})


def test_publishing_is_a_privilege(world: World) -> None:
    ann = world.user("Ann", None, world.role("Rules", {"duplicaterule": depths(Depth.GLOBAL)}))
    made = world.create("duplicaterule", by=ann, name="Rule", baseentityname="account")
    condition = on("name", matchingattributename="name", regardingobjectid=Reference("duplicaterule", made))
    world.make("duplicaterulecondition", condition, by=ann)

    with pytest.raises(AccessDenied, match="prvPublishDuplicateRule"):
        world.update("duplicaterule", made, by=ann, statecode=1)
    world.update("duplicaterule", made, statecode=1)
    assert world.row("duplicaterule", made).values["statuscode"] == 2


def test_conditions_are_as_open_as_their_rule(world: World) -> None:
    """SM-10: a table that nobody owns."""
    ann = world.user("Ann", None, world.role("Own rules", {"duplicaterule": depths(Depth.BASIC)}))
    made = rule(world, "account", on("name"))

    assert world.visible("duplicaterulecondition", ann) == set()
    assert len(world.visible("duplicaterulecondition", world.admin)) == 1
    with pytest.raises(AccessDenied):
        condition = on("name", matchingattributename="name", regardingobjectid=Reference("duplicaterule", made))
        world.make("duplicaterulecondition", condition, by=ann)


def test_a_rule_whose_column_is_gone_finds_nothing(world: World) -> None:
    world.new_column("account", NewColumn("new_code", ColumnType.STRING))
    rule(world, "account", on("new_code"))
    with world.administrating() as session:
        assert len(published_rules(session, session.table("account"))) == 1
        change_schema(session, delete_column(session.schema, "account", "new_code"))
    with world.administrating() as session:
        assert published_rules(session, session.table("account")) == []


def test_a_day_and_a_moment_are_not_compared_exactly(world: World) -> None:
    column = world.table("contact").columns["birthdate"]
    assert isinstance(column, Column)
    assert column.behavior is DateBehavior.DATE_ONLY
    for operator in (EXACT, MOMENT):
        with pytest.raises(InvalidRequest, match="cannot be compared"):
            rule(world, "contact", on("birthdate", operator, matchingattributename="createdon"))
    rule(world, "contact", on("birthdate", DAY, matchingattributename="createdon"))
    world.create("contact", lastname="Today")

    assert is_duplicate(world, "contact", {"birthdate": "2026-01-05"})


def _change(world: World, table: str, row_id: Guid, changes: Mapping[str, Value], by: Guid) -> None:
    with world.acting(by) as session:
        session.request = replace(session.request, detects_duplicates=True)
        update(session, session.table(table), row_id, changes)
