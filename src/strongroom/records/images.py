"""Image columns: a picture on its way into a row (WA-370), with the row's other values or by itself.

The column stores the id of its content, as file columns do; `<column>id` is the same id, `<column>_timestamp` the
moment in ticks, `<column>_url` where the thumbnail is. Reading the column shows the thumbnail, which the store looks
up.
"""

import base64
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from strongroom.errors import InvalidRequest
from strongroom.ids import new_guid
from strongroom.records.session import Session
from strongroom.schema.changes.columns import companion_names
from strongroom.schema.model import Column, Table
from strongroom.store.protocol import Row, StoredFile, Value

if TYPE_CHECKING:
    from strongroom.records.pictures import Picture

_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_NOT_PRIMARY = "0x80090487"
_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/bmp": "bmp", "image/tiff": "tif"}


@dataclass(frozen=True, slots=True)
class Arriving:
    """What a column will hold once its row is stored; nothing when the image goes."""

    column: str
    file: StoredFile | None = None
    picture: "Picture | None" = None


def refuse_other_images(table: Table, named: Collection[str]) -> None:
    """A new row may bring its primary image only; the others come once it is there."""
    other = next((name for name in named if name != table.primary_image), None)
    if other is not None:
        raise InvalidRequest(
            f"Non-primary image attribute {other} of entity {table.logical_name} is not allowed to upload during Create"
            " operation. Set it once the row is there.",
            code=_NOT_PRIMARY,
        )


def arriving(
    session: Session, table: Table, images: Collection[str], values: dict[str, Value], name: str | None = None
) -> Sequence[Arriving]:
    """The pictures among checked values, which become the ids of their contents, with what is told beside them.
    `name` is that of the file, where it has one. `keep` follows once the row is stored."""
    return [_arrive(session, table, table.columns[each], values, name) for each in values.keys() & images]


def keep(session: Session, row: Row, pictures: Sequence[Arriving]) -> None:
    """Store the contents of a row's image columns."""
    for each in pictures:
        if each.file is None or each.picture is None:
            session.transaction.remove_file(row, each.column)
            continue
        pieces = (each.picture.full,) if each.file.size else ()
        thumbnail = base64.b64encode(each.picture.thumbnail).decode("ascii")
        session.transaction.set_file(row, each.column, each.file, pieces, thumbnail)


def thumbnail_of(session: Session, file: StoredFile) -> bytes:
    """The thumbnail of an image, a JPEG."""
    return base64.b64decode(session.transaction.thumbnail(file.id) or "")


def _arrive(session: Session, table: Table, column: Column, values: dict[str, Value], name: str | None) -> Arriving:
    body, of = values[column.logical_name], column.logical_name
    beside = [each for each in companion_names(column) if each in table.columns]
    values.update(dict.fromkeys((of, *beside)))
    if not isinstance(body, bytes):
        return Arriving(of)
    from strongroom.records.pictures import read_picture  # with a decoder of pictures, which few rows need

    picture = read_picture(body)
    size = len(picture.full) if column.can_store_full_image else 0
    shown = name or f"{of}.{_EXTENSIONS[picture.mime_type]}"
    file = StoredFile(new_guid(session.clock), shown, picture.mime_type, size)
    ticks = (session.clock.now() - _BEGINNING) // timedelta(microseconds=1) * 10
    told = {"Entity": table.logical_name, "Attribute": of, "Id": file.id, "Timestamp": ticks}
    companions: dict[str, Value] = {
        f"{of}id": file.id,
        f"{of}_timestamp": ticks,
        f"{of}_url": f"/Image/download.aspx?{urlencode(told)}",
    }
    values[of] = file.id
    values.update((each, companions[each]) for each in beside)
    return Arriving(of, file, picture)
