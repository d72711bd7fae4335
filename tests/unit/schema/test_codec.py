"""What a store keeps of a schema brings the same schema back."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.profiles import examples

from strongroom.errors import IntegrityViolation, StrongroomError
from strongroom.schema.changes import (
    NewAssociation,
    NewChoice,
    NewColumn,
    NewKey,
    NewOption,
    NewRelationship,
    NewTable,
    create_association,
    create_choice,
    create_column,
    create_key,
    create_lookup,
    create_table,
    delete_column,
    delete_table,
)
from strongroom.schema.codec import Document, Kind, diff_from_standard, schema_from
from strongroom.schema.model import ColumnType, Ownership, Schema
from strongroom.schema.standard_tables import standard_schema

names = st.sampled_from(["new_a", "new_b", "new_c"])
columns = st.one_of(
    st.builds(NewColumn, names, st.just(ColumnType.STRING), max_length=st.integers(1, 4000), is_secured=st.booleans()),
    st.builds(NewColumn, names, st.just(ColumnType.DECIMAL), precision=st.integers(0, 10)),
    st.builds(NewColumn, names, st.sampled_from([ColumnType.MONEY, ColumnType.FILE, ColumnType.DATETIME])),
    st.builds(
        NewColumn,
        names,
        st.sampled_from([ColumnType.PICKLIST, ColumnType.MULTISELECT]),
        options=st.lists(st.builds(NewOption, st.text(min_size=1, max_size=5)), min_size=1, max_size=4).map(tuple),
    ),
)
tables = st.sampled_from(["account", "new_t1", "new_t2"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("table"), tables, st.sampled_from([Ownership.USER, Ownership.ORGANIZATION])),
        st.tuples(st.just("column"), tables, columns),
        st.tuples(st.just("lookup"), tables, tables),
        st.tuples(st.just("many"), tables, tables),
        st.tuples(st.just("key"), tables, names),
        st.tuples(st.just("choice"), names, names),
        st.tuples(st.just("drop column"), tables, names),
        st.tuples(st.just("drop table"), tables, names),
    ),
    max_size=8,
)


def apply(schema: Schema, step: tuple[str, str, object]) -> Schema:
    match step:
        case ("table", name, Ownership() as ownership):
            return create_table(schema, NewTable(name, ownership, NewColumn("new_Name", ColumnType.STRING)))
        case ("column", name, NewColumn() as column):
            return create_column(schema, name, column)
        case ("lookup", name, str(target)):
            lookup = NewColumn(f"new_to_{target}", ColumnType.LOOKUP)
            return create_lookup(schema, lookup, [NewRelationship(f"new_{name}_{target}", target, name)])
        case ("many", name, str(other)):
            return create_association(schema, NewAssociation(f"new_{name}_{other}_n", name, other))
        case ("key", name, str(column)):
            return create_key(schema, name, NewKey(f"{column}_k", (column,)))
        case ("choice", name, _):
            return create_choice(schema, NewChoice(name, (NewOption("A"),)))
        case ("drop column", name, str(column)):
            return delete_column(schema, name, column)
        case (_, name, _):
            return delete_table(schema, name)


@given(steps)
@settings(max_examples=examples(60), deadline=None)
def test_every_schema_comes_back_from_its_documents(made: list[tuple[str, str, object]]) -> None:
    schema = standard_schema()
    for step in made:
        try:
            schema = apply(schema, step)
        except StrongroomError as refusal:
            assert refusal.status < 500

    documents = [
        Document(d.kind, d.name, d.deleted, json.loads(json.dumps(d.body))) for d in diff_from_standard(schema)
    ]
    back = schema_from(documents, schema.version)

    assert back == schema
    assert list(back.tables["account"].columns) == list(schema.tables["account"].columns)
    assert back.privileges_by_name == schema.privileges_by_name


def test_an_unchanged_schema_has_no_documents(standard: Schema) -> None:
    assert diff_from_standard(standard) == []
    assert schema_from([], standard.version) is standard


def test_only_what_differs_is_kept(banked: Schema) -> None:
    names = {(d.kind, d.name) for d in diff_from_standard(banked) if d.kind is Kind.TABLE}

    assert names == {(Kind.TABLE, "new_bankaccount"), (Kind.TABLE, "principalobjectattributeaccess")}


def test_a_deleted_standard_part_stays_deleted(standard: Schema) -> None:
    schema = schema_from([Document(Kind.CHOICE, "budgetstatus", True, None)], 2)

    assert "budgetstatus" not in schema.choices
    assert [d.deleted for d in diff_from_standard(schema)] == [True]


@pytest.mark.parametrize("body", [{}, {"logical_name": "x", "colour": 1}])
def test_a_damaged_document_is_an_integrity_violation(body: dict[str, object]) -> None:
    with pytest.raises(IntegrityViolation, match="new_x"):
        schema_from([Document(Kind.TABLE, "new_x", False, body)], 2)
