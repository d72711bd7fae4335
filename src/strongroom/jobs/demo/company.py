"""The demo company as a whole: everything that a loader stores, in the order in which it can be stored."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from strongroom.ids import Guid, Reference
from strongroom.jobs.demo.customers import Customers
from strongroom.jobs.demo.draws import draw, slots, stream
from strongroom.jobs.demo.people import People, Persona, Row, people
from strongroom.jobs.demo.sales import Catalogue, Sales, catalogue
from strongroom.jobs.demo.service import Service
from strongroom.schema.model import Rights

DEFAULT_ACCOUNTS = 5_000
_SHARE_KIND = 0x040
_RIGHTS = (
    Rights.READ,
    Rights.READ,
    Rights.READ | Rights.WRITE,
    Rights.READ | Rights.WRITE | Rights.APPEND | Rights.APPEND_TO,
)


@dataclass(frozen=True, slots=True)
class DemoShare:
    """A share to be made: `principal` gets `rights` on `row`."""

    row: Reference
    principal: Reference
    rights: Rights


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of one table. `rows` starts a fresh stream each time; `count` says how many there are."""

    table: str
    count: int
    rows: Callable[[], Iterator[Row]]


@dataclass(frozen=True)
class DemoCompany:
    """A company made from `seed`: the same for the same arguments, on every machine.

    `people` and `catalogue` are small and held; `batches` and `shares` are streams, so that a million accounts need no
    more memory than one. `until` is the present of the company: nothing in it was made later.
    """

    seed: int
    accounts: int
    root_unit: Guid
    until: str

    @cached_property
    def people(self) -> People:
        return people(self.seed, self.root_unit)

    @cached_property
    def catalogue(self) -> Catalogue:
        return catalogue(self.seed)

    @property
    def personas(self) -> tuple[Persona, ...]:
        return self.people.personas

    @cached_property
    def _customers(self) -> Customers:
        return Customers(self.seed, self.accounts, self.people, self.until)

    def account_rows(self, start: int = 0, stop: int | None = None) -> Iterator[Row]:
        """Accounts from `start` to `stop` alone, for loading in parts."""
        return self._customers.account_rows(start, stop)

    def batches(self) -> Iterator[Batch]:
        """Business rows, table by table. Lookups point to rows that came before, with one exception: an account's
        `primarycontactid` names one of the contacts that follow."""
        goods = self.catalogue
        for table, rows in (
            ("uomschedule", goods.unit_groups),
            ("uom", goods.units),
            ("pricelevel", goods.price_lists),
            ("product", goods.products),
            ("productpricelevel", goods.prices),
        ):
            yield Batch(table, len(rows), rows.__iter__)
        customers = self._customers
        sales, service = Sales(self.seed, customers, self.until), Service(self.seed, customers, self.until)
        yield Batch("account", customers.accounts, customers.account_rows)
        yield Batch("contact", customers.contacts, customers.contact_rows)
        yield Batch("opportunity", sales.count, sales.opportunity_rows)
        yield Batch("opportunityproduct", sales.lines, sales.line_rows)
        yield Batch("incident", service.cases, service.case_rows)
        yield Batch("task", service.tasks, service.task_rows)
        yield Batch("phonecall", service.calls, service.call_rows)
        yield Batch("appointment", service.appointments, service.appointment_rows)
        yield Batch("annotation", service.notes, service.note_rows)

    def shares(self) -> Iterator[DemoShare]:
        """One share for twenty accounts, each of another account; six in a hundred are with Sofía."""
        staff, customers = self.people, self._customers
        favourite = Reference("systemuser", next(p.user for p in staff.personas if p.login.startswith("sofia@")))
        users = [Reference("systemuser", user) for user, _ in staff.user_roles if user != favourite.id]
        teams = [Reference("team", Guid(str(row["teamid"]))) for row in staff.teams if row["teamtype"] == 1]
        principals = slots([*teams, *users], [4.0] * len(teams) + [1.0] * len(users), 256)
        start = stream(self.seed, _SHARE_KIND)
        for number in range(self.accounts // 20):
            bits = draw(start, number)
            account = number * 20 + bits % 20
            owner = customers.owner(account)
            principal = favourite if number % 50 in (7, 23, 41) else principals[bits >> 8 & 255]
            if principal == owner:
                principal = teams[bits >> 8 & 3]
            yield DemoShare(customers.account(account), principal, _RIGHTS[bits >> 16 & 3])


def company(
    seed: int, accounts: int = DEFAULT_ACCOUNTS, *, root_unit: Guid, until: str = "2026-06-30T00:00:00Z"
) -> DemoCompany:
    """The demo company with `accounts` accounts and everything else in proportion.

    `root_unit` is the environment's root business unit, below which the company hangs; `until` is its present, as
    `2026-06-30T00:00:00Z`.
    """
    return DemoCompany(seed, accounts, root_unit, until)
