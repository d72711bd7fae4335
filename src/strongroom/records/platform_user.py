"""SYSTEM: in whose name the platform acts when nobody asked, as at the birth of an environment."""

from strongroom.access.caller import AccessMode, Caller, SecurityFacts, SecuritySettings, Unit, UnitTree
from strongroom.ids import EMPTY_GUID, Guid, Key
from strongroom.schema.model import Schema

SYSTEM_USER = Guid("00000000-0000-0000-0000-000000000001")
"""The id of SYSTEM in every environment. It is disabled, so nobody can sign in as it or act for it."""

_NOWHERE = Key(0)


def platform_caller(schema: Schema) -> Caller:
    """A caller without any privilege: it can author what `store_new` stores, and pass no check of rights."""
    facts = SecurityFacts(
        id=SYSTEM_USER,
        key=_NOWHERE,
        name="SYSTEM",
        unit=_NOWHERE,
        is_team=False,
        is_disabled=True,
        access_mode=AccessMode.READ_WRITE,
        directory_object_id=None,
        teams=(),
        roles=(),
        role_privileges={},
        units=UnitTree({_NOWHERE: Unit(_NOWHERE, EMPTY_GUID, "", None)}),
        settings=SecuritySettings(),
    )
    return Caller(facts, 0, {}, is_system_administrator=False, schema=schema)
