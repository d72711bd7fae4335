"""Section 6 and 8: type cast segments, after a row, a set, and a navigation property (WA-80, WA-135)."""

from collections.abc import Mapping

import pytest
from tests.wire.client import Api, unique

NS = "Microsoft.Dynamics.CRM"


@pytest.fixture(scope="module")
def rows(api: Api) -> Mapping[str, str]:
    """An account with a contact, two tasks and a call, and what owns it."""
    contact = api.new("contacts", {"lastname": unique("Cast")})
    account = api.new("accounts", {"name": unique("Cast"), "primarycontactid@odata.bind": f"contacts({contact})"})
    regarding = {"regardingobjectid_account_task@odata.bind": f"accounts({account})"}
    task = api.new("tasks", {"subject": "one", "percentcomplete": 7, **regarding})
    api.new("tasks", {"subject": "two", **regarding})
    call = {"subject": "call", "regardingobjectid_account_phonecall@odata.bind": f"accounts({account})"}
    api.new("phonecalls", call)
    return {"account": account, "contact": contact, "task": task}


@pytest.mark.parametrize(
    ("path", "set_name"),
    [
        (f"accounts({{account}})/{NS}.account", "accounts"),
        (f"accounts({{account}})/{NS}.crmbaseentity", "accounts"),
        (f"accounts({{account}})/{NS}.account/{NS}.crmbaseentity", "accounts"),
        (f"accounts({{account}})/primarycontactid/{NS}.contact", "contacts"),
        (f"accounts({{account}})/{NS}.account/primarycontactid/{NS}.crmbaseentity", "contacts"),
        (f"accounts({{account}})/ownerid/{NS}.systemuser", "systemusers"),
        (f"accounts({{account}})/ownerid/{NS}.principal", "systemusers"),
        (f"accounts({{account}})/ownerid/{NS}.systemuser/businessunitid/{NS}.businessunit", "businessunits"),
        (f"tasks({{task}})/{NS}.activitypointer", "tasks"),
        (f"activitypointers({{task}})/{NS}.task", "tasks"),
        (f"tasks({{task}})/regardingobjectid_account_task/{NS}.account", "accounts"),
    ],
)
def test_a_cast_to_the_type_of_a_row_leads_to_the_row(
    api: Api, rows: Mapping[str, str], path: str, set_name: str
) -> None:
    """WA-80, WA-135: the context is that of the row's own set."""
    answer = api.get(path.format_map(rows))
    assert answer["@odata.context"].endswith(f"$metadata#{set_name}/$entity")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"accounts({{account}})/primarycontactid/{NS}.contact/contactid/$value", "{contact}"),
        (f"activitypointers({{task}})/{NS}.task/percentcomplete/$value", "7"),
        (f"accounts({{account}})/Account_Tasks/{NS}.task/$count", "2"),
        (f"accounts({{account}})/Account_ActivityPointers/{NS}.task/$count", "2"),
        (f"accounts({{account}})/Account_ActivityPointers/{NS}.phonecall/$count", "1"),
        (f"accounts({{account}})/Account_ActivityPointers/{NS}.activitypointer/$count", "3"),
    ],
)
def test_what_follows_a_cast_is_of_that_type(api: Api, rows: Mapping[str, str], path: str, value: str) -> None:
    """WA-131, WA-133: columns, and collections, of which a cast takes the rows of its type."""
    assert api.send("GET", path.format_map(rows)).text == value.format_map(rows)


def test_pages_of_a_cast_collection_go_on_by_their_links(api: Api, rows: Mapping[str, str]) -> None:
    """WA-231."""
    path = f"accounts({rows['account']})/Account_ActivityPointers/{NS}.task?$select=percentcomplete"
    first = api.get(path, {"Prefer": "odata.maxpagesize=1"})
    assert f"/Account_ActivityPointers/{NS}.task?" in first["@odata.nextLink"]
    second = api.get(first["@odata.nextLink"], {"Prefer": "odata.maxpagesize=1"})
    assert len(first["value"]) == len(second["value"]) == 1
    assert "@odata.nextLink" not in second


def test_references_are_read_through_a_cast(api: Api, rows: Mapping[str, str]) -> None:
    """WA-134."""
    found = api.get(f"accounts({rows['account']})/primarycontactid/{NS}.contact/$ref")
    assert found["@odata.id"].endswith(f"contacts({rows['contact']})")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (f"accounts({{account}})/{NS}.contact", f"'{NS}.contact'"),
        (f"accounts({{account}})/ownerid/{NS}.team", f"is of the type '{NS}.systemuser', not '{NS}.team'"),
        (f"accounts({{account}})/primarycontactid/{NS}.account/name", f"not '{NS}.account'"),
        (f"accounts({{account}})/Account_Tasks/{NS}.phonecall", f"'{NS}.phonecall'"),
        (f"accounts({{account}})/primarycontactid/{NS}.nothing", f"'{NS}.nothing'"),
        (f"accounts({{account}})/name/{NS}.contact", f"'{NS}.contact'"),
        (f"activitypointers({{task}})/{NS}.phonecall", "Does Not Exist"),
        (f"activitypointers({{task}})/{NS}.account", f"'{NS}.account'"),
    ],
)
def test_a_cast_to_another_type_is_404(api: Api, rows: Mapping[str, str], path: str, says: str) -> None:
    """WA-135: nothing of that type is there."""
    api.refused("GET", path.format_map(rows), status=404, says=says)


@pytest.mark.parametrize(
    "condition",
    [
        f"primarycontactid/{NS}.contact/lastname ne null",
        f"ownerid/{NS}.systemuser/fullname ne null",
        f"{NS}.account/name ne null",
    ],
)
def test_conditions_lead_through_casts(api: Api, rows: Mapping[str, str], condition: str) -> None:
    """WA-80, WA-192."""
    found = api.rows(f"accounts?$select=name&$filter=accountid eq {rows['account']} and {condition}")
    assert len(found) == 1


def test_conditions_through_a_cast_to_the_other_kind_of_owner_find_nothing(api: Api, rows: Mapping[str, str]) -> None:
    """WA-80: the owner is no team."""
    condition = f"accountid eq {rows['account']} and ownerid/{NS}.team/name ne null"
    assert api.rows(f"accounts?$select=name&$filter={condition}") == []


def test_casts_where_none_can_be_are_400_and_the_way_out_is_told(api: Api) -> None:
    """WA-195, WA-210."""
    path = f"accounts?$filter=primarycontactid/{NS}.account/name eq 'x'"
    api.refused("GET", path, status=400, says=f"'{NS}.account'")
    path = f"accounts?$expand=ownerid/{NS}.systemuser($select=fullname)"
    api.refused("GET", path, status=400, says="write ownerid($select=…), without a type")
