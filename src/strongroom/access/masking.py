"""Masks of secured columns: each character of every match of a regular expression becomes the masking character
(SM-137).

The expression is an administrator's, the text is anybody's, and an expression with look-aheads cannot be run in time
linear in the text. So a match has a time limit, and all matches of one answer have one together; what is not matched
in time is masked whole, never shown (SM-7). `docs/decisions/0006-masking.md` has the alternatives.

Example: `[0-9](?=[0-9]{4})` with `#` makes `12345678` into `####5678`.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import regex

from strongroom.errors import InvalidRequest

LONGEST_PATTERN = 500
"""Characters of an expression. Those that people write for numbers of cards, phones and people have far fewer."""
MOST_REPEATS = 100_000
"""The product of all counts in braces: the compiler of expressions unrolls them."""
_ONE_VALUE_S = 0.05
_ONE_ANSWER_S = 0.5
_COUNTS = re.compile(r"\{\s*(\d+)?\s*(?:,\s*(\d+)?\s*)?\}")
_PROBES = ("0" * 2000, "a" * 2000 + "!", "a0 " * 700, "ab" * 1000 + "\n")


@dataclass(frozen=True, slots=True)
class Mask:
    """A masking rule: what is masked, and by which character."""

    pattern: str
    character: str

    def for_answer(self) -> Callable[[object], object]:
        """A function that masks the values of one answer. Null stays null; a value that takes too long, and every
        value once the answer has taken too long, is masked whole."""
        compiled = _compiled(self.pattern)
        left_s = _ONE_ANSWER_S

        def mask(value: object) -> object:
            nonlocal left_s
            if not isinstance(value, str):
                return None if value is None else self.character
            if compiled is None or left_s <= 0:
                return self.character * len(value)
            began = time.perf_counter()
            try:
                return compiled.sub(self._stand_in, value, timeout=_ONE_VALUE_S)
            except (TimeoutError, MemoryError):
                return self.character * len(value)
            finally:
                left_s -= time.perf_counter() - began

        return mask

    def __call__(self, value: object) -> object:
        """One value, masked."""
        return self.for_answer()(value)

    def _stand_in(self, match: regex.Match[str]) -> str:
        return self.character * len(match.group())


def check_mask(mask: Mask) -> None:
    """Raise `InvalidRequest` that says what is wrong with a rule that is to be stored."""
    if len(mask.character) != 1 or not mask.character.isprintable():
        raise InvalidRequest("'maskedcharacter' takes exactly one printable character, such as '#'.")
    if not mask.pattern:
        raise InvalidRequest("'regularexpression' cannot be empty: it says which characters are masked.")
    if len(mask.pattern) > LONGEST_PATTERN:
        raise InvalidRequest(f"'regularexpression' can have at most {LONGEST_PATTERN} characters.")
    if _repeats(mask.pattern) > MOST_REPEATS:
        raise InvalidRequest(
            f"'regularexpression' repeats too often: the counts in braces multiply to more than {MOST_REPEATS}."
        )
    try:
        compiled = _compile(mask.pattern)
    except _UNUSABLE as error:
        raise InvalidRequest(f"'regularexpression' is no regular expression: {error}.") from None
    try:
        for probe in _PROBES:
            compiled.sub("", probe, timeout=_ONE_VALUE_S)
    except (TimeoutError, MemoryError):
        raise InvalidRequest(
            "'regularexpression' takes too long to match a long text. Repetitions inside repetitions, as in '(a+)+', "
            "and alternatives that begin alike are the usual reasons."
        ) from None


_UNUSABLE = (regex.error, RecursionError, OverflowError, ValueError, KeyError, IndexError)
"""What compiling an expression raises that is none."""


def _compile(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern, cache_pattern=False)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> regex.Pattern[str] | None:
    """The expression; None when it cannot be used: then everything is masked."""
    if len(pattern) > LONGEST_PATTERN or _repeats(pattern) > MOST_REPEATS:
        return None
    try:
        return _compile(pattern)
    except _UNUSABLE:
        return None


def _repeats(pattern: str) -> int:
    product = 1
    for low, high in _COUNTS.findall(pattern):
        product *= max(int(low or 1), int(high or 1), 1)
    return product
