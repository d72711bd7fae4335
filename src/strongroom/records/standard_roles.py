"""The roles that every environment begins with, and what they hold.

System Administrator holds every privilege that there is, at Global (SM-64). System Customizer changes metadata and
sees only rows that it owns (SM-66). Basic User works with its own rows and reads what everybody needs to read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from strongroom.access.caller import SYSTEM_ADMINISTRATOR_TEMPLATE, SYSTEM_CUSTOMIZER_TEMPLATE
from strongroom.ids import Guid
from strongroom.schema.model import Depth, Ownership, Rights, Schema

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


STANDARD_ROLES = (
    StandardRole("System Administrator", SYSTEM_ADMINISTRATOR_TEMPLATE, _everything),
    StandardRole("System Customizer", SYSTEM_CUSTOMIZER_TEMPLATE, _customizer),
    StandardRole("Basic User", None, _basic_user),
)
