"""What becomes of a picture on its way into an image column (WA-370). Pure: bytes in, bytes out.

What counts is the content, never the name or the type that somebody tells: JPEG, PNG, GIF, BMP and TIFF are taken, as
Dataverse takes them. Of each a thumbnail is made, a JPEG that is square: 144 by 144, cropped on center, or as large as
the shorter side of a picture that is smaller. What is such a square already is its own thumbnail.

Of the picture itself nothing is kept but the picture: where it was taken, by whom, with which camera, comments and
whatever hangs behind its end are left out, and it is turned the way that its camera said. A picture that tells nothing
of the kind stays as it is, byte for byte.

A decoder works for strangers here: pixels are counted before any is decoded, frames before any is written, and a
decoder that takes too long finds no more bytes to read.
"""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from PIL import Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile, get_sampling
from PIL.PngImagePlugin import PngImageFile

from strongroom.errors import InvalidRequest

SIDE = 144
MOST_PIXELS = 40_000_000
"""Pixels of one frame: up to four bytes each while it is decoded."""

MOST_FRAMES = 500
LIMIT_S = 10.0
"""Processor seconds for one picture."""

REFUSED = "0x80072553"
"""ProcessImageFailure."""

_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "BMP": "image/bmp", "TIFF": "image/tiff"}
_ANIMATED = frozenset({"GIF", "PNG", "TIFF"})
_KEPT = frozenset(
    {"background", "blend", "bbox", "default_image", "disposal", "dpi", "duration", "gamma", "icc_profile", "interlace"}
    | {"loop", "srgb", "transparency", "version", "extension", "aspect"}
)
"""What a frame says of how it is shown, and of nothing else."""

_JPEG_PARTS = frozenset({"APP0", "APP14"})
_ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82", "GIF": b";"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that may be kept: its thumbnail (a JPEG), itself without anything beside the picture, and what it is,
    such as `image/png`."""

    thumbnail: bytes
    full: bytes
    mime_type: str


def read_picture(body: bytes, *, clock: Callable[[], float] = time.thread_time) -> Picture:
    """The picture in `body`. Raises `InvalidRequest` (0x80072553) for what is none, too large, or takes too long."""
    source = _Timed(body, clock)
    try:
        with Image.open(source, formats=tuple(_TYPES)) as image:
            _demand_size(image)
            kind = "JPEG" if image.format == "MPO" else image.format or ""
            full = _rewritten(image, kind) if _tells_more(image, kind, body) else body
            is_thumbnail = kind == "JPEG" and full is body and image.size == (_side(image),) * 2
            source.seek(0)
            return Picture(body if is_thumbnail else _thumbnail(source), full, _TYPES[kind])
    except InvalidRequest:
        raise
    except Image.DecompressionBombError:
        raise _refused(f"The picture has too many pixels; at most {MOST_PIXELS:,} are taken.") from None
    except Exception as error:  # noqa: BLE001 - the border to decoders: whatever one stumbles over is no picture
        names = ", ".join(_TYPES)
        raise _refused(f"The content is no picture that can be read ({names}): {type(error).__name__}.") from None


class _Timed(io.BytesIO):
    """Bytes that run out for who takes too long: decoders read piece by piece."""

    def __init__(self, body: bytes, clock: Callable[[], float]) -> None:
        super().__init__(body)
        self._clock = clock
        self._end = clock() + LIMIT_S

    def read(self, size: int | None = -1, /) -> bytes:
        if self._clock() > self._end:
            raise _refused(f"Reading the picture takes longer than {LIMIT_S:.0f} seconds.")
        return super().read(size)


def _demand_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise _refused(f"The picture has {width} × {height} pixels; at most {MOST_PIXELS:,} are taken.")


def _side(image: Image.Image) -> int:
    """The side of a picture's thumbnail."""
    return SIDE if max(image.size) >= SIDE else min(image.size)


def _thumbnail(source: IO[bytes]) -> bytes:
    with Image.open(source, formats=tuple(_TYPES)) as image:
        image.draft("RGB", (4 * SIDE, 4 * SIDE))
        turned = ImageOps.exif_transpose(image)
        shown = turned.convert("RGBA") if turned.has_transparency_data else turned.convert("RGB")
        side = _side(shown)
        small = ImageOps.fit(shown, (side, side), Image.Resampling.LANCZOS)
        if small.mode == "RGBA":
            white = Image.new("RGBA", small.size, "white")
            small = Image.alpha_composite(white, small).convert("RGB")
        small.info = {}
        return _saved(small, "JPEG", quality=90)


def _tells_more(image: Image.Image, kind: str, body: bytes) -> bool:
    """Whether the file holds anything beside the picture: what says where, when and by whom it was taken, or what
    follows its end."""
    if kind in ("BMP", "TIFF") or image.format != kind or not body.endswith(_ENDS[kind]):
        return True  # the first two hide anything between their parts, and cost nothing to write anew
    if isinstance(image, JpegImageFile):
        parts = image.applist
        return any(name not in _JPEG_PARTS and not content.startswith(b"ICC_PROFILE\0") for name, content in parts)
    if isinstance(image, PngImageFile):
        image.load()  # what follows the pixels counts too
        return not {str(name) for name in image.info} <= _KEPT
    return b"\x21\xfe" in body or body.count(b"\x21\xff") > body.count(b"\x21\xff\x0bNETSCAPE2.0")


def _rewritten(image: Image.Image, kind: str) -> bytes:
    """The picture alone, in its own format."""
    if isinstance(image, JpegImageFile):
        tables, sampling = image.quantization, get_sampling(image)
        bare = _bare(ImageOps.exif_transpose(image))
        return _saved(bare, kind, qtables=tables, subsampling=sampling) if tables else _saved(bare, kind, quality=95)
    frames = getattr(image, "n_frames", 1) if kind in _ANIMATED else 1
    if frames > MOST_FRAMES or frames * image.width * image.height > 5 * MOST_PIXELS:
        raise _refused(f"The picture has {frames} frames of {image.width} × {image.height} pixels: too many to keep.")
    if frames == 1:
        return _saved(_bare(ImageOps.exif_transpose(image)), kind)
    kept: list[Image.Image] = []
    for number in range(frames):
        image.seek(number)
        _demand_size(image)
        kept.append(_bare(image))
    return _saved(kept[0], kind, save_all=True, append_images=kept[1:])


def _bare(frame: Image.Image) -> Image.Image:
    """A frame without what its file said of it: the encoders write whatever they find there."""
    bare = frame.copy()
    bare.info = {name: value for name, value in frame.info.items() if name in _KEPT and name != "extension"}
    return bare


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _refused(reason: str) -> InvalidRequest:
    return InvalidRequest(f"Error occured when processing image. Reason: {reason}", code=REFUSED)
