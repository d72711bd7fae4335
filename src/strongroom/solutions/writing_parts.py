"""Rows as components of an export: what `parts` reads, written again.

Each function returns the element and the files beside it, if there are any.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Mapping
from xml.etree.ElementTree import Element, SubElement

from strongroom.errors import InvalidRequest
from strongroom.solutions.managed_properties import add_withheld
from strongroom.solutions.model import Part
from strongroom.solutions.parts import FORM_TYPES
from strongroom.solutions.xml import add_inner, add_labels, add_text, parsed

Files = dict[str, bytes]
Written = tuple[Element, Files]

_FORM_KINDS: Mapping[int, str] = {number: kind for kind, number in FORM_TYPES.items()}
_FIELDS: Mapping[str, Mapping[str, str]] = {
    "savedquery": {"querytype": "querytype", "isdefault": "isdefault", "isquickfindquery": "isquickfindquery"},
    "systemform": {"formactivationstate": "FormActivationState", "formpresentation": "FormPresentation"},
    "webresource": {
        "name": "Name",
        "displayname": "DisplayName",
        "webresourcetype": "WebResourceType",
        "isenabledformobileclient": "IsEnabledForMobileClient",
    },
    "workflow": {
        "category": "Category",
        "type": "Type",
        "mode": "Mode",
        "scope": "Scope",
        "asyncautodelete": "AsyncAutodelete",
        "ondemand": "OnDemand",
        "subprocess": "Subprocess",
        "triggeroncreate": "TriggerOnCreate",
        "triggerondelete": "TriggerOnDelete",
        "primaryentity": "PrimaryEntity",
    },
    "connectionreference": {
        "connectionreferencedisplayname": "connectionreferencedisplayname",
        "connectorid": "connectorid",
        "description": "description",
    },
    "environmentvariabledefinition": {
        "defaultvalue": "defaultvalue",
        "isrequired": "isrequired",
        "secretstore": "secretstore",
        "type": "type",
    },
    "pluginassembly": {"isolationmode": "IsolationMode", "sourcetype": "SourceType"},
    "plugintype": {"friendlyname": "FriendlyName"},
    "sdkmessageprocessingstep": {
        "description": "Description",
        "stage": "Stage",
        "mode": "Mode",
        "rank": "Rank",
        "filteringattributes": "FilteringAttributes",
        "supporteddeployment": "SupportedDeployment",
        "invocationsource": "InvocationSource",
        "configuration": "Configuration",
        "asyncautodelete": "AsyncAutoDelete",
    },
    "sitemap": {
        "enablecollapsiblegroups": "EnableCollapsibleGroups",
        "showhome": "ShowHome",
        "showpinned": "ShowPinned",
        "showrecents": "ShowRecents",
    },
}
"""The columns that are a child element each, by table: column → element."""


def view(part: Part) -> Written:
    """A view."""
    element = Element("savedquery")
    _add_fields(element, part)
    add_text(element, "savedqueryid", f"{{{part.id}}}")
    for column in ("fetchxml", "layoutxml"):
        if text := _text(part, column):
            add_inner(element, column, text)
    _add_names(element, part)
    return element, {}


def form(part: Part) -> Written:
    """A form, without the list that tells its kind."""
    element = Element("systemform")
    add_text(element, "formid", f"{{{part.id}}}")
    _add_fields(element, part)
    try:
        element.append(parsed("formxml", _text(part, "formxml").encode()))
    except InvalidRequest:
        element.append(Element("form"))
    _add_names(element, part)
    return element, {}


def form_kind(part: Part) -> str:
    """`main`, `quick` …"""
    kind = part.values.get("type")
    return _FORM_KINDS.get(kind, "main") if isinstance(kind, int) else "main"


def web_resource(part: Part) -> Written:
    """A web resource; its content is a file."""
    element = Element("WebResource")
    if part.id is not None:
        add_text(element, "WebResourceId", f"{{{part.id}}}")
    _add_fields(element, part)
    add_withheld(element, part.withheld)
    path = f"WebResources/{_file_name(part)}"
    add_text(element, "FileName", f"/{path}")
    content = _decoded(_text(part, "content"))
    return element, {path: content} if content else {}


def process(part: Part) -> Written:
    """A process; its definition is a file."""
    element = Element("Workflow", {"WorkflowId": f"{{{part.id}}}", "Name": part.name})
    add_withheld(element, part.withheld)
    files: Files = {}
    for column, name, ending in (("clientdata", "JsonFileName", "json"), ("xaml", "XamlFileName", "xaml")):
        if text := _text(part, column):
            path = f"Workflows/{_file_name(part)}.{ending}"
            add_text(element, name, f"/{path}")
            files[path] = text.encode()
    _add_fields(element, part)
    return element, files


def connection_reference(part: Part) -> Written:
    """A connection reference."""
    element = Element("connectionreference", {"connectionreferencelogicalname": part.name})
    _add_fields(element, part)
    return element, {}


def environment_variable(part: Part) -> Written:
    """The definition of an environment variable."""
    element = Element("environmentvariabledefinition", {"schemaname": part.name})
    shown = SubElement(element, "displayname", {"default": _text(part, "displayname") or part.name})
    SubElement(shown, "label", {"description": shown.get("default", ""), "languagecode": "1033"})
    _add_fields(element, part)
    return element, {}


def variable_value(part: Part) -> bytes:
    """The file that holds the value of an environment variable."""
    value = {"schemaname": part.name, "value": _text(part, "value")}
    return json.dumps({"environmentvariablevalues": {"environmentvariablevalue": value}}, indent=2).encode()


def assembly(part: Part, types: Iterable[Part]) -> Written:
    """A plug-in assembly with its types."""
    facts = {"Version": "version", "Culture": "culture", "PublicKeyToken": "publickeytoken"}
    full = [part.name, *(f"{name}={found}" for name, column in facts.items() if (found := _text(part, column)))]
    element = Element("PluginAssembly", {"FullName": ", ".join(full), "PluginAssemblyId": str(part.id)})
    _add_fields(element, part)
    path = f"PluginAssemblies/{_file_name(part)}.dll"
    add_text(element, "FileName", f"/{path}")
    listed = SubElement(element, "PluginTypes")
    for each in types:
        added = SubElement(listed, "PluginType", {"Name": each.name, "PluginTypeId": str(each.id)})
        _add_fields(added, each)
    content = _decoded(_text(part, "content"))
    return element, {path: content} if content else {}


def step(part: Part) -> Written:
    """A step of a plug-in."""
    element = Element("SdkMessageProcessingStep", {"Name": part.name, "SdkMessageProcessingStepId": f"{{{part.id}}}"})
    add_withheld(element, part.withheld)
    if "plugintypeid" in part.needs:
        add_text(element, "PluginTypeId", part.needs["plugintypeid"][1])
    _add_fields(element, part)
    return element, {}


def app(part: Part) -> Written:
    """A model-driven app: its own description, or a short one when it has none."""
    try:
        return parsed("configxml", _text(part, "configxml").encode()), {}
    except InvalidRequest:
        element = Element("AppModule")
        add_text(element, "UniqueName", part.name)
        add_labels(element, "LocalizedNames", "LocalizedName", _text(part, "name") or part.name)
        return element, {}


def site_map(part: Part) -> Written:
    """The navigation of an app."""
    element = Element("AppModuleSiteMap")
    add_text(element, "SiteMapUniqueName", part.name)
    _add_fields(element, part)
    try:
        element.append(parsed("sitemapxml", _text(part, "sitemapxml").encode()))
    except InvalidRequest:
        element.append(Element("SiteMap"))
    add_labels(element, "LocalizedNames", "LocalizedName", _text(part, "sitemapname") or part.name)
    return element, {}


SECTIONS: Mapping[str, tuple[str, Callable[[Part], Written]]] = {
    "workflow": ("Workflows", process),
    "webresource": ("WebResources", web_resource),
    "sdkmessageprocessingstep": ("SdkMessageProcessingSteps", step),
    "connectionreference": ("connectionreferences", connection_reference),
    "appmodule": ("AppModules", app),
    "sitemap": ("AppModuleSiteMaps", site_map),
}
"""By table, the section of customizations.xml that holds its rows, and what writes one."""


def _add_fields(element: Element, part: Part) -> None:
    for column, name in _FIELDS[part.table].items():
        value = part.values.get(column)
        if value is not None:
            add_text(element, name, str(int(value)) if isinstance(value, bool) else str(value))


def _add_names(element: Element, part: Part) -> None:
    add_withheld(element, part.withheld)
    add_labels(element, "LocalizedNames", "LocalizedName", part.name)
    if text := _text(part, "description"):
        add_labels(element, "Descriptions", "Description", text)


def _text(part: Part, column: str) -> str:
    value = part.values.get(column)
    return value if isinstance(value, str) else ""


def _file_name(part: Part) -> str:
    """A name that is safe on every system, and only this row's."""
    plain = re.sub(r"[^A-Za-z0-9]", "", part.name)[:60]
    return f"{plain}-{str(part.id or part.name).upper()}" if part.id else plain


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
