"""Tables in an OpenAPI document: what a row holds, what may be written, and where rows are read and written."""

from collections.abc import Iterator

from strongroom.query.odata.edm import edm_type
from strongroom.schema.model import Column, ColumnType, Ownership, Schema, Table
from strongroom.webapi.openapi.parts import Json, described, object_of, parameter, primitive, ref, responses

_LIST = ("filter", "orderby", "expand", "top", "count", "apply", "fetchXml", "savedQuery", "userQuery")
_CONTENTS = (ColumnType.FILE, ColumnType.IMAGE)


def row_schemas(schema: Schema, table: Table) -> Iterator[tuple[str, Json]]:
    """The schemas of one table: a row as it is read, as it is written, and a page of rows."""
    name = table.logical_name
    etag: Json = {"@odata.etag": {"type": "string"}}
    yield name, {"title": table.label, **object_of(etag | _read(table))}
    yield f"{name}.write", {"title": table.label, **object_of(_written(schema, table))}
    page: Json = {
        "@odata.context": {"type": "string"},
        "@odata.count": {"type": "integer"},
        "@odata.nextLink": {"type": "string"},
        "@odata.deltaLink": {"type": "string"},
        "value": {"type": "array", "items": ref(name)},
    }
    yield f"{name}.page", object_of(page, ("@odata.context", "value"))


def row_paths(schema: Schema, table: Table) -> Iterator[tuple[str, Json]]:
    """The set, the number of its rows, one row, and the contents of its file columns."""
    entity_set, name = table.entity_set_name, table.logical_name
    yield f"/{entity_set}", _set(table)
    counted: dict[str, Json] = {
        "200": {"description": "The number.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    }
    count: Json = {
        "operationId": f"{entity_set}_count",
        "tags": [name],
        "summary": f"How many rows of {name} there are, up to 5000",
        "parameters": [parameter("filter"), parameter("deltatoken")],
        "responses": responses(counted),
    }
    yield f"/{entity_set}/$count", {"get": count}
    row = f"/{entity_set}({{{table.primary_id}}})"
    yield row, _row(table)
    for column in table.columns.values():
        if column.type in _CONTENTS:
            yield f"{row}/{column.logical_name}/$value", _content(table, column)


def id_parameter(table: Table) -> Json:
    """The key of a row in a path."""
    return {
        "name": table.primary_id,
        "in": "path",
        "required": True,
        "description": f"The id of a row of {table.logical_name}, or an alternate key: column='value',….",
        "schema": primitive("Edm.Guid"),
    }


def _set(table: Table) -> Json:
    entity_set, name = table.entity_set_name, table.logical_name
    listed: Json = {
        "operationId": f"{entity_set}_list",
        "tags": [name],
        "summary": f"Rows of {name}",
        "parameters": [
            _select(table),
            *map(parameter, _LIST),
            parameter("skiptoken"),
            parameter("deltatoken"),
            parameter("prefer"),
        ],
        "responses": responses({"200": described("A page of rows.", ref(f"{name}.page"))}),
    }
    created = described("The new row.", ref(name), ("OData-EntityId",))
    create: Json = {
        "operationId": f"{entity_set}_create",
        "tags": [name],
        "summary": f"A new row of {name}",
        "parameters": [_select(table), parameter("prefer")],
        "requestBody": _body(table),
        "responses": responses({"204": described("It is there.", None, ("OData-EntityId",)), "201": created}),
    }
    return {"get": listed, "post": create} if not table.is_intersect else {"get": listed}


def _row(table: Table) -> Json:
    entity_set, name = table.entity_set_name, table.logical_name
    read: Json = {
        "operationId": f"{entity_set}_get",
        "tags": [name],
        "summary": f"One row of {name}",
        "parameters": [_select(table), parameter("expand"), parameter("prefer"), parameter("if-none-match")],
        "responses": responses(
            {"200": described("The row.", ref(name), ("ETag",)), "304": described("The client has it already.")}
        ),
    }
    changed: dict[str, Json] = {
        "204": described("It is changed, or was made.", None, ("OData-EntityId",)),
        "200": described("The changed row.", ref(name)),
        "201": described("The new row.", ref(name), ("OData-EntityId",)),
    }
    update: Json = {
        "operationId": f"{entity_set}_update",
        "tags": [name],
        "summary": f"Change a row of {name}, or make it where it is not there and If-Match does not say otherwise",
        "parameters": [_select(table), parameter("prefer"), parameter("if-match"), parameter("if-none-match")],
        "requestBody": _body(table),
        "responses": responses(changed),
    }
    delete: Json = {
        "operationId": f"{entity_set}_delete",
        "tags": [name],
        "summary": f"Delete a row of {name}",
        "parameters": [parameter("if-match")],
        "responses": responses({"204": described("It is gone.")}),
    }
    verbs: Json = {"parameters": [id_parameter(table)], "get": read}
    return verbs if table.is_intersect else verbs | {"patch": update, "delete": delete}


def _content(table: Table, column: Column) -> Json:
    binary = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    read: Json = {
        "operationId": f"{table.entity_set_name}_{column.logical_name}_content",
        "tags": [table.logical_name],
        "summary": f"The content of {column.logical_name}",
        "responses": responses(
            {"200": {"description": "All of it.", "content": binary}, "204": described("There is none.")}
        ),
    }
    return {"parameters": [id_parameter(table)], "get": read}


def _body(table: Table) -> Json:
    return {"required": True, "content": {"application/json": {"schema": ref(f"{table.logical_name}.write")}}}


def _select(table: Table) -> Json:
    return {
        "name": "$select",
        "in": "query",
        "description": "Which columns; all of them without it.",
        "style": "form",
        "explode": False,
        "schema": {"type": "array", "items": {"type": "string", "enum": sorted(_read(table))}},
    }


def _read(table: Table) -> Json:
    """The properties of a row. Any of them but the key may be null."""
    found: Json = {}
    for column in table.columns.values():
        type_ = edm_type(column)
        if column.valid_for_read and type_.startswith("Edm.") and column.type is not ColumnType.MANAGEDPROPERTY:
            is_key = column.logical_name == table.primary_id
            found[column.property_name] = _of(column, type_) | ({} if is_key else {"nullable": True})
    return found


def _written(schema: Schema, table: Table) -> Json:
    """What may be set: columns by their values, lookups by the address of a row."""
    found: Json = {}
    for column in table.columns.values():
        type_ = edm_type(column)
        is_open = column.valid_for_create or column.valid_for_update
        if is_open and type_.startswith("Edm.") and not column.type.is_lookup and column.type is not ColumnType.FILE:
            is_key = column.logical_name == table.primary_id
            found[column.logical_name] = _of(column, type_) | _bounds(column) | ({} if is_key else {"nullable": True})
    for relationship in schema.parents_of(table.logical_name):
        if table.columns[relationship.referencing_column].valid_for_create:
            entity_set = schema.tables[relationship.referenced_table].entity_set_name
            found[f"{relationship.lookup_nav}@odata.bind"] = _address(entity_set)
    if table.ownership is Ownership.USER:
        found["ownerid@odata.bind"] = _address("systemusers") | {"example": "/teams(…)"}
    return found


def _address(entity_set: str) -> Json:
    return {"type": "string", "nullable": True, "description": f"/{entity_set}(<id>); null clears."}


def _of(column: Column, type_: str) -> Json:
    found = primitive(type_)
    if column.label:
        found["title"] = column.label
    if column.description:
        found["description"] = column.description
    if column.options and column.type is not ColumnType.MULTISELECT and type_ == "Edm.Int32":
        told = ", ".join(f"{option.value} {option.label}" for option in column.options)
        found["description"] = "\n".join(part for part in (column.description, told) if part)
    return found


def _bounds(column: Column) -> Json:
    """What a new value must keep to. A value that is there already may be older than that."""
    found: Json = {}
    if column.type.is_text and column.max_length is not None:
        found["maxLength"] = column.max_length
    if column.type is ColumnType.INTEGER:
        found |= {
            name: int(bound)
            for name, bound in (("minimum", column.minimum), ("maximum", column.maximum))
            if bound is not None
        }
    elif column.type in (ColumnType.DECIMAL, ColumnType.DOUBLE, ColumnType.MONEY):
        found |= {
            name: bound
            for name, bound in (("minimum", column.minimum), ("maximum", column.maximum))
            if bound is not None
        }
    if column.type.is_choice and column.options and column.type is not ColumnType.MULTISELECT:
        found["enum"] = [*(option.value for option in column.options), None]
    return found
