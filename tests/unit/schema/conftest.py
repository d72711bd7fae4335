"""Schemas for the tests of this room."""

import pytest

from strongroom.schema.changes import NewColumn, NewTable, create_table
from strongroom.schema.model import ColumnType, Ownership, Schema
from strongroom.schema.standard_tables import standard_schema


@pytest.fixture(scope="session")
def standard() -> Schema:
    return standard_schema()


@pytest.fixture(scope="session")
def banked(standard: Schema) -> Schema:
    """The catalogue with a custom, user-owned table `new_bankaccount`."""
    name = NewColumn("new_Name", ColumnType.STRING, max_length=120)
    code = NewColumn("new_Code", ColumnType.STRING, max_length=20)
    return create_table(
        standard, NewTable("new_BankAccount", Ownership.USER, name, label="Bank Account", columns=(code,))
    )
