"""What a page of the console is. See docs/how-to/add-a-console-page.md."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from strongroom.console.visit import Visit

Handler = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Page:
    """One page below `/console/{environment}`.

    `path` begins with a slash, with parameters as Starlette writes them, and is empty for the home page; `area` is the
    entry of the navigation that it belongs to.
    """

    path: str
    handler: Handler
    area: str
    methods: Sequence[str] = ("GET",)
