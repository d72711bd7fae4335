"""Small pictures for tests, made by the library that the product reads them with."""

import io

from PIL import Image

GPS = 0x8825
ORIENTATION = 0x0112
CAMERA = 0x010F


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 428), **options: object) -> bytes:
    """A picture with something on it, left darker than right."""
    image = Image.linear_gradient("L").rotate(90).resize(size).convert("P" if kind == "GIF" else "RGB")
    return encoded(image, kind, **options)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The file of an image."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def taken_somewhere(turned: int = 1) -> Image.Exif:
    """What a camera writes into a picture: where it was taken, with what, and how it was held."""
    exif = Image.Exif()
    exif[CAMERA] = "Camera of Ada"
    exif[ORIENTATION] = turned
    exif.get_ifd(GPS).update({1: "N", 2: (50.0, 1.0, 2.0)})
    return exif


def opened(body: bytes) -> Image.Image:
    """A picture with its pixels read."""
    image = Image.open(io.BytesIO(body))
    image.load()
    return image
