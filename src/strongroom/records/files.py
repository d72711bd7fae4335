"""Contents of file and image columns: uploading, reading and removing them (WA-360 to WA-370).

A file column holds the id of its content and `<column>_name` its name; both change with the content, in one
transaction, and the change is audited like that of any column. Reading goes through the select that any reader of the
column uses, so that a column that may not be read looks empty (SM-132).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from strongroom.audit.activities import Activity
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, new_guid
from strongroom.query.ast import Field, Output, Select, Source
from strongroom.records import refusals
from strongroom.records.activity import tell, untold
from strongroom.records.address import missing, row_at
from strongroom.records.authorize import demand_columns
from strongroom.records.environment_facts import read_as_platform
from strongroom.records.image_values import demand_image_size
from strongroom.records.images import arriving, keep
from strongroom.records.read import require, retrieve
from strongroom.records.rules import Event
from strongroom.records.session import Session
from strongroom.records.shapes import Address
from strongroom.records.update import write_changes
from strongroom.records.watching import sensitive_columns
from strongroom.schema.changes.columns import companion_names
from strongroom.schema.model import Column, ColumnType, Rights, Table
from strongroom.store.protocol import Row, StoredFile, Value

BLOCKED_EXTENSIONS = (
    "ade;adp;app;asa;ashx;asmx;asp;bas;bat;cdx;cer;chm;class;cmd;com;config;cpl;crt;csh;dll;exe;fxp;hlp;hta;htr;htw;ida;"
    "idc;idq;inf;ins;isp;its;jar;js;jse;ksh;lnk;mad;maf;mag;mam;maq;mar;mas;mat;mau;mav;maw;mda;mdb;mde;mdt;mdw;mdz;msc;"
    "msh;msh1;msh1xml;msh2;msh2xml;mshxml;msi;msp;mst;ops;pcd;pif;prf;prg;printer;pst;reg;rem;scf;scr;sct;shb;shs;shtm;"
    "shtml;soap;stm;svc;tmp;url;vb;vbe;vbs;vsmacros;vss;vst;vsw;ws;wsc;wsf;wsh"
)
"""What a new organization blocks; its `blockedattachments` can be changed."""

_BLOCKED = "0x80043e09"
_TOO_BIG = "0x80044a02"
_DEFAULT_SIZE_KB = 32_768
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Upload:
    """A content on its way into a column. With `must_be_empty` a content that is there already stops it (412);
    `expected_version` is the number of an `If-Match` tag."""

    name: str
    mime_type: str
    size: int = 0
    pieces: Iterable[bytes] = ()
    """The bytes in any cut, `size` together, taken one after the other: a file is never whole in memory."""

    stored_as: Guid | None = None
    """The id under which the bytes are stored already; `pieces` are not looked at then."""

    must_be_empty: bool = False
    expected_version: int | None = None


def upload(session: Session, table: Table, address: Address, column: Column, new: Upload) -> Guid:
    """Put a content in the place of what the column holds, and return its id. Needs Write on the row (WA-369)."""
    row = _writable(session, table, address, column)
    if new.expected_version is not None and new.expected_version != row.version:
        raise refusals.version_mismatch()
    if new.must_be_empty and session.transaction.file(row, column.logical_name) is not None:
        raise refusals.exists_already()
    name = _checked_name(session, new.name)
    demand_size(column, new.size)
    if column.type is ColumnType.IMAGE:
        return _upload_image(session, row, column, name, new)
    file = StoredFile(new.stored_as or new_guid(session.clock), name, new.mime_type, new.size)
    changes = _named(table, column, file.id, name)
    session.rules.run(Event.BEFORE_UPDATE, session, row, changes)
    if new.stored_as is None:
        session.transaction.set_file(row, column.logical_name, file, new.pieces)
    else:
        session.transaction.adopt_file(row, column.logical_name, file)
    write_changes(session, row, changes)
    return file.id


def _upload_image(session: Session, row: Row, column: Column, name: str, new: Upload) -> Guid:
    """A picture is read whole: it is no larger than its column takes, and its pixels are counted first."""
    changes: dict[str, Value] = {column.logical_name: b"".join(new.pieces)}
    pictures = arriving(session, row.table, (column.logical_name,), changes, name)
    file_id = Guid(str(changes[column.logical_name]))
    session.rules.run(Event.BEFORE_UPDATE, session, row, changes)
    keep(session, row, pictures)
    write_changes(session, row, changes)
    return file_id


def demand_upload(
    session: Session, table: Table, address: Address, column: Column, name: str | None
) -> tuple[Guid, str]:
    """Refuse who may not upload into this column of this row, and a name that a file may not have. The result is the
    id of the row, and the name without folders."""
    row = _writable(session, table, address, column)
    return row.id, "" if name is None else _checked_name(session, name)


def demand_size(column: Column, size: int) -> None:
    """Refuse a content that is larger than its column takes (WA-367)."""
    if column.type is ColumnType.IMAGE:
        demand_image_size(column, size)
        return
    most = (column.max_size_kb or _DEFAULT_SIZE_KB) * 1024
    if size > most:
        raise InvalidRequest(
            f"Attachment file size is too big. The file has {size} bytes; '{column.logical_name}' takes {most}.",
            code=_TOO_BIG,
        )


def remove(session: Session, table: Table, address: Address, column: Column) -> None:
    """Remove what the column holds; nothing happens when it is empty. Needs Write on the row."""
    row = _writable(session, table, address, column)
    if session.transaction.file(row, column.logical_name) is None:
        return
    changes = _named(table, column, None, None)
    session.rules.run(Event.BEFORE_UPDATE, session, row, changes)
    session.transaction.remove_file(row, column.logical_name)
    write_changes(session, row, changes)


def held(session: Session, table: Table, address: Address, column: Column) -> tuple[Guid, StoredFile | None]:
    """The id of the row and what its column holds for this caller: None when it is empty or may not be read."""
    select = Select(Source(table), (Output(column.logical_name, Field("", column)),))
    with untold(session):
        shown = retrieve(session, select, address).values[0]
    row = row_at(session, table, address)
    if row is None:
        raise missing(table, address)
    return row.id, None if shown is None else session.transaction.file(row, column.logical_name)


def tell_download(session: Session, table: Table, row: Guid, column: Column) -> None:
    """Tell that somebody takes out what a column holds, where reading is told (TS-808)."""
    if session.caller.facts.settings.audit_of_reads and (table.is_retrieve_audited or column.is_read_audited):
        name = column.logical_name
        tell(
            session,
            Activity.FILE_DOWNLOAD,
            table=table.logical_name,
            row=row,
            sensitive=sensitive_columns(table, (name,)),
            details={"column": name},
        )


def content(session: Session, file: StoredFile, start: int, end: int) -> bytes:
    """Bytes of a content that `held` gave, from `start` up to, not including, `end`."""
    return session.transaction.file_bytes(file.id, start, end)


def _writable(session: Session, table: Table, address: Address, column: Column) -> Row:
    row = require(session, table, address, Rights.WRITE)
    if column.is_secured:
        demand_columns(session, row, (column.logical_name,))
    return row


def _named(table: Table, column: Column, file_id: Guid | None, name: str | None) -> dict[str, Value]:
    changes: dict[str, Value] = {column.logical_name: file_id}
    if column.type is ColumnType.IMAGE:
        changes.update((each, None) for each in companion_names(column) if each in table.columns)
        return changes
    companion = f"{column.logical_name}_name"
    if companion in table.columns:
        changes[companion] = name
    return changes


def _checked_name(session: Session, given: str) -> str:
    """The name without folders; its extension must not be one that the organization blocks."""
    name = given.replace("\\", "/").rsplit("/", 1)[-1].strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(f"A file needs a name of 1 to {_LONGEST_NAME} printable characters.")
    (blocked,) = read_as_platform(session.transaction, session.table("organization"), ("blockedattachments",))[0]
    extensions = {part.strip().lower() for part in str(blocked or "").split(";") if part.strip()}
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    if extension in extensions:
        raise InvalidRequest(
            f"Files with the extension '.{extension}' are blocked by the organization (blockedattachments).",
            code=_BLOCKED,
        )
    return name
