"""Section 24: image columns (WA-96, WA-370), in bodies, as bytes, and in blocks."""

from base64 import b64decode, b64encode

import pytest
from PIL import Image
from tests.pictures import CAMERA, GPS, encoded, opened, picture, taken_somewhere
from tests.wire.client import NS, Api, Person, column, unique

BYTES = {"Content-Type": "application/octet-stream", "x-ms-file-name": "a.png"}
NOT_A_PICTURE = "0x80072553"


def _text(body: bytes) -> str:
    return b64encode(body).decode()


def _refused(api: Api, says: str, method: str, path: str, body: object = None, content: bytes | None = None) -> None:
    headers = BYTES if content is not None else None
    api.refused(method, path, body, content=content, headers=headers, status=400, code=NOT_A_PICTURE, says=says)


@pytest.fixture
def row(api: Api) -> str:
    """The address of an account with a picture of 300 by 428."""
    return f"accounts({api.new('accounts', {'name': unique(), 'entityimage': _text(picture())})})"


@pytest.fixture(scope="session")
def small(api: Api) -> str:
    """An image column of contacts that keeps thumbnails only, of at most 1 KB."""
    made = column("Image", "wire_Portrait", MaxSizeInKB=64, CanStoreFullImage=False)
    path = "EntityDefinitions(LogicalName='contact')/Attributes"
    assert api.send("POST", path, made).status_code == 204
    return "wire_portrait"


def test_an_image_comes_with_its_row_and_is_read_as_a_thumbnail(api: Api, row: str) -> None:
    """WA-370: base64 in the body of a create; the thumbnail is square and a JPEG, cropped on center."""
    found = api.get(f"{row}?$select=name,entityimage,entityimageid,entityimage_timestamp,entityimage_url")

    thumbnail = opened(b64decode(str(found["entityimage"])))
    assert (thumbnail.size, thumbnail.format) == ((144, 144), "JPEG")
    assert found["entityimageid"]
    assert found["entityimage_url"] == (
        f"/Image/download.aspx?Entity=account&Attribute=entityimage&Id={found['entityimageid']}"
        f"&Timestamp={found['entityimage_timestamp']}"
    )
    assert "entityimage" not in api.get(row)  # only who asks for images gets them
    listed = api.rows(f"accounts?$select=entityimage&$filter=accountid eq {found['accountid']}")
    assert listed[0]["entityimage"] == found["entityimage"]


@pytest.mark.parametrize(("size", "side"), [((300, 428), 144), ((91, 130), 91), ((60, 80), 60), ((400, 144), 144)])
def test_a_thumbnail_is_as_large_as_dataverse_makes_it(api: Api, row: str, size: tuple[int, int], side: int) -> None:
    """WA-370: 144 by 144, or the shorter side of what is smaller; the full image is as it came."""
    body = picture(size=size)
    assert api.send("PATCH", f"{row}/entityimage", content=body, headers=BYTES).status_code == 204

    got = api.send("GET", f"{row}/entityimage/$value")
    assert opened(got.content).size == (side, side)
    assert got.headers["mimetype"] == "image/jpeg"
    full = api.send("GET", f"{row}/entityimage/$value?size=full")
    assert full.content == body
    assert (full.headers["mimetype"], full.headers["x-ms-file-name"]) == ("image/png", "a.png")
    part = api.send("GET", f"{row}/entityimage/$value?size=full", headers={"Range": "bytes=0-7"})
    assert (part.status_code, part.content) == (206, body[:8])
    assert b64decode(api.get(f"{row}/entityimage?size=full")["value"]) == body


def test_an_image_is_replaced_and_removed_in_every_way(api: Api, row: str) -> None:
    """WA-149, WA-370: PATCH, PUT of the property, null, and DELETE."""
    first = api.get(f"{row}?$select=entityimageid")["entityimageid"]
    assert api.send("PATCH", row, {"entityimage": _text(picture("GIF"))}).status_code == 204
    assert api.get(f"{row}?$select=entityimageid")["entityimageid"] != first
    assert api.send("PUT", f"{row}/entityimage", {"value": _text(picture("BMP"))}).status_code == 204
    assert api.send("GET", f"{row}/entityimage/$value?size=full").headers["mimetype"] == "image/bmp"

    for act in (
        lambda: api.send("PATCH", row, {"entityimage": None}),
        lambda: api.send("PUT", f"{row}/entityimage", {"value": None}),
        lambda: api.send("DELETE", f"{row}/entityimage"),
    ):
        api.send("PATCH", row, {"entityimage": _text(picture("TIFF"))})
        assert act().status_code == 204
        found = api.get(f"{row}?$select=entityimage,entityimageid,entityimage_timestamp,entityimage_url")
        assert {value for name, value in found.items() if name.startswith("entityimage")} == {None}
        assert api.send("GET", f"{row}/entityimage/$value").status_code == 204
        assert api.send("GET", f"{row}/entityimage/$value?size=full").status_code == 204


def test_where_a_picture_was_taken_is_not_kept(api: Api, row: str) -> None:
    """WA-370: without EXIF, GPS and comments, and turned as its camera said."""
    body = picture("JPEG", (300, 200), exif=taken_somewhere(turned=6), comment=b"secret words")
    assert opened(body).getexif()[CAMERA]
    assert api.send("PATCH", row, {"entityimage": _text(body)}).status_code == 204

    for way in ("", "?size=full"):
        kept = api.send("GET", f"{row}/entityimage/$value{way}").content
        shown = opened(kept)
        assert not dict(shown.getexif()) and not shown.getexif().get_ifd(GPS)
        assert b"secret words" not in kept and b"Camera" not in kept
    assert shown.size == (200, 300)


@pytest.mark.parametrize(
    "body",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n" + b"x" * 100,
        picture("WEBP"),
        b"MZ",
    ],
)
def test_what_is_no_picture_is_refused_whatever_its_name(api: Api, row: str, body: bytes) -> None:
    """WA-53, WA-370: types are told by the content."""
    before = api.get(f"{row}?$select=entityimageid,versionnumber")
    says = "no picture that can be read"
    _refused(api, says, "PATCH", f"{row}/entityimage", content=body)
    _refused(api, says, "PATCH", row, {"name": "other", "entityimage": _text(body)})
    _refused(api, says, "POST", "accounts", {"name": "new", "entityimage": _text(body)})
    assert api.get(f"{row}?$select=entityimageid,versionnumber") == before


def test_a_picture_that_grows_when_it_is_read_is_refused_at_once(api: Api, row: str) -> None:
    """WA-53: a few kilobytes that would become 180 million pixels."""
    bomb = encoded(Image.new("1", (12000, 15000)), "PNG")
    assert len(bomb) < 4_000_000
    api.refused("PATCH", f"{row}/entityimage", content=bomb, headers=BYTES, status=400, says="pixels")


def test_a_body_that_is_no_base64_is_refused(api: Api, row: str) -> None:
    """WA-58, WA-96."""
    api.refused("PATCH", row, {"entityimage": "no base64!"}, status=400, says="must be an image as base64")
    api.refused("PATCH", row, {"entityimage": 5}, status=400, says="entityimage")


def test_a_column_that_keeps_thumbnails_only(api: Api, small: str) -> None:
    """WA-328, WA-370: CanStoreFullImage is false: no full image; not with a create, unless it is the primary one."""
    path = f"EntityDefinitions(LogicalName='contact')/Attributes(LogicalName='{small}')/{NS}.ImageAttributeMetadata"
    shown = api.get(f"{path}?$select=CanStoreFullImage,MaxSizeInKB,IsPrimaryImage")
    assert (shown["CanStoreFullImage"], shown["MaxSizeInKB"], shown["IsPrimaryImage"]) == (False, 64, False)
    body = {"lastname": "X", small: _text(picture(size=(200, 200)))}
    api.refused("POST", "contacts", body, status=400, code="0x80090487", says=f"Non-primary image attribute {small}")
    row = f"contacts({api.new('contacts', {'lastname': unique()})})"
    assert api.send("PATCH", row, {small: body[small]}).status_code == 204

    assert opened(api.send("GET", f"{row}/{small}/$value").content).size == (144, 144)
    assert api.send("GET", f"{row}/{small}/$value?size=full").status_code == 204
    target = {"@odata.type": f"{NS}.contact", "contactid": row[9:-1]}
    asked = {"Target": target, "FileAttributeName": small}
    says = "No FileAttachment records found"
    api.refused("POST", "InitializeFileBlocksDownload", asked, status=404, code="0x80040217", says=says)


def test_an_image_that_is_too_large_for_its_column_is_refused(api: Api, small: str) -> None:
    """WA-367, WA-370."""
    row = f"contacts({api.new('contacts', {'lastname': unique()})})"
    body = picture("BMP", (200, 200))
    says = "File size is too big. MaxSize: 64 KB"
    _refused(api, says, "PATCH", row, {small: _text(body)})
    _refused(api, says, "PATCH", f"{row}/{small}", content=body)


def test_an_image_goes_up_and_down_in_blocks(api: Api, row: str) -> None:
    """WA-366, WA-370: by messages the full image is read."""
    body = picture("PNG", (90, 50))
    target = {"@odata.type": f"{NS}.account", "accountid": row[9:-1]}
    begun = api.send(
        "POST",
        "InitializeFileBlocksUpload",
        {"Target": target, "FileAttributeName": "entityimage", "FileName": "b.png"},
    ).json()["FileContinuationToken"]
    block = {"BlockId": "1", "BlockData": _text(body), "FileContinuationToken": begun}
    assert api.send("POST", "UploadBlock", block).status_code == 204
    last = {"FileName": "b.png", "MimeType": "image/x", "BlockList": ["1"], "FileContinuationToken": begun}
    made = api.send("POST", "CommitFileBlocksUpload", last).json()
    assert made["FileSizeInBytes"] == len(body)

    asked = {"Target": target, "FileAttributeName": "entityimage"}
    down = api.send("POST", "InitializeFileBlocksDownload", asked).json()
    assert down["FileSizeInBytes"] == len(body)
    wanted = {"Offset": 0, "BlockLength": 4096, "FileContinuationToken": down["FileContinuationToken"]}
    assert b64decode(api.send("POST", "DownloadBlock", wanted).json()["Data"]) == body
    assert opened(api.send("GET", f"{row}/entityimage/$value").content).size == (50, 50)


def test_an_image_needs_write_on_its_row(api: Api, row: str, reader: Person) -> None:
    """WA-369, WA-370."""
    acting = reader.acting
    api.refused("GET", f"{row}/entityimage/$value", headers=acting, status=403)
    api.refused("PATCH", f"{row}/entityimage", content=picture(), headers={**BYTES, **acting}, status=403)
    api.refused("PATCH", row, {"entityimage": _text(picture())}, headers=acting, status=403)


def test_fetchxml_and_sql_give_the_thumbnail_too(api: Api, row: str) -> None:
    """WA-96, WA-244: by every door the same."""
    row_id = row[9:-1]
    wanted = api.get(f"{row}?$select=entityimage")["entityimage"]
    fetch = (
        "<fetch><entity name='account'><attribute name='entityimage'/><filter>"
        f"<condition attribute='accountid' operator='eq' value='{row_id}'/></filter></entity></fetch>"
    )
    assert api.rows(f"accounts?fetchXml={fetch}")[0]["entityimage"] == wanted
    sql = f"SELECT entityimage FROM account WHERE accountid = '{row_id}'"
    assert api.rows(f"accounts?sql={sql}")[0]["entityimage"] == wanted
