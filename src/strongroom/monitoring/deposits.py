"""Keeping heads of somebody else's trail: what makes an environment a witness (TS-814, TS-815).

A depositor sends its newest head, with the proof that it continues the one that was kept before (RFC 6962). What is
kept was signed by one key, and each head continues the one before it: so whoever cuts their trail, puts back an
earlier state, or shows different histories to different people finds a witness that says no. Kept heads are a ledger,
and stand in the witness's own trail, which its heads prove in turn.

After a restore with permission the depositor's log goes on another way. Then somebody here who may make these rows
says so and why (`begin_anew`): a row of its own, after which another log begins. What was kept before stays.
"""

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.access.plan import plan_of_all
from strongroom.access.planned import PlannedSelect
from strongroom.audit.exports import encode_key
from strongroom.audit.heads import is_signed
from strongroom.audit.merkle import is_consistent
from strongroom.errors import AccessDenied, InvalidRequest, NotFound
from strongroom.identity.directory import flag, make, number, text
from strongroom.ids import Guid
from strongroom.monitoring.witness_tables import WITNESSED
from strongroom.query.ast import Comparison, Field, Literal, Operator, Order, Output, Select, Source
from strongroom.records import Session
from strongroom.records.authorize import demand_privilege
from strongroom.schema.model import ColumnType, Rights
from strongroom.store.leaves import StoredHead
from strongroom.store.protocol import Row, Transaction, Value

MOST = 1000
"""Kept heads in one answer."""

_ANOTHER = "another history of the trail than this witness keeps"


def kept_heads(transaction: Transaction, environment: Guid, newest: int) -> list[Row]:
    """The rows about an environment's trail, oldest first: kept heads, and where another log begins."""
    table = transaction.schema.tables[WITNESSED]
    about = Field("", table.columns["environmentid"])
    select = Select(
        Source(table),
        (Output(table.primary_id, Field("", table.id_column)),),
        where=Comparison(Operator.EQUAL, about, Literal(environment, ColumnType.UNIQUEIDENTIFIER)),
        order=(Order(Field("", table.columns["versionnumber"]), descending=True),),
        top=newest,
    )
    ids = [Guid(str(each[0])) for each in transaction.select(PlannedSelect(select, {"": plan_of_all(table)}))][:newest]
    rows = transaction.rows(table, ids)
    return [rows[each] for each in reversed(ids) if each in rows]


def is_head(row: Row) -> bool:
    """Whether a row is a kept head, and not where another log begins."""
    return not text(row, "resetreason")


def head_in(row: Row) -> StoredHead:
    """The head in a row of `witnessedhead`."""
    return StoredHead(
        environment=str(row.values["environmentid"]),
        tree_size=number(row, "treesize"),
        root=text(row, "roothash"),
        signed_on=text(row, "signedon"),
        key_id=text(row, "keyid"),
        signature=text(row, "signature"),
        previous=text(row, "previoushead"),
        is_test_clock=flag(row, "istestclock"),
    )


def keep_head(session: Session, head: StoredHead, public: Ed25519PublicKey, proof: Sequence[bytes], name: str) -> Row:
    """Keep a head. `proof` is that it continues the one kept before. One that is kept already is not kept twice.

    400 `bad-signature`; 403 `witness-disagrees` for another key, a shorter log or another history: a refusal, so that
    the trail here tells of it, and the alert rules see it. Whether somebody may deposit is asked at the edge.
    """
    if not is_signed(head, public):
        raise InvalidRequest("The head is not signed by that key.", details=_reason("bad-signature", "Head"))
    known = _last(session.transaction, Guid(head.environment))
    if known is not None:
        before = head_in(known)
        if text(known, "publickey") != encode_key(public):
            raise _disagrees(head, "it is signed by another key than before")
        if (before.tree_size, before.root) == (head.tree_size, head.root):
            return known
        if head.tree_size <= before.tree_size:
            raise _disagrees(head, f"a head over {before.tree_size:,} leaves is kept here")
        if not is_consistent(proof, before.tree_size, head.tree_size, bytes.fromhex(before.root), _root(head)):
            raise _disagrees(head, f"it does not continue the head over {before.tree_size:,} leaves that is kept here")
    return make(
        session,
        WITNESSED,
        {
            "name": name[:100] or head.environment,
            "environmentid": Guid(head.environment),
            "treesize": head.tree_size,
            "roothash": head.root,
            "signedon": head.signed_on,
            "keyid": head.key_id,
            "publickey": encode_key(public),
            "signature": head.signature,
            "previoushead": head.previous or None,
            "istestclock": head.is_test_clock,
        },
    )


def begin_anew(session: Session, environment: Guid, why: str) -> None:
    """Let another log of an environment begin here, after a restore with permission; why is kept with the last head."""
    demand_privilege(session, session.table(WITNESSED), Rights.CREATE)
    known = _last(session.transaction, environment)
    if known is None:
        raise NotFound(f"No head of the environment {environment} is kept here.")
    if not why.strip():
        raise InvalidRequest("'Reason' says why: write a sentence.", details=_reason("reason-missing", "Reason"))
    facts: dict[str, Value] = {
        name: known.values.get(name) for name in ("name", "environmentid", "treesize", "roothash")
    }
    make(session, WITNESSED, {**facts, "resetreason": why.strip()[:500]})


def _last(transaction: Transaction, environment: Guid) -> Row | None:
    """The head that the next one has to continue."""
    found = kept_heads(transaction, environment, 1)
    return found[0] if found and is_head(found[0]) else None


def _root(head: StoredHead) -> bytes:
    return bytes.fromhex(head.root)


def _disagrees(head: StoredHead, why: str) -> AccessDenied:
    return AccessDenied(
        f"The head over {head.tree_size:,} leaves tells of {_ANOTHER}: {why}.",
        code="0x80048306",
        details=_reason("witness-disagrees", "Head"),
    )


def _reason(reason: str, target: str) -> dict[str, object]:
    return {"reason": reason, "rule": "TS-815", "target": target}
