"""`DeleteFile`: the content of a file column goes, named by its id (WA-365)."""

from strongroom.errors import NotFound
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action
from strongroom.records import Session
from strongroom.records.files import remove


def _delete_file(session: Session, arguments: Arguments) -> Result:
    file_id = arguments.guid("FileId")
    place = session.transaction.file_place(file_id)
    if place is None:
        raise NotFound(f"fileattachment With Id = {file_id} Does Not Exist")
    row, column_name = place
    table = session.table(row.table)
    remove(session, table, row.id, table.columns[column_name])
    return None


OPERATIONS: tuple[Operation, ...] = (action("DeleteFile", _delete_file, Parameter("FileId", Kind.GUID)),)
