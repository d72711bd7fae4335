"""Section 9: update, upsert, delete (WA-140 to WA-156)."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from tests.wire.client import EMPTY, NOBODY, REPRESENTATION, Api, Person, unique

NO_HEADERS: dict[str, str] = {}
EXISTS = "A record with matching key values already exists."
DIFFERS = "The version of the existing record doesn't match the RowVersion property provided."


@pytest.fixture
def row(api: Api) -> str:
    """The address of an account."""
    return f"accounts({api.new('accounts', {'name': 'old', 'description': 'kept'})})"


def _etag(api: Api, row: str) -> str:
    return api.send("GET", f"{row}?$select=name").headers["ETag"]


def _number(api: Api, row: str) -> str:
    return _etag(api, row).removeprefix('W/"').removesuffix('"')


def test_an_update_changes_the_given_columns_only(api: Api, row: str) -> None:
    """WA-140, WA-46."""
    answer = api.send("PATCH", row, {"name": "new"})
    assert (answer.status_code, answer.headers["OData-EntityId"]) == (204, f"{api.root}{row}")

    answer = api.send("PATCH", f"{row}?$select=name,description", {"name": "newer"}, headers=REPRESENTATION)
    shown = answer.json()
    assert answer.status_code == 200
    assert shown["@odata.context"] == f"{api.root}$metadata#accounts(name,description)/$entity"
    assert (shown["name"], shown["description"]) == ("newer", "kept")


def test_a_patch_without_if_match_creates_what_is_not_there(api: Api) -> None:
    """WA-141."""
    first, second = f"accounts({uuid4()})", f"accounts({uuid4()})"
    answer = api.send("PATCH", first, {"name": "made"})
    assert (answer.status_code, answer.headers["OData-EntityId"]) == (204, f"{api.root}{first}")
    assert api.get(f"{first}?$select=name")["name"] == "made"
    assert api.send("PATCH", second, {"name": "made"}, headers=REPRESENTATION).status_code == 201
    assert api.send("PATCH", second, {"name": "changed"}, headers=REPRESENTATION).status_code == 200


def test_creating_by_patch_needs_the_create_privilege(api: Api, reader: Person) -> None:
    """WA-141."""
    says = "prvCreateContact"
    api.refused("PATCH", f"contacts({uuid4()})", {"lastname": "x"}, status=403, says=says, headers=reader.acting)


def test_conditions_forbid_creating_or_updating(api: Api, row: str) -> None:
    """WA-142."""
    missing, body = f"accounts({uuid4()})", {"name": "x"}
    api.refused("PATCH", missing, body, status=404, code="0x80040217", headers={"If-Match": "*"})
    api.refused("PATCH", missing, body, status=404, code="0x80040217", headers={"If-Match": 'W/"1"'})
    api.refused("PATCH", row, body, status=412, code="0x80040237", says=EXISTS, headers={"If-None-Match": "*"})
    api.refused("PATCH", row, body, status=412, code="0x80060882", says=DIFFERS, headers={"If-Match": 'W/"1"'})
    assert api.send("PATCH", missing, body, headers={"If-None-Match": "*"}).status_code == 204
    assert api.send("PATCH", row, body, headers={"If-Match": "*"}).status_code == 204
    assert api.send("PATCH", row, body, headers={"If-Match": _etag(api, row)}).status_code == 204


@pytest.mark.parametrize("form", ['W/"{}"', '"{}"', "{}", 'W/"1", W/"{}"', 'W/"{}", "1"'])
def test_tags_are_matched_by_their_number(api: Api, row: str, form: str) -> None:
    """WA-143: strong, bare, in a list."""
    headers = {"If-Match": form.format(_number(api, row))}
    assert api.send("PATCH", row, {"name": "x"}, headers=headers).status_code == 204


@pytest.mark.parametrize("tag", ['"x"', "abc", 'W/"abc"', 'W/"1", x'])
def test_tags_that_cannot_be_read_are_412(api: Api, row: str, tag: str) -> None:
    """WA-143."""
    for method in ("PATCH", "DELETE"):
        api.refused(method, row, EMPTY if method == "PATCH" else None, status=412, headers={"If-Match": tag})


def test_an_upsert_by_key_keeps_the_key_of_the_url_or_takes_that_of_the_body(api: Api, boxes: str) -> None:
    """WA-144: `OData-EntityId` repeats the address as it was requested."""
    code = unique("up")
    address = f"{boxes}(wire_code='{code}')"
    answer = api.send("PATCH", address, {"wire_name": "made"})
    assert (answer.status_code, answer.headers["OData-EntityId"]) == (204, f"{api.root}{address}")
    query = "?$select=wire_name,wire_code"
    changed = api.shown("PATCH", address + query, {"wire_name": "changed", "wire_code": "ignored"}, 200)
    assert (changed["wire_name"], changed["wire_code"]) == ("changed", code)
    other = unique("other")
    made = api.shown("PATCH", f"{boxes}(wire_code='{unique('no')}'){query}", {"wire_code": other}, 201)
    assert made["wire_code"] == other
    by_id = f"{boxes}({made['wire_boxid']})"
    api.refused("PATCH", by_id, {"wire_code": code}, status=412, code="0x80060892")
    assert api.shown("PATCH", by_id + query, {"wire_code": f"{other} b"})["wire_code"] == f"{other} b"


def test_conditions_hold_for_keys_too(api: Api, boxes: str) -> None:
    """WA-142, WA-150."""
    address = f"{boxes}(wire_code='{unique('cond')}')"
    api.refused("PATCH", address, {}, status=404, code="0x80060891", headers={"If-Match": "*"})
    api.send("PATCH", address, {})
    api.refused("PATCH", address, {}, status=412, code="0x80040237", headers={"If-None-Match": "*"})
    assert api.send("DELETE", address).status_code == 204
    api.refused("DELETE", address, status=404, code="0x80060891")


def test_an_id_in_the_body_must_be_that_of_the_url(api: Api, row: str) -> None:
    """WA-145."""
    own = row[9:-1]
    api.refused("PATCH", row, {"accountid": NOBODY}, status=400, says="accountid")
    api.refused("PATCH", f"accounts({uuid4()})", {"accountid": NOBODY}, status=400, says="accountid")
    assert api.send("PATCH", row, {"accountid": own.upper(), "name": "x"}).status_code == 204


def test_an_empty_update_touches_nothing_and_an_equal_value_is_an_update(api: Api, row: str) -> None:
    """WA-146, WA-147."""
    first = _etag(api, row)
    assert api.send("PATCH", row, {}).status_code == 204
    assert api.send("PATCH", row, {"createdon": "2001-01-01T00:00:00Z"}).status_code == 204
    assert _etag(api, row) == first
    assert api.send("PATCH", row, {"name": "old"}).status_code == 204
    assert _etag(api, row) != first


def test_one_column_is_put(api: Api, row: str) -> None:
    """WA-148."""
    assert api.send("PUT", f"{row}/name", {"value": "put"}).status_code == 204
    assert api.get(f"{row}/name")["value"] == "put"
    assert api.send("PUT", f"{row}/name", {"value": None}).status_code == 204
    assert api.send("GET", f"{row}/name").status_code == 204
    api.refused("PUT", f"{row}/nonsense", {"value": 1}, status=400, says="Could not find a property named 'nonsense'")
    for path, body in (("name", {}), ("name", {"x": 1}), ("name", {"value": 5}), ("createdon", {"value": None})):
        api.refused("PUT", f"{row}/{path}", body, status=400, code="0x80048d19")
    api.refused("PUT", f"accounts({NOBODY})/name", {"value": "x"}, status=404, code="0x80040217")


def test_one_column_is_emptied(api: Api, row: str) -> None:
    """WA-149: not lookups, not what is required."""
    assert api.send("DELETE", f"{row}/description").status_code == 204
    assert api.send("GET", f"{row}/description").status_code == 204
    for path in ("primarycontactid", "_primarycontactid_value", "statecode", "ownerid", "accountid", "createdon"):
        api.refused("DELETE", f"{row}/{path}", status=400)


def test_a_row_is_deleted_once(api: Api, row: str) -> None:
    """WA-150."""
    api.refused("DELETE", row, status=412, code="0x80060882", says=DIFFERS, headers={"If-Match": 'W/"1"'})
    assert api.send("DELETE", row, headers={"If-Match": _etag(api, row)}).status_code == 204
    api.refused("DELETE", row, status=404, code="0x80040217")


@pytest.mark.parametrize(
    ("body", "state", "status"),
    [
        ({"statecode": 1, "statuscode": 2}, 1, 2),
        ({"statecode": 1}, 1, 2),
        ({"statuscode": 1}, 0, 1),
        ({"statecode": 0}, 0, 1),
    ],
)
def test_a_state_picks_its_status(api: Api, row: str, body: dict[str, int], state: int, status: int) -> None:
    """WA-151."""
    shown = api.shown("PATCH", f"{row}?$select=statecode,statuscode", body)
    assert (shown["statecode"], shown["statuscode"]) == (state, status)


@pytest.mark.parametrize(
    "body", [{"statuscode": 2}, {"statecode": 0, "statuscode": 2}, {"statecode": 1, "statuscode": 1}]
)
def test_a_status_must_belong_to_the_state(api: Api, row: str, body: dict[str, int]) -> None:
    """WA-151."""
    api.refused("PATCH", row, body, status=400, code="0x80048408", says="is not a valid status code for state code")


def test_a_row_is_assigned_together_with_other_columns(api: Api, row: str, reader: Person) -> None:
    """WA-152, WA-118."""
    body = {"name": "given", "ownerid@odata.bind": f"/systemusers({reader.id})"}
    shown = api.shown("PATCH", f"{row}?$select=name,_ownerid_value", body)
    assert (shown["name"], shown["_ownerid_value"]) == ("given", reader.id)


def test_every_table_has_optimistic_concurrency(api: Api) -> None:
    """WA-153."""
    definitions = api.rows("EntityDefinitions?$select=LogicalName,IsOptimisticConcurrencyEnabled")
    assert [d["LogicalName"] for d in definitions if not d["IsOptimisticConcurrencyEnabled"]] == []


def test_a_lookup_is_set_by_bind_and_cleared_by_null(api: Api, row: str) -> None:
    """WA-154."""
    contact = api.new("contacts", {"lastname": "x"})
    query = f"{row}?$select=_primarycontactid_value"
    for clearing in ("primarycontactid@odata.bind", "primarycontactid"):
        bound = api.shown("PATCH", query, {"primarycontactid@odata.bind": f"/contacts({contact})"})
        assert bound["_primarycontactid_value"] == contact
        assert api.shown("PATCH", query, {clearing: None})["_primarycontactid_value"] is None


def test_related_rows_are_not_updated_along(api: Api, row: str) -> None:
    """WA-155."""
    for body in ({"primarycontactid": {"lastname": "x"}}, {"Account_Tasks": [{"subject": "x"}]}):
        says = "Deep updates are not supported"
        api.refused("PATCH", row, body, status=400, code="0x80048d19", says=says)


def test_of_two_updates_with_the_same_tag_one_succeeds(api: Api, row: str) -> None:
    """WA-156: without a tag both do."""
    tag = {"If-Match": _etag(api, row)}

    def patch(number: int, headers: dict[str, str]) -> int:
        return api.send("PATCH", row, {"name": f"by {number}"}, headers=headers).status_code

    with ThreadPoolExecutor(4) as threads:
        tagged = sorted(threads.map(patch, range(4), [tag] * 4))
        untagged = list(threads.map(patch, range(4), [NO_HEADERS] * 4))
    assert tagged == [204, 412, 412, 412]
    assert untagged == [204] * 4
