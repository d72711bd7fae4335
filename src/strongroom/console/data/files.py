"""Files and pictures of a row, and what is attached to a note: taken out, put in, removed.

A file leaves as a download and is never shown as a page: whatever somebody uploaded, a browser runs none of it.
"""

import base64
import binascii
from collections.abc import AsyncIterator
from urllib.parse import quote

from starlette.concurrency import iterate_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import Response, StreamingResponse

from strongroom.console.api import ApiError, text
from strongroom.console.data.attachments import ATTACHED, FILE_TYPES
from strongroom.console.data.records import Subject, name_of
from strongroom.console.page import Page
from strongroom.console.sent import line
from strongroom.console.visit import Visit
from strongroom.schema.model import Column
from strongroom.webapi.http import Stream


async def file(visit: Visit) -> Response:
    """The file of a column, or of a note; sending the form puts another one in place, or removes it."""
    subject = await name_of(visit)
    if visit.request.method == "GET" and subject.table.logical_name == "annotation":
        return await _attachment(visit, subject)
    column = subject.table.columns.get(visit.named("column"))
    if column is None or column.type not in FILE_TYPES:
        raise ApiError(404, "", visit.texts("There is no file here."))
    if visit.request.method == "GET":
        found = await visit.api.download(f"{subject.address}/{column.logical_name}/$value")
        return StreamingResponse(_pieces(found.content), headers=_download_headers(found.name or column.logical_name))
    return await _put(visit, subject, column)


async def _put(visit: Visit, subject: Subject, column: Column) -> Response:
    form = await visit.form()
    address = f"{subject.address}/{column.logical_name}"
    if line(form, "act") == "remove":
        await visit.api.send("DELETE", address)
        return visit.redirect(subject.path, done="saved")
    given = form.get("file")
    content = await given.read() if isinstance(given, UploadFile) else b""
    if not isinstance(given, UploadFile) or not content:
        raise ApiError(400, "", visit.texts("Choose a file that is not empty."))
    await visit.api.upload(address, content, given.filename or "file")
    return visit.redirect(subject.path, done="saved")


async def _attachment(visit: Visit, subject: Subject) -> Response:
    row = await visit.api.get(subject.address, {"$select": f"filename,{ATTACHED}"})
    try:
        content = base64.b64decode(text(row.get(ATTACHED)), validate=True)
    except binascii.Error:
        content = b""
    if not content:
        raise ApiError(404, "", visit.texts("There is no file here."))
    return Response(content, headers=_download_headers(text(row.get("filename")) or "file"))


async def _pieces(content: Stream) -> AsyncIterator[bytes]:
    """The content as it is read: by the event loop where the store is read there, else by a thread."""
    if content.is_embedded:
        for piece in content.pieces:
            yield piece
    else:
        async for piece in iterate_in_threadpool(content.pieces):
            yield piece


def _download_headers(name: str) -> dict[str, str]:
    return {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
    }


PAGES = (Page("/tables/{table}/{id}/files/{column}", file, "data", ("GET", "POST")),)
