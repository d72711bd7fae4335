# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false
# The client and pandas have types in part.
"""What is left of `powerplatform-dataverse-client`: batches of everything, relationships and columns in full, helpers
of queries; and that no operation of the client is left out of the tests."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.models.filters import col
from PowerPlatform.Dataverse.models.labels import Label, LocalizedLabel
from PowerPlatform.Dataverse.models.relationship import (
    LookupAttributeMetadata,
    ManyToManyRelationshipMetadata,
    OneToManyRelationshipMetadata,
)
from PowerPlatform.Dataverse.models.upsert import UpsertItem
from PowerPlatform.Dataverse.operations import batch, dataframe, files, query, records, tables
from tests.clients.test_powerplatform_client import client as client  # noqa: PLC0414, RUF100  # the fixture
from tests.wire.client import unique

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # older names of the client are its surface too


def named(text: str) -> Label:
    return Label(localized_labels=[LocalizedLabel(label=text, language_code=1033)])


def fresh(stem: str) -> str:
    return f"new_{unique(stem).replace(' ', '')}"


def test_batches_of_rows_and_queries(client: DataverseClient) -> None:
    """WA-280 to WA-293: reads and writes of rows, SQL and data frames in one request."""
    name = unique("Batched")
    kept = client.records.create("account", {"name": name})
    gone = client.records.create("account", {"name": f"{name} gone"})
    made = client.batch.new()
    made.records.retrieve("account", kept, select=["name"])
    made.records.get("account", kept, select=["name"])
    made.records.list("account", filter=f"name eq '{name}'", select=["name"])
    made.records.update("account", kept, {"telephone1": "1"})
    made.records.delete("account", gone)
    made.query.sql(f"SELECT name FROM account WHERE name = '{name}'")
    made.dataframe.create("account", pd.DataFrame([{"name": f"{name} framed"}]))
    made.dataframe.update("account", pd.DataFrame([{"accountid": kept, "fax": "2"}]), "accountid")
    result = made.execute()
    assert not result.has_errors, [each.error_message for each in result.failed]
    row = client.records.retrieve("account", kept, select=["telephone1", "fax"])
    assert row is not None
    assert (row["telephone1"], row["fax"]) == ("1", "2")

    framed = [each["accountid"] for each in client.records.list("account", filter=f"name eq '{name} framed'")]
    last = client.batch.new()
    last.dataframe.delete("account", pd.Series(framed), use_bulk_delete=False)
    assert not last.execute().has_errors
    with client.batch.new().changeset() as changes:
        changes.records.update("account", kept, {"fax": "3"})
        changes.records.delete("account", kept)


def test_batches_of_tables_and_relationships(client: DataverseClient) -> None:
    """WA-284, WA-341 to WA-347."""
    table = fresh("Bat")
    made = client.batch.new()
    made.tables.create(table, {"new_Code": "string"})
    assert not made.execute().has_errors
    more = client.batch.new()
    more.tables.add_columns(table, {"new_More": "int"})
    more.tables.create_lookup_field(table, "new_AccountId", "account")
    more.tables.get(table)
    more.tables.list(select=["LogicalName"])
    assert not more.execute().has_errors
    logical = table.lower()
    client.tables.create_alternate_key(table, f"{table}_key", ["new_code"])
    less = client.batch.new()
    less.records.upsert(logical, [UpsertItem(alternate_key={"new_code": "A"}, record={"new_more": 7})])
    assert not less.execute().has_errors
    assert [row["new_more"] for row in client.records.list(logical, select=["new_more"])] == [7]
    one = OneToManyRelationshipMetadata(
        schema_name=f"{table}_tasks",
        referenced_entity=logical,
        referencing_entity="task",
        referenced_attribute=f"{logical}id",
    )
    last = client.batch.new()
    last.tables.create_one_to_many_relationship(LookupAttributeMetadata(f"{table}_for", named("For")), one)
    last.tables.create_many_to_many_relationship(
        ManyToManyRelationshipMetadata(f"{table}_contacts", logical, "contact")
    )
    last.tables.remove_columns(table, "new_More")
    assert not last.execute().has_errors
    found = client.tables.get_relationship(f"{table}_tasks")
    assert found is not None
    ends = client.batch.new()
    ends.tables.get_relationship(f"{table}_contacts")
    ends.tables.delete_relationship(str(found.relationship_id))
    ends.tables.delete(table)
    result = ends.execute()
    assert not result.has_errors, [each.error_message for each in result.failed]
    assert client.tables.get(table) is None


def test_relationships_of_both_kinds_and_columns_are_changed(client: DataverseClient) -> None:
    """WA-344, WA-347."""
    table = fresh("Whole")
    client.tables.create(table, {"new_Code": "string", "new_Size": "int"})
    logical = table.lower()
    lookup = LookupAttributeMetadata(f"{table}_of", named("Of"))
    one = OneToManyRelationshipMetadata(
        schema_name=f"{table}_one",
        referenced_entity=logical,
        referencing_entity="task",
        referenced_attribute=f"{logical}id",
    )
    assert client.tables.create_one_to_many_relationship(lookup, one).relationship_schema_name == f"{table}_one"
    many = ManyToManyRelationshipMetadata(f"{table}_many", logical, "contact")
    assert client.tables.create_many_to_many_relationship(many).relationship_schema_name == f"{table}_many"
    names = {each["SchemaName"] for each in client.tables.list_relationships(select=["SchemaName"])}
    assert {f"{table}_one", f"{table}_many"} <= names

    client.tables.update_column(table, "new_Code", {"max_length": 400, "display_name": "A code"})
    client.tables.update_columns(table, {"new_Size": {"min_value": 0, "max_value": 10}})
    changed: Any = client.tables.get_column(table, "new_code", typed=True)
    assert changed["MaxLength"] == 400
    for schema_name in (f"{table}_one", f"{table}_many"):
        found = client.tables.get_relationship(schema_name)
        assert found is not None
        client.tables.delete_relationship(str(found.relationship_id))
    client.tables.delete(table)


def test_what_helps_to_write_queries(client: DataverseClient) -> None:
    """WA-320 to WA-331: columns, expands and binds read off the metadata."""
    name = unique("Helped")
    contact = client.records.create("contact", {"lastname": name})
    client.records.create("account", {"name": name, **client.query.odata_bind("account", "contact", contact)})
    assert {"name", "accountid"} <= {each["name"] for each in client.query.sql_columns("account")}
    assert "name" in client.query.odata_select("account")
    assert client.query.odata_expands("account")
    expand = client.query.odata_expand("account", "contact")
    rows = list(client.records.list("account", filter=f"name eq '{name}'", select=["name"], expand=[expand]))
    assert [row[expand]["lastname"] for row in rows] == [name]


def test_the_builder_pages_counts_and_frames(client: DataverseClient) -> None:
    """WA-200, WA-230: pages of the builder, and its frame."""
    name = unique("Paged")
    client.records.create("account", [{"name": f"{name} {number}"} for number in range(3)])
    built = client.query.builder("account").select("name").order_by("name").page_size(2)
    built = built.where(col("name").like(f"{name}%")).include_formatted_values()
    pages = list(built.execute_pages())
    assert [len(list(page)) for page in pages] == [2, 1]
    assert len(client.query.builder("account").select("name").where(col("name").like(f"{name}%")).to_dataframe()) == 3
    assert len(client.dataframe.get("account", filter=f"startswith(name,'{name}')", select=["name"])) == 3
    pages = list(client.records.get("account", filter=f"startswith(name,'{name}')", select=["name"]))
    assert sum(len(page) for page in pages) == 3
    client.flush_cache("picklist")


def test_every_operation_of_the_client_is_tried() -> None:
    """The surface is the client's own: what a later version adds fails here."""
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("test_powerplatform_*.py"))
    classes = {
        "records": records.RecordOperations,
        "tables": tables.TableOperations,
        "query": query.QueryOperations,
        "files": files.FileOperations,
        "dataframe": dataframe.DataFrameOperations,
    }
    batched = {
        "records": batch.BatchRecordOperations,
        "tables": batch.BatchTableOperations,
        "query": batch.BatchQueryOperations,
        "dataframe": batch.BatchDataFrameOperations,
    }
    missing = [
        f"client.{area}.{name}"
        for area, each in classes.items()
        for name in vars(each)
        if not name.startswith("_") and not re.search(rf"\bclient\.{area}\.{name}\(", text)
    ]
    missing += [
        f"batch.{area}.{name}"
        for area, each in batched.items()
        for name in vars(each)
        if not name.startswith("_") and not re.search(rf"\b(?!client)\w+\.{area}\.{name}\(", text)
    ]
    assert missing == []
