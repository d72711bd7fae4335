"""The birth of an environment: the rows without which nothing else can be done."""

from dataclasses import dataclass

from strongroom.clock import Clock
from strongroom.ids import Guid
from strongroom.records.rules import Rules
from strongroom.store.protocol import Transaction


@dataclass(frozen=True, slots=True)
class Birth:
    """What a new environment is called, and its first administrator.

    `administrator` is the sign-in name (`admin@<home>`).
    """

    organization: str
    administrator: str
    language: int = 1033
    currency: str = "USD"
    currency_name: str = "US Dollar"
    currency_symbol: str = "$"


@dataclass(frozen=True, slots=True)
class Born:
    """The ids of the first rows."""

    organization: Guid
    root_unit: Guid
    administrator: Guid
    system_user: Guid
    system_administrator_role: Guid
    currency: Guid


def genesis(transaction: Transaction, clock: Clock, birth: Birth) -> Born:
    """Make the first rows of an empty environment: organization, root business unit with its default team, standard
    roles, the administrator, SYSTEM, base currency, publisher and default solution."""
    raise NotImplementedError


def standard_rules() -> Rules:
    """The rules of the security tables, to which the composition root adds those of higher rooms."""
    raise NotImplementedError
