"""Identifiers: the row id that clients see, and the reference that a lookup holds.

Rows have two identities. At the edge, a GUID (text, lower case, with hyphens). Inside the store, an 8-byte integer
*key*, which only the security columns use (`owner`, `unit`) and which never leaves the process.
"""

import re
import secrets
from typing import NamedTuple, NewType

from strongroom.clock import Clock

Guid = NewType("Guid", str)
"""A GUID as lower-case text with hyphens. Made by `parse_guid` or `new_guid` only."""

Key = NewType("Key", int)
"""The integer key of a row inside one environment's store."""

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_BARE = re.compile(r"[0-9a-f]{32}")

_TIME_BITS = (1 << 48) - 1
_COUNTER_LIMIT = 1 << 28

EMPTY_GUID = Guid("00000000-0000-0000-0000-000000000000")


class Reference(NamedTuple):
    """What a lookup holds: the logical name of the table and the id of the row."""

    table: str
    id: Guid


def parse_guid(text: str) -> Guid | None:
    """`text` as a GUID, or None. Upper case, braces and the form without hyphens are accepted (WA-75, WA-93)."""
    text = text.strip().lower()
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1]
    if _BARE.fullmatch(text):
        text = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
    return Guid(text) if _GUID.fullmatch(text) else None


def new_guid(clock: Clock) -> Guid:
    """A new GUID whose first 48 bits are the time in milliseconds (UUID version 7), so that inserts stay in order."""
    return new_guids(clock, 1)[0]


def new_guids(clock: Clock, number: int) -> list[Guid]:
    """`number` new GUIDs of the same moment, each greater than the one before (RFC 9562, section 6.2, method 1).

    Indexes take them at one end, page after page. The 28 bits after the time count up from a random number, the other
    44 are random in each, so that two processes do not meet.
    """
    time = f"{clock.now_ms() & _TIME_BITS:012x}"
    head = f"{time[:8]}-{time[8:]}-7"
    noise = secrets.token_hex(4 + 6 * number)
    first = int(noise[:8], 16) % (_COUNTER_LIMIT - number)
    found: list[Guid] = []
    for place in range(number):
        counter, start = f"{first + place:07x}", 8 + 12 * place
        found.append(Guid(f"{head}{counter[:3]}-8{counter[3:6]}-{counter[6]}{noise[start : start + 11]}"))
    return found
