"""What commands print: answers on standard output, progress on standard error."""

import json
import sys
import unicodedata
from collections.abc import Sequence

import click


def say(text: str = "") -> None:
    """One line of the answer."""
    click.echo(text)


def print_json(value: object) -> None:
    """The answer as indented JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns in line, also for wide scripts; no line ends with spaces."""
    cells = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(_width(row[i]) for row in cells) for i in range(len(head))]
    lines = [
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)) for row in cells
    ]
    return "\n".join(line.rstrip() for line in lines)


class Progress:
    """Tells how far long work is: a line that rewrites itself on a terminal, a line for each kind of work elsewhere."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._last = ""

    def __call__(self, what: str, done: int, total: int) -> None:
        """`done` of `total` rows of `what`."""
        if self._is_terminal:
            click.echo(f"\r\x1b[K{what}: {done:,} of {total:,}", nl=False, err=True)
        elif what != self._last:
            click.echo(f"{what}: {total:,}", err=True)
        self._last = what

    def end(self) -> None:
        """Leave the terminal's line clean."""
        if self._is_terminal and self._last:
            click.echo("\r\x1b[K", nl=False, err=True)


def _width(text: str) -> int:
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) > 0 for letter in text)
