"""The metadata API as JSON over a `Schema` (section 23): reading definitions, and changing them. No I/O."""

from strongroom.webapi.definitions.reading import read
from strongroom.webapi.definitions.writing import MetadataChange, ShortenedColumn, write

__all__ = ["MetadataChange", "ShortenedColumn", "read", "write"]
