"""Accounts of people: made, given a password, disabled, tied to the users of environments (TS-702, TS-704).

A person is one row of `directoryuser`, whatever environments they may enter. In an environment they are the
`systemuser` whose `azureactivedirectoryobjectid` is the id of that row, as with Dataverse and its directory.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import cast

import orjson

from strongroom.clock import Clock, iso
from strongroom.errors import Conflict, InvalidRequest, NotFound
from strongroom.identity import sessions
from strongroom.identity.directory import change, find, find_all, flag, make, text
from strongroom.identity.hashing import slow_hash
from strongroom.identity.once import Purpose, issue, look, redeem
from strongroom.identity.passwords import REMEMBERED, demand_good_password
from strongroom.identity.tables import PASSWORD
from strongroom.ids import Guid, Reference, parse_guid
from strongroom.keys import Secret
from strongroom.records import Session
from strongroom.store.protocol import Row, Transaction

RESET_LIFE = timedelta(minutes=60)
INVITATION_LIFE = timedelta(days=7)
_MEMBER = 1
GUEST = 2
"""`directoryuser.usertype`."""


def add_person(session: Session, login: str, name: str = "", mail: str = "") -> Row:
    """A new account, which cannot sign in before it has a password. Raises `Conflict` for a sign-in name that is
    taken."""
    login = login.strip()
    if not login or len(login) > 320 or not login.isprintable() or " " in login:
        raise InvalidRequest("A sign-in name has 1 to 320 characters, none of them a space.")
    if find_person(session.transaction, login) is not None:
        raise Conflict(f"There is an account '{login}' already.")
    return make(
        session,
        "directoryuser",
        {
            "name": name.strip()[:200] or login[:200],
            "userprincipalname": login,
            "mail": mail.strip() or (login if "@" in login else None),
            "accountenabled": True,
            "usertype": _MEMBER,
        },
    )


def find_person(transaction: Transaction, login: str) -> Row | None:
    """The account with this sign-in name (whatever its case) or id."""
    guid = parse_guid(login)
    if guid is not None:
        return transaction.row(transaction.schema.tables["directoryuser"], guid)
    return find(transaction, "directoryuser", userprincipalname=login.strip())


def person_named(transaction: Transaction, login: str) -> Row:
    """The account with this sign-in name or id. Raises `NotFound`."""
    row = find_person(transaction, login)
    if row is None:
        raise NotFound(f"There is no account '{login[:100]}'.")
    return row


def person_by_id(transaction: Transaction, person: Guid) -> Row:
    """The account with this id. Raises `NotFound`."""
    return person_named(transaction, person)


def is_enabled(person: Row) -> bool:
    """Whether the account may sign in at all."""
    return flag(person, "accountenabled") and person.values.get("statecode") == 0


def may_enter(transaction: Transaction, person: Row, now: str) -> bool:
    """Whether the account may sign in now: enabled, not past its end, and where somebody answers for it, that account
    is enabled too (TS-728)."""
    ends, sponsor = text(person, "expireson"), person.values.get("sponsorid")
    if not is_enabled(person) or (ends and ends <= now):
        return False
    if not isinstance(sponsor, Reference):
        return True
    found = transaction.row(transaction.schema.tables["directoryuser"], sponsor.id)
    return found is not None and is_enabled(found)


def invite_guest(
    session: Session, mail: str, name: str, sponsor: Guid | None, expires_on: str | None
) -> tuple[Row, str]:
    """A guest who has no password here, and the token of the link by which they come the first time, from a provider
    of theirs, within the week (TS-728)."""
    person = add_person(session, mail, name, mail)
    reference = None if sponsor is None else person_by_id(session.transaction, sponsor).reference()
    change(session, person, {"usertype": GUEST, "sponsorid": reference, "expireson": expires_on})
    return person, issue(session, Purpose.INVITATION, {"person": person.id}, INVITATION_LIFE)


def set_enabled(session: Session, person: Row, *, enabled: bool) -> None:
    """Let an account in or keep it out; all its sessions end with the next request."""
    change(session, person, {"accountenabled": enabled})
    session.transaction.bump_security_epoch()
    if not enabled:
        sessions.end_all(session, person)


def password_of(transaction: Transaction, person: Row) -> Row | None:
    """The row of a person's password."""
    return method_of(transaction, person, PASSWORD)


def method_of(transaction: Transaction, person: Row, kind: int) -> Row | None:
    """The row of one of a person's ways to prove who they are."""
    return find(transaction, "authenticationmethod", directoryuserid=person.reference(), kind=kind, statecode=0)


def methods_of(transaction: Transaction, person: Row) -> list[Row]:
    """All ways of a person to prove who they are."""
    return find_all(transaction, "authenticationmethod", directoryuserid=person.reference(), statecode=0)


def demand_password(transaction: Transaction, person: Row, password: str) -> None:
    """Raise `InvalidRequest` unless the person may have this password. Slow: call it outside of a write."""
    kept = password_of(transaction, person)
    demand_good_password(password, _own(person), _previous(kept) if kept else ())


def set_password(session: Session, person: Row, hashed: str, *, keep: Guid | None = None) -> None:
    """Give a person a password that has been demanded and hashed; all other sessions end (TS-704)."""
    kept = password_of(session.transaction, person)
    if kept is None:
        values = {"name": "Password", "directoryuserid": person.reference(), "kind": PASSWORD}
        make(session, "authenticationmethod", {**values, "secret": hashed, "previous": _packed([hashed])})
    else:
        change(session, kept, {"secret": hashed, "previous": _packed([*_previous(kept), hashed][-REMEMBERED:])})
    sessions.end_all(session, person, but=keep)


def hashed(password: str) -> str:
    """The hash of a password, for `set_password`."""
    return slow_hash(Secret(password.encode()))


def begin_reset(session: Session, person: Row) -> str:
    """A token for a link that lets its holder choose a password, once, within the hour (TS-704)."""
    return issue(session, Purpose.RESET, {"person": person.id}, RESET_LIFE)


def person_of_link(transaction: Transaction, token: str, clock: Clock) -> Row | None:
    """Whose link it is, or None when it is unknown, used or ended. Looking at a link uses up nothing."""
    content = look(transaction, Purpose.RESET, token, iso(clock.now()))
    return None if content is None else find_person(transaction, str(content["person"]))


def use_link(session: Session, token: str) -> Row | None:
    """Whose link it was, which is used up now; None as for `person_of_link`."""
    content = redeem(session, Purpose.RESET, token)
    return None if content is None else find_person(session.transaction, str(content["person"]))


def user_of(transaction: Transaction, person: Guid) -> Row | None:
    """The user of an environment that a person is there. `transaction` is the environment's."""
    table = transaction.schema.tables["systemuser"]
    found = transaction.rows_where(table, {"azureactivedirectoryobjectid": person}, limit=2)
    return found[0] if len(found) == 1 else None


def _own(person: Row) -> Sequence[str]:
    return [text(person, name) for name in ("userprincipalname", "name", "mail")]


def _previous(kept: Row) -> list[str]:
    packed = text(kept, "previous")
    return cast("list[str]", orjson.loads(packed)) if packed else []


def _packed(hashes: list[str]) -> str:
    return orjson.dumps(hashes).decode()
