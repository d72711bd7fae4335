"""The security tables' own rules, one noun a module: business units, users, teams, roles, settings, profiles."""

from strongroom.records.rules import Rules
from strongroom.records.security_rules import (
    business_units,
    column_profiles,
    entry_group,
    masking_rules,
    organization,
    roles,
    team_templates,
    teams,
    users,
    value_shares,
)


def register_all(rules: Rules) -> None:
    """Hang all of them in the verbs, in this order."""
    of_people = (organization, business_units, users, teams, team_templates, entry_group, roles)
    for noun in (*of_people, column_profiles, masking_rules, value_shares):
        noun.register(rules)
