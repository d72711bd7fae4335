"""The HTTP parser's own refusals, in the form that every other error has (WA-50)."""

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
    """HTTP as uvicorn speaks it. Bytes that are no request are answered with an error body, and the connection ends."""

    def send_400_response(self, msg: str) -> None:
        del msg  # it is the same sentence for whatever was wrong
        self.transport.write(_ANSWER)
        self.transport.close()
