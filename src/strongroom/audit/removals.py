"""Entries that were removed in good order: the entry about the removal names the places of the log that lost theirs.

That entry has a leaf of its own, so nobody can make a removal look proper afterwards without the key that signs heads.
"""

from collections.abc import Mapping, Sequence

import orjson

from strongroom.audit.entries import Action

REMOVED_PLACES = "removedplaces"
"""The name in `changedata` under which the places stand, as `3-17,20`."""

ERASED_PLACES = "erasedplaces"
"""The same for entries whose texts were erased, while they stay (`audit.erasure`)."""


def ranges_of(places: Sequence[int]) -> str:
    """Places as text: `3-17,20`."""
    found: list[list[int]] = []
    for place in sorted(places):
        if found and found[-1][1] == place - 1:
            found[-1][1] = place
        else:
            found.append([place, place])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in found)


def declared_in(members: Mapping[str, str | int | None], name: str = REMOVED_PLACES) -> list[range]:
    """The places that an entry says were removed, or erased; none for any other entry."""
    data = members.get("changedata")
    if members.get("action") != Action.AUDIT_LOG_DELETION.value or not isinstance(data, str):
        return []
    try:
        changed = orjson.loads(data)["changedAttributes"]
        text = next((str(each["oldValue"]) for each in changed if each["logicalName"] == name), "")
        return [_range(part) for part in text.split(",") if part and part != "None"]
    except (ValueError, KeyError, TypeError):
        return []


def _range(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)
