"""Every page that there is, in the order in which addresses are tried."""

from strongroom.console import (
    acting,
    activity,
    administration,
    alerts,
    applications,
    audit,
    entry,
    estate,
    exposure,
    health,
    home,
    incidents,
    jobs,
    lockbox,
    solutions,
    usage,
    vaults,
)
from strongroom.console.data import actions, bulk, files, forms, lists, lookups, moving, records, tables
from strongroom.console.page import Page
from strongroom.console.security import hierarchy, membership, people, profiles, programs, roles, shares, units, why

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
    files,
    people,
    membership,
    programs,
    hierarchy,
    shares,
    units,
    roles,
    profiles,
    why,
    audit,
    activity,
    exposure,
    alerts,
    administration,
    jobs,
    usage,
    health,
    incidents,
    vaults,
    applications,
    estate,
    entry,
    lockbox,
    solutions,
    acting,
)


def all_pages() -> tuple[Page, ...]:
    """The pages of all rooms, those with fixed paths before those with parameters in the same place."""
    return tuple(page for room in _ROOMS for page in room.PAGES)
