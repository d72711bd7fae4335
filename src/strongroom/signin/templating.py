"""Templates of the sign-in pages: Jinja2 with every value escaped; no page has a script."""

from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from strongroom.identity.hashing import digest
from strongroom.signin.visitor import FORM_FIELD, Visitor

_TYPES = {"signin.css": "text/css", "mark.svg": "image/svg+xml"}


def page(template: str, visitor: Visitor, **values: object) -> str:
    """A template with its values."""
    context = {"form_field": FORM_FIELD, "form_token": visitor.form_token(), "version": _version(), **values}
    return _environment().get_template(template).render(context)


@cache
def static_file(name: str) -> tuple[bytes, str] | None:
    """A file of `static` with its type."""
    if name not in _TYPES:
        return None
    return files("strongroom.signin").joinpath("static", name).read_bytes(), _TYPES[name]


@cache
def _version() -> str:
    """What changes in the address of the style sheet when the sheet does."""
    found = static_file("signin.css")
    return "" if found is None else digest(found[0].decode())[:12]


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("strongroom.signin"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
