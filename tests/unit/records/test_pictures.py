"""WA-370: what becomes of a picture on its way into an image column."""

from collections.abc import Iterator
from itertools import count

import pytest
from PIL import Image
from tests.pictures import encoded, opened, picture, taken_somewhere

from strongroom.errors import InvalidRequest
from strongroom.records import pictures
from strongroom.records.pictures import read_picture

KINDS = ("JPEG", "PNG", "GIF", "BMP", "TIFF")


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_tells_nothing_stays_as_it_is(kind: str) -> None:
    """WA-370: byte for byte, in each of the five formats; what it is, is told by its content."""
    body = picture(kind, (200, 100))
    found = read_picture(body)
    assert found.full == body
    assert found.mime_type == f"image/{kind.lower()}"
    assert opened(found.thumbnail).size == (144, 144)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_what_a_camera_writes_into_a_picture_goes(kind: str) -> None:
    """WA-370: where, when and by whom; the picture is turned as it was held, and a second time nothing changes."""
    body = picture(kind, (300, 200), exif=taken_somewhere(turned=6))
    found = read_picture(body)
    assert b"Camera of Ada" in body
    assert b"Camera of Ada" not in found.full
    assert opened(found.full).size == (200, 300)
    assert not opened(found.full).getexif().get_ifd(0x8825)
    assert read_picture(found.full).full == found.full


def test_what_hangs_behind_the_end_of_a_picture_goes() -> None:
    """WA-370: archives and second pictures behind the first."""
    for kind in ("JPEG", "PNG", "GIF", "BMP"):
        hidden = picture(kind, (50, 50)) + b"PK\x03\x04 something else"
        found = read_picture(hidden)
        assert b"something else" not in found.full, kind
        assert opened(found.full).size == (50, 50)


def test_a_picture_that_moves_goes_on_moving() -> None:
    """WA-370: its comment is left out, its frames are not."""
    frames = [Image.new("P", (60, 40), number) for number in range(3)]
    for number, frame in enumerate(frames):
        frame.putpalette([number, 80 * number, 200] * 256)
    body = encoded(
        frames[0], "GIF", save_all=True, append_images=frames[1:], comment=b"secret", duration=50, disposal=2
    )
    found = read_picture(body)
    assert b"secret" in body
    assert b"secret" not in found.full
    assert getattr(opened(found.full), "n_frames", 0) == 3


def test_a_thumbnail_is_its_own_thumbnail() -> None:
    """WA-370: what goes out as a thumbnail and comes in again stays as it is."""
    for size in ((300, 200), (60, 80)):
        small = read_picture(picture("PNG", size)).thumbnail
        assert read_picture(small).thumbnail == small
    assert read_picture(picture("PNG", (144, 144))).thumbnail != picture("PNG", (144, 144))


def test_what_can_be_seen_through_is_white_in_the_thumbnail() -> None:
    """WA-370: a JPEG has no transparency."""
    found = read_picture(encoded(Image.new("RGBA", (150, 150), (200, 0, 0, 0)), "PNG"))
    assert opened(found.thumbnail).getpixel((70, 70)) == (255, 255, 255)


def test_too_many_pixels_are_refused_before_any_is_read() -> None:
    """WA-53, WA-370: a decompression bomb, small as a file."""
    for size in ((7000, 6000), (12000, 15000)):
        bomb = encoded(Image.new("1", size), "PNG")
        with pytest.raises(InvalidRequest, match="pixels; at most 40,000,000"):
            read_picture(bomb)


def test_too_many_frames_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """WA-53, WA-370."""
    monkeypatch.setattr(pictures, "MOST_FRAMES", 2)
    frames = [Image.new("P", (10, 10), number) for number in range(3)]
    for number, frame in enumerate(frames):
        frame.putpalette([number, 80 * number, 200] * 256)
    body = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], comment=b"x", disposal=2)
    with pytest.raises(InvalidRequest, match="3 frames"):
        read_picture(body)


def test_a_picture_that_takes_too_long_finds_no_more_bytes() -> None:
    """WA-370: the limit is on the processor's time, asked whenever a decoder reads on."""
    seconds: Iterator[int] = count(0, 6)
    with pytest.raises(InvalidRequest, match="longer than 10 seconds") as refused:
        read_picture(picture("PNG"), clock=lambda: float(next(seconds)))
    assert refused.value.code == "0x80072553"


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_is_cut_off_is_refused_or_whole(kind: str) -> None:
    """WA-58, WA-370: whatever a decoder stumbles over becomes a 400."""
    body = picture(kind, (80, 60))
    for end in range(0, len(body) - 4, max(1, len(body) // 40)):
        try:
            found = read_picture(body[:end])
        except InvalidRequest as error:
            assert error.code == "0x80072553"
        else:
            assert opened(found.full).size == (80, 60)
