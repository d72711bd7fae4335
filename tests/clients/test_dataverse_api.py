"""The client `dataverse-api`, unmodified: a `requests` session, bare line feeds in batches (WA-281, section 29)."""

from collections.abc import Iterator

import pytest
import requests
from dataverse_api import DataverseClient
from dataverse_api.errors import DataverseAPIError
from tests.servers import RunningServer


@pytest.fixture
def client(server: RunningServer) -> Iterator[DataverseClient]:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {server.token()}"
        yield DataverseClient(session, server.address)


def test_creates_reads_and_deletes(client: DataverseClient) -> None:
    accounts = client.entity("account")
    accounts.create([{"name": "Fabrikam Ñandú"}, {"name": "Fabrikam 東京"}])

    found = accounts.read(select=["name", "accountid"], filter="startswith(name,'fabrikam')", order_by="name asc")
    accounts.delete(ids=[row["accountid"] for row in found])

    assert {row["name"] for row in found} == {"Fabrikam Ñandú", "Fabrikam 東京"}
    assert accounts.read(select=["name"], filter="startswith(name,'fabrikam')") == []


def test_pages_are_followed_with_formatted_values(client: DataverseClient) -> None:
    """The preferences come unquoted and joined by a comma (WA-42)."""
    accounts = client.entity("account")
    accounts.create([{"name": f"Seite {number}", "creditonhold": True} for number in range(5)], mode="multiple")

    found = accounts.read(
        select=["name", "creditonhold"],
        filter="startswith(name,'SEITE')",
        page_size=2,
        return_formatted_values=True,
    )

    assert len(found) == 5
    assert {row["creditonhold@OData.Community.Display.V1.FormattedValue"] for row in found} == {"Yes"}


def test_create_multiple_and_batches(client: DataverseClient) -> None:
    contacts = client.entity("contact")
    assert contacts.supports_create_multiple

    contacts.create([{"firstname": "Batch", "lastname": f"Line {number}"} for number in range(4)], mode="batch")
    found = contacts.read(select=["contactid", "lastname"], filter="firstname eq 'batch'")
    contacts.delete(ids=[row["contactid"] for row in found], mode="batch")

    assert {row["lastname"] for row in found} == {f"Line {number}" for number in range(4)}
    assert contacts.read(select=["contactid"], filter="firstname eq 'batch'") == []


def test_upserts_by_id(client: DataverseClient) -> None:
    accounts = client.entity("account")
    row_id = "6f0c6f3e-5d3b-4b7a-9b8e-0a1b2c3d4e5f"
    accounts.upsert([{"accountid": row_id, "name": "Made"}])
    accounts.upsert([{"accountid": row_id, "name": "Changed"}])

    found = accounts.read(select=["name"], filter=f"accountid eq {row_id}")

    assert [row["name"] for row in found] == ["Changed"]


def test_relationships_and_definitions_are_read(client: DataverseClient) -> None:
    accounts = client.entity("account")

    definition = client.get_entity_definition("account")

    assert "primarycontactid" in set(accounts.relationships.single_valued)
    assert definition.schema_name == "Account"


def test_errors_show_the_first_line(client: DataverseClient) -> None:
    with pytest.raises(DataverseAPIError, match="nonsense"):
        client.entity("account").read(select=["nonsense"])
