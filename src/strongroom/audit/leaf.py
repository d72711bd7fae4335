"""What a leaf of the log is made of: the columns of an entry as canonical JSON (RFC 8785).

Texts, whole numbers and nulls alone under ASCII names, for which orjson with sorted names writes exactly what RFC 8785
asks for (a test compares it with `rfc8785`). Lookups are written `table,id`. The same entry gives the same bytes on
either engine, and in an export.

Old and new values may be personal: their texts are not in the leaf, but a digest over a salt of the entry and the text.
So a text can be erased while its digest stays, the leaf and all proofs stand (TS-816), and who holds a leaf cannot
guess what the text was.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import cast

import orjson

from strongroom.audit.merkle import leaf_hash
from strongroom.ids import Reference
from strongroom.schema.activity_table import ACTIVITY_LOG
from strongroom.store.protocol import Row

SALT_BYTES = 16

_SALTED_OF_ENTRIES = ("changedata", "useradditionalinfo", "clientaddress")
_SALTED_OF_ACTIVITIES = ("details", "address", "client", "query")
SALTED = (*_SALTED_OF_ENTRIES, *_SALTED_OF_ACTIVITIES)
"""The columns that stand in a leaf as digests: those of entries of `audit`, then those of activities."""

_TEXTS_AND_NUMBERS = (
    "action",
    "attributemask",
    "createdon",
    "objecttypecode",
    "operation",
    "transactionid",
    "changedata",
    "useradditionalinfo",
)
_NEWER = ("clientaddress", "correlationid")
"""Columns that came later: in a leaf only where they say something, so that older leaves stay as they are."""

_LOOKUPS = ("callinguserid", "objectid", "regardingobjectid", "userid")

_OF_ACTIVITIES = (
    "activity",
    "address",
    "category",
    "client",
    "correlationid",
    "createdon",
    "details",
    "objectcount",
    "objectdigest",
    "objectids",
    "objecttypecode",
    "outcome",
    "query",
    "sensitivecolumns",
)
_LOOKUPS_OF_ACTIVITIES = ("callinguserid", "objectid", "userid")

_ERASED = "\x1aerased:"

Members = Mapping[str, str | int | None]
"""The columns of an entry by name, as JSON takes them."""


def members_of(row: Row) -> dict[str, str | int | None]:
    """What a leaf covers of an entry or an activity, with its texts."""
    values = row.values
    given = cast("Mapping[str, str | int | None]", values).get
    is_activity = row.table.logical_name == ACTIVITY_LOG
    members = {name: given(name) for name in (_OF_ACTIVITIES if is_activity else _TEXTS_AND_NUMBERS)}
    if not is_activity:
        for name in _NEWER:
            if (value := given(name)) is not None:
                members[name] = value
    members[row.table.primary_id] = row.id
    for name in _LOOKUPS_OF_ACTIVITIES if is_activity else _LOOKUPS:
        target = values.get(name)
        members[name] = f"{target.table},{target.id}" if isinstance(target, Reference) else None
    return members


TOLD: Mapping[str, tuple[str, ...]] = {
    "audit": ("auditid", *_TEXTS_AND_NUMBERS, *_NEWER, *_LOOKUPS),
    ACTIVITY_LOG: (f"{ACTIVITY_LOG}id", *_OF_ACTIVITIES, *_LOOKUPS_OF_ACTIVITIES),
}
"""What a verification reads of each table: it makes the same leaves as `members_of`."""


def members_told(told: dict[str, str | int | None]) -> dict[str, str | int | None]:
    """The members of an entry that was read as `TOLD` says; changes `told`."""
    if "auditid" in told:
        for name in _NEWER:
            if told[name] is None:
                del told[name]
    return told


def identity_of(members: Members) -> str | int | None:
    """The id of the entry or the activity."""
    return members.get("auditid") or members.get("activitylogid")


def erased_text(salt: str, name: str, text: str) -> str:
    """What stands in the place of a text that was erased: the digest that its leaf has of it."""
    return _ERASED + _digest(salt, name, text)


def is_erased(text: str) -> bool:
    """Whether a text is what erasing leaves. What clients send has no such beginning: it is not printable."""
    return text.startswith(_ERASED)


def _digest(salt: str, name: str, text: str) -> str:
    return sha256(f"{salt}{name}:{text}".encode()).hexdigest()


def hash_of(members: Members, salt: str) -> str:
    """The hash of the leaf of these members, in hexadecimal; `salt` is hexadecimal too."""
    return leaf_hash(leaf_data(members, salt)).hex()


def leaf_data(members: Members, salt: str) -> bytes:
    """The bytes of a leaf: canonical JSON."""
    shown = dict(members)
    for name in _SALTED_OF_ENTRIES if "auditid" in shown else _SALTED_OF_ACTIVITIES:
        text = shown.get(name)
        if isinstance(text, str):
            shown[name] = text[len(_ERASED) :] if is_erased(text) else _digest(salt, name, text)
    return orjson.dumps(shown, option=orjson.OPT_SORT_KEYS)
