"""The roles that every environment begins with, and what they hold.

System Administrator holds every privilege that there is, at Global (SM-64). System Customizer changes metadata and
sees only rows that it owns (SM-66). Basic User works with its own rows and reads what everybody needs to read.

The others are those of the public list of predefined roles that make sense without the services they come from: App
Opener (as little as an app needs to open), Delegate (acts for others), Environment Maker (makes apps and automations,
sees no data), Service Reader and Service Writer (every table, new ones too), Support User (reads customizations and
settings). What exactly they hold is not published; each holds what its description says.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from strongroom.access.caller import SYSTEM_ADMINISTRATOR_TEMPLATE, SYSTEM_CUSTOMIZER_TEMPLATE
from strongroom.ids import Guid
from strongroom.schema.activity_table import ACTIVITY_LOG
from strongroom.schema.model import Depth, Ownership, Rights, Schema
from strongroom.schema.stable_ids import stable_id
from strongroom.schema.trail_tables import HOLD, SEARCH

_CUSTOMIZATION = ("Entity", "Attribute", "Relationship", "OptionSet", "Customization")
_CUSTOMIZATION_TABLES = frozenset(
    {
        "appmodule",
        "environmentvariabledefinition",
        "environmentvariablevalue",
        "publisher",
        "savedquery",
        "savedqueryvisualization",
        "sitemap",
        "solution",
        "systemform",
        "webresource",
        "workflow",
    }
)
_READ_BY_ALL = frozenset(
    {
        "appmodule",
        "businessunit",
        "connectionrole",
        "organization",
        "position",
        "pricelevel",
        "product",
        "publisher",
        "role",
        "savedquery",
        "savedqueryvisualization",
        "sitemap",
        "solution",
        "subject",
        "systemform",
        "systemuser",
        "team",
        "territory",
        "transactioncurrency",
        "uomschedule",
        "webresource",
    }
)
_APPENDED_TO_BY_ALL = frozenset(
    {"businessunit", "pricelevel", "product", "subject", "systemuser", "team", "territory", "transactioncurrency"}
)
_MADE_BY_MAKERS = _CUSTOMIZATION_TABLES - {"publisher", "solution"} | {"connectionreference", "customapi"}
_PEOPLE = frozenset(
    {
        "businessunit",
        "fieldpermission",
        "fieldsecurityprofile",
        "organization",
        "position",
        "role",
        "systemuser",
        "team",
    }
)
_OF_AUDITORS = frozenset({ACTIVITY_LOG, HOLD, SEARCH})
_NOT_OF_USERS = frozenset({"asyncoperation", "duplicaterule", "mailbox", "workflow"})

Privileges = Mapping[Guid, Depth]


@dataclass(frozen=True, slots=True)
class StandardRole:
    """One of them. `privileges` gives what it holds in an environment of this schema."""

    name: str
    template: Guid | None
    privileges: Callable[[Schema], Privileges]


def _everything(schema: Schema) -> Privileges:
    return dict.fromkeys(schema.privileges_by_id, Depth.GLOBAL)


def _customizer(schema: Schema) -> Privileges:
    held = {
        privilege.id: Depth.GLOBAL
        for name, privilege in schema.extra_privileges.items()
        if name.endswith(_CUSTOMIZATION)
    }
    for table in schema.tables.values():
        depth = Depth.GLOBAL if table.logical_name in _CUSTOMIZATION_TABLES | _READ_BY_ALL else Depth.BASIC
        for right, privilege in table.privileges.items():
            is_business = table.ownership is Ownership.USER or table.logical_name in _CUSTOMIZATION_TABLES
            if depth in privilege.depths and (is_business or right is Rights.READ):
                held[privilege.id] = depth
    return held


def _basic_user(schema: Schema) -> Privileges:
    held: dict[Guid, Depth] = {}
    for table in schema.tables.values():
        name = table.logical_name
        for right, privilege in table.privileges.items():
            if table.ownership is Ownership.USER and name not in _NOT_OF_USERS and Depth.BASIC in privilege.depths:
                held[privilege.id] = Depth.BASIC
            elif Depth.GLOBAL in privilege.depths and (
                (right is Rights.READ and name in _READ_BY_ALL)
                or (right is Rights.APPEND_TO and name in _APPENDED_TO_BY_ALL)
            ):
                held[privilege.id] = Depth.GLOBAL
    return held


def _app_opener(schema: Schema) -> Privileges:
    return _of_tables(schema, _READ_BY_ALL, (Rights.READ,), Depth.GLOBAL)


def _delegate(schema: Schema) -> Privileges:
    return {schema.privileges_by_name["prvActOnBehalfOfAnotherUser"].id: Depth.GLOBAL}


def _environment_maker(schema: Schema) -> Privileges:
    """Own components where they have owners, all of the others."""
    rights = (Rights.CREATE, Rights.READ, Rights.WRITE, Rights.DELETE, Rights.APPEND, Rights.APPEND_TO)
    held = _of_tables(schema, _READ_BY_ALL, (Rights.READ,), Depth.GLOBAL)
    for depth in (Depth.GLOBAL, Depth.BASIC):  # the last one that a privilege supports stays
        held |= _of_tables(schema, _MADE_BY_MAKERS, rights, depth)
    return held


def _service_reader(schema: Schema) -> Privileges:
    """Every table of data; what people did is for auditors."""
    held = _of_tables(schema, schema.tables, (Rights.READ,), Depth.GLOBAL)
    return {id_: depth for id_, depth in held.items() if schema.privileges_by_id[id_].table not in _OF_AUDITORS}


def _service_writer(schema: Schema) -> Privileges:
    rights = (Rights.CREATE, Rights.READ, Rights.WRITE, Rights.APPEND, Rights.APPEND_TO)
    held = _of_tables(schema, schema.tables, rights, Depth.GLOBAL)
    return {id_: depth for id_, depth in held.items() if not _is_beyond_data(schema, id_)}


def _support_user(schema: Schema) -> Privileges:
    held = _of_tables(schema, _CUSTOMIZATION_TABLES | _READ_BY_ALL, (Rights.READ,), Depth.GLOBAL)
    reading = [p.id for name, p in schema.extra_privileges.items() if name.startswith("prvRead")]
    return {**held, **dict.fromkeys(reading, Depth.GLOBAL)}


def _of_tables(schema: Schema, names: Iterable[str], rights: Iterable[Rights], depth: Depth) -> dict[Guid, Depth]:
    """The privileges for these rights on these tables that support the depth."""
    wanted = tuple(rights)
    return {
        privilege.id: depth
        for name in names
        if (table := schema.tables.get(name)) is not None
        for right, privilege in table.privileges.items()
        if right in wanted and depth in privilege.depths
    }


def _is_beyond_data(schema: Schema, privilege_id: Guid) -> bool:
    """Whether a privilege changes who may do what, or shows what people did: writers of data do neither."""
    privilege = schema.privileges_by_id[privilege_id]
    return privilege.table in _OF_AUDITORS or (privilege.table in _PEOPLE and privilege.right is not Rights.READ)


STANDARD_ROLES = (
    StandardRole("System Administrator", SYSTEM_ADMINISTRATOR_TEMPLATE, _everything),
    StandardRole("System Customizer", SYSTEM_CUSTOMIZER_TEMPLATE, _customizer),
    StandardRole("Basic User", None, _basic_user),
    StandardRole("App Opener", None, _app_opener),
    StandardRole("Delegate", None, _delegate),
    StandardRole("Environment Maker", None, _environment_maker),
    StandardRole("Service Reader", stable_id("roletemplate", "Service Reader"), _service_reader),
    StandardRole("Service Writer", stable_id("roletemplate", "Service Writer"), _service_writer),
    StandardRole("Support User", None, _support_user),
)
