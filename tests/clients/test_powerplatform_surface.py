# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# The client and pandas have types in part.
"""The rest of what `powerplatform-dataverse-client` offers: tables, columns, keys, relationships, files, frames."""

from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError
from PowerPlatform.Dataverse.models.filters import col
from tests.clients.test_powerplatform_client import client as client  # noqa: PLC0414, RUF100  # the fixture
from tests.servers import RunningServer
from tests.wire.client import unique


@pytest.fixture
def table(client: DataverseClient) -> Any:  # the fixture
    name = f"new_{unique('Pp').replace(' ', '')}"
    made = client.tables.create(name, {"new_Code": "string", "new_Amount": "decimal", "new_Day": "datetime"})
    yield made
    client.tables.delete(name)


def test_makes_lists_and_deletes_tables(client: DataverseClient, table: Any) -> None:
    """WA-341, WA-68: the names of the new table are known at once."""
    name = table["table_logical_name"]
    found = client.tables.get(name)
    assert found is not None
    assert found["entity_set_name"] == table["entity_set_name"]
    assert name in {each["LogicalName"] for each in client.tables.list(select=["LogicalName"])}
    assert client.tables.get("new_nothing") is None


def test_adds_lists_changes_and_removes_columns(client: DataverseClient, table: Any) -> None:
    """WA-343 to WA-345, WA-334."""
    name = table["table_logical_name"]
    assert client.tables.add_columns(name, {"new_More": "int", "new_Yes": "bool"}) == ["new_More", "new_Yes"]
    columns = {each["LogicalName"] for each in client.tables.list_columns(name)}
    assert {"new_code", "new_amount", "new_day", "new_more", "new_yes"} <= columns
    column = client.tables.get_column(name, "new_more", typed=True)
    assert column is not None
    assert column["LogicalName"] == "new_more"
    assert client.tables.remove_columns(name, ["new_More"]) == ["new_More"]
    assert client.tables.get_column(name, "new_more") is None


def test_makes_reads_and_deletes_alternate_keys(client: DataverseClient, table: Any) -> None:
    """WA-346: the id of the key is the one that the answer's header has."""
    name = table["table_logical_name"]
    made = client.tables.create_alternate_key(name, "new_ByCode", ["new_code"])
    found = client.tables.get_alternate_keys(name)
    assert [(key.metadata_id, key.key_attributes) for key in found] == [(made.metadata_id, ["new_code"])]
    client.tables.delete_alternate_key(name, made.metadata_id)
    assert client.tables.get_alternate_keys(name) == []


def test_makes_reads_and_deletes_relationships(client: DataverseClient, table: Any) -> None:
    """WA-347, WA-331, WA-332: a lookup to accounts."""
    name = table["table_logical_name"]
    made = client.tables.create_lookup_field(name, "new_AccountId", "account", display_name="Account")
    schema_name = made.relationship_schema_name
    found = client.tables.get_relationship(schema_name)
    assert found is not None
    assert found.relationship_id == made.relationship_id
    assert schema_name in {each["SchemaName"] for each in client.tables.list_table_relationships(name)}
    client.tables.delete_relationship(str(made.relationship_id))
    assert client.tables.get_relationship(schema_name) is None


def test_uploads_files_small_and_in_chunks(
    client: DataverseClient,
    tls_server: RunningServer,
    table: Any,
    tmp_path: Path,
) -> None:
    """WA-360, WA-361: the client makes the column where there is none; the bytes come back as they were."""
    name = table["table_logical_name"]
    row = client.records.create(name, {table["primary_name_attribute"]: "file"})
    path = tmp_path / "data.bin"
    path.write_bytes(bytes(range(256)) * 4000)
    headers = {"Authorization": f"Bearer {tls_server.token()}"}
    for mode in ("small", "chunk"):
        client.files.upload(name, row, "new_Document", str(path), mode=mode, if_none_match=False)
        address = f"{tls_server.api}{table['entity_set_name']}({row})/new_document/$value"
        answer = httpx.get(address, headers=headers, verify=False)  # noqa: S501  # the home's own certificate
        assert answer.content == path.read_bytes()


def test_data_frames_go_in_and_out(client: DataverseClient) -> None:
    """WA-300, WA-270: created, read by filter and by SQL, changed, deleted."""
    name = unique("Frame")
    ids = client.dataframe.create("account", pd.DataFrame([{"name": f"{name} 1"}, {"name": f"{name} 2"}]))
    assert len(ids) == 2
    query = f"SELECT name FROM account WHERE name LIKE '{name}%' ORDER BY name"
    assert list(client.dataframe.sql(query)["name"]) == [f"{name} 1", f"{name} 2"]
    listed = client.records.list("account", select=["name"], filter=f"startswith(name,'{name}')").to_dataframe()
    assert sorted(listed["name"]) == [f"{name} 1", f"{name} 2"]
    changes = pd.DataFrame({"accountid": list(ids), "telephone1": ["1", "2"]})
    client.dataframe.update("account", changes, id_column="accountid")
    client.dataframe.delete("account", ids, use_bulk_delete=False)
    assert len(client.dataframe.sql(query)) == 0


def test_the_query_builder_says_what_odata_says(client: DataverseClient) -> None:
    """WA-200: conditions and order by the builder."""
    name = unique("Built")
    client.records.create("account", [{"name": f"{name} {n}", "numberofemployees": n} for n in range(3)])
    wanted = (col("numberofemployees") > 0) & col("name").like(f"{name}%")
    query = client.query.builder("account").select("name").where(wanted).order_by("name", descending=True)
    rows: Any = query.execute()
    assert [row["name"] for row in rows] == [f"{name} 2", f"{name} 1"]


def test_refusals_raise_with_status(client: DataverseClient) -> None:
    """WA-50: what the client shows of an error."""
    with pytest.raises(HttpError) as caught:
        client.query.sql("SELECT nothing FROM account")
    assert caught.value.status_code == 400
