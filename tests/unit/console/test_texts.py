"""The catalogues: every text of every page is translated, with the same values in it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

import strongroom
from strongroom.console.reader import FORMATTED, Reader
from strongroom.console.texts import chosen_texts, languages, texts_in
from strongroom.translation import UTC_ZONE, zone_named

_ROOMS = {name: Path(strongroom.__file__).parent / name for name in ("console", "signin")}
_TRANSLATED = [(room, each) for room in _ROOMS for each in languages() if each != "en"]
_MAPPINGS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
_KEYWORDS = {**DEFAULT_KEYWORDS, "texts": None, "words": None, "number": (1, 2), "_": None}
_VALUES = re.compile(r"%\((\w+)\)s")


def _said(room: str) -> Iterator[str | tuple[str, ...]]:
    options = {"**/templates/**.html": {"encoding": "utf-8"}}
    for _, _, message, _, _ in extract_from_dir(str(_ROOMS[room]), _MAPPINGS, options, keywords=_KEYWORDS):
        yield message


def _catalogue(room: str, language: str) -> Catalog:
    with (_ROOMS[room] / "locale" / language / "LC_MESSAGES" / f"{room}.po").open("rb") as file:
        return read_po(file, locale=language)


def _translations(room: str, language: str) -> dict[str, tuple[str, ...]]:
    """The translations by the text, or by the singular."""
    found: dict[str, tuple[str, ...]] = {}
    for message in _catalogue(room, language):
        name = message.id if isinstance(message.id, str) else str(message.id[0])
        said = message.string or ""
        found[name] = (said,) if isinstance(said, str) else tuple(map(str, said))
    del found[""]
    return found


@pytest.mark.parametrize(("room", "language"), _TRANSLATED)
def test_every_text_is_translated_with_the_same_values(room: str, language: str) -> None:
    known, said = _translations(room, language), set(_said(room))
    assert len(said) > {"console": 400, "signin": 80}[room]
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


@pytest.mark.parametrize(("room", "language"), _TRANSLATED)
def test_a_catalogue_holds_no_text_that_nobody_says(room: str, language: str) -> None:
    said = {message[0] if isinstance(message, tuple) else message for message in _said(room)}
    assert _translations(room, language).keys() - said == set()


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


def test_moments_are_written_in_the_language_and_the_zone_of_the_reader() -> None:
    german, english, berlin = texts_in("de"), texts_in("en"), zone_named("Europe/Berlin")
    assert english.moment("2026-11-25T23:30:00Z", UTC_ZONE) == "Nov 25, 2026, 23:30"
    assert german.moment("2026-11-25T23:30:00Z", berlin) == "26.11.2026, 00:30"
    assert german.moment("2026-07-01T10:00:00Z", berlin) == "01.07.2026, 12:00"
    assert english.moment("no moment", berlin) == english.day("no day") == ""


@pytest.mark.parametrize("name", ["", "Nowhere/Nothing", "../../etc/passwd", "/etc/passwd", "Europe", "x" * 1000, "\0"])
def test_what_is_no_time_zone_is_utc(name: str) -> None:
    assert zone_named(name) == UTC_ZONE


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ({"v": "2026-11-25T23:30:00Z", "v@F": "11/25/2026 11:30 PM"}, "26.11.2026, 00:30"),
        ({"fixed": "2026-11-25T23:30:00Z", "fixed@F": "11/25/2026 11:30 PM"}, "25.11.2026, 23:30"),
        ({"v": "2026-11-25T00:00:00Z", "v@F": "11/25/2026"}, "25.11.2026"),
        ({"v": "2026-11-25", "v@F": "11/25/2026"}, "25.11.2026"),
        ({"v": 1234567.5, "v@F": "$1,234,567.50"}, "$1.234.567,50"),
        ({"v": -12, "v@F": "($12.00)"}, "($12,00)"),
        ({"v": 3, "v@F": "Version 1.5, new"}, "Version 1.5, new"),
        ({"v": True, "v@F": "Yes"}, "Yes"),
        ({"v": "11/25/2026", "v@F": "11/25/2026"}, "11/25/2026"),
        ({"v": None, "v@F": "1,000"}, "1,000"),
    ],
)
def test_formatted_values_are_written_for_their_reader(row: dict[str, object], shown: str) -> None:
    """Moments in the reader's zone, unless a column means the same hour everywhere; days and numbers in the language;
    names of choices as they are."""
    body = {name.replace("@F", FORMATTED): value for name, value in row.items()}
    outer: dict[str, object] = {"value": [{"inner": body}]}
    Reader(texts_in("de"), zone_named("Europe/Berlin"), frozenset({"fixed"})).write(outer)
    assert [value for name, value in body.items() if name.endswith(FORMATTED)] == [shown]
