"""gzip on the way in and on the way out (WA-14)."""

import re
import zlib
from functools import lru_cache
from typing import Final

from strongroom.errors import InvalidRequest, TooLarge, UnsupportedMediaType
from strongroom.webapi.http import Response

LEAST_BYTES: Final = 1024
"""Answers up to this size go out as they are."""

_GZIP: Final = 16 + zlib.MAX_WBITS
_GZIP_OR_DEFLATE: Final = 32 + zlib.MAX_WBITS
_QUICK, _SMALL = 1, 6
_TEXTUAL = ("application/json", "application/xml", "multipart/mixed", "text/")
_CODING = re.compile(r"\s*([\w*-]+)\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?")


def compressed(response: Response, accept_encoding: str | None) -> Response:
    """`response` as gzip when the client takes it and it is text long enough to be worth it. Files go out as they are,
    so that ranges mean the same bytes with and without."""
    if len(response.body) <= LEAST_BYTES or response.status == 206:
        return response
    media = response.header("content-type") or ""
    if not media.startswith(_TEXTUAL) or response.header("content-encoding") is not None:
        return response
    if not accept_encoding or not _takes_gzip(accept_encoding):
        return response.with_headers((("Vary", "Accept-Encoding"),))
    # The description of the data is the same for everybody and many times as long as a page of it.
    body = _kept(response.body) if media.startswith("application/xml") else _zip(response.body, _QUICK)
    headers = (*response.headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
    return Response(response.status, headers, body)


def expanded(body: bytes, content_encoding: str | None, limit: int) -> bytes:
    """A request's body without its `Content-Encoding`. 415 for one that is not known, 400 for one that is damaged, and
    413 as soon as more than `limit` bytes come out: nothing is expanded beyond it."""
    coding = (content_encoding or "").strip().lower()
    if coding in ("", "identity") or not body:
        return body
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise UnsupportedMediaType(f"Content-Encoding '{coding[:40]}' cannot be read; send gzip, deflate, or none.")
    out, size = bytearray(), 0
    rest = body
    while rest:
        stream = zlib.decompressobj(_GZIP_OR_DEFLATE)
        try:
            piece = stream.decompress(rest, limit - size + 1)
        except zlib.error:
            raise InvalidRequest(f"The body is not {coding}, as Content-Encoding says.") from None
        size += len(piece)
        if size > limit:
            raise TooLarge(f"The body has more than {limit} bytes when it is expanded.")
        if not stream.eof:
            raise InvalidRequest(f"The {coding} body ends too early.")
        out += piece
        rest = stream.unused_data
    return bytes(out)


def _takes_gzip(accept_encoding: str) -> bool:
    found: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        matched = _CODING.fullmatch(part)
        if matched is not None:
            found[matched[1]] = float(matched[2] or 1)
    return found.get("gzip", found.get("x-gzip", found.get("*", 0.0))) > 0


@lru_cache(maxsize=4)
def _kept(body: bytes) -> bytes:
    return _zip(body, _SMALL)


def _zip(body: bytes, level: int) -> bytes:
    stream = zlib.compressobj(level, zlib.DEFLATED, _GZIP)
    return stream.compress(body) + stream.flush()
