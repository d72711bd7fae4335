"""What somebody typed into a form that could not be taken just now: it is given back, to be sent again.

A session that has ended, a proof that is asked for anew, an environment that was closed meanwhile: the page that says
so carries the fields, so that nothing has to be typed twice. Secrets are not carried, and files cannot be.
"""

from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from strongroom.console.visit import MOST_FIELDS

_SECRETS = frozenset({"value", "password", "token", "secret"})
_LARGEST = 512 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """A form as it was sent: where to, and its fields in their order. `is_whole` unless something is missing in it."""

    action: str
    fields: tuple[tuple[str, str], ...]
    is_whole: bool


async def kept_form(request: Request) -> Kept | None:
    """The form of a request; None where there was none, or nothing was typed. Call it only once the form is known to
    come from a page of this server: what another site sends must not come to look like one of ours."""
    try:
        form = await request.form(max_fields=MOST_FIELDS)
    except HTTPException:
        return None
    fields: list[tuple[str, str]] = []
    is_whole = True
    for name, value in form.multi_items():
        if isinstance(value, UploadFile) or name in _SECRETS:
            is_whole = False
        else:
            fields.append((name, value))
    is_small = sum(len(name) + len(value) for name, value in fields) <= _LARGEST
    if not is_small or not any(value for name, value in fields if name != "act"):
        return None
    action = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return Kept(action, tuple(fields), is_whole)
