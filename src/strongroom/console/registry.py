"""Every page that there is, in the order in which addresses are tried."""

from strongroom.console import administration, audit, home
from strongroom.console.data import actions, forms, lists, lookups, records, tables
from strongroom.console.page import Page
from strongroom.console.security import people, profiles, roles, units, why

_ROOMS = (
    home,
    tables,
    lists,
    lookups,
    forms,
    actions,
    records,
    people,
    units,
    roles,
    profiles,
    why,
    audit,
    administration,
)


def all_pages() -> tuple[Page, ...]:
    """The pages of all rooms, those with fixed paths before those with parameters in the same place."""
    return tuple(page for room in _ROOMS for page in room.PAGES)
