"""Privileges of users, all or some of them, by the id of the user or of its directory account (WA-407, SM-171).

Every function here gives the entries of `RetrieveUserPrivileges`, in its order, narrowed to what was asked for.
"""

from collections.abc import Callable, Iterable

from strongroom.access.messages import does_not_exist
from strongroom.access.privileges import RolePrivilege, privileges_of
from strongroom.access.resolve import resolve
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.messages.entities import guid_of
from strongroom.messages.membership import listed
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, function
from strongroom.records import Session, require
from strongroom.records.authorize import demand_privilege, reaches
from strongroom.schema.model import Rights

_DIRECTORY = Parameter("DirectoryObjectId", Kind.GUID)
_ANSWER = {"RolePrivileges": "Collection(mscrm.RolePrivilege)"}
_Choice = Callable[[Session, Arguments], frozenset[Guid] | None]
"""The ids of the privileges that are asked for; None for all."""


def privileges_held(session: Session, principal: Reference) -> tuple[RolePrivilege, ...]:
    """The privileges of a user or team. Asking about others needs Read on the user or team."""
    if principal.id != session.caller.id:
        require(session, session.table(principal.table), principal.id, Rights.READ)
    facts = session.transaction.facts(principal)
    if facts is None:
        raise does_not_exist(session.table(principal.table), principal.id)
    return privileges_of(resolve(facts, session.schema, session.caller.epoch))


def _of_bound(choice: _Choice) -> Callable[[Session, Arguments], Result]:
    def run(session: Session, arguments: Arguments) -> Result:
        return listed(_chosen(privileges_held(session, arguments.bound()), choice(session, arguments)))

    return run


def _of_directory(choice: _Choice) -> Callable[[Session, Arguments], Result]:
    def run(session: Session, arguments: Arguments) -> Result:
        user = _user_of(session, arguments.guid("DirectoryObjectId"))
        return listed(_chosen(privileges_held(session, user), choice(session, arguments)))

    return run


def _roles(session: Session, arguments: Arguments) -> Result:
    """The roles that a user holds, directly and through teams: all of one's own, of others those that the caller may
    read (SM-3)."""
    user = _user_of(session, arguments.guid("DirectoryObjectId"))
    if user.id != session.caller.id:
        require(session, session.table("systemuser"), user.id, Rights.READ)
    facts = session.transaction.facts(user)
    if facts is None:
        raise does_not_exist(session.table("systemuser"), user.id)
    units = facts.units.units
    held = {one.role.id: one.role for one in facts.roles}
    if user.id != session.caller.id:
        table = session.table("role")
        demand_privilege(session, table, Rights.READ)
        rows = session.transaction.rows(table, sorted(held))
        held = {row_id: held[row_id] for row_id, row in rows.items() if reaches(session, Rights.READ, row)}
    return {
        "value": [
            {
                "roleid": role.id,
                "name": role.name,
                "_businessunitid_value": units[role.unit].id,
                "_parentrootroleid_value": role.root_id,
                "isinherited": int(role.is_inherited),
            }
            for role in sorted(held.values(), key=lambda role: (role.name, role.id))
        ]
    }


def _chosen(entries: Iterable[RolePrivilege], wanted: frozenset[Guid] | None) -> Iterable[RolePrivilege]:
    return [entry for entry in entries if wanted is None or entry.privilege_id in wanted]


def _user_of(session: Session, directory_object: Guid) -> Reference:
    users = session.table("systemuser")
    row = session.transaction.row_by_key(users, {"azureactivedirectoryobjectid": directory_object})
    if row is None:
        raise does_not_exist(users, directory_object)
    return row.reference()


def _all(_session: Session, _arguments: Arguments) -> None:
    return None


def _by_ids(_session: Session, arguments: Arguments) -> frozenset[Guid]:
    return frozenset(guid_of(text, "PrivilegeIds") for text in arguments.strings("PrivilegeIds"))


def _by_names(session: Session, arguments: Arguments) -> frozenset[Guid]:
    return frozenset(_privilege_named(session, name) for name in arguments.strings("PrivilegeNames"))


def _by_id(_session: Session, arguments: Arguments) -> frozenset[Guid]:
    return frozenset({arguments.guid("PrivilegeId")})


def _by_name(session: Session, arguments: Arguments) -> frozenset[Guid]:
    return frozenset({_privilege_named(session, arguments.text("PrivilegeName"))})


def _privilege_named(session: Session, name: str) -> Guid:
    privilege = session.schema.privileges_by_name.get(name)
    if privilege is None:
        raise InvalidRequest(f"There is no privilege '{name[:100]}'; privileges are named like prvReadAccount.")
    return privilege.id


_IDS = Parameter("PrivilegeIds", Kind.STRINGS, type="Collection(Edm.Guid)")
_NAMES = Parameter("PrivilegeNames", Kind.STRINGS)
_USER = ("systemuser",)

OPERATIONS: tuple[Operation, ...] = (
    function("RetrieveUserSetOfPrivilegesByIds", _of_bound(_by_ids), _IDS, properties=_ANSWER, bound_to=_USER),
    function("RetrieveUserSetOfPrivilegesByNames", _of_bound(_by_names), _NAMES, properties=_ANSWER, bound_to=_USER),
    function(
        "RetrieveUserPrivilegeByPrivilegeId",
        _of_bound(_by_id),
        Parameter("PrivilegeId", Kind.GUID),
        properties=_ANSWER,
        bound_to=_USER,
    ),
    function(
        "RetrieveUserPrivilegeByPrivilegeName",
        _of_bound(_by_name),
        Parameter("PrivilegeName", Kind.STRING),
        properties=_ANSWER,
        bound_to=_USER,
    ),
    function("RetrieveAadUserPrivileges", _of_directory(_all), _DIRECTORY, properties=_ANSWER),
    function("RetrieveAadUserSetOfPrivilegesByIds", _of_directory(_by_ids), _DIRECTORY, _IDS, properties=_ANSWER),
    function("RetrieveAadUserSetOfPrivilegesByNames", _of_directory(_by_names), _DIRECTORY, _NAMES, properties=_ANSWER),
    Operation("RetrieveAadUserRoles", True, _roles, (_DIRECTORY,), collection_of="role"),
)
