"""Which version may come over which (WA-405): numbers like `1.2.0.7`, compared number by number.

An update may bring the version that is there, or a newer one. An upgrade has to be newer, because it removes what the
older one had alone. A patch keeps the first two numbers of its parent and raises one of the others; a clone of the
whole solution raises one of the first two.
"""

import re

from strongroom.errors import InvalidRequest

Version = tuple[int, int, int, int]

_FORM = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){1,3}")
OLDER = "0x80048031"
NOT_A_VERSION = "0x80048025"


def version_of(text: object) -> Version:
    """A version as numbers, those that are left out being 0. Raises `InvalidRequest` for what is none."""
    if not isinstance(text, str) or not _FORM.fullmatch(text):
        raise InvalidRequest(
            f"'{str(text)[:40]}' is no version of a solution; one is two to four numbers, such as 1.2.0.7.",
            code=NOT_A_VERSION,
        )
    numbers = [int(part) for part in text.split(".")]
    first, second, third, fourth = (*numbers, 0, 0)[:4]
    return first, second, third, fourth


def demand_update(name: str, there: object, new: str) -> None:
    """An update may be as new as what is there, or newer."""
    if version_of(new) < version_of(there):
        raise InvalidRequest(
            f"The solution '{name}' is here in version {there}, and {new} is older. "
            "Import a newer version, or remove the solution first.",
            code=OLDER,
        )


def demand_upgrade(name: str, there: object, new: str) -> None:
    """An upgrade is newer than what is there."""
    if version_of(new) <= version_of(there):
        raise InvalidRequest(
            f"The solution '{name}' is here in version {there}; an upgrade needs a higher one, and {new} is not.",
            code=OLDER,
        )


def demand_patch(name: str, parent: object, new: str) -> None:
    """A patch of 1.2.3.4 is 1.2.x.y, and higher."""
    base, wanted = version_of(parent), version_of(new)
    if wanted[:2] != base[:2] or wanted <= base:
        raise InvalidRequest(
            f"A patch of '{name}' {parent} is {base[0]}.{base[1]}.x.y and higher than {parent}; {new} is not.",
            code=NOT_A_VERSION,
        )


def demand_clone(name: str, parent: object, new: str) -> None:
    """A clone of 1.2.3.4 is 1.3 or higher: its patches are part of it."""
    base, wanted = version_of(parent), version_of(new)
    if wanted[:2] <= base[:2]:
        raise InvalidRequest(
            f"A clone of '{name}' {parent} is {base[0]}.{base[1] + 1}.0.0 or higher; {new} is not.", code=NOT_A_VERSION
        )
