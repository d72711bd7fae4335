"""Rights and depths as they are written on the wire (WA-411, WA-412)."""

from strongroom.errors import InvalidRequest
from strongroom.schema.model import Depth, Rights

RIGHT_NAMES = {
    Rights.READ: "ReadAccess",
    Rights.WRITE: "WriteAccess",
    Rights.APPEND: "AppendAccess",
    Rights.APPEND_TO: "AppendToAccess",
    Rights.CREATE: "CreateAccess",
    Rights.DELETE: "DeleteAccess",
    Rights.SHARE: "ShareAccess",
    Rights.ASSIGN: "AssignAccess",
}
"""The name of each right, in the order in which lists give them (WA-411)."""

SHAREABLE = Rights(851991)
"""Every right but Create, which cannot be shared (section 2 of the security model)."""

_BY_NAME = {name: right for right, name in RIGHT_NAMES.items()}
_DEPTHS = {depth.wire_name: depth for depth in Depth}


def format_rights(rights: Rights) -> str:
    """`ReadAccess, WriteAccess`, or `None` when there is no right (WA-411, SM-170)."""
    return ", ".join(name for right, name in RIGHT_NAMES.items() if right in rights) or "None"


def parse_rights(text: str) -> Rights:
    """The rights in a comma-separated list in any order; `None` and the empty text are no right. Unknown names: 400."""
    rights = Rights.NONE
    for name in filter(None, map(str.strip, text.split(","))):
        if name == "None":
            continue
        if name not in _BY_NAME:
            raise InvalidRequest(f"'{name}' is not an access right. The rights are {', '.join(_BY_NAME)}.")
        rights |= _BY_NAME[name]
    return rights


def parse_depth(value: str | int) -> Depth:
    """A depth given by name or by number 0 to 3 (WA-412); anything else: 400."""
    if isinstance(value, str):
        found = _DEPTHS.get(value)
    else:
        found = next((depth for depth in Depth if depth.value == value), None)
    if found is None:
        raise InvalidRequest(f"'{value}' is not a depth. The depths are {', '.join(_DEPTHS)} (0 to 3).")
    return found
