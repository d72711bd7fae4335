"""Functions and actions in an OpenAPI document.

The arguments of a function go as parameter aliases, because what stands between the parentheses of a path cannot be
described otherwise: `/WhoAmI()`, `/RetrieveTotalRecordCount(EntityNames=@EntityNames)?@EntityNames=["account"]`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from strongroom.schema.model import Table
from strongroom.webapi.openapi.parts import Json, described, object_of, parameter, primitive, ref, responses
from strongroom.webapi.openapi.rows import id_parameter
from strongroom.webapi.operations_model import ListedOperation, ListedParameter


@dataclass(frozen=True, slots=True)
class Types:
    """The names of the types that operations take and answer, besides tables."""

    complexes: frozenset[str]
    enums: frozenset[str]

    @classmethod
    def of(cls, listed: Iterable[ListedOperation]) -> "Types":
        """The types of all `listed` operations."""
        operations = list(listed)
        return cls(
            frozenset(each.name for operation in operations for each in operation.complex_types),
            frozenset(each.name for operation in operations for each in operation.enum_types),
        )

    def schema(self, type_: str) -> Json:
        """The schema of a type as `$metadata` names it; rows of tables are objects of whatever form."""
        if type_.startswith("Collection("):
            return {"type": "array", "items": self.schema(type_[len("Collection(") : -1])}
        if type_.startswith("Edm."):
            return primitive(type_)
        name = type_.rpartition(".")[2]
        if name in self.enums:
            return ref(f"enum.{name}")
        return ref(f"type.{name}") if name in self.complexes else {"type": "object"}


def call_schemas(listed: Sequence[ListedOperation]) -> Iterator[tuple[str, Json]]:
    """The complex and enum types that the operations use."""
    types = Types.of(listed)
    for operation in listed:
        for enum in operation.enum_types:
            # Several members of a flags enumeration are one text: "ReadAccess, WriteAccess".
            names: Json = {} if enum.is_flags else {"enum": [name for name, _ in enum.members]}
            yield f"enum.{enum.name}", {"type": "string", **names}
        for complex_ in operation.complex_types:
            properties: Json = {name: _nullable(types.schema(type_)) for name, type_ in complex_.properties}
            yield f"type.{complex_.name}", object_of(properties)


def call_paths(listed: Sequence[ListedOperation], shown: Iterable[Table]) -> Iterator[tuple[str, Json]]:
    """Where the operations are called: unbound ones at the root, bound ones on the rows of the shown tables."""
    types = Types.of(listed)
    tables = {table.logical_name: table for table in shown}
    for operation in listed:
        if operation.binding_type is None:
            yield _unbound(operation, types)
        elif operation.binding_type.startswith("Collection("):
            for table in tables.values():
                if not table.is_intersect:
                    yield _of_set(operation, table, types)
        else:
            table = tables.get(operation.binding_type.removeprefix("mscrm."))
            if table is not None:
                yield _of_row(operation, table, types)


def _unbound(operation: ListedOperation, types: Types) -> tuple[str, Json]:
    name = operation.import_name or operation.name
    return _path(operation, f"/{name}"), _verb(operation, types, name, "operations", ())


def _of_row(operation: ListedOperation, table: Table, types: Types) -> tuple[str, Json]:
    place = f"/{table.entity_set_name}({{{table.primary_id}}})/{_full_name(operation)}"
    name = f"{table.entity_set_name}_{operation.name}"
    return _path(operation, place), _verb(operation, types, name, table.logical_name, (id_parameter(table),))


def _of_set(operation: ListedOperation, table: Table, types: Types) -> tuple[str, Json]:
    place = f"/{table.entity_set_name}/{_full_name(operation)}"
    name = f"{table.entity_set_name}_{operation.name}"
    return place, _verb(operation, types, name, table.logical_name, ())


def _full_name(operation: ListedOperation) -> str:
    return f"{'Strongroom' if operation.is_own else 'Microsoft.Dynamics.CRM'}.{operation.name}"


def _path(operation: ListedOperation, place: str) -> str:
    if not operation.is_function:
        return place
    return f"{place}({','.join(f'{each.name}=@{each.name}' for each in _required(operation))})"


def _required(operation: ListedOperation) -> list[ListedParameter]:
    return [each for each in operation.parameters if not each.is_nullable]


def _verb(operation: ListedOperation, types: Types, name: str, tag: str, shared: tuple[Json, ...]) -> Json:
    found: Json = {"operationId": name, "tags": [tag], "responses": _responses(operation, types)}
    arguments: list[Json] = []
    if operation.is_function:
        arguments = [_alias(each) for each in _required(operation)]
    elif operation.parameters:
        body = object_of(
            {each.name: types.schema(each.type) for each in operation.parameters},
            [each.name for each in _required(operation)],
        )
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    found["parameters"] = [*shared, *arguments, parameter("prefer")]
    return {"get" if operation.is_function else "post": found}


def _alias(each: ListedParameter) -> Json:
    return {
        "name": f"@{each.name}",
        "in": "query",
        "required": True,
        "description": f"A literal of {each.type}: text in single quotes, rows as {{'@odata.id':'accounts(<id>)'}}.",
        "schema": {"type": "string"},
    }


def _responses(operation: ListedOperation, types: Types) -> Json:
    if operation.return_type is None:
        return responses({"204": described("Done.")})
    body: Json = (
        {"type": "object"} if operation.return_type.startswith("Collection(") else types.schema(operation.return_type)
    )
    return responses({"200": described("The answer.", body)})


def _nullable(schema: Json) -> Json:
    """A reference cannot say so itself."""
    return {"allOf": [schema], "nullable": True} if "$ref" in schema else schema | {"nullable": True}
