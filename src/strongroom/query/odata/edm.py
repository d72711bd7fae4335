"""The types that OData speaks of: Edm names of columns, and how tables are named in messages and annotations."""

from strongroom.schema.model import Column, ColumnType, Table

NAMESPACE = "Microsoft.Dynamics.CRM"

PRINCIPALS = frozenset({"systemuser", "team"})
"""Tables derived from `principal`: their rows have a second name for their id, `ownerid` (WA-76, WA-211)."""

_EDM = {
    ColumnType.STRING: "Edm.String",
    ColumnType.MEMO: "Edm.String",
    ColumnType.ENTITYNAME: "Edm.String",
    ColumnType.MULTISELECT: "Edm.String",
    ColumnType.INTEGER: "Edm.Int32",
    ColumnType.PICKLIST: "Edm.Int32",
    ColumnType.STATE: "Edm.Int32",
    ColumnType.STATUS: "Edm.Int32",
    ColumnType.BIGINT: "Edm.Int64",
    ColumnType.DECIMAL: "Edm.Decimal",
    ColumnType.MONEY: "Edm.Decimal",
    ColumnType.DOUBLE: "Edm.Double",
    ColumnType.BOOLEAN: "Edm.Boolean",
    ColumnType.MANAGEDPROPERTY: "Edm.Boolean",
    ColumnType.DATETIME: "Edm.DateTimeOffset",
    ColumnType.UNIQUEIDENTIFIER: "Edm.Guid",
    ColumnType.LOOKUP: "Edm.Guid",
    ColumnType.CUSTOMER: "Edm.Guid",
    ColumnType.OWNER: "Edm.Guid",
    ColumnType.FILE: "Edm.Guid",
    ColumnType.IMAGE: "Edm.Binary",
    ColumnType.PARTYLIST: "Collection(Microsoft.Dynamics.CRM.activityparty)",
}

NUMBERS = frozenset({"Edm.Int32", "Edm.Int64", "Edm.Decimal", "Edm.Double"})


def edm_type(column: Column) -> str:
    """The Edm type of the column's value on the wire (WA-81 to WA-98)."""
    return "Edm.Date" if column.is_date_only else _EDM[column.type]


def type_name(table: Table) -> str:
    """`Microsoft.Dynamics.CRM.account`."""
    return f"{NAMESPACE}.{table.logical_name}"
