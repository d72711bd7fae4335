"""What an alert is about, by name: users, roles and other rows, as far as the reader may read them.

An alert keeps the id by which its rule groups entries. Which table the id is of, the entries behind it say.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import orjson

from strongroom.console.api import Json, text
from strongroom.console.data.lookups import names_of
from strongroom.console.visit import Visit
from strongroom.ids import parse_guid

_LOGS = ("audit", "activitylog")


async def names_about(visit: Visit, alerts: Sequence[Json]) -> Mapping[str, str]:
    """Names by the ids that alerts are about: a few questions for all of them."""
    ids = {text(each.get("groupvalue")) for each in alerts} - {""}
    wanted = {each for each in ids if parse_guid(each)}
    names = dict(await names_of(visit, "systemuser", wanted))
    unnamed = [each for each in alerts if text(each.get("groupvalue")) in wanted - names.keys()]
    for table, rows in (await _tables_of(visit, unnamed)).items():
        names |= await names_of(visit, table, rows)
    return names


def named(alert: Json, column: str, names: Mapping[str, str]) -> str:
    """A text of an alert with the name in place of the id that it is about."""
    shown, about = text(alert.get(column)), text(alert.get("groupvalue"))
    return shown.replace(about, names[about]) if about in names else shown


async def _tables_of(visit: Visit, alerts: Sequence[Json]) -> Mapping[str, set[str]]:
    """The ids of rows by their table, from the first entry behind each alert."""
    entries: defaultdict[str, set[str]] = defaultdict(set)
    for alert in alerts:
        for log, entry in _entries(text(alert.get("trailrows"))):
            entries[log].add(entry)
            break
    found: defaultdict[str, set[str]] = defaultdict(set)
    for log, ids in entries.items():
        table = visit.table(log)
        values = ",".join(f"'{each}'" for each in sorted(ids))
        condition = f"Microsoft.Dynamics.CRM.In(PropertyName='{table.primary_id}',PropertyValues=[{values}])"
        options = {"$select": "objecttypecode,_objectid_value", "$filter": condition}
        for row in await visit.api.rows_if_allowed(table.entity_set_name, options) or ():
            found[text(row.get("objecttypecode"))].add(text(row.get("_objectid_value")))
    return found


def _entries(trail: str) -> Iterator[tuple[str, str]]:
    """(log, id) of the entries that an alert was raised by: `[[sequence, log, id], …]`."""
    try:
        parsed: object = orjson.loads(trail) if trail else []
    except orjson.JSONDecodeError:
        return
    for each in cast("list[object]", parsed) if isinstance(parsed, list) else []:
        parts = cast("list[object]", each) if isinstance(each, list) else []
        if len(parts) == 3 and parts[1] in _LOGS and parse_guid(text(parts[2])):
            yield text(parts[1]), text(parts[2])
