"""What the filter of a rule cannot say, because it is about other rows: asked of the few entries that pass the filter.

Each question is answered from the store as it is when the rule looks; over the past, that is as it is today.
"""

from datetime import datetime, timedelta

import orjson

from strongroom.access.caller import SYSTEM_ADMINISTRATOR_TEMPLATE
from strongroom.access.plan import plan_of_all
from strongroom.access.planned import PlannedSelect
from strongroom.clock import iso
from strongroom.identity.guard import network
from strongroom.ids import Reference, parse_guid
from strongroom.monitoring.rules import AlertRule, Condition
from strongroom.monitoring.watching import Entry
from strongroom.query.ast import (
    And,
    Comparison,
    Field,
    Literal,
    Operator,
    Order,
    Output,
    Predicate,
    Select,
    Source,
)
from strongroom.schema.model import ColumnType, Table
from strongroom.store.protocol import Row, Transaction

INACTIVE_AFTER = timedelta(days=90)
_LOOKED_BACK = 200
"""Earlier sign-ins whose networks are known."""


def holds(transaction: Transaction, rule: AlertRule, entry: Entry) -> bool:
    """Whether the rule's condition holds for an entry."""
    row = entry.row
    match rule.condition:
        case Condition.ADMINISTRATOR_ROLE:
            return any(_is_administrators(transaction, each) for each in new_references(row, "role"))
        case Condition.TO_ONESELF:
            user = row.values.get("userid")
            given_to = {row.values.get("objectid"), *new_references(row, "systemuser")}
            return user is not None and user in given_to
        case Condition.NEW_NETWORK:
            return _is_new_network(transaction, row)
        case Condition.LONG_INACTIVE:
            return _was_inactive(transaction, row)
        case None:
            return True


def new_references(row: Row, table: str) -> list[Reference]:
    """The rows of a table that an entry names as new values."""
    data = row.values.get("changedata")
    if not isinstance(data, str):
        return []
    found: list[Reference] = []
    for change in orjson.loads(data).get("changedAttributes", ()):
        value = change.get("newValue")
        if isinstance(value, str) and value.startswith(f"{table},"):
            guid = parse_guid(value[len(table) + 1 :])
            if guid is not None:
                found.append(Reference(table, guid))
    return found


def _is_administrators(transaction: Transaction, role: Reference) -> bool:
    row = transaction.row(transaction.schema.tables["role"], role.id)
    template = None if row is None else row.values.get("roletemplateid")
    return isinstance(template, Reference) and template.id == SYSTEM_ADMINISTRATOR_TEMPLATE


def _is_new_network(transaction: Transaction, row: Row) -> bool:
    """A user who has come in before, and never from this network: first sign-ins are no news."""
    address = row.values.get("address")
    if not isinstance(address, str):
        return False
    table = transaction.schema.tables["activitylog"]
    came_in = And((_is(table, "category", 3), _is(table, "outcome", 1)))
    known = _earlier(transaction, row, "address", came_in, _LOOKED_BACK)
    networks = {network(each) for each in known if isinstance(each, str)}
    return bool(networks) and network(address) not in networks


def _was_inactive(transaction: Transaction, row: Row) -> bool:
    last = _earlier(transaction, row, "createdon", None, 1)
    if not last:
        return False
    at = datetime.fromisoformat(str(row.values["createdon"]))
    return str(last[0]) < iso(at - INACTIVE_AFTER)


def _earlier(transaction: Transaction, row: Row, column: str, where: Predicate | None, most: int) -> list[object]:
    """A column of the entries of the same user before this one, in the same table of the trail, newest first. Of a
    sign-in the user is the person that it is about."""
    table = row.table
    whose = "userid" if row.values.get("userid") is not None else "objectid"
    user = row.values.get(whose)
    if not isinstance(user, Reference):
        return []
    conditions: list[Predicate] = [
        _is(table, whose, user.id),
        Comparison(Operator.LESS, _field(table, "createdon"), Literal(row.values["createdon"], ColumnType.DATETIME)),
    ]
    if where is not None:
        conditions.append(where)
    select = Select(
        Source(table),
        (Output(column, _field(table, column)),),
        where=And(tuple(conditions)),
        order=(Order(_field(table, "createdon"), descending=True),),
        top=most,
    )
    found = transaction.select(PlannedSelect(select, {"": plan_of_all(table)}))
    return [each[0] for each in found]


def _is(table: Table, column: str, value: object) -> Comparison:
    return Comparison(Operator.EQUAL, _field(table, column), Literal(value, table.columns[column].type))


def _field(table: Table, column: str) -> Field:
    return Field("", table.columns[column])
