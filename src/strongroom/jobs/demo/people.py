"""The demo company from the inside: business units, users with their managers, teams, and who holds which role.

Meridian, a maker of instruments, sells on three continents. Four of its people are *personas*, with logins that are
easy to remember and reaches that differ: what each may see is the shortest tour of the security model.

    Sofía Reyes     sales representative in Iberia          Basic
    Amara Okafor    service agent in Central Europe         Local
    Jonas Weber     regional manager of Europe              Deep
    Helen Zhao      auditor at headquarters                 Global, read only
"""

from dataclasses import dataclass, field

from strongroom.ids import Guid, Reference
from strongroom.jobs.demo.draws import draw, guid, stream
from strongroom.jobs.demo.locales import LOCALES
from strongroom.jobs.demo.roles import (
    AUDITOR,
    KEY_ACCOUNT_TEAM,
    MARKETING_ANALYST,
    REGIONAL_MANAGER,
    ROLES,
    SALES_MANAGER,
    SALESPERSON,
    SERVICE_AGENT,
    SERVICE_MANAGER,
    DemoRole,
)

Row = dict[str, object]
"""One row: logical name → value as ARCHITECTURE.md has it; lookups are `Reference`s."""

DOMAIN = "meridian.example"

UNIT_KIND, USER_KIND, TEAM_KIND, ROLE_KIND = 0x001, 0x002, 0x003, 0x004

_UNITS: tuple[tuple[str, int | None, int], ...] = (
    ("Europe", None, 6),
    ("Americas", None, 5),
    ("Asia Pacific", None, 9),
    ("Central Europe", 0, 8),
    ("Southern Europe", 0, 7),
    ("North America", 1, 9),
    ("Iberia", 4, 8),
    ("Alpine", 3, 6),
)
"""Name, place of the parent in this list (None: below the root), and number of people."""

_HEADQUARTERS = 2

_LANGUAGES: dict[str, tuple[str, ...]] = {
    "Europe": ("en", "fr", "de"),
    "Americas": ("en", "es", "pt"),
    "Asia Pacific": ("ja", "ko", "zh", "hi"),
    "Central Europe": ("de", "pl", "cs", "uk"),
    "Southern Europe": ("el", "tr", "he", "ar"),
    "North America": ("en", "fr", "es"),
    "Iberia": ("es", "pt"),
    "Alpine": ("de", "fr"),
}

_TEAMS: tuple[tuple[str, int, str], ...] = (
    ("Iberian Key Accounts", 0, "Iberia"),
    ("Alpine Service Desk", 0, "Alpine"),
    ("Central Europe Projects", 0, "Central Europe"),
    ("Southern Europe Tenders", 0, "Southern Europe"),
    ("Americas Enterprise", 0, "North America"),
    ("Pacific Channel Partners", 0, "Asia Pacific"),
    ("Product Launch Circle", 1, "Europe"),
    ("Escalation Watch", 1, "Central Europe"),
    ("Data Quality Circle", 1, "Americas"),
    ("Harbour Tender 2026", 1, "Asia Pacific"),
)
"""Name, team type (0 owner, 1 access) and unit."""


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody to try the company as. `login` is the user's domain name."""

    name: str
    login: str
    user: Guid
    role: DemoRole
    sees: str


@dataclass(frozen=True, slots=True)
class People:
    """Everything about the company's inside, as rows and pairs, in an order in which it can be stored.

    Rows of `units` come parents first, those of `users` managers first. A role is given to its holder in the copy of
    the holder's business unit (SM-24).
    """

    units: tuple[Row, ...]
    users: tuple[Row, ...]
    teams: tuple[Row, ...]
    roles: tuple[tuple[Row, DemoRole], ...]
    members: tuple[tuple[Guid, Guid], ...]
    """(team, user)"""
    user_roles: tuple[tuple[Guid, DemoRole], ...]
    team_roles: tuple[tuple[Guid, DemoRole], ...]
    personas: tuple[Persona, ...]


@dataclass(slots=True)
class _Hired:
    """Somebody while the company is being put together."""

    id: Guid
    first: str
    last: str
    login: str
    title: str
    unit: Guid
    role: DemoRole
    manager: Guid | None = None


@dataclass(slots=True)
class _Book:
    """What has been made so far."""

    seed: int
    root: Guid
    units: dict[str, Guid] = field(default_factory=dict[str, Guid])
    hired: list[_Hired] = field(default_factory=list[_Hired])

    def hire(self, first: str, last: str, login: str, title: str, unit: Guid, role: DemoRole) -> _Hired:
        number = len(self.hired)
        user = guid(USER_KIND, number, draw(stream(self.seed, USER_KIND), number))
        hired = _Hired(user, first, last, login, title, unit, role)
        self.hired.append(hired)
        return hired


def people(seed: int, root_unit: Guid) -> People:
    """The people of the company made from `seed`, below the environment's root unit."""
    book = _Book(seed, root_unit)
    units = tuple(_units(book))
    chief = book.hire("Inês", "Duarte", "ines.duarte", "Chief Executive", root_unit, MARKETING_ANALYST)
    helen = book.hire("Helen", "Zhao", "helen", "Internal Auditor", root_unit, AUDITOR)
    helen.manager = chief.id
    heads: dict[str, _Hired] = {}
    for name, parent, _ in _UNITS:
        heads[name] = _head(book, name, chief if parent is None else heads[_UNITS[parent][0]])
    for name, _, count in _UNITS:
        _staff(book, name, heads[name], count - 1)
    teams, members = _teams(book)
    return People(
        units=units,
        users=tuple(_user_row(hired) for hired in book.hired),
        teams=teams,
        roles=tuple(_roles(book)),
        members=members,
        user_roles=tuple((hired.id, hired.role) for hired in book.hired),
        team_roles=tuple((Guid(str(row["teamid"])), KEY_ACCOUNT_TEAM) for row in teams if row["teamtype"] == 0),
        personas=tuple(_personas(book)),
    )


def _units(book: _Book) -> list[Row]:
    rows: list[Row] = []
    for number, (name, parent, _) in enumerate(_UNITS):
        unit = guid(UNIT_KIND, number, draw(stream(book.seed, UNIT_KIND), number))
        book.units[name] = unit
        above = book.root if parent is None else book.units[_UNITS[parent][0]]
        rows.append({"businessunitid": unit, "name": name, "parentbusinessunitid": Reference("businessunit", above)})
    return rows


def _head(book: _Book, unit: str, above: _Hired) -> _Hired:
    """Whoever leads a unit: a regional manager where units hang below it."""
    has_units_below = any(parent is not None and _UNITS[parent][0] == unit for _, parent, _ in _UNITS)
    role = REGIONAL_MANAGER if has_units_below else SALES_MANAGER
    if unit == "Europe":
        head = book.hire("Jonas", "Weber", "jonas", "Regional Manager, Europe", book.units[unit], role)
    else:
        first, last = _name(book, unit)
        head = book.hire(first, last, f"head.{_slug(unit)}", f"Manager, {unit}", book.units[unit], role)
    head.manager = above.id
    return head


def _staff(book: _Book, unit: str, head: _Hired, count: int) -> None:
    """The people of a unit below its head: mostly sales, then service, an analyst in the large ones."""
    known = {
        "Iberia": ("Sofía", "Reyes", "sofia", "Sales Representative", SALESPERSON),
        "Central Europe": ("Amara", "Okafor", "amara", "Service Agent", SERVICE_AGENT),
    }
    for place in range(count):
        if place == 0 and unit in known:
            first, last, login, title, role = known[unit]
        else:
            first, last = _name(book, unit)
            title, role = _position(place, count)
            login = f"user{len(book.hired):02d}"
        book.hire(first, last, login, title, book.units[unit], role).manager = head.id


def _position(place: int, count: int) -> tuple[str, DemoRole]:
    if place == count - 1:
        return "Service Manager", SERVICE_MANAGER
    if place == 6:
        return "Marketing Analyst", MARKETING_ANALYST
    return ("Service Agent", SERVICE_AGENT) if place % 3 == 1 else ("Sales Representative", SALESPERSON)


def _name(book: _Book, unit: str) -> tuple[str, str]:
    number = len(book.hired)
    bits = draw(stream(book.seed, 0x00F), number)
    codes = _LANGUAGES[unit]
    code = codes[bits % len(codes)]
    locale = next(each for each in LOCALES if each.code == code)
    return locale.given[(bits >> 8) % len(locale.given)], locale.family[(bits >> 16) % len(locale.family)]


def _slug(unit: str) -> str:
    return unit.lower().replace(" ", "-")


def _user_row(hired: _Hired) -> Row:
    row: Row = {
        "systemuserid": hired.id,
        "firstname": hired.first,
        "lastname": hired.last,
        "fullname": f"{hired.first} {hired.last}",
        "domainname": f"{hired.login}@{DOMAIN}",
        "internalemailaddress": f"{hired.login}@{DOMAIN}",
        "jobtitle": hired.title,
        "title": hired.title,
        "businessunitid": Reference("businessunit", hired.unit),
        "accessmode": 0,
        "isdisabled": False,
    }
    if hired.manager is not None:
        row["parentsystemuserid"] = Reference("systemuser", hired.manager)
    return row


def _teams(book: _Book) -> tuple[tuple[Row, ...], tuple[tuple[Guid, Guid], ...]]:
    """Teams and their members: of an owner team people of its unit, of an access team people from everywhere."""
    rows: list[Row] = []
    members: dict[tuple[Guid, Guid], None] = {}
    start = stream(book.seed, TEAM_KIND)
    sofia = next(hired for hired in book.hired if hired.login == "sofia")
    for number, (name, kind, unit) in enumerate(_TEAMS):
        team = guid(TEAM_KIND, number, draw(start, number))
        home = book.units[unit]
        at_home = [hired for hired in book.hired if hired.unit == home]
        rows.append(
            {
                "teamid": team,
                "name": name,
                "teamtype": kind,
                "businessunitid": Reference("businessunit", home),
                "administratorid": Reference("systemuser", at_home[0].id),
                "description": "Owns what it works on." if kind == 0 else "Is given access to single records.",
            }
        )
        candidates = at_home if kind == 0 else [hired for hired in book.hired if hired.role is not AUDITOR]
        for place in range(4 if kind == 0 else 6):
            chosen = candidates[draw(start, 100 + 10 * number + place) % len(candidates)]
            members[team, chosen.id] = None
        if name in ("Iberian Key Accounts", "Product Launch Circle"):
            members[team, sofia.id] = None
    return tuple(rows), tuple(members)


def _roles(book: _Book) -> list[tuple[Row, DemoRole]]:
    start = stream(book.seed, ROLE_KIND)
    return [
        (
            {
                "roleid": guid(ROLE_KIND, number, draw(start, number)),
                "name": role.name,
                "businessunitid": Reference("businessunit", book.root),
                "isinherited": 0 if role.team_only else 1,
            },
            role,
        )
        for number, role in enumerate(ROLES)
    ]


def _personas(book: _Book) -> list[Persona]:
    texts = {
        "sofia": "her own customers and sales, those of her team Iberian Key Accounts, and what is shared with her",
        "amara": "all customers and cases of her unit Central Europe, her own sales, and nothing of other units",
        "jonas": "everything about customers in Europe and in the four units below it, nothing of the other regions",
        "helen": "every row of every unit and who changed it, but changes nothing",
    }
    by_login = {hired.login: hired for hired in book.hired}
    return [
        Persona(f"{hired.first} {hired.last}", f"{login}@{DOMAIN}", hired.id, hired.role, sees)
        for login, sees in texts.items()
        for hired in (by_login[login],)
    ]
