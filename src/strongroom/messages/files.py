"""Contents of file columns by messages: in blocks, up and down, and `DeleteFile` (WA-365, WA-366)."""

import base64
import binascii

from strongroom.errors import InvalidRequest, NotFound
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action
from strongroom.records import Session
from strongroom.records import file_transfers as transfers
from strongroom.records.files import Upload, remove
from strongroom.schema.model import ColumnType

_TOKEN = Parameter("FileContinuationToken", Kind.STRING)
_TARGET = Parameter("Target", Kind.REFERENCE)
_COLUMN = Parameter("FileAttributeName", Kind.STRING)


def _begin_upload(session: Session, arguments: Arguments) -> Result:
    target = arguments.reference("Target")
    table = session.table(target.table)
    column = transfers.file_column(table, arguments.text("FileAttributeName"))
    begun = transfers.begin_upload(session, table, target.id, column, arguments.text("FileName"))
    return {"FileContinuationToken": begun.token}


def _upload_block(session: Session, arguments: Arguments) -> Result:
    transfer = transfers.upload_of(session, arguments.text("FileContinuationToken"))
    try:
        body = base64.b64decode(arguments.text("BlockData"), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest("'BlockData' is not base64.") from None
    transfers.put_block(session, transfer, arguments.text("BlockId"), body)
    return None


def _commit(session: Session, arguments: Arguments) -> Result:
    transfer = transfers.upload_of(session, arguments.text("FileContinuationToken"))
    name = arguments.text("FileName")
    blocks = arguments.strings("BlockList")
    if len(set(blocks)) != len(blocks):
        raise InvalidRequest("'BlockList' names a block twice.")
    new = Upload(name, transfers.media_type(arguments.optional_text("MimeType"), name))
    file_id, size = transfers.commit(session, transfer, blocks, new)
    return {"FileId": file_id, "FileSizeInBytes": size}


def _begin_download(session: Session, arguments: Arguments) -> Result:
    target = arguments.reference("Target")
    table = session.table(target.table)
    column = transfers.file_column(table, arguments.text("FileAttributeName"))
    begun = transfers.begin_download(session, table, target.id, column)
    if begun is None:
        if column.type is ColumnType.IMAGE:
            raise NotFound(
                f"No FileAttachment records found for image attribute: {column.logical_name} of {target.table} record"
                f" with id {target.id}: there is no image, or its column keeps thumbnails only."
            )
        raise NotFound(f"No file attachment found for attribute: {column.logical_name} EntityId: {target.id}.")
    transfer, file = begun
    return {
        "FileContinuationToken": transfer.token,
        "FileSizeInBytes": file.size,
        "FileName": file.name,
        "IsChunkingSupported": True,
    }


def _download_block(session: Session, arguments: Arguments) -> Result:
    body = transfers.read_block(
        session,
        arguments.text("FileContinuationToken"),
        arguments.integer("Offset"),
        arguments.integer("BlockLength"),
    )
    return {"Data": base64.b64encode(body).decode("ascii")}


def _delete_file(session: Session, arguments: Arguments) -> Result:
    file_id = arguments.guid("FileId")
    place = session.transaction.file_place(file_id)
    if place is None:
        raise NotFound(f"fileattachment With Id = {file_id} Does Not Exist")
    row, column_name = place
    table = session.table(row.table)
    remove(session, table, row.id, table.columns[column_name])
    return None


OPERATIONS: tuple[Operation, ...] = (
    action(
        "InitializeFileBlocksUpload",
        _begin_upload,
        _TARGET,
        _COLUMN,
        Parameter("FileName", Kind.STRING),
        properties={"FileContinuationToken": "Edm.String"},
    ),
    action(
        "UploadBlock",
        _upload_block,
        Parameter("BlockId", Kind.STRING),
        Parameter("BlockData", Kind.STRING, type="Edm.Binary"),
        _TOKEN,
    ),
    action(
        "CommitFileBlocksUpload",
        _commit,
        Parameter("FileName", Kind.STRING),
        Parameter("MimeType", Kind.STRING, required=False),
        Parameter("BlockList", Kind.STRINGS),
        _TOKEN,
        properties={"FileId": "Edm.Guid", "FileSizeInBytes": "Edm.Int64"},
    ),
    action(
        "InitializeFileBlocksDownload",
        _begin_download,
        _TARGET,
        _COLUMN,
        properties={
            "FileContinuationToken": "Edm.String",
            "FileSizeInBytes": "Edm.Int64",
            "FileName": "Edm.String",
            "IsChunkingSupported": "Edm.Boolean",
        },
    ),
    action(
        "DownloadBlock",
        _download_block,
        Parameter("Offset", Kind.INTEGER, type="Edm.Int64"),
        Parameter("BlockLength", Kind.INTEGER, type="Edm.Int64"),
        _TOKEN,
        properties={"Data": "Edm.Binary"},
    ),
    action("DeleteFile", _delete_file, Parameter("FileId", Kind.GUID)),
)
