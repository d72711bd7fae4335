"""Every standard table compiles and runs on both engines: all columns, names of lookups, every order, every join."""

import pytest

from strongroom.access.plan import Branch, Plan
from strongroom.access.planned import PlannedSelect
from strongroom.query import ast
from strongroom.schema.model import Rights, Schema, Table
from strongroom.store.database import StoreDatabase
from strongroom.store.layout import has_owner_key, has_unit


def plan_of(table: Table) -> Plan:
    """A plan with every kind of branch that the table's rows can have."""
    branches: list[ast.Predicate] = [ast.SharedWith("", frozenset({1, 2}), Rights.READ)]
    if has_owner_key(table):
        branches.append(ast.OwnerIn("", frozenset({1, 2})))
    if has_unit(table):
        branches.append(ast.UnitIn("", frozenset({3})))
    return Plan(table, Rights.READ, tuple(Branch(each, ()) for each in branches))


def outputs_of(alias: str, table: Table) -> list[ast.Output]:
    found: list[ast.Output] = []
    for name, column in table.columns.items():
        found.append(ast.Output(f"{alias}.{name}", ast.Field(alias, column)))
        if column.type.is_lookup:
            found.append(ast.Output(f"{alias}.{name}.name", ast.LookupName(alias, column)))
            found.append(ast.Output(f"{alias}.{name}.table", ast.LookupTable(alias, column)))
    return found


@pytest.fixture
def schema(database: StoreDatabase) -> Schema:
    with database.read() as transaction:
        return transaction.schema


def test_all_columns_of_every_standard_table_can_be_listed(database: StoreDatabase, schema: Schema) -> None:
    with database.read() as transaction:
        for table in schema.tables.values():
            outputs = tuple(outputs_of("", table))
            for plan in (plan_of(table), Plan(table, Rights.READ, (Branch(ast.TRUE, ()),))):
                select = ast.Select(ast.Source(table), outputs, page_size=3)

                for row in transaction.select(PlannedSelect(select, {"": plan})):
                    assert len(row) == len(outputs) + 1


def test_every_standard_table_can_be_ordered_by_each_column(database: StoreDatabase, schema: Schema) -> None:
    with database.read() as transaction:
        for table in schema.tables.values():
            identity = ast.Output("id", ast.Field("", table.id_column))
            for column in table.columns.values():
                for expression in (ast.Field("", column), ast.LookupName("", column)):
                    if isinstance(expression, ast.Field) or column.type.is_lookup:
                        order = (ast.Order(expression, descending=True),)
                        select = ast.Select(ast.Source(table), (identity,), order=order, page_size=3)
                        planned = PlannedSelect(select, {"": plan_of(table)})

                        assert all(len(row) == 3 for row in transaction.select(planned))


def test_every_standard_relationship_can_be_joined_both_ways(database: StoreDatabase, schema: Schema) -> None:
    with database.read() as transaction:
        for relationship in schema.relationships.values():
            child = schema.tables[relationship.referencing_table]
            parent = schema.tables[relationship.referenced_table]
            down = ast.Link("", relationship.referenced_column, relationship.referencing_column)
            up = ast.Link("", relationship.referencing_column, relationship.referenced_column)
            for outer, inner, link in ((child, parent, up), (parent, child, down)):
                plans = {"": plan_of(outer), "j": plan_of(inner)}
                outputs = (
                    ast.Output("id", ast.Field("", outer.id_column)),
                    ast.Output("other", ast.Field("j", inner.id_column)),
                )
                join = ast.Join(ast.JoinKind.OUTER, ast.Source(inner, "j"), link)
                select = ast.Select(ast.Source(outer), outputs, (join,), page_size=2)

                transaction.select(PlannedSelect(select, plans))
                assert transaction.count(PlannedSelect(select, plans), 10) >= 0
