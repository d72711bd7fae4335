"""What may be written to an image column: base64, or bytes that were read already, no larger than the column takes."""

import base64
import binascii

from strongroom.errors import InvalidRequest, PayloadError
from strongroom.schema.model import Column
from strongroom.store.protocol import Value

_DEFAULT_SIZE_KB = 10_240
_REFUSED = "0x80072553"


def image_body(column: Column, value: Value) -> Value:
    """The bytes of an image that comes as base64, or is bytes already; no larger than the column takes (WA-367)."""
    if value is None or value == "":
        return None
    body = value
    if isinstance(value, str):
        try:
            body = base64.b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError):
            raise _no_image(column) from None
    if not isinstance(body, bytes):
        raise _no_image(column)
    demand_image_size(column, len(body))
    return body


def demand_image_size(column: Column, size: int) -> None:
    """Refuse an image that is larger than its column takes."""
    most = column.max_size_kb or _DEFAULT_SIZE_KB
    if size > most * 1024:
        raise InvalidRequest(
            f"Error occured when processing image. Reason: File size is too big. MaxSize: {most} KB, Uploaded"
            f" filesize: {-(-size // 1024)} KB. The column is '{column.logical_name}'.",
            code=_REFUSED,
        )


def _no_image(column: Column) -> PayloadError:
    return PayloadError(
        f"Error identified in Payload provided by the user: the value of '{column.logical_name}' must be an image as"
        " base64."
    )
