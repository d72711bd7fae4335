"""From a `Solution` to the files of an export, in the packed layout. What `reading` makes of them is equal to it.

What nobody takes apart (canvas apps, agents, command bars …) is taken over from an earlier archive of the solution.
"""

import re
from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from strongroom.errors import InvalidRequest
from strongroom.solutions import writing_parts
from strongroom.solutions.archive import Archive
from strongroom.solutions.managed_properties import add_withheld
from strongroom.solutions.model import Part, Publisher, Solution, SolutionProfile, SolutionRole, SolutionTable
from strongroom.solutions.reading import COMPONENT_NAMES, KEPT_SECTIONS
from strongroom.solutions.writing_tables import choice_element, relationship_element, table_element
from strongroom.solutions.xml import add_flag, add_labels, add_text, parsed

_WRITTEN_FOLDERS = frozenset(
    {
        "appmodules",
        "appmodulesitemaps",
        "connectionreferences",
        "dashboards",
        "entities",
        "environmentvariabledefinitions",
        "fieldsecurityprofiles",
        "optionsets",
        "other",
        "pluginassemblies",
        "roles",
        "sdkmessageprocessingsteps",
        "webresources",
        "workflows",
    }
)
_COMPONENT_TYPES = {name: number for number, name in COMPONENT_NAMES.items()}
_SAFE_NAME = re.compile(r"[A-Za-z0-9_.-]*[A-Za-z0-9]")
_TYPES = b"""<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">\
<Default Extension="xml" ContentType="text/xml"/><Default Extension="json" ContentType="application/octet-stream"/>\
<Default Extension="xaml" ContentType="application/octet-stream"/>\
<Default Extension="dll" ContentType="application/octet-stream"/></Types>"""


def write_solution(solution: Solution, earlier: Archive | None = None) -> dict[str, bytes]:
    """The files by their paths. `earlier` is where parts that only an archive holds come from."""
    root = Element("ImportExportXml")
    files: dict[str, bytes] = {} if earlier is None else _kept_files(earlier)
    kept = [] if earlier is None else list(_documents(earlier))
    _entities(SubElement(root, "Entities"), solution, kept)
    _roles(SubElement(root, "Roles"), solution.roles)
    _profiles(SubElement(root, "FieldSecurityProfiles"), solution.profiles)
    relationships = SubElement(root, "EntityRelationships")
    relationships.extend(
        relationship_element(found, solution.withheld) for found in (*solution.relationships, *solution.associations)
    )
    SubElement(root, "optionsets").extend(choice_element(choice, solution.withheld) for choice in solution.choices)
    files |= _parts(root, solution.parts)
    for name in KEPT_SECTIONS:
        found = [child for document in kept for section in document.findall(name) for child in section]
        if found:
            SubElement(root, name).extend(found)
    files["[Content_Types].xml"] = _TYPES
    files["solution.xml"] = _bytes(_manifest(solution))
    files["customizations.xml"] = _bytes(root)
    return files


def _bytes(root: Element) -> bytes:
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


def _entities(section: Element, solution: Solution, kept: Sequence[Element]) -> None:
    """Each table with its views, forms and command bar; those of other solutions' tables too."""
    tables: dict[str, SolutionTable | None] = {table.logical_name: table for table in solution.tables}
    ribbons = {
        (entity.findtext("Name") or "").strip().lower(): ribbon
        for document in kept
        for entity in document.iter("Entity")
        if (ribbon := entity.find("RibbonDiffXml")) is not None
    }
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
        if name in ribbons:
            entity.append(ribbons[name])


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
            files[f"{folder}/environmentvariabledefinition.xml"] = _bytes(writing_parts.environment_variable(part)[0])
        elif part.table == "environmentvariablevalue":
            folder = _variable_folder(part)
            files[f"{folder}/environmentvariablevalues.json"] = writing_parts.variable_value(part)
        elif part.table == "systemform" and part.about is None:
            files[f"Dashboards/{part.id}.xml"] = _bytes(writing_parts.form(part)[0])
    return files


def _variable_folder(part: Part) -> str:
    if not _SAFE_NAME.fullmatch(part.name):
        raise InvalidRequest(f"The environment variable '{part.name[:100]}' has a name that no export can hold.")
    return f"environmentvariabledefinitions/{part.name}"


def _kept_files(earlier: Archive) -> dict[str, bytes]:
    return {
        path: data
        for path, data in earlier.files.items()
        if "/" in path and path.split("/", 1)[0].lower() not in _WRITTEN_FOLDERS
    }


def _documents(earlier: Archive) -> Iterable[Element]:
    """The XML that holds sections and command bars; files that are taken over whole are not among it."""
    for path, data in earlier.files.items():
        folder = path.split("/", 1)[0].lower() if "/" in path else ""
        if path.lower().endswith(".xml") and folder in ("", "other", "entities"):
            yield parsed(path, data)
