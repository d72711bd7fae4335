"""Which columns of a table people want to see first, and what each is called."""

from collections.abc import Sequence

from strongroom.schema.model import Column, ColumnType, RequiredLevel, SourceType, Table

MOST_COLUMNS = 12

_FIRST: dict[str, tuple[str, ...]] = {
    "account": ("name", "accountnumber", "telephone1", "address1_city", "primarycontactid", "revenue", "ownerid"),
    "contact": ("fullname", "jobtitle", "emailaddress1", "telephone1", "parentcustomerid", "ownerid"),
    "opportunity": ("name", "customerid", "estimatedvalue", "estimatedclosedate", "statuscode", "ownerid"),
    "incident": ("title", "ticketnumber", "customerid", "prioritycode", "statuscode", "ownerid"),
    "lead": ("fullname", "companyname", "emailaddress1", "statuscode", "ownerid"),
    "systemuser": ("fullname", "domainname", "internalemailaddress", "businessunitid", "isdisabled"),
    "team": ("name", "teamtype", "businessunitid", "administratorid"),
}
_SYSTEM = frozenset(
    (
        *("createdby", "createdonbehalfby", "modifiedby", "modifiedonbehalfby", "importsequencenumber"),
        *("owningbusinessunit", "owningteam", "owninguser", "overriddencreatedon", "timezoneruleversionnumber"),
        *("utcconversiontimezonecode", "versionnumber", "traversedpath", "processid", "stageid", "exchangerate"),
        "transactioncurrencyid",
    )
)
_UNSEEN = frozenset(
    {ColumnType.UNIQUEIDENTIFIER, ColumnType.ENTITYNAME, ColumnType.MANAGEDPROPERTY, ColumnType.PARTYLIST}
)


def label(column: Column) -> str:
    """What a column is called."""
    return column.label or column.schema_name


def readable(table: Table) -> Sequence[Column]:
    """The columns that a list or record can show, in their order."""
    return [
        column
        for column in table.columns.values()
        if column.valid_for_read and not column.is_logical and column.type not in _UNSEEN
    ]


def first_columns(table: Table) -> Sequence[Column]:
    """The columns of a list before anybody chose others: the name, then what a form would call important."""
    chosen = [table.columns[name] for name in _FIRST.get(table.logical_name, ()) if name in table.columns]
    if chosen:
        return chosen
    shown = [column for column in readable(table) if column.logical_name not in _SYSTEM]
    shown.sort(key=lambda column: _rank(table, column))
    return shown[:6]


def chosen_columns(table: Table, wanted: str) -> Sequence[Column]:
    """The columns that a list was asked for, by logical names with commas; unknown ones are left out."""
    names = [name for name in dict.fromkeys(wanted.split(",")) if name]
    shown = {column.logical_name: column for column in readable(table)}
    found = [shown[name] for name in names if name in shown]
    return found[:MOST_COLUMNS] or first_columns(table)


def form_columns(table: Table, *, is_new: bool) -> tuple[Sequence[Column], Sequence[Column]]:
    """The columns of a form: those that matter, and the others."""
    usable = [
        column
        for column in readable(table)
        if (column.valid_for_create if is_new else column.valid_for_update)
        and column.source_type is SourceType.SIMPLE
        and column.logical_name not in _SYSTEM
        and column.type
        not in (ColumnType.OWNER, ColumnType.STATE, ColumnType.STATUS, ColumnType.FILE, ColumnType.IMAGE)
    ]
    important = {column.logical_name for column in first_columns(table)}
    first = [column for column in usable if column.logical_name in important or is_required(column)]
    first.sort(key=lambda column: _rank(table, column))
    if len(first) < 8:
        first += [column for column in usable if column not in first][: 8 - len(first)]
    return first, [column for column in usable if column not in first]


def is_system(column: Column) -> bool:
    """Whether the platform keeps a column for its own purposes."""
    return column.logical_name in _SYSTEM


def is_required(column: Column) -> bool:
    """Whether a row without a value is refused, by the platform or by its form."""
    return column.required in (RequiredLevel.SYSTEM_REQUIRED, RequiredLevel.APPLICATION_REQUIRED)


def _rank(table: Table, column: Column) -> tuple[int, int]:
    if column.logical_name == table.primary_name:
        return (0, 0)
    if column.logical_name in ("ownerid", "statuscode", "createdon"):
        return (4, column.column_number)
    levels = {
        RequiredLevel.SYSTEM_REQUIRED: 1,
        RequiredLevel.APPLICATION_REQUIRED: 1,
        RequiredLevel.RECOMMENDED: 2,
        RequiredLevel.NONE: 3,
    }
    return (levels[column.required], column.column_number)
