"""Section 19: `?sql=` (WA-270 to WA-277)."""

from urllib.parse import quote

import pytest
from tests.wire.client import FORMATTED, Api, Json
from tests.wire.conftest import Person
from tests.wire.sample import Sample, make_sample

_ALL = {"Prefer": 'odata.include-annotations="*"'}


@pytest.fixture(scope="module")
def sample(api: Api) -> Sample:
    return make_sample(api)


def asked(sample: Sample, sql: str, headers: dict[str, str] | None = None) -> list[Json]:
    """The rows of a SELECT, in which `{own}` stands for the condition that a row is of the sample."""
    text = sql.replace("{own}", f"name LIKE '{sample.stem}%'").replace("{a.own}", f"a.name LIKE '{sample.stem}%'")
    return sample.api.rows(f"accounts?sql={quote(text)}", headers)


def names(sample: Sample, where: str) -> list[str]:
    rows = asked(sample, f"SELECT name FROM account WHERE {{own}} AND ({where}) ORDER BY name")
    return [sample.short(row["name"]) for row in rows]


def test_one_select_over_the_table_of_the_set(api: Api, sample: Sample) -> None:
    """WA-270, WA-271, WA-275: names without regard to case; ETag and primary key come along."""
    own = f"name = '{sample.stem}ada'"
    answer = api.get(f"accounts?sql={quote(f'select A.Name from Account as A where A.{own}')}")

    assert answer["@odata.context"] == f"{api.root}$metadata#accounts(name,accountid)"
    (row,) = answer["value"]
    assert set(row) == {"@odata.etag", "name", "accountid"}
    assert row["accountid"] == sample.ids["ada"]
    api.refused("GET", f"contacts?sql={quote('SELECT name FROM account')}", status=400)


def test_options_beside_it_are_400(api: Api) -> None:
    """WA-270: what SQL has words for cannot stand beside it."""
    for option in ("$select=name", "$filter=name eq 'a'", "$orderby=name", "$top=1", "$expand=owninguser"):
        api.refused("GET", f"accounts?sql={quote('SELECT name FROM account')}&{option}", status=400)


def test_joins(sample: Sample) -> None:
    """WA-271, WA-274: inner, left, and tables that WHERE ties together."""
    columns = "SELECT a.name, c.firstname AS first FROM account a"
    on = "ON a.primarycontactid = c.contactid"
    for join in (f"JOIN contact c {on}", f"INNER JOIN contact AS c {on}"):
        assert [row["first"] for row in asked(sample, f"{columns} {join} WHERE {{a.own}} ORDER BY a.name")] == [
            "Grace",
            "Grace",
            "Linus",
        ]
    left = asked(sample, f"{columns} LEFT OUTER JOIN contact c {on} WHERE {{a.own}} ORDER BY a.name DESC")
    assert [row["first"] for row in left] == [None, "Linus", "Grace", "Grace"]
    tied = asked(sample, f"{columns}, contact c WHERE a.primarycontactid = c.contactid AND {{a.own}}")
    assert len(tied) == 3
    more = asked(sample, f"{columns} LEFT JOIN contact c {on} AND c.firstname = 'Linus' WHERE {{a.own}}")
    assert len(more) == 4


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("accountnumber = 'ada'", ["ada"]),
        ("accountnumber = N'ADA'", ["ada"]),
        ("accountnumber <> 'ada'", ["c%d"]),
        ("accountnumber != 'ada'", ["c%d"]),
        ("numberofemployees < 10 AND revenue > 100", ["ada"]),
        ("numberofemployees <= 5 OR revenue >= 300", ["ada", "c%d"]),
        ("accountnumber LIKE '_d%'", ["ada"]),
        ("accountnumber LIKE 'c[%]d'", ["c%d"]),
        ("accountnumber NOT LIKE 'a%'", ["c%d"]),
        ("numberofemployees IN (5, 6)", ["ada"]),
        ("numberofemployees NOT IN (5, 6)", ["bob", "Éva"]),
        ("numberofemployees BETWEEN 5 AND 9", ["ada"]),
        ("numberofemployees NOT BETWEEN 5 AND 9", ["bob", "Éva"]),
        ("accountnumber IS NULL", ["bob", "Éva"]),
        ("accountnumber IS NOT NULL AND NOT (numberofemployees = 5)", []),
        ("createdon >= '2020-01-01' AND creditonhold = 1", ["bob"]),
        ("primarycontactid = '{linus}'", ["c%d"]),
    ],
)
def test_conditions(sample: Sample, where: str, found: list[str]) -> None:
    """WA-272."""
    assert names(sample, where.replace("{linus}", sample.contacts["Linus"])) == found


@pytest.mark.parametrize(
    ("sql", "construct"),
    [
        ("SELECT * FROM account", "SELECT *"),
        ("SELECT name FROM account; DELETE FROM account", "one statement"),
        ("SELECT name FROM account -- ; DELETE FROM account", "comment"),
        ("DELETE FROM account", "DELETE"),
        ("UPDATE account SET name = 'x'", "UPDATE"),
        ("INSERT INTO account (name) VALUES ('a')", "INSERT"),
        ("DROP TABLE account", "DROP"),
        ("SELECT name FROM account UNION SELECT fullname FROM contact", "UNION"),
        ("WITH x AS (SELECT name FROM account) SELECT name FROM x", "WITH"),
        ("SELECT name FROM account WHERE EXISTS (SELECT 1 FROM contact)", "EXISTS"),
        ("SELECT name FROM account WHERE accountid IN (SELECT contactid FROM contact)", "subquery"),
        ("SELECT name FROM account WHERE 1 = 1", "literal"),
        ("SELECT name FROM account WHERE LEN(name) = 3", "LEN"),
        ("SELECT UPPER(name) FROM account", "UPPER"),
        ("SELECT revenue + 1 AS x FROM account", "expression"),
        ("SELECT industrycode, COUNT(*) AS n FROM account GROUP BY industrycode HAVING COUNT(*) > 1", "HAVING"),
        ("SELECT a.name FROM account a RIGHT JOIN contact c ON a.accountid = c.parentcustomerid", "RIGHT JOIN"),
        ("SELECT a.name FROM account a FULL JOIN contact c ON a.accountid = c.parentcustomerid", "FULL JOIN"),
        ("SELECT a.name FROM account a CROSS JOIN contact c", "CROSS JOIN"),
        ("SELECT a.name FROM account a, contact c", "contact"),
        ("SELECT name FROM account ORDER BY name OFFSET 10 ROWS FETCH NEXT 5 ROWS ONLY", "OFFSET"),
        ("SELECT TOP 5001 name FROM account", "TOP"),
        ("SELECT TOP 0 name FROM account", "TOP"),
        ("SELECT nope FROM account", "nope"),
        ("SELECT name FROM nope", "nope"),
        ("SELECT name FROM sqlite_master", "sqlite_master"),
        ("SELECT name FROM information_schema.tables", "schema"),
        (
            "SELECT a.name, c.fullname AS name FROM account a JOIN contact c ON a.primarycontactid = c.contactid",
            "alias",
        ),
        ("SELECT name FROM account WHERE name = 'a", ""),
        ("SELECT", ""),
        ("", ""),
    ],
)
def test_what_is_not_allowed_is_named(api: Api, sql: str, construct: str) -> None:
    """WA-272, WA-274, WA-277."""
    api.refused("GET", f"accounts?sql={quote(sql)}", status=400, says=construct)


def test_aggregates(sample: Sample) -> None:
    """WA-273, WA-275."""
    (row,) = asked(
        sample,
        "SELECT COUNT(*) AS n, COUNT(accountnumber) AS numbers, COUNT(DISTINCT numberofemployees) AS kinds, "
        "SUM(revenue) AS total, AVG(revenue) AS mean, MIN(revenue) AS least, MAX(revenue) AS most "
        "FROM account WHERE {own}",
    )
    assert row == {"n": 4, "numbers": 2, "kinds": 2, "total": 501.0, "mean": 167.0, "least": 100.5, "most": 300.0}
    groups = asked(
        sample,
        "SELECT primarycontactid, COUNT(*) AS n FROM account WHERE {own} GROUP BY primarycontactid ORDER BY n DESC",
        _ALL,
    )
    assert groups[0]["_primarycontactid_value"] == sample.contacts["Grace"]
    assert groups[0][f"_primarycontactid_value@{FORMATTED}"].startswith("Grace")


def test_top_and_distinct(sample: Sample) -> None:
    """WA-274, WA-271."""
    assert len(asked(sample, "SELECT TOP 2 name FROM account WHERE {own}")) == 2
    distinct = asked(sample, "SELECT DISTINCT numberofemployees FROM account WHERE {own} AND numberofemployees > 0")
    assert sorted(row["numberofemployees"] for row in distinct) == [5, 10]
    assert len(asked(sample, "SELECT DISTINCT TOP 1 numberofemployees FROM account WHERE {own}")) == 1


def test_aliases_and_lookups(sample: Sample) -> None:
    """WA-275."""
    (row,) = asked(
        sample,
        "SELECT name AS n, primarycontactid, parentaccountid AS parent, industrycode AS kind FROM account "
        "WHERE {own} AND accountnumber = 'ADA'",
        _ALL,
    )
    assert row["_primarycontactid_value"] == sample.contacts["Grace"]
    assert row["n@OData.Community.Display.V1.AttributeName"] == "name"
    assert row[f"kind@{FORMATTED}"] == "Accounting"
    assert row["parent"] is None


def test_pages_have_links_whose_cookie_changes(sample: Sample) -> None:
    """WA-276."""
    text = quote(f"SELECT name FROM account WHERE name LIKE '{sample.stem}%' ORDER BY name")
    size = {"Prefer": "odata.maxpagesize=1"}
    answer = sample.api.get(f"accounts?sql={text}", size)
    seen, links = [answer["value"][0]["name"]], set[str]()
    while "@odata.nextLink" in answer:
        links.add(answer["@odata.nextLink"])
        answer = sample.api.get(answer["@odata.nextLink"], size)
        seen += [row["name"] for row in answer["value"]]
    assert [sample.short(name) for name in seen] == ["ada", "bob", "c%d", "Éva"]
    assert len(links) == 3


def test_rows_are_secured_as_everywhere(api: Api, sample: Sample, reader: Person) -> None:
    """WA-277."""
    text = quote(f"SELECT name FROM account WHERE name LIKE '{sample.stem}%'")
    assert api.rows(f"accounts?sql={text}", reader.acting) == []
    api.refused(
        "GET", f"tasks?sql={quote('SELECT subject FROM task')}", status=403, code="0x80040220", headers=reader.acting
    )
