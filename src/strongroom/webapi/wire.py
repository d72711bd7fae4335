"""HTTP on the socket, where clients do not keep to the usual: bytes that are no request, halves of connections."""

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_BODY = orjson.dumps(
    {
        "error": {
            "code": "0x80060888",
            "message": "What arrived is no HTTP/1.1 request. Percent-encode everything in the URL that is not ASCII.",
        }
    }
)
_ANSWER = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json; odata.metadata=minimal\r\nodata-version: 4.0\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%s" % (len(_BODY), _BODY)
)


class HttpProtocol(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, but for two things.

    Bytes that are no request are answered with an error body (WA-50). And a client that closes its side of the
    connection after the last byte of its request still gets the answer.
    """

    def eof_received(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]  # asyncio wants to be told
        """Whether the connection stays open for the answer; not while a part of the request is missing."""
        newest = self.pipeline[0][0] if self.pipeline else self.cycle
        if newest and not newest.response_complete and not newest.more_body and self.scheme != "https":
            newest.keep_alive = False
            return True
        return False

    def send_400_response(self, msg: str) -> None:
        del msg  # it is the same sentence for whatever was wrong
        self.transport.write(_ANSWER)
        self.transport.close()
