"""The head of a request has a time to arrive in (TS-307): real connections to the protocol, which is in a hurry."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import uvicorn
from uvicorn.server import ServerState

from strongroom.webapi.wire import HttpProtocol

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]]


class Hasty(HttpProtocol):
    """As the server speaks."""

    head_s = 0.2


async def late(scope: object, receive: object, send: Callable[[dict[str, object]], Awaitable[None]]) -> None:
    """An application that takes longer than a head may."""
    del scope, receive
    await asyncio.sleep(2 * Hasty.head_s)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def talked(talk: Talk) -> bytes:
    """What a client got to hear."""

    async def run() -> bytes:
        config = uvicorn.Config(late, http=Hasty, lifespan="off", log_config=None)
        config.load()
        serving = await asyncio.get_running_loop().create_server(lambda: Hasty(config, ServerState(), {}), "127.0.0.1")
        async with serving:
            reader, writer = await asyncio.open_connection(*serving.sockets[0].getsockname())
            try:
                return await asyncio.wait_for(talk(reader, writer), 30)
            finally:
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()

    return asyncio.run(run())


def test_a_connection_on_which_nothing_is_asked_ends() -> None:
    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        del writer
        return await reader.read()

    heard = talked(nothing)
    assert heard.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"did not arrive in time" in heard


def test_half_a_head_ends_however_often_a_byte_of_it_comes() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(HEAD[:-2])
        answer = asyncio.create_task(reader.read())
        while not answer.done():
            writer.write(b"a: b\r\n")
            await asyncio.wait({answer}, timeout=0.05)
        return await answer

    assert talked(drip).startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_a_whole_head_is_not_timed_however_long_the_answer_takes() -> None:
    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(HEAD)
        return await reader.readuntil(b"\r\n")

    assert talked(ask) == b"HTTP/1.1 204 No Content\r\n"
