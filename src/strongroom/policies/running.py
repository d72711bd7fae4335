"""Judging statements: by the decision that the server makes, and by the lists that the user would get.

All statements of a run see one snapshot of the environment. The run is noted once in the audit trail (SM-165).
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator

from strongroom.access.caller import Caller, SecurityFacts
from strongroom.access.explain import Denial, Question, decide
from strongroom.access.plan import Reason
from strongroom.access.planned import PlannedSelect, planned
from strongroom.access.reasons import DenialCode
from strongroom.access.resolve import is_disabled, resolve
from strongroom.access.rights import RIGHT_NAMES
from strongroom.environment import find_user
from strongroom.errors import AccessDenied, HomeError, InvalidRequest
from strongroom.ids import Reference, parse_guid
from strongroom.policies.somebody import somebody_with
from strongroom.policies.statements import May, Outcome, Policy, RowName, Sees, Statement, Subject
from strongroom.query.ast import Field, Output, Select, Source
from strongroom.query.names import hint
from strongroom.records import Session
from strongroom.records.explaining import question_about
from strongroom.records.owners import facts_of
from strongroom.records.trail import note_question
from strongroom.schema.model import Table
from strongroom.store.protocol import Row

MOST_LISTED = 5_000
"""Rows that are compared by name; a statement about more is about their number."""
_SHOWN = 10


def run(session: Session, policies: Iterable[Policy]) -> Iterator[Outcome]:
    """The outcome of each statement, in order. The session is that of a System Administrator."""
    if not session.caller.administers:
        raise AccessDenied("Only a System Administrator may run policy tests: they tell what everybody can do.")
    organization = session.transaction.rows_where(session.table("organization"), {}, limit=1)[0]
    note_question(session, organization.reference(), "test", "policy tests")
    judge = _Judge(session)
    for policy in policies:
        for statement in policy.statements:
            yield judge.outcome(statement)


class _Judge:
    """Judges statements in one snapshot."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._callers: dict[tuple[str, Subject], Caller] = {}
        self._rows: dict[RowName, Row] = {}

    def outcome(self, statement: Statement) -> Outcome:
        """How a statement fares. What it names and nobody has is an error, not a failure."""
        started = time.perf_counter()
        try:
            failure = self._may(statement) if isinstance(statement, May) else self._sees(statement)
        except (InvalidRequest, HomeError) as error:
            return Outcome(statement, time.perf_counter() - started, error=error.message)
        return Outcome(statement, time.perf_counter() - started, failure)

    # --- can and cannot ---

    def _may(self, statement: May) -> str | None:
        reasons, denial = self._decision(statement)
        right = RIGHT_NAMES[statement.right].removesuffix("Access")
        on = f"{statement.table} '{statement.row.name}'" if statement.row is not None else f"any {statement.table}"
        if denial is None and not statement.is_allowed:
            why = f", because of {_told(reasons)}" if reasons else ""
            return f"{statement.who} can {right} {on}{why}."
        if denial is not None and statement.is_allowed:
            return f"{statement.who} cannot {right} {on}: {_why_not(denial)}."
        found = frozenset(str(each) for each in ([r.code for r in reasons] if denial is None else [denial.code]))
        if statement.because is None or statement.because == found:
            return None
        verb = "can" if denial is None else "cannot"
        return (
            f"{statement.who} {verb} {right} {on}, but for other reasons: expected "
            f"{', '.join(sorted(statement.because))}; found {', '.join(sorted(found))}."
        )

    def _decision(self, statement: May) -> tuple[tuple[Reason, ...], Denial | None]:
        caller = self._caller(statement.who, statement.subject)
        table = self._table(statement.table)
        if statement.row is not None:
            row = self._row(statement.row, table)
            return decide(caller, question_about(self._session, table, statement.right, row))
        if statement.is_allowed and statement.because is not None:
            raise InvalidRequest("'because' tells why a row is reached: name a 'row', or leave it out.")
        # The privilege check alone: whoever passes it is told that there is no such row (SM-152).
        reasons, denial = decide(caller, Question(table, statement.right, None))
        passed = denial is not None and denial.code is DenialCode.DOES_NOT_EXIST
        return reasons, None if passed else denial

    # --- sees ---

    def _sees(self, statement: Sees) -> str | None:
        caller = self._caller(statement.who, statement.subject)
        table = self._table(statement.table)
        query = self._query(caller, table)
        number = 0 if query is None else self._session.transaction.count(query, None)
        if statement.count is not None and number != statement.count:
            return f"{statement.who} sees {number} {table.logical_name}, not {statement.count}."
        if statement.rows is None and not statement.including and not statement.excluding:
            return None
        if statement.rows is not None and len(statement.rows) != number:
            few = "" if number > MOST_LISTED else f"{_missing_and_more(statement.rows, self._names(query))}"
            return f"{statement.who} sees {number} {table.logical_name}, not {len(statement.rows)}{few}."
        if number > MOST_LISTED:
            raise InvalidRequest(
                f"{statement.who} sees {number} {table.logical_name}; rows are compared by name up to {MOST_LISTED}. "
                "Say how many, or use 'can' and 'cannot' on single rows."
            )
        return self._names_differ(statement, table, self._names(query))

    def _names_differ(self, statement: Sees, table: Table, names: Counter[str]) -> str | None:
        if statement.rows is not None and Counter(statement.rows) != names:
            told = _missing_and_more(statement.rows, names)
            return f"{statement.who} sees other {table.logical_name} than these{told}."
        for expected in statement.including:
            if expected not in names:
                return f"{statement.who} does not see {table.logical_name} '{expected}'."
        for unwanted in statement.excluding:
            if unwanted in names:
                return f"{statement.who} sees {table.logical_name} '{unwanted}'."
        return None

    def _query(self, caller: Caller, table: Table) -> PlannedSelect | None:
        """The list of a table under the plan of a user; None when there is none, because nothing may be read at all."""
        if is_disabled(caller.facts) or not caller.facts.roles:
            return None
        name = table.columns.get(table.primary_name or table.primary_id)
        if name is None:
            raise InvalidRequest(f"Rows of '{table.logical_name}' have no names; say how many there are.")
        select = Select(Source(table), (Output("name", Field("", name)),), page_size=MOST_LISTED)
        try:
            return planned(select, caller)
        except AccessDenied:
            return None

    def _names(self, query: PlannedSelect | None) -> Counter[str]:
        rows = [] if query is None else self._session.transaction.select(query)
        return Counter(str(row[0] if row[0] is not None else "") for row in rows[:MOST_LISTED])

    # --- what statements name ---

    def _caller(self, who: str, subject: Subject) -> Caller:
        known = self._callers.get((who, subject))
        if known is None:
            facts = self._facts(who, subject)
            known = resolve(facts, self._session.schema, self._session.transaction.stamp.security_epoch)
            self._callers[who, subject] = known
        return known

    def _facts(self, who: str, subject: Subject) -> SecurityFacts:
        match subject:
            case Subject.USER:
                return facts_of(self._session, Reference("systemuser", find_user(self._session.transaction, who)))
            case Subject.TEAM:
                return facts_of(self._session, self._team(who))
            case Subject.ROLE:
                return somebody_with(self._session, self._role(who))

    def _role(self, name: str) -> Row:
        """The original of the role: its copies in other units have the same privileges."""
        roles = self._session.table("role")
        originals = {"name": name, "parentroleid": None} if parse_guid(name) is None else {roles.primary_id: name}
        found = self._session.transaction.rows_where(roles, originals, limit=1)
        if not found:
            raise InvalidRequest(f"There is no role '{name[:100]}'.")
        return found[0]

    def _team(self, name: str) -> Reference:
        return self._row(RowName("team", name), self._session.table("team")).reference()

    def _table(self, name: str) -> Table:
        table = self._session.schema.tables.get(name)
        if table is None:
            raise InvalidRequest(f"There is no table '{name[:60]}'.{hint(name, list(self._session.schema.tables))}")
        return table

    def _row(self, wanted: RowName, table: Table) -> Row:
        """The one row of this name or id."""
        known = self._rows.get(wanted)
        if known is not None:
            return known
        transaction, guid = self._session.transaction, parse_guid(wanted.name)
        if guid is not None:
            row = transaction.row(table, guid)
            found = [] if row is None else [row]
        else:
            found = transaction.rows_where(table, {table.primary_name or table.primary_id: wanted.name}, limit=2)
        if not found:
            raise InvalidRequest(f"There is no {table.logical_name} '{wanted.name[:100]}'.")
        if len(found) > 1:
            raise InvalidRequest(f"There are several {table.logical_name} '{wanted.name[:100]}'; name one by its id.")
        self._rows[wanted] = found[0]
        return found[0]


def _told(reasons: Iterable[Reason]) -> str:
    """Reasons with their sources, for people."""
    return "; ".join(
        f"{reason.code}{f' ({sources})' if sources else ''}"
        for reason in reasons
        for sources in (", ".join(f"{table} '{name}'" for table, _, name in reason.sources),)
    )


def _why_not(denial: Denial) -> str:
    told = str(denial.code)
    if denial.privilege is not None:
        told += f" ({denial.privilege})"
    if denial.widest is not None:
        told += f" (the widest grant is {denial.widest.depth.wire_name} by role '{denial.widest.held.role.name}')"
    return told


def _missing_and_more(expected: Iterable[str], found: Counter[str]) -> str:
    """What of the expected names is missing, and what is there besides."""
    wanted = Counter(expected)
    parts = [
        f"{word}: {', '.join(repr(name) for name in sorted(names)[:_SHOWN])}{' …' if len(names) > _SHOWN else ''}"
        for word, names in (("missing", wanted - found), ("besides", found - wanted))
        if names
    ]
    return f" ({'; '.join(parts)})" if parts else ""


def total(outcomes: Iterable[Outcome]) -> tuple[int, int, int]:
    """How many passed, failed, and could not be judged."""
    counted = Counter("error" if each.error else "failed" if each.failure else "passed" for each in outcomes)
    return counted["passed"], counted["failed"], counted["error"]


__all__ = ["MOST_LISTED", "run", "total"]
