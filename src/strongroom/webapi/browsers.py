"""What pages for browsers have in common: security headers, a limit for what is sent, a line in the log."""

import time
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from strongroom.webapi import telemetry
from strongroom.webapi.telemetry import Observation

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class PageRules:
    """What pages may do in a browser, and how much may be sent to them.

    `content` is their Content-Security-Policy, `referrer` their Referrer-Policy; `most_body` is in bytes.
    """

    content: str
    referrer: str
    most_body: int


async def serve_pages(
    app: ASGIApp, rules: PageRules, observation: Observation, scope: Scope, receive: Receive, send: Send
) -> None:
    """Let `app` answer one request under `rules`. Headers that it sets itself stay; reading a longer body raises
    `HTTPException` 413 in it."""
    started = time.perf_counter()
    status = 500

    async def send_guarded(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = MutableHeaders(scope=message)
            given = {**_ALWAYS, "Content-Security-Policy": rules.content, "Referrer-Policy": rules.referrer}
            if scope["scheme"] == "https":
                given["Strict-Transport-Security"] = "max-age=31536000"
            for name, value in given.items():
                headers.setdefault(name, value)
        await send(message)

    try:
        await app(scope, _limited(receive, rules.most_body), send_guarded)
    finally:
        telemetry.observe(observation, status, time.perf_counter() - started)


def _limited(receive: Receive, most: int) -> Receive:
    size = 0

    async def receive_some() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > most:
            raise HTTPException(413)
        return message

    return receive_some
