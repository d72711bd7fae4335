"""`POST`, `PUT` and `DELETE` of metadata → the next schema (WA-340 to WA-353)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from strongroom.errors import InvalidRequest, MethodNotAllowed
from strongroom.schema import changes
from strongroom.schema.changes.options import DEFAULT_OPTION_PREFIX
from strongroom.schema.model import Column, ColumnType, ManyToMany, Schema, Table
from strongroom.webapi.definitions import requests
from strongroom.webapi.definitions.addresses import (
    Address,
    find_choice,
    find_column,
    find_key,
    find_relationship,
    find_table,
    no_such,
    read_address,
)
from strongroom.webapi.definitions.attributes import TYPE_NAMES
from strongroom.webapi.definitions.bodies import Json, as_object, check_type, objects, text, type_name
from strongroom.webapi.definitions.option_actions import OPTION_ACTIONS, run_option_action
from strongroom.webapi.definitions.relationships import MANY_TO_MANY_TYPE, ONE_TO_MANY_TYPE


@dataclass(frozen=True, slots=True)
class MetadataChange:
    """What a write makes of a schema.

    `entity_id_path` is the path of the made part below the service root, for `OData-EntityId` (without a leading
    slash); None when nothing was made. `answer` is the body of a 200, None for a 204. Whether existing rows allow the
    change (a shorter column, a new key) is not known here.
    """

    new_schema: Schema
    entity_id_path: str | None = None
    answer: dict[str, object] | None = None


@dataclass(frozen=True, slots=True)
class _Write:
    """A request on its way."""

    schema: Schema
    path: tuple[Address, ...]
    segments: tuple[str, ...]
    body: Json
    option_prefix: int


def write(
    schema: Schema,
    method: str,
    segments: Sequence[str],
    body: Mapping[str, object],
    headers: Mapping[str, str] | None = None,
    *,
    option_prefix: int = DEFAULT_OPTION_PREFIX,
) -> MetadataChange:
    """The change that a metadata request asks for, in one step: the version of the new schema is one higher.

    `option_prefix` numbers options without a value (WA-350). `headers` have no say yet: labels are kept in one
    language, so `MSCRM.MergeLabels` merges nothing.
    """
    del headers
    path, handler = _routed(method, segments)
    change = handler(_Write(schema, path, tuple(segments), body, option_prefix))
    return replace(change, new_schema=replace(change.new_schema, version=schema.version + 1))


def require_method(method: str, segments: Sequence[str]) -> None:
    """404 when metadata has no such path, 405 when it does not take the method there (WA-55)."""
    _routed(method, segments)


_Handler = Callable[[_Write], MetadataChange]


def _routed(method: str, segments: Sequence[str]) -> tuple[tuple[Address, ...], _Handler]:
    if not segments:
        raise no_such("")
    path = tuple(read_address(segment) for segment in segments)
    handlers = _handlers(path)
    handler = handlers.get(method)
    if handler is None:
        allowed = ", ".join(("GET", "HEAD", *handlers))
        raise MethodNotAllowed(
            f"The requested resource does not support http method '{method}'.", details={"allow": allowed}
        )
    return path, handler


def _handlers(path: tuple[Address, ...]) -> dict[str, _Handler]:
    """What each method does at a path; 404 when metadata has no such path."""
    names = tuple(address.name for address in path)
    has_key = path[-1].key is not None
    match names:
        case ("EntityDefinitions",):
            return {"PUT": _put_table, "DELETE": _delete_table} if has_key else {"POST": _post_table}
        case ("EntityDefinitions", "Attributes"):
            return {"PUT": _put_column, "DELETE": _delete_column} if has_key else {"POST": _post_column}
        case ("EntityDefinitions", "Attributes", str()) if path[2].cast is not None:
            return {"PUT": _put_column}
        case ("EntityDefinitions", "Keys"):
            return {"DELETE": _delete_key} if has_key else {"POST": _post_key}
        case ("RelationshipDefinitions",) | ("RelationshipDefinitions", str()):
            if path[0].key is None:
                return {"POST": _post_relationship}
            return {"PUT": _put_relationship, "DELETE": _delete_relationship}
        case ("GlobalOptionSetDefinitions",) | ("GlobalOptionSetDefinitions", str()):
            if path[0].key is None:
                return {"POST": _post_choice}
            return {"PUT": _put_choice, "DELETE": _delete_choice}
        case ("CreateEntities",):
            return {"POST": _create_entities}
        case ("CreatePolymorphicLookupAttribute",) | ("CreateCustomerRelationships",):
            return {"POST": _create_multi_table_lookup}
        case (str() as name,) if name in OPTION_ACTIONS and not has_key:
            return {"POST": _act_on_option}
        case ("EntityDefinitions", str(), *_) | ("ManagedPropertyDefinitions", *_):
            return {}
        case _:
            raise no_such(names[-1])


# --- tables ------------------------------------------------------------------------------------------------------


def _post_table(request: _Write) -> MetadataChange:
    schema, table = _with_table(request.schema, request.body, request.option_prefix)
    return MetadataChange(schema, f"EntityDefinitions({table.metadata_id})")


def _create_entities(request: _Write) -> MetadataChange:
    """Several tables with their columns at once (WA-341)."""
    bodies = objects(request.body, "Entities")
    if not bodies:
        raise InvalidRequest("CreateEntities needs at least one entry in Entities.")
    schema = request.schema
    ids: list[object] = []
    for body in bodies:
        schema, table = _with_table(schema, body, request.option_prefix)
        ids.append(table.metadata_id)
    return MetadataChange(schema, answer={"EntityIds": ids})


def _with_table(schema: Schema, body: Json, option_prefix: int) -> tuple[Schema, Table]:
    wanted = requests.new_table(schema, body)
    schema = changes.create_table(schema, wanted, option_prefix=option_prefix)
    return schema, schema.tables[wanted.schema_name.lower()]


def _put_table(request: _Write) -> MetadataChange:
    table = find_table(request.schema, request.path[0])
    for name, present in (
        ("SchemaName", table.schema_name),
        ("LogicalName", table.logical_name),
        ("OwnershipType", table.ownership.value),
        ("EntitySetName", table.entity_set_name),
    ):
        given = text(request.body, name)
        if given is not None and given != present:
            raise InvalidRequest(f"The {name} of table '{table.logical_name}' cannot be changed to '{given}'.")
    schema = changes.replace_table(request.schema, table.logical_name, requests.table_change(request.body))
    return MetadataChange(schema)


def _delete_table(request: _Write) -> MetadataChange:
    table = find_table(request.schema, request.path[0])
    return MetadataChange(changes.delete_table(request.schema, table.logical_name))


# --- columns and keys --------------------------------------------------------------------------------------------


def _post_column(request: _Write) -> MetadataChange:
    table = find_table(request.schema, request.path[0])
    wanted = requests.new_column(request.schema, request.body)
    schema = changes.create_column(request.schema, table.logical_name, wanted, option_prefix=request.option_prefix)
    made = schema.tables[table.logical_name].columns[wanted.schema_name.lower()]
    return MetadataChange(schema, f"{request.segments[0]}/Attributes({made.metadata_id})")


def _put_column(request: _Write) -> MetadataChange:
    table = find_table(request.schema, request.path[0])
    column = find_column(table, request.path[1])
    body = _typed(column, request)
    schema = changes.replace_column(
        request.schema,
        table.logical_name,
        column.logical_name,
        requests.new_column(request.schema, body),
        option_prefix=request.option_prefix,
    )
    return MetadataChange(schema)


def _typed(column: Column, request: _Write) -> Json:
    """The body with the column's own type, when it names none; a cast segment must fit, too."""
    own = TYPE_NAMES[column.type]
    cast = request.path[2].cast if len(request.path) > 2 else None
    if cast is not None and cast != own:
        raise InvalidRequest(f"The column '{column.logical_name}' is a {own}, not a {cast}.")
    if type_name(request.body) is None:
        return {**request.body, "@odata.type": f"Microsoft.Dynamics.CRM.{own}"}
    return request.body


def _delete_column(request: _Write) -> MetadataChange:
    table = find_table(request.schema, request.path[0])
    column = find_column(table, request.path[1])
    return MetadataChange(changes.delete_column(request.schema, table.logical_name, column.logical_name))


def _post_key(request: _Write) -> MetadataChange:
    table = find_table(request.schema, request.path[0])
    wanted = requests.new_key(request.body)
    schema = changes.create_key(request.schema, table.logical_name, wanted)
    made = schema.tables[table.logical_name].keys[-1]
    path = f"{request.segments[0]}/Keys({made.metadata_id})"
    return MetadataChange(schema, path)


def _delete_key(request: _Write) -> MetadataChange:
    table = find_table(request.schema, request.path[0])
    return MetadataChange(changes.delete_key(request.schema, table.logical_name, find_key(table, request.path[1])))


# --- relationships -----------------------------------------------------------------------------------------------


def _post_relationship(request: _Write) -> MetadataChange:
    kind = type_name(request.body)
    if kind is None and len(request.path) > 1:
        kind = request.path[1].cast
    if kind == ONE_TO_MANY_TYPE:
        wanted = requests.new_relationship(request.body)
        _check_referenced(request.schema, wanted.referenced_table, request.body)
        lookup = requests.new_lookup(request.schema, request.body)
        schema = changes.create_lookup(request.schema, lookup, [wanted])
        id_ = schema.relationships[wanted.schema_name].metadata_id
    elif kind == MANY_TO_MANY_TYPE:
        association = requests.new_association(request.body)
        schema = changes.create_association(request.schema, association)
        id_ = schema.many_to_many[association.schema_name].metadata_id
    else:
        raise InvalidRequest(
            f"A relationship needs the @odata.type Microsoft.Dynamics.CRM.{ONE_TO_MANY_TYPE} or "
            f"Microsoft.Dynamics.CRM.{MANY_TO_MANY_TYPE}."
        )
    return MetadataChange(schema, f"RelationshipDefinitions({id_})")


def _check_referenced(schema: Schema, name: str, body: Json) -> None:
    """Only the primary key can be referenced. Clients guess its name as `<table>id`, also where it differs."""
    given = text(body, "ReferencedAttribute")
    table = schema.tables.get(name)
    if given and table is not None and given.lower() not in (table.primary_id, f"{name}id"):
        raise InvalidRequest(
            f"The ReferencedAttribute '{given}' is not the primary key '{table.primary_id}' of '{name}'."
        )


def _create_multi_table_lookup(request: _Write) -> MetadataChange:
    """One lookup to several tables (WA-348)."""
    bodies = objects(request.body, "OneToManyRelationships")
    wanted = [requests.new_relationship(body) for body in bodies]
    lookup = requests.new_lookup(request.schema, request.body)
    if request.path[0].name == "CreateCustomerRelationships":
        lookup = replace(lookup, type=ColumnType.CUSTOMER)
    schema = changes.create_lookup(request.schema, lookup, wanted)
    table = schema.tables[wanted[0].referencing_table]
    return MetadataChange(
        schema,
        answer={
            "RelationshipIds": [schema.relationships[new.schema_name].metadata_id for new in wanted],
            "AttributeId": table.columns[lookup.schema_name.lower()].metadata_id,
        },
    )


def _put_relationship(request: _Write) -> MetadataChange:
    found = find_relationship(request.schema, request.path[0])
    if isinstance(found, ManyToMany):
        check_type(request.body, MANY_TO_MANY_TYPE)
        return MetadataChange(request.schema)
    check_type(request.body, ONE_TO_MANY_TYPE)
    cascade = found.cascade
    if request.body.get("CascadeConfiguration") is not None:
        as_object(request.body["CascadeConfiguration"], "CascadeConfiguration")
        cascade = requests.cascade(request.body)
    wanted = request.body.get("IsHierarchical")
    is_hierarchical = found.is_hierarchical if wanted is None else wanted is True
    return MetadataChange(
        changes.replace_relationship(request.schema, found.schema_name, cascade, is_hierarchical=is_hierarchical)
    )


def _delete_relationship(request: _Write) -> MetadataChange:
    found = find_relationship(request.schema, request.path[0])
    return MetadataChange(changes.delete_relationship(request.schema, found.schema_name))


# --- global choices ----------------------------------------------------------------------------------------------


def _post_choice(request: _Write) -> MetadataChange:
    wanted = requests.new_choice(request.body)
    schema = changes.create_choice(request.schema, wanted, option_prefix=request.option_prefix)
    id_ = schema.choices[wanted.name.lower()].metadata_id
    return MetadataChange(schema, f"GlobalOptionSetDefinitions({id_})")


def _put_choice(request: _Write) -> MetadataChange:
    choice = find_choice(request.schema, request.path[0])
    wanted = requests.new_choice({"Name": choice.name, **request.body})
    if wanted.name.lower() != choice.name:
        raise InvalidRequest(f"The name of the choice '{choice.name}' cannot be changed to '{wanted.name}'.")
    return MetadataChange(
        changes.replace_choice(request.schema, choice.name, wanted, option_prefix=request.option_prefix)
    )


def _delete_choice(request: _Write) -> MetadataChange:
    choice = find_choice(request.schema, request.path[0])
    return MetadataChange(changes.delete_choice(request.schema, choice.name))


def _act_on_option(request: _Write) -> MetadataChange:
    schema, answer = run_option_action(request.schema, request.path[0].name, request.body, request.option_prefix)
    return MetadataChange(schema, answer=answer)
