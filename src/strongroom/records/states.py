"""State and status: which pairs exist, and what one implies of the other (WA-122, WA-151)."""

from collections.abc import Mapping
from functools import lru_cache

from strongroom.errors import InvalidRequest
from strongroom.schema.model import ColumnType, Table
from strongroom.store.protocol import Value

_DEFAULT_STATE = 0


class _States:
    """The state and status columns of one table, as look-ups."""

    def __init__(self, table: Table) -> None:
        state = next((c for c in table.columns.values() if c.type is ColumnType.STATE), None)
        status = next((c for c in table.columns.values() if c.type is ColumnType.STATUS), None)
        self.state_column = state.logical_name if state else None
        self.status_column = status.logical_name if status else None
        self.state_of = {o.value: o.state for o in status.options if o.state is not None} if status else {}
        self.default_state = _DEFAULT_STATE
        if state is not None:
            known = [o.value for o in state.options]
            self.default_state = state.default if state.default is not None else min(known, default=_DEFAULT_STATE)
        self.default_status: dict[int, int] = {}
        for value, owner in sorted(self.state_of.items()):
            self.default_status.setdefault(owner, value)
        if state is not None:
            self.default_status |= {o.value: o.default_status for o in state.options if o.default_status is not None}


@lru_cache(maxsize=1024)
def _states_of(table: Table) -> _States:
    return _States(table)


def complete_new(table: Table, values: dict[str, Value]) -> None:
    """Fill in state and status of a new row; a given pair must fit (WA-122)."""
    states = _states_of(table)
    if states.state_column is None:
        return
    state, status = values.get(states.state_column), _status(states, values)
    if state is None:
        state = states.default_state if status is None else states.state_of.get(status, states.default_state)
    values[states.state_column] = _as_int(state)
    _settle(table, states, values, _as_int(state), status)


def complete_change(table: Table, before: Mapping[str, Value], changes: dict[str, Value]) -> None:
    """Complete a change of state or status (WA-151): a state alone picks its default status, a status alone must
    belong to the present state."""
    states = _states_of(table)
    if states.state_column is None:
        return
    names = {states.state_column, states.status_column}
    if not names & changes.keys():
        return
    status = _status(states, changes)
    if states.state_column in changes:
        state = changes[states.state_column]
        if state is None:
            raise InvalidRequest(f"'{states.state_column}' of '{table.logical_name}' cannot be emptied.")
        changes[states.state_column] = _as_int(state)
    else:
        state = before.get(states.state_column)
        if status is None:
            raise InvalidRequest(f"'{states.status_column}' of '{table.logical_name}' cannot be emptied.")
    _settle(table, states, changes, _as_int(state), status)


def _settle(table: Table, states: _States, values: dict[str, Value], state: int, status: int | None) -> None:
    """Set the status that goes with `state`, or check the one that is given."""
    if states.status_column is None:
        return
    if status is None:
        status = states.default_status.get(state)
    elif states.state_of.get(status, state) != state:
        raise InvalidRequest(
            f"{status} is not a valid status code for state code {state} on {table.logical_name}.", code="0x80048408"
        )
    values[states.status_column] = status


def _status(states: _States, values: Mapping[str, Value]) -> int | None:
    value = values.get(states.status_column) if states.status_column is not None else None
    return None if value is None else _as_int(value)


def _as_int(value: Value) -> int:
    return value if isinstance(value, int) else _DEFAULT_STATE
