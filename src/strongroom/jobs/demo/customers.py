"""Accounts and contacts as streams. Any row follows from the seed and its number, so nothing is kept (see `draws`).

Order: accounts by number; contacts by the account that they belong to. Twelve contacts fall to five accounts.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from strongroom.ids import Guid, Reference
from strongroom.jobs.demo.draws import draw, guid, moments, slots, stream
from strongroom.jobs.demo.locales import LOCALES, Locale
from strongroom.jobs.demo.people import People, Row

ACCOUNT_KIND, CONTACT_KIND = 0x010, 0x011
_SLOTS = 1024
_LOCALE_SLOTS = 256
_POOL = 2048

_JOBS = (
    *("Purchasing Manager", "Chief Executive", "Head of IT", "Accountant", "Plant Manager", "Office Manager"),
    *("Quality Engineer", "Logistics Planner", "Sales Director", "Technician", "Legal Counsel", "Owner"),
)
_CUSTOMER_TYPES = (3, 3, 3, 3, 8, 8, 5, 9, 10, 2, 3, 12, 3, 8, 1, 3)


class Customers:
    """Where every account and contact comes from. `owners` are the principals that own accounts, by skewed weights."""

    def __init__(self, seed: int, accounts: int, people: People, until: str) -> None:
        self.accounts = accounts
        self.contacts = accounts * 12 // 5
        self.owners = slots(*_owners(people), _SLOTS)
        self.moments = moments(until, 900, _POOL)
        self._account_ids = stream(seed, ACCOUNT_KIND)
        self._contact_ids = stream(seed, CONTACT_KIND)
        self._details = stream(seed, 0x110)
        self._contact_details = stream(seed, 0x111)
        self._locales = slots(LOCALES, [locale.share for locale in LOCALES], _LOCALE_SLOTS)
        self._names = {locale.code: _firm_names(locale) for locale in LOCALES}

    def account_id(self, index: int) -> Guid:
        return guid(ACCOUNT_KIND, index, draw(self._account_ids, index))

    def account(self, index: int) -> Reference:
        return Reference("account", self.account_id(index))

    def owner(self, index: int) -> Reference:
        """Who owns the account."""
        return self.owners[draw(self._account_ids, index) >> 20 & _SLOTS - 1]

    def locale(self, index: int) -> Locale:
        """The language of the account."""
        return self._locales[draw(self._details, index) & _LOCALE_SLOTS - 1]

    def first_contact(self, index: int) -> Reference:
        """The first contact of the account; every account has one."""
        number = (12 * index + 4) // 5
        return Reference("contact", guid(CONTACT_KIND, number, draw(self._contact_ids, number)))

    def account_rows(self, start: int = 0, stop: int | None = None) -> Iterator[Row]:
        """The accounts from `start` to `stop`. A parent always has a smaller number; `primarycontactid` names a
        contact that comes in `contact_rows`."""
        owners, moments, locales, names = self.owners, self.moments, self._locales, self._names
        ids, details = self._account_ids, self._details
        for index in range(start, self.accounts if stop is None else min(stop, self.accounts)):
            key, bits = draw(ids, index), draw(details, index)
            locale = locales[bits & 255]
            firms, cities, streets = names[locale.code], locale.cities, locale.streets
            city = cities[bits >> 8 & 3]
            name = firms[(bits >> 10) % len(firms)]
            site = f"{locale.code}{index}.example"
            created = bits >> 24 & 2047
            row: Row = {
                "accountid": guid(ACCOUNT_KIND, index, key),
                "name": name if bits >> 44 & 1 else f"{name} {city}",
                "accountnumber": f"AC-{index + 1:07d}",
                "telephone1": f"{locale.dialling_code} {bits >> 30 & 1023:03d} 555 {bits >> 18 & 8191:04d}",
                "emailaddress1": f"info@{site}",
                "websiteurl": f"https://www.{site}",
                "address1_line1": f"{streets[(bits >> 36) % len(streets)]} {bits >> 41 & 127}",
                "address1_city": city,
                "address1_postalcode": f"{bits >> 33 & 65535:05d}",
                "address1_country": locale.country,
                "industrycode": (bits >> 48) % 33 + 1,
                "customertypecode": _CUSTOMER_TYPES[bits >> 52 & 15],
                "accountcategorycode": 1 if bits >> 56 & 7 == 0 else 2,
                "numberofemployees": 1 << (bits >> 20 & 15) | bits >> 34 & 7,
                "revenue": REVENUES[bits >> 40 & 2047],
                "creditlimit": CREDIT_LIMITS[bits >> 14 & 15],
                "creditonhold": bits >> 59 & 31 == 0,
                "donotemail": bits >> 57 & 7 == 0,
                "ownerid": owners[key >> 20 & 1023],
                "primarycontactid": self.first_contact(index),
                "statecode": 0,
                "statuscode": 1,
                "createdon": moments[created],
                "modifiedon": moments[created],
            }
            if bits >> 60 == 0 and index:
                row["parentaccountid"] = self.account((bits >> 13) % index)
            if bits >> 58 == 5:
                row["statecode"], row["statuscode"] = 1, 2
            yield row

    def contact_rows(self, start: int = 0, stop: int | None = None) -> Iterator[Row]:
        """The contacts of the accounts from `start` to `stop`, with the owner of their account, mostly."""
        owners, moments, jobs = self.owners, self.moments, _JOBS
        for index in range(start, self.accounts if stop is None else min(stop, self.accounts)):
            account, owner, locale = self.account(index), self.owner(index), self.locale(index)
            given, family, cities = locale.given, locale.family, locale.cities
            for number in range((12 * index + 4) // 5, (12 * index + 16) // 5):
                key, bits = draw(self._contact_ids, number), draw(self._contact_details, number)
                place = (bits & 0xFFFF) % len(given)
                first, last = given[place], family[(bits >> 16 & 0xFFFF) % len(family)]
                created = moments[bits >> 32 & 2047]
                yield {
                    "contactid": guid(CONTACT_KIND, number, key),
                    "firstname": first,
                    "lastname": last,
                    "fullname": f"{first} {last}",
                    "emailaddress1": f"contact{number}@{locale.code}{index}.example",
                    "telephone1": f"{locale.dialling_code} {bits >> 20 & 1023:03d} 555 {bits >> 28 & 8191:04d}",
                    "jobtitle": jobs[(bits >> 40) % len(jobs)],
                    "birthdate": _BIRTHDAYS[bits >> 43 & 1023],
                    "gendercode": 2 - place % 2,
                    "address1_city": cities[bits >> 53 & 3],
                    "address1_country": locale.country,
                    "donotemail": bits >> 55 & 15 == 0,
                    "parentcustomerid": account,
                    "ownerid": owner if bits >> 59 & 7 else owners[bits & 1023],
                    "statecode": 0,
                    "statuscode": 1,
                    "createdon": created,
                    "modifiedon": created,
                }


def _owners(people: People) -> tuple[Sequence[Reference], Sequence[float]]:
    """Who owns accounts, and how many in proportion: everybody in sales and service and the owner teams, a few of them
    far more than the others."""
    owners = [
        Reference("systemuser", user)
        for user, role in people.user_roles
        if role.name not in ("Auditor", "Marketing Analyst")
    ]
    owners.sort(key=lambda owner: draw(3, int(owner.id[-8:], 16)))
    teams = [Reference("team", team) for team, _ in people.team_roles]
    personas = {persona.user for persona in people.personas}
    weights = [0.5 if owner.id in personas else 1.0 / (place + 3) ** 0.7 * 3 for place, owner in enumerate(owners)]
    return [*owners, *teams], [*weights, *([0.6] * len(teams))]


def _firm_names(locale: Locale) -> tuple[str, ...]:
    """Every name of a firm in one language."""
    return tuple(
        locale.name.format(first, second, form)
        for first in locale.first
        for second in locale.second
        for form in locale.forms
    )


def _log_scale(place: float, low: float, high: float) -> Decimal:
    """A round amount between 10^low and 10^high; `place` from 0 to 1 says how far up on the logarithmic scale."""
    exact = 10 ** (low + (high - low) * place)
    step = 10 ** max(0, len(str(int(exact))) - 3)
    return Decimal(int(exact) // step * step)


REVENUES = tuple(_log_scale(place / _POOL, 4.3, 9.0) for place in range(_POOL))
CREDIT_LIMITS = tuple(Decimal(5_000 * 2 ** (place // 2)) for place in range(16))
_BIRTHDAYS = tuple(
    f"{1950 + draw(1, place) % 55}-{draw(2, place) % 12 + 1:02d}-{draw(3, place) % 28 + 1:02d}" for place in range(1024)
)
