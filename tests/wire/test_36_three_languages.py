# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# What a strategy gives to a lambda is not known to the checker.
"""OData, FetchXML and SQL that mean the same give the same rows (WA-185, WA-240, WA-270): random conditions, orders and
groups, each written in all three languages and asked over HTTP."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.profiles import examples
from tests.wire.client import NS, Api, unique

TEXTS = ("", "a", "b", "ab", "B a", "é", "o'b", "Ä&<")
NUMBERS = (0, 1, 5, 10)
_COMPARISONS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}


@dataclass(frozen=True, slots=True)
class Said:
    """One condition in three languages."""

    odata: str
    fetch: str
    sql: str


@dataclass(frozen=True, slots=True)
class Company:
    """Rows whose names begin with `stem`."""

    api: Api
    stem: str


@pytest.fixture(scope="module")
def company(api: Api) -> Company:
    stem = unique("Tongue")
    contacts = [api.new("contacts", {"lastname": text or "none"}) for text in ("a", "Ab", "é")]
    targets: list[dict[str, object]] = []
    for number in range(40):
        row: dict[str, object] = {
            "@odata.type": f"{NS}.account",
            "name": f"{stem} {TEXTS[number % 8]}",
            "accountnumber": TEXTS[(number * 3) % 8] or None,
            "numberofemployees": None if number % 7 == 0 else NUMBERS[number % 4],
            "revenue": None if number % 5 == 0 else number * 1.5,
            "creditonhold": number % 3 == 0,
            "industrycode": None if number % 6 == 0 else 1 + number % 3,
        }
        if number % 4:
            row["primarycontactid@odata.bind"] = f"contacts({contacts[number % 3]})"
        targets.append(row)
    made = api.send("POST", f"accounts/{NS}.CreateMultiple", {"Targets": targets})
    assert made.status_code == 200, made.text
    return Company(api, stem)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _compared(column: str, operator: str, odata: str, fetch: str, sql: str) -> Said:
    condition = f"<condition attribute='{column}' operator='{operator}' value={quoteattr(fetch)}/>"
    return Said(f"{column} {operator} {odata}", condition, f"{column} {_COMPARISONS[operator]} {sql}")


def _null(column: str, is_null: bool) -> Said:
    fetch = f"<condition attribute='{column}' operator='{'null' if is_null else 'not-null'}'/>"
    return Said(f"{column} {'eq' if is_null else 'ne'} null", fetch, f"{column} IS {'' if is_null else 'NOT '}NULL")


def _matching(function: str, value: str) -> Said:
    forms: dict[str, tuple[str, Callable[[str], str]]] = {
        "contains": ("%{}%", lambda text: f"%{text}%"),
        "startswith": ("{}%", lambda text: f"{text}%"),
        "endswith": ("%{}", lambda text: f"%{text}"),
    }
    pattern = forms[function][1](value)
    fetch = f"<condition attribute='accountnumber' operator='like' value={quoteattr(pattern)}/>"
    return Said(f"{function}(accountnumber,{_text(value)})", fetch, f"accountnumber LIKE {_text(pattern)}")


def _among(values: list[int], negated: bool) -> Said:
    listed = ",".join(f'"{value}"' for value in values)
    name = "NotIn" if negated else "In"
    inner = "".join(f"<value>{value}</value>" for value in values)
    operator = "not-in" if negated else "in"
    return Said(
        f"{NS}.{name}(PropertyName='numberofemployees',PropertyValues=[{listed}])",
        f"<condition attribute='numberofemployees' operator='{operator}'>{inner}</condition>",
        f"numberofemployees {'NOT ' if negated else ''}IN ({', '.join(map(str, values))})",
    )


def _joined(parts: list[Said], word: str) -> Said:
    return Said(
        "(" + f" {word} ".join(part.odata for part in parts) + ")",
        f"<filter type='{word}'>" + "".join(part.fetch for part in parts) + "</filter>",
        "(" + f" {word.upper()} ".join(part.sql for part in parts) + ")",
    )


_any_comparison = st.sampled_from(sorted(_COMPARISONS))
_leaf = st.one_of(
    st.builds(
        lambda operator, value: _compared("accountnumber", operator, _text(value), value, _text(value)),
        _any_comparison,
        st.sampled_from(TEXTS[1:]),
    ),
    st.builds(
        lambda column, operator, value: _compared(column, operator, str(value), str(value), str(value)),
        st.sampled_from(("numberofemployees", "revenue", "industrycode")),
        _any_comparison,
        st.sampled_from(NUMBERS),
    ),
    st.builds(
        lambda operator, value: _compared(
            "creditonhold", operator, str(value).lower(), str(int(value)), str(int(value))
        ),
        st.sampled_from(("eq", "ne")),
        st.booleans(),
    ),
    st.builds(_null, st.sampled_from(("accountnumber", "revenue", "industrycode", "numberofemployees")), st.booleans()),
    st.builds(_matching, st.sampled_from(("contains", "startswith", "endswith")), st.sampled_from(TEXTS[1:])),
    st.builds(_among, st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=3, unique=True), st.booleans()),
)
_condition = st.recursive(
    _leaf,
    lambda inner: st.builds(_joined, st.lists(inner, min_size=2, max_size=3), st.sampled_from(("and", "or"))),
    max_leaves=6,
)
_order = st.sampled_from(("name", "revenue", "numberofemployees", "accountnumber", "industrycode"))


def _ids(company: Company, path: str) -> list[str]:
    return [row["accountid"] for row in company.api.rows(path)]


@given(said=_condition, column=_order, descending=st.booleans(), by_contact=st.booleans())
@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_three_languages_give_the_same_rows(
    company: Company, said: Said, column: str, descending: bool, by_contact: bool
) -> None:
    """WA-185, WA-240, WA-270: in the same order, with a condition on a joined row or without."""
    stem = company.stem
    where = f"startswith(name,'{stem}') and {said.odata}" + (
        " and primarycontactid/lastname eq 'ab'" if by_contact else ""
    )
    odata = f"accounts?$select=accountid&$orderby={column}{' desc' if descending else ''}&$filter={quote(where)}"
    link = (
        "<link-entity name='contact' from='contactid' to='primarycontactid'><filter>"
        "<condition attribute='lastname' operator='eq' value='ab'/></filter></link-entity>"
    )
    fetch = (
        f"<fetch><entity name='account'><attribute name='accountid'/>{link if by_contact else ''}"
        f"<order attribute='{column}' descending='{str(descending).lower()}'/>"
        f"<filter><condition attribute='name' operator='like' value='{stem}%'/>{said.fetch}</filter></entity></fetch>"
    )
    join = " JOIN contact c ON a.primarycontactid = c.contactid" if by_contact else ""
    sql = (
        f"SELECT a.accountid FROM account a{join} WHERE a.name LIKE '{stem}%' AND {_qualified(said.sql)}"
        f"{' AND c.lastname = ' + _text('ab') if by_contact else ''} ORDER BY a.{column}{' DESC' if descending else ''}"
    )

    wanted = _ids(company, odata)

    assert _ids(company, f"accounts?fetchXml={quote(fetch)}") == wanted
    assert _ids(company, f"accounts?sql={quote(sql)}") == wanted


def _qualified(condition: str) -> str:
    """The SQL condition with its columns named by their table: a joined one may have some of the same name."""
    for name in ("accountnumber", "numberofemployees", "revenue", "industrycode", "creditonhold"):
        condition = condition.replace(f"{name} ", f"a.{name} ")
    return condition


@given(said=_condition, key=st.sampled_from(("industrycode", "numberofemployees", "creditonhold")))
@settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_three_languages_give_the_same_groups(company: Company, said: Said, key: str) -> None:
    """WA-220, WA-251, WA-273: number, sum and greatest of each group."""
    stem = company.stem
    sums = "$count as n,revenue with sum as s,revenue with max as m"
    apply = f"filter(startswith(name,'{stem}') and {said.odata})/groupby(({key}),aggregate({sums}))"
    attributes = "".join(
        f"<attribute name='{name}' alias='{alias}' aggregate='{function}'/>"
        for name, alias, function in (("accountid", "n", "count"), ("revenue", "s", "sum"), ("revenue", "m", "max"))
    )
    fetch = (
        "<fetch aggregate='true'><entity name='account'>"
        f"<attribute name='{key}' alias='{key}' groupby='true'/>{attributes}"
        f"<filter><condition attribute='name' operator='like' value='{stem}%'/>{said.fetch}</filter></entity></fetch>"
    )
    sql = (
        f"SELECT {key}, COUNT(*) AS n, SUM(revenue) AS s, MAX(revenue) AS m FROM account "
        f"WHERE name LIKE '{stem}%' AND {said.sql} GROUP BY {key}"
    )

    def groups(path: str) -> set[tuple[Any, ...]]:
        return {(row.get(key), row["n"], row.get("s"), row.get("m")) for row in company.api.rows(path)}

    wanted = groups(f"accounts?$apply={quote(apply)}")

    assert groups(f"accounts?fetchXml={quote(fetch)}") == wanted
    assert groups(f"accounts?sql={quote(sql)}") == wanted
