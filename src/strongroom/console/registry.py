"""Every page that there is, in the order in which addresses are tried."""

from strongroom.console import acting, administration, alerts, audit, entry, estate, home, lockbox, solutions
from strongroom.console.data import actions, bulk, forms, lists, lookups, moving, records, tables
from strongroom.console.page import Page
from strongroom.console.security import hierarchy, people, profiles, roles, shares, units, why

_ROOMS = (
    home,
    tables,
    lists,
    lookups,
    forms,
    actions,
    bulk,
    moving,
    records,
    people,
    hierarchy,
    shares,
    units,
    roles,
    profiles,
    why,
    audit,
    alerts,
    administration,
    estate,
    entry,
    lockbox,
    solutions,
    acting,
)


def all_pages() -> tuple[Page, ...]:
    """The pages of all rooms, those with fixed paths before those with parameters in the same place."""
    return tuple(page for room in _ROOMS for page in room.PAGES)
