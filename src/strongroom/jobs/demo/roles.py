"""The roles of the demo company: eight, of every depth, with privileges by name.

They are written as *rights on a table at a depth* and expanded to the platform's privilege names (SM-20). Everyone may
read who works here and what is sold; what else a role reaches is its point.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from strongroom.schema.model import Depth

BASIC, LOCAL, DEEP, GLOBAL = Depth.BASIC, Depth.LOCAL, Depth.DEEP, Depth.GLOBAL

_CUSTOMERS = ("Account", "Contact")
_SALES = ("Opportunity", "OpportunityProduct")
_SERVICE = ("Incident",)
_DAILY = ("Activity", "Note")
_CATALOGUE = ("Product", "PriceLevel", "UoMSchedule", "TransactionCurrency")
_HOUSE = ("User", "BusinessUnit", "Team", "Organization")
_WORK = ("Create", "Read", "Write", "Append", "AppendTo", "Assign", "Share")
_EVERY = (*_WORK, "Delete")

Privileges = Mapping[str, Depth]


@dataclass(frozen=True, slots=True)
class DemoRole:
    """One role. `team_only` is *Team privileges only* (SM-43)."""

    name: str
    sees: str
    privileges: Privileges = field(hash=False)
    team_only: bool = False


def _on(tables: tuple[str, ...], verbs: tuple[str, ...], depth: Depth) -> dict[str, Depth]:
    return {f"prv{verb}{table}": depth for table in tables for verb in verbs}


_COMMON: dict[str, Depth] = {
    **_on(_HOUSE, ("Read",), GLOBAL),
    **_on(_CATALOGUE, ("Read",), GLOBAL),
    **_on(("Product", "PriceLevel"), ("AppendTo",), GLOBAL),
    **_on(("User", "Team", "BusinessUnit"), ("AppendTo",), GLOBAL),
}

SALESPERSON = DemoRole(
    "Salesperson",
    "own and team-owned customers and sales",
    {**_COMMON, **_on((*_CUSTOMERS, *_SALES, *_DAILY), _EVERY, BASIC), **_on(_SERVICE, ("Read", "AppendTo"), BASIC)},
)
KEY_ACCOUNT_TEAM = DemoRole(
    "Key Account Team",
    "what the team owns, for its members only through the team",
    {**_COMMON, **_on((*_CUSTOMERS, *_SALES, *_SERVICE, *_DAILY), _WORK, BASIC)},
    team_only=True,
)
SALES_MANAGER = DemoRole(
    "Sales Manager",
    "customers and sales of the business unit",
    {**_COMMON, **_on((*_CUSTOMERS, *_SALES, *_DAILY), _EVERY, LOCAL), **_on(_SERVICE, ("Read", "AppendTo"), LOCAL)},
)
REGIONAL_MANAGER = DemoRole(
    "Regional Manager",
    "everything about customers in the business unit and all units below it",
    {**_COMMON, **_on((*_CUSTOMERS, *_SALES, *_SERVICE, *_DAILY), _EVERY, DEEP)},
)
SERVICE_AGENT = DemoRole(
    "Service Agent",
    "cases and customers of the business unit; changes only own customers",
    {
        **_COMMON,
        **_on(_CUSTOMERS, ("Read", "Append", "AppendTo"), LOCAL),
        **_on(_CUSTOMERS, ("Write",), BASIC),
        **_on(_SERVICE, _WORK, LOCAL),
        **_on(_SALES, ("Read",), BASIC),
        **_on(_DAILY, _EVERY, BASIC),
        **_on(_DAILY, ("Read",), LOCAL),
    },
)
SERVICE_MANAGER = DemoRole(
    "Service Manager",
    "cases and customers of the business unit and all units below it",
    {
        **_COMMON,
        **_on(_CUSTOMERS, ("Read", "Write", "Append", "AppendTo"), DEEP),
        **_on((*_SERVICE, *_DAILY), _EVERY, DEEP),
        **_on(_SALES, ("Read",), BASIC),
    },
)
MARKETING_ANALYST = DemoRole(
    "Marketing Analyst",
    "all accounts and contacts, read only; no sales, cases or notes",
    {**_COMMON, **_on(_CUSTOMERS, ("Read",), GLOBAL)},
)
AUDITOR = DemoRole(
    "Auditor",
    "everything, read only, and who changed what",
    {
        **_COMMON,
        **_on((*_CUSTOMERS, *_SALES, *_SERVICE, *_DAILY, "Role"), ("Read",), GLOBAL),
        "prvReadAuditSummary": GLOBAL,
        "prvReadRecordAuditHistory": GLOBAL,
    },
)

ROLES: tuple[DemoRole, ...] = (
    SALESPERSON,
    KEY_ACCOUNT_TEAM,
    SALES_MANAGER,
    REGIONAL_MANAGER,
    SERVICE_AGENT,
    SERVICE_MANAGER,
    MARKETING_ANALYST,
    AUDITOR,
)
