"""Keys and references (WA-75 to WA-79, WA-114, WA-160)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_schema import ACCOUNT, ID, SCHEMA, USERS

from strongroom.errors import QueryError
from strongroom.query.odata import parse_reference, read_key
from strongroom.schema.model import Table


def read(text: str, table: Table = ACCOUNT) -> object:
    return read_key(SCHEMA, table, text)


def refusal(text: str, table: Table = ACCOUNT) -> str:
    with pytest.raises(QueryError) as caught:
        read(text, table)
    return caught.value.message


@pytest.mark.parametrize(
    "text",
    [ID, ID.upper(), f"'{ID}'", f"{{{ID}}}", ID.replace("-", ""), f" {ID} ", f"accountid={ID}", f"accountid='{ID}'"],
)
def test_an_id_has_many_forms(text: str):
    """WA-75."""
    assert read(text) == ID


def test_an_alternate_key_names_its_columns():
    """WA-75, WA-77."""
    assert read("accountnumber='O''Brian & co'") == {"accountnumber": "O'Brian & co"}
    assert read(f"industrycode=1,_primarycontactid_value={ID}") == {"primarycontactid": ID, "industrycode": 1}


def test_a_program_may_quote_with_double_quotes():
    assert read('accountnumber="O\'Brian"') == {"accountnumber": "O'Brian"}


@pytest.mark.parametrize(
    "text",
    [
        "name='x'",
        "accountnumber='x',name='y'",
        "industrycode=1",
        f"primarycontactid={ID},industrycode=1",
        "description='x'",
    ],
)
def test_keys_that_are_not_declared_are_refused(text: str):
    """WA-78."""
    message = refusal(text)

    assert message.startswith(
        "The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.account'. Ensure that the names "
        "and number of key properties match the declared or alternate key properties for the resource"
    )
    assert message.endswith("The alternate keys are (accountnumber), (_primarycontactid_value,industrycode).")


def test_users_are_addressed_by_their_id_alone():
    """WA-76."""
    assert read(ID, USERS) == ID
    assert read(f"ownerid={ID}", USERS) == ID
    assert "is not valid for resource 'Microsoft.Dynamics.CRM.systemuser'" in refusal(f"systemuserid={ID}", USERS)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "The key of 'accounts' is empty"),
        ("  ", "The key of 'accounts' is empty"),
        ("123", "'123' is not a GUID"),
        ("'abc'", "is not a GUID"),
        ("abc", "is not a GUID"),
        (ID[:-1], "neither a name nor a value"),
        ("accountid=5", "is of type 'Edm.Guid', not 'Edm.Int32'"),
        ("accountid='x'", "it takes a GUID"),
        ("accountnumber=null", "needs a value"),
        ("accountnumber=5", "is of type 'Edm.String', not 'Edm.Int32'"),
        ("accountnumber='a',accountnumber='b'", "occurs twice"),
        ("accountnumber='a", "unterminated string literal"),
        ("accountnumber='a' x", "An operator"),
        ("accountnumber=", "a value or a function is expected"),
        (f"{ID},{ID}", "An operator"),
    ],
)
def test_wrong_keys_say_what_is_wrong(text: str, part: str):
    """WA-79."""
    assert part in refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        f"/contacts({ID})",
        f"contacts({ID})",
        f"contacts({ID})/",
        f"http://127.0.0.1:8000/api/data/v9.2/contacts({ID})",
        f"https://org.example.com/api/data/v9.0/contacts({ID})",
        f"https:/org.example.com/api/data/v9.2/contacts({ID})",
        f"/api/data/v9.2/contacts({ID})",
        f"https://host/e/sales/api/data/v9.2/contacts({ID})",
        f"https%3A%2F%2Fhost%2Fapi%2Fdata%2Fv9.2%2Fcontacts%28{ID}%29",
        f" contacts({ID}) ",
    ],
)
def test_references_have_many_forms(text: str):
    """WA-114, WA-160, WA-163."""
    assert parse_reference(text) == ("contacts", ID)


def test_a_reference_may_use_an_alternate_key():
    assert parse_reference("/accounts(accountnumber='a(b)''%20c')") == ("accounts", "accountnumber='a(b)'' c'")


@pytest.mark.parametrize(
    "text",
    ["", "contacts", f"https://host/contacts({ID})", "https://host/api/data/v9.2/", f"a/b({ID})", f"({ID})", "x(y)z"],
)
def test_other_texts_are_no_references(text: str):
    with pytest.raises(QueryError) as caught:
        parse_reference(text)

    assert "/contacts(<guid>)" in caught.value.message or "not a URL of the Web API" in caught.value.message


@given(st.text(max_size=40))
def test_any_text_is_a_key_or_is_refused(text: str):
    try:
        found = read(text)
    except QueryError as error:
        assert error.message
    else:
        assert isinstance(found, str | dict)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20))
def test_a_text_key_keeps_its_value(value: str):
    escaped = value.replace("'", "''")

    assert read(f"accountnumber='{escaped}'") == {"accountnumber": value}
