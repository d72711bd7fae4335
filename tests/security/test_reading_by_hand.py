"""Statements by hand through the door that there is (decision 0011): what they give, and what they cannot."""

import hashlib

import pytest
from tests.security.guarded import KEEPER, SSN, Place

from strongroom.errors import InvalidRequest, TimeLimitExceeded
from strongroom.schema.changes import NewColumn
from strongroom.schema.model import ColumnType, Depth
from strongroom.store import by_hand
from strongroom.store.layout import is_stored


def test_a_select_gives_what_may_be_read(place: Place) -> None:
    """SM-5; functions are free, since there is nothing that they could lift."""
    assert place.ask("select name, md5(name) as code from account;") == [
        {"name": "Mine", "code": hashlib.md5(b"Mine", usedforsecurity=False).hexdigest()}
    ]
    assert place.ask("select count(*) as n from contact -- nothing else") == [{"n": 0}]
    assert place.ask("select 1 as one, '?' as mark where '{\"a\": 1}'::jsonb ? 'a'") == [{"one": 1, "mark": "?"}]
    assert len(place.ask("select name from account", place.world.admin)) == 2


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("select new_ssn from account", "permission denied"),
        ("select * from account", "permission denied"),
        ("select account from account", "permission denied"),
        ("select row_to_json(a) from account a", "permission denied"),
        ("select name from account order by new_ssn", "permission denied"),
        ("select name from account where new_ssn like '1%'", "permission denied"),
        ("select id from principal", "permission denied"),
        ("select * from sight", "permission denied"),
        ("delete from account returning accountid", "syntax error"),
        ("with gone as (delete from account returning 1) select * from gone", "must be at the top level|permission"),
        ("select 1; drop table account", "syntax error|multiple commands"),
        ("select 1) as a; reset role; select to_json(b) from (select 1", "multiple commands"),
        ("explain select name from account", "syntax error"),
        ("do $$ begin end $$", "syntax error|unterminated"),
        ("copy account to stdout", "syntax error"),
        ("select name into temp kept from account", "not allowed|syntax error|read-only"),
        ("select name from account for update", "permission denied|read-only"),
        ("select nextval('anything')", "does not exist"),
        ("select lo_create(0)", "read-only"),
        ("select set_config('transaction_read_only', 'off', true)", "read-write mode"),
        (f"select set_config('role', '{KEEPER}', true)", "permission denied"),
        ("select query_to_xml('explain select 1', true, false, '')", "not allowed"),
        ("select query_to_xml('select new_ssn from account', true, false, '')", "permission denied"),
        ("select nothing from account", "does not exist"),
        ("select $2", "parameter"),
        ("select '\ud800'", "no text"),
        ("select '\0'", "no SQL has"),
        ("", "syntax error"),
        ("select '" + "x" * 20_001 + "'", "longer"),
        ("select repeat('x', 20000000) as x", "longer than"),
    ],
)
def test_everything_else_is_refused_and_says_nothing_hidden(place: Place, sql: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says) as refusal:
        place.ask(sql)
    assert SSN not in refusal.value.message
    assert "Hidden" not in refusal.value.message


@pytest.mark.parametrize(
    "sql",
    [
        "select name from account where 1 / (numberofemployees - 5) > 0",
        "select name from account where name::int is null and name = 'Hidden'",
        "select name from account order by 1 / (numberofemployees - 5)",
        "select max(1 / (numberofemployees - 5)) as name from account having max(1 / (numberofemployees - 5)) is null",
        "select a.name from account a join account b on 1 / (b.numberofemployees - 5) > 0 and a.name <> b.name",
    ],
)
def test_an_expression_that_fails_on_hidden_rows_is_not_tried_on_them(place: Place, sql: str) -> None:
    """A row with five employees is there, and hidden: division by zero would tell. To the administrator it does."""
    place.ask(sql)
    with pytest.raises(InvalidRequest, match=r"division by zero|invalid input syntax"):
        place.ask(sql, place.world.admin)


def test_statistics_of_columns_are_closed(place: Place) -> None:
    """`pg_stats` would show the commonest values of a column, whoever may see the rows."""
    owner = place.owner()
    owner.execute("analyze account")
    assert owner.query("select 1 from pg_stats where tablename = 'account' and attname = 'name'")
    owner.close()

    assert place.ask("select attname from pg_stats where tablename = 'account'") == []
    for closed in ("pg_statistic", "pg_authid", "pg_statistic_ext_data", "pg_user_mapping"):
        with pytest.raises(InvalidRequest, match="permission denied"):
            place.ask(f"select 1 from {closed}")


def test_what_the_trail_kept_and_what_no_door_shows_is_closed(place: Place) -> None:
    """SM-132, SM-173: old values of secured columns, amounts beside secured amounts, columns that are valid for no
    reading; to administrators too, since the grant is one for all."""
    world, admin = place.world, place.world.admin
    world.new_column("account", NewColumn("new_pay", ColumnType.MONEY, is_secured=True))
    auditor = world.user("Otto", None, world.role("Auditor", by_name={"prvReadAuditSummary": Depth.GLOBAL}))

    assert place.ask("select action from audit limit 1", auditor)
    for who in (auditor, admin):
        for closed in ("changedata from audit", "new_pay from account", "new_pay_base from account"):
            with pytest.raises(InvalidRequest, match="permission denied"):
                place.ask(f"select {closed}", who)
    hidden = [
        f"{column.logical_name} from {table.logical_name}"
        for table in world.schema.tables.values()
        for column in table.columns.values()
        if not column.valid_for_read and is_stored(table, column)
    ]
    assert hidden
    for closed in hidden[:20]:
        with pytest.raises(InvalidRequest, match="permission denied"):
            place.ask(f"select {closed}", admin)


def test_policies_are_no_part_of_what_the_owner_plans(place: Place) -> None:
    """The platform's own statements cost the same with the second lock and without; a reader's plan has it."""
    asked = "explain (costs off) select name from account where owner = 1 order by name__fold nulls first limit 50"
    owner = place.owner()
    beside = owner.query(asked)
    owner.execute("alter table account disable row level security")
    without = owner.query(asked)
    owner.execute("alter table account enable row level security")
    with place.session() as session:
        under = session.execute(asked.encode()).fetchall()
    owner.close()

    assert beside == without
    assert not any("strongroom_sight" in str(line) or "SubPlan" in str(line) for line in beside)
    assert any("SubPlan" in str(line) for line in under)


def test_a_statement_ends_in_time_and_cannot_give_itself_more(place: Place) -> None:
    owner = place.owner()
    for sql in ("select pg_sleep(20)", "select set_config('statement_timeout', '0', false), pg_sleep(20)"):
        with pytest.raises(TimeLimitExceeded):
            by_hand.read(owner, place.url, place.sight(), sql, 5, limit_s=0.2)
    owner.close()


def test_a_table_without_a_plan_shows_nothing_and_a_new_one_is_guarded_from_its_first_row(place: Place) -> None:
    """Default is deny: what no line of `sight` names is not seen, whoever the caller is."""
    place.world.new_table("later")
    place.world.create("new_later", new_name="Hidden")
    admin = place.world.admin
    with place.database.read() as transaction:
        assert transaction.read_by_hand([], "select name from account", 5) == []
        assert transaction.read_by_hand([], "select new_name from new_later", 5) == []
    assert place.ask("select new_name from new_later") == []
    assert place.ask("select new_name from new_later", admin) == [{"new_name": "Hidden"}]


def test_a_column_that_becomes_secured_is_closed(place: Place) -> None:
    """SM-136: the grant goes with the change of the schema."""
    place.world.new_column("account", NewColumn("new_later", ColumnType.STRING, is_secured=True))
    with pytest.raises(InvalidRequest, match="permission denied"):
        place.ask("select new_later from account", place.world.admin)
