"""The verbs: the only door to rows. Every verb takes a `Session` (one transaction, one caller) and obeys the security
model, validates, cascades and writes the audit trail, whole or not at all.

| to do | function | rules |
| --- | --- | --- |
| read | `retrieve_page`, `retrieve`, `count`, `find`, `require` | SM-150 to SM-153 |
| write | `create`, `update`, `upsert`, `delete`, `set_null` | SM-90 to SM-124, WA-105 to WA-156 |
| tie | `associate`, `disassociate` | SM-110 to SM-113, WA-160 to WA-167 |
| share | `grant_access`, `modify_access`, `revoke_access`, `principal_access`, `shared_principals` | SM-70 to SM-89 |
| | `access_of`, `reset_inherited_access` | SM-89, SM-170 |
| many at once | `create_multiple`, `update_multiple`, `upsert_multiple`, `delete_multiple` | WA-300 to WA-306 |
| teams | `add_members`, `remove_members` | SM-53, SM-58 |
| teams of rows | `add_user_to_record_team`, `remove_user_from_record_team` | SM-57 |
| merge | `merge` | SM-114 |
| roles | `add_privileges`, `replace_privileges`, `remove_privilege`, `role_privileges` | SM-30 |
| metadata | `change_schema` | SM-20, WA-68 |
| begin | `genesis`, `standard_rules` | |
"""

from strongroom.records.access_sources import access_of
from strongroom.records.address import find
from strongroom.records.bulk import create_multiple, delete_multiple, update_multiple, upsert_multiple
from strongroom.records.genesis import Birth, Born, genesis, standard_rules
from strongroom.records.inherited_parts import reset_inherited_access
from strongroom.records.link import associate, disassociate
from strongroom.records.membership import (
    RolePrivilege,
    add_members,
    add_privileges,
    remove_members,
    remove_privilege,
    replace_privileges,
    role_privileges,
)
from strongroom.records.merging import merge
from strongroom.records.metadata_changes import change_schema
from strongroom.records.read import count, require, retrieve, retrieve_page
from strongroom.records.record_teams import add_user_to_record_team, remove_user_from_record_team
from strongroom.records.rules import Event, Rules
from strongroom.records.session import RequestFacts, Session
from strongroom.records.shapes import Address, Key, NewRecord, Page, PrincipalShare, Record, Related, Upserted
from strongroom.records.sharing import grant_access, modify_access, principal_access, revoke_access, shared_principals
from strongroom.records.write import create, delete, set_null, update, upsert

__all__ = [
    "Address",
    "Birth",
    "Born",
    "Event",
    "Key",
    "NewRecord",
    "Page",
    "PrincipalShare",
    "Record",
    "Related",
    "RequestFacts",
    "RolePrivilege",
    "Rules",
    "Session",
    "Upserted",
    "access_of",
    "add_members",
    "add_privileges",
    "add_user_to_record_team",
    "associate",
    "change_schema",
    "count",
    "create",
    "create_multiple",
    "delete",
    "delete_multiple",
    "disassociate",
    "find",
    "genesis",
    "grant_access",
    "merge",
    "modify_access",
    "principal_access",
    "remove_members",
    "remove_privilege",
    "remove_user_from_record_team",
    "replace_privileges",
    "require",
    "reset_inherited_access",
    "retrieve",
    "retrieve_page",
    "revoke_access",
    "role_privileges",
    "set_null",
    "shared_principals",
    "standard_rules",
    "update",
    "update_multiple",
    "upsert",
    "upsert_multiple",
]
