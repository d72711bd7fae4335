"""The first page: the state of trust at a glance, each number one click from its evidence."""

from starlette.responses import Response

from strongroom.console.page import Page
from strongroom.console.visit import Visit


async def show(visit: Visit) -> Response:
    """The home page."""
    return visit.render("home.html", visit.texts("Home"), {"tiles": ()})


PAGES = (Page("", show, "home"),)
