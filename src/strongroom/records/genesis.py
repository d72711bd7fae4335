"""The birth of an environment: the rows without which nothing else can be done.

Everything is authored by SYSTEM. The order matters little to the store; for people it is: the organization, the root
business unit with its default team, the first users, the standard roles, the built-in column profile, the base
currency, the publisher and the solutions.
"""

from dataclasses import dataclass
from decimal import Decimal

from strongroom.clock import Clock
from strongroom.ids import Guid, Reference, new_guid
from strongroom.records import duplicate_rules, holds, kept_searches, trail_settings
from strongroom.records.create import store_new
from strongroom.records.files import BLOCKED_EXTENSIONS
from strongroom.records.platform_user import SYSTEM_USER, platform_caller
from strongroom.records.rules import EnvironmentFacts, Rules
from strongroom.records.security_rules import register_all
from strongroom.records.security_rules.handing_out import store_privileges
from strongroom.records.security_rules.teams import add_default_team, move_to_default_team
from strongroom.records.session import Session
from strongroom.records.standard_roles import STANDARD_ROLES
from strongroom.records.system_columns import DEFAULT_SOLUTION
from strongroom.store.protocol import Row, Transaction, Value

ADMINISTRATOR_PROFILE = Guid("572329c1-a042-4e22-be47-367c6374ea45")
"""The built-in column profile of System Administrators (SM-65)."""

ACTIVE_SOLUTION = Guid("fd140aae-4df4-11dd-bd17-0019b9312238")
DEFAULT_PUBLISHER = Guid("d21aab71-79e7-11dd-8874-00188b01e34f")
_OPTION_VALUE_PREFIX = 10000
_CURRENCY_DIGITS = 2


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
    session = Session(transaction, platform_caller(transaction.schema), clock, standard_rules())
    organization, currency = new_guid(clock), new_guid(clock)
    session.rules.environment = EnvironmentFacts(organization, Reference("transactioncurrency", currency))
    _make_organization(session, birth, organization, currency)
    _make_currency(session, birth, currency)
    root = _make(session, "businessunit", {"name": birth.organization, "isdisabled": False})
    add_default_team(session, root)
    system = _make_user(session, root, "SYSTEM", "SYSTEM", SYSTEM_USER)
    administrator = _make_user(session, root, birth.administrator, "Administrator", new_guid(clock))
    role = _make_roles(session, root)
    transaction.link(session.schema.many_to_many["systemuserroles_association"], administrator.id, role.id)
    _make(session, "fieldsecurityprofile", {"name": "System Administrator"}, ADMINISTRATOR_PROFILE)
    _make_solutions(session, birth)
    return Born(organization, root.id, administrator.id, system.id, role.id, currency)


def standard_rules() -> Rules:
    """The rules of the security tables and of duplicate detection, to which the composition root adds those of higher
    rooms."""
    rules = Rules()
    register_all(rules)
    duplicate_rules.register(rules)
    holds.register(rules)
    trail_settings.register(rules)
    kept_searches.register(rules)
    return rules


def _make(session: Session, name: str, values: dict[str, Value], row_id: Guid | None = None) -> Row:
    """Store a row; columns that the table does not have are left out."""
    table = session.table(name)
    return store_new(session, table, {n: v for n, v in values.items() if n in table.columns}, row_id)


def _make_organization(session: Session, birth: Birth, organization: Guid, currency: Guid) -> None:
    values: dict[str, Value] = {
        "name": birth.organization,
        "languagecode": birth.language,
        "localeid": birth.language,
        "basecurrencyid": Reference("transactioncurrency", currency),
        "basecurrencysymbol": birth.currency_symbol,
        "blockedattachments": BLOCKED_EXTENSIONS,
        "basecurrencyprecision": _CURRENCY_DIGITS,
        "currencydecimalprecision": _CURRENCY_DIGITS,
        "isauditenabled": True,
        "isuseraccessauditenabled": True,
        "ishierarchicalsecuritymodelenabled": False,
        "usepositionhierarchy": False,
        "maxdepthforhierarchicalsecuritymodel": 3,
        "sharetopreviousowneronassign": False,
        "weekstartdaycode": 0,
        "systemuserid": SYSTEM_USER,
    }
    _make(session, "organization", values, organization)


def _make_currency(session: Session, birth: Birth, currency: Guid) -> None:
    values: dict[str, Value] = {
        "currencyname": birth.currency_name,
        "isocurrencycode": birth.currency,
        "currencysymbol": birth.currency_symbol,
        "currencyprecision": _CURRENCY_DIGITS,
        "exchangerate": Decimal(1),
    }
    _make(session, "transactioncurrency", values, currency)


def _make_user(session: Session, unit: Row, sign_in: str, last_name: str, user: Guid) -> Row:
    """A user of the root unit. SYSTEM is disabled: it authors rows and can do nothing else."""
    row = _make(
        session,
        "systemuser",
        {
            "domainname": sign_in,
            "internalemailaddress": sign_in if "@" in sign_in else None,
            "lastname": last_name,
            "fullname": last_name,
            "businessunitid": unit.reference(),
            "isdisabled": user == SYSTEM_USER,
            "accessmode": 0,
            "userlicensetype": -1,
            "azureactivedirectoryobjectid": None if user == SYSTEM_USER else new_guid(session.clock),
        },
        user,
    )
    move_to_default_team(session, user, None, unit.reference())
    return row


def _make_roles(session: Session, unit: Row) -> Row:
    """The standard roles; returns System Administrator."""
    made: dict[str, Row] = {}
    for standard in STANDARD_ROLES:
        template = None
        if standard.template is not None:
            template = Reference("roletemplate", standard.template)
            _make(session, "roletemplate", {"name": standard.name, "upgrading": False}, standard.template)
        role_id = new_guid(session.clock)
        role = _make(
            session,
            "role",
            {
                "name": standard.name,
                "businessunitid": unit.reference(),
                "isinherited": 1,
                "roletemplateid": template,
                "parentrootroleid": Reference("role", role_id),
                "roleidunique": new_guid(session.clock),
            },
            role_id,
        )
        store_privileges(session, role_id, standard.privileges(session.schema))
        made[standard.name] = role
    return made["System Administrator"]


def _make_solutions(session: Session, birth: Birth) -> None:
    """The default publisher with the prefix `new`, and the two solutions that customisations belong to (WA-447)."""
    publisher: dict[str, Value] = {
        "friendlyname": f"Default Publisher for {birth.organization}",
        "uniquename": "DefaultPublisher",
        "customizationprefix": "new",
        "customizationoptionvalueprefix": _OPTION_VALUE_PREFIX,
    }
    _make(session, "publisher", publisher, DEFAULT_PUBLISHER)
    for solution, unique_name, name in (
        (DEFAULT_SOLUTION, "Default", "Default Solution"),
        (ACTIVE_SOLUTION, "Active", "Active Solution"),
    ):
        values: dict[str, Value] = {
            "uniquename": unique_name,
            "friendlyname": name,
            "version": "1.0",
            "ismanaged": False,
            "isvisible": unique_name == "Default",
            "publisherid": Reference("publisher", DEFAULT_PUBLISHER),
        }
        _make(session, "solution", values, solution)
