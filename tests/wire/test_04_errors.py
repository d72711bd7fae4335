"""Section 4: errors (WA-50 to WA-59)."""

import pytest
from tests.wire.client import EMPTY, NOBODY, Api, Person, unique

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("$filter=name eq 'x", "Syntax error at position 8 in 'name eq 'x'"),
        ("$filter=(name eq 'x'", "at position 12"),
        ("$filter=name eq", "at position 7"),
        ("$filter=foo(name)", "An unknown function with name 'foo' was found"),
        ("$filter=nope eq 1", "Could not find a property named 'nope' on type 'Microsoft.Dynamics.CRM.account'."),
        ("$filter=name eq 'a' and nope eq 1", "at position 16"),
        ("$select=name,nope", "at position 5"),
        ("$orderby=nope", "Could not find a property named 'nope' on type 'Microsoft.Dynamics.CRM.account'."),
        ("$filter=name eq 5", "A binary operator with incompatible types was detected."),
        ("$filter=", "$filter"),
    ],
)
def test_bad_queries_are_0x80060888_with_the_position(api: Api, query: str, says: str) -> None:
    """WA-56, WA-195: whether the syntax or a name is wrong."""
    api.refused("GET", f"accounts?{query}", status=400, code="0x80060888", says=says)


@pytest.mark.parametrize(
    ("content", "inner"),
    [
        (b'{"nope":1}', "An undeclared property 'nope'"),
        (b'{"name":5}', "Cannot convert a number to the value of 'name'"),
        (b'{"name":', "not valid JSON"),
        (b"[]", "a JSON object, not an array"),
        (b"null", "a JSON object, not null"),
        (b"5", "a JSON object, not a number"),
        (b'"x"', "a JSON object, not a string"),
        (b'{"name":"a","name":"b"}', "'name' occurs twice"),
        (b"", "empty"),
        (b'{"industrycode":"many"}', "Cannot convert a string 'many'"),
        (b'{"primarycontactid@odata.bind":"/accounts(%s)"}' % NOBODY.encode(), "takes a row of 'contacts'"),
    ],
)
def test_bad_bodies_are_0x80048d19_with_the_inner_reason(api: Api, content: bytes, inner: str) -> None:
    """WA-56, WA-108, WA-109, WA-113: on create and on update."""
    row = api.new("accounts", {"name": unique()})
    for method, path in (("POST", "accounts"), ("PATCH", f"accounts({row})")):
        answer = api.refused(method, path, content=content, status=400, code="0x80048d19", says=inner, headers=JSON)
        opening = "Error identified in Payload provided by the user for Entity :'accounts'"
        assert answer.json()["error"]["message"].startswith(opening)


def test_values_that_do_not_fit_have_their_published_words(api: Api, boxes: str) -> None:
    """WA-56: length, range and decimals."""
    says = (
        "A validation error occurred.  The length of the 'subject' attribute of the 'task' entity exceeded the maximum "
        "allowed length of '200'."
    )
    api.refused("POST", "tasks", {"subject": "x" * 201}, status=400, code="0x80044331", says=says)
    outside = "outside the valid range"
    api.refused("POST", "accounts", {"numberofemployees": -1}, status=400, code="0x80044331", says=outside)
    api.refused("POST", "accounts", {"industrycode": 999}, status=400, code="0x80044331", says=outside)
    says = "A decimal value provided is outside of the allowed values for this attribute"
    api.refused("POST", boxes, {"wire_dec": 101}, status=400, code="0x80044330", says=says)


def test_what_is_there_already_is_412(api: Api, boxes: str) -> None:
    """WA-56: an id, an alternate key."""
    code = unique("code")
    row = api.new(boxes, {"wire_code": code})
    api.refused("POST", boxes, {"wire_boxid": row}, status=412, code="0x80040237", says="Cannot insert duplicate key")
    answer = api.refused("POST", boxes, {"wire_code": code.upper()}, status=412, code="0x80060892", says="Entity Key ")
    message = answer.json()["error"]["message"]
    for part in (
        " violated. A record with the same value for ",
        " already exists. A duplicate record cannot be created. Select one or more unique values and try again.",
    ):
        assert part in message


def test_missing_rows_are_404_by_id_and_by_key(api: Api, boxes: str) -> None:
    """WA-56, WA-128."""
    says = f"account With Id = {NOBODY} Does Not Exist"
    api.refused("GET", f"accounts({NOBODY})", status=404, code="0x80040217", says=says)
    says = "A record with the specified key values does not exist in wire_box entity"
    api.refused("GET", f"{boxes}(wire_code='nobody')", status=404, code="0x80060891", says=says)


def test_details_come_when_they_are_asked_for(api: Api) -> None:
    """WA-51: by `*` and by the prefix of their names."""
    for wanted in ("*", "Microsoft.PowerApps.CDS.*"):
        headers = {"Prefer": f'odata.include-annotations="{wanted}"'}
        error = api.refused("GET", f"accounts({NOBODY})", status=404, headers=headers).json()["error"]
        assert error["@Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode"] == "0x80040217"
        assert error["@Microsoft.PowerApps.CDS.InnerError.Message"] == error["message"]
    assert len(api.refused("GET", f"accounts({NOBODY})", status=404).json()["error"]) == 2


def test_an_error_changes_nothing(api: Api) -> None:
    """WA-53: a deep insert of which the last row fails leaves no row and no audit entry."""
    name = unique("half")
    body = {"name": name, "Account_Tasks": [{"subject": name}, {"subject": "x" * 201}]}
    before = api.get("audits?$count=true&$top=1&$select=auditid")["@odata.count"]

    api.refused("POST", "accounts", body, status=400)

    assert api.rows(f"accounts?$filter=name eq '{name}'") == []
    assert api.rows(f"tasks?$filter=subject eq '{name}'") == []
    assert api.get("audits?$count=true&$top=1&$select=auditid")["@odata.count"] == before


def test_refusals_of_the_security_model_name_what_is_missing(api: Api, reader: Person) -> None:
    """WA-54, WA-56: no privilege, no access to a row that exists, no such row."""
    row = api.new("accounts", {"name": unique()})
    answer = api.refused("GET", "tasks", status=403, code="0x80040220", headers=reader.acting)
    message = answer.json()["error"]["message"]
    assert message.startswith(f"Principal user (Id={reader.id}, type=8")
    assert "is missing prvReadActivity privilege (Id=" in message
    answer = api.refused("GET", f"accounts({row})", status=403, code="0x80048306", headers=reader.acting)
    message = answer.json()["error"]["message"]
    assert f"does not have ReadAccess right(s) for record with id {row} of entity account" in message
    api.refused("GET", f"accounts({NOBODY})", status=404, code="0x80040217", headers=reader.acting)


def test_the_first_failing_step_decides(api: Api, reader: Person) -> None:
    """WA-55: resource, method, type, body, privilege, existence, access, precondition."""
    row = api.new("accounts", {"name": unique()})
    acting = reader.acting
    api.refused("PUT", "nonsense", {}, status=404, headers={"Content-Type": "text/plain"})
    api.refused("PUT", "accounts", {}, status=405, headers={"Content-Type": "text/plain"})
    text = {**acting, "Content-Type": "text/plain"}
    api.refused("PATCH", f"accounts({NOBODY})", content=b"x", status=415, headers=text)
    api.refused("PATCH", f"accounts({NOBODY})", content=b"{", status=400, headers={**acting, **JSON})
    match = {**acting, "If-Match": 'W/"1"'}
    api.refused("PATCH", f"accounts({NOBODY})", {"name": "x"}, status=403, code="0x80040220", headers=match)
    api.refused("PATCH", f"accounts({row})", {"name": "x"}, status=403, code="0x80040220", headers=match)
    match = {"If-Match": 'W/"1"'}
    api.refused("PATCH", f"accounts({NOBODY})", {"name": "x"}, status=404, headers=match)
    api.refused("PATCH", f"accounts({row})", {"name": "x"}, status=412, code="0x80060882", headers=match)


def test_documented_operations_that_are_not_offered_are_501_by_name(api: Api) -> None:
    """WA-59."""
    for method, name in (("POST", "QualifyLead"), ("POST", "SendEmail"), ("GET", "RetrieveUserQueues")):
        body = EMPTY if method == "POST" else None
        api.refused(method, name, body, status=501, code="0x80060802", says=f"'{name}'")
    api.refused("POST", "NoSuchOperation", {}, status=404, code="0x8006088a")
