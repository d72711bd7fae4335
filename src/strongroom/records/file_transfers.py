"""Uploading and reading the contents of file columns in pieces (WA-361, WA-362, WA-366).

A transfer belongs to the user who began it, one row and one column, and lasts 15 minutes. Rights are asked when it
begins and again with every step, so that one who loses them meanwhile gets no further. Nothing of an upload is visible
before its last step, which is the upload of `records.files` with all its checks.
"""

import mimetypes
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from strongroom.clock import iso
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Reference, new_guid
from strongroom.records import files
from strongroom.records.session import Session
from strongroom.records.shapes import Address
from strongroom.schema.model import Column, ColumnType, Table
from strongroom.store.protocol import StoredFile, Transfer

BLOCK = 4 * 1024 * 1024
"""The most bytes in one piece (4194304)."""

_LIFETIME = timedelta(minutes=15)
_LONGEST_ID = 200
_MOST_BLOCKS = 50_000
_OCTETS = "application/octet-stream"


def begin_upload(session: Session, table: Table, address: Address, column: Column, name: str) -> Transfer:
    """Begin an upload. Needs what the whole upload needs, and a name that it may have."""
    row, name = files.demand_upload(session, table, address, column, name)
    return _begin(session, Reference(table.logical_name, row), column, name, None)


def begin_download(
    session: Session, table: Table, address: Address, column: Column
) -> tuple[Transfer, StoredFile] | None:
    """Begin reading what a column holds; None when it is empty or may not be read."""
    row, file = files.held(session, table, address, column)
    if file is None or (column.type is ColumnType.IMAGE and not file.size):
        return None  # of images the full ones are read in blocks, where they are kept
    files.tell_download(session, table, row, column)
    return _begin(session, Reference(table.logical_name, row), column, file.name, file.id), file


def upload_of(session: Session, token: str) -> Transfer:
    """The caller's upload with this token."""
    transfer = _found(session, token)
    if transfer is None or not transfer.is_upload:
        raise _unknown()
    return transfer


def upload_at(session: Session, table: Table, address: Address, column: Column, token: str) -> Transfer | None:
    """The caller's upload into this column of this row; None when there is none, or no longer. Needs what the whole
    upload needs."""
    row, _ = files.demand_upload(session, table, address, column, None)
    transfer = _found(session, token)
    wanted = (Reference(table.logical_name, row), column.logical_name)
    if transfer is None or not transfer.is_upload or (transfer.row, transfer.column) != wanted:
        return None
    return transfer


def append(session: Session, transfer: Transfer, start: int, body: bytes) -> None:
    """Keep the next piece of an upload whose pieces come in order: it must begin where the last one ended."""
    have = session.transaction.transfers.size(transfer.token)
    if start != have:
        raise InvalidRequest(f"Chunks come in order: the next one begins at byte {have}, not at {start}.")
    if body:
        put_block(session, transfer, f"{start:020}", body)


def put_block(session: Session, transfer: Transfer, block: str, body: bytes) -> None:
    """Keep a piece under its id. The pieces together may not be larger than the column takes (WA-367)."""
    if not 0 < len(block) <= _LONGEST_ID or not block.isprintable():
        raise InvalidRequest(f"A BlockId has 1 to {_LONGEST_ID} printable characters.")
    if not 0 < len(body) <= BLOCK:
        raise InvalidRequest(f"A block has 1 to {BLOCK} bytes; this one has {len(body)}.")
    table, column = _column(session, transfer)
    files.demand_upload(session, table, transfer.row.id, column, None)
    kept = session.transaction.transfers.blocks(transfer.token)
    if block not in kept and len(kept) >= _MOST_BLOCKS:
        raise InvalidRequest(f"A file comes in at most {_MOST_BLOCKS} blocks.")
    files.demand_size(column, sum(kept.values()) - kept.get(block, 0) + len(body))
    session.transaction.transfers.put(transfer, block, body)


def blocks_in_order(session: Session, transfer: Transfer) -> list[str]:
    """The ids of the pieces that `append` kept, in the order of the file."""
    return sorted(session.transaction.transfers.blocks(transfer.token))


def commit(session: Session, transfer: Transfer, blocks: Sequence[str], new: files.Upload) -> tuple[Guid, int]:
    """Make the file out of these pieces, which go one by one, and end the transfer; the size and the pieces of `new`
    are not looked at. The result is the id
    of the content and its size."""
    transfers = session.transaction.transfers
    sizes = transfers.blocks(transfer.token)
    unknown = next((block for block in blocks if block not in sizes), None)
    if unknown is not None:
        raise InvalidRequest(f"The block '{unknown[:100]}' has not been uploaded.")
    table, column = _column(session, transfer)
    size = sum(sizes[block] for block in blocks)
    files.demand_size(column, size)
    is_there = column.type is ColumnType.FILE and transfers.is_whole(transfer, blocks)
    whole = replace(new, size=size, pieces=transfers.pieces(transfer, blocks))
    if is_there:
        whole = replace(whole, stored_as=transfer.file)
    file_id = files.upload(session, table, transfer.row.id, column, whole)
    transfers.end(transfer.token, keeps_bytes=is_there)
    return file_id, size


def read_block(session: Session, token: str, start: int, length: int) -> bytes:
    """Bytes of a download, fewer than `length` at the end of the file. The content must still be there and still be
    the caller's to read."""
    transfer = _found(session, token)
    if transfer is None or transfer.is_upload:
        raise _unknown()
    if start < 0 or not 0 < length <= BLOCK:
        raise InvalidRequest(f"Offset is 0 or more, and BlockLength 1 to {BLOCK}.")
    table, column = _column(session, transfer)
    _, file = files.held(session, table, transfer.row.id, column)
    if file is None or file.id != transfer.file:
        raise InvalidRequest("The file is not there any more as it was when the download began: begin anew.")
    return files.content(session, file, start, min(file.size, start + length))


def file_column(table: Table, name: str) -> Column:
    """The file or image column that a request names."""
    column = table.columns.get(name)
    if column is None or column.type not in (ColumnType.FILE, ColumnType.IMAGE):
        raise InvalidRequest(f"'{name[:100]}' is not a file or image column of '{table.logical_name}'.")
    return column


def media_type(given: str | None, name: str) -> str:
    """The type of a content: the one that was told, else the usual one for its name."""
    return given or mimetypes.guess_type(name)[0] or _OCTETS


def _begin(session: Session, row: Reference, column: Column, name: str, file: Guid | None) -> Transfer:
    expires = iso(session.clock.now() + _LIFETIME)
    token = secrets.token_urlsafe(32)
    content_id = file or new_guid(session.clock)
    new = Transfer(token, session.caller.id, row, column.logical_name, name, content_id, expires, file is None)
    session.transaction.transfers.begin(new, session.now)
    return new


def _found(session: Session, token: str) -> Transfer | None:
    transfer = session.transaction.transfers.find(token, session.now)
    return transfer if transfer is not None and transfer.user == session.caller.id else None


def _column(session: Session, transfer: Transfer) -> tuple[Table, Column]:
    table = session.table(transfer.row.table)
    return table, file_column(table, transfer.column)


def _unknown() -> InvalidRequest:
    return InvalidRequest("The file continuation token is not known, or its 15 minutes are over: begin anew.")
