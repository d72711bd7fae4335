"""Items of metadata as JSON objects."""

from collections.abc import Sequence

from strongroom.webapi.definitions.options import Shaping
from strongroom.webapi.definitions.shapes import NAMESPACE, Shown


def render(shown: Shown, shaping: Shaping) -> dict[str, object]:
    """One item. The `MetadataId` always comes along, and `@odata.type` where several types come together, also with
    `$select` (WA-320, WA-326)."""
    result: dict[str, object] = {}
    if shown.is_typed:
        result["@odata.type"] = f"#{NAMESPACE}.{shown.type_name}"
    present = shown.names
    for name in present if shaping.select is None else shaping.select:
        if name in present:
            result[name] = shown.value(name)
    if "MetadataId" not in result:
        result["MetadataId"] = shown.value("MetadataId")
    for name, inner in shaping.expand.items():
        target = shown.follow(name)
        if isinstance(target, list):
            found = kept(target, inner)
            if inner.count:
                result[f"{name}@odata.count"] = len(found)
            result[name] = [render(item, inner) for item in found]
        else:
            result[name] = None if target is None else render(target, inner)
    return result


def kept(items: Sequence[Shown], shaping: Shaping) -> list[Shown]:
    """The items that satisfy `$filter`."""
    return [item for item in items if shaping.test is None or shaping.test(item)]
