"""What is audited whatever the switches say (TS-803): who may do what, and the platform's own registers.

Of security tables, and of the tables that are not Dataverse's but this platform's own (its directory, policies, alert
rules, holds and ledgers), changes are told also while `isauditenabled` is off, and neither the tables nor their columns
can be switched off.
"""

from functools import cache, lru_cache

from strongroom.schema.model import Table
from strongroom.schema.standard_facts import load_facts

_SECURITY = frozenset(
    {
        "attributemaskingrule",
        "businessunit",
        "fieldpermission",
        "fieldsecurityprofile",
        "maskingrule",
        "organization",
        "position",
        "principalobjectattributeaccess",
        "role",
        "systemuser",
        "team",
        "teamtemplate",
    }
)


@lru_cache(maxsize=512)
def is_always_audited(table: Table) -> bool:
    """Whether changes of its rows are told whatever the switches say."""
    return table.logical_name in _SECURITY or (table.is_audited and _is_own(table))


@cache
def _standard_names() -> frozenset[str]:
    return frozenset(load_facts())


def _is_own(table: Table) -> bool:
    return not table.is_custom and not table.is_intersect and table.logical_name not in _standard_names()
