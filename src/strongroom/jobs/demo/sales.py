"""What Meridian sells, and to whom: units of measure, products, the price list, opportunities with their lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from strongroom.ids import Guid, Reference
from strongroom.jobs.demo.customers import Customers
from strongroom.jobs.demo.draws import draw, guid, moments, stream
from strongroom.jobs.demo.people import Row

UNIT_GROUP_KIND, UNIT_KIND, PRICE_LIST_KIND, PRODUCT_KIND, PRICE_KIND = 0x020, 0x021, 0x022, 0x023, 0x024
OPPORTUNITY_KIND, LINE_KIND = 0x025, 0x026
MOST_LINES = 4

_PRODUCTS: tuple[tuple[str, str, int], ...] = (
    ("Barometer Aneroid 200", "MB-200", 180),
    ("Barometer Digital 210", "MB-210", 240),
    ("Thermometer Probe 30", "MT-030", 45),
    ("Thermometer Infrared 80", "MT-080", 130),
    ("Hygrometer Wall 12", "MH-012", 95),
    ("Hygrometer Logger 50", "MH-050", 310),
    ("Anemometer Cup 7", "MA-007", 420),
    ("Anemometer Ultrasonic 9", "MA-009", 1_450),
    ("Flow Meter DN25", "MF-025", 780),
    ("Flow Meter DN80", "MF-080", 1_920),
    ("Pressure Gauge 10 bar", "MP-010", 60),
    ("Pressure Gauge 400 bar", "MP-400", 210),
    ("Level Sensor Radar", "ML-001", 1_150),
    ("Level Sensor Float", "ML-002", 85),
    ("pH Electrode", "MQ-014", 165),
    ("Conductivity Cell", "MQ-020", 275),
    ("Weather Station Compact", "MW-100", 2_400),
    ("Weather Station Marine", "MW-300", 5_900),
    ("Gateway 8-channel", "MG-008", 640),
    ("Gateway 32-channel", "MG-032", 1_880),
    ("Calibration Certificate", "MS-001", 120),
    ("On-site Installation Day", "MS-002", 950),
    ("Maintenance Contract, Year", "MS-003", 1_600),
    ("Spare Seal Kit", "MX-001", 18),
)
_NEEDS = (
    "Pilot",
    "Extension",
    "Replacement",
    "Framework agreement",
    "New plant",
    "Laboratory",
    "Retrofit",
    "Spare parts",
)
_STATES = ((0, 1), (0, 1), (0, 1), (0, 2), (1, 3), (1, 3), (2, 4), (2, 5))
_PROBABILITIES = (20, 40, 60, 10, 100, 100, 0, 0)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Rows of the catalogue, and what lines of opportunities point to."""

    unit_groups: tuple[Row, ...]
    units: tuple[Row, ...]
    price_lists: tuple[Row, ...]
    products: tuple[Row, ...]
    prices: tuple[Row, ...]


def catalogue(seed: int) -> Catalogue:
    """Everything that is for sale."""
    group, unit, price_list = (
        guid(kind, 0, draw(stream(seed, kind), 0)) for kind in (UNIT_GROUP_KIND, UNIT_KIND, PRICE_LIST_KIND)
    )
    group_ref, unit_ref = Reference("uomschedule", group), Reference("uom", unit)
    list_ref = Reference("pricelevel", price_list)
    products: list[Row] = []
    prices: list[Row] = []
    for place, (name, number, price) in enumerate(_PRODUCTS):
        product = product_id(seed, place)
        products.append(
            {
                "productid": product,
                "name": name,
                "productnumber": number,
                "description": f"{name}, article {number}.",
                "productstructure": 1,
                "producttypecode": 3 if number.startswith("MS") else 1,
                "quantitydecimal": 0,
                "price": Decimal(price),
                "standardcost": Decimal(price) * Decimal("0.6"),
                "currentcost": Decimal(price) * Decimal("0.6"),
                "defaultuomid": unit_ref,
                "defaultuomscheduleid": group_ref,
                "pricelevelid": list_ref,
                "statecode": 0,
                "statuscode": 1,
            }
        )
        prices.append(
            {
                "productpricelevelid": guid(PRICE_KIND, place, draw(stream(seed, PRICE_KIND), place)),
                "pricelevelid": list_ref,
                "productid": Reference("product", product),
                "uomid": unit_ref,
                "uomscheduleid": group_ref,
                "amount": Decimal(price),
                "pricingmethodcode": 1,
                "quantitysellingcode": 1,
            }
        )
    return Catalogue(
        unit_groups=(
            {"uomscheduleid": group, "name": "Pieces", "baseuomname": "Piece", "statecode": 0, "statuscode": 1},
        ),
        units=({"uomid": unit, "name": "Piece", "quantity": Decimal(1), "uomscheduleid": group_ref},),
        price_lists=(
            {"pricelevelid": price_list, "name": "Standard price list", "statecode": 0, "statuscode": 100001},
        ),
        products=tuple(products),
        prices=tuple(prices),
    )


def product_id(seed: int, place: int) -> Guid:
    """The id of the product at this place of the list."""
    return guid(PRODUCT_KIND, place, draw(stream(seed, PRODUCT_KIND), place))


class Sales:
    """Opportunities, two for five accounts, and their lines. The owner is mostly the account's."""

    def __init__(self, seed: int, customers: Customers, until: str) -> None:
        self.count = customers.accounts * 2 // 5
        self._customers = customers
        self._ids = stream(seed, OPPORTUNITY_KIND)
        self._line_ids = stream(seed, LINE_KIND)
        self._moments = moments(until, 500, 1024)
        self._past = tuple(_midnight(moment) for moment in moments(until, 240, 1024, most_recent=1.0))
        coming = (datetime.fromisoformat(until) + timedelta(days=200)).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._coming = tuple(_midnight(moment) for moment in moments(coming, 199, 1024, most_recent=1.0))
        self._price_list = Reference("pricelevel", guid(PRICE_LIST_KIND, 0, draw(stream(seed, PRICE_LIST_KIND), 0)))
        self._unit = Reference("uom", guid(UNIT_KIND, 0, draw(stream(seed, UNIT_KIND), 0)))
        self._products = tuple(Reference("product", product_id(seed, place)) for place in range(len(_PRODUCTS)))

    @property
    def lines(self) -> int:
        """Lines of all opportunities."""
        return sum(draw(self._ids, number) % MOST_LINES + 1 for number in range(self.count))

    def opportunity(self, number: int) -> Reference:
        return Reference("opportunity", guid(OPPORTUNITY_KIND, number, draw(self._ids, number)))

    def account_of(self, number: int) -> int:
        """The account that the opportunity is with."""
        return draw(self._ids, number + self.count) % self._customers.accounts

    def opportunity_rows(self) -> Iterator[Row]:
        customers = self._customers
        for number in range(self.count):
            key = draw(self._ids, number)
            account = self.account_of(number)
            locale = customers.locale(account)
            state, status = _STATES[key & 7]
            total = sum((line[2] for line in self._lines(number)), Decimal(0))
            yield {
                "opportunityid": guid(OPPORTUNITY_KIND, number, key),
                "name": f"{_NEEDS[key >> 3 & 7]} {locale.cities[key >> 6 & 3]}",
                "customerid": customers.account(account),
                "parentaccountid": customers.account(account),
                "parentcontactid": customers.first_contact(account),
                "pricelevelid": self._price_list,
                "estimatedvalue": total,
                "actualvalue": total if state == 1 else None,
                "totalamount": total,
                "estimatedclosedate": (self._past if state else self._coming)[key >> 8 & 1023],
                "closeprobability": _PROBABILITIES[key & 7],
                "opportunityratingcode": (key >> 18) % 3 + 1,
                "salesstage": 3 if state else key >> 20 & 3,
                "isrevenuesystemcalculated": True,
                "ownerid": self._owner(key, account),
                "statecode": state,
                "statuscode": status,
                "createdon": self._moments[key >> 40 & 1023],
                "modifiedon": self._moments[key >> 40 & 1023],
            }

    def line_rows(self) -> Iterator[Row]:
        """The lines of all opportunities, each with the owner of its opportunity."""
        for number in range(self.count):
            opportunity = self.opportunity(number)
            owner = self._owner(draw(self._ids, number), self.account_of(number))
            for place, (product, quantity, amount) in enumerate(self._lines(number)):
                line = number * MOST_LINES + place
                yield {
                    "opportunityproductid": guid(LINE_KIND, line, draw(self._line_ids, line)),
                    "opportunityid": opportunity,
                    "opportunityproductname": _PRODUCTS[product][0],
                    "productid": self._products[product],
                    "productname": _PRODUCTS[product][0],
                    "uomid": self._unit,
                    "quantity": Decimal(quantity),
                    "priceperunit": Decimal(_PRODUCTS[product][2]),
                    "baseamount": amount,
                    "extendedamount": amount,
                    "lineitemnumber": place + 1,
                    "producttypecode": 1,
                    "ispriceoverridden": False,
                    "isproductoverridden": False,
                    "ownerid": owner,
                }

    def _owner(self, key: int, account: int) -> Reference:
        customers = self._customers
        return customers.owner(account) if key >> 24 & 7 else customers.owners[key >> 30 & 1023]

    def _lines(self, number: int) -> Iterator[tuple[int, int, Decimal]]:
        """(product, quantity, amount) of each line of the opportunity: one to four."""
        for place in range(draw(self._ids, number) % MOST_LINES + 1):
            bits = draw(self._line_ids, number * MOST_LINES + place)
            product, quantity = bits % len(_PRODUCTS), 1 << (bits >> 32 & 5) | bits >> 40 & 3
            yield product, quantity, Decimal(_PRODUCTS[product][2] * quantity)


def _midnight(moment: str) -> str:
    """The day of the moment, as columns for days without a time of day hold it (WA-92)."""
    return f"{moment[:10]}T00:00:00Z"
