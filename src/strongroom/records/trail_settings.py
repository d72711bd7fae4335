"""The organization's settings of the trail must make sense when they are written (TS-807, TS-822)."""

from strongroom.access.retention import retention_of
from strongroom.records.rules import Event, Rules
from strongroom.records.session import Session
from strongroom.store.protocol import Row, Value

_COLUMNS = ("auditretentionperiodv2", "auditsettings")


def register(rules: Rules) -> None:
    """Hang the rule in the verbs."""
    rules.on(Event.BEFORE_UPDATE, "organization", _demand_readable, name="organization: retention (TS-807)")


def _demand_readable(_: Session, row: Row, changes: dict[str, Value]) -> None:
    if any(name in changes for name in _COLUMNS):
        period, settings = (changes.get(name, row.values.get(name)) for name in _COLUMNS)
        retention_of(_text(period), _text(settings))


def _text(value: Value) -> str | None:
    return None if value is None else str(value)
