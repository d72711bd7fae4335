"""`?sql=` takes exactly the documented subset (WA-270 to WA-277)."""

import pytest
import spoken
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import QueryError
from strongroom.query.ast import JoinKind, ReadContext, Select
from strongroom.query.sql import read_sql
from strongroom.schema.standard_tables import standard_schema

SCHEMA = standard_schema()
CONTEXT = ReadContext("u", "b", (), "2024-05-01T10:15:00Z", "Europe/Berlin")
GUID = "0a1b2c3d-0000-0000-0000-00000000000f"


def read(text: str) -> Select:
    return read_sql(SCHEMA, text, CONTEXT)


def where(condition: str) -> str:
    return spoken.predicate(read(f"SELECT name FROM account WHERE {condition}").where)


def refusal(text: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        read(text)
    assert caught.value.status == 400
    return caught.value


def test_columns_and_aliases_name_the_result_wa_275():
    found = read("select Name, [primarycontactid], ownerid AS Owner, a.revenue money FROM account as a")

    assert found.source.table.logical_name == "account"
    assert spoken.outputs(found) == {
        "name": "name",
        "_primarycontactid_value": "primarycontactid",
        "Owner": "ownerid",
        "money": "revenue",
        "accountid": "accountid",
    }


def test_two_columns_with_one_name_ask_for_an_alias_wa_275():
    joined = "FROM account a JOIN contact c ON c.parentcustomerid = a.accountid"

    assert "give one of them an alias" in refusal(f"SELECT a.createdon, c.createdon {joined}").message
    named = read(f"SELECT a.createdon, c.createdon AS c2 {joined}")
    assert set(spoken.outputs(named)) == {"createdon", "c2", "accountid"}


@pytest.mark.parametrize(
    ("text", "join"),
    [
        ("JOIN contact c ON c.parentcustomerid = a.accountid", "inner contact c (parentcustomerid=.accountid)"),
        ("INNER JOIN contact c ON a.accountid=c.parentcustomerid", "inner contact c (parentcustomerid=.accountid)"),
        (
            "LEFT OUTER JOIN contact c ON (c.contactid = a.primarycontactid AND c.firstname = 'Ann')",
            "outer contact c (contactid=.primarycontactid): c.firstname = 'Ann'",
        ),
        (", contact c WHERE c.parentcustomerid = a.accountid", "inner contact c (parentcustomerid=.accountid)"),
        (
            ", contact c WHERE a.name = a.fax AND c.contactid = a.primarycontactid",
            "inner contact c (contactid=.primarycontactid)",
        ),
        (
            "JOIN contact c ON c.firstname IS NULL AND c.contactid = a.primarycontactid",
            "inner contact c (contactid=.primarycontactid): c.firstname is null",
        ),
        (
            "JOIN contact c ON c.createdon = c.modifiedon AND a.accountid = c.parentcustomerid",
            "inner contact c (parentcustomerid=.accountid): c.createdon = c.modifiedon",
        ),
    ],
)
def test_joins_hang_on_an_equality(text: str, join: str):
    found = read(f"SELECT a.name, c.fullname FROM account a {text}")

    assert [spoken.join(each) for each in found.joins] == [join]
    assert spoken.predicate(found.where) == ("name = fax" if "fax" in text else "all")


def test_the_tables_of_from_may_be_tied_anywhere_in_where():
    found = read("SELECT a.name FROM account a, contact c WHERE a.name = 'x' AND (c.contactid = a.primarycontactid)")

    assert [spoken.join(join) for join in found.joins] == ["inner contact c (contactid=.primarycontactid)"]
    assert spoken.predicate(found.where) == "name = 'x'"


def test_joins_chain_and_name_only_tables_before_them():
    chain = "JOIN contact c ON c.contactid = a.primarycontactid LEFT JOIN systemuser u ON u.systemuserid = c.createdby"

    assert [(j.kind, j.link.outer_alias) for j in read(f"SELECT a.name FROM account a {chain}").joins] == [
        (JoinKind.INNER, ""),
        (JoinKind.OUTER, "c"),
    ]
    early = (
        "SELECT a.name FROM account a JOIN contact c ON c.createdby = u.systemuserid"
        " JOIN systemuser u ON u.systemuserid = a.createdby"
    )
    assert "before it is joined" in refusal(early).message


def test_a_join_that_gives_several_rows_orders_by_their_ids_too():
    found = read("SELECT a.name FROM account a JOIN contact c ON c.parentcustomerid = a.accountid ORDER BY a.name DESC")

    assert [spoken.order(order) for order in found.order] == ["name desc", "accountid", "c.contactid"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("name = 'O''Brian'", 'name = "O\'Brian"'),
        ("name = N'Zoë'", "name = 'Zoë'"),
        ("name <> 'x' AND name != 'y'", "(name <> 'x' and name <> 'y')"),
        ("revenue > -5.5e3", "revenue > Decimal('-5.5E+3')"),
        ("5 <= numberofemployees", "numberofemployees >= 5"),
        ("statecode = '0'", "statecode = 0"),
        ("donotemail = 1", "donotemail = True"),
        ("donotemail = TRUE", "donotemail = True"),
        ("NOT (name LIKE 'a%')", "name not like 'a%'"),
        (f"primarycontactid = '{GUID.upper()}'", f"primarycontactid = '{GUID}'"),
        ("createdon >= '2024-05-01'", "createdon >= '2024-04-30T22:00:00Z'"),
        ("createdon < '2024-05-01T10:00:00Z'", "createdon < '2024-05-01T10:00:00Z'"),
        ("name LIKE 'a%[%]'", "name like 'a%[%]'"),
        ("name NOT LIKE 'a_'", "name not like 'a_'"),
        ("statecode IN (1, 0, 1)", "statecode in (1, 0)"),
        ("statecode NOT IN (1)", "statecode not in (1)"),
        ("revenue BETWEEN 1 AND 2", "(revenue >= Decimal('1') and revenue <= Decimal('2'))"),
        ("revenue NOT BETWEEN 1 AND 2", "not (revenue >= Decimal('1') and revenue <= Decimal('2'))"),
        ("fax IS NULL", "fax is null"),
        ("fax IS NOT NULL", "fax is not null"),
        ("NOT fax IS NULL", "fax is not null"),
        ("name = telephone1", "name = telephone1"),
        ("fax IS NULL AND (name = 'a' OR NOT (name = 'b'))", "(fax is null and (name = 'a' or not name = 'b'))"),
        ("fax IS NULL OR (name = 'a' AND name = 'b')", "(fax is null or (name = 'a' and name = 'b'))"),
        ("(fax IS NULL) AND ((name = 'a' AND name = 'b'))", "(fax is null and name = 'a' and name = 'b')"),
    ],
)
def test_conditions_are_typed_by_their_column_wa_272(condition: str, expected: str):
    assert where(condition) == expected


def test_aggregates_and_groups_wa_273():
    found = read(
        "SELECT ownerid AS o, COUNT(*) AS total, COUNT(fax) AS f, COUNT(DISTINCT industrycode) AS kinds,"
        " SUM(revenue) AS s, AVG(revenue) AS m, MIN(createdon) AS first, MAX(revenue) AS most"
        " FROM account GROUP BY ownerid ORDER BY total DESC, COUNT(fax), ownerid"
    )

    assert found.is_aggregate
    assert [spoken.value(group) for group in found.group_by] == ["ownerid"]
    assert list(spoken.outputs(found).values()) == [
        *("ownerid", "count()", "countcolumn(fax)", "countdistinct(industrycode)", "sum(revenue)"),
        *("average(revenue)", "min(createdon)", "max(revenue)"),
    ]
    assert [spoken.order(order) for order in found.order] == ["count() desc", "countcolumn(fax)", "ownerid"]


def test_distinct_and_top_wa_274():
    found = read("SELECT DISTINCT TOP 10 name FROM account ORDER BY name DESC")

    assert (found.distinct, found.top, [spoken.order(order) for order in found.order]) == (True, 10, ["name desc"])
    assert read("SELECT TOP (5000) name FROM account").top == 5000


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "one SELECT"),
        ("   ;", "one SELECT"),
        ("DELETE FROM account", "not 'DELETE'"),
        ("DROP TABLE account", "not 'DROP'"),
        ("EXEC sp_who", "one SELECT"),
        ("WITH x AS (SELECT name FROM account) SELECT name FROM x", "not 'WITH'"),
        ("SELECT name FROM account; SELECT name FROM account", "exactly one statement"),
        ("SELECT name FROM account -- ; DROP TABLE account", "comment"),
        ("SELECT name /* union select */ FROM account", "comment"),
        ("SELECT * FROM account", "SELECT *"),
        ("SELECT a.* FROM account a", "SELECT *"),
        ("SELECT name FROM account UNION SELECT name FROM account", "UNION"),
        ("SELECT ownerid, COUNT(*) AS n FROM account GROUP BY ownerid HAVING COUNT(*) > 1", "HAVING"),
        ("SELECT name FROM account WHERE accountid IN (SELECT contactid FROM contact)", "subquery"),
        ("SELECT name FROM account WHERE EXISTS (SELECT contactid FROM contact)", "EXISTS"),
        ("SELECT name FROM (SELECT name FROM account) x", "subquery"),
        ("SELECT name, (SELECT fullname FROM contact) AS c FROM account", "subquery"),
        ("SELECT a.name FROM account a RIGHT JOIN contact c ON c.contactid = a.primarycontactid", "RIGHT JOIN"),
        ("SELECT a.name FROM account a FULL JOIN contact c ON c.contactid = a.primarycontactid", "FULL JOIN"),
        ("SELECT a.name FROM account a CROSS JOIN contact c", "CROSS JOIN"),
        ("SELECT a.name FROM account a, contact c", "Nothing ties 'contact'"),
        ("SELECT a.name FROM account a JOIN contact c ON c.firstname = 'x'", "Nothing ties 'contact'"),
        ("SELECT a.name FROM account a JOIN contact c ON c.fullname = a.accountid", "types differ"),
        ("SELECT name FROM account CROSS APPLY x(name)", "APPLY"),
        ("SELECT UPPER(name) AS n FROM account", "UPPER"),
        ("SELECT name FROM account WHERE LEN(name) = 3", "not supported"),
        ("SELECT name FROM account WHERE createdon > GETDATE()", "not supported"),
        ("SELECT name FROM account WHERE revenue = 1 + 1", "not supported"),
        ("SELECT revenue * 2 AS r FROM account", "not supported"),
        ("SELECT CASE WHEN name = 'a' THEN 1 END AS x FROM account", "CASE"),
        ("SELECT ROW_NUMBER() OVER (ORDER BY name) AS x FROM account", "window"),
        ("SELECT 1 AS one FROM account", "a literal here"),
        ("SELECT name FROM account WHERE 1 = 1", "two literals"),
        ("SELECT name FROM account WHERE name = NULL", "IS NULL"),
        ("SELECT name FROM account WHERE name LIKE 'a' ESCAPE '!'", "ESCAPE"),
        ("SELECT name FROM account WHERE name = @p", "variable"),
        ("SELECT name FROM account WHERE statecode LIKE '1'", "LIKE works on text"),
        ("SELECT name FROM account WHERE donotemail > 0", "no order"),
        ("SELECT name FROM account WHERE statecode = 'Active'", "statecode"),
        ("SELECT name FROM account WHERE entityimage = 'x'", "file"),
        ("SELECT name FROM account ORDER BY name OFFSET 5 ROWS FETCH NEXT 5 ROWS ONLY", "OFFSET"),
        ("SELECT TOP 0 name FROM account", "1 to 5,000"),
        ("SELECT TOP 5001 name FROM account", "1 to 5,000"),
        ("SELECT TOP 5 PERCENT name FROM account", "PERCENT"),
        ("SELECT name FROM dbo.account", "schema"),
        ("SELECT name FROM account WITH (NOLOCK)", "table hint"),
        ("SELECT name FROM account OPTION (RECOMPILE)", "OPTION"),
        ("SELECT name FROM account FOR JSON AUTO", "FOR"),
        ("SELECT name INTO x FROM account", "INTO"),
        ("SELECT COUNT(*) FROM account", "needs an alias"),
        ("SELECT name, COUNT(*) AS n FROM account", "neither in GROUP BY"),
        ("SELECT SUM(name) AS s FROM account", "needs a number"),
        ("SELECT SUM(DISTINCT revenue) AS s FROM account", "only supported in COUNT"),
        ("SELECT DISTINCT COUNT(*) AS n FROM account", "DISTINCT"),
        ("SELECT ownerid FROM account GROUP BY ROLLUP(ownerid)", "ROLLUP"),
        ("SELECT DISTINCT name FROM account ORDER BY fax", "only what the SELECT shows"),
        ("SELECT name FROM account ORDER BY 1", "literal"),
        ("SELECT nam FROM account", "Did you mean 'name'?"),
        ("SELECT name FROM accounts", "Did you mean 'account'?"),
        ("SELECT b.name FROM account a", "called 'b'"),
        ("SELECT name FROM sqlite_master", "Could not find a table"),
        ("SELECT createdon FROM account a JOIN contact c ON c.contactid = a.primarycontactid", "in several tables"),
        ("SELECT name AS [a.b] FROM account", "may only hold"),
        ("SELECT FROM account", "names no column"),
        ("SELECT name FROM account LIMIT 5", "LIMIT is not supported"),
        ("SELECT name FROM account FETCH FIRST 5 ROWS ONLY", "FETCH"),
        ("SELECT a.nam FROM account a", "in 'account'. Did you mean 'name'?"),
        ("SELECT isprivate FROM account", "cannot be read"),
        ("SELECT a.name FROM account a JOIN contact a ON a.contactid = a.contactid", "are called 'a'"),
        ("SELECT a.name FROM account a INNER JOIN contact c", "needs ON"),
        ("SELECT a.name FROM account a" + ", account b" * 40, "more than 32 tables"),
        ("SELECT COUNT(DISTINCT name, fax) AS n FROM account", "takes one column"),
        ("SELECT description, COUNT(*) AS n FROM account GROUP BY description", "cannot be grouped by"),
        ("SELECT name FROM account ORDER BY entityimage", "cannot be sorted by"),
        ("SELECT name FROM account WHERE name IS 'x'", "IS NULL"),
        ("SELECT name FROM account WHERE statecode IN (" + "1," * 2000 + "1)", "1 to 2,000 literals"),
        ("SELECT name FROM account WHERE statecode IN ()", "1 to 2,000 literals"),
        ("SELECT name FROM account WHERE", "Syntax error"),
        ("SELECT name FROM account WHERE name = 'x", "Syntax error"),
        ("SELECT name FRM account", "Syntax error at position 16"),
        ("SELECT name FROM account WHERE " + "(" * 101 + "name = 'a'" + ")" * 101, "nested parentheses"),
        ("SELECT name FROM account WHERE " + "NOT " * 3000 + "name = 'a'", "too deeply"),
        ("SELECT name FROM account WHERE " + " AND ".join(["fax IS NULL"] * 501), "500 conditions"),
        ("SELECT name FROM account WHERE name = '" + "x" * 40_000 + "'", "longer than"),
    ],
)
def test_everything_else_is_refused_and_named_wa_272(text: str, part: str):
    assert part in refusal(text).message


def test_a_refusal_says_where():
    assert refusal("SELECT name, nam FROM account").details == {"position": 13}


def test_comments_that_hide_nothing_and_a_last_semicolon_are_fine():
    assert read("SELECT name /* the name */ FROM account -- all of them\n;").source.table.logical_name == "account"


def test_500_conditions_are_read():
    assert where(" OR ".join(["fax IS NULL"] * 500)).count("fax") == 500


_WORDS = st.sampled_from(
    [
        *("SELECT", "FROM", "WHERE", "JOIN", "LEFT", "ON", "AND", "OR", "NOT", "IN", "LIKE", "BETWEEN", "IS", "NULL"),
        *("GROUP", "BY", "ORDER", "TOP", "DISTINCT", "AS", "COUNT", "(", ")", ",", "*", "=", "<", ".", "'x'", "5", "-"),
        *("account", "contact", "name", "accountid", "a", "c", ";", "--", "/*", "[", "'", "UNION", "WITH", "@p", "#t"),
    ]
)


@given(st.lists(_WORDS, max_size=20), st.sampled_from(["", "SELECT name FROM account ", "SELECT "]))
def test_any_text_is_read_or_refused_but_never_breaks_the_reader(words: list[str], start: str):
    """WA-434."""
    try:
        assert read(start + " ".join(words)).outputs
    except QueryError as error:
        assert error.message
