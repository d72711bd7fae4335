"""Texts in the reader's language and moments in their time zone, for the pages that people see.

A room that has pages keeps its catalogues beside its code (`locale/<language>/LC_MESSAGES/<file>.po`); English is the
text itself. Which language and zone: what somebody chose, which cookies remember, else what their browser says.
"""

from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError, negotiate_locale
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, get_decimal_symbol, get_group_symbol
from babel.support import NullTranslations, Translations

LANGUAGE_COOKIE = "strongroom-language"
ZONE_COOKIE = "strongroom-zone"
"""Written by the page's script from what the browser says, or by the form in the menu."""

UTC_ZONE = ZoneInfo("UTC")
_LONGEST_ZONE = 60


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

    def moment(self, value: str, zone: ZoneInfo) -> str:
        """A moment of the Web API (`2024-05-01T10:15:00Z`) in a time zone, as it is written in this language; empty for
        what is no moment."""
        try:
            local = datetime.fromisoformat(value).astimezone(zone)
            return f"{format_date(local.date(), 'medium', self.locale)}, {local:%H:%M}"
        except (ValueError, OverflowError):
            return ""

    def day(self, value: str) -> str:
        """A day of the Web API (`2024-05-01`) as it is written in this language; empty for what is no day."""
        try:
            return format_date(date.fromisoformat(value), "medium", locale=self.locale)
        except (ValueError, OverflowError):
            return ""

    def written(self, shown: str) -> str:
        """A number that the Web API wrote in English (`$1,234.50`), with the signs of this language."""
        signs = {",": get_group_symbol(self.locale), ".": get_decimal_symbol(self.locale)}
        return "".join(signs.get(sign, sign) for sign in shown)

    def up_to(self, count: int, most: int) -> str:
        """A number that was counted no further than `most`."""
        return f"{self.figure(count)}+" if count >= most else self.figure(count)

    def number(self, singular: str, plural: str, count: int, **values: object) -> str:
        """The singular or the plural, with `count` as `%(count)s`."""
        return self.catalogue.ngettext(singular, plural, count) % {"count": self.figure(count), **values}


class Catalogues:
    """The translations of one room: `folder` holds the languages, `file` is the catalogue's name."""

    def __init__(self, folder: Path, file: str) -> None:
        self._folder = folder
        self._file = file
        self._known: dict[str, Texts] = {"en": Texts(Locale("en"), NullTranslations())}

        found = sorted(path.parents[1].name for path in folder.glob(f"*/LC_MESSAGES/{file}"))
        self._languages = ("en", *found)

    def languages(self) -> tuple[str, ...]:
        """The languages that there are catalogues for, English first."""
        return self._languages

    def texts_in(self, language: str) -> Texts:
        """The texts of one of `languages()`."""
        found = self._known.get(language)
        if found is None:
            found = self._known[language] = self._read(language)
        return found

    def chosen(self, wish: str | None, accept_language: str) -> Texts:
        """The language that somebody chose, else the best that the browser asks for (RFC 9110, 12.5.4)."""
        if wish in self.languages():
            return self.texts_in(str(wish))
        wanted = [part.split(";")[0].strip().replace("-", "_") for part in accept_language.split(",")[:20]]
        try:
            found = negotiate_locale([each for each in wanted if each], self.languages())
        except (UnknownLocaleError, ValueError):
            found = None
        return self.texts_in(found or "en")

    def _read(self, language: str) -> Texts:
        with (self._folder / language / "LC_MESSAGES" / self._file).open("rb") as file:
            catalogue = read_po(file, locale=language)
        compiled = BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        return Texts(Locale.parse(language), Translations(compiled, Path(self._file).stem))


def zone_named(name: str) -> ZoneInfo:
    """A time zone by its name in the IANA database; UTC for what is none."""
    if not 0 < len(name) <= _LONGEST_ZONE:
        return UTC_ZONE
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown; a path that leads away; a folder
        return UTC_ZONE
