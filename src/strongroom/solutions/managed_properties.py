"""Managed properties: what the maker of a managed solution lets others change of it (WA-323, WA-405).

A component that came with a managed solution can be customized, unless its maker switched that off: the whole of it
(`iscustomizable`), its labels (`isrenameable`), new columns, forms or views on a table … A property that is not named
in an export is on. Nobody but the maker's own solutions gets past one that is off.
"""

from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element

from strongroom.errors import InvalidRequest
from strongroom.solutions.xml import add_flag

CUSTOMIZABLE = "iscustomizable"
RENAMEABLE = "isrenameable"
NEW_COLUMNS = "cancreateattributes"
NEW_FORMS = "cancreateforms"
NEW_VIEWS = "cancreateviews"

NAMES: Mapping[str, str] = {
    name.lower(): name
    for name in (
        "IsCustomizable",
        "IsRenameable",
        "CanBeDeleted",
        "CanCreateAttributes",
        "CanCreateForms",
        "CanCreateViews",
        "CanModifyAdditionalSettings",
        "CanModifyAuditSettings",
        "CanModifyRequirementLevelSettings",
        "CanChangeTrackingBeEnabled",
        "CanChangeHierarchicalRelationship",
    )
}
"""Managed properties that are enforced here, as they are written in an export."""

_GOVERNED: Mapping[str, str] = {
    "label": RENAMEABLE,
    "collection_label": RENAMEABLE,
    "required": "canmodifyrequirementlevelsettings",
    "is_audited": "canmodifyauditsettings",
    "change_tracking": "canchangetrackingbeenabled",
    "is_hierarchical": "canchangehierarchicalrelationship",
}
"""Which managed property lets a property of metadata change; others are additional settings."""

_ADDITIONAL = "canmodifyadditionalsettings"
NOT_CUSTOMIZABLE = "0x8004f015"


def withheld_in(element: Element) -> tuple[str, ...]:
    """The managed properties that an element of an export switches off."""
    off = [child.tag.lower() for child in element if (child.text or "").strip() in ("0", "false")]
    return tuple(name for name in off if name in NAMES)


def add_withheld(element: Element, withheld: Iterable[str]) -> None:
    """Write them into an element of an export."""
    for name in withheld:
        add_flag(element, NAMES[name], False)


def refusal(withheld: Iterable[str], changed: Iterable[str]) -> str | None:
    """The managed property that forbids a change of these properties, None when it is free."""
    off = set(withheld)
    properties = tuple(changed)
    if not properties or not off:
        return None
    if CUSTOMIZABLE in off:
        return CUSTOMIZABLE
    return next((name for each in properties if (name := _GOVERNED.get(each, _ADDITIONAL)) in off), None)


def not_customizable(kind: str, name: str, managed_property: str, what: str) -> InvalidRequest:
    """The error that names what is switched off."""
    shown = NAMES.get(managed_property, managed_property)
    return InvalidRequest(
        f"The {kind} '{name}' came with a managed solution whose maker does not let others change {what}: its managed "
        f"property {shown} is off.",
        code=NOT_CUSTOMIZABLE,
    )
