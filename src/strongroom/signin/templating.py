"""Templates of the sign-in pages: Jinja2 with every value escaped; only those for passkeys have a script."""

from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from strongroom.identity.hashing import digest
from strongroom.signin.texts import texts_of, zone_of
from strongroom.signin.visitor import FORM_FIELD, Visitor

_SAID = ("title", "refusal", "notice", "text")
_TYPES = {"signin.css": "text/css", "mark.svg": "image/svg+xml", "passkey.js": "text/javascript"}


def page(template: str, visitor: Visitor, **values: object) -> str:
    """A template with its values, in the reader's language; titles and what is said are translated here."""
    texts, zone = texts_of(visitor.request), zone_of(visitor.request)
    said = {name: texts(value) for name in _SAID if isinstance(value := values.get(name), str) and value}

    def moment(value: str) -> str:
        return texts.moment(value, zone)

    context: dict[str, object] = {
        "form_field": FORM_FIELD,
        "form_token": visitor.form_token(),
        "version": _version(),
        "texts": texts,
        "_": texts,
        "ngettext": texts.number,
        "moment": moment,
        **values,
        **said,
    }
    return _environment().get_template(template).render(context)


@cache
def static_file(name: str) -> tuple[bytes, str] | None:
    """A file of `static` with its type."""
    if name not in _TYPES:
        return None
    return files("strongroom.signin").joinpath("static", name).read_bytes(), _TYPES[name]


@cache
def _version() -> str:
    """What changes in the addresses of files when one of them does."""
    found = [static_file(name) for name in _TYPES]
    return digest("".join(each[0].decode() for each in found if each is not None))[:12]


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("strongroom.signin"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
