"""What changed since an export was read, written into that export: everything else in it stays as it came.

An export says more than anybody here takes apart: labels in other languages, images of plug-in steps, settings of a
table that have no meaning here. So an export is not written anew over what came: the XML is generated twice, from what
the file said and from what holds now, and where the two differ the file is changed in just that place.

    original   <attribute PhysicalName="new_a"> … 40 elements, labels in two languages …
    before     <attribute PhysicalName="new_a"> … the 12 elements known here: MaxLength 100 …
    now        <attribute PhysicalName="new_a"> … MaxLength 200 …
    result     the original with MaxLength 200
"""

from collections.abc import Mapping
from copy import deepcopy
from xml.etree.ElementTree import Element

from strongroom.solutions.xml import child_text

_OPAQUE = frozenset({"form", "fetchxml", "layoutxml", "SiteMap"})
"""Elements that are changed as a whole: nobody knows which of their parts belong together."""

_IDENTITY_CHILDREN: Mapping[str, tuple[str, ...]] = {
    "systemform": ("formid", "FormId"),
    "savedquery": ("savedqueryid",),
    "Entity": ("Name",),
    "FieldPermission": ("EntityName", "AttributeName"),
    "AttributeImageConfig": ("parententitylogicalname", "attributelogicalname"),
    "WebResource": ("Name",),
    "AppModule": ("UniqueName",),
    "AppModuleSiteMap": ("SiteMapUniqueName",),
    "EntityRelationshipRole": ("RelationshipRoleType", "AssociationRoleOrdinal"),
    "SdkMessageProcessingStepImage": ("SdkMessageProcessingStepImageId",),
}
"""Elements that a child names."""

_IDENTITY_ATTRIBUTES = (
    "PhysicalName",
    "WorkflowId",
    "SdkMessageProcessingStepId",
    "PluginAssemblyId",
    "PluginTypeId",
    "fieldsecurityprofileid",
    "connectionreferencelogicalname",
    "schemaName",
    "schemaname",
    "id",
    "Name",
    "name",
    "languagecode",
    "value",
    "type",
)
"""Attributes that tell elements of one name apart: the first of them that is there."""

_NAMED_BY_TYPE = frozenset({"RootComponent"})
Identity = tuple[str, str, int]


def overlay(original: Element, before: Element, now: Element) -> Element:
    """`original` with the differences between `before` and `now`."""
    result = deepcopy(original)
    _patch(result, before, now)
    return result


def same(one: Element, other: Element) -> bool:
    """Whether two elements say the same, whatever blanks they are written with."""
    return (
        one.tag == other.tag
        and one.attrib == other.attrib
        and _text(one) == _text(other)
        and len(one) == len(other)
        and all(same(first, second) for first, second in zip(one, other, strict=True))
    )


def _patch(target: Element, before: Element, now: Element) -> None:
    if same(before, now):
        return
    for name in {*before.attrib, *now.attrib}:
        if before.get(name) != now.get(name):
            if name in now.attrib:
                target.set(name, now.attrib[name])
            else:
                target.attrib.pop(name, None)
    if _text(before) != _text(now):
        target.text = now.text
    if now.tag in _OPAQUE:
        target[:] = [deepcopy(child) for child in now]
        return
    there, old, new = (_children(each) for each in (target, before, now))
    for identity, child in new.items():
        known, earlier = there.get(identity), old.get(identity)
        if known is None:
            if earlier is None or not same(earlier, child):
                target.append(deepcopy(child))
        elif earlier is not None:
            _patch(known, earlier, child)
        else:
            target[list(target).index(known)] = deepcopy(child)
    for identity in old.keys() - new.keys():
        if identity in there:
            target.remove(there[identity])


def _children(element: Element) -> dict[Identity, Element]:
    found: dict[Identity, Element] = {}
    for child in element:
        name = identity_of(child)
        number = 0
        while (child.tag, name, number) in found:
            number += 1
        found[child.tag, name, number] = child
    return found


def identity_of(element: Element) -> str:
    """What tells an element from others of its name; empty where only its place does."""
    if element.tag == "optionset" and child_text(element, "IsGlobal") != "1":
        return ""  # the one of a column, whatever it is called
    found = [child_text(element, name) for name in _IDENTITY_CHILDREN.get(element.tag, ())]
    if any(found):
        return "/".join(part.strip("{}").lower() for part in found if part)
    for name in _IDENTITY_ATTRIBUTES:
        value = element.get(name)
        if value:
            kind = element.get("type", "") if element.tag in _NAMED_BY_TYPE else ""
            return f"{kind}:{value.strip('{}').lower()}"
    return ""


def _text(element: Element) -> str:
    return (element.text or "").strip()
