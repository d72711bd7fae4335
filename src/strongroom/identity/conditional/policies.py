"""All policies of a home, as they are now."""

import logging

from strongroom.errors import InvalidRequest
from strongroom.identity.conditional.model import Policy, Principals, State
from strongroom.identity.conditional.reading import Reader
from strongroom.identity.conditional.tables import POLICY
from strongroom.store.protocol import Row, Transaction

_logger = logging.getLogger("strongroom.identity")


def load(transaction: Transaction) -> tuple[Policy, ...]:
    """Every policy that is not off, by name.

    The rules of these tables keep every row readable. One that is not, because somebody wrote to the store past them,
    blocks everybody but emergency accounts while it is on, and the log says so: what nobody can decide is refused.
    """
    table = transaction.schema.tables.get(POLICY)
    if table is None:
        return ()
    reader = Reader(transaction)
    rows = [row for row in transaction.rows_where(table, {"statecode": 0}) if _state(row) is not State.OFF]
    return tuple(sorted((_read(reader, row) for row in rows), key=lambda policy: policy.name))


def _state(row: Row) -> State:
    value = row.values.get("state")
    return State(value) if isinstance(value, int) else State.OFF


def _read(reader: Reader, row: Row) -> Policy:
    try:
        return reader.policy(row.id, row.values)
    except InvalidRequest as error:
        _logger.error("a conditional access policy cannot be read: %s", error.message)
        name = str(row.values.get("name") or row.id)
        return Policy(row.id, name, _state(row), Principals(everybody=True), blocks=True)
