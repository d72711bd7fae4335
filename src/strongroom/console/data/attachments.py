"""What a row holds as files, and a file as a part of a note."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import UploadFile

from strongroom.console.api import Json, text
from strongroom.console.data.columns import label
from strongroom.schema.model import ColumnType, Table

FILE_TYPES = (ColumnType.FILE, ColumnType.IMAGE)
"""Columns that are shown as files, not as values."""

ATTACHED = "documentbody"


@dataclass(frozen=True, slots=True)
class Held:
    """A column for a file: `is_there` when the row has one, `name` what the file is called, where it has a name."""

    column: str
    label: str
    name: str
    is_there: bool
    can_change: bool


def files_of(table: Table, row: Json) -> Sequence[Held]:
    """The columns of a table that hold files or pictures, as a row has them."""
    return [
        Held(
            column.logical_name,
            label(column),
            text(row.get(f"{column.logical_name}_name")),
            any(row.get(f"{column.logical_name}{end}") is not None for end in ("", "id", "_name")),
            column.valid_for_update,
        )
        for column in table.columns.values()
        if column.type in FILE_TYPES and column.valid_for_read
    ]


def attached(file: UploadFile, content: bytes) -> dict[str, str]:
    """A file as a part of the body of a note."""
    return {
        "filename": file.filename or "file",
        "mimetype": file.content_type or "application/octet-stream",
        ATTACHED: base64.b64encode(content).decode(),
    }
