"""The catalogues: every text of every page is translated, with the same values in it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

import strongroom.console
from strongroom.console.texts import chosen_texts, languages, texts_in

_CONSOLE = Path(strongroom.console.__file__).parent
_MAPPINGS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
_KEYWORDS = {**DEFAULT_KEYWORDS, "texts": None, "number": (1, 2), "_": None}
_VALUES = re.compile(r"%\((\w+)\)s")


def _said() -> Iterator[str | tuple[str, ...]]:
    options = {"**/templates/**.html": {"encoding": "utf-8"}}
    for _, _, message, _, _ in extract_from_dir(str(_CONSOLE), _MAPPINGS, options, keywords=_KEYWORDS):
        yield message


def _catalogue(language: str) -> Catalog:
    with (_CONSOLE / "locale" / language / "LC_MESSAGES" / "console.po").open("rb") as file:
        return read_po(file, locale=language)


def _translations(language: str) -> dict[str, tuple[str, ...]]:
    """The translations by the text, or by the singular."""
    found: dict[str, tuple[str, ...]] = {}
    for message in _catalogue(language):
        name = message.id if isinstance(message.id, str) else str(message.id[0])
        said = message.string or ""
        found[name] = (said,) if isinstance(said, str) else tuple(map(str, said))
    del found[""]
    return found


@pytest.mark.parametrize("language", [each for each in languages() if each != "en"])
def test_every_text_is_translated_with_the_same_values(language: str) -> None:
    known, said = _translations(language), set(_said())
    assert len(said) > 400
    wrong: list[str] = []
    for message in said:
        ours = (message,) if isinstance(message, str) else message
        theirs = known.get(ours[0], ("",))
        if not all(theirs):
            wrong.append(f"{ours[0]!r} has no translation")
        elif any(set(_VALUES.findall(each)) - set(_VALUES.findall(ours[-1])) for each in theirs) or set(
            _VALUES.findall(ours[-1])
        ) != set(_VALUES.findall(theirs[-1])):
            wrong.append(f"{ours[0]!r} and its translation show different values")
    assert wrong == []


@pytest.mark.parametrize("language", [each for each in languages() if each != "en"])
def test_a_catalogue_holds_no_text_that_nobody_says(language: str) -> None:
    said = {message[0] if isinstance(message, tuple) else message for message in _said()}
    assert _translations(language).keys() - said == set()


@pytest.mark.parametrize(
    ("wish", "header", "language"),
    [
        (None, "", "en"),
        (None, "de-AT,de;q=0.9,en;q=0.8", "de"),
        (None, "fr,xx-nonsense;q=!,", "en"),
        ("de", "en", "de"),
        ("klingon", "en", "en"),
    ],
)
def test_the_language_is_the_chosen_one_or_what_the_browser_asks_for(
    wish: str | None, header: str, language: str
) -> None:
    assert chosen_texts(wish, header).locale.language == language


def test_numbers_and_plurals_follow_the_language() -> None:
    german, english = texts_in("de"), texts_in("en")
    assert (german.figure(1234567), english.figure(1234567)) == ("1.234.567", "1,234,567")
    assert german.number("%(count)s row", "%(count)s rows", 1) == "1 Zeile"
    assert german.number("%(count)s row", "%(count)s rows", 2500) == "2.500 Zeilen"
    assert english.up_to(5000, 5000) == "5,000+"
