"""Today's behaviour as a policy: what representatives of the users see, and what they can and cannot do with a row
that each of them sees and one that it does not.

A recorded policy passes on the environment that it was recorded from, until somebody changes what it is about. It is
meant to be read, cut down to what matters, and kept beside the configuration.
"""

import json
from collections.abc import Iterable, Sequence

from strongroom.access.caller import Caller
from strongroom.access.explain import decide
from strongroom.access.planned import planned
from strongroom.access.planning import plan_for
from strongroom.access.resolve import is_disabled, resolve
from strongroom.access.rights import RIGHT_NAMES
from strongroom.ids import Guid, Reference
from strongroom.query.ast import Field, Output, Select, Source
from strongroom.records import Session
from strongroom.records.explaining import question_about, what_can_see
from strongroom.records.owners import facts_of
from strongroom.schema.model import Rights, Table
from strongroom.store.protocol import Row

_LOOKED_AT = 200
"""Rows among which one is sought that a user does not see."""
_HEAD = """\
# Recorded by `strongroom test --record`: this is how things were, not how they ought to be.
# Keep what matters, and give it names.
"""


def representatives(session: Session) -> list[Guid]:
    """The first enabled user of each set of roles, in the order of their keys: who holds the same, does the same."""
    directory = session.transaction.directory()
    seen: set[frozenset[Guid]] = set()
    found: list[Guid] = []
    for user in directory.users.values():
        facts = directory.facts_of(user.key)
        held = frozenset(each.role.root_id for each in facts.roles)
        if held and held not in seen and not is_disabled(facts):
            seen.add(held)
            found.append(user.id)
    return found


def record(session: Session, users: Iterable[Guid]) -> str:
    """A policy file that says what `users` can do today."""
    lines = [_HEAD + "tests:"]
    for user in users:
        lines += _user(session, user)
    return "\n".join(lines) + "\n"


def _user(session: Session, user: Guid) -> list[str]:
    reference = Reference("systemuser", user)
    caller = resolve(facts_of(session, reference), session.schema, session.transaction.stamp.security_epoch)
    row = session.transaction.row(session.table("systemuser"), user)
    login = row.values.get("domainname") if row is not None else None
    who = _quoted(login if isinstance(login, str) and login else user)
    lines = [f"  # {caller.facts.name}"]
    seen = what_can_see(session, reference, Rights.READ)
    if seen:
        lines.append(f"  - as: {who}")
        lines.append("    sees:")
        lines += [
            f"      {each.table.logical_name}: {each.rows}"
            for each in sorted(seen, key=lambda each: each.table.logical_name)
        ]
    for table in session.schema.tables.values():
        if table.has_owner and sum(session.transaction.counts(table).values()):
            for sample in _samples(session, caller, table):
                lines += _row(session, caller, who, sample)
    return lines


def _samples(session: Session, caller: Caller, table: Table) -> list[Row]:
    """A row that the user sees and one that it does not, as far as there are such rows."""
    found: list[Row] = []
    if plan_for(caller, table, Rights.READ).refusal is None and not is_disabled(caller.facts):
        found += session.transaction.rows(table, _ids(session, caller, table, 1)).values()
    others = session.transaction.rows(table, _ids(session, session.caller, table, _LOOKED_AT))
    for row in others.values():
        _, denial = decide(caller, question_about(session, table, Rights.READ, row))
        if denial is not None:
            return [*found, row]
    return found


def _ids(session: Session, caller: Caller, table: Table, most: int) -> list[Guid]:
    """The first rows of a table that somebody sees."""
    select = Select(Source(table), (Output(table.primary_id, Field("", table.id_column)),), page_size=most)
    return [Guid(str(row[0])) for row in session.transaction.select(planned(select, caller))[:most]]


def _row(session: Session, caller: Caller, who: str, row: Row) -> list[str]:
    """What the user can and cannot do with a row, and why it can or cannot read it."""
    can: list[str] = []
    cannot: list[str] = []
    because: Sequence[str] = ()
    for right, name in RIGHT_NAMES.items():
        reasons, denial = decide(caller, question_about(session, row.table, right, row))
        if right is Rights.READ:
            because = [str(denial.code)] if denial is not None else sorted({str(each.code) for each in reasons})
        (can if denial is None else cannot).append(name.removesuffix("Access"))
    reads = can[:1] == ["Read"]
    name = f"{{{row.table.logical_name}: {_quoted(_called(session, row))}}}"
    lines = [f"  - {{as: {who}, row: {name}, {'can' if reads else 'cannot'}: Read, because: [{', '.join(because)}]}}"]
    rest = [
        f"{verb}: [{', '.join(rights)}]"
        for verb, rights in (("can", [r for r in can if r != "Read"]), ("cannot", [r for r in cannot if r != "Read"]))
        if rights
    ]
    if rest:
        lines.append(f"  - {{as: {who}, row: {name}, {', '.join(rest)}}}")
    return lines


def _called(session: Session, row: Row) -> str:
    """The name of a row when it is the only one of that name, else its id."""
    column = row.table.columns.get(row.table.primary_name or "")
    name = None if column is None or column.is_secured else row.values.get(column.logical_name)
    if column is None or not isinstance(name, str) or not name.strip():
        return row.id
    same = session.transaction.rows_where(row.table, {column.logical_name: name}, limit=2)
    return name if len(same) == 1 else row.id


def _quoted(text: str) -> str:
    """A text as YAML takes it: a JSON string always is one."""
    return json.dumps(text, ensure_ascii=False)
