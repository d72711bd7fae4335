"""Options of choices: values, labels, and the values that are given out when the caller names none."""

from collections.abc import Sequence

from strongroom.errors import InvalidRequest
from strongroom.schema.changes.requests import NewOption
from strongroom.schema.model import Option
from strongroom.schema.system_columns import INTEGER_MAXIMUM, INTEGER_MINIMUM

DEFAULT_OPTION_PREFIX = 10_000
"""The option value prefix of the publisher `new` (WA-447)."""


def numbered_options(options: Sequence[NewOption], prefix: int = DEFAULT_OPTION_PREFIX) -> tuple[Option, ...]:
    """The options with a value for each: the caller's own, or the next free one from `{prefix}0000` on (WA-350)."""
    taken = {option.value for option in options if option.value is not None}
    made: list[Option] = []
    for option in options:
        value = option.value
        if value is None:
            value = next_option_value(taken, prefix)
            taken.add(value)
        made.append(Option(value, option.label, state=option.state))
    return checked_options(made)


def next_option_value(taken: set[int], prefix: int = DEFAULT_OPTION_PREFIX) -> int:
    """The first free value of the publisher's range."""
    value = prefix * 10_000
    while value in taken:
        value += 1
    return value


def checked_options(options: Sequence[Option]) -> tuple[Option, ...]:
    """The options, when their values are distinct 32-bit numbers and all have a label; else 400."""
    seen: set[int] = set()
    for option in options:
        if not INTEGER_MINIMUM <= option.value <= INTEGER_MAXIMUM:
            raise InvalidRequest(f"The option value {option.value} is not a 32-bit whole number.")
        if option.value in seen:
            raise InvalidRequest(f"The option value {option.value} occurs twice.", code="0x80048403")
        if not option.label.strip():
            raise InvalidRequest(f"The option {option.value} has no label.")
        seen.add(option.value)
    return tuple(options)
