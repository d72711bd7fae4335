"""`$filter` means what section 12 of the Web API says."""

from dataclasses import replace

import pytest
import spoken
from small_schema import ACCOUNT, CONTACT, CONTEXT, ID, SCHEMA, TASK, USERS

from strongroom.errors import QueryError
from strongroom.query.ast import Exists, JoinKind, Predicate
from strongroom.query.odata import read_filter
from strongroom.schema.model import Table


def read(text: str, table: Table = ACCOUNT, **aliases: str) -> tuple[Predicate, list[str]]:
    context = replace(CONTEXT, aliases={f"@{name}": value for name, value in aliases.items()})
    predicate, joins = read_filter(SCHEMA, table, text, context)
    return predicate, [spoken.join(join) for join in joins]


def where(text: str, table: Table = ACCOUNT, **aliases: str) -> str:
    return spoken.predicate(read(text, table, **aliases)[0])


def refusal(text: str, table: Table = ACCOUNT, **aliases: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        read(text, table, **aliases)
    return caught.value


# --- grammar -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name eq 'a' or name eq 'b' and name eq 'c'", "(name = 'a' or (name = 'b' and name = 'c'))"),
        ("(name eq 'a' or name eq 'b') and name eq 'c'", "((name = 'a' or name = 'b') and name = 'c')"),
        ("not name eq 'a' and name eq 'b'", "(not name = 'a' and name = 'b')"),
        ("not (name eq 'a' and name eq 'b')", "not (name = 'a' and name = 'b')"),
        ("  name\teq\n'a'  ", "name = 'a'"),
        ("((((name eq 'a'))))", "name = 'a'"),
        ("not not name eq 'a'", "not not name = 'a'"),
    ],
)
def test_operators_bind_as_wa_185_says(text: str, expected: str):
    assert where(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name eq 'O''Brian'", 'name = "O\'Brian"'),
        ("numberofemployees eq -5", "numberofemployees = -5"),
        ("revenue gt 5", "revenue > Decimal('5.0000')"),
        ("revenue ge 1.25", "revenue >= Decimal('1.2500')"),
        ("address1_latitude lt 47.63", "address1_latitude < 47.63"),
        ("creditonhold eq true", "creditonhold = True"),
        ("industrycode ne 1", "industrycode <> 1"),
        ("accountid eq 44444444-4444-4444-4444-444444444444", f"accountid = '{ID}'"),
        ("accountid eq '{44444444-4444-4444-4444-444444444444}'", f"accountid = '{ID}'"),
        ("accountid eq {44444444-4444-4444-4444-444444444444}", f"accountid = '{ID}'"),
        ("_primarycontactid_value eq 44444444-4444-4444-4444-444444444444", f"primarycontactid = '{ID}'"),
        ("createdon ge 2024-01-31", "createdon >= '2024-01-31T00:00:00Z'"),
        ("createdon ge 2024-01-31T10:00:00Z", "createdon >= '2024-01-31T10:00:00Z'"),
        ("createdon ge '2024-01-31T10:00:00Z'", "createdon >= '2024-01-31T10:00:00Z'"),
        ("createdon ge 2024-01-31T10:00:00.1234567Z", "createdon >= '2024-01-31T10:00:00Z'"),
        ("createdon ge 2024-01-31T10:00:00+02:00", "createdon >= '2024-01-31T08:00:00Z'"),
        ("createdon ge 2024-01-31T10:00:00 02:00", "createdon >= '2024-01-31T08:00:00Z'"),
        ("opens ge 2024-01-31T10:00:00+02:00", "opens >= '2024-01-31T10:00:00Z'"),
        ("founded eq 2024-01-31", "founded = '2024-01-31'"),
        ("sports eq '3,1,1'", "sports = '1,3'"),
    ],
)
def test_literals_of_wa_186_become_values_of_the_column(text: str, expected: str):
    assert where(text) == expected


def test_content_and_sets_compare_in_the_ways_that_they_can():
    assert "can only be compared with eq and ne" in refusal("sports gt '1'").message
    assert where("opens lt opens") == "opens < opens"
    assert "incompatible types" in refusal("opens eq founded").message
    assert where("numberofemployees le versionnumber") == "numberofemployees <= versionnumber"
    assert "is not a date-time" in refusal("2024-99-01T10:00:00Z eq 2024-01-01T11:00:00Z").message


def test_null_is_tested_and_never_compared():
    """WA-188."""
    assert where("name eq null") == "name is null"
    assert where("null ne name") == "name is not null"
    assert where("numberofemployees gt null") == "False"
    assert where("contract ne null") == "contract is not null"


def test_a_literal_on_the_left_turns_the_comparison_round():
    assert where("5 lt numberofemployees") == "numberofemployees > 5"
    assert where("5 ge numberofemployees") == "numberofemployees <= 5"


def test_two_columns_compare_when_their_types_are_the_same():
    assert where("firstname eq lastname", CONTACT) == "firstname = lastname"
    assert where("revenue gt creditlimit") == "revenue > creditlimit"


def test_two_values_compare_at_once():
    assert [where(text) for text in ("1 eq 1", "1.5 lt 1", "'A' eq 'a'", "null eq null", "null eq 1")] == [
        "True",
        "False",
        "True",
        "True",
        "False",
    ]
    assert where("2024-01-01T10:00:00Z eq 2024-01-01T11:00:00+01:00") == "True"


@pytest.mark.parametrize(
    ("text", "left", "right", "kind"),
    [
        ("name eq 5", "Edm.String", "Edm.Int32", "Equal"),
        ("5 lt name", "Edm.Int32", "Edm.String", "LessThan"),
        ("numberofemployees ne 'x'", "Edm.Int32", "Edm.String", "NotEqual"),
        ("creditonhold eq 1", "Edm.Boolean", "Edm.Int32", "Equal"),
        ("createdon ge 5", "Edm.DateTimeOffset", "Edm.Int32", "GreaterThanOrEqual"),
        ("accountid eq 3000000000", "Edm.Guid", "Edm.Int64", "Equal"),
        ("name eq revenue", "Edm.String", "Edm.Decimal", "Equal"),
        ("rating gt revenue", "Edm.Decimal", "Edm.Decimal", "GreaterThan"),
        ("'a' le 5", "Edm.String", "Edm.Int32", "LessThanOrEqual"),
        ("name eq Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned'", "Edm.String", "Edm.Enum", "Equal"),
    ],
)
def test_incompatible_types_are_named_as_wa_187_asks(text: str, left: str, right: str, kind: str):
    assert refusal(text).message == (
        "A binary operator with incompatible types was detected. "
        f"Found operand types '{left}' and '{right}' for operator kind '{kind}'."
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("numberofemployees gt 5.5", "numberofemployees > 5"),
        ("numberofemployees ge 5.5", "numberofemployees > 5"),
        ("numberofemployees lt -5.5", "numberofemployees <= -6"),
        ("numberofemployees eq 5.5", "(numberofemployees > 5 and numberofemployees <= 5)"),
        ("numberofemployees ne 5.5", "(numberofemployees > 5 or numberofemployees <= 5)"),
        ("numberofemployees eq 5.0", "numberofemployees = 5"),
        ("revenue lt 1.00005", "revenue <= Decimal('1.0000')"),
        ("revenue eq 1e3", "revenue = Decimal('1000.0000')"),
        ("numberofemployees in (5.5, 6)", "numberofemployees in (6)"),
        (
            "numberofemployees in (5.5)",
            "(numberofemployees = numberofemployees and numberofemployees <> numberofemployees)",
        ),
    ],
)
def test_numbers_finer_than_the_column_keep_their_meaning(text: str, expected: str):
    assert where(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "numberofemployees eq 99999999999999999999",
        "versionnumber gt 1e30",
        "versionnumber gt 1e99999999",
        "revenue lt 999999999999999999",
        "rating gt 1e400",
        "numberofemployees gt 1e99999999999999999999999",
        "numberofemployees gt 1e-00000000000000000000005",
        "numberofemployees gt 1.5e30",
        "address1_latitude lt 1e999",
        "createdon gt 1752-12-31T00:00:00Z",
        "createdon gt 2024-02-30",
        "createdon gt '2024-01-01T99:00:00Z'",
        "accountid eq 'not-a-guid'",
        "sports eq 'a,b'",
        "name eq 'a\x00b'",
    ],
)
def test_values_that_no_column_holds_are_refused_with_their_position(text: str):
    error = refusal(text)

    assert error.details["position"] == text.rindex(text.split(" ")[-1])
    assert "column" in error.message


# --- names -------------------------------------------------------------------------------------------------------


def test_an_unknown_name_is_answered_with_the_nearest_one():
    error = refusal("name eq 'x' and nmae eq 'y'")

    assert error.message.startswith("Could not find a property named 'nmae' on type 'Microsoft.Dynamics.CRM.account'.")
    assert error.message.endswith("Did you mean 'name'?")
    assert error.code == "0x80060888"
    assert error.details == {"position": 16}


@pytest.mark.parametrize("text", ["Name eq 'x'", "secretnote eq 'x'", "primarycontactname eq 'x'", "t/name eq 'x'"])
def test_names_are_case_sensitive_and_unreadable_columns_do_not_exist(text: str):
    assert "Could not find a property named" in refusal(text).message


def test_the_name_of_a_lookup_column_is_answered_with_its_wire_name():
    message = refusal("parentcustomerid eq 44444444-4444-4444-4444-444444444444", CONTACT).message

    assert "'_parentcustomerid_value'" in message


@pytest.mark.parametrize("text", ["contract eq 'x'", "entityimage eq 'x'", "entityimage eq null"])
def test_content_cannot_be_filtered(text: str):
    """WA-96, WA-97."""
    assert "filtered" in refusal(text).message or "null" in refusal(text).message


# --- paths -------------------------------------------------------------------------------------------------------


def test_paths_through_lookups_share_their_joins():
    """WA-192: outer joins, one for each step, whatever the number of paths."""
    found, joins = read("primarycontactid/fullname eq 'a' and primarycontactid/owninguser/fullname eq 'b'")

    assert spoken.predicate(found) == "(j1.fullname = 'a' and j2.fullname = 'b')"
    assert joins == [
        "outer contact j1 (contactid=.primarycontactid)",
        "outer systemuser j2 (systemuserid=j1.owninguser)",
    ]


def test_paths_reach_any_depth():
    path = "parentaccountid/" * 20 + "name eq 'x'"

    assert len(read(path)[1]) == 20


def test_paths_to_too_many_tables_are_refused():
    assert "more than 60 related tables" in refusal("parentaccountid/" * 61 + "name eq 'x'").message


def test_the_id_of_a_related_row_is_the_lookup_itself():
    found, joins = read("primarycontactid/contactid eq 44444444-4444-4444-4444-444444444444")

    assert (spoken.predicate(found), joins) == (f"primarycontactid = '{ID}'", [])


def test_the_id_behind_a_lookup_to_several_tables_needs_the_row():
    found, joins = read("parentcustomerid_account/accountid eq 44444444-4444-4444-4444-444444444444", CONTACT)

    assert spoken.predicate(found) == f"j1.accountid = '{ID}'"
    assert joins == ["outer account j1 (accountid=.parentcustomerid)"]


def test_a_navigation_property_can_be_null():
    assert where("primarycontactid eq null") == "primarycontactid is null"
    assert where("ownerid ne null") == "ownerid is not null"
    assert read("parentcustomerid_account eq null", CONTACT)[1] == ["outer account j1 (accountid=.parentcustomerid)"]
    assert "can only be compared with null" in refusal(f"primarycontactid eq {ID}").message


def test_owner_paths_lead_to_the_user_or_the_team():
    assert read("ownerid/fullname eq 'x'")[1] == ["outer systemuser j1 (systemuserid=.owninguser)"]
    assert read("ownerid/name eq 'x'")[1] == ["outer team j1 (teamid=.owningteam)"]
    assert read("ownerid/fullname eq 'x' and owninguser/fullname eq 'y'")[1] == [
        "outer systemuser j1 (systemuserid=.owninguser)"
    ]
    assert where(f"ownerid/ownerid eq {ID}") == f"ownerid = '{ID}'"
    assert where(f"_ownerid_value eq {ID}") == f"ownerid = '{ID}'"
    assert where(f"owninguser/ownerid eq {ID}") == f"owninguser = '{ID}'"
    assert "'Microsoft.Dynamics.CRM.principal'" in refusal("ownerid/subject eq 'x'").message


def test_a_row_of_a_table_without_owner_has_no_owner_path():
    assert "CRM.systemuser' is a column, so no path leads on" in refusal("ownerid/x eq 1", USERS).message


def test_activities_have_the_navigation_properties_of_their_base():
    """WA-62."""
    expected = ["outer systemuser j1 (systemuserid=.owninguser)"]

    assert read("owninguser/fullname eq 'x'", TASK)[1] == expected
    assert read("owninguser_task/fullname eq 'x'", TASK)[1] == expected
    assert read("ownerid/fullname eq 'x'", TASK)[1] == expected


def test_relationships_to_tables_that_are_not_there_do_not_exist():
    for text in ("sr_Gone/name eq 'x'", "sr_gone_accounts/any()", "sr_gone_nn/any()"):
        assert "Could not find a property named" in refusal(text).message


def test_users_have_a_second_name_for_their_id():
    assert where(f"ownerid eq {ID}", USERS) == f"systemuserid = '{ID}'"


def test_custom_navigation_properties_keep_their_case():
    assert read("sr_KeyPerson/fullname eq 'x'")[1] == ["outer contact j1 (contactid=.sr_keyperson)"]
    assert "sr_KeyPerson" in refusal("sr_Keyperson/fullname eq 'x'").message


def test_a_path_through_a_column_or_a_collection_is_refused():
    assert "is a column" in refusal("name/x eq 'y'").message
    assert "Account_Tasks/any" in refusal("Account_Tasks/subject eq 'y'").message
    assert "Account_Tasks/any" in refusal("Account_Tasks").message


# --- functions ---------------------------------------------------------------------------------------------------


def test_the_three_text_functions():
    """WA-190."""
    assert where("contains(name,'a%b')") == "name contains 'a%b'"
    assert where("startswith(primarycontactid/fullname, 'O''B')") == 'j1.fullname startswith "O\'B"'
    assert where("not endswith(description,@p)", p="'x'") == "not description endswith 'x'"
    assert where("contains(name,'a') eq true") == "name contains 'a'"
    assert where("false eq contains(name,'a')") == "not name contains 'a'"
    assert where("contains(name,null)") == "False"


@pytest.mark.parametrize(
    "text", ["contains(revenue,'x')", "contains('x',name)", "contains(name,5)", "contains(name,name)"]
)
def test_text_functions_take_a_text_column_and_a_text(text: str):
    assert "No function signature for the function with name 'contains'" in refusal(text).message


def test_text_functions_need_both_parameters():
    assert "contains(name,'x')" in refusal("contains(name)").message
    assert "contains(name,'x')" in refusal("contains()").message


@pytest.mark.parametrize(
    "text",
    [
        "tolower(name) eq 'x'",
        "length(name) gt 5",
        "year(createdon) eq 2024",
        "cast(name,'Edm.String') eq 'x'",
        "now() gt 1",
        "contains(tolower(name),'x')",
    ],
)
def test_functions_that_dataverse_lacks_are_named(text: str):
    """WA-191."""
    name = text.removeprefix("contains(").split("(")[0]

    assert f"The '{name}' function is not supported" in refusal(text).message


@pytest.mark.parametrize("operator", ["add", "sub", "mul", "div", "mod", "has"])
def test_arithmetic_is_named(operator: str):
    error = refusal(f"revenue {operator} 5 gt 10")

    assert f"The '{operator}' function is not supported" in error.message
    assert error.details == {"position": 8}


def test_unknown_functions_are_named():
    assert refusal("containz(name,'x')").message == (
        "An unknown function with name 'containz' was found. Did you mean 'contains'?"
    )
    assert "Did you mean 'Microsoft.Dynamics.CRM.Today'?" in refusal("Today(PropertyName='createdon')").message


# --- in, booleans, aliases ---------------------------------------------------------------------------------------


def test_in_takes_a_list():
    assert where("name in ('a','b')") == "name in ('a', 'b')"
    assert where("numberofemployees in (1,2,1)") == "numberofemployees in (1, 2)"
    assert where("name in @p", p='["a","O\'B"]') == "name in ('a', \"O'B\")"
    assert "null is not a value of a list" in refusal("name in ('a',null)").message
    assert "at least one value" in refusal("name in ()").message
    assert "Found operand types 'Edm.String' and 'Edm.Int32'" in refusal("name in ('a',1)").message


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("contains(name,'a') in ('b')", "The left side of 'in' must be a column"),
        ("'a' in ('b')", "The left side of 'in' must be a column"),
        ("name in @p", "The right side of 'in' must be a list"),
        ("name eq ['a']", "A list can only stand behind 'in'"),
        ("['a'] eq ['b']", "A list can only stand behind 'in'"),
        ("contains(name,'a') eq 5", "A condition can only be compared with true or false"),
        ("(name eq 'a') gt true", "A condition can only be compared with true or false"),
        ("(name eq 'a') eq (name eq 'b')", "A condition can only be compared with true or false"),
        ("contains(name,'a\ud800')", "without the character NUL"),
    ],
)
def test_lists_and_conditions_stand_where_they_can(text: str, part: str):
    assert part in refusal(text, p="'a'").message


def test_a_boolean_column_is_a_condition():
    assert where("creditonhold and not creditonhold") == "(creditonhold = True and not creditonhold = True)"
    assert where("true") == "True"
    assert "is a value, not a condition" in refusal("name").message
    assert "is a value, not a condition" in refusal("5").message


def test_aliases_stand_for_values_and_columns():
    """WA-176."""
    assert where("@p1 ne @p2", p1="revenue", p2="null") == "revenue is not null"
    assert where("name eq @p", p="'x'") == "name = 'x'"
    assert where("name eq @missing") == "name is null"
    assert "stands for another alias" in refusal("name eq @p", p="@q").message
    assert "Syntax error" in refusal("name eq @p", p="'x").message


# --- lambdas -----------------------------------------------------------------------------------------------------


def test_any_asks_for_a_related_row():
    """WA-193."""
    assert where("Account_Tasks/any()") == "some task e1 (regardingobjectid=.accountid)"
    assert where("Account_Tasks/any(t:t/statecode eq 0 and contains(t/subject,'x'))") == (
        "some task e1 (regardingobjectid=.accountid): (e1.statecode = 0 and e1.subject contains 'x')"
    )


def test_all_counts_unknown_as_failing():
    assert where("Account_Tasks/all(t:t/percentcomplete gt 50)") == (
        "no task e1 (regardingobjectid=.accountid): (e1.percentcomplete <= 50 or e1.percentcomplete is null)"
    )
    assert where("Account_Tasks/all(t:not (t/subject eq 'x' or t/statecode eq null))") == (
        "no task e1 (regardingobjectid=.accountid): ((e1.subject = 'x' or e1.subject is null) or e1.statecode is null)"
    )
    assert where("Account_Tasks/all(t:not (not (t/subject eq 'x' and t/statecode eq null)))") == (
        "no task e1 (regardingobjectid=.accountid): "
        "((e1.subject <> 'x' or e1.subject is null) or e1.statecode is not null)"
    )
    assert where("Account_Tasks/all(t:not (t/subject in ('x') and t/subject ne null))") == (
        "no task e1 (regardingobjectid=.accountid): "
        "((e1.subject in ('x') or e1.subject is null) and e1.subject is not null)"
    )
    assert where("Account_Tasks/all(t:t/subject in ('a') and startswith(t/subject,'b'))") == (
        "no task e1 (regardingobjectid=.accountid): "
        "((e1.subject not in ('a') or e1.subject is null) or (e1.subject not startswith 'b' or e1.subject is null))"
    )


def test_lambdas_nest_and_reach_out():
    assert where("contact_customer_accounts/any(c:c/account_primary_contact/any(a:a/name eq c/fullname))") == (
        "some contact e1 (parentcustomerid=.accountid): "
        "some account e2 (primarycontactid=e1.contactid): e2.name = e1.fullname"
    )
    assert where("Account_Tasks/any(t:t/subject eq name and $it/accountnumber eq 'x')") == (
        "some task e1 (regardingobjectid=.accountid): (e1.subject = name and accountnumber = 'x')"
    )


def test_paths_inside_a_lambda_join_inside_it():
    found, joins = read("Account_Tasks/any(t:t/owninguser/fullname eq 'x' and primarycontactid/fullname eq 'y')")

    assert isinstance(found, Exists)
    assert [spoken.join(join) for join in found.joins] == ["outer systemuser j2 (systemuserid=e1.owninguser)"]
    assert joins == ["outer contact j3 (contactid=.primarycontactid)"]
    assert found.joins[0].kind is JoinKind.OUTER


def test_lambdas_over_many_to_many_go_through_the_intersect():
    found = read("teammembership_association/any(t:t/name eq 'x')", USERS)[0]

    assert isinstance(found, Exists)
    assert (found.link.outer_column, found.link.inner_column) == ("systemuserid", "teamid")
    assert found.link.intersect is SCHEMA.many_to_many["teammembership_association"]


def test_the_two_ends_of_a_many_to_many_within_one_table_differ():
    ends = [read(f"{nav}/any()")[0] for nav in ("sr_partner_of", "sr_partners")]

    assert [(e.link.outer_column, e.link.inner_column) for e in ends if isinstance(e, Exists)] == [
        ("accountidone", "accountidtwo"),
        ("accountidtwo", "accountidone"),
    ]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("primarycontactid/contact_customer_accounts/any(x:true)", "cannot follow the path"),
        ("primarycontactid/any(x:true)", "is not a collection"),
        ("name/any(x:true)", "is not a collection"),
        ("Tasks/any(x:true)", "Could not find a property named 'Tasks'"),
        ("Account_Tasks/all()", "The variable of the lambda"),
        ("Account_Tasks/any(t:t)", "is a row, not a value"),
        ("Account_Tasks/any(t t/subject eq 'x')", "':' is expected"),
        ("Account_Tasks/any(t:Account_Tasks/any(t:t/subject eq 'x'))", "is taken by a lambda around"),
    ],
)
def test_lambdas_that_mean_nothing_are_refused(text: str, part: str):
    assert part in refusal(text).message


# --- errors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "position", "part"),
    [
        ("name eq 'x", 8, "unterminated string literal"),
        ("name eq ", 8, "a value or a function is expected here, not the end"),
        ("(name eq 'x'", 12, "closing parenthesis is expected here, not the end"),
        ("name eq 'x')", 11, "closing parenthesis without an opening one"),
        ("name equals 'x'", 5, "An operator"),
        ("name eq 'x' AND name eq 'y'", 12, "Did you mean 'and'?"),
        ("name = 'x'", 5, "An operator"),
        ("name eq 5x", 8, "'5x' is neither a name nor a value"),
        ("name eq 'x' 'y'", 12, "An operator"),
        ("and name eq 'x'", 4, "An operator"),
        ("name eq #", 8, "'#' is neither"),
        ('name eq "a\\q"', 8, "not valid JSON"),
        ("contains(name 'x')", 14, "',' or ')' is expected"),
        ("Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=[name])", 62, "A list holds values only"),
    ],
)
def test_syntax_errors_say_where(text: str, position: int, part: str):
    """WA-195, WA-56."""
    error = refusal(text)

    assert error.message.startswith(f"Syntax error at position {position} in '")
    assert part in error.message
    assert error.details == {"position": position}


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_filter_is_refused(text: str):
    assert "The $filter is empty" in refusal(text).message


# --- limits ------------------------------------------------------------------------------------------------------


def test_500_conditions_are_allowed_and_501_are_not():
    """WA-196."""
    text = " or ".join(["name eq 'x'"] * 500)

    assert where(text).count("name = 'x'") == 500
    assert "more than 500 conditions" in refusal(f"{text} or name eq 'y'").message


def test_nesting_is_limited_to_100_levels():
    """WA-196."""
    assert where("(" * 100 + "name eq 'x'" + ")" * 100) == "name = 'x'"
    assert "nested more than 100 levels" in refusal("(" * 101 + "name eq 'x'" + ")" * 101).message
    assert "nested more than 100 levels" in refusal("(" * 10_000).message
    assert "nested more than 100 levels" in refusal("contains(" * 5_000).message


def test_a_chain_of_nots_is_no_nesting():
    assert where("not " * 5001 + "name eq 'x'") == "not name = 'x'"


def test_lambdas_nest_ten_levels_deep():
    def nested(levels: int) -> str:
        text = "true"
        for level in reversed(range(levels)):
            owner = f"v{level - 1}/" if level else ""
            text = f"{owner}account_parent_account/any(v{level}:{text})"
        return text

    assert where(nested(10)).count("some account") == 10
    assert "Lambdas are nested more than 10 levels" in refusal(nested(11)).message
    assert refusal(nested(2000)).code == "0x80060888"


def test_a_query_has_at_most_100_lambdas():
    assert where(" and ".join(["Account_Tasks/any()"] * 100)).count("some task") == 100
    assert "more than 100 lambdas" in refusal(" and ".join(["Account_Tasks/any()"] * 101)).message


def test_a_list_has_at_most_2000_values():
    """WA-196."""
    values = ",".join(f"'{number}'" for number in range(2000))

    assert where(f"name in ({values})").count("'") == 4000
    assert "2000 values" in refusal(f"name in ({values},'x')").message


def test_activities_are_found_by_their_own_id():
    assert where(f"activityid eq {ID} and activitytypecode eq 'task'", TASK) == (
        f"(activityid = '{ID}' and activitytypecode = 'task')"
    )
