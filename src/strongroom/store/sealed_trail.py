"""Values of encrypted columns in the trail: sealed there too, before an entry is stored (TS-504).

What is proved of an entry is about its stored form, so the proof says nothing of the value and holds without the key.
`ColumnEncryption.told` gives a value back to those who may read the column.
"""

from collections.abc import Mapping
from typing import cast

import orjson

from strongroom.ids import Guid, Reference
from strongroom.store.column_keys import Place
from strongroom.store.protocol import Value
from strongroom.store.work import Work

_CHANGES = "changedAttributes"
_VALUES = ("oldValue", "newValue")


def sealed(work: Work, entry: Mapping[str, Value]) -> Mapping[str, Value]:
    """An entry with the old and new values of encrypted columns sealed."""
    columns = work.schema.encrypted.get(str(entry.get("objecttypecode")))
    about, data = entry.get("objectid"), entry.get("changedata")
    if not columns or not isinstance(about, Reference) or not isinstance(data, str):
        return entry
    told = cast("dict[str, object]", orjson.loads(data))
    changed = cast("list[dict[str, object]]", told.get(_CHANGES) or [])
    touched = [each for each in changed if each.get("logicalName") in columns]
    for each in touched:
        name = str(each["logicalName"])
        for which in _VALUES:
            value = each.get(which)
            if isinstance(value, str):
                each[which] = _sealed(work, about.table, name, columns[name].key_version or 0, about.id, value)
    return {**entry, "changedata": orjson.dumps(told).decode()} if touched else entry


def _sealed(work: Work, table: str, column: str, version: int, row: Guid, value: str) -> str:
    return work.column_keys.seal(table, column, version, row, value, Place.TRAIL)
