"""What a change would do, before it is made: `sr_PreviewChange`.

A function, because it changes nothing; a change too big for a URL goes in a `$batch`. The question is noted in the
audit trail (SM-165), under the row that the change is about.
"""

from collections.abc import Sequence

from strongroom.access.difference import ColumnDifference, UserDifference
from strongroom.access.plan import ColumnAccess
from strongroom.access.rights import RIGHT_NAMES, parse_rights
from strongroom.messages.change_reading import read_change
from strongroom.messages.operation import Arguments, Json, Kind, Operation, Parameter, Result
from strongroom.records import Session
from strongroom.records.foresight import Example, Preview, TablePreview, demand_foresight, preview, preview_sharing
from strongroom.records.trail import note_question
from strongroom.schema.model import Rights

MOST_USERS = 100
"""Users listed for each table, those with most rows first. The numbers count all."""

_COLUMN_ACCESS = {
    ColumnAccess.READ: "Read",
    ColumnAccess.CREATE: "Create",
    ColumnAccess.UPDATE: "Update",
    ColumnAccess.READ_UNMASKED_ONE: "ReadUnmaskedOne",
    ColumnAccess.READ_UNMASKED_ALL: "ReadUnmaskedAll",
}


def foreseen(session: Session, change: Json, rights: Sequence[Rights] = ()) -> Json:
    """The answer of `sr_PreviewChange`; `rights` are those that are counted, see `records.foresight.preview`."""
    demand_foresight(session)
    proposed = read_change(session, change)
    note_question(session, proposed.about, "sr_PreviewChange", proposed.kind)
    if callable(proposed.change):
        return preview_json(preview_sharing(session, proposed.change, rights))
    return preview_json(preview(session, proposed.change, rights))


def _preview(session: Session, arguments: Arguments) -> Result:
    wanted = parse_rights(arguments.optional_text("Rights") or "")
    return foreseen(session, arguments.object("Change"), [right for right in RIGHT_NAMES if right in wanted])


def preview_json(found: Preview) -> Json:
    """A preview as `sr_PreviewChange` gives it."""
    return {
        "Tables": [_table_json(table) for table in found.tables],
        "Columns": [_column_json(column) for column in found.columns],
    }


def _table_json(table: TablePreview) -> Json:
    return {
        "Table": table.table.logical_name,
        "Right": RIGHT_NAMES[table.right],
        "RowsGained": table.rows_gained,
        "RowsLost": table.rows_lost,
        "UsersGaining": sum(user.gained > 0 for user in table.users),
        "UsersLosing": sum(user.lost > 0 for user in table.users),
        "Users": [_user_json(user) for user in table.users[:MOST_USERS]],
        "Examples": [_example_json(example) for example in table.examples],
    }


def _user_json(each: UserDifference) -> Json:
    return {"Id": each.user.id, "Name": each.user.name, "Gained": each.gained, "Lost": each.lost}


def _example_json(example: Example) -> Json:
    return {
        "Id": example.row.id,
        "Name": example.name,
        "User": example.user,
        "Change": "gained" if example.is_gained else "lost",
    }


def _column_json(each: ColumnDifference) -> Json:
    return {
        "User": each.user.name,
        "UserId": each.user.id,
        "Table": each.table,
        "Column": each.column,
        "Gained": _access(each.after & ~each.before),
        "Lost": _access(each.before & ~each.after),
    }


def _access(access: ColumnAccess) -> str:
    return ", ".join(name for flag, name in _COLUMN_ACCESS.items() if flag in access)


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "sr_PreviewChange",
        True,
        _preview,
        (
            Parameter("Change", Kind.COMPLEX, type="Strongroom.AccessProposal"),
            Parameter("Rights", Kind.STRING, required=False),
        ),
        result="PreviewChangeResponse",
        properties={
            "Tables": "Collection(Strongroom.AccessPreview)",
            "Columns": "Collection(Strongroom.ColumnPreview)",
        },
        is_own=True,
    ),
)
