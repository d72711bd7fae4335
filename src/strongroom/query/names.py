"""The nearest known name to one that is not known, for messages."""

import difflib
from collections.abc import Iterable

_MOST_CHARACTERS = 100
"""Longer names are compared by their beginning: the cost of a comparison grows with the square of the length."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `name` most likely stands for, or None when nothing is close."""
    short = name[:_MOST_CHARACTERS]
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(short.lower(), by_lower, n=1, cutoff=0.7)
    return by_lower[found[0]] if found else None


def hint(name: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` with a leading space, or nothing: made to be appended to a message."""
    found = nearest(name, known)
    return f" Did you mean '{found}'?" if found is not None and found != name else ""


def shown(text: str, most: int = 100) -> str:
    """`text` as a message may quote it: on one line and not longer than `most` characters."""
    line = " ".join(text.encode("utf-8", "replace").decode().split())
    return line if len(line) <= most else line[: most - 1] + "…"
