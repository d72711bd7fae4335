"""Looking at the console as another user: with the privilege to act on behalf of others, told to the trail, marked on
each page, and for reading alone.

The cookie holds nothing but whom; each request's rights are checked by the Web API.
"""

from starlette.requests import Request
from starlette.responses import Response

from strongroom.console.api import ApiError
from strongroom.console.page import Page
from strongroom.console.visit import Visit
from strongroom.ids import Guid, parse_guid

COOKIE = "strongroom-view-as"


def acting_in(request: Request, environment: str) -> Guid | None:
    """Whom the visitor looks as in this environment."""
    name, _, user = request.cookies.get(COOKIE, "").partition(":")
    return parse_guid(user) if name == environment else None


async def begin(visit: Visit) -> Response:
    """Look as the user of the address, from the next page on."""
    if visit.acting is not None:
        raise ApiError(409, "", visit.texts("You look as somebody else already: stop that first."))
    user = visit.row_id()
    await visit.api.ask("sr_ViewAs", UserId=user)
    response = visit.redirect("")
    response.set_cookie(
        COOKIE,
        f"{visit.environment.name}:{user}",
        path="/console",
        secure=visit.request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response


async def end(visit: Visit) -> Response:
    """Be oneself again."""
    response = visit.redirect("" if visit.acting is None else f"people/{visit.acting}")
    forget_acting(response)
    return response


def forget_acting(response: Response) -> None:
    """Take the cookie back."""
    response.delete_cookie(COOKIE, path="/console", httponly=True, samesite="strict")


PAGES = (
    Page("/people/{id}/view-as", begin, "people", ("POST",)),
    Page("/view-as/end", end, "people", ("POST",)),
)
ENDING = "/view-as/end"
"""The one form that may be sent while looking as somebody else."""
