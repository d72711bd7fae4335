"""One world, looked at through the product and through the oracle: every principal, row, right and column (R4).

What is compared, and counted as a decision each time: the decision on (principal, row, right) with all its reasons or
its denial, and whether the store's own check agrees; whether a row is in the principal's list; whether a secured value
of a listed row is shown; whether a column may be read, written, set on create.
"""

from collections.abc import Mapping
from typing import Any

from access_world import COLUMN_ACCESS, RIGHTS, SCHEMA, Telling
from stored_worlds import COLUMNS, StoredWorld, lookup_of, mask_of

from oracle.changes import would_allow
from oracle.decision import column_allowed, decide
from strongroom.access.caller import Caller
from strongroom.access.check import SecuredRow
from strongroom.access.columns import is_open
from strongroom.access.explain import Question, explain
from strongroom.access.explain import decide as decide_by_plan
from strongroom.access.planned import planned
from strongroom.access.planning import plan_for
from strongroom.access.resolve import resolve
from strongroom.access.view import helpful_teams
from strongroom.access.who import who_can
from strongroom.query.ast import Field, Output, Select, Source
from strongroom.schema.model import Rights, Table
from strongroom.store.protocol import Row

World = dict[str, Any]


class Disagreement(AssertionError):
    """The product and the oracle say different things."""


def agree(what: object, product: object, oracle: object) -> None:
    """Raise unless both say the same."""
    if product != oracle:
        raise Disagreement(f"{what}: the product says {product}, the oracle says {oracle}")


def judge_in_memory(world: World) -> int:
    """Compare every decision that `access` makes on the world told in the product's own types; how many there were."""
    told = Telling(world)
    rows = {name: told.row(row) for name, row in world["rows"].items()}
    decisions = 0
    for principal in (*world["users"], *world["teams"]):
        caller = resolve(told.facts(principal), SCHEMA, 1)
        decisions += _decisions(caller, world, principal, SCHEMA.tables, rows)
        if principal in world["users"]:
            decisions += _columns(caller, world, principal, SCHEMA.tables["account"], {name: name for name in COLUMNS})
    return decisions


def judge_stored(stored: StoredWorld) -> int:
    """The same on what the store says of everybody, with its own checks, and with the lists that it gives."""
    world, transaction = stored.world, stored.transaction
    tables = {name: stored.table(name) for name in world["tables"]}
    whole = {name: stored.row(name) for name in world["rows"]}
    rows = {name: _secured(stored, row) for name, row in whole.items()}
    decisions = 0
    for principal in (*world["users"], *world["teams"]):
        caller = resolve(stored.facts(principal), stored.schema, 1)
        decisions += _decisions(caller, world, principal, tables, rows)
        for name, row in whole.items():
            table = tables[world["rows"][name]["table"]]
            for right, known in RIGHTS.items():
                plan = plan_for(caller, table, known)
                if known is not Rights.CREATE and plan.refusal is None and _may_ask(world, principal):
                    allowed = decide(world, principal, right, world["rows"][name])[0]
                    agree((principal, name, right, "by the store"), transaction.allows(plan, row), allowed)
        if principal in world["users"] and _may_ask(world, principal):
            decisions += _lists(stored, caller, principal, tables)
            decisions += _columns(caller, world, principal, tables["account"], COLUMNS)
    return decisions


def judge_questions(stored: StoredWorld, row: str, right: str) -> int:
    """Who may, user by user with all codes (SM-164), and for everybody who may not what would help (SM-162)."""
    world, told = stored.world, stored.world["rows"][row]
    whole = stored.row(row)
    question = Question(whole.table, RIGHTS[right], _secured(stored, whole))
    directory = stored.transaction.directory()
    found = {
        access.user.id: {str(each.code) for each in access.reasons}
        for access in who_can(directory, stored.schema, question)
    }
    for user in world["users"]:
        allowed, codes, _ = decide(world, user, right, told)
        agree((user, row, right, "among who can"), found.get(stored.ids[user]), codes if allowed else None)
        if not allowed:
            facts = stored.facts(user)
            teams = helpful_teams(directory, facts, whole.table, RIGHTS[right], question.row or _secured(stored, whole))
            told_teams = [directory.facts_of(team.key) for team in teams]
            changes = set(explain(facts, stored.schema, question, told_teams).would_allow)
            agree((user, row, right, "would allow"), changes, would_allow(world, user, right, row))
    return len(world["users"])


def judge_rows(stored: StoredWorld) -> None:
    """What cascades changed: owners, units, states, parents, both masks of every share, and which rows are left."""
    world, transaction = stored.world, stored.transaction
    keys = {stored.rows[name].key: name for name in (*world["users"], *world["teams"])}
    units = {transaction.unit_key(stored.ids[name]): name for name in world["units"]}
    for name in stored.names:
        known, told = stored.rows[name], world["rows"].get(name)
        if not known.table.has_owner:
            continue
        row = transaction.row(known.table, known.id)
        agree((name, "is there"), row is not None, told is not None)
        if row is None or told is None:
            continue
        assert row.owner is not None
        agree((name, "owner"), keys[row.owner], told["owner"])
        agree((name, "unit"), units[row.unit], told["unit"])
        agree((name, "active"), row.values["statecode"] == 0, told["active"])
        for relationship, parent in told["parents"].items():
            above = None if parent is None else stored.rows[parent].reference()
            agree((name, "parent by", relationship), row.values[lookup_of(relationship)], above)
        shares = transaction.shares(row.table, [row.key]).get(row.key, [])
        found = {keys[share.principal]: (share.direct, share.inherited) for share in shares}
        agree(
            (name, "shares"),
            found,
            {
                holder: (mask_of(share["direct"]), mask_of(share["inherited"]))
                for holder, share in told["shares"].items()
                if share["direct"] or share["inherited"]
            },
        )


def _decisions(
    caller: Caller, world: World, principal: str, tables: Mapping[str, Table], rows: Mapping[str, SecuredRow]
) -> int:
    """Every right on every row: allowed or not, the codes of all reasons, the code of the denial (SM-160, SM-161)."""
    for name, row in rows.items():
        told = world["rows"][name]
        for right, known in RIGHTS.items():
            reasons, denial = decide_by_plan(caller, Question(tables[told["table"]], known, row))
            said = (denial is None, {str(reason.code) for reason in reasons}, None if denial is None else denial.code)
            agree((principal, name, right), said, decide(world, principal, right, told))
    return len(rows) * len(RIGHTS)


def _columns(caller: Caller, world: World, user: str, table: Table, stored: Mapping[str, str]) -> int:
    """What may be done with each column, by profiles (SM-131)."""
    plan = plan_for(caller, table, Rights.READ)
    if plan.refusal is not None:
        return 0
    for column, name in stored.items():
        for what, access in COLUMN_ACCESS.items():
            expected = column_allowed(world, user, "account", column, what)
            agree((user, column, what), is_open(plan, name, access), expected)
    return len(stored) * len(COLUMN_ACCESS)


def _lists(stored: StoredWorld, caller: Caller, user: str, tables: Mapping[str, Table]) -> int:
    """Lists and counts show the rows that may be read, and no others (SM-5), with the values that are open (SM-132)."""
    world = stored.world
    decisions = 0
    for name, table in tables.items():
        if plan_for(caller, table, Rights.READ).refusal is not None:
            continue
        here = {row: told for row, told in world["rows"].items() if told["table"] == name}
        columns = [*COLUMNS.values()] if name == "account" else []
        outputs = tuple(Output(each, Field("", table.columns[each])) for each in (table.primary_id, *columns))
        query = planned(Select(Source(table), outputs, page_size=5000), caller)
        found = {str(values[0]): values for values in stored.transaction.select(query)}
        known = {str(stored.ids[row]): row for row in stored.names}  # those that went too
        expected = {row for row, told in here.items() if decide(world, user, "Read", told)[0]}
        agree((user, name, "list"), {known[row] for row in found if row in known}, expected)
        agree((user, name, "count"), stored.transaction.count(query, None), len(found))
        decisions += len(here)
        for row in expected if columns else ():
            shown = dict(zip(COLUMNS, found[str(stored.ids[row])][1:], strict=False))
            for column, value in shown.items():
                is_shown = column_allowed(world, user, name, column, "read")
                agree((user, row, column), value, f"{column} of {row}" if is_shown else None)
            decisions += len(shown)
    return decisions


def _may_ask(world: World, principal: str) -> bool:
    """Whether a principal gets as far as asking: others are refused before (SM-60 to SM-62)."""
    row: World = {"table": "account", "owner": None, "unit": None, "shares": {}}
    return decide(world, principal, "Read", row)[2] not in ("user-disabled", "no-roles")


def _secured(stored: StoredWorld, row: Row) -> SecuredRow:
    shares = stored.transaction.shares(row.table, [row.key]).get(row.key, []) if row.table.has_owner else []
    return SecuredRow(row.owner, row.unit, shares)
