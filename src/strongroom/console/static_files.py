"""Style sheet and script, from the package itself, under addresses that change with their content."""

from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from strongroom.console.templating import asset

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


async def respond(request: Request) -> Response:
    """One file; an address of an older version leads to the present one."""
    name = str(request.path_params["name"])
    kind = _TYPES.get(name[name.rfind(".") :])
    path = files("strongroom.console").joinpath("static", name)
    if kind is None or not name.replace(".", "").replace("-", "").isalnum() or not path.is_file():
        raise HTTPException(404)
    if asset(name) != request.url.path:
        return RedirectResponse(asset(name), 307)
    return Response(
        path.read_bytes(), media_type=kind, headers={"Cache-Control": "public, max-age=31536000, immutable"}
    )
