"""How long the trail is kept, as the organization says it (TS-807, TS-822).

`auditretentionperiodv2` is a number of days as text, 1 to 365000 or -1 for ever, for entries of `audit`.
`auditsettings` is a JSON object, every part of which may be left out:

    {"RetentionDays": {"account": 365, "email": -1}, "ApplyRetentionToExistingLogs": true, "ActivityRetentionDays": 400}

`RetentionDays` is for single tables, `ActivityRetentionDays` for `activitylog`: 365 unless told, and never below 90.
"""

import json
from typing import cast

from strongroom.access.caller import AuditRetention
from strongroom.errors import InvalidRequest

LONGEST_DAYS = 365_000
FOR_EVER = -1
LEAST_ACTIVITY_DAYS = 90
_PARTS = frozenset({"RetentionDays", "ApplyRetentionToExistingLogs", "ActivityRetentionDays"})


def retention_of(period: str | None, settings: str | None) -> AuditRetention:
    """What the two columns say. 400 for what they cannot say."""
    days = _days("auditretentionperiodv2", _number(period)) if period else None
    told = _object(settings) if settings else {}
    unknown = sorted(told.keys() - _PARTS)
    if unknown:
        raise InvalidRequest(f"'auditsettings' has no part {unknown[0][:60]!r}; it has {', '.join(sorted(_PARTS))}.")
    tables = told.get("RetentionDays", {})
    if not isinstance(tables, dict):
        raise InvalidRequest('\'auditsettings\' has "RetentionDays" as an object: {"account": 365}.')
    given = cast("dict[str, object]", tables).items()
    by_table = tuple((name, _days(f"RetentionDays of {name[:60]}", value)) for name, value in sorted(given))
    activity_days = told.get("ActivityRetentionDays", 365)
    if not isinstance(activity_days, int) or not LEAST_ACTIVITY_DAYS <= activity_days <= LONGEST_DAYS:
        raise InvalidRequest(
            f"'ActivityRetentionDays' is a number of days from {LEAST_ACTIVITY_DAYS} to {LONGEST_DAYS}: activities are"
            " not kept for less."
        )
    return AuditRetention(days, by_table, activity_days, told.get("ApplyRetentionToExistingLogs") is True)


def _number(text: str) -> object:
    try:
        return int(text)
    except ValueError:
        return text


def _days(what: str, value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or (value != FOR_EVER and not 1 <= value <= LONGEST_DAYS):
        raise InvalidRequest(f"'{what}' is a number of days from 1 to {LONGEST_DAYS}, or {FOR_EVER} for ever.")
    return None if value == FOR_EVER else value


def _object(text: str) -> dict[str, object]:
    try:
        found: object = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InvalidRequest("'auditsettings' is a JSON object such as {\"ApplyRetentionToExistingLogs\": true}.")
    return cast("dict[str, object]", found)
