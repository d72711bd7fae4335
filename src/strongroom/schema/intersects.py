"""The table behind a many-to-many relationship."""

from strongroom.schema.model import Column, ColumnType, ManyToMany, Ownership, RequiredLevel, Table
from strongroom.schema.system_columns import IdMaker, version_column


def intersect_table(
    association: ManyToMany, type_code: int, new_id: IdMaker, *, schema_name: str | None = None, is_custom: bool = False
) -> Table:
    """A table whose rows tie a row of `table1` to a row of `table2`. It has no owner and no privileges of its own:
    its rows take the access of the rows that they tie (SM-10), and only associating writes them (WA-169)."""
    name = association.intersect
    key = Column(
        f"{name}id",
        f"{schema_name or name}Id",
        ColumnType.UNIQUEIDENTIFIER,
        new_id("column", f"{name}.{name}id"),
        required=RequiredLevel.SYSTEM_REQUIRED,
        valid_for_create=False,
        valid_for_update=False,
        is_audited=False,
        column_number=1,
    )
    ends = [
        Column(
            column,
            column,
            ColumnType.UNIQUEIDENTIFIER,
            new_id("column", f"{name}.{column}"),
            required=RequiredLevel.SYSTEM_REQUIRED,
            valid_for_create=False,
            valid_for_update=False,
            is_audited=False,
            column_number=number,
        )
        for number, column in enumerate((association.column1, association.column2), start=2)
    ]
    columns = [key, *ends, version_column(name, new_id)]
    return Table(
        logical_name=name,
        schema_name=schema_name or name,
        entity_set_name=f"{name}collection" if not is_custom else f"{name}set",
        object_type_code=type_code,
        metadata_id=new_id("table", name),
        ownership=Ownership.NONE,
        label=name,
        collection_label=name,
        description="",
        primary_id=key.logical_name,
        primary_name=None,
        columns={column.logical_name: column for column in columns},
        is_intersect=True,
        is_custom=is_custom,
        is_audited=False,
        change_tracking=False,
    )
