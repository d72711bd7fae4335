"""Making somebody of the directory a user of an environment, with roles, by an administrator of that environment.

These are the ordinary verbs: whoever has no right to make users or to give a role is refused here as anywhere.
"""

from collections.abc import Sequence

from strongroom.errors import InvalidRequest
from strongroom.identity.people import user_of
from strongroom.ids import Guid, Reference, parse_guid
from strongroom.records import NewRecord, Session, associate, create, update
from strongroom.records.create import store_new
from strongroom.records.security_rules.teams import move_to_default_team
from strongroom.store.protocol import Row, Value

_NON_INTERACTIVE = 4
_ROLES = "systemuserroles_association"


def make_person_user(session: Session, person: Guid, login: str, name: str, roles: Sequence[str]) -> Guid:
    """The user that a person is: the one with this sign-in name, else a new one in the root business unit."""
    known = user_of(session.transaction, person)
    by_name = session.transaction.row_by_key(session.table("systemuser"), {"domainname": login})
    if known is not None and by_name is not None and known.id != by_name.id:
        raise InvalidRequest(f"The account is the user '{known.values.get('domainname')}' here already.")
    found = known or by_name
    if found is None:
        first, _, last = name.rpartition(" ")
        values: dict[str, Value] = {
            "domainname": login,
            "internalemailaddress": login if "@" in login else None,
            "firstname": first or None,
            "lastname": last or login,
        }
        user = _make(session, person, values)
    else:
        user = found.id
        if found.values.get("azureactivedirectoryobjectid") != person:
            update(session, session.table("systemuser"), user, {"azureactivedirectoryobjectid": person})
    _give(session, user, roles)
    return user


def make_application_user(session: Session, object_id: Guid, client: Guid, name: str, roles: Sequence[str]) -> Guid:
    """The application user of a program (TS-716): a user without sign-in pages, whose `applicationid` is the client
    id."""
    table = session.table("systemuser")
    found = session.transaction.rows_where(table, {"applicationid": client}, limit=1)
    if found:
        user = found[0].id
    else:
        values: dict[str, Value] = {
            "domainname": f"app-{client}",
            "lastname": name,
            "applicationid": client,
            "accessmode": _NON_INTERACTIVE,
        }
        user = _make(session, object_id, values)
    _give(session, user, roles)
    return user


def make_user_of_platform(session: Session, person: Guid, login: str, name: str) -> Guid:
    """A user without roles in the root business unit, made in the platform's name."""
    unit = _root_unit(session).reference()
    first, _, last = name.rpartition(" ")
    values: dict[str, Value] = {
        "domainname": login,
        "internalemailaddress": login if "@" in login else None,
        "firstname": first or None,
        "lastname": last or login,
        "fullname": name or login,
        "businessunitid": unit,
        "isdisabled": False,
        "accessmode": 0,
        "azureactivedirectoryobjectid": person,
    }
    row = store_new(session, session.table("systemuser"), values)
    move_to_default_team(session, row.id, None, unit)
    return row.id


def _make(session: Session, object_id: Guid, values: dict[str, Value]) -> Guid:
    unit = _root_unit(session)
    whole = {**values, "businessunitid": unit.reference(), "azureactivedirectoryobjectid": object_id}
    return create(session, session.table("systemuser"), NewRecord(whole))


def _root_unit(session: Session) -> Row:
    units = session.transaction.rows_where(session.table("businessunit"), {"parentbusinessunitid": None}, limit=1)
    if not units:
        raise InvalidRequest("The environment has no root business unit.")
    return units[0]


def _give(session: Session, user: Guid, roles: Sequence[str]) -> None:
    if not roles:
        return
    row = session.transaction.row(session.table("systemuser"), user)
    unit = None if row is None else row.values.get("businessunitid")
    association = session.schema.many_to_many[_ROLES]
    held = session.transaction.linked(association, user, from_first=association.table1 == "systemuser")
    for name in roles:
        role = _role(session, name, unit)
        if role not in held:
            associate(session, association, Reference("systemuser", user), Reference("role", role))


def _role(session: Session, name: str, unit: Value) -> Guid:
    """The role of this name or id, as the unit has it."""
    table = session.table("role")
    guid = parse_guid(name)
    if guid is not None:
        return guid
    found = [
        row for row in session.transaction.rows_where(table, {"name": name}) if row.values["businessunitid"] == unit
    ]
    if len(found) != 1:
        raise InvalidRequest(f"There is no role '{name[:100]}' in the user's business unit.")
    return found[0].id
