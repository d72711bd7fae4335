"""A file that comes in one request and is too long to hold (WA-13, WA-360).

It takes the way of an upload in chunks (WA-361): the request begins one, every 4 MiB that arrive are a chunk of it, and
the last makes the file. So what has arrived is encrypted in the environment's database and nowhere else, nothing is
visible before the end, and no more than a chunk is in memory.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from strongroom.errors import InvalidRequest, TooLarge
from strongroom.records.file_transfers import BLOCK
from strongroom.webapi.http import Request, Response

IDLE_S = 120.0
"""How long the next bytes may take."""

_OCTETS = "application/octet-stream"

Respond = Callable[[Request], Awaitable[Response]]


def is_long_upload(request: Request) -> bool:
    """Whether the body is a file that is longer than a chunk, or of a length that is not told."""
    if request.method not in ("PATCH", "PUT") or "sessiontoken=" in request.query:
        return False
    headers = request.headers
    if not headers.get("content-type", "").lower().startswith(_OCTETS) or "x-ms-transfer-mode" in headers:
        return False
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        return False
    declared = headers.get("content-length")
    return int(declared) > BLOCK if declared is not None and declared.isdigit() else "transfer-encoding" in headers


async def upload_in_pieces(request: Request, pieces: AsyncIterator[bytes], respond: Respond) -> Response:
    """Answer the request: 204 when the file is there, or the first refusal. `pieces` are the body in chunks."""
    begin = {**request.headers, "x-ms-transfer-mode": "chunked"}
    begun = await respond(replace(request, method="PATCH", headers=begin))
    place = begun.header("Location")
    if begun.status != 200 or place is None:
        return begun
    query, start = urlsplit(place).query, 0
    held = await anext(pieces, b"")
    while True:
        following = await anext(pieces, None)
        size = "*" if following is not None else str(start + len(held))
        headers = {**request.headers, "content-range": f"bytes {start}-{start + len(held) - 1}/{size}"}
        answer = await respond(replace(request, method="PATCH", query=query, headers=headers, body=held))
        if following is None or answer.status >= 400:
            return answer
        start += len(held)
        held = following


async def pieces_of(receive: Callable[[], Awaitable[MutableMapping[str, Any]]], most: int) -> AsyncIterator[bytes]:
    """The body in pieces of 4 MiB, the last one shorter. Raises `TooLarge` beyond `most` bytes, and `InvalidRequest`
    when it ends early or stands still."""
    held, size, is_over = bytearray(), 0, False
    while not is_over:
        try:
            async with asyncio.timeout(IDLE_S):
                message = await receive()
        except TimeoutError:
            raise InvalidRequest(f"No more of the body came for {IDLE_S:.0f} seconds.") from None
        if message["type"] == "http.disconnect":
            raise InvalidRequest("The connection ended before the body was complete.")
        arrived: bytes = message.get("body", b"")
        size += len(arrived)
        if size > most:
            raise TooLarge(f"The body exceeds {most} bytes; send a larger file in chunks.")
        held += arrived
        is_over = not message.get("more_body")
        while len(held) >= BLOCK:
            yield bytes(memoryview(held)[:BLOCK])
            del held[:BLOCK]
    if held:
        yield bytes(held)
