"""Templates: Jinja2 with every value escaped, and the few filters that pages share."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import cast

from babel import Locale
from jinja2 import Environment, PackageLoader, StrictUndefined

from strongroom.access.rights import RIGHT_NAMES
from strongroom.console.api import formatted
from strongroom.console.done import DONE
from strongroom.console.texts import Texts, languages


def page_text(template: str, texts: Texts, context: Mapping[str, object]) -> str:
    """A template with its values, in the language of `texts`."""
    return _environment(texts).get_template(template).render(context)


@cache
def asset(name: str) -> str:
    """The address of a file of `static/`, which changes when the file does."""
    content = files("strongroom.console").joinpath("static", name).read_bytes()
    return f"/console/static/{sha256(content).hexdigest()[:12]}/{name}"


@cache
def _environment(texts: Texts) -> Environment:
    environment = Environment(
        loader=PackageLoader("strongroom.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    cast("dict[str, object]", environment.globals).update(
        gettext=texts,
        _=texts,
        ngettext=texts.number,
        asset=asset,
        texts=texts,
        languages=languages(),
        RIGHTS=[name.removesuffix("Access") for name in RIGHT_NAMES.values()],
        DONE=DONE,
    )

    cast("dict[str, object]", environment.filters).update(
        number=texts.figure, formatted=formatted, language_name=_language_name, current=_current
    )
    return environment


def _language_name(language: str) -> str:
    return Locale.parse(language).get_display_name(language) or language


def _current(is_current: object) -> str:
    """The attribute that marks the link to where one is."""
    return "page" if is_current else "false"
