"""The Python client that Microsoft publishes, `powerplatform-dataverse-client`, unmodified, over TLS (WA-7)."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError
from tests.servers import RunningServer


class StaticToken:
    """A credential that always gives the same token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """The client asks before every request."""
        del scopes
        return AccessToken(self._token, int(time.time()) + 3600)


@pytest.fixture
def client(tls_server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[DataverseClient]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls_server.home / "tls" / "localhost.pem"))
    made = DataverseClient(tls_server.address, StaticToken(tls_server.token()))
    with made as opened:
        yield opened


def test_creates_retrieves_updates_and_deletes_a_row(client: DataverseClient) -> None:
    account = client.records.create("account", {"name": "Contoso Ελλάς", "telephone1": "555-0100"})
    client.records.update("account", account, {"telephone1": "555-0101", "accountcategorycode": 1})
    found = client.records.retrieve("account", account, select=["name", "telephone1", "accountcategorycode"])

    assert found is not None
    assert (found["name"], found["telephone1"], found["accountcategorycode"]) == ("Contoso Ελλάς", "555-0101", 1)
    client.records.delete("account", account)
    assert client.records.retrieve("account", account, select=["name"]) is None


def test_labels_of_choices_become_numbers(client: DataverseClient) -> None:
    """The client asks for the table's choices before it writes a text (WA-327)."""
    account = client.records.create("account", {"name": "Labelled", "accountcategorycode": "Preferred Customer"})

    found = client.records.retrieve("account", account, select=["accountcategorycode"])

    assert found is not None
    assert found["accountcategorycode"] == 1


def test_lists_by_filter_and_order_over_several_pages(client: DataverseClient) -> None:
    names = [f"Paged Ärzte {number:02}" for number in range(7)]
    client.records.create("account", [{"name": name} for name in names])

    pages = list(
        client.records.list_pages(
            "account",
            select=["name"],
            filter="startswith(name,'paged ärzte')",
            orderby=["name desc"],
            page_size=3,
            include_annotations="*",
        )
    )

    assert [len(list(page)) for page in pages] == [3, 3, 1]
    assert [row["name"] for page in pages for row in page] == names[::-1]


def test_expands_and_counts(client: DataverseClient) -> None:
    contact = client.records.create("contact", {"firstname": "Ada", "lastname": "Byron"})
    account = client.records.create(
        "account", {"name": "Expanded", "primarycontactid@odata.bind": f"/contacts({contact})"}
    )

    found = client.records.list(
        "account", filter=f"accountid eq {account}", select=["name"], expand=["primarycontactid"], count=True
    )

    assert [row["primarycontactid"]["fullname"] for row in found] == ["Ada Byron"]


def test_several_rows_are_created_updated_and_deleted_at_once(client: DataverseClient) -> None:
    """CreateMultiple, UpdateMultiple and BulkDelete (WA-300, WA-301, WA-308)."""
    ids = client.records.create("account", [{"name": f"Many {number}"} for number in range(5)])
    client.records.update("account", ids, {"description": "seen"})

    found = client.records.list("account", filter="description eq 'seen'", select=["name"])
    job = client.records.delete("account", ids)

    assert {row["name"] for row in found} == {f"Many {number}" for number in range(5)}
    assert job
    deadline = time.monotonic() + 60
    while list(client.records.list("account", filter="startswith(name,'Many ')", select=["name"])):
        assert time.monotonic() < deadline


def test_upserts_by_alternate_key(client: DataverseClient) -> None:
    table = client.tables.create("new_Ship", {"new_Code": "string", "new_Tonnage": "int"})
    client.tables.create_alternate_key("new_ship", "new_shipcode", ["new_code"])
    item = {"alternate_key": {"new_code": "A-1"}, "record": {"new_tonnage": 10}}
    client.records.upsert("new_ship", [item])
    client.records.upsert("new_ship", [{**item, "record": {"new_tonnage": 20}}])

    found = list(client.records.list("new_ship", select=["new_code", "new_tonnage"]))

    assert table.logical_name == "new_ship"
    assert [(row["new_code"], row["new_tonnage"]) for row in found] == [("A-1", 20)]
    client.tables.delete("new_ship")
    assert client.tables.get("new_ship") is None


def test_sql_and_fetchxml_give_the_same_rows(client: DataverseClient) -> None:
    """WA-270, WA-240: two languages, one meaning."""
    client.records.create("account", [{"name": f"Lingua {number}", "numberofemployees": number} for number in range(4)])

    by_sql = client.query.sql(
        "SELECT name, numberofemployees FROM account WHERE name LIKE 'lingua%' AND numberofemployees > 1"
    )
    by_fetch = client.query.fetchxml(
        "<fetch><entity name='account'><attribute name='name'/><attribute name='numberofemployees'/>"
        "<filter><condition attribute='name' operator='like' value='lingua%'/>"
        "<condition attribute='numberofemployees' operator='gt' value='1'/></filter></entity></fetch>"
    ).execute()

    assert {row["name"] for row in by_sql} == {row["name"] for row in by_fetch} == {"Lingua 2", "Lingua 3"}


def test_a_batch_with_a_change_set_is_whole_or_not_at_all(client: DataverseClient) -> None:
    """WA-289: the change set that fails leaves nothing."""
    batch = client.batch.new()
    with batch.changeset() as changes:
        contact = changes.records.create("contact", {"firstname": "Change", "lastname": "Set"})
        changes.records.create("account", {"name": "In a set", "primarycontactid@odata.bind": contact})
    assert not batch.execute().has_errors

    failing = client.batch.new()
    with failing.changeset() as changes:
        changes.records.create("account", {"name": "Half a set"})
        changes.records.create("account", {"name": "x" * 500})
    result = failing.execute(continue_on_error=True)

    assert result.has_errors
    assert not list(client.records.list("account", filter="name eq 'Half a set'", select=["name"]))
    rows = list(
        client.records.list("account", filter="name eq 'In a set'", select=["name"], expand=["primarycontactid"])
    )
    assert [row["primarycontactid"]["lastname"] for row in rows] == ["Set"]


def test_errors_carry_status_and_code(client: DataverseClient) -> None:
    with pytest.raises(HttpError) as caught:
        client.records.create("account", {"name": "x" * 500})

    assert caught.value.status_code == 400
    assert "maximum allowed length of '160'" in str(caught.value)
