"""The metadata API as JSON over a `Schema` (section 23): reading definitions, and changing them. No I/O."""

from strongroom.webapi.definitions.option_actions import OPTION_ACTIONS
from strongroom.webapi.definitions.reading import read
from strongroom.webapi.definitions.writing import MetadataChange, require_method, write

__all__ = ["OPTION_ACTIONS", "MetadataChange", "read", "require_method", "write"]
