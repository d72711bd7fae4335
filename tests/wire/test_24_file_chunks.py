"""Section 24: file columns in chunks, by headers (WA-361, WA-362) and by messages (WA-366)."""

from base64 import b64decode, b64encode

import pytest
from tests.wire.client import NOBODY, NS, Api, Json, Person, unique

OCTETS = {"Content-Type": "application/octet-stream", "x-ms-file-name": "a.bin"}
CHUNKED = {**OCTETS, "x-ms-transfer-mode": "chunked"}
CONTENT = bytes(range(256)) * 40


@pytest.fixture
def box(api: Api, boxes: str) -> str:
    """The id of a row with an empty file column."""
    return api.new(boxes, {"wire_name": unique()})


@pytest.fixture
def file(boxes: str, box: str) -> str:
    """The address of its file column."""
    return f"{boxes}({box})/wire_file"


def _begun(api: Api, file: str) -> str:
    """Where the chunks of a new upload go."""
    answer = api.send("PATCH", f"{file}?x-ms-file-name=a.bin", content=b"", headers=CHUNKED)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-ms-chunk-size"] == "4194304"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Access-Control-Expose-Headers"] == "x-ms-chunk-size"
    assert answer.headers["Location"].startswith(f"{api.root}{file}?sessiontoken=")
    return str(answer.headers["Location"])


def _range(start: int, end: int, size: int = len(CONTENT)) -> dict[str, str]:
    return {**CHUNKED, "Content-Range": f"bytes {start}-{end - 1}/{size}"}


def test_a_file_comes_in_chunks_and_is_seen_when_it_is_whole(api: Api, file: str) -> None:
    """WA-361, WA-362: every chunk keeps the header of the first request; an empty one after the last does nothing."""
    place = _begun(api, file)
    size = len(CONTENT)
    for start in (0, 4096):
        part = CONTENT[start : start + 4096]
        answer = api.send("PATCH", place, content=part, headers=_range(start, start + 4096))
        assert (answer.status_code, answer.content) == (206, b"")
        assert api.send("GET", f"{file}/$value").status_code == 204
    assert api.send("PATCH", place, content=CONTENT[8192:], headers=_range(8192, size)).status_code == 204
    assert api.send("GET", f"{file}/$value").content == CONTENT
    etag = api.get(file.rpartition("/")[0])["@odata.etag"]
    assert api.send("PATCH", place, content=b"", headers=_range(size, size)).status_code == 204
    assert api.get(file.rpartition("/")[0])["@odata.etag"] == etag
    assert api.get(file.rpartition("/")[0])["wire_file_name"] == "a.bin"


@pytest.mark.parametrize(
    ("content", "said", "says"),
    [
        (CONTENT[5000:6000], "bytes 5000-5999/10240", "begins at byte 4096"),
        (CONTENT[0:4096], "bytes 0-4095/10240", "begins at byte 4096"),
        (CONTENT[4096:5000], "bytes 4096-4999/4500", "does not fit"),
        (CONTENT[4096:5000], "bytes 4096-6000/10240", "does not fit"),
        (b"", "bytes 4096-4095/10240", "cannot be empty"),
        (CONTENT[4096:5000], "bytes 4096-/10240", "Content-Range"),
        (CONTENT[4096:5000], "", "Content-Range"),
    ],
)
def test_chunks_come_in_order_and_fit(api: Api, file: str, content: bytes, said: str, says: str) -> None:
    """WA-361: what is refused changes nothing, and the upload goes on after it."""
    place = _begun(api, file)
    api.send("PATCH", place, content=CONTENT[:4096], headers=_range(0, 4096))
    headers = {**OCTETS, "Content-Range": said}
    api.refused("PATCH", place, content=content, status=400, says=says, headers=headers)
    assert api.send("PATCH", place, content=CONTENT[4096:], headers=_range(4096, len(CONTENT))).status_code == 204
    assert api.send("GET", f"{file}/$value").content == CONTENT


def test_a_token_is_good_for_one_user_row_and_column(api: Api, boxes: str, file: str, reader: Person) -> None:
    """WA-361, WA-369: also not for somebody without rights, and never twice."""
    place = _begun(api, file)
    whole = _range(0, len(CONTENT))
    token = place.rpartition("=")[2]
    other = f"{boxes}({api.new(boxes, {'wire_name': unique()})})/wire_file"
    api.refused("PATCH", f"{other}?sessiontoken={token}", content=CONTENT, status=400, headers=whole)
    api.refused("PATCH", f"{file}?sessiontoken=x", content=CONTENT, status=400, says="sessiontoken", headers=whole)
    api.refused("PATCH", place, content=CONTENT, status=403, headers={**whole, **reader.acting})
    api.refused("PATCH", file, content=b"", status=403, headers={**CHUNKED, **reader.acting})
    assert api.send("PATCH", place, content=CONTENT, headers=whole).status_code == 204
    api.refused("PATCH", place, content=CONTENT, status=400, headers=whole)


def test_beginning_is_refused_for_what_could_not_end(api: Api, file: str) -> None:
    """WA-360, WA-361, WA-369: a blocked name, no name, a body, another mode, a file that is there."""
    blocked = {**CHUNKED, "x-ms-file-name": "a.exe"}
    api.refused("PATCH", file, content=b"", status=400, code="0x80043e09", headers=blocked)
    nameless = {name: value for name, value in CHUNKED.items() if name != "x-ms-file-name"}
    api.refused("PATCH", file, content=b"", status=400, says="x-ms-file-name", headers=nameless)
    api.refused("PATCH", file, content=b"x", status=400, says="no body", headers=CHUNKED)
    other = {**CHUNKED, "x-ms-transfer-mode": "stream"}
    api.refused("PATCH", file, content=b"", status=400, says="'chunked'", headers=other)
    api.send("PATCH", file, content=b"x", headers=OCTETS)
    api.refused("PATCH", file, content=b"", status=412, headers={**CHUNKED, "If-None-Match": "*"})


def test_chunks_together_are_no_larger_than_the_column_takes(api: Api, file: str) -> None:
    """WA-367: 64 KiB here, refused at the chunk that goes beyond."""
    place, size = _begun(api, file), 3 * 32768
    part = b"x" * 32768
    for start in (0, 32768):
        assert api.send("PATCH", place, content=part, headers=_range(start, start + 32768, size)).status_code == 206
    api.refused("PATCH", place, content=part, status=400, code="0x80044a02", headers=_range(65536, size, size))
    assert api.send("GET", f"{file}/$value").status_code == 204


def _target(box: str) -> Json:
    return {"@odata.type": f"{NS}.wire_box", "wire_boxid": box}


def _start(api: Api, box: str, **more: object) -> str:
    body = {"Target": _target(box), "FileAttributeName": "wire_file", "FileName": "b.txt", **more}
    answer = api.send("POST", "InitializeFileBlocksUpload", body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["@odata.context"].endswith(f"{NS}.InitializeFileBlocksUploadResponse")
    return str(answer.json()["FileContinuationToken"])


def _block(name: str, body: bytes, token: str) -> Json:
    return {"BlockId": name, "BlockData": b64encode(body).decode(), "FileContinuationToken": token}


def _commit(token: str, *blocks: str) -> Json:
    return {"FileName": "b.txt", "MimeType": "text/x-b", "BlockList": blocks, "FileContinuationToken": token}


def test_blocks_make_a_file_in_the_order_of_the_list(api: Api, file: str, box: str) -> None:
    """WA-366: a block sent twice counts once, and one that is not named is left out."""
    token = _start(api, box)
    for name, body in (("two", b"world"), ("one", b"HELLO"), ("one", b"hello "), ("three", b"!")):
        assert api.send("POST", "UploadBlock", _block(name, body, token)).status_code == 204
    assert api.send("GET", file).status_code == 204

    done = api.send("POST", "CommitFileBlocksUpload", _commit(token, "one", "two")).json()

    assert done["FileSizeInBytes"] == 11
    assert done["FileId"] == api.get(f"{file.rpartition('/')[0]}?$select=wire_file")["wire_file"]
    got = api.send("GET", f"{file}/$value")
    assert (got.content, got.headers["mimetype"], got.headers["x-ms-file-name"]) == (
        b"hello world",
        "text/x-b",
        "b.txt",
    )
    api.refused("POST", "CommitFileBlocksUpload", _commit(token, "one"), status=400, says="token")


def test_a_file_is_read_in_blocks(api: Api, file: str, box: str) -> None:
    """WA-366: what was replaced meanwhile is not mixed with what came after it."""
    api.send("PATCH", file, content=CONTENT, headers=OCTETS)
    asked = {"Target": _target(box), "FileAttributeName": "wire_file"}
    begun = api.send("POST", "InitializeFileBlocksDownload", asked).json()
    assert (begun["FileSizeInBytes"], begun["FileName"]) == (len(CONTENT), "a.bin")
    assert begun["IsChunkingSupported"] is True
    token = begun["FileContinuationToken"]
    read = b""
    for start in range(0, len(CONTENT), 4096):
        body = {"Offset": start, "BlockLength": 4096, "FileContinuationToken": token}
        read += b64decode(api.send("POST", "DownloadBlock", body).json()["Data"])
    assert read == CONTENT
    body = {"Offset": 0, "BlockLength": 4194305, "FileContinuationToken": token}
    api.refused("POST", "DownloadBlock", body, status=400, says="BlockLength")
    api.refused("POST", "UploadBlock", _block("a", b"x", token), status=400, says="token")
    api.send("PATCH", file, content=b"other", headers=OCTETS)
    api.refused("POST", "DownloadBlock", {**body, "BlockLength": 10}, status=400, says="begin anew")


def test_messages_about_files_refuse_what_does_not_fit(api: Api, box: str, reader: Person) -> None:
    """WA-366, WA-369."""
    target = {"Target": _target(box), "FileAttributeName": "wire_file"}
    start = {**target, "FileName": "b.txt"}
    begin = "InitializeFileBlocksUpload"
    memo = {**start, "FileAttributeName": "wire_memo"}
    api.refused("POST", begin, memo, status=400, says="not a file or image column")
    api.refused("POST", begin, {**start, "FileName": "b.js"}, status=400, code="0x80043e09")
    api.refused("POST", begin, {**start, "Target": _target(NOBODY)}, status=404, code="0x80040217")
    api.refused("POST", begin, start, status=403, headers=reader.acting)
    api.refused("POST", "InitializeFileBlocksDownload", target, status=404, says="wire_file")
    token = _start(api, box)
    api.refused("POST", "UploadBlock", _block("a", b"", token), status=400, says="1 to 4194304 bytes")
    api.refused("POST", "UploadBlock", _block("", b"x", token), status=400, says="BlockId")
    api.refused("POST", "UploadBlock", {**_block("a", b"x", token), "BlockData": "§"}, status=400, says="base64")
    api.refused("POST", "UploadBlock", _block("a", b"x", "nothing"), status=400, says="token")
    api.refused("POST", "UploadBlock", _block("a", b"x", token), status=400, says="token", headers=reader.acting)
    api.refused("POST", "UploadBlock", _block("a", b"x" * 65537, token), status=400, code="0x80044a02")
    api.send("POST", "UploadBlock", _block("a", b"x", token))
    api.refused("POST", "CommitFileBlocksUpload", _commit(token, "a", "b"), status=400, says="'b'")
    api.refused("POST", "CommitFileBlocksUpload", _commit(token, "a", "a"), status=400, says="twice")
