"""The XML of an export as one document: as it came packed, or put together from the files of source control."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from xml.etree.ElementTree import Element, SubElement

from strongroom.solutions.archive import Archive
from strongroom.solutions.xml import child_text, parsed

_SECTIONS: Mapping[str, str] = {
    "Entity": "Entities",
    "Role": "Roles",
    "Workflow": "Workflows",
    "WebResource": "WebResources",
    "PluginAssembly": "SolutionPluginAssemblies",
    "SdkMessageProcessingStep": "SdkMessageProcessingSteps",
    "AppModule": "AppModules",
    "AppModuleSiteMap": "AppModuleSiteMaps",
    "optionset": "optionsets",
    "FieldSecurityProfile": "FieldSecurityProfiles",
    "EntityRelationship": "EntityRelationships",
}
"""Where components that have files of their own lie in one document."""

_LISTS = frozenset({"EntityRelationships", "FieldSecurityProfiles", "Roles", "optionsets", "SdkMessageProcessingSteps"})
_FILE_NAMES = ("FileName", "JsonFileName", "XamlFileName")


def whole_document(archive: Archive) -> tuple[Element, frozenset[str]]:
    """customizations.xml with all components in their sections, and the paths that went into it."""
    path = archive.find("customizations.xml", "Other/Customizations.xml") or ""
    root = deepcopy(parsed(path, archive.files[path]))
    used = {path}
    if path.lower() == "customizations.xml":
        return root, frozenset(used)
    for name, document in _documents(archive, path):
        if _place(root, name, document):
            used.add(name)
    return root, frozenset(used | _of_managed_twins(archive))


def manifest_of(archive: Archive) -> tuple[str, Element]:
    """The path and the root of solution.xml."""
    path = archive.find("solution.xml", "Other/Solution.xml") or ""
    return path, deepcopy(parsed(path, archive.files[path]))


def files_of(element: Element) -> Iterator[tuple[str, str]]:
    """(name of the child, path) of the files that a component says that it has."""
    for name in _FILE_NAMES:
        text = child_text(element, name)
        if text:
            yield name, text.lstrip("/")


def _documents(archive: Archive, customizations: str) -> Iterator[tuple[str, Element]]:
    """Tables first, so that there is something to put forms and views into."""
    left_out = {customizations, *_of_managed_twins(archive)}
    for path in sorted(archive.files, key=lambda name: not name.lower().endswith("/entity.xml")):
        is_document = path.lower().endswith(".xml") and not path.lower().endswith("solution.xml")
        if is_document and path not in left_out:
            yield path, parsed(path, archive.files[path])


def _of_managed_twins(archive: Archive) -> set[str]:
    """Files of the managed form of a component that is there unmanaged too."""
    paths = {path.lower() for path in archive.files}
    return {
        path
        for path in archive.files
        if path.lower().endswith("_managed.xml") and path.lower().replace("_managed.xml", ".xml") in paths
    }


def _place(root: Element, path: str, document: Element) -> bool:
    """Put a document into its section. Whether there is one."""
    folders = path.split("/")
    if document.tag in _LISTS:
        _section(root, document.tag).extend(deepcopy(child) for child in document if len(child) or child.text)
        return True
    if document.tag in _SECTIONS:
        _section(root, _SECTIONS[document.tag]).append(deepcopy(document))
        return True
    if folders[0].lower() != "entities" or len(folders) < 3:
        return False
    entity = _entity(root, folders[1])
    match document.tag:
        case "forms":
            forms = _child(entity, "FormXml")
            kind = document.get("type") or (folders[3] if len(folders) > 4 else "main")
            group = next((each for each in forms if each.get("type") == kind), None)
            if group is None:
                group = SubElement(forms, "forms", {"type": kind})
            group.extend(deepcopy(child) for child in document)
        case "savedqueries":
            _child(_child(entity, "SavedQueries"), "savedqueries").extend(deepcopy(child) for child in document)
        case "savedquery":
            _child(_child(entity, "SavedQueries"), "savedqueries").append(deepcopy(document))
        case "RibbonDiffXml":
            entity.append(deepcopy(document))
        case _:
            return False
    return True


def _section(root: Element, name: str) -> Element:
    return _child(root, name)


def _child(element: Element, name: str) -> Element:
    found = element.find(name)
    return SubElement(element, name) if found is None else found


def _entity(root: Element, name: str) -> Element:
    entities = _section(root, "Entities")
    for entity in entities:
        if child_text(entity, "Name").lower() == name.lower():
            return entity
    made = SubElement(entities, "Entity")
    SubElement(made, "Name").text = name
    return made
