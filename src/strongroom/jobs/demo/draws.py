"""Numbers and ids that follow from a seed: random access, so that any row can be made without those before it.

A draw is 64 well-mixed bits from (seed, stream, index) by the finaliser of SplitMix64; rows take their choices out of
different bits of one draw. Random access is what lets a contact know its account's id and owner without either being
kept in memory.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Final, TypeVar

from strongroom.clock import iso
from strongroom.ids import Guid

T = TypeVar("T")

MASK: Final = (1 << 64) - 1
_STEP: Final = 0x9E3779B97F4A7C15
_FIRST_MS: Final = 1_704_067_200_000  # 2024-01-01, so that made ids sort before those of a live system


def stream(seed: int, number: int) -> int:
    """The start of one stream of draws."""
    return draw((seed * 0x2545F4914F6CDD1D + number * 0x632BE59BD9B4E019) & MASK, 0)


def draw(start: int, index: int) -> int:
    """64 bits that depend on nothing but the arguments."""
    x = (start + (index + 1) * _STEP) & MASK
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) & MASK
    return x ^ x >> 31


def guid(kind: int, index: int, bits: int) -> Guid:
    """An id in the form of a time-ordered UUID whose order is that of `index`: inserts stay at the end of the tree."""
    moment = _FIRST_MS + index
    return Guid(
        "%08x-%04x-7%03x-%04x-%012x"  # noqa: UP031 (measured: half the time of an f-string with five formats)
        % (moment >> 16, moment & 0xFFFF, kind, 0x8000 | bits >> 48 & 0x3FFF, bits & 0xFFFFFFFFFFFF)
    )


def slots(values: Sequence[T], weights: Sequence[float], count: int) -> tuple[T, ...]:
    """`count` places (a power of two) filled with `values` by their weights, in a fixed and well-mixed order: a
    weighted choice costs one look-up."""
    total = sum(weights)
    bounds = list(accumulate(weight / total for weight in weights))
    last = len(values) - 1
    ordered = [values[min(bisect_right(bounds, (place + 0.5) / count), last)] for place in range(count)]
    # Multiplying by an odd number permutes the places.
    return tuple(ordered[place * 40_503 % count] for place in range(count))


def moments(until: str, days: int, count: int, *, most_recent: float = 2.0) -> tuple[str, ...]:
    """`count` date-times of the `days` before `until`, more of them near the end, in working hours."""
    end = datetime.fromisoformat(until).replace(hour=8, minute=0, second=0)
    found: list[str] = []
    for place in range(count):
        bits = draw(7, place)
        age = days * ((place + 1) / count) ** most_recent
        at = end - timedelta(days=int(age) + 1) + timedelta(seconds=bits % 36_000)
        found.append(iso(at.astimezone(UTC)))
    return tuple(found[place * 40_503 % count] for place in range(count))
