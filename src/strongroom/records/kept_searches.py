"""Searches that come along, and searches that somebody keeps in `activitysearch` (TS-821).

A definition is a JSON object; every part may be left out:

    {"Categories": ["Export"], "Activities": ["export"], "Outcome": "Failure", "Table": "contact",
     "SensitiveOnly": true, "LeastRows": 100, "Text": "198.51.100"}
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import TypeVar, cast

from strongroom.audit.activities import Activity, Category, Outcome
from strongroom.errors import InvalidRequest, NotFound
from strongroom.query.ast import Field, Output, Select, Source
from strongroom.records.activity_search import ActivitySearch
from strongroom.records.read import retrieve_page
from strongroom.records.rules import Event, Rules
from strongroom.records.session import Session
from strongroom.schema.trail_tables import SEARCH
from strongroom.store.protocol import Row, Value

_E = TypeVar("_E", bound=Enum)

PREDEFINED: Mapping[str, Mapping[str, object]] = {
    "failed-sign-ins": {"Activities": ["sign-in"], "Outcome": "Failure"},
    "exports": {"Categories": ["Export"]},
    "mass-reads": {"Categories": ["Read"], "LeastRows": 1000},
    "denied-access": {"Categories": ["Denied"]},
    "sensitive-reads": {"Categories": ["Read", "Export"], "SensitiveOnly": True},
    "administration": {"Categories": ["Administration"]},
    "at-the-machine": {"Text": '"operator":'},
    "support-access": {"Text": "support"},
}
"""Searches that every environment has, by name."""

_CATEGORIES = {each.name.replace("_", "-").capitalize(): each for each in Category}
_OUTCOMES = {each.name.capitalize(): each for each in Outcome}
_ACTIVITIES = {each.value: each for each in Activity}
_PARTS = frozenset({"Categories", "Activities", "Outcome", "Table", "SensitiveOnly", "LeastRows", "Text"})


def named_search(session: Session, name: str, since: datetime, until: datetime) -> ActivitySearch:
    """A search that comes along, or one that somebody keeps, for a time. 404 when there is none of this name."""
    definition = PREDEFINED.get(name)
    if definition is None:
        text = _kept(session, name)
        if text is None:
            raise NotFound(f"There is no search '{name[:100]}'; there are {', '.join(sorted(PREDEFINED))}.")
        definition = _object(text)
    return search_from(definition, since, until)


def search_from(definition: Mapping[str, object], since: datetime, until: datetime) -> ActivitySearch:
    """The search that a definition describes, for a time. 400 for what it cannot say."""
    unknown = sorted(definition.keys() - _PARTS)
    if unknown:
        raise InvalidRequest(f"A search has no part {unknown[0][:60]!r}; it has {', '.join(sorted(_PARTS))}.")
    least, text, table = definition.get("LeastRows"), definition.get("Text"), definition.get("Table")
    if least is not None and (not isinstance(least, int) or isinstance(least, bool) or least < 0):
        raise InvalidRequest("LeastRows is a number of rows, 0 or more.")
    if not all(each is None or (isinstance(each, str) and 0 < len(each) <= 200) for each in (text, table)):
        raise InvalidRequest("Text and Table are texts of 1 to 200 characters.")
    outcome = definition.get("Outcome")
    return ActivitySearch(
        since,
        until,
        table=cast("str | None", table),
        categories=_members("Categories", _CATEGORIES, definition.get("Categories")),
        activities=_members("Activities", _ACTIVITIES, definition.get("Activities")),
        outcome=None if outcome is None else _members("Outcome", _OUTCOMES, [outcome])[0],
        sensitive=definition.get("SensitiveOnly") is True,
        least_rows=least,
        text=cast("str | None", text),
    )


def register(rules: Rules) -> None:
    """Hang the rules of kept searches in the verbs."""
    for event in (Event.BEFORE_CREATE, Event.BEFORE_UPDATE):
        rules.on(event, SEARCH, _demand_sense, name="searches: a definition that makes sense (TS-821)")


def _demand_sense(session: Session, row: Row, changes: dict[str, Value]) -> None:
    name, text = changes.get("name", row.values.get("name")), changes.get("definition", row.values.get("definition"))
    if name in PREDEFINED:
        raise InvalidRequest(f"'{name}' is the name of a search that comes along; choose another.")
    now = session.clock.now()
    search_from(_object(str(text or "")), now, now)


def _kept(session: Session, name: str) -> str | None:
    """The definition of a search that the caller may read."""
    table = session.table(SEARCH)
    row = session.transaction.row_by_key(table, {"name": name})
    if row is None:
        return None
    select = Select(Source(table), (Output("definition", Field("", table.columns["definition"])),))
    shown = retrieve_page(session, replace(select, page_size=5000)).rows
    return next((str(each.values[0]) for each in shown if each.id == row.id), None)


def _members(what: str, known: Mapping[str, _E], given: object) -> tuple[_E, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(each, str) for each in cast("list[object]", given)):
        raise InvalidRequest(f"{what} is a list of texts.")
    names = cast("list[str]", given)
    unknown = next((each for each in names if each not in known), None)
    if unknown is not None:
        raise InvalidRequest(f"{what} has no '{unknown[:60]}'; there are {', '.join(known)}.")
    return tuple(known[each] for each in names)


def _object(text: str) -> Mapping[str, object]:
    try:
        found: object = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InvalidRequest('A definition is a JSON object such as {"Categories": ["Export"]}.')
    return cast("dict[str, object]", found)
