"""Texts that a spreadsheet would take for a formula, made harmless; and back.

A cell that begins with `=`, `+`, `-`, `@`, a tab or a line break may be run as a formula by whoever opens the file. An
apostrophe in front makes it text. So that every text comes back as it was, one that already has apostrophes in front
of such a character gets one more, and reading takes exactly one away.
"""

import re

_DANGEROUS = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NEUTRALISED = re.compile(r"'+[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def neutral(text: str) -> str:
    """`text` so that no spreadsheet runs it."""
    return f"'{text}" if _DANGEROUS.match(text) else text


def original(text: str) -> str:
    """The text that `neutral` was given."""
    return text[1:] if _NEUTRALISED.match(text) else text
