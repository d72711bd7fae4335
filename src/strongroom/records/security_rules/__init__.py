"""The security tables' own rules, one noun a module: business units, users, teams, roles, settings, profiles."""
