"""The directory as the storage behind SCIM (TS-731).

A user is a row of `directoryuser`: `userName`, `displayName`, `active` and the first mail are its columns, all else
that the system sends is kept beside them in one document. `active: false` disables the account, which ends its sessions
and tokens with the next request. A delete disables, hides and renames the row, and keeps it for the trail. A group is a
`directorygroup` with its members. Emergency accounts are no business of another system.
"""

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

import orjson
from scim2_models import (
    ForbiddenException,
    Group,
    InvalidValueException,
    Meta,
    NotFoundException,
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    SCIMException,
    SearchRequest,
    UniquenessException,
    User,
)
from scim2_server.storage import ScimStorage, SearchPage

from strongroom.errors import Conflict, StrongroomError
from strongroom.identity import groups, people
from strongroom.identity.conditional.people import groups_of
from strongroom.identity.conditional.rules import demand_unnamed
from strongroom.identity.conditional.tables import GROUP
from strongroom.identity.directory import Directory, change, find, find_all, flag, make, moment, text
from strongroom.identity.provisioning.endpoint import Caller, note_use
from strongroom.ids import Guid, Reference, parse_guid
from strongroom.records import Session
from strongroom.store.protocol import Row, Transaction, Value

_OF_COLUMNS = ("id", "meta", "schemas", "userName", "displayName", "active", "password", "groups")
_MOST_MEMBERS = 10_000
_SOURCE = "scim"


class DirectoryStorage(ScimStorage):
    """The storage for one request of one caller."""

    def __init__(self, directory: Directory, caller: Caller, *, writes: bool) -> None:
        self._directory = directory
        self._caller = caller
        self._writes = writes
        self._session: Session | None = None

    @contextmanager
    def operation(self) -> Generator[None]:
        """One unit of work; a refusal of the directory's becomes one of SCIM's."""
        if not self._writes:
            yield
            return
        try:
            with self._directory.writing() as session:
                note_use(session, self._caller.endpoint)
                self._session = session
                yield
        except StrongroomError as error:
            raise _refusal(error) from None
        finally:
            self._session = None

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        del response_parameters
        with self._transaction() as transaction:
            return _resource(transaction, _row(transaction, resource_type, resource_id))

    def search(
        self, resource_types: list[ResourceType], search_request: SearchRequest[Any], *, position: Any = None
    ) -> SearchPage:
        del position
        with self._transaction() as transaction:
            all_ = [
                _resource(transaction, row)
                for resource_type in resource_types
                for row in _candidates(transaction, resource_type, search_request)
            ]
        wanted = search_request.filter
        return _page(search_request, [each for each in all_ if wanted is None or wanted.match(each)])

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        session = self._writing()
        row = self._new_user(session, resource) if isinstance(resource, User) else self._new_group(session, resource)
        return _resource(session.transaction, _row(session.transaction, resource_type, row.id))

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        session = self._writing()
        row = _row(session.transaction, resource_type, str(resource.id))
        _demand_version(session.transaction, row, expected_version)
        if isinstance(resource, User):
            self._change_user(session, row, resource)
        else:
            self._change_group(session, row, cast("Group", resource))
        return _resource(session.transaction, _row(session.transaction, resource_type, row.id))

    def delete(self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None) -> None:
        session = self._writing()
        row = _row(session.transaction, resource_type, resource_id)
        _demand_version(session.transaction, row, expected_version)
        if row.table.logical_name == GROUP:
            demand_unnamed(session, row)
            for member in groups.members_of(session.transaction, row.reference()):
                groups.remove_member(session, row, Reference("directoryuser", member))
            session.transaction.delete(row.table, [row])
            session.transaction.bump_security_epoch()
            return
        _demand_ordinary(row)
        people.set_enabled(session, row, enabled=False)
        login = f"{text(row, 'userprincipalname')[:280]}#left-{row.id}"
        change(session, row, {"statecode": 1, "statuscode": 2, "userprincipalname": login})

    # --- users ---

    def _new_user(self, session: Session, user: User[Any]) -> Row:
        login = _login(user)
        if find(session.transaction, "directoryuser", userprincipalname=login) is not None:
            raise UniquenessException(detail="userName is taken")
        values: dict[str, Value] = {"usertype": 1, "accountenabled": user.active is not False}
        return make(session, "directoryuser", {**values, **self._columns(user)})

    def _change_user(self, session: Session, row: Row, user: User[Any]) -> None:
        _demand_ordinary(row)
        columns, login = self._columns(user), _login(user)
        other = find(session.transaction, "directoryuser", userprincipalname=login)
        if other is not None and other.id != row.id:
            raise UniquenessException(detail="userName is taken")
        changes = {name: value for name, value in columns.items() if row.values.get(name) != value}
        if changes:
            change(session, row, changes)
        is_active = user.active is not False
        if flag(row, "accountenabled") is not is_active:
            people.set_enabled(session, row, enabled=is_active)

    def _columns(self, user: User[Any]) -> dict[str, Value]:
        document = user.model_dump()
        kept = {name: value for name, value in document.items() if name not in _OF_COLUMNS}
        emails = user.emails or []
        first = next((each for each in emails if each.primary), emails[0] if emails else None)
        columns: dict[str, Value] = {
            "userprincipalname": _login(user),
            "name": (user.display_name or _login(user))[:200],
            "mail": None if first is None or first.value is None else str(first.value)[:320],
            "provisioned": orjson.dumps(
                {**kept, "hasDisplayName": user.display_name is not None, "hasActive": user.active is not None}
            ).decode(),
        }
        if self._caller.provider is not None and user.external_id:
            columns |= {"homeissuer": self._caller.provider.issuer, "externalid": user.external_id[:500]}
        return columns

    # --- groups ---

    def _new_group(self, session: Session, resource: Resource[Any]) -> Row:
        group = cast("Group", resource)
        if not group.display_name:
            raise InvalidValueException(detail="displayName is needed")
        if find(session.transaction, GROUP, name=group.display_name) is not None:
            raise UniquenessException(detail="displayName is taken")
        row = make(session, GROUP, {"name": group.display_name[:200], "externalid": group.external_id})
        self._set_members(session, row, group)
        return row

    def _change_group(self, session: Session, row: Row, group: Group) -> None:
        if not group.display_name:
            raise InvalidValueException(detail="displayName is needed")
        other = find(session.transaction, GROUP, name=group.display_name)
        if other is not None and other.id != row.id:
            raise UniquenessException(detail="displayName is taken")
        columns: dict[str, Value] = {"name": group.display_name[:200], "externalid": group.external_id}
        changes = {name: value for name, value in columns.items() if row.values.get(name) != value}
        if changes:
            change(session, row, changes)
        self._set_members(session, row, group)

    def _set_members(self, session: Session, row: Row, group: Group) -> None:
        members = group.members or []
        if len(members) > _MOST_MEMBERS:
            raise InvalidValueException(detail=f"A group has at most {_MOST_MEMBERS} members here.")
        wanted: dict[str, str] = {}
        for member in members:
            person = parse_guid(str(member.value or ""))
            found = None if person is None else session.transaction.row(session.table("directoryuser"), person)
            if found is None or found.values.get("statecode") != 0:
                raise InvalidValueException(detail=f"There is no user {str(member.value)[:60]} to be a member.")
            wanted[found.id] = member.display or text(found, "name")
        have = groups.members_of(session.transaction, row.reference())
        for person, shown in have.items():
            if wanted.get(person) != shown:
                groups.remove_member(session, row, Reference("directoryuser", person))
        for person, shown in sorted(wanted.items()):
            groups.add_member(session, row, Reference("directoryuser", Guid(person)), _SOURCE, shown)

    def _writing(self) -> Session:
        if self._session is None:
            raise NotFoundException
        return self._session

    @contextmanager
    def _transaction(self) -> Generator[Transaction]:
        if self._session is not None:
            yield self._session.transaction
            return
        with self._directory.reading() as transaction:
            yield transaction


def _table(resource_type: ResourceType) -> str:
    return GROUP if resource_type.name == "Group" else "directoryuser"


def _row(transaction: Transaction, resource_type: ResourceType, resource_id: str) -> Row:
    wanted = parse_guid(resource_id)
    row = None if wanted is None else transaction.row(transaction.schema.tables[_table(resource_type)], wanted)
    if row is None or row.values.get("statecode") != 0:
        raise NotFoundException(detail=f"There is no {resource_type.name} {resource_id[:60]}.")
    return row


def _candidates(transaction: Transaction, resource_type: ResourceType, asked: SearchRequest[Any]) -> list[Row]:
    """The rows that may match: the one of a name where the filter asks for one, as systems do before they create."""
    table = _table(resource_type)
    words = str(asked.filter).split(" ") if asked.filter is not None else []
    column = {"username": "userprincipalname", "displayname": "name"}.get(words[0].lower()) if words else None
    if len(words) == 3 and words[1].lower() == "eq" and column and (table == GROUP) == (column == "name"):
        value: object = orjson.loads(words[2])
        return find_all(transaction, table, **{column: str(value)}, statecode=0)
    return find_all(transaction, table, statecode=0)


def _page(asked: SearchRequest[Any], found: list[Resource[Any]]) -> SearchPage:
    def place(resource: Resource[Any]) -> tuple[bool, Any, str]:
        value = asked.sort_value(resource) if asked.sort_by is not None else None
        return value is None, "" if value is None else value, str(resource.id)

    found.sort(key=place, reverse=asked.sort_order == SearchRequest.SortOrder.descending)
    start = asked.start_index_0 or 0
    return SearchPage(len(found), found[start : None if asked.count is None else start + asked.count])


def _resource(transaction: Transaction, row: Row) -> Resource[Any]:
    """The SCIM resource of a row, with a version that changes whenever anything of it does."""
    body = _group_body(transaction, row) if row.table.logical_name == GROUP else _user_body(transaction, row)
    model = cast("type[Resource[Any]]", Group if row.table.logical_name == GROUP else User)
    version = hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]
    resource = model.model_validate(body)
    created, changed = moment(row, "createdon"), moment(row, "modifiedon")
    resource.meta = Meta(
        resource_type="Group" if model is Group else "User",
        created=created,
        last_modified=changed or created,
        version=f'W/"{version}"',
    )
    return resource


def _user_body(transaction: Transaction, row: Row) -> dict[str, Any]:
    kept = cast("dict[str, Any]", orjson.loads(text(row, "provisioned") or "{}"))
    has_name, has_active = kept.pop("hasDisplayName", True), kept.pop("hasActive", True)
    body: dict[str, Any] = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        **kept,
        "id": row.id,
        "userName": text(row, "userprincipalname"),
    }
    if has_active or not flag(row, "accountenabled"):
        body["active"] = flag(row, "accountenabled")
    if has_name:
        body["displayName"] = text(row, "name")
    named = [
        {"value": group.id, "display": text(group, "name"), "$ref": f"Groups/{group.id}"}
        for group in _groups_of(transaction, row)
    ]
    return body | ({"groups": named} if named else {})


def _groups_of(transaction: Transaction, row: Row) -> list[Row]:
    table = transaction.schema.tables[GROUP]
    found = (transaction.row(table, group) for group in sorted(groups_of(transaction, row.reference())))
    return [group for group in found if group is not None]


def _group_body(transaction: Transaction, row: Row) -> dict[str, Any]:
    members = [
        {"value": person, "type": "User", "$ref": f"Users/{person}", "display": shown}
        for person, shown in sorted(groups.members_of(transaction, row.reference()).items())
    ]
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": row.id,
        "displayName": text(row, "name"),
        **({"externalId": text(row, "externalid")} if text(row, "externalid") else {}),
        **({"members": members} if members else {}),
    }


def _demand_version(transaction: Transaction, row: Row, expected: str | None) -> None:
    meta = _resource(transaction, row).meta
    if expected is not None and (meta is None or meta.version != expected):
        raise PreconditionFailedException


def _demand_ordinary(row: Row) -> None:
    if flag(row, "emergencyaccess"):
        raise ForbiddenException(detail="This is an account for emergencies; it is kept by an administrator.")


def _login(user: User[Any]) -> str:
    login = (user.user_name or "").strip()
    if not login or len(login) > 320 or not login.isprintable():
        raise InvalidValueException(detail="userName has 1 to 320 printable characters.")
    return login


def _refusal(error: StrongroomError) -> SCIMException:
    if isinstance(error, Conflict):
        return UniquenessException(detail=error.message)
    return InvalidValueException(detail=error.message)
