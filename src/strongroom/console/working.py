"""Long work on a page: the page arrives at once, a bar grows in it while the work goes on, and its end says what came
of it. No script is needed: a browser shows what has arrived, and the style hides every bar but the last one."""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from starlette.responses import Response, StreamingResponse

from strongroom.console.api import ApiError
from strongroom.console.templating import page_text
from strongroom.console.visit import Crumb, Visit
from strongroom.errors import StrongroomError

_MARK = "<!--work-->"
_PAUSE_S = 0.2
"""Between two bars: more would be seen by nobody."""

logger = logging.getLogger("strongroom.console")


@dataclass(frozen=True, slots=True)
class Step:
    """How far the work is: `done` of `total`, 0 when nobody knows how many there are."""

    what: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class End:
    """What came of it: a template without a frame, and its values."""

    template: str
    context: Mapping[str, object]


Work = AsyncIterator[Step | End]


def working(visit: Visit, title: str, work: Work, *, crumbs: Sequence[Crumb] = ()) -> Response:
    """A page that arrives while `work` is done. Closing the page closes the iterator."""
    page = page_text("working.html", visit.texts, {"visit": visit, "title": title, "crumbs": crumbs, "mark": _MARK})
    before, _, after = page.partition(_MARK)

    async def pieces() -> AsyncIterator[str]:
        yield before
        shown = 0.0
        try:
            async for each in work:
                if isinstance(each, End):
                    yield page_text(each.template, visit.texts, {"visit": visit, **each.context})
                elif monotonic() - shown >= _PAUSE_S:
                    shown = monotonic()
                    yield _part(visit, step=each)
        except (ApiError, StrongroomError) as error:
            yield _part(visit, message=error.message)
        except Exception as error:  # the boundary: the page has begun, so its end must say it
            number = visit.environment.new_id()
            logger.error("unexpected error", exc_info=error, extra={"request_id": number})
            message = visit.texts("Something went wrong here. The server's log has it as %(id)s.", id=number)
            yield _part(visit, message=message)
        yield after

    # Compressing would hold pieces back until there is enough of them.
    return StreamingResponse(pieces(), media_type="text/html", headers={"Content-Encoding": "identity"})


def _part(visit: Visit, *, step: Step | None = None, message: str | None = None) -> str:
    return page_text("working-part.html", visit.texts, {"step": step, "message": message})
