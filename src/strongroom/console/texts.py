"""The console's texts: its catalogues, and the languages that they are in."""

from functools import cache
from pathlib import Path

from strongroom.translation import Catalogues, Texts

__all__ = ["Texts", "chosen_texts", "languages", "texts_in"]


@cache
def _catalogues() -> Catalogues:
    return Catalogues(Path(__file__).with_name("locale"), "console.po")


def languages() -> tuple[str, ...]:
    """The languages that there are catalogues for, English first."""
    return _catalogues().languages()


def texts_in(language: str) -> Texts:
    """The texts of one of `languages()`."""
    return _catalogues().texts_in(language)


def chosen_texts(wish: str | None, accept_language: str) -> Texts:
    """The language that somebody chose, else the best that the browser asks for."""
    return _catalogues().chosen(wish, accept_language)
