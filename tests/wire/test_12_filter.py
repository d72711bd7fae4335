"""Section 12: `$filter` (WA-185 to WA-196)."""

from urllib.parse import quote

import pytest
from tests.wire.client import NOBODY, Api, unique
from tests.wire.conftest import Person
from tests.wire.sample import Sample, make_sample


@pytest.fixture(scope="module")
def sample(api: Api) -> Sample:
    return make_sample(api)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("numberofemployees eq 5 or numberofemployees eq 10 and revenue eq 100.5", ["ada", "Éva"]),
        ("(numberofemployees eq 5 or numberofemployees eq 10) and revenue eq 100.5", ["ada", "Éva"]),
        ("not numberofemployees eq 5 and revenue ne null", ["Éva"]),
        ("not (numberofemployees eq 5)", ["bob", "Éva"]),
        ("  numberofemployees   gt\t5 ", ["bob", "Éva"]),
        ("numberofemployees ge 5 and numberofemployees lt 10", ["ada"]),
        ("numberofemployees le 5", ["ada"]),
        ("numberofemployees in (5,6)", ["ada"]),
        ("accountnumber in ('ada','zzz')", ["ada"]),
    ],
)
def test_operators_bind_as_documented(sample: Sample, condition: str, found: list[str]) -> None:
    """WA-185: or < and < not < comparison; `in` is understood."""
    assert sample.where(condition) == found


def test_keywords_are_lower_case(sample: Sample) -> None:
    """WA-185."""
    for condition in ("name EQ 'a'", "name eq 'a' AND name eq 'b'", "NOT (name eq 'a')", "name eq NULL"):
        sample.refused(condition)


@pytest.mark.parametrize(
    "condition",
    [
        "accountnumber eq 'ADA'",
        "revenue eq 100.50 and numberofemployees eq 5",
        "creditonhold eq false and accountnumber ne null and revenue lt 200",
        "accountid eq {ada}",
        "accountid eq '{ada}'",
        "accountid eq {ADA}",
        "createdon gt 2020-01-31 and numberofemployees eq 5",
        "createdon gt 2020-01-31T10:00:00Z and numberofemployees eq 5",
        "createdon gt 2020-01-31T10:00:00.123+02:00 and numberofemployees eq 5",
        "createdon gt '2020-01-31T10:00:00Z' and numberofemployees eq 5",
    ],
)
def test_literals_of_every_kind(sample: Sample, condition: str) -> None:
    """WA-186."""
    ada = sample.ids["ada"]
    assert sample.where(condition.replace("{ada}", ada).replace("{ADA}", ada.upper())) == ["ada"]


def test_a_quote_in_a_text_is_doubled(api: Api) -> None:
    """WA-186."""
    name = unique("O'Brian")
    api.new("accounts", {"name": name})

    assert len(api.rows(f"accounts?$select=name&$filter=name eq '{name.replace(chr(39), chr(39) * 2)}'")) == 1


def test_columns_compare_with_columns_and_literals_stand_left(sample: Sample) -> None:
    """WA-187."""
    assert sample.where("5 lt numberofemployees") == ["bob", "Éva"]
    assert sample.where("'ADA' eq accountnumber") == ["ada"]
    assert sample.where("accountnumber eq telephone1") == []
    assert sample.where("modifiedon ge createdon") != []
    for condition in ("name eq numberofemployees", "name eq 5"):
        sample.refused(
            condition,
            "A binary operator with incompatible types was detected. Found operand types 'Edm.String' and 'Edm.Int32' "
            "for operator kind 'Equal'.",
        )


def test_null_is_neither_equal_nor_different(sample: Sample) -> None:
    """WA-188: three-valued logic."""
    assert sample.where("numberofemployees ne 5") == ["bob", "Éva"]
    assert sample.where("numberofemployees eq null") == ["c%d"]
    assert sample.where("numberofemployees ne null") == ["ada", "bob", "Éva"]
    assert sample.where("not contains(accountnumber,'x')") == ["ada", "c%d"]


def test_texts_compare_without_regard_to_case(sample: Sample) -> None:
    """WA-189: in every operator and function, and not only for ASCII."""
    for condition in (
        "accountnumber eq 'aDa'",
        "accountnumber in ('ADA')",
        "contains(accountnumber,'d') and startswith(accountnumber,'a')",
        "endswith(accountnumber,'DA')",
        "accountnumber ge 'ADA' and accountnumber lt 'B'",
    ):
        assert sample.where(condition) == ["ada"], condition
    assert sample.where(f"name eq '{sample.stem}éVA'") == ["Éva"]


def test_wildcards_in_text_functions(sample: Sample) -> None:
    """WA-190: `%`, `_` and `[]` are SQL's; brackets take their meaning away."""
    assert sample.where("contains(accountnumber,'c[%]d')") == ["c%d"]
    assert sample.where("startswith(accountnumber,'a_a')") == ["ada"]
    assert sample.where("startswith(accountnumber,'[a-b]d')") == ["ada"]
    assert sample.where("startswith(accountnumber,'[^a-b]')") == ["c%d"]
    assert sample.where("contains(accountnumber,'[_]')") == []
    assert sample.where("contains(accountnumber,'[[]')") == []


@pytest.mark.parametrize(
    "condition",
    [
        "tolower(name) eq 'a'",
        "toupper(name) eq 'A'",
        "length(name) eq 3",
        "indexof(name,'a') eq 1",
        "substring(name,1) eq 'a'",
        "trim(name) eq 'a'",
        "concat(name,'a') eq 'b'",
        "year(createdon) eq 2024",
        "month(createdon) eq 1",
        "day(createdon) eq 1",
        "createdon lt now()",
        "round(revenue) eq 1",
        "revenue add 1 eq 2",
        "revenue sub 1 eq 2",
        "revenue mul 2 eq 2",
        "revenue div 2 eq 2",
        "revenue mod 2 eq 1",
        "cast(name,Edm.Int32) eq 1",
        "isof(name,Edm.String)",
    ],
)
def test_functions_that_dataverse_does_not_document_are_400(sample: Sample, condition: str) -> None:
    """WA-191."""
    sample.refused(condition, "function is not supported")


def test_lookups_and_columns_behind_them(sample: Sample) -> None:
    """WA-192."""
    grace = sample.contacts["Grace"]
    assert sample.where(f"_primarycontactid_value eq {grace}") == ["ada", "bob"]
    assert sample.where(f"primarycontactid/contactid eq {grace}") == ["ada", "bob"]
    assert sample.where("startswith(primarycontactid/fullname,'grace')") == ["ada", "bob"]
    assert sample.where("primarycontactid/jobtitle ne null") == ["ada", "bob", "c%d"]
    assert sample.where("startswith(parentaccountid/primarycontactid/firstname,'grace')") == ["bob", "c%d"]
    assert sample.where("parentaccountid/parentaccountid/accountnumber eq 'ada'") == ["c%d"]
    assert sample.where("primarycontactid eq null") == ["Éva"]


def test_lambdas_ask_about_collections(sample: Sample) -> None:
    """WA-193: any, all, nesting, N:N, any name of the variable."""
    assert sample.where("Account_Tasks/any()") == ["ada", "bob"]
    assert sample.where("Account_Tasks/any(x:x/statecode eq 1)") == ["ada"]
    assert sample.where("Account_Tasks/any(row:row/statecode eq 0 and contains(row/subject,'visit'))") == ["bob"]
    open_only = sample.where("Account_Tasks/all(t:t/statecode eq 0)")
    assert open_only == ["bob", "c%d", "Éva"]  # true for an empty collection
    assert sample.where("account_parent_account/any(c:c/account_parent_account/any(d:d/accountnumber eq 'c%d'))") == [
        "ada"
    ]
    assert sample.where("not Account_Tasks/any(t:t/statecode eq 1)") == open_only
    users = sample.api.rows(
        "systemusers?$select=fullname&$filter=systemuserroles_association/any(r:r/name eq 'system administrator')"
    )
    assert users
    sample.refused("primarycontactid/Contact_Tasks/any(t:t/subject eq 'a')")


def test_lambdas_and_paths_see_only_what_the_caller_may_read(api: Api, sample: Sample, reader: Person) -> None:
    """WA-194."""
    name = unique("seen")
    parent = {"parentaccountid@odata.bind": f"accounts({sample.ids['ada']})"}
    api.new("accounts", {"name": name, "ownerid@odata.bind": f"systemusers({reader.id})", **parent})
    own = f"accounts?$select=name&$filter=name eq '{name}'"
    people = f"contacts?$select=fullname&$filter=lastname eq '{sample.stem.strip()}'"

    assert len(api.rows(own, reader.acting)) == len(api.rows(own)) == 1
    assert len(api.rows(f"{own} and parentaccountid/accountnumber eq 'ADA'")) == 1
    assert api.rows(f"{own} and parentaccountid/accountnumber eq 'ADA'", reader.acting) == []
    assert len(api.rows(people, reader.acting)) == 2
    assert len(api.rows(f"{people} and account_primary_contact/any()")) == 2
    assert api.rows(f"{people} and account_primary_contact/any()", reader.acting) == []


@pytest.mark.parametrize(
    "condition",
    [
        "name eq 'a",
        "(name eq 'a'",
        "name eq 'a')",
        "name eq",
        "eq 'a'",
        "name 'a'",
        "",
        "nope eq 1",
        "nope(name)",
        "Account_Tasks",
        "Account_Tasks/subject eq 'a'",
        "name eq 'a' name eq 'b'",
        "name eq 'a' and",
        "name/x eq 1",
        "primarycontactid/nope eq 1",
    ],
)
def test_what_cannot_be_read_is_400(sample: Sample, condition: str) -> None:
    """WA-195."""
    sample.refused(condition)


def test_a_syntax_error_tells_its_position(sample: Sample) -> None:
    """WA-195, WA-56."""
    sample.refused("name EQ 'a'", "Syntax error at position 5 in ")
    sample.refused("nope eq 1", "Could not find a property named 'nope' on type 'Microsoft.Dynamics.CRM.account'.")


def test_conditions_nesting_and_lists_have_limits(api: Api, sample: Sample) -> None:
    """WA-196: 500 conditions, 100 levels, 2,000 values; more is 400."""

    def status(condition: str) -> int:
        return api.send("GET", f"accounts?$select=name&$top=1&$filter={quote(condition, safe='')}").status_code

    many = " or ".join(f"numberofemployees eq {number}" for number in range(500))
    assert (status(many), status(f"{many} or revenue eq 1")) == (200, 400)
    assert status("(" * 100 + "name eq 'a'" + ")" * 100) == 200
    assert status("(" * 101 + "name eq 'a'" + ")" * 101) == 400
    assert status("(" * 9000) == 400
    assert status("not " * 3000 + "name eq 'a'") in (200, 400)
    deep = "true"
    for level in range(101, 0, -1):
        deep = f"{f'v{level - 1}/' if level > 1 else ''}account_parent_account/any(v{level}:{deep})"
    assert status(deep) == 400

    values = ",".join(f'"{number}"' for number in range(2000))
    function = "Microsoft.Dynamics.CRM.In(PropertyName='numberofemployees',PropertyValues=[{}])"
    assert status(function.format(values)) == 200
    assert status(function.format(values + ',"x1"')) == 400
    assert sample.where(f"accountid eq {NOBODY}") == []
