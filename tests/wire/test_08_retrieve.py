"""Section 8: retrieve one row and what hangs on it (WA-125 to WA-136)."""

from dataclasses import dataclass

import pytest
from tests.wire.client import FORMATTED, NOBODY, NS, Api


@dataclass(frozen=True, slots=True)
class Made:
    """An account with a contact, two tasks and some money."""

    account: str
    contact: str

    @property
    def path(self) -> str:
        return f"accounts({self.account})"


@pytest.fixture
def made(api: Api) -> Made:
    contact = api.new("contacts", {"firstname": "Ada", "lastname": "L"})
    body = {
        "name": "ret",
        "revenue": 5,
        "description": "two\nlines",
        "creditonhold": True,
        "primarycontactid@odata.bind": f"/contacts({contact})",
        "Account_Tasks": [{"subject": "b"}, {"subject": "a"}],
    }
    return Made(api.new("accounts", body), contact)


def test_one_row_with_what_was_selected(api: Api, made: Made) -> None:
    """WA-125: the primary key and the currency come along and are not in the context."""
    answer = api.send("GET", f"{made.path}?$select=name,revenue")

    row = answer.json()
    assert row["@odata.context"] == f"{api.root}$metadata#accounts(name,revenue)/$entity"
    assert row.keys() == {
        "@odata.context",
        "@odata.etag",
        "name",
        "revenue",
        "accountid",
        "_transactioncurrencyid_value",
    }
    assert answer.headers["ETag"] == row["@odata.etag"]


@pytest.mark.parametrize("query", ["", "?$select=", "?$select=*", "?"])
def test_without_a_selection_all_columns_come(api: Api, made: Made, query: str) -> None:
    """WA-126, WA-173, WA-177: lookups as `_x_value`, no content of images and files, no list of names."""
    row = api.get(made.path + query)

    assert row["@odata.context"] == f"{api.root}$metadata#accounts/$entity"
    assert row["_primarycontactid_value"] == made.contact
    assert "primarycontactid" not in row
    assert "entityimage" not in row
    assert row["accountnumber"] is None


def test_a_lookup_is_selected_by_its_property_or_its_navigation_property(api: Api, made: Made) -> None:
    """WA-127."""
    for name in ("_primarycontactid_value", "primarycontactid"):
        row = api.get(f"{made.path}?$select={name}")
        assert row["_primarycontactid_value"] == made.contact
        assert row["@odata.context"].endswith("#accounts(_primarycontactid_value)/$entity")


def test_a_version_that_the_client_has_is_304(api: Api, made: Made) -> None:
    """WA-129: unless something besides the row itself is asked for."""
    path = f"{made.path}?$select=name"
    etag = api.send("GET", path).headers["ETag"]

    answer = api.send("GET", path, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
    assert api.send("GET", path, headers={"If-None-Match": 'W/"1"'}).status_code == 200
    assert api.send("GET", f"{path}&$expand=primarycontactid", headers={"If-None-Match": etag}).status_code == 200
    annotated = {"If-None-Match": etag, "Prefer": 'odata.include-annotations="*"'}
    assert api.send("GET", path, headers=annotated).status_code == 200


def test_the_etag_follows_the_row_and_nothing_else(api: Api, made: Made) -> None:
    """WA-130."""
    path = f"{made.path}?$select=versionnumber"
    first = api.get(path)
    assert first["@odata.etag"] == f'W/"{first["versionnumber"]}"'
    api.send("PATCH", f"contacts({made.contact})", {"lastname": "other"})
    api.new("tasks", {"subject": "x", "regardingobjectid_account_task@odata.bind": f"/{made.path}"})
    assert api.get(path) == first
    api.send("PATCH", made.path, {"name": "x"})
    assert api.get(path)["versionnumber"] > first["versionnumber"]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("name", "ret", "ret"),
        ("revenue", 5, "5.0000"),
        ("description", "two\nlines", "two\nlines"),
        ("creditonhold", True, "true"),
        ("statecode", 0, "0"),
    ],
)
def test_one_column_by_itself(api: Api, made: Made, name: str, value: object, text: str) -> None:
    """WA-131."""
    assert api.get(f"{made.path}/{name}") == {
        "@odata.context": f"{api.root}$metadata#{made.path}/{name}",
        "value": value,
    }
    raw = api.send("GET", f"{made.path}/{name}/$value")
    assert raw.headers["Content-Type"].startswith("text/plain")
    assert raw.text == text


def test_a_column_without_a_value_is_204(api: Api, made: Made) -> None:
    """WA-131."""
    for path in ("accountnumber", "accountnumber/$value"):
        assert api.send("GET", f"{made.path}/{path}").status_code == 204


def test_a_lookup_leads_to_its_row(api: Api, made: Made) -> None:
    """WA-132, WA-134: the row, a column of it, its address; 204 when it is empty."""
    row = api.get(f"{made.path}/primarycontactid?$select=fullname")
    assert row["@odata.context"] == f"{api.root}$metadata#contacts(fullname)/$entity"
    assert (row["fullname"], row["contactid"]) == ("Ada L", made.contact)
    assert api.get(f"{made.path}/primarycontactid/fullname")["value"] == "Ada L"
    assert api.get(f"{made.path}/ownerid/fullname")["value"] == "Administrator"
    assert api.get(f"{made.path}/primarycontactid/owninguser/fullname")["value"] == "Administrator"
    assert api.get(f"{made.path}/primarycontactid/$ref") == {
        "@odata.context": f"{api.root}$metadata#$ref",
        "@odata.id": f"{api.root}contacts({made.contact})",
    }
    for path in ("parentaccountid", "parentaccountid/$ref", "parentaccountid/name"):
        assert api.send("GET", f"{made.path}/{path}").status_code == 204


def test_a_collection_of_related_rows_takes_all_options(api: Api, made: Made) -> None:
    """WA-133."""
    path = f"{made.path}/Account_Tasks"
    page = api.get(f"{path}?$select=subject&$orderby=subject&$filter=subject ne 'z'&$count=true&$top=1")
    assert page["@odata.context"] == f"{api.root}$metadata#tasks(subject)"
    assert page["@odata.count"] == 2
    assert [row["subject"] for row in page["value"]] == ["a"]
    assert api.send("GET", f"{path}/$count").text == "2"
    references = api.get(f"{path}/$ref")
    assert references["@odata.context"] == f"{api.root}$metadata#Collection($ref)"
    ids = {row["activityid"] for row in api.rows(f"{path}?$select=subject")}
    assert {row["@odata.id"] for row in references["value"]} == {f"{api.root}tasks({task})" for task in ids}
    pages = api.get(f"{path}?$select=subject&$orderby=subject", {"Prefer": "odata.maxpagesize=1"})
    assert [row["subject"] for row in api.rows(pages["@odata.nextLink"])] == ["b"]


def test_what_is_not_below_a_row_is_404(api: Api, made: Made) -> None:
    """WA-3, WA-56."""
    for path in ("nonsense", "Name", "name/x", "primarycontactid/nonsense", "name/$count", "$count"):
        api.refused("GET", f"{made.path}/{path}", status=404, code="0x8006088a")
    for path in ("name", "Account_Tasks", "primarycontactid", "primarycontactid/$ref"):
        api.refused("GET", f"accounts({NOBODY})/{path}", status=404, code="0x80040217")


def test_lookups_are_annotated_with_table_and_navigation_property(api: Api, made: Made) -> None:
    """WA-136: none for a null lookup."""
    contact = api.new("contacts", {"lastname": "x", "parentcustomerid_account@odata.bind": f"/{made.path}"})
    shown = api.get(
        f"contacts({contact})?$select=_parentcustomerid_value,_ownerid_value,_createdonbehalfby_value",
        {"Prefer": 'odata.include-annotations="*"'},
    )
    expected = {
        f"_parentcustomerid_value@{FORMATTED}": "ret",
        f"_parentcustomerid_value@{NS}.lookuplogicalname": "account",
        f"_parentcustomerid_value@{NS}.associatednavigationproperty": "parentcustomerid_account",
        f"_ownerid_value@{NS}.lookuplogicalname": "systemuser",
        f"_ownerid_value@{NS}.associatednavigationproperty": "ownerid",
    }
    assert {name: shown[name] for name in expected} == expected
    assert not any(name.startswith("_createdonbehalfby_value@") for name in shown)


@pytest.mark.parametrize("option", ["$filter=name eq 'x'", "$top=1", "$orderby=name", "$count=true", "$apply=x"])
def test_a_single_row_takes_select_and_expand_only(api: Api, made: Made, option: str) -> None:
    """WA-170."""
    api.refused("GET", f"{made.path}?{option}", status=400, says=option.partition("=")[0])
