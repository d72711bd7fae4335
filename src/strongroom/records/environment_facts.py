"""Facts of the environment that never change after its birth: the organization and the base currency."""

from strongroom.access.columns import EVERYTHING
from strongroom.access.plan import Branch, Plan
from strongroom.access.planned import PlannedSelect
from strongroom.errors import IntegrityViolation
from strongroom.ids import Guid, Reference
from strongroom.query.ast import TRUE, Field, Output, Predicate, Select, Source
from strongroom.records.rules import EnvironmentFacts
from strongroom.records.session import Session
from strongroom.schema.model import Rights, Table
from strongroom.store.protocol import Transaction, Value


def environment_facts(session: Session) -> EnvironmentFacts:
    """The facts, read once per process."""
    if session.rules.environment is None:
        table = session.table("organization")
        rows = read_as_platform(session.transaction, table, ("organizationid", "basecurrencyid"))
        if len(rows) != 1:
            raise IntegrityViolation(f"The environment has {len(rows)} organization rows.")
        organization, currency = rows[0]
        session.rules.environment = EnvironmentFacts(
            Guid(str(organization)), None if currency is None else Reference("transactioncurrency", Guid(str(currency)))
        )
    return session.rules.environment


def organization_id(session: Session) -> Guid:
    """The id of the one `organization` row."""
    return environment_facts(session).organization


def base_currency(session: Session) -> Reference:
    """The currency in which `_base` amounts are kept (WA-446)."""
    currency = environment_facts(session).base_currency
    if currency is None:
        raise IntegrityViolation("The environment has no base currency.")
    return currency


def everything(table: Table) -> Plan:
    """The plan of the platform itself, for look-ups whose answers no caller sees: every row and column."""
    mask = {name: EVERYTHING for name, column in table.columns.items() if column.is_secured}
    return Plan(table, Rights.READ, (Branch(TRUE, ()),), mask=mask)


def read_as_platform(
    transaction: Transaction, table: Table, columns: tuple[str, ...], where: Predicate | None = None
) -> list[tuple[Value, ...]]:
    """Columns of the rows that satisfy `where`, for the platform's own decisions; lookups are bare ids."""
    outputs = tuple(Output(name, Field("", table.columns[name])) for name in columns)
    select = Select(Source(table), outputs, where=where)
    width = len(columns)
    return [row[:width] for row in transaction.select(PlannedSelect(select, {"": everything(table)}))]
