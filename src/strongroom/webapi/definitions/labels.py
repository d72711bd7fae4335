"""Labels and managed properties on the wire (WA-323)."""

from collections.abc import Mapping
from typing import cast

from strongroom.errors import InvalidRequest
from strongroom.schema.stable_ids import stable_id
from strongroom.webapi.definitions.bodies import checked_text

LANGUAGE = 1033
"""The base language; labels are kept in it alone."""


def label(text: str, owner_id: str, kind: str, *, is_managed: bool) -> dict[str, object]:
    """A Label object; without a text it has no localized labels."""
    if not text:
        return {"LocalizedLabels": [], "UserLocalizedLabel": None}
    localized: dict[str, object] = {
        "Label": text,
        "LanguageCode": LANGUAGE,
        "IsManaged": is_managed,
        "MetadataId": stable_id("label", f"{owner_id}.{kind}"),
        "HasChanged": None,
    }
    return {"LocalizedLabels": [localized], "UserLocalizedLabel": dict(localized)}


def managed(value: object, name: str, *, can_be_changed: bool = True) -> dict[str, object]:
    """A managed property: a value, and whether a customer may change it."""
    return {"Value": value, "CanBeChanged": can_be_changed, "ManagedPropertyLogicalName": name}


def read_label(body: Mapping[str, object], name: str) -> str | None:
    """The text of a Label in a request body: that of the base language, else the first; None when it is absent.

    Accepted without `UserLocalizedLabel` (WA-343). Anything but a label object is 400.
    """
    value = body.get(name)
    if value is None:
        return None
    localized = cast("Mapping[str, object]", value).get("LocalizedLabels") if isinstance(value, Mapping) else None
    if not isinstance(localized, list):
        raise InvalidRequest(
            f"{name} must be a Label: an object with LocalizedLabels, an array of {{Label, LanguageCode}}."
        )
    texts: dict[int, str] = {}
    for entry in cast("list[object]", localized):
        text = cast("Mapping[str, object]", entry).get("Label") if isinstance(entry, Mapping) else None
        if not isinstance(text, str):
            raise InvalidRequest(f"An entry of LocalizedLabels in {name} has no Label that is a text.")
        language = cast("Mapping[str, object]", entry).get("LanguageCode")
        texts.setdefault(language if isinstance(language, int) else LANGUAGE, checked_text(text, name))
    return texts.get(LANGUAGE, next(iter(texts.values()), ""))
