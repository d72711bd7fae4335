"""Heads and proofs of the trail for whoever wants to hold the platform to them (TS-813)."""

import base64
from typing import cast

from strongroom.access.resolve import require_privilege, require_usable
from strongroom.audit.heads import shown_head
from strongroom.audit.proofs import consistency, inclusion, leaf_at, newest_head, place_of, shown_leaf
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, function
from strongroom.records import Session


def _head(session: Session, _: Arguments) -> Result:
    require_usable(session.caller)
    return shown_head(newest_head(session.transaction.log))


def _inclusion(session: Session, arguments: Arguments) -> Result:
    require_usable(session.caller)
    require_privilege(session.caller, "prvReadAuditSummary")
    entry, place = arguments.values.get("AuditId"), arguments.values.get("Sequence")
    if (entry is None) == (place is None):
        raise InvalidRequest("Name the entry by AuditId, or its place by Sequence: one of them.")
    number = place_of(session.transaction, cast(Guid, entry)) if place is None else cast(int, place)
    log = session.transaction.log
    leaf = leaf_at(log, number)
    size, path = inclusion(log, number, cast("int | None", arguments.values.get("TreeSize")))
    data = shown_leaf(leaf)
    return {
        "Sequence": number,
        "LeafIndex": number,
        "TreeSize": size,
        "Leaf": None if data is None else base64.b64encode(data).decode(),
        "LeafHash": _text(bytes.fromhex(leaf.hash)),
        "Path": [_text(each) for each in path],
    }


def _consistency(session: Session, arguments: Arguments) -> Result:
    require_usable(session.caller)
    path = consistency(session.transaction.log, arguments.integer("From"), arguments.integer("To"))
    return {"Path": [_text(each) for each in path]}


def _text(hash_: bytes) -> str:
    return base64.b64encode(hash_).decode()


_HEAD = {
    "EnvironmentId": "Edm.Guid",
    "TreeSize": "Edm.Int64",
    "RootHash": "Edm.String",
    "SignedOn": "Edm.DateTimeOffset",
    "KeyId": "Edm.String",
    "PreviousHeadSha256": "Edm.String",
    "TestClock": "Edm.Boolean",
    "Signature": "Edm.String",
}

OPERATIONS: tuple[Operation, ...] = (
    function("GetSignedTreeHead", _head, properties=_HEAD, is_own=True),
    function(
        "GetInclusionProof",
        _inclusion,
        Parameter("AuditId", Kind.GUID, required=False),
        Parameter("Sequence", Kind.INTEGER, required=False),
        Parameter("TreeSize", Kind.INTEGER, required=False),
        properties={
            "Sequence": "Edm.Int64",
            "LeafIndex": "Edm.Int64",
            "TreeSize": "Edm.Int64",
            "Leaf": "Edm.String",
            "LeafHash": "Edm.String",
            "Path": "Collection(Edm.String)",
        },
        is_own=True,
    ),
    function(
        "GetConsistencyProof",
        _consistency,
        Parameter("From", Kind.INTEGER),
        Parameter("To", Kind.INTEGER),
        properties={"Path": "Collection(Edm.String)"},
        is_own=True,
    ),
)
