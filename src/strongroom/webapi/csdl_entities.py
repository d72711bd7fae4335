"""Tables as entity types and entity sets of `$metadata` (WA-62 to WA-64, WA-66, WA-67).

Users and teams derive from `principal`, activities from `activitypointer`; a derived type does not repeat what its base
declares, but for the key (WA-63).
"""

from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from strongroom.schema.model import Column, ColumnType, Schema, Table

PRINCIPALS = frozenset({"systemuser", "team"})
_ACTIVITY = "activitypointer"

_TYPES = {
    ColumnType.BIGINT: "Edm.Int64",
    ColumnType.BOOLEAN: "Edm.Boolean",
    ColumnType.CUSTOMER: "Edm.Guid",
    ColumnType.DATETIME: "Edm.DateTimeOffset",
    ColumnType.DECIMAL: "Edm.Decimal",
    ColumnType.DOUBLE: "Edm.Double",
    ColumnType.ENTITYNAME: "Edm.String",
    ColumnType.FILE: "Edm.Guid",
    ColumnType.IMAGE: "Edm.Binary",
    ColumnType.INTEGER: "Edm.Int32",
    ColumnType.LOOKUP: "Edm.Guid",
    ColumnType.MEMO: "Edm.String",
    ColumnType.MONEY: "Edm.Decimal",
    ColumnType.MULTISELECT: "Edm.String",
    ColumnType.OWNER: "Edm.Guid",
    ColumnType.PICKLIST: "Edm.Int32",
    ColumnType.STATE: "Edm.Int32",
    ColumnType.STATUS: "Edm.Int32",
    ColumnType.STRING: "Edm.String",
    ColumnType.UNIQUEIDENTIFIER: "Edm.Guid",
}
"""Party lists and managed properties have no simple value on the wire and are not listed."""

_FACETS = {"Edm.String": ' Unicode="false"', "Edm.Decimal": ' Scale="Variable"'}


def base_types(schema: Schema, annotations: bool) -> str:
    """The abstract types that others derive from (WA-62)."""
    return (
        '<EntityType Name="crmbaseentity" Abstract="true"/>'
        '<EntityType Name="crmmodelbaseentity" Abstract="true"/>'
        '<EntityType Name="principal" BaseType="mscrm.crmbaseentity" Abstract="true">'
        '<Key><PropertyRef Name="ownerid"/></Key><Property Name="ownerid" Type="Edm.Guid" Nullable="false"/>'
        "</EntityType>" + _type(schema, schema.tables[_ACTIVITY], "crmbaseentity", annotations, ' Abstract="true"')
    )


def entity_type(schema: Schema, table: Table, annotations: bool) -> str:
    """One table as an entity type."""
    base = "crmbaseentity"
    if table.logical_name in PRINCIPALS:
        base = "principal"
    elif table.is_activity:
        base = _ACTIVITY
    return _type(schema, table, base, annotations)


def entity_set(schema: Schema, table: Table, annotations: bool) -> str:
    """One table as an entity set, with where its navigation properties lead (WA-66)."""
    bindings = "".join(
        f'<NavigationPropertyBinding Path="{path}" Target="{schema.tables[target].entity_set_name}"/>'
        for path, target in _bindings(schema, table)
    )
    tracking = ""
    if annotations and table.change_tracking:
        tracking = (
            '<Annotation Term="Org.OData.Capabilities.V1.ChangeTracking"><Record>'
            '<PropertyValue Property="Supported" Bool="true"/></Record></Annotation>'
        )
    start = f'<EntitySet Name="{table.entity_set_name}" EntityType="Microsoft.Dynamics.CRM.{table.logical_name}"'
    return f"{start}>{bindings}{tracking}</EntitySet>" if bindings or tracking else f"{start}/>"


def key_name(table: Table) -> str:
    """The property that is the key: of users and teams that of their base, `ownerid` (WA-76)."""
    return "ownerid" if table.logical_name in PRINCIPALS else table.primary_id


def _type(schema: Schema, table: Table, base: str, annotations: bool, more: str = "") -> str:
    inherited = _declared(schema, schema.tables[_ACTIVITY]) if base == _ACTIVITY else frozenset[str]()
    parts = [
        f'<EntityType Name="{table.logical_name}" BaseType="mscrm.{base}"{more}>'
        f'<Key><PropertyRef Name="{key_name(table)}"/></Key>'
    ]
    for column in table.columns.values():
        if column.valid_for_read and column.property_name not in inherited:
            parts.append(_property(table, column, annotations))
    parts += [text for name, text in _navigation(schema, table) if name not in inherited]
    if annotations:
        parts.append(_alternate_keys(table))
    parts.append("</EntityType>")
    return "".join(parts)


def _declared(schema: Schema, table: Table) -> frozenset[str]:
    names = {column.property_name for column in table.columns.values() if column.valid_for_read}
    return frozenset(names | {name for name, _ in _navigation(schema, table)})


def _property(table: Table, column: Column, annotations: bool) -> str:
    type_ = "Edm.Date" if column.is_date_only else _TYPES.get(column.type)
    if type_ is None:
        return ""
    nullable = ' Nullable="false"' if column.logical_name == table.primary_id else ""
    start = f'<Property Name="{column.property_name}" Type="{type_}"{nullable}{_FACETS.get(type_, "")}'
    if not annotations:
        return f"{start}/>"
    notes = ""
    if column.description or column.label:
        text = quoteattr(column.description or column.label)
        notes = f'<Annotation Term="Org.OData.Core.V1.Description" String={text}/>'
    if column.type.is_lookup or not (column.valid_for_create or column.valid_for_update):
        notes += (
            '<Annotation Term="Org.OData.Core.V1.Computed" Bool="true"/>'
            '<Annotation Term="Org.OData.Core.V1.Permissions">'
            "<EnumMember>Org.OData.Core.V1.PermissionType/Read</EnumMember></Annotation>"
        )
    return f"{start}>{notes}</Property>" if notes else f"{start}/>"


def _navigation(schema: Schema, table: Table) -> Iterator[tuple[str, str]]:
    """The navigation properties of a table: its lookups, the collections of its children, and its N:N ends."""
    name = table.logical_name
    owner = table.columns.get("ownerid")
    if owner is not None and owner.type is ColumnType.OWNER:
        constraint = '<ReferentialConstraint Property="_ownerid_value" ReferencedProperty="ownerid"/>'
        yield (
            "ownerid",
            f'<NavigationProperty Name="ownerid" Type="mscrm.principal" Nullable="false">{constraint}'
            "</NavigationProperty>",
        )
    for relationship in schema.parents_of(name):
        parent = schema.tables[relationship.referenced_table]
        column = table.columns[relationship.referencing_column]
        yield (
            relationship.lookup_nav,
            f'<NavigationProperty Name="{relationship.lookup_nav}" Type="mscrm.{parent.logical_name}" '
            f'Nullable="false" Partner="{relationship.collection_nav}"><ReferentialConstraint '
            f'Property="{column.property_name}" ReferencedProperty="{key_name(parent)}"/></NavigationProperty>',
        )
    for relationship in schema.children_of(name):
        yield (
            relationship.collection_nav,
            f'<NavigationProperty Name="{relationship.collection_nav}" '
            f'Type="Collection(mscrm.{relationship.referencing_table})" Partner="{relationship.lookup_nav}"/>',
        )
    for nav, other, partner in _many(schema, name):
        yield (
            nav,
            f'<NavigationProperty Name="{nav}" Type="Collection(mscrm.{other})" Partner="{partner}"/>',
        )


def _many(schema: Schema, name: str) -> Iterator[tuple[str, str, str]]:
    for association in schema.many_to_many.values():
        if association.table1 == name:
            yield association.nav1, association.table2, association.nav2
        if association.table2 == name and (association.table1 != name or association.nav1 != association.nav2):
            yield association.nav2, association.table1, association.nav1


def _bindings(schema: Schema, table: Table) -> Iterator[tuple[str, str]]:
    name = table.logical_name
    for relationship in schema.parents_of(name):
        yield relationship.lookup_nav, relationship.referenced_table
    for relationship in schema.children_of(name):
        yield relationship.collection_nav, relationship.referencing_table
    for nav, other, _ in _many(schema, name):
        yield nav, other


def _alternate_keys(table: Table) -> str:
    if not table.keys:
        return ""
    records: list[str] = []
    for key in table.keys:
        refs = "".join(
            '<Record Type="Org.OData.Core.V1.PropertyRef">'
            f'<PropertyValue Property="Name" PropertyPath="{table.columns[column].property_name}"/>'
            f'<PropertyValue Property="Alias" String="{column}"/></Record>'
            for column in key.columns
        )
        records.append(
            '<Record Type="Org.OData.Core.V1.AlternateKey"><PropertyValue Property="Key"><Collection>'
            f"{refs}</Collection></PropertyValue></Record>"
        )
    return (
        f'<Annotation Term="Org.OData.Core.V1.AlternateKeys"><Collection>{"".join(records)}</Collection></Annotation>'
    )
