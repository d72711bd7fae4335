"""From a `Solution` to the files of an export, in the packed layout. What `reading` makes of them is equal to it.

Where the solution came from an archive, that archive is written again with what is different now: nothing of it is lost
that nobody here takes apart.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from strongroom.errors import InvalidRequest
from strongroom.solutions import writing_parts
from strongroom.solutions.archive import Archive
from strongroom.solutions.managed_properties import add_withheld
from strongroom.solutions.model import Part, Publisher, Solution, SolutionProfile, SolutionRole, SolutionTable
from strongroom.solutions.originals import files_of, manifest_of, whole_document
from strongroom.solutions.overlay import identity_of, overlay
from strongroom.solutions.reading import COMPONENT_NAMES, read_solution
from strongroom.solutions.writing_tables import choice_element, relationship_element, table_element
from strongroom.solutions.xml import add_flag, add_labels, add_text, child_text, parsed

_COMPONENT_TYPES = {name: number for number, name in COMPONENT_NAMES.items()}
_SAFE_NAME = re.compile(r"[A-Za-z0-9_.-]*[A-Za-z0-9]")
_TYPES = b"""<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">\
<Default Extension="xml" ContentType="text/xml"/><Default Extension="json" ContentType="application/octet-stream"/>\
<Default Extension="xaml" ContentType="application/octet-stream"/>\
<Default Extension="dll" ContentType="application/octet-stream"/></Types>"""


@dataclass(frozen=True, slots=True)
class Generated:
    """A solution as XML, before it is bytes: solution.xml, customizations.xml, and the files beside them."""

    manifest: Element
    customizations: Element
    files: Mapping[str, bytes]


def write_solution(solution: Solution, earlier: Archive | None = None) -> dict[str, bytes]:
    """The files by their paths. With the `earlier` archive of the solution, that archive with what is different now."""
    generated = generate(solution)
    if earlier is not None:
        return rewritten(earlier, generate(read_solution(earlier)), generated)
    return {
        **generated.files,
        "[Content_Types].xml": _TYPES,
        "solution.xml": as_bytes(generated.manifest),
        "customizations.xml": as_bytes(generated.customizations),
    }


def generate(solution: Solution) -> Generated:
    """The XML of all that is known here of a solution."""
    root = Element("ImportExportXml")
    _entities(SubElement(root, "Entities"), solution)
    _roles(SubElement(root, "Roles"), solution.roles)
    _profiles(SubElement(root, "FieldSecurityProfiles"), solution.profiles)
    relationships = SubElement(root, "EntityRelationships")
    relationships.extend(
        relationship_element(found, solution.withheld) for found in (*solution.relationships, *solution.associations)
    )
    SubElement(root, "optionsets").extend(choice_element(choice, solution.withheld) for choice in solution.choices)
    _image_columns(root, solution.tables)
    files = _parts(root, solution.parts)
    return Generated(_manifest(solution), root, files)


def rewritten(earlier: Archive, before: Generated, now: Generated) -> dict[str, bytes]:
    """An archive with the differences between what it says and what holds now; all else stays as it came."""
    document, merged = whole_document(earlier)
    manifest_path, manifest = manifest_of(earlier)
    places = dict(_places(earlier, document, before.customizations))
    files = {path: data for path, data in earlier.files.items() if path not in (manifest_path, *merged)}
    for path in before.files.keys() - now.files.keys():
        files.pop(places.get(path, path), None)
    for path, data in now.files.items():
        place = places.get(path) or earlier.find(path) or path
        earlier_data = before.files.get(path)
        if place not in files:
            files[path] = data
        elif earlier_data != data:
            is_xml = earlier_data is not None and path.endswith(".xml")
            files[place] = _overlaid(path, files[place], earlier_data or b"", data) if is_xml else data
    files.setdefault("[Content_Types].xml", _TYPES)
    files["solution.xml"] = as_bytes(overlay(manifest, before.manifest, now.manifest))
    files["customizations.xml"] = as_bytes(overlay(document, before.customizations, now.customizations))
    return files


def _places(earlier: Archive, document: Element, before: Element) -> Iterator[tuple[str, str]]:
    """(path that is generated, path in the archive) of the files of processes, web resources and assemblies."""
    for section in ("Workflows", "WebResources", "SolutionPluginAssemblies"):
        known = {identity_of(component): component for component in document.iterfind(f"{section}/*")}
        for component in before.iterfind(f"{section}/*"):
            original = known.get(identity_of(component))
            if original is None:
                continue
            names = dict(files_of(original))
            for name, path in files_of(component):
                place = earlier.find(names.get(name, path), f"WebResources/{child_text(original, 'Name')}")
                if place is not None:
                    yield path, place


def _overlaid(path: str, original: bytes, before: bytes, now: bytes) -> bytes:
    return as_bytes(overlay(*(parsed(path, each) for each in (original, before, now))))


def as_bytes(root: Element) -> bytes:
    """A document as a file."""
    return tostring(root, encoding="utf-8", xml_declaration=True)


# --- the manifest --------------------------------------------------------------------------------------------------


def _manifest(solution: Solution) -> Element:
    root = Element("ImportExportXml", {"SolutionPackageVersion": "9.2", "languagecode": "1033"})
    manifest = SubElement(root, "SolutionManifest")
    add_text(manifest, "UniqueName", solution.unique_name)
    add_labels(manifest, "LocalizedNames", "LocalizedName", solution.friendly_name)
    if solution.description:
        add_labels(manifest, "Descriptions", "Description", solution.description)
    add_text(manifest, "Version", solution.version)
    add_flag(manifest, "Managed", solution.is_managed)
    manifest.append(_publisher(solution.publisher))
    components = SubElement(manifest, "RootComponents")
    for each in solution.components:
        facts = {"type": str(each.type), "behavior": str(each.behavior)}
        facts |= {"id": f"{{{each.id}}}"} if each.id is not None else {}
        facts |= {"schemaName": each.schema_name} if each.schema_name else {}
        SubElement(components, "RootComponent", facts)
    missing = SubElement(manifest, "MissingDependencies")
    for each in solution.dependencies:
        kind = _COMPONENT_TYPES.get(each.kind, each.kind)
        facts = {"type": kind, "schemaName": each.name, "solution": each.solution}
        SubElement(SubElement(missing, "MissingDependency"), "Required", facts)
    indent(root)
    return root


def _publisher(publisher: Publisher) -> Element:
    element = Element("Publisher")
    add_text(element, "UniqueName", publisher.unique_name)
    add_labels(element, "LocalizedNames", "LocalizedName", publisher.friendly_name)
    add_text(element, "CustomizationPrefix", publisher.prefix)
    add_text(element, "CustomizationOptionValuePrefix", str(publisher.option_prefix))
    return element


# --- tables and security -------------------------------------------------------------------------------------------


def _entities(section: Element, solution: Solution) -> None:
    """Each table with its views and forms; those of other solutions' tables too."""
    tables: dict[str, SolutionTable | None] = {table.logical_name: table for table in solution.tables}
    for part in solution.parts:
        if part.about is not None:
            tables.setdefault(part.about, None)
    for name, table in tables.items():
        entity = SubElement(section, "Entity")
        add_text(entity, "Name", name if table is None else table.schema_name)
        if table is not None:
            SubElement(entity, "EntityInfo").append(table_element(table, solution.withheld))
        own = [part for part in solution.parts if part.about == name]
        views = SubElement(SubElement(entity, "SavedQueries"), "savedqueries")
        views.extend(writing_parts.view(part)[0] for part in own if part.table == "savedquery")
        _forms(SubElement(entity, "FormXml"), [part for part in own if part.table == "systemform"])


def _forms(section: Element, forms: Sequence[Part]) -> None:
    for kind in dict.fromkeys(writing_parts.form_kind(part) for part in forms):
        group = SubElement(section, "forms", {"type": kind})
        group.extend(writing_parts.form(part)[0] for part in forms if writing_parts.form_kind(part) == kind)


def _roles(section: Element, roles: Iterable[SolutionRole]) -> None:
    for role in roles:
        element = SubElement(section, "Role", {"id": f"{{{role.id}}}", "name": role.name})
        add_withheld(element, role.withheld)
        held = SubElement(element, "RolePrivileges")
        for name, level in role.privileges.items():
            SubElement(held, "RolePrivilege", {"name": name, "level": level})


def _profiles(section: Element, profiles: Iterable[SolutionProfile]) -> None:
    for profile in profiles:
        facts = {"fieldsecurityprofileid": profile.id, "name": profile.name, "description": profile.description}
        permissions = SubElement(SubElement(section, "FieldSecurityProfile", facts), "FieldPermissions")
        for table, column, can_read, can_update, can_create in profile.permissions:
            permission = SubElement(permissions, "FieldPermission")
            add_text(permission, "EntityName", table)
            add_text(permission, "AttributeName", column)
            rights = (("CanRead", can_read), ("CanUpdate", can_update), ("CanCreate", can_create))
            for name, right in rights:
                add_text(permission, name, str(right))


def _image_columns(root: Element, tables: Iterable[SolutionTable]) -> None:
    """Which image columns keep the image besides its thumbnail."""
    known = [(table, column) for table in tables for column in table.columns if column.can_store_full_image is not None]
    if not known:
        return
    section = SubElement(root, "AttributeImageConfigs")
    for table, column in known:
        config = SubElement(section, "AttributeImageConfig")
        add_text(config, "attributelogicalname", column.schema_name.lower())
        add_text(config, "parententitylogicalname", table.logical_name)
        add_flag(config, "canstorefullimage", column.can_store_full_image is True)


# --- rows ----------------------------------------------------------------------------------------------------------


def _parts(root: Element, parts: Sequence[Part]) -> dict[str, bytes]:
    """Append the sections of all rows that belong to no table; gives the files beside them."""
    files: dict[str, bytes] = {}
    for table, (section_name, write) in writing_parts.SECTIONS.items():
        section = SubElement(root, section_name)
        for part in parts:
            if part.table == table:
                element, beside = write(part)
                section.append(element)
                files |= beside
    assemblies = SubElement(root, "SolutionPluginAssemblies")
    types = [part for part in parts if part.table == "plugintype"]
    for part in parts:
        if part.table == "pluginassembly":
            own = [each for each in types if each.needs.get("pluginassemblyid", ("", ""))[1] == part.id]
            element, beside = writing_parts.assembly(part, own)
            assemblies.append(element)
            files |= beside
        elif part.table == "environmentvariabledefinition":
            folder = _variable_folder(part)
            files[f"{folder}/environmentvariabledefinition.xml"] = as_bytes(writing_parts.environment_variable(part)[0])
        elif part.table == "environmentvariablevalue":
            folder = _variable_folder(part)
            files[f"{folder}/environmentvariablevalues.json"] = writing_parts.variable_value(part)
        elif part.table == "systemform" and part.about is None:
            files[f"Dashboards/{part.id}.xml"] = as_bytes(writing_parts.form(part)[0])
    return files


def _variable_folder(part: Part) -> str:
    if not _SAFE_NAME.fullmatch(part.name):
        raise InvalidRequest(f"The environment variable '{part.name[:100]}' has a name that no export can hold.")
    return f"environmentvariabledefinitions/{part.name}"
