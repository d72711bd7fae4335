"""R6, I-6: what a caller may not read changes no answer to that caller.

The same requests are sent before and after one change of one row that the caller may not read, in one environment
whose clock stands still; the answers must be equal byte for byte. What is left out: ids of requests and boundaries.
By decision (WA-104) the name of a lookup's target travels with the lookup, so changes of names are made to rows that
no readable row points to. That a row exists, and that an id or key is taken, is no secret (SM-152).
"""

import os
import random
import re
import time
from collections.abc import Callable, Iterable
from urllib.parse import quote

import pytest
from tests.differential.doors import Visitor
from tests.differential.doors_world import BUSINESS, NAMES, Doubled, prepare
from tests.differential.test_doors import environment_of
from tests.engines import ENGINES, Stores
from tests.worlds import World

from strongroom.ids import Reference
from strongroom.records.create import store_new
from strongroom.store.protocol import Value

CAMPAIGN_S = float(os.environ.get("STRONGROOM_CAMPAIGN_S", "600"))
LOOKUPS = {
    "account": ("primarycontactid", "contact", "primarycontactid", "account_primary_contact"),
    "contact": ("parentcustomerid", "account", "parentcustomerid_account", "contact_customer_accounts"),
    "task": ("regardingobjectid", "account", "regardingobjectid_account_task", "Account_Tasks"),
}
_PER_REQUEST = re.compile(rb"(batchresponse_|changesetresponse_)[0-9a-f-]{36}")


def shapes(visitor: Visitor) -> list[str]:
    """Requests of every kind, over all tables."""
    found: list[str] = []
    for table in BUSINESS:
        entity_set, key, name = visitor.set(table), visitor.key(table), NAMES[table]
        found += [
            entity_set,
            f"{entity_set}?$count=true&$top=3",
            f"{entity_set}/$count",
            f"{entity_set}?$orderby={name} desc&$select={name}",
            f"{entity_set}?$orderby=modifiedon,{key}&$select={key}",
            f"{entity_set}?$filter=contains({name},'b') or {name} gt 'd'&$select={name}",
            f"{entity_set}?$filter=not startswith({name},'a')&$count=true&$select={key}",
            f"{entity_set}?$apply=groupby(({name}),aggregate($count as n))",
            f"{entity_set}?$apply=aggregate({key} with countdistinct as n)",
            f"{entity_set}?$apply=groupby((_ownerid_value),aggregate($count as n))",
            f"{entity_set}?fetchXml={_fetch(table, _SORTED.format(name))}",
            f"{entity_set}?sql=select {name}, {key} from {table} order by {name}",
            f"RetrieveTotalRecordCount(EntityNames=['{table}'])",
        ]
        if table in LOOKUPS:
            found += _related(visitor, table)
    return found


def _related(visitor: Visitor, table: str) -> list[str]:
    lookup, target, up, down = LOOKUPS[table]
    entity_set, key, name = visitor.set(table), visitor.key(table), NAMES[table]
    parents, far, column = visitor.set(target), visitor.key(target), NAMES[target]
    link = f"<link-entity name='{target}' from='{far}' to='{lookup}' link-type='%s'/>"
    back = f"<link-entity name='{table}' from='{lookup}' to='{far}' link-type='%s' alias='c'>%s</link-entity>"
    return [
        f"{entity_set}?$expand={up}($select={column})&$select={name}",
        f"{entity_set}?$expand=ownerid,owninguser($select=fullname)&$select={name}",
        f"{parents}?$expand={down}($select={name};$orderby={name};$top=2)&$select={column}",
        f"{parents}?$expand={down}($select={name};$filter=contains({name},'b'))&$select={column}",
        f"{entity_set}?$filter=contains({up}/{column},'b')&$select={key}",
        f"{entity_set}?$filter={up}/{column} eq null&$select={key}",
        f"{entity_set}?$filter={up}/ownerid ne null&$select={key}",
        f"{entity_set}?$orderby={up}/{column},{key}&$select={key}",
        f"{parents}?$filter={down}/any()&$select={far}",
        f"{parents}?$filter={down}/any(c:contains(c/{name},'b'))&$select={far}",
        f"{parents}?$filter=not {down}/any(c:c/{name} gt 'c')&$select={far}",
        f"{parents}?$filter={down}/all(c:contains(c/{name},'b'))&$select={far}",
        f"{entity_set}?$apply=groupby(({up}/{column}),aggregate($count as n))",
        f"{entity_set}?fetchXml={_fetch(table, link % 'inner')}",
        f"{entity_set}?fetchXml={_fetch(table, link % 'exists')}",
        f"{entity_set}?fetchXml={_fetch(table, '<filter>' + link % 'not any' + '</filter>')}",
        f"{parents}?fetchXml={_fetch(target, back % ('outer', _COLUMN.format(name)))}",
        f"{parents}?fetchXml={_fetch(target, '<filter>' + back % ('not all', _B % name) + '</filter>')}",
        f"{entity_set}?sql=select t.{name}, p.{column} from {table} t left join {target} p on t.{lookup} = p.{far}",
    ]


_COLUMN = "<attribute name='{0}'/>"
_SORTED = "<attribute name='{0}'/><order attribute='{0}'/>"
_B = "<filter><condition attribute='%s' operator='like' value='%%25b%%25'/></filter>"


def _fetch(table: str, inside: str) -> str:
    return quote(f"<fetch returntotalrecordcount='true'><entity name='{table}'>{inside}</entity></fetch>")


def addresses(visitor: Visitor, rows: Iterable[str]) -> list[str]:
    """Requests to single rows: what a refusal says is the same whatever is in the row."""
    found: list[str] = []
    for name in rows:
        table = str(visitor.doubled.oracle["rows"][name]["table"])
        path = f"{visitor.set(table)}({visitor.doubled.ids[name]})"
        found += [path, f"{path}/{NAMES[table]}", f"{path}/ownerid", f"{path}/{NAMES[table]}/$value"]
        if table in LOOKUPS:
            found += [f"{path}/{LOOKUPS[table][2]}", f"{path}?$expand={LOOKUPS[table][2]}"]
    return found


def answers(visitor: Visitor, paths: Iterable[str]) -> dict[str, tuple[int, bytes]]:
    """Status and body of each, without what belongs to the request alone; small pages and large ones."""
    found: dict[str, tuple[int, bytes]] = {}
    for path in paths:
        for size in (2, 5000):
            answer = visitor.send(path, headers={"prefer": f"odata.maxpagesize={size}"})
            assert answer.status < 500, (path, answer.body)
            found[f"{path} by {size}"] = answer.status, _PER_REQUEST.sub(rb"\1", answer.body)
    return found


Change = Callable[[Doubled, str], None]
"""Changes a row, or makes or removes rows beside it."""


def new_name(doubled: Doubled, name: str) -> None:
    """Another text, another state."""
    table = str(doubled.oracle["rows"][name]["table"])
    column = "lastname" if table == "contact" else NAMES[table]
    doubled.world.change(table, doubled.ids[name], {column: "Bbb", "statecode": 1})


def new_parent(doubled: Doubled, name: str) -> None:
    """Another row behind the lookup."""
    table = str(doubled.oracle["rows"][name]["table"])
    if table not in LOOKUPS:
        return
    lookup, target, *_ = LOOKUPS[table]
    with doubled.world.administrating() as session:
        row = session.transaction.row(session.table(table), doubled.ids[name])
        assert row is not None
        parent = doubled.chance.choice(doubled.rows_of(target))
        session.transaction.update(row, {lookup: Reference(target, doubled.ids[parent])})


def new_sibling(doubled: Doubled, name: str) -> None:
    """One more row with the same owner and unit, under a parent that may be readable."""
    told = doubled.oracle["rows"][name]
    table, owner = str(told["table"]), str(told["owner"])
    kind = "systemuser" if owner in doubled.oracle["users"] else "team"
    values: dict[str, Value] = {NAMES[table]: "Bbb", "ownerid": Reference(kind, doubled.ids[owner])}
    if doubled.oracle["settings"]["matrix"]:
        values["owningbusinessunit"] = Reference("businessunit", doubled.ids[str(told["unit"])])
    if table in LOOKUPS:
        lookup, target, *_ = LOOKUPS[table]
        values[lookup] = Reference(target, doubled.ids[doubled.chance.choice(doubled.rows_of(target))])
    with doubled.world.administrating() as session:
        store_new(session, session.table(table), values)


def is_pointed_at(visitor: Visitor, name: str) -> bool:
    """Whether a readable row's lookup leads to the row."""
    return any(
        visitor.value(other, LOOKUPS[table][0]) == name
        for table in LOOKUPS
        if visitor.reads(table)
        for other in visitor.visible(table)
    )


def interfere(stores: Stores, engine: str, seed: str) -> int:
    """Make a world, change what each user may not read, and compare; how many pairs of answers were compared."""
    with stores.opened(engine) as database:
        world = World(database)
        prepare(world)
        doubled = Doubled(world, seed)
        environment = environment_of(database, world)
        compared = 0
        for user in doubled.users:
            visitor = Visitor(environment, doubled, user)
            closed = [
                name
                for name, row in doubled.oracle["rows"].items()
                if row["table"] in BUSINESS and not visitor.decided[name][0] and not is_pointed_at(visitor, name)
            ]
            if visitor.is_disabled or not closed:
                continue
            paths = shapes(visitor) + addresses(visitor, closed[:2])
            before = answers(visitor, paths)
            for change in (new_name, new_parent, new_sibling):
                change(doubled, doubled.chance.choice(closed))
                after = answers(visitor, paths)
                different = [path for path in before if before[path] != after[path]]
                told = [f"{path}\n  {before[path]}\n  {after[path]}" for path in different[:3]]
                assert not different, f"{seed}, {user}, {change.__name__}:\n" + "\n".join(told)
                compared += len(before)
            doubled.read_again()
        return compared


@pytest.mark.parametrize("seed", ["silent 0", "silent 1"])
def test_what_may_not_be_read_changes_no_answer(stores: Stores, engine: str, seed: str) -> None:
    assert interfere(stores, engine, f"{engine} {seed}") > 100


@pytest.mark.campaign
def test_campaign_of_pairs(stores: Stores, engine: str) -> None:
    """New seeds until the time given by STRONGROOM_CAMPAIGN_S is over."""
    until = time.monotonic() + CAMPAIGN_S / len(ENGINES)
    while time.monotonic() < until:
        seed = f"{random.SystemRandom().getrandbits(64):x}"
        print("seed", seed)
        interfere(stores, engine, seed)
