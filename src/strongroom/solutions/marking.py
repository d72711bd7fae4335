"""Marking parts of the metadata as managed, with the managed properties that their maker switched off."""

from collections.abc import Mapping
from dataclasses import replace

from strongroom.schema.build import next_version
from strongroom.schema.model import Choice, Column, ManyToMany, Relationship, Schema, Table
from strongroom.solutions.contents import metadata_components
from strongroom.solutions.definitions import Found, by_id, definition_of, parts_of
from strongroom.solutions.layering import Layering
from strongroom.solutions.layers import own_layer
from strongroom.solutions.model import Solution

Marks = Mapping[str, tuple[str, ...] | None]
"""By the id of a part: the managed properties that are off, or None for a part that is managed no longer."""


def marked(schema: Schema, solution: Solution, layering: Layering) -> Schema:
    """The metadata in which all custom parts of a managed solution are managed. Who brought a part first says which of
    its managed properties are off. What the solution made is noted as its layer."""
    known = by_id(schema)
    marks: dict[str, tuple[str, ...] | None] = {}
    for component in metadata_components(schema, solution):
        found = known.get(component.id)
        if found is None or not found.part.is_custom:
            continue
        withheld = solution.withheld.get((found.kind, found.name), ())
        key = (component.type, component.id)
        layering.bring(key, found.name, definition_of(found.part), withheld)
        layers = layering.layers.get(key, ())
        own = own_layer(layers, layering.solution)
        if not layers or own is layers[0]:
            marks[component.id] = withheld
    return with_marks(schema, marks)


def with_marks(schema: Schema, marks: Marks) -> Schema:
    """The metadata with other marks; `schema` itself when nothing changes."""
    tables: dict[str, Table] = {}
    choices, relationships, many = dict(schema.choices), dict(schema.relationships), dict(schema.many_to_many)
    is_other = False
    for found in parts_of(schema):
        if found.part.metadata_id not in marks or _is_marked(found, marks):
            continue
        is_other = True
        withheld = marks[found.part.metadata_id]
        facts = (withheld is not None, withheld or ())
        match found.part:
            case Table(logical_name=name):
                table = tables.get(name, schema.tables[name])
                tables[name] = replace(table, is_managed=facts[0], withheld=facts[1])
            case Column(logical_name=name) as column:
                table = tables.get(found.table or "", schema.tables[found.table or ""])
                column = replace(column, is_managed=facts[0], withheld=facts[1])
                tables[table.logical_name] = replace(table, columns={**table.columns, name: column})
            case Choice() as choice:
                choices[choice.name] = replace(choice, is_managed=facts[0], withheld=facts[1])
            case Relationship(schema_name=name) as relationship:
                relationships[name] = replace(relationship, is_managed=facts[0], withheld=facts[1])
            case ManyToMany(schema_name=name) as association:
                many[name] = replace(association, is_managed=facts[0], withheld=facts[1])
    if not is_other:
        return schema
    return next_version(
        schema,
        tables={**schema.tables, **tables},
        choices=choices,
        relationships=relationships,
        many_to_many=many,
    )


def _is_marked(found: Found, marks: Marks) -> bool:
    withheld = marks[found.part.metadata_id]
    return (found.part.is_managed, found.part.withheld) == (withheld is not None, withheld or ())
