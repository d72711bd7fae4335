"""Texts in the visitor's language: gettext catalogues beside the code, English where there is none."""

from functools import cache
from io import BytesIO
from pathlib import Path

from babel import Locale, UnknownLocaleError, negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

_CATALOGUES = Path(__file__).with_name("locale")
_FILE = "console.po"


class Texts:
    """`texts("There are %(n)s rows.", n=3)`: a text in one language, with its values filled in."""

    def __init__(self, locale: Locale, catalogue: NullTranslations) -> None:
        self.locale = locale
        self.catalogue = catalogue

    def __call__(self, message: str, **values: object) -> str:
        found = self.catalogue.gettext(message)
        return found % values if values else found

    def figure(self, value: int | float) -> str:
        """A number as it is written in this language."""
        return format_decimal(value, locale=self.locale)

    def up_to(self, count: int, most: int) -> str:
        """A number that was counted no further than `most`."""
        return f"{self.figure(count)}+" if count >= most else self.figure(count)

    def number(self, singular: str, plural: str, count: int, **values: object) -> str:
        """The singular or the plural, with `count` as `%(count)s`."""
        return self.catalogue.ngettext(singular, plural, count) % {"count": self.figure(count), **values}


@cache
def languages() -> tuple[str, ...]:
    """The languages that there are catalogues for, English first."""
    found = sorted(path.parents[1].name for path in _CATALOGUES.glob(f"*/LC_MESSAGES/{_FILE}"))
    return ("en", *found)


@cache
def texts_in(language: str) -> Texts:
    """The texts of one of `languages()`."""
    if language == "en":
        return Texts(Locale("en"), NullTranslations())
    with (_CATALOGUES / language / "LC_MESSAGES" / _FILE).open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Texts(Locale.parse(language), Translations(compiled, "console"))


def chosen_texts(wish: str | None, accept_language: str) -> Texts:
    """The language that somebody chose, else the best that the browser asks for (RFC 9110, 12.5.4)."""
    if wish in languages():
        return texts_in(str(wish))
    wanted = [part.split(";")[0].strip().replace("-", "_") for part in accept_language.split(",")[:20]]
    try:
        found = negotiate_locale([each for each in wanted if each], languages())
    except (UnknownLocaleError, ValueError):
        found = None
    return texts_in(found or "en")
