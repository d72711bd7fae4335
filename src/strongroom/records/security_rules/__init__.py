"""The security tables' own rules, one noun a module: business units, users, teams, roles, settings, profiles."""

from strongroom.records.rules import Rules
from strongroom.records.security_rules import business_units, column_profiles, organization, roles, teams, users


def register_all(rules: Rules) -> None:
    """Hang all of them in the verbs, in this order."""
    for noun in (organization, business_units, users, teams, roles, column_profiles):
        noun.register(rules)
