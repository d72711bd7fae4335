"""Names of tables, columns and relationships that customers make."""

import re

from strongroom.errors import InvalidRequest

MAXIMUM_NAME = 50
"""Characters in the name of a table, column or key. Longer ones do not fit the identifiers of every engine."""

MAXIMUM_RELATIONSHIP_NAME = 100

_RESERVED_ENDINGS = ("__fold", "__table")
"""Companions that a store keeps beside a column (`store.layout`)."""

_CUSTOM = re.compile(r"[A-Za-z][A-Za-z0-9]{1,7}_[A-Za-z0-9_]+")
_RELATIONSHIP = re.compile(r"[A-Za-z][A-Za-z0-9]*_[A-Za-z0-9_]+")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def pluralized(logical_name: str) -> str:
    """The English plural that a table's entity set name has by default (WA-70)."""
    if logical_name.endswith(("s", "x", "z", "ch", "sh")):
        return f"{logical_name}es"
    if len(logical_name) > 1 and logical_name.endswith("y") and logical_name[-2] not in "aeiou_":
        return f"{logical_name[:-1]}ies"
    return f"{logical_name}s"


def checked_custom_name(name: str, what: str) -> str:
    """`name`, when it has a publisher prefix (WA-71); else 400."""
    if not name:
        raise InvalidRequest(f"The SchemaName of the {what} is missing.")
    if not _CUSTOM.fullmatch(name) or name.lower().startswith("mscrm"):
        raise InvalidRequest(
            f"The name '{name}' of the {what} is not valid: it needs a publisher prefix of 2 to 8 letters and digits "
            f"that begins with a letter, then '_', then letters, digits and '_' (for example 'new_{what}')."
        )
    if name.lower().endswith(_RESERVED_ENDINGS):
        raise InvalidRequest(
            f"The name '{name}' of the {what} is not valid: the store keeps the endings "
            f"{' and '.join(_RESERVED_ENDINGS)} for itself."
        )
    return _checked_length(name, what, MAXIMUM_NAME)


def checked_relationship_name(name: str) -> str:
    """`name`, when it can name a relationship; else 400. Its first part need not be a publisher's prefix: clients
    begin it with the name of the parent table."""
    if not name:
        raise InvalidRequest("The SchemaName of the relationship is missing.")
    if not _RELATIONSHIP.fullmatch(name):
        raise InvalidRequest(
            f"The name '{name}' of the relationship is not valid: it needs a prefix, then '_', then letters, digits "
            "and '_' (for example 'new_account_orders')."
        )
    return _checked_length(name, "relationship", MAXIMUM_RELATIONSHIP_NAME)


def checked_identifier(name: str, what: str) -> str:
    """`name`, when it consists of letters, digits and `_`; else 400."""
    if not _IDENTIFIER.fullmatch(name):
        raise InvalidRequest(f"The name '{name}' of the {what} is not valid: use letters, digits and '_' only.")
    return _checked_length(name, what, MAXIMUM_RELATIONSHIP_NAME)


def _checked_length(name: str, what: str, limit: int) -> str:
    if len(name) > limit:
        raise InvalidRequest(
            f"The name '{name}' of the {what} has {len(name)} characters; at most {limit} are allowed."
        )
    return name
