"""Bodies of `$batch` as clients write them, and its answers taken apart as strict clients do."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from tests.wire.client import Api, Json

HEAD = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """One part of the answer."""

    status: int
    headers: dict[str, str]
    body: str
    content_id: str | None = None

    @property
    def json(self) -> Json:
        return json.loads(self.body)

    @property
    def id(self) -> str:
        """The id of a new row, at the end of its address."""
        return self.headers["odata-entityid"].rstrip(")").rsplit("(", 1)[1]


def request(method: str, target: str, body: object = None, headers: Mapping[str, str] | None = None) -> str:
    """One request as it stands in a part."""
    sent = {**({} if body is None else {"Content-Type": "application/json"}), **(headers or {})}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    return "\r\n".join([*lines, "", "" if body is None else json.dumps(body), ""])


def part(text: str, content_id: str | None = None) -> str:
    """A part with one request."""
    named = "" if content_id is None else f"Content-ID: {content_id}\r\n"
    return f"{HEAD}{named}\r\n{text}"


def multipart(parts: list[str], boundary: str = "batch_1") -> str:
    return "".join(f"--{boundary}\r\n{text}\r\n" for text in parts) + f"--{boundary}--\r\n"


def change_set(parts: list[str], boundary: str = "changeset_1") -> str:
    """A part that is a change set."""
    return f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n{multipart(parts, boundary)}"


def post(
    api: Api,
    body: str,
    headers: Mapping[str, str] | None = None,
    content_type: str = "multipart/mixed; boundary=batch_1",
) -> httpx.Response:
    return api.send("POST", "$batch", content=body.encode(), headers={"Content-Type": content_type, **(headers or {})})


def answers(response: httpx.Response) -> list[Answer]:
    """All answers in order, those of change sets in their place; the form is checked to the letter (WA-285)."""
    text = response.content.decode()
    matched = re.fullmatch(r"multipart/mixed; boundary=(batchresponse_[0-9a-f-]{36})", response.headers["Content-Type"])
    assert matched, response.headers["Content-Type"]
    assert "\n" not in text.replace("\r\n", "")
    return _split(text, matched[1])


def _split(text: str, boundary: str) -> list[Answer]:
    delimiter = f"--{boundary}"
    assert text.startswith(delimiter)
    assert text.endswith(f"{delimiter}--\r\n")
    found: list[Answer] = []
    for piece in text.split(f"{delimiter}\r\n")[1:]:
        head, _, rest = piece.partition("\r\n\r\n")
        rest = rest.split(f"\r\n{delimiter}--\r\n")[0] if piece.endswith(f"{delimiter}--\r\n") else rest
        headers = dict(line.split(": ", 1) for line in head.split("\r\n"))
        if headers["Content-Type"].startswith("multipart/mixed"):
            inner = headers["Content-Type"].split("boundary=")[1]
            assert re.fullmatch(r"changesetresponse_[0-9a-f-]{36}", inner)
            found += _split(f"{rest.rstrip()}\r\n", inner)
            continue
        assert headers["Content-Type"] == "application/http"
        assert headers["Content-Transfer-Encoding"] == "binary"
        found.append(_answer(rest, headers.get("Content-ID")))
    return found


def _answer(text: str, content_id: str | None) -> Answer:
    head, _, body = text.partition("\r\n\r\n")
    line, *lines = head.split("\r\n")
    matched = re.fullmatch(r"HTTP/1\.1 (\d{3}) ([A-Za-z ]+)", line)
    assert matched, line
    assert "{" not in head
    assert "}" not in head
    headers = {name.lower(): value for name, value in (each.split(": ", 1) for each in lines)}
    return Answer(int(matched[1]), headers, body.removesuffix("\r\n"), content_id)
