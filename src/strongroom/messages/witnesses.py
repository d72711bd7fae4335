"""Witnesses of the trail through messages: being one (heads of other trails are deposited, and given back), and having
some (TS-814, TS-815)."""

import base64
from dataclasses import replace
from typing import cast

from strongroom.audit.exports import decode_key
from strongroom.audit.heads import given_head, shown_head
from strongroom.errors import InvalidRequest
from strongroom.identity.directory import find
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action, function
from strongroom.monitoring.deposits import MOST, begin_anew, head_in, is_head, keep_head, kept_heads
from strongroom.monitoring.witness_tables import ANCHOR, KINDS, WITNESS, WITNESSED
from strongroom.monitoring.witnesses import FILE, ask_for, shown_anchor, witnesses_of
from strongroom.records import Session
from strongroom.records.authorize import demand_privilege
from strongroom.schema.model import Rights
from strongroom.store.protocol import Row

_LONGEST_PROOF = 128


def _deposit(session: Session, arguments: Arguments) -> Result:
    demand_privilege(session, session.table(WITNESSED), Rights.CREATE)
    proof = cast("list[str] | None", arguments.values.get("Proof")) or []
    head, public = given_head(arguments.object("Head")), decode_key(arguments.text("PublicKey"))
    row = keep_head(session, head, public, _path(proof), arguments.optional_text("Name") or "")
    return {"WitnessedHeadId": row.id, "TreeSize": head.tree_size}


def _path(proof: list[str]) -> list[bytes]:
    try:
        path = [base64.b64decode(each, validate=True) for each in proof[:_LONGEST_PROOF]]
    except ValueError:
        path = []
    if len(path) != len(proof) or any(len(each) != 32 for each in path):
        raise InvalidRequest(
            f"'Proof' holds hashes in base64, at most {_LONGEST_PROOF} of them.",
            details={"reason": "bad-proof", "rule": "TS-815", "target": "Proof"},
        )
    return path


def _kept(session: Session, arguments: Arguments) -> Result:
    demand_privilege(session, session.table(WITNESSED), Rights.READ)
    newest = arguments.values.get("Newest")
    number = MOST if newest is None else cast(int, newest)
    if not 1 <= number <= MOST:
        raise InvalidRequest(f"Newest is 1 to {MOST}.")
    rows = kept_heads(session.transaction, arguments.guid("EnvironmentId"), number)
    return {"Heads": [shown_head(head_in(row)) for row in rows if is_head(row)]}


def _begin_anew(session: Session, arguments: Arguments) -> Result:
    begin_anew(session, arguments.guid("EnvironmentId"), arguments.text("Reason"))
    return None


def _anchor(session: Session, _: Arguments) -> Result:
    """The newest head goes out within seconds: a request does not wait for witnesses."""
    demand_privilege(session, session.table(WITNESS), Rights.WRITE)
    witnesses = witnesses_of(session.transaction, has_file=_has_file(session))
    for each in witnesses:
        ask_for(session, each.name)
    return {"Witnesses": len(witnesses)}


def _states(session: Session, _: Arguments) -> Result:
    demand_privilege(session, session.table(WITNESS), Rights.READ)
    found = witnesses_of(session.transaction, has_file=_has_file(session))
    return {
        "Witnesses": [
            {
                "Name": each.name,
                "Kind": "File" if each.kind is None else KINDS[each.kind.value - 1],
                **_state(find(session.transaction, ANCHOR, name=each.name)),
            }
            for each in found
        ]
    }


def _state(row: Row | None) -> dict[str, object]:
    said = shown_anchor(row)
    names = {"outcome": "Outcome", "leaves": "Leaves", "kept_on": "KeptOn", "tried_on": "TriedOn", "error": "Error"}
    return {names[name]: value for name, value in said.items()}


def _has_file(session: Session) -> bool:
    """Whether a file has had heads: the setting that names it is the machine's."""
    return find(session.transaction, ANCHOR, name=FILE) is not None


_ENVIRONMENT = Parameter("EnvironmentId", Kind.GUID)
_ACTIONS = (
    action(
        "DepositTreeHead",
        _deposit,
        Parameter("Head", Kind.COMPLEX, type="Strongroom.TreeHead"),
        Parameter("PublicKey", Kind.STRING),
        Parameter("Proof", Kind.STRINGS, required=False),
        Parameter("Name", Kind.STRING, required=False),
        properties={"WitnessedHeadId": "Edm.Guid", "TreeSize": "Edm.Int64"},
    ),
    action("BeginWitnessedLogAnew", _begin_anew, _ENVIRONMENT, Parameter("Reason", Kind.STRING)),
    action("AnchorTreeHead", _anchor, properties={"Witnesses": "Edm.Int32"}),
)

OPERATIONS: tuple[Operation, ...] = (
    *(replace(each, is_own=True) for each in _ACTIONS),
    function(
        "RetrieveWitnessedHeads",
        _kept,
        _ENVIRONMENT,
        Parameter("Newest", Kind.INTEGER, required=False),
        properties={"Heads": "Collection(Strongroom.TreeHead)"},
        is_own=True,
    ),
    function(
        "RetrieveWitnesses",
        _states,
        properties={"Witnesses": "Collection(Strongroom.WitnessState)"},
        is_own=True,
    ),
)
