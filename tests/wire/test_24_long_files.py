"""Section 24: files that are longer than a chunk go up and down in pieces (WA-13, WA-360, WA-363, WA-364)."""

from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256

import pytest
from tests.wire.client import NS, Api, column, table, unique

OCTETS = {"Content-Type": "application/octet-stream", "x-ms-file-name": "long.bin"}
BLOCK = 4 * 1024 * 1024
CONTENT = b"".join(sha256(number.to_bytes(4, "big")).digest() for number in range(BLOCK // 32)) + b"and a rest"


@pytest.fixture(scope="session")
def boxes_of_files(api: Api) -> str:
    """The entity set of a table whose files may have 8 MiB."""
    made = api.send("POST", "EntityDefinitions", table("wire_Crate", column("File", "wire_Load", MaxSizeInKB=8192)))
    assert made.status_code == 204, made.text
    return "wire_crates"


@pytest.fixture
def file(api: Api, boxes_of_files: str) -> str:
    """The address of an empty file column."""
    return f"{boxes_of_files}({api.new(boxes_of_files, {'wire_name': unique()})})/wire_load"


def _untold() -> Iterator[bytes]:
    """The content without a length, as a client sends what it makes while it sends."""
    for start in range(0, len(CONTENT), 1_000_000):
        yield CONTENT[start : start + 1_000_000]


def test_a_long_file_goes_up_in_one_request_and_comes_down(api: Api, file: str) -> None:
    """WA-360, WA-363, WA-364: whole, as base64, and in a range that is longer than a chunk."""
    assert api.send("PATCH", file, content=CONTENT, headers=OCTETS).status_code == 204

    got = api.send("GET", f"{file}/$value")
    assert (got.status_code, got.content == CONTENT) == (200, True)
    assert (got.headers["x-ms-file-size"], got.headers["x-ms-file-name"]) == (str(len(CONTENT)), "long.bin")
    assert b64decode(api.get(file)["value"]) == CONTENT
    ranged = api.send("GET", f"{file}/$value", headers={"Range": "bytes=5-"})
    assert (ranged.status_code, ranged.content == CONTENT[5:]) == (206, True)
    head = api.send("HEAD", f"{file}/$value")
    assert (head.headers["Content-Length"], head.content) == (str(len(CONTENT)), b"")


def test_a_length_need_not_be_told(api: Api, file: str) -> None:
    """WA-360: `Transfer-Encoding: chunked`, which is not `x-ms-transfer-mode`."""
    sent = {"Authorization": f"Bearer {api.token}", **OCTETS}
    assert api.http.patch(api.root + file, content=_untold(), headers=sent).status_code == 204
    assert api.send("GET", f"{file}/$value").content == CONTENT


def test_conditions_and_limits_hold_for_long_files(api: Api, file: str) -> None:
    """WA-34, WA-53, WA-367: refused before, or in the midst; what was there stays."""
    api.send("PATCH", file, content=b"short", headers=OCTETS)
    there = {**OCTETS, "If-None-Match": "*"}
    assert api.send("PATCH", file, content=CONTENT, headers=there).status_code == 412
    api.refused("PATCH", file, content=CONTENT * 2, headers=OCTETS, status=400, code="0x80044a02")
    api.refused("PATCH", file.replace("wire_load", "wire_name"), content=CONTENT, headers=OCTETS, status=405)
    assert api.send("GET", f"{file}/$value").content == b"short"


def test_a_long_file_is_not_read_inside_a_batch(api: Api, file: str) -> None:
    """WA-280: an answer inside another one is held as a whole; a range is read there."""
    api.send("PATCH", file, content=CONTENT, headers=OCTETS)
    batch = (
        "--b\r\nContent-Type: application/http\r\n\r\n"
        f"GET {file}/$value HTTP/1.1\r\n\r\n\r\n"
        "--b\r\nContent-Type: application/http\r\n\r\n"
        f"GET {file}/$value HTTP/1.1\r\nRange: bytes=0-9\r\n\r\n\r\n--b--\r\n"
    )
    headers = {"Content-Type": "multipart/mixed; boundary=b", "Prefer": "odata.continue-on-error"}
    answer = api.send("POST", "$batch", content=batch.encode(), headers=headers)
    assert "send a Range header" in answer.text
    assert CONTENT[:10] in answer.content


def test_a_file_that_is_read_in_blocks_is_the_same(api: Api, file: str) -> None:
    """WA-366: across the edges of stored pieces."""
    api.send("PATCH", file, content=CONTENT, headers=OCTETS)
    row = file.partition("(")[2].partition(")")[0]
    asked = {"Target": {"@odata.type": f"{NS}.wire_crate", "wire_crateid": row}, "FileAttributeName": "wire_load"}
    down = api.send("POST", "InitializeFileBlocksDownload", asked).json()
    wanted = {"Offset": 1_000_000, "BlockLength": 2_000_000, "FileContinuationToken": down["FileContinuationToken"]}
    assert b64decode(api.send("POST", "DownloadBlock", wanted).json()["Data"]) == CONTENT[1_000_000:3_000_000]
