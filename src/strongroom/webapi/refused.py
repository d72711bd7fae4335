"""Telling the trace of an environment what was refused, by the answer that its client gets (`monitoring.trace`)."""

from typing import Any

import orjson

from strongroom.clock import iso
from strongroom.environment import Environment
from strongroom.monitoring.trace import Asked, option_names, program
from strongroom.webapi.http import Request, Response
from strongroom.webapi.telemetry import shape_of


def tell(environment: Environment, request: Request, response: Response, outer: Request | None = None) -> Response:
    """Note a request that failed, where the server keeps a trace. The answer, as it came. `outer` is the `$batch` that
    the request came in."""
    if response.status < 400 or environment.trace is None:
        return response
    code, message = _said(response)
    shape = f"{shape_of(request.path)}{option_names(request.query)}"
    asked = Asked(program((outer or request).header("user-agent")), request.method, shape, response.status, code)
    environment.trace.note(asked, message, iso(environment.clock.now()))
    return response


def _said(response: Response) -> tuple[str, str]:
    """Code and first line of an error's body."""
    try:
        body: Any = orjson.loads(response.body)
        error = body["error"]
        return str(error["code"]), str(error["message"]).partition("\n")[0]
    except (orjson.JSONDecodeError, KeyError, TypeError):  # a `$batch`: each of its parts tells for itself
        return "", ""
