"""Whatever is wrong with a request, its answer is a 4xx that says what is wrong and what would be right, and nothing
is changed. One test for each kind of bad input, over a real socket, on both engines (WA-50 to WA-57)."""

import pytest
from tests.webapi.conftest import Wire

QUERY = "0x80060888"
PAYLOAD = "0x80048d19"
NOBODY = "00000000-0000-0000-0000-000000000001"


# --- names that are not there --------------------------------------------------------------------------------------


def test_unknown_table_is_404_and_the_nearest_name_is_told(wire: Wire) -> None:
    says = ("Resource not found for the segment 'acounts'.", "'accounts'")
    wire.refused("GET", "acounts", status=404, code="0x8006088a", says=says)


def test_names_of_tables_are_case_sensitive(wire: Wire) -> None:
    """WA-3."""
    says = ("Resource not found for the segment 'Accounts'.",)
    wire.refused("GET", "Accounts", status=404, code="0x8006088a", says=says)


@pytest.mark.parametrize(
    "option", ["$select=nme", "$filter=nme eq 'x'", "$orderby=nme", "$expand=nme", "$apply=groupby((nme))"]
)
def test_unknown_column_in_a_query_is_400_and_names_column_and_table(wire: Wire, option: str) -> None:
    says = ("Could not find a property named 'nme' on type 'Microsoft.Dynamics.CRM.account'.",)
    wire.refused("GET", f"accounts?{option}", status=400, code=QUERY, says=says)


def test_unknown_column_in_a_body_is_400_and_names_it(wire: Wire) -> None:
    """WA-109."""
    says = ("Error identified in Payload provided by the user for Entity :'accounts'", "An undeclared property 'nme'")
    wire.refused("POST", "accounts", {"nme": "x"}, status=400, code=PAYLOAD, says=says)


def test_column_in_the_wrong_case_is_400_and_the_right_case_is_told(wire: Wire) -> None:
    """WA-110, WA-121."""
    wire.refused("POST", "accounts", {"Name": "x"}, status=400, code=PAYLOAD, says=("'Name'", "'name'"))
    body = {"PrimaryContactId@odata.bind": f"/contacts({wire.contact})"}
    wire.refused(
        "POST", "accounts", body, status=400, code=PAYLOAD, says=("'PrimaryContactId'", "'primarycontactid@odata.bind'")
    )


@pytest.mark.parametrize("option", ["$skip=5", "$search=x", "$format=json", "$Select=name", "$levels=2"])
def test_unknown_option_is_400_and_named(wire: Wire, option: str) -> None:
    """WA-171, WA-172."""
    wire.refused("GET", f"accounts?{option}", status=400, code=QUERY, says=(option.split("=")[0],))


def test_option_given_twice_is_400(wire: Wire) -> None:
    wire.refused("GET", "accounts?$top=1&$top=2", status=400, code=QUERY, says=("$top", "more than once"))


@pytest.mark.parametrize("name", ["tolower", "length", "year", "substring"])
def test_function_that_filters_do_not_know_is_400(wire: Wire, name: str) -> None:
    """WA-191."""
    wire.refused("GET", f"accounts?$filter={name}(name) eq 'x'", status=400, code=QUERY, says=(name, "function"))


def test_unknown_named_condition_is_400(wire: Wire) -> None:
    """WA-207."""
    path = "accounts?$filter=Microsoft.Dynamics.CRM.Lasst7Days(PropertyName='createdon')"
    says = ("An unknown function with name 'Microsoft.Dynamics.CRM.Lasst7Days' was found",)
    wire.refused("GET", path, status=400, code=QUERY, says=says)


def test_unknown_operation_is_404_and_the_nearest_is_told(wire: Wire) -> None:
    says = ("Resource not found for the segment 'WhoAmi'.", "WhoAmI")
    wire.refused("GET", "WhoAmi()", status=404, code="0x8006088a", says=says)


def test_documented_operation_that_is_not_offered_is_501_by_name(wire: Wire) -> None:
    """WA-59."""
    wire.refused("POST", "SendEmail", {}, status=501, code="0x80060802", says=("SendEmail", "does not offer"))


def test_function_called_with_post_and_action_with_get_is_404(wire: Wire) -> None:
    """WA-10."""
    says = ("No HTTP resource was found that matches the request URI",)
    wire.refused("POST", "WhoAmI", {}, status=404, code="", says=says)
    wire.refused("GET", "GrantAccess", status=404, code="", says=says)


def test_unknown_and_missing_parameters_of_an_operation_are_named(wire: Wire) -> None:
    wire.refused("GET", "WhoAmI(Loud=true)", status=400, code="0x80040203", says=("'WhoAmI'", "'Loud'"))
    wire.refused("POST", "GrantAccess", {}, status=400, code="0x80040203", says=("'GrantAccess'", "'Target'"))


# --- queries -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "position"),
    [("name eq", 7), ("name eqq 'x'", 5), ("(name eq 'x'", 12), ("name eq 'x' or", 14), ("name eq 'x", 8)],
)
def test_malformed_filter_is_400_with_the_position(wire: Wire, text: str, position: int) -> None:
    """WA-195."""
    says = (f"Syntax error at position {position} in '{text}'",)
    wire.refused("GET", f"accounts?$filter={text}", status=400, code=QUERY, says=says)


def test_empty_filter_is_400(wire: Wire) -> None:
    """WA-195."""
    wire.refused("GET", "accounts?$filter=", status=400, code=QUERY, says=("The $filter is empty", "name eq 'x'"))


def test_filter_with_operands_of_different_types_is_400(wire: Wire) -> None:
    """WA-187."""
    says = (
        "A binary operator with incompatible types was detected.",
        "Found operand types 'Edm.String' and 'Edm.Int32' for operator kind 'Equal'",
    )
    wire.refused("GET", "accounts?$filter=name eq 5", status=400, code=QUERY, says=says)


def test_filter_nested_too_deeply_is_400(wire: Wire) -> None:
    """WA-196."""
    path = "accounts?$filter=" + "(" * 101 + "name eq 'x'" + ")" * 101
    wire.refused("GET", path, status=400, code=QUERY, says=("100",))


@pytest.mark.parametrize("top", ["0", "-1", "x", "1.5", "٣"])
def test_top_that_is_no_number_from_1_is_400(wire: Wire, top: str) -> None:
    """WA-175."""
    wire.refused("GET", f"accounts?$top={top}", status=400, code=QUERY, says=(f"'{top}'", "from 1 to 5000"))


def test_key_that_is_no_guid_is_400(wire: Wire) -> None:
    """WA-79."""
    wire.refused("GET", "accounts(12)", status=400, code=QUERY, says=("'12'", "GUID"))
    wire.refused("GET", "accounts()", status=400, code=QUERY, says=("key",))


def test_key_that_is_not_declared_is_400(wire: Wire) -> None:
    """WA-78."""
    says = ("The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.account'.",)
    wire.refused("GET", "accounts(fax='1')", status=400, code=QUERY, says=says)


def test_tampered_paging_token_is_400(wire: Wire) -> None:
    """WA-234."""
    says = ("Malformed XML in the Paging Cookie",)
    path = "accounts?$skiptoken=%3Ccookie%20pagenumber=%222%22"
    wire.refused("GET", path, status=400, code="0x80040203", says=says)


def test_fetchxml_that_is_no_xml_is_400(wire: Wire) -> None:
    wire.refused("GET", "accounts?fetchXml=<fetch", status=400, code="0x80040201", says=("XML",))


def test_fetchxml_with_unknown_table_or_column_is_400_by_name(wire: Wire) -> None:
    path = 'accounts?fetchXml=<fetch><entity name="account"><attribute name="nme"/></entity></fetch>'
    says = ("'account' entity doesn't contain attribute with Name = 'nme'",)
    wire.refused("GET", path, status=400, code="0x80041103", says=says)
    path = 'accounts?fetchXml=<fetch><entity name="acount"/></fetch>'
    wire.refused("GET", path, status=400, code="0x80041102", says=("acount",))


def test_fetchxml_with_a_document_type_is_400(wire: Wire) -> None:
    """WA-241."""
    path = 'accounts?fetchXml=<!DOCTYPE a [<!ENTITY b "c">]><fetch><entity name="account"/></fetch>'
    wire.refused("GET", path, status=400, code="0x80040201", says=("XML",))


def test_sql_that_is_no_select_is_400(wire: Wire) -> None:
    wire.refused(
        "GET", "accounts?sql=delete from account", status=400, code=QUERY, says=("one SELECT statement", "'delete'")
    )


# --- values --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {"numberofemployees": "many"},
        {"numberofemployees": 5.5},
        {"creditonhold": "yes"},
        {"revenue": {}},
        {"name": 5},
        {"lastonholdtime": "yesterday"},
        {"industrycode": "Accounting"},
        {"accountid": "x"},
    ],
)
def test_value_of_the_wrong_type_is_400_and_says_what_the_column_takes(wire: Wire, body: dict[str, object]) -> None:
    """WA-113."""
    wire.refused("POST", "accounts", body, status=400, code=PAYLOAD, says=(f"'{next(iter(body))}'", "takes"))


def test_text_that_is_too_long_is_400_with_the_limit(wire: Wire) -> None:
    says = (
        "A validation error occurred.",
        "The length of the 'name' attribute of the 'account' entity exceeded the maximum allowed length of '160'.",
    )
    wire.refused("POST", "accounts", {"name": "x" * 161}, status=400, code="0x80044331", says=says)
    wire.refused("PATCH", f"accounts({wire.account})", {"name": "😀" * 81}, status=400, code="0x80044331", says=says)


@pytest.mark.parametrize("value", [-1, 1_000_000_001, 2**40])
def test_number_out_of_range_is_400(wire: Wire, value: int) -> None:
    says = ("numberofemployees", "outside the valid range")
    wire.refused("POST", "accounts", {"numberofemployees": value}, status=400, code="0x80044331", says=says)


@pytest.mark.parametrize("value", ["1e400", 10**30])
def test_decimal_out_of_range_is_400(wire: Wire, value: object) -> None:
    says = ("A decimal value provided is outside of the allowed values for this attribute",)
    wire.refused("POST", "accounts", {"revenue": value}, status=400, code="0x80044330", says=says)


def test_unknown_choice_is_400_and_names_column_and_value(wire: Wire) -> None:
    says = ("The value '4711' of 'industrycode' is outside the valid range.", "Accepted values: 1, 2, 3")
    wire.refused("POST", "accounts", {"industrycode": 4711}, status=400, code="0x80044331", says=says)


def test_status_of_another_state_is_400(wire: Wire) -> None:
    """WA-151."""
    says = ("2 is not a valid status code for state code",)
    wire.refused("PATCH", f"accounts({wire.account})", {"statuscode": 2}, status=400, code="0x80048408", says=says)


# --- lookups -------------------------------------------------------------------------------------------------------


def test_lookup_to_a_row_that_does_not_exist_is_404(wire: Wire) -> None:
    """WA-115."""
    body = {"name": "x", "primarycontactid@odata.bind": f"/contacts({NOBODY})"}
    says = (f"contact With Id = {NOBODY} Does Not Exist",)
    wire.refused("POST", "accounts", body, status=404, code="0x80040217", says=says)


def test_lookup_to_a_row_that_the_caller_may_not_append_to_is_403(wire: Wire) -> None:
    """WA-115, SM-97."""
    body = {"name": "x", "primarycontactid@odata.bind": f"/contacts({wire.contact})"}
    wire.refused("POST", "accounts", body, status=403, code="0x80040220", says=("prvAppendToContact",), user="seller")


def test_lookup_to_a_row_of_another_table_is_400_and_says_which_table(wire: Wire) -> None:
    """WA-116."""
    body = {"primarycontactid@odata.bind": f"/accounts({wire.account})"}
    wire.refused("POST", "accounts", body, status=400, code=PAYLOAD, says=("primarycontactid", "'contacts'"))


@pytest.mark.parametrize("name", ["_primarycontactid_value", "primarycontactid"])
def test_lookup_written_as_a_bare_id_is_400_and_says_how_to_write_it(wire: Wire, name: str) -> None:
    """WA-119."""
    says = (
        "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead.",
        "primarycontactid@odata.bind",
    )
    wire.refused("POST", "accounts", {name: wire.contact}, status=400, code=PAYLOAD, says=says)


def test_multi_table_lookup_by_its_bare_name_is_400_and_the_right_names_are_told(wire: Wire) -> None:
    """WA-117."""
    body = {"lastname": "x", "parentcustomerid@odata.bind": f"/accounts({wire.account})"}
    says = ("An undeclared property", "parentcustomerid_account@odata.bind")
    wire.refused("POST", "contacts", body, status=400, code=PAYLOAD, says=says)


def test_change_inside_a_related_row_is_400(wire: Wire) -> None:
    """WA-155."""
    body = {"primarycontactid": {"lastname": "x"}}
    says = ("Deep updates are not supported",)
    wire.refused("PATCH", f"accounts({wire.account})", body, status=400, code=PAYLOAD, says=says)


def test_deep_insert_with_one_bad_row_makes_no_row_at_all(wire: Wire) -> None:
    """WA-120, WA-53."""
    tasks = [{"subject": "good"}, {"subject": "x" * 201}]
    body = {"name": "x", "primarycontactid": {"lastname": "y"}, "Account_Tasks": tasks}
    wire.refused("POST", "accounts", body, status=400, code="0x80044331", says=("'subject'", "'200'"))


# --- rows that are in the way, or gone -----------------------------------------------------------------------------


def test_row_that_does_not_exist_is_404(wire: Wire) -> None:
    says = (f"account With Id = {NOBODY} Does Not Exist",)
    for method, body in (("GET", None), ("DELETE", None)):
        wire.refused(method, f"accounts({NOBODY})", body, status=404, code="0x80040217", says=says)
    wire.refused(
        "PATCH", f"accounts({NOBODY})", {}, status=404, code="0x80040217", says=says, headers={"If-Match": "*"}
    )


def test_row_that_the_caller_may_not_read_is_403(wire: Wire) -> None:
    """WA-54."""
    says = (f"does not have ReadAccess right(s) for record with id {wire.account} of entity account",)
    wire.refused("GET", f"accounts({wire.account})", status=403, code="0x80048306", says=says, user="seller")


def test_missing_privilege_is_403_by_name(wire: Wire) -> None:
    says = ("is missing prvCreateActivity privilege", "for entity 'task'")
    wire.refused("POST", "tasks", {"subject": "x"}, status=403, code="0x80040220", says=says, user="seller")


def test_id_that_is_taken_is_412(wire: Wire) -> None:
    """WA-107."""
    body = {"accountid": wire.account, "name": "x"}
    wire.refused("POST", "accounts", body, status=412, code="0x80040237", says=("Cannot insert duplicate key",))


def test_update_that_must_create_is_412_when_the_row_exists(wire: Wire) -> None:
    """WA-142."""
    says = ("A record with matching key values already exists.",)
    path, headers = f"accounts({wire.account})", {"If-None-Match": "*"}
    wire.refused("PATCH", path, {"name": "x"}, status=412, code="0x80040237", says=says, headers=headers)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_stale_etag_is_412(wire: Wire, method: str) -> None:
    """WA-142, WA-150."""
    says = ("The version of the existing record doesn't match the RowVersion property provided.",)
    body = {"name": "x"} if method == "PATCH" else None
    path, headers = f"accounts({wire.account})", {"If-Match": 'W/"1"'}
    wire.refused(method, path, body, status=412, code="0x80060882", says=says, headers=headers)


def test_etag_that_cannot_be_read_is_412_and_its_form_is_told(wire: Wire) -> None:
    """WA-143."""
    path, headers = f"accounts({wire.account})", {"If-Match": "abc"}
    wire.refused("PATCH", path, {"name": "x"}, status=412, code="0x80060882", says=("'abc'", 'W/"'), headers=headers)


def test_id_in_the_body_that_contradicts_the_url_is_400(wire: Wire) -> None:
    """WA-145."""
    body = {"accountid": NOBODY, "name": "x"}
    says = (NOBODY, "an id cannot be changed")
    wire.refused("PATCH", f"accounts({wire.account})", body, status=400, code="0x80040203", says=says)


def test_principal_that_is_neither_user_nor_team_is_400(wire: Wire) -> None:
    """Found by the property test: it was 500."""
    body = {
        "Target": {"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": wire.account},
        "Revokee": {"@odata.type": "Microsoft.Dynamics.CRM.role", "roleid": wire.ids["role"]},
    }
    wire.refused("POST", "RevokeAccess", body, status=400, code="0x80040203", says=("'role'", "a systemuser or a team"))


# --- bodies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"{", b'{"name":}', b"{'name':'x'}", b'{"name":"x"} x', b'{"name":NaN}'])
def test_body_that_is_no_json_is_400(wire: Wire, body: bytes) -> None:
    wire.refused("POST", "accounts", body, status=400, code=PAYLOAD, says=("not valid JSON",))


@pytest.mark.parametrize("body", [[], "x", 5, [{"name": "x"}]])
def test_body_that_is_no_object_is_400(wire: Wire, body: object) -> None:
    """WA-108."""
    wire.refused("POST", "accounts", body, status=400, code=PAYLOAD, says=("must be a JSON object",))


def test_name_that_occurs_twice_in_a_body_is_400(wire: Wire) -> None:
    """WA-108."""
    body = b'{"name":"a","name":"b"}'
    wire.refused("POST", "accounts", body, status=400, code=PAYLOAD, says=("'name'", "twice"))


def test_body_that_is_not_utf8_is_400_with_the_byte(wire: Wire) -> None:
    """WA-33."""
    says = ("not valid UTF-8", "byte 9")
    wire.refused("POST", "accounts", b'{"name":"\xff"}', status=400, code=PAYLOAD, says=says)


def test_body_with_half_a_surrogate_pair_is_400(wire: Wire) -> None:
    wire.refused("POST", "accounts", b'{"name":"\\ud800"}', status=400, code=PAYLOAD, says=("surrogate",))


@pytest.mark.parametrize("depth", [101, 100_000])
@pytest.mark.parametrize(("head", "tail"), [(b"[", b"]"), (b'{"name":', b"}")])
def test_body_that_is_nested_too_deeply_is_400(wire: Wire, depth: int, head: bytes, tail: bytes) -> None:
    body = head * depth + b"1" + tail * depth
    wire.refused("POST", "accounts", body, status=400, code=PAYLOAD, says=("deeper than 100 levels",))


def test_rows_inside_rows_deeper_than_10_levels_are_400(wire: Wire) -> None:
    """WA-120."""
    body: dict[str, object] = {"name": "x"}
    for _ in range(11):
        body = {"name": "x", "parentaccountid": body}
    wire.refused("POST", "accounts", body, status=400, code=PAYLOAD, says=("deeper than 10 levels",))


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded"])
def test_body_of_another_type_is_415_and_the_right_type_is_told(wire: Wire, kind: str) -> None:
    """WA-32."""
    says = (f"'{kind}'", "application/json")
    headers = {"Content-Type": kind}
    wire.refused("POST", "accounts", b"name=x", status=415, code="0x80060801", says=says, headers=headers)


def test_batch_as_json_is_415(wire: Wire) -> None:
    """WA-280."""
    wire.refused("POST", "$batch", {"requests": []}, status=415, code="0x80060801", says=("multipart/mixed",))


def test_batch_with_no_part_or_a_broken_line_is_400(wire: Wire) -> None:
    """WA-292."""
    headers = {"Content-Type": "multipart/mixed; boundary=b"}
    for body, says in ((b"nothing", "no part"), (b"--b\r\n\r\nhello\r\n--b--", "not a request line")):
        answer = wire.refused("POST", "$batch", body, status=400, code="0x80040203", says=(says,), headers=headers)
        assert answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"--b\r\n" + b"a: b\r\n" * 300_000, "at most 100 headers"),
        (b"--b\r\n\r\nGET accounts HTTP/1.1\r\n\r\n" * 100_000, "at most 1000 requests"),
        (b"\n" * 5_000_000, "no part"),
        (b"--b\n" * 1_000_000, "at most 1000 requests"),
    ],
    ids=["headers", "parts", "line ends", "empty parts"],
)
def test_batch_made_to_take_long_is_400_at_once(wire: Wire, body: bytes, says: str) -> None:
    """WA-284. Found by measuring: 2 MiB of headers took 5 seconds."""
    headers = {"Content-Type": "multipart/mixed; boundary=b"}
    answer = wire.refused("POST", "$batch", body, status=400, code="0x80040203", says=(says,), headers=headers)
    assert answer.elapsed.total_seconds() < 1


def test_change_set_with_one_bad_request_changes_nothing(wire: Wire) -> None:
    """WA-289, WA-53."""
    part = "--c\r\nContent-Type: application/http\r\nContent-ID: {0}\r\n\r\nPOST accounts HTTP/1.1\r\n\r\n{1}\r\n"
    changes = part.format(1, '{"name":"a"}') + part.format(2, '{"nme":"b"}') + "--c--\r\n"
    body = f"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{changes}--b--\r\n".encode()
    before = wire.witness.state()
    answer = wire.send("POST", "$batch", body, headers={"Content-Type": "multipart/mixed; boundary=b"})
    assert answer.status_code == 400
    assert "Content-ID: 2" in answer.text
    assert "An undeclared property 'nme'" in answer.text
    assert wire.witness.state() == before


# --- the head of a request -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "accounts"),
        ("GET", "nothing"),
        ("PATCH", "accounts"),
        ("GET", "$metadata"),
        ("GET", ""),
        ("GET", "x" * 40_000),
    ],
)
@pytest.mark.parametrize("credentials", ["", "Bearer", "Bearer x", "Bearer a.b.c", "Basic eDp5", "Bearer {token}x"])
def test_401_comes_before_everything_else(wire: Wire, method: str, path: str, credentials: str) -> None:
    """WA-21, WA-22: whoever has no token learns nothing about tables, methods or limits."""
    headers = {"Authorization": credentials.format(token=wire.tokens["admin"])}
    says = ("The requested resource requires authentication.",)
    answer = wire.refused(method, path, status=401, code="0x80072561", says=says, headers=headers)
    origin = wire.server.address
    challenge = f"Bearer authorization_uri={origin}/common/oauth2/authorize, resource_id={origin}/"
    assert answer.headers["WWW-Authenticate"] == challenge


def test_disabled_user_is_401_at_once(wire: Wire) -> None:
    """WA-21."""
    path = f"systemusers({wire.ids['seller']})"
    assert wire.send("GET", "accounts", user="seller").status_code == 200
    assert wire.send("PATCH", path, {"isdisabled": True}).status_code == 204
    try:
        wire.refused("GET", "accounts", status=401, code="0x80072561", says=(), user="seller")
    finally:
        assert wire.send("PATCH", path, {"isdisabled": False}).status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "accounts", "GET, HEAD, POST"),
        ("DELETE", "accounts", "GET, HEAD, POST"),
        ("PUT", "accounts({id})", "GET, HEAD, PATCH, DELETE"),
        ("POST", "accounts({id})", "GET, HEAD, PATCH, DELETE"),
        ("GET", "$batch", "POST"),
        ("DELETE", "$metadata", "GET, HEAD"),
    ],
)
def test_method_that_a_resource_does_not_have_is_405_with_allow(
    wire: Wire, method: str, path: str, allowed: str
) -> None:
    """WA-9."""
    body: dict[str, object] | None = {} if method in ("PUT", "POST", "PATCH") else None
    path = path.format(id=wire.account)
    answer = wire.refused(method, path, body, status=405, code="0x80060800", says=())
    assert set(answer.headers["Allow"].split(", ")) == set(allowed.split(", "))


def test_head_answers_with_the_headers_of_get_and_no_body(wire: Wire) -> None:
    """WA-8."""
    path = f"accounts({wire.account})?$select=name"
    got, head = wire.send("GET", path), wire.send("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("ETag", "Content-Type", "Content-Length", "OData-Version"):
        assert head.headers[name] == got.headers[name]
    assert wire.send("HEAD", "nothing").status_code == 404


@pytest.mark.parametrize("accept", ["text/html", "application/atom+xml", "image/png, text/html;q=0.5"])
def test_answer_in_a_form_that_is_not_there_is_406(wire: Wire, accept: str) -> None:
    """WA-31."""
    headers = {"Accept": accept}
    wire.refused("GET", "accounts", status=406, code="0x80060801", says=("application/json",), headers=headers)


def test_url_that_is_too_long_is_414(wire: Wire) -> None:
    """WA-12."""
    says = ("32768",)
    wire.refused("GET", "accounts?$filter=name eq '" + "x" * 33_000 + "'", status=414, code=QUERY, says=says)


def test_newer_protocol_version_is_400(wire: Wire) -> None:
    """WA-30."""
    headers = {"OData-Version": "4.01"}
    wire.refused("GET", "accounts", status=400, code=QUERY, says=("4.01", "4.0"), headers=headers)


def test_url_that_is_not_utf8_is_400(wire: Wire) -> None:
    wire.refused("GET", "accounts?$filter=name eq '%FF'", status=400, code=QUERY, says=("UTF-8",))
    wire.refused("GET", "accounts(%FF)", status=400, code=QUERY, says=("UTF-8",))


@pytest.mark.parametrize("header", ["MSCRMCallerID", "CallerObjectId"])
def test_impersonation_header_that_is_no_guid_is_400(wire: Wire, header: str) -> None:
    wire.refused("GET", "accounts", status=400, code="0x80040203", says=(header, "GUID"), headers={header: "x"})


def test_impersonation_without_the_privilege_is_403(wire: Wire) -> None:
    admin = wire.send("GET", "WhoAmI").json()["UserId"]
    says = ("User does not have the privilege to act on behalf another user.",)
    headers = {"MSCRMCallerID": admin}
    wire.refused("GET", "accounts", status=403, code="0x8004a110", says=says, user="seller", headers=headers)


def test_version_of_the_service_that_is_not_there_is_404(wire: Wire) -> None:
    """WA-1."""
    path = f"{wire.server.address}/api/data/v7.0/accounts"
    wire.refused("GET", path, status=404, code="0x8006088a", says=("'v7.0'", "v9.2"))


def test_no_answer_tells_of_the_inside(wire: Wire) -> None:
    """WA-54: neither SQL nor paths nor frames in any error."""
    for path in ("accounts?$filter=name eq '%00'", "accounts?sql=select * from sqlite_schema", "accounts('; drop')"):
        text = wire.send("GET", path).text
        for word in ("sqlite3", "psycopg", "Traceback", str(wire.server.home), "/src/", "select count"):
            assert word not in text, text
