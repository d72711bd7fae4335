"""How the visitor reads: the language and the time zone in which moments, days and numbers are written.

The Web API writes formatted values in American English and UTC. What it answers to a page is written anew here, in one
place, so that a page shows `formatted` values without knowing whose they are.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast
from zoneinfo import ZoneInfo

from strongroom.schema.model import ColumnType, DateBehavior, Schema
from strongroom.translation import UTC_ZONE, Texts

FORMATTED = "@OData.Community.Display.V1.FormattedValue"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?")
_NUMBER = re.compile(r"\(?[^\d\s,.()-]{0,4}-?[\d,]+(\.\d+)?\)?")
_DAY = 10


def fixed_moments(schema: Schema) -> frozenset[str]:
    """Columns whose moments mean the same hour everywhere, and are moved into no time zone."""
    return frozenset(
        column.property_name
        for table in schema.tables.values()
        for column in table.columns.values()
        if column.type is ColumnType.DATETIME and column.behavior is DateBehavior.TIME_ZONE_INDEPENDENT
    )


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads. `fixed` are the columns of `fixed_moments`."""

    texts: Texts
    zone: ZoneInfo = UTC_ZONE
    fixed: frozenset[str] = frozenset()

    def write(self, body: dict[str, object]) -> None:
        """Write the formatted values of an answer as this reader reads them, in place, in rows inside rows too."""
        for name in list(body):
            value = body[name]
            if isinstance(value, str):
                if name.endswith(FORMATTED):
                    body[name] = self._written(name.removesuffix(FORMATTED), value, body)
            elif isinstance(value, list):
                for each in cast("list[object]", value):
                    if isinstance(each, dict):
                        self.write(cast("dict[str, object]", each))
            elif isinstance(value, dict):
                self.write(cast("dict[str, object]", value))

    def _written(self, name: str, shown: str, row: Mapping[str, object]) -> str:
        raw = row.get(name)
        if isinstance(raw, str):
            if not _MOMENT.fullmatch(raw):
                return shown
            if ":" not in shown:
                return self.texts.day(raw[:_DAY]) or shown
            return self.texts.moment(raw, UTC_ZONE if name in self.fixed else self.zone) or shown
        is_number = isinstance(raw, int | float) and not isinstance(raw, bool) and _NUMBER.fullmatch(shown)
        return self.texts.written(shown) if is_number else shown
