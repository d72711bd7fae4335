"""From the files of an export to a `Solution`.

An export comes packed (`solution.xml`, `customizations.xml` and files beside them) or unpacked, one file for each
component. Both are read alike: all XML documents together, element by element. What nobody here takes apart is kept in
the archive and listed by name; nothing is dropped.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

from strongroom.errors import InvalidRequest
from strongroom.schema.changes import NewAssociation, NewChoice
from strongroom.schema.changes.options import DEFAULT_OPTION_PREFIX
from strongroom.schema.model import ColumnType
from strongroom.solutions import parts
from strongroom.solutions.archive import Archive
from strongroom.solutions.managed_properties import withheld_in
from strongroom.solutions.model import (
    Dependency,
    Kept,
    Part,
    Publisher,
    RootComponent,
    Solution,
    SolutionProfile,
    SolutionRelationship,
    SolutionRole,
    SolutionTable,
)
from strongroom.solutions.tables import read_choice, read_relationship, read_table
from strongroom.solutions.xml import child_text, flag, guid, localized, parsed, whole

COMPONENT_NAMES = {
    "1": "table",
    "2": "column",
    "9": "choice",
    "10": "relationship",
    "20": "role",
    "26": "view",
    "29": "process",
    "60": "form",
    "61": "web resource",
    "62": "site map",
    "70": "column security profile",
    "80": "app",
    "91": "plug-in assembly",
    "92": "plug-in step",
    "300": "canvas app",
    "380": "environment variable",
}
KEPT_SECTIONS = {
    "CanvasApps": "canvas app",
    "AIModels": "AI model",
    "CustomControls": "custom control",
    "EntityMaps": "column mapping",
    "Dashboards": "dashboard",
    "Reports": "report",
    "EntityDataProviders": "data provider",
    "OrganizationSettings": "organization setting",
    "Visualizations": "chart",
}
_UNDERSTOOD_FOLDERS = ("workflows/", "pluginassemblies/", "webresources/", "environmentvariabledefinitions/")


@dataclass(frozen=True, slots=True)
class _Documents:
    """All XML of an export that is about components: (path, root)."""

    archive: Archive
    roots: tuple[tuple[str, Element], ...]

    def each(self, name: str) -> Iterator[Element]:
        for _, root in self.roots:
            yield from root.iter(name)


def read_solution(archive: Archive) -> Solution:
    """The solution in an archive. Raises `InvalidRequest` that names the file for what is no export."""
    manifest_path = archive.find("solution.xml", "Other/Solution.xml")
    customizations = archive.find("customizations.xml", "Other/Customizations.xml")
    if manifest_path is None or customizations is None:
        raise InvalidRequest(
            f"'{archive.source}' is no solution: it has no solution.xml and customizations.xml, nor Other/Solution.xml "
            "and Other/Customizations.xml."
        )
    manifest = parsed(manifest_path, archive.files[manifest_path]).find("SolutionManifest")
    if manifest is None:
        raise InvalidRequest(f"'{manifest_path}' has no SolutionManifest.")
    documents = _Documents(archive, tuple(_roots(archive, manifest_path)))
    tables, table_parts = _tables(documents)
    relationships, associations = _relationships(documents)
    found = (*table_parts, *_other_parts(documents))
    return Solution(
        unique_name=_required(manifest, "UniqueName", manifest_path),
        friendly_name=localized(manifest, "LocalizedNames/LocalizedName") or child_text(manifest, "UniqueName"),
        description=localized(manifest, "Descriptions/Description"),
        version=_required(manifest, "Version", manifest_path),
        is_managed=child_text(manifest, "Managed") == "1",
        publisher=_publisher(manifest, manifest_path),
        components=tuple(_components(manifest)),
        dependencies=tuple(_dependencies(manifest)),
        choices=tuple(_choices(documents)),
        tables=tables,
        relationships=relationships,
        associations=associations,
        roles=tuple(_roles(documents)),
        profiles=tuple(_profiles(documents)),
        parts=_once(found),
        kept=tuple(_kept(documents)),
        withheld=dict(_withheld(documents)),
    )


def _roots(archive: Archive, manifest: str) -> Iterator[tuple[str, Element]]:
    """Every XML file but the manifest. Of a component that lies there twice, managed and unmanaged, the latter."""
    paths = {path.lower() for path in archive.files}
    for path, data in archive.files.items():
        lower = path.lower()
        if not lower.endswith(".xml") or path == manifest or lower.startswith("[content_types]"):
            continue
        if lower.endswith("_managed.xml") and lower.replace("_managed.xml", ".xml") in paths:
            continue
        yield path, parsed(path, data)


# --- the manifest --------------------------------------------------------------------------------------------------


def _required(element: Element, name: str, path: str) -> str:
    text = child_text(element, name)
    if not text:
        raise InvalidRequest(f"'{path}' names no {name}.")
    return text


def _publisher(manifest: Element, path: str) -> Publisher:
    publisher = manifest.find("Publisher")
    if publisher is None:
        raise InvalidRequest(f"'{path}' names no Publisher.")
    return Publisher(
        _required(publisher, "UniqueName", path),
        localized(publisher, "LocalizedNames/LocalizedName") or child_text(publisher, "UniqueName"),
        _required(publisher, "CustomizationPrefix", path),
        whole(child_text(publisher, "CustomizationOptionValuePrefix")) or DEFAULT_OPTION_PREFIX,
    )


def _components(manifest: Element) -> Iterator[RootComponent]:
    for each in manifest.iterfind("RootComponents/RootComponent"):
        kind = whole(each.get("type", ""))
        if kind is not None:
            name = each.get("schemaName") or ""
            yield RootComponent(kind, guid(each.get("id")), name, whole(each.get("behavior", "")) or 0)


def _dependencies(manifest: Element) -> Iterator[Dependency]:
    seen: set[tuple[str, str]] = set()
    for required in manifest.iterfind("MissingDependencies/MissingDependency/Required"):
        kind = required.get("type") or ""
        name = (
            required.get("schemaName")
            or required.get("id.name")
            or required.get("displayName")
            or required.get("id")
            or ""
        )
        parent = required.get("parentSchemaName")
        full = f"{parent}.{name}" if parent else name
        if (kind, full) not in seen:
            seen.add((kind, full))
            yield Dependency(COMPONENT_NAMES.get(kind, kind), full, required.get("solution") or "")


# --- metadata ------------------------------------------------------------------------------------------------------


def _tables(documents: _Documents) -> tuple[tuple[SolutionTable, ...], tuple[Part, ...]]:
    found: dict[str, SolutionTable] = {}
    rows: list[Part] = []
    for path, root in documents.roots:
        for entity in root.iter("Entity"):
            table = read_table(entity)
            name = _entity_name(entity)
            if table is not None:
                found[table.logical_name] = table
            rows += [*parts.views(name, entity), *parts.forms(name, entity)]
        rows += _unpacked_parts(path, root)
    full_images = dict(_full_images(documents))
    return tuple(_with_full_images(table, full_images) for table in found.values()), tuple(rows)


def _full_images(documents: _Documents) -> Iterator[tuple[tuple[str, str], bool]]:
    """Which image columns keep the image besides its thumbnail, where the export says so."""
    for config in documents.each("AttributeImageConfig"):
        place = (
            child_text(config, "parententitylogicalname").lower(),
            child_text(config, "attributelogicalname").lower(),
        )
        yield place, flag(config, "canstorefullimage")


def _with_full_images(table: SolutionTable, full_images: Mapping[tuple[str, str], bool]) -> SolutionTable:
    if not full_images:
        return table
    columns = tuple(
        replace(column, can_store_full_image=full_images.get((table.logical_name, column.schema_name.lower()), False))
        if column.type is ColumnType.IMAGE
        else column
        for column in table.columns
    )
    return replace(table, columns=columns)


def _unpacked_parts(path: str, root: Element) -> Iterator[Part]:
    """Views and forms that lie in files of their own: `Entities/<table>/FormXml/main/…`, `Dashboards/…`."""
    folders = path.split("/")
    is_of_table = len(folders) > 2 and folders[0].lower() == "entities" and root.tag.lower() != "entity"
    if is_of_table and root.tag.lower() in ("savedqueries", "savedquery"):
        yield from parts.views(folders[1].lower(), root)
    elif is_of_table and root.tag.lower() == "forms":
        kind = root.get("type") or (folders[3] if len(folders) > 4 else "main")
        for form in root.iter("systemform"):
            yield parts.form_part(folders[1].lower(), kind, form)
    elif folders[0].lower() == "dashboards":
        for form in root.iter("systemform"):
            yield parts.form_part(None, "dashboard", form)


def _entity_name(entity: Element) -> str:
    return (entity.findtext("Name") or "").strip().lower()


def _choices(documents: _Documents) -> Iterator[NewChoice]:
    for optionset in documents.each("optionset"):
        if optionset.get("Name") and flag(optionset, "IsGlobal"):
            yield read_choice(optionset)


def _relationships(
    documents: _Documents,
) -> tuple[tuple[SolutionRelationship, ...], tuple[NewAssociation, ...]]:
    ones: dict[str, SolutionRelationship] = {}
    many: dict[str, NewAssociation] = {}
    for element in documents.each("EntityRelationship"):
        if element.find("EntityRelationshipType") is None:
            continue  # an index that only names them
        match read_relationship(element):
            case NewAssociation() as association:
                many[association.schema_name] = association
            case relationship:
                ones[relationship.relationship.schema_name] = relationship
    return tuple(ones.values()), tuple(many.values())


def _withheld(documents: _Documents) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    """The managed properties that are off, by the kind and name of what they are about."""
    for entity in documents.each("entity"):
        table = (entity.get("Name") or "").strip().lower()
        yield from _withheld_of("table", table, entity)
        for attribute in entity.iterfind("attributes/attribute"):
            if not flag(attribute, "IsCustomField"):
                continue
            name = (attribute.get("PhysicalName") or child_text(attribute, "Name")).lower()
            yield from _withheld_of("column", f"{table}.{name}", attribute)
    for optionset in documents.each("optionset"):
        yield from _withheld_of("choice", optionset.get("Name") or "", optionset)
    for relationship in documents.each("EntityRelationship"):
        yield from _withheld_of("relationship", relationship.get("Name") or "", relationship)


def _withheld_of(kind: str, name: str, element: Element) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    withheld = withheld_in(element)
    if withheld and name:
        yield (kind, name), withheld


# --- security ------------------------------------------------------------------------------------------------------


def _roles(documents: _Documents) -> Iterator[SolutionRole]:
    for role in documents.each("Role"):
        privileges = role.find("RolePrivileges")
        if privileges is None:
            continue  # a role of an app's list
        role_id = guid(role.get("id"))
        if role_id is None:
            raise InvalidRequest(f"The role '{role.get('name', '')[:100]}' has no id.")
        held = {each.get("name") or "": each.get("level") or "" for each in privileges.iter("RolePrivilege")}
        yield SolutionRole(role_id, role.get("name") or "", held, withheld_in(role))


def _profiles(documents: _Documents) -> Iterator[SolutionProfile]:
    for profile in documents.each("FieldSecurityProfile"):
        profile_id = guid(profile.get("fieldsecurityprofileid"))
        if profile_id is None:
            raise InvalidRequest(f"The column security profile '{profile.get('name', '')[:100]}' has no id.")
        permissions = tuple(
            (
                child_text(each, "EntityName").lower(),
                child_text(each, "AttributeName").lower(),
                whole(child_text(each, "CanRead")) or 0,
                whole(child_text(each, "CanUpdate")) or 0,
                whole(child_text(each, "CanCreate")) or 0,
            )
            for each in profile.iter("FieldPermission")
        )
        yield SolutionProfile(profile_id, profile.get("name") or "", profile.get("description") or "", permissions)


# --- everything else -----------------------------------------------------------------------------------------------


def _other_parts(documents: _Documents) -> Iterator[Part]:
    archive = documents.archive
    for element in documents.each("PluginAssembly"):
        if element.get("FullName"):
            yield from parts.assembly(archive, element)
    for element in documents.each("SdkMessageProcessingStep"):
        if element.get("SdkMessageProcessingStepId"):
            yield parts.step(element)
    for element in documents.each("WebResource"):
        if child_text(element, "WebResourceType"):
            yield parts.web_resource(archive, element)
    for element in documents.each("Workflow"):
        if element.get("WorkflowId"):
            yield parts.process(archive, element)
    for element in documents.each("connectionreference"):
        if element.get("connectionreferencelogicalname"):
            yield parts.connection_reference(element)
    for element in documents.each("environmentvariabledefinition"):
        if element.get("schemaname"):
            yield parts.environment_variable(element)
    for path, data in archive.files.items():
        if path.lower().rsplit("/", 1)[-1] in ("environmentvariablevalues.json", "environment_variable_values.json"):
            value = parts.variable_value(path, data)
            if value is not None:
                yield value
    for element in documents.each("AppModule"):
        if child_text(element, "UniqueName"):
            yield parts.app(element)
    for element in documents.each("AppModuleSiteMap"):
        if child_text(element, "SiteMapUniqueName"):
            yield parts.site_map(element)


def _once(found: Sequence[Part]) -> tuple[Part, ...]:
    """Each part once: an unpacked export may hold one in several files."""
    seen: dict[tuple[str, str], Part] = {}
    for part in found:
        seen.setdefault((part.table, str(part.id or part.name)), part)
    return tuple(seen.values())


def _kept(documents: _Documents) -> Iterator[Kept]:
    """What stays in the archive: sections of the XML, and files, that nothing here takes apart."""
    for _, root in documents.roots:
        for section in root:
            kind = KEPT_SECTIONS.get(section.tag)
            if kind is not None:
                for component in section:
                    yield Kept(kind, _name_of(component), "kept, not used")
        for entity in root.iter("Entity"):
            ribbon = entity.find("RibbonDiffXml")
            if ribbon is not None and len(ribbon.findall("CustomActions/CustomAction")) > 0:
                yield Kept("command bar", _entity_name(entity), "kept, not shown")
    known = {path for path, _ in documents.roots}
    folders: dict[str, int] = {}
    for path in documents.archive.files:
        folder = path.split("/", 1)[0]
        is_read = (
            path.lower().startswith(_UNDERSTOOD_FOLDERS) or "/" not in path or folder.lower() in ("other", "entities")
        )
        if not is_read or (path in known and folder.lower() in ("bots", "botcomponents", "maskingrules")):
            folders[folder] = folders.get(folder, 0) + 1
    for folder, number in folders.items():
        if folder.lower() not in ("appmodules", "appmodulesitemaps", "dashboards", "roles", "optionsets"):
            yield Kept("files", folder, f"{number} kept, not used")


def _name_of(component: Element) -> str:
    for name in ("Name", "name", "UniqueName", "schemaname", "DisplayName"):
        found = component.get(name) or component.findtext(name)
        if found:
            return found.strip()
    return component.tag
