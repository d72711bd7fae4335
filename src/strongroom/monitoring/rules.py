"""An alert rule as a value (TS-823, TS-824): which entries it counts, how, and who hears of it.

    source     `audit` or `activitylog`: the table of the trail that it reads
    filter     a condition in OData on one entry of that table; empty for all
    condition  what a filter cannot say (`monitoring.conditions`)
    counts     entries, the sum of a column, or different values of a column …
    groupby    … for each value of a column apart; without it, for all together
    threshold  how many of them within `windowminutes` raise an alert

For `suppressminutes` afterwards further entries of the same group are added to that alert instead of raising new ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from strongroom.errors import InvalidRequest
from strongroom.identity.directory import flag, number, text
from strongroom.ids import Guid
from strongroom.monitoring.matching import Test, compiled
from strongroom.monitoring.outbound import Outbound, endpoint_of
from strongroom.monitoring.tables import CONDITIONS, COUNTS, SEVERITIES, SOURCES
from strongroom.query.ast import ReadContext
from strongroom.query.odata import read_filter
from strongroom.schema.model import Column, ColumnType, Schema, Table
from strongroom.store.protocol import Row, Value

LONGEST_WINDOW = 24 * 60
LONGEST_SUPPRESSION = 30 * 24 * 60
MOST_RECIPIENTS = 20
MOST_KEPT = 10_000
"""Entries that are kept of one window; so no number of them above it can be waited for."""
_LONGEST_FILTER = 4000
_MOST = 1_000_000_000
_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.BIGINT})


class Severity(Enum):
    """`alertrule.severity` and `alert.severity`."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def is_grave(self) -> bool:
        """Whether the one who caused an alert cannot close it alone (TS-826)."""
        return self.value >= Severity.HIGH.value


class Counts(Enum):
    """`alertrule.counts`."""

    ENTRIES = 1
    SUM = 2
    DIFFERENT = 3


class Condition(Enum):
    """`alertrule.condition`."""

    ADMINISTRATOR_ROLE = 1
    TO_ONESELF = 2
    NEW_NETWORK = 3
    LONG_INACTIVE = 4


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One rule, ready to be asked."""

    id: Guid
    name: str
    code: str
    severity: Severity
    source: str
    applies: Test
    condition: Condition | None
    window_s: int
    threshold: int
    counts: Counts
    count_column: str
    group_by: str
    suppress_s: int


def rule_of(schema: Schema, row: Row, now: str) -> AlertRule:
    """The rule in a row. Raises `InvalidRequest` naming the column that is wrong."""
    return read_rule(schema, row.id, text(row, "code"), row.values, now)


def read_rule(schema: Schema, rule_id: Guid, code: str, values: Mapping[str, Value], now: str) -> AlertRule:
    """The rule that these values of columns describe."""
    source = _one_of("source", values.get("source") or SOURCES[0], SOURCES)
    table = schema.tables[source]
    counts = Counts(_choice("counts", values.get("counts"), COUNTS))
    condition = values.get("condition")
    return AlertRule(
        id=rule_id,
        name=str(values.get("name") or ""),
        code=code,
        severity=Severity(_choice("severity", values.get("severity") or Severity.MEDIUM.value, SEVERITIES)),
        source=source,
        applies=_filter(schema, table, values.get("filter"), now),
        condition=None if condition is None else Condition(_choice("condition", condition, CONDITIONS)),
        window_s=60 * _between("windowminutes", _given(values, "windowminutes", 10), 1, LONGEST_WINDOW),
        threshold=_between(
            "threshold", _given(values, "threshold", 1), 1, _MOST if counts is Counts.SUM else MOST_KEPT
        ),
        counts=counts,
        count_column=_counted(table, counts, values.get("countcolumn")),
        group_by=_column(table, "groupby", values.get("groupby")),
        suppress_s=60 * _between("suppressminutes", _given(values, "suppressminutes", 60), 1, LONGEST_SUPPRESSION),
    )


def check_recipients(values: Mapping[str, Value], outbound: Outbound) -> None:
    """Refuse what cannot be told: recipients that are no addresses, webhooks that are not allowed (TS-819)."""
    for column in ("recipients", "escalationrecipients"):
        found = addresses(values.get(column))
        if len(found) > MOST_RECIPIENTS:
            raise _wrong(column, f"names at most {MOST_RECIPIENTS} recipients")
        for each in found:
            if "@" not in each[1:-1] or any(not sign.isprintable() or sign in ' <>,;:"()[]\\' for sign in each):
                raise _wrong(column, f"holds mail addresses, separated by commas; '{each[:100]}' is none")
    webhook = values.get("webhook")
    if isinstance(webhook, str) and webhook:
        outbound.demand(endpoint_of(webhook, ("http", "https"), "webhook"), "webhook")


def addresses(value: Value) -> list[str]:
    """The mail addresses in a column."""
    return [each for part in value.split(",") if (each := part.strip())] if isinstance(value, str) else []


def is_on(row: Row) -> bool:
    """Whether a rule is looked after."""
    return flag(row, "isenabled") and number(row, "statecode") == 0


def _filter(schema: Schema, table: Table, value: Value, now: str) -> Test:
    if not isinstance(value, str) or not value.strip():
        return lambda _: True
    if len(value) > _LONGEST_FILTER:
        raise _wrong("filter", f"has at most {_LONGEST_FILTER} characters")
    nobody = "00000000-0000-0000-0000-000000000000"
    predicate, joins = read_filter(schema, table, value, ReadContext(nobody, nobody, (), now))
    if joins:
        raise _wrong("filter", "compares columns of the entry itself, not of rows that it names")
    return compiled(predicate)


def _counted(table: Table, counts: Counts, value: Value) -> str:
    name = _column(table, "countcolumn", value)
    if counts is Counts.ENTRIES:
        return ""
    if not name:
        raise _wrong("countcolumn", "names the column that is summed up, or whose values are counted")
    if counts is Counts.SUM and table.columns[name].type not in _NUMBERS:
        raise _wrong("countcolumn", f"names a column of whole numbers to sum up; '{name}' is none")
    return name


def _column(table: Table, target: str, value: Value) -> str:
    if not isinstance(value, str) or not value.strip():
        return ""
    name = value.strip().lower()
    found: Column | None = table.columns.get(name)
    if found is None:
        known = ", ".join(sorted(table.columns))
        raise _wrong(target, f"names a column of {table.logical_name} ({known}); '{name[:100]}' is none")
    return name


def _choice(target: str, value: Value, labels: tuple[str, ...]) -> int:
    chosen = 1 if value is None else value
    if not isinstance(chosen, int) or not 1 <= chosen <= len(labels):
        said = ", ".join(f"{number} {label}" for number, label in enumerate(labels, 1))
        raise _wrong(target, f"is one of {said}")
    return chosen


def _one_of(target: str, value: Value, known: tuple[str, ...]) -> str:
    if value not in known:
        raise _wrong(target, f"is one of {', '.join(known)}")
    return str(value)


def _given(values: Mapping[str, Value], name: str, default: int) -> Value:
    value = values.get(name)
    return default if value is None else value


def _between(target: str, value: Value, least: int, most: int) -> int:
    if not isinstance(value, int) or not least <= value <= most:
        raise _wrong(target, f"is a whole number from {least:,} to {most:,}")
    return value


def _wrong(target: str, says: str) -> InvalidRequest:
    return InvalidRequest(
        f"'{target}' of an alert rule {says}.", details={"reason": "bad-rule", "rule": "TS-824", "target": target}
    )
