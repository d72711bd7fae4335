"""What the control environment knows of the home's environments: the tables, the rules on them, and writing to them.

- `tables`  environments, operations on them, back-ups, keys, vaults, certificates
- `rules`   ledgers are not changed by anybody (TS-003)
- `ledger`  `Ledger`: rows written in the platform's name

What is done with environments is the matter of `strongroom.lifecycle`.
"""

from strongroom.estate.ledger import Ledger
from strongroom.estate.rules import register_rules
from strongroom.estate.tables import estate_tables

__all__ = ["Ledger", "estate_tables", "register_rules"]
