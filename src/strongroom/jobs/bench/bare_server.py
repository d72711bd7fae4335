"""The server that HTTP is compared with: the same page from the same store, without token, query, rights or a core.

Run as `python -m strongroom.jobs.bench.bare_server HOME PORT SQL NAMES`: the statement reads known rows, the names (by
commas) become the keys of each row's object.
"""

import sys
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import orjson
import uvicorn

from strongroom.home import open_home
from strongroom.jobs.bench.connecting import connect

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]


def application(home: Path, sql: str, names: tuple[str, ...]) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The ASGI application."""
    opened = open_home(home)
    connection = connect(opened, opened.default_environment())
    fixed = [(b"content-type", b"application/json; odata.metadata=minimal"), (b"odata-version", b"4.0")]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        rows = [dict(zip(names, row, strict=True)) for row in connection.query(sql)]
        body = orjson.dumps({"value": rows}, default=str)
        headers = [*fixed, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def main() -> None:
    """Serve until told to stop."""
    home, port, sql, names = sys.argv[1:]
    app = application(Path(home), sql, tuple(names.split(",")))
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(port),
        http="httptools",
        loop="uvloop",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
