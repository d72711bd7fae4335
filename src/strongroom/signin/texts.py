"""Texts of the sign-in pages: their catalogues, and what of other rooms is told on them."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from starlette.requests import Request

from strongroom.errors import StrongroomError
from strongroom.translation import LANGUAGE_COOKIE, ZONE_COOKIE, Catalogues, Texts, zone_named


def marked(text: str) -> str:
    """Marks a text for the catalogues (imported as `_`); it is translated where it is shown."""
    return text


_ = marked


def texts_of(request: Request) -> Texts:
    """The texts in the reader's language: the one chosen in the console, else what the browser asks for."""
    return _catalogues().chosen(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", ""))


def zone_of(request: Request) -> ZoneInfo:
    """The reader's time zone."""
    return zone_named(request.cookies.get(ZONE_COOKIE, "").replace("%2F", "/"))


def told(request: Request, error: StrongroomError) -> str:
    """A refusal in the reader's language, where the catalogue knows it; points of a password one by one."""
    texts = texts_of(request)
    points = error.details.get("points") if error.details else None
    if not isinstance(points, list):
        return texts(error.message)
    named = "; ".join(texts(str(point)) for point in cast("Sequence[object]", points))
    return texts("This password cannot be taken: %(points)s. Several unrelated words make a good one.", points=named)


@cache
def _catalogues() -> Catalogues:
    return Catalogues(Path(__file__).with_name("locale"), "signin.po")


OF_OTHER_ROOMS = (
    _("it is one of your last 10 passwords"),
    _("it has fewer than 12 characters"),
    _("it has more than 256 characters"),
    _("it is on the list of common passwords"),
    _("it contains a part of your name or address"),
    _("it is too easy to guess"),
    _("The key of the app is not one that was made here. Begin again."),
    _("This code does not fit. Check the clock of the device, and type the code that it shows now."),
    _("This step has ended. Begin again."),
    _("The browser's answer does not hold: no passkey was kept."),
    _("This is no passkey of yours."),
)
"""What `identity` says to people, in its own words: its errors go to programs too, and stay English there."""
