"""Rows that an export brings besides tables: views, forms, web resources, processes, plug-ins, variables, apps."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import cast
from xml.etree.ElementTree import Element, tostring

from strongroom.errors import InvalidRequest
from strongroom.solutions.archive import Archive
from strongroom.solutions.managed_properties import withheld_in
from strongroom.solutions.model import Part
from strongroom.solutions.xml import child_text, first_child, flag, guid, inner_xml, localized, whole
from strongroom.store.protocol import Value

FORM_TYPES = {
    "main": 2,
    "quick": 6,
    "quickcreate": 7,
    "card": 11,
    "dashboard": 0,
    "mobile": 5,
    "interactioncentricdashboard": 10,
}

COLUMNS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "savedquery": (
        "name",
        (
            "name",
            "returnedtypecode",
            "querytype",
            "isdefault",
            "isquickfindquery",
            "fetchxml",
            "layoutxml",
            "description",
        ),
    ),
    "systemform": (
        "name",
        (
            "name",
            "objecttypecode",
            "type",
            "formxml",
            "formactivationstate",
            "formpresentation",
            "description",
        ),
    ),
    "webresource": ("name", ("name", "displayname", "webresourcetype", "content", "isenabledformobileclient")),
    "workflow": (
        "name",
        (
            "name",
            "category",
            "type",
            "mode",
            "scope",
            "asyncautodelete",
            "ondemand",
            "subprocess",
            "triggeroncreate",
            "triggerondelete",
            "primaryentity",
            "clientdata",
            "xaml",
        ),
    ),
    "connectionreference": (
        "connectionreferencelogicalname",
        ("connectionreferencelogicalname", "connectionreferencedisplayname", "connectorid", "description"),
    ),
    "environmentvariabledefinition": (
        "schemaname",
        ("schemaname", "displayname", "type", "defaultvalue", "isrequired", "secretstore"),
    ),
    "environmentvariablevalue": ("schemaname", ("schemaname", "value")),
    "pluginassembly": (
        "name",
        ("name", "version", "culture", "publickeytoken", "isolationmode", "sourcetype", "content"),
    ),
    "plugintype": ("typename", ("name", "typename", "friendlyname")),
    "sdkmessageprocessingstep": (
        "name",
        (
            "name",
            "description",
            "stage",
            "mode",
            "rank",
            "filteringattributes",
            "supporteddeployment",
            "invocationsource",
            "configuration",
            "asyncautodelete",
        ),
    ),
    "appmodule": ("uniquename", ("uniquename", "name", "description", "clienttype", "formfactor", "configxml")),
    "sitemap": (
        "sitemapnameunique",
        (
            "sitemapname",
            "sitemapnameunique",
            "sitemapxml",
            "enablecollapsiblegroups",
            "showhome",
            "showpinned",
            "showrecents",
        ),
    ),
}
"""By table, the column that names a row, and the columns that an export carries."""


def views(table: str, entity: Element) -> Iterator[Part]:
    """The views of a table."""
    for view in entity.iter("savedquery"):
        yield view_part(table, view)


def view_part(table: str, view: Element) -> Part:
    """One view."""
    name = localized(view, "LocalizedNames/LocalizedName") or child_text(view, "name") or table
    values: dict[str, Value] = {
        "name": name[:200],
        "returnedtypecode": table,
        "querytype": whole(child_text(view, "querytype")) or 0,
        "isdefault": flag(view, "isdefault"),
        "isquickfindquery": flag(view, "isquickfindquery"),
        "fetchxml": inner_xml(view.find("fetchxml")) or None,
        "layoutxml": inner_xml(view.find("layoutxml")) or None,
        "description": localized(view, "Descriptions/Description") or None,
    }
    view_id = guid(child_text(view, "savedqueryid"))
    return Part("savedquery", view_id, name, values, about=table, withheld=withheld_in(view))


def forms(table: str, entity: Element) -> Iterator[Part]:
    """The forms of a table."""
    for group in entity.iter("forms"):
        for form in group.iter("systemform"):
            yield form_part(table, group.get("type") or "main", form)


def form_part(table: str | None, kind: str, form: Element) -> Part:
    """One form, or a dashboard, which belongs to no table."""
    name = localized(form, "LocalizedNames/LocalizedName") or table or "form"
    body = form.find("form")
    values: dict[str, Value] = {
        "name": name[:100],
        "objecttypecode": table,
        "type": FORM_TYPES.get(kind.lower(), 2),
        "formxml": tostring(body, encoding="unicode").strip() if body is not None else "<form />",
        "isdefault": False,
        "formactivationstate": whole(child_text(form, "FormActivationState")) or 0,
        "formpresentation": whole(child_text(form, "FormPresentation")) or 0,
        "isdesktopenabled": True,
        "istabletenabled": True,
        "description": localized(form, "Descriptions/Description") or None,
    }
    form_id = guid(child_text(form, "formid") or child_text(form, "FormId"))
    return Part("systemform", form_id, name, values, about=table, withheld=withheld_in(form))


def web_resource(archive: Archive, element: Element) -> Part:
    """A script, page, image or style sheet; its content is kept and not served."""
    name = child_text(element, "Name")
    content = _file(archive, child_text(element, "FileName"), f"/WebResources/{name}")
    values: dict[str, Value] = {
        "name": name,
        "displayname": child_text(element, "DisplayName") or None,
        "webresourcetype": whole(child_text(element, "WebResourceType")) or 1,
        "content": base64.b64encode(content).decode() if content else None,
        "isavailableformobileoffline": False,
        "isenabledformobileclient": flag(element, "IsEnabledForMobileClient"),
    }
    resource_id = guid(child_text(element, "WebResourceId"))
    return Part("webresource", resource_id, name, values, key="name", withheld=withheld_in(element))


def process(archive: Archive, element: Element) -> Part:
    """A workflow, business rule, action or cloud flow; its definition is kept and not run."""
    name = element.get("Name") or child_text(element, "Name")
    primary = child_text(element, "PrimaryEntity").lower()
    values: dict[str, Value] = {
        "name": name[:100],
        "category": whole(child_text(element, "Category")) or 0,
        "type": whole(child_text(element, "Type")) or 1,
        "mode": whole(child_text(element, "Mode")) or 0,
        "scope": whole(child_text(element, "Scope")),
        "asyncautodelete": flag(element, "AsyncAutodelete"),
        "ondemand": flag(element, "OnDemand"),
        "subprocess": flag(element, "Subprocess"),
        "triggeroncreate": flag(element, "TriggerOnCreate"),
        "triggerondelete": flag(element, "TriggerOnDelete"),
        "primaryentity": primary or "none",
        "clientdata": _text_of(archive, child_text(element, "JsonFileName")),
        "xaml": _text_of(archive, child_text(element, "XamlFileName")),
    }
    return Part("workflow", guid(element.get("WorkflowId")), name, values, withheld=withheld_in(element))


def connection_reference(element: Element) -> Part:
    """A named place for a connection; the connection itself never travels."""
    name = element.get("connectionreferencelogicalname") or ""
    values: dict[str, Value] = {
        "connectionreferencelogicalname": name,
        "connectionreferencedisplayname": child_text(element, "connectionreferencedisplayname") or name,
        "connectorid": child_text(element, "connectorid") or None,
        "description": child_text(element, "description") or None,
    }
    return Part("connectionreference", None, name, values, key="connectionreferencelogicalname")


def environment_variable(element: Element) -> Part:
    """The definition of an environment variable with its default value."""
    name = element.get("schemaname") or ""
    shown = element.find("displayname")
    values: dict[str, Value] = {
        "schemaname": name,
        "displayname": (shown.get("default") if shown is not None else None) or name,
        "type": whole(child_text(element, "type")) or 100000000,
        "defaultvalue": child_text(element, "defaultvalue") or None,
        "isrequired": flag(element, "isrequired"),
        "secretstore": whole(child_text(element, "secretstore")) or 0,
    }
    return Part("environmentvariabledefinition", None, name, values, key="schemaname")


def variable_value(path: str, data: bytes) -> Part | None:
    """The value of an environment variable, which lies beside its definition; None for a file that holds none."""
    try:
        content: object = json.loads(data)
    except (ValueError, RecursionError):
        raise InvalidRequest(f"'{path}' is not JSON.") from None
    for name in ("environmentvariablevalues", "environmentvariablevalue"):
        content = cast("Mapping[str, object]", content).get(name) if isinstance(content, dict) else None
    value = cast("Mapping[str, object]", content).get("value") if isinstance(content, dict) else None
    folders = path.split("/")
    if value is None or len(folders) < 2:
        return None
    name = folders[-2]
    values: dict[str, Value] = {"schemaname": name, "value": str(value)}
    named = {"environmentvariabledefinitionid": ("environmentvariabledefinition", "schemaname", name)}
    return Part("environmentvariablevalue", None, name, values, key="schemaname", named=named, stays=True)


def assembly(archive: Archive, element: Element) -> Iterator[Part]:
    """A plug-in assembly and its types; kept and not run."""
    full = element.get("FullName") or ""
    name, facts = full.split(",")[0].strip(), _facts(full)
    assembly_id = guid(element.get("PluginAssemblyId"))
    content = _file(archive, child_text(element, "FileName"))
    values: dict[str, Value] = {
        "name": name,
        "version": facts.get("version"),
        "culture": facts.get("culture"),
        "publickeytoken": facts.get("publickeytoken"),
        "isolationmode": whole(child_text(element, "IsolationMode")) or 2,
        "sourcetype": whole(child_text(element, "SourceType")) or 0,
        "content": base64.b64encode(content).decode() if content else None,
    }
    yield Part("pluginassembly", assembly_id, name, values, key="name")
    for each in element.iter("PluginType"):
        type_name = each.get("Name") or ""
        type_values: dict[str, Value] = {
            "name": type_name,
            "typename": type_name,
            "friendlyname": child_text(each, "FriendlyName") or type_name,
        }
        needs = {"pluginassemblyid": ("pluginassembly", assembly_id)} if assembly_id else {}
        yield Part("plugintype", guid(each.get("PluginTypeId")), type_name, type_values, key="typename", needs=needs)


def step(element: Element) -> Part:
    """When a plug-in would run; kept and not run."""
    name = element.get("Name") or child_text(element, "Name")
    values: dict[str, Value] = {
        "name": name,
        "description": child_text(element, "Description") or None,
        "stage": whole(child_text(element, "Stage")) or 40,
        "mode": whole(child_text(element, "Mode")) or 0,
        "rank": whole(child_text(element, "Rank")) or 1,
        "filteringattributes": child_text(element, "FilteringAttributes") or None,
        "supporteddeployment": whole(child_text(element, "SupportedDeployment")) or 0,
        "invocationsource": whole(child_text(element, "InvocationSource")) or 0,
        "configuration": child_text(element, "Configuration") or None,
        "asyncautodelete": flag(element, "AsyncAutoDelete"),
    }
    type_id = guid(child_text(element, "PluginTypeId"))
    needs = {"plugintypeid": ("plugintype", type_id)} if type_id else {}
    step_id = guid(element.get("SdkMessageProcessingStepId"))
    withheld = withheld_in(element)
    return Part("sdkmessageprocessingstep", step_id, name, values, needs=needs, withheld=withheld)


def app(element: Element) -> Part:
    """A model-driven app: its description, as data."""
    name = child_text(element, "UniqueName")
    values: dict[str, Value] = {
        "uniquename": name,
        "name": (localized(element, "LocalizedNames/LocalizedName") or name)[:100],
        "description": localized(element, "Descriptions/Description") or None,
        "clienttype": whole(child_text(element, "ClientType")) or 4,
        "formfactor": whole(child_text(element, "FormFactor")) or 1,
        "isfeatured": False,
        "configxml": tostring(element, encoding="unicode").strip(),
    }
    return Part("appmodule", None, name, values, key="uniquename")


def site_map(element: Element) -> Part:
    """The navigation of an app."""
    name = child_text(element, "SiteMapUniqueName")
    body = first_child(element, "SiteMap")
    values: dict[str, Value] = {
        "sitemapname": localized(element, "LocalizedNames/LocalizedName") or name,
        "sitemapnameunique": name,
        "sitemapxml": tostring(body, encoding="unicode").strip() if body is not None else None,
        "isappaware": True,
        "enablecollapsiblegroups": flag(element, "EnableCollapsibleGroups"),
        "showhome": flag(element, "ShowHome"),
        "showpinned": flag(element, "ShowPinned"),
        "showrecents": flag(element, "ShowRecents"),
    }
    return Part("sitemap", None, name, values, key="sitemapnameunique")


def _facts(full_name: str) -> Mapping[str, str]:
    """`A, Version=1.0.0.0, Culture=neutral` → {"version": "1.0.0.0", "culture": "neutral"}."""
    pairs = (part.partition("=") for part in full_name.split(",")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _file(archive: Archive, *names: str) -> bytes | None:
    wanted = [name.lstrip("/") for name in names if name]
    found = archive.find(*wanted) if wanted else None
    return None if found is None else archive.files[found]


def _text_of(archive: Archive, name: str) -> str | None:
    found = _file(archive, name)
    return None if found is None else found.decode("utf-8-sig", "replace").replace("\x00", "")
