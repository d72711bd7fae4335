"""Section 24: file columns in one request (WA-360, WA-363 to WA-365, WA-367 to WA-369)."""

from base64 import b64decode

import pytest
from tests.wire.client import NOBODY, Api, Person, unique

OCTETS = {"Content-Type": "application/octet-stream"}
A_TXT = {**OCTETS, "x-ms-file-name": "a.txt"}
TEXT = b"hello world"


@pytest.fixture
def file(api: Api, boxes: str) -> str:
    """The address of an empty file column."""
    return f"{boxes}({api.new(boxes, {'wire_name': unique()})})/wire_file"


def _row(api: Api, file: str) -> dict[str, object]:
    return api.get(f"{file.rpartition('/')[0]}?$select=wire_file,wire_file_name")


def test_a_file_is_uploaded_and_downloaded_as_bytes(api: Api, file: str) -> None:
    """WA-360, WA-363, WA-368: the row has its id and its name."""
    assert api.send("PATCH", file, content=TEXT, headers=A_TXT).status_code == 204

    got = api.send("GET", f"{file}/$value")
    assert (got.status_code, got.content) == (200, TEXT)
    expected = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": 'attachment; filename="a.txt"',
        "x-ms-file-size": "11",
        "x-ms-file-name": "a.txt",
        "mimetype": "text/plain",
    }
    assert {name: got.headers[name] for name in expected} == expected
    row = _row(api, file)
    assert row["wire_file_name"] == "a.txt"
    assert isinstance(row["wire_file"], str)
    assert (
        len(api.rows(f"wire_boxes?$select=wire_name&$filter=wire_file ne null and wire_boxid eq {row['wire_boxid']}"))
        == 1
    )


def test_without_value_the_bytes_come_as_json(api: Api, file: str) -> None:
    """WA-364: with the same headers and a Location below the client's own base."""
    api.send("PATCH", file, content=TEXT, headers=A_TXT)

    got = api.send("GET", f"{file}?size=full", headers={"Range": "bytes=0-4194303"})

    assert got.status_code == 206
    assert got.headers["Content-Range"] == "bytes 0-10/11"
    assert b64decode(got.json()["value"]) == TEXT
    assert got.json()["@odata.context"].startswith(f"{api.root}$metadata#")
    assert got.headers["Location"].startswith(api.root)
    assert (got.headers["x-ms-file-size"], got.headers["x-ms-file-name"]) == ("11", "a.txt")
    assert api.send("GET", file).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "status", "content"),
    [
        ("bytes=0-4", 206, b"hello"),
        ("bytes=6-", 206, b"world"),
        ("bytes=-5", 206, b"world"),
        ("bytes=0-99", 206, TEXT),
        ("bytes=4-2", 200, TEXT),
        ("lines=1-2", 200, TEXT),
        ("bytes=0-1,3-4", 200, TEXT),
    ],
)
def test_a_range_of_bytes(api: Api, file: str, wanted: str, status: int, content: bytes) -> None:
    """WA-363."""
    api.send("PATCH", file, content=TEXT, headers=A_TXT)
    got = api.send("GET", f"{file}/$value", headers={"Range": wanted})
    assert (got.status_code, got.content) == (status, content)
    assert ("Content-Range" in got.headers) == (status == 206)


def test_a_range_outside_is_416(api: Api, file: str) -> None:
    """WA-363."""
    api.send("PATCH", file, content=TEXT, headers=A_TXT)
    answer = api.refused("GET", f"{file}/$value", status=416, headers={"Range": "bytes=11-"})
    assert answer.headers["Content-Range"] == "bytes */11"


def test_no_file_is_204(api: Api, file: str) -> None:
    """WA-363, WA-365: reading and deleting nothing."""
    for method, path in (("GET", file), ("GET", f"{file}/$value"), ("DELETE", file)):
        assert api.send(method, path).status_code == 204


def test_conditions_are_about_the_file_that_is_there(api: Api, file: str) -> None:
    """WA-360: `null` is no condition, `*` is one."""
    for _ in range(2):
        assert api.send("PATCH", file, content=TEXT, headers={**A_TXT, "If-None-Match": "null"}).status_code == 204
        assert api.send("PATCH", file, content=TEXT, headers={**A_TXT, "If-Match": "*"}).status_code == 204
    api.refused("PATCH", file, content=b"x", status=412, headers={**A_TXT, "If-None-Match": "*"})
    assert api.send("GET", f"{file}/$value").content == TEXT
    api.send("DELETE", file)
    assert api.send("PATCH", file, content=TEXT, headers={**A_TXT, "If-None-Match": "*"}).status_code == 204


def test_the_name_comes_as_header_or_as_option(api: Api, file: str) -> None:
    """WA-360: the header wins; folders do not belong to a name."""
    path = f"{file}?x-ms-file-name=%C3%A4%20b.txt"
    assert api.send("PATCH", path, content=TEXT, headers=OCTETS).status_code == 204
    assert _row(api, file)["wire_file_name"] == "ä b.txt"
    disposition = api.send("GET", f"{file}/$value").headers["Content-Disposition"]
    assert disposition.endswith("filename*=UTF-8''%C3%A4%20b.txt")
    api.send("PATCH", path, content=TEXT, headers={**OCTETS, "x-ms-file-name": "..\\up/c.txt"})
    assert _row(api, file)["wire_file_name"] == "c.txt"
    api.refused("PATCH", file, content=TEXT, status=400, says="x-ms-file-name", headers=OCTETS)


def test_any_type_but_json_is_a_file(api: Api, file: str) -> None:
    """WA-360."""
    headers = {"Content-Type": "image/png", "x-ms-file-name": "a.png"}
    assert api.send("PATCH", file, content=b"\x89PNG", headers=headers).status_code == 204
    assert api.send("GET", file).headers["mimetype"] == "image/png"
    json = {"Content-Type": "application/json", "x-ms-file-name": "a.json"}
    api.refused("PATCH", file, content=b"{}", status=415, headers=json)


def test_a_file_is_deleted_by_its_column_or_by_its_id(api: Api, file: str) -> None:
    """WA-365: the row knows it at once."""
    for delete in (
        lambda: api.send("DELETE", file),
        lambda: api.send("POST", "DeleteFile", {"FileId": _row(api, file)["wire_file"]}),
    ):
        api.send("PATCH", file, content=TEXT, headers=A_TXT)
        assert delete().status_code == 204
        assert api.send("GET", file).status_code == 204
        row = _row(api, file)
        assert (row["wire_file"], row["wire_file_name"]) == (None, None)
    api.refused("POST", "DeleteFile", {"FileId": NOBODY}, status=404)


def test_a_change_of_the_file_is_a_change_of_the_row(api: Api, file: str) -> None:
    """WA-130, WA-360."""
    before = _row(api, file)["@odata.etag"]
    api.send("PATCH", file, content=TEXT, headers=A_TXT)
    after = _row(api, file)["@odata.etag"]
    api.send("DELETE", file)
    assert len({before, after, _row(api, file)["@odata.etag"]}) == 3


def test_a_file_has_at_most_the_size_of_its_column(api: Api, file: str) -> None:
    """WA-367: 64 KiB here; what is refused changes nothing."""
    most = bytes(range(256)) * 256
    assert api.send("PATCH", file, content=most, headers=A_TXT).status_code == 204
    says = "Attachment file size is too big."
    api.refused("PATCH", file, content=most + b"x", status=400, code="0x80044a02", says=says, headers=A_TXT)
    assert api.send("GET", f"{file}/$value").content == most
    assert api.send("PATCH", file, content=b"", headers=A_TXT).status_code == 204
    assert api.send("GET", f"{file}/$value").content == b""


@pytest.mark.parametrize("name", ["a.exe", "A.EXE", "x.tar.js", "y.bat"])
def test_blocked_extensions_are_refused(api: Api, file: str, name: str) -> None:
    """WA-369."""
    headers = {**OCTETS, "x-ms-file-name": name}
    api.refused("PATCH", file, content=TEXT, status=400, code="0x80043e09", headers=headers)


def test_rows_take_their_files_along(api: Api, file: str) -> None:
    """WA-53, WA-369: the content of a deleted row is gone."""
    api.send("PATCH", file, content=TEXT, headers=A_TXT)
    file_id = _row(api, file)["wire_file"]
    assert api.send("DELETE", file.rpartition("/")[0]).status_code == 204
    api.refused("GET", file, status=404, code="0x80040217")
    api.refused("POST", "DeleteFile", {"FileId": file_id}, status=404)


def test_uploading_needs_write_and_downloading_needs_read(api: Api, file: str, reader: Person) -> None:
    """WA-369: the reader has no right on the table at all."""
    api.send("PATCH", file, content=TEXT, headers=A_TXT)
    says = "wire_box"
    api.refused("PATCH", file, content=b"x", status=403, says=says, headers={**A_TXT, **reader.acting})
    api.refused("DELETE", file, status=403, says=says, headers=reader.acting)
    api.refused("GET", f"{file}/$value", status=403, says=says, headers=reader.acting)
    assert api.send("GET", f"{file}/$value").content == TEXT
    missing = f"wire_boxes({NOBODY})/wire_file"
    api.refused("PATCH", missing, content=b"x", status=404, code="0x80040217", headers=A_TXT)
