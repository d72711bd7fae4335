"""Segments of metadata paths: names, keys and casts."""

from dataclasses import dataclass

from strongroom.errors import InvalidRequest, NotFound, ResourceNotFound
from strongroom.ids import parse_guid
from strongroom.schema.model import Choice, Column, ManyToMany, Relationship, Schema, Table
from strongroom.webapi.definitions.shapes import NAMESPACE

_PREFIX = f"{NAMESPACE}."


@dataclass(frozen=True, slots=True)
class Address:
    """One segment: `Attributes`, `EntityDefinitions(LogicalName='account')`. `key` is (name, value); the name of a
    bare id is `MetadataId`."""

    name: str
    key: tuple[str, str] | None = None

    @property
    def cast(self) -> str | None:
        """The type name behind the namespace, when this is a cast segment."""
        return self.name.removeprefix(_PREFIX) if self.name.startswith(_PREFIX) else None


def read_address(segment: str) -> Address:
    """The parts of one segment of the path; 400 when its key is malformed."""
    name, opening, rest = segment.partition("(")
    if not opening:
        return Address(name)
    if not rest.endswith(")"):
        raise InvalidRequest(f"The segment '{segment}' has no closing parenthesis.", code="0x80060888")
    text = rest[:-1].strip()
    key_name, equals, value = text.partition("=")
    if not equals:
        return Address(name, ("MetadataId", _id(text, segment)))
    key_name, value = key_name.strip(), value.strip()
    if key_name == "MetadataId":
        return Address(name, (key_name, _id(value, segment)))
    if len(value) < 2 or value[0] not in "'\"" or value[-1] != value[0]:
        raise InvalidRequest(f"The key value {value} in '{segment}' is not a quoted text.", code="0x80060888")
    return Address(name, (key_name, value[1:-1].replace(value[0] * 2, value[0])))


def _id(text: str, segment: str) -> str:
    found = parse_guid(text.strip("'\""))
    if found is None:
        raise InvalidRequest(f"The key in '{segment}' is not a GUID.", code="0x80060888")
    return found


def find_table(schema: Schema, address: Address) -> Table:
    """The table of `EntityDefinitions(…)`; 404 when there is none."""
    key, value = _key(address, "LogicalName", "SchemaName", "EntitySetName")
    match key:
        case "LogicalName":
            found = schema.tables.get(value.lower())
        case "EntitySetName":
            found = schema.entity_sets.get(value)
        case "SchemaName":
            found = next((table for table in schema.tables.values() if table.schema_name == value), None)
        case _:
            found = next((table for table in schema.tables.values() if table.metadata_id == value), None)
    if found is None:
        raise NotFound(f"Could not find an entity with {key} '{value}' in the metadata.")
    return found


def find_column(table: Table, address: Address) -> Column:
    """The column of `Attributes(…)`; 404 when there is none."""
    key, value = _key(address, "LogicalName", "SchemaName")
    for column in table.columns.values():
        if (
            value in (column.metadata_id, column.logical_name, column.schema_name)
            and value
            == {
                "MetadataId": column.metadata_id,
                "LogicalName": column.logical_name,
                "SchemaName": column.schema_name,
            }[key]
        ):
            return column
    if key == "LogicalName" and value.lower() in table.columns:
        return table.columns[value.lower()]
    raise NotFound(
        f"Could not find an attribute with {key} '{value}' on the entity '{table.logical_name}' in the metadata."
    )


def find_key(table: Table, address: Address) -> str:
    """The logical name of the key of `Keys(…)`; 404 when there is none."""
    key, value = _key(address, "LogicalName", "SchemaName")
    for found in table.keys:
        values = {"MetadataId": found.metadata_id, "LogicalName": found.logical_name, "SchemaName": found.schema_name}
        if values[key] == value:
            return found.logical_name
    raise NotFound(f"Could not find a key with {key} '{value}' on the entity '{table.logical_name}'.")


def find_relationship(schema: Schema, address: Address) -> Relationship | ManyToMany:
    """The relationship of `RelationshipDefinitions(…)`; 404 when there is none."""
    key, value = _key(address, "SchemaName")
    if key == "SchemaName":
        found = schema.relationships.get(value) or schema.many_to_many.get(value)
        if found is not None:
            return found
    for item in (*schema.relationships.values(), *schema.many_to_many.values()):
        if value == item.metadata_id or (key == "SchemaName" and item.schema_name.lower() == value.lower()):
            return item
    raise NotFound(f"Could not find a relationship with {key} '{value}' in the metadata.")


def find_choice(schema: Schema, address: Address) -> Choice:
    """The choice of `GlobalOptionSetDefinitions(…)`; 404 when there is none."""
    key, value = _key(address, "Name")
    for choice in schema.choices.values():
        if value == choice.metadata_id or (key == "Name" and choice.name == value.lower()):
            return choice
    raise NotFound(f"Could not find an optionset with {key} '{value}' in the metadata.")


def no_such(segment: str) -> ResourceNotFound:
    """404: the segment names nothing here."""
    return ResourceNotFound(f"Resource not found for the segment '{segment}'.")


def _key(address: Address, *names: str) -> tuple[str, str]:
    if address.key is None:
        raise InvalidRequest(f"The segment '{address.name}' needs a key.")
    if address.key[0] not in ("MetadataId", *names):
        raise InvalidRequest(
            f"The key in the request URI is not valid for resource '{address.name}': '{address.key[0]}' is not one of "
            f"MetadataId, {', '.join(names)}.",
            code="0x80060888",
        )
    return address.key
