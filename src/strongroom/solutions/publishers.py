"""Publishers: their prefixes are part of every name that they make, so that two must not be taken for one."""

import re

from strongroom.errors import InvalidRequest
from strongroom.records import Session
from strongroom.solutions.model import Publisher

_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9]{1,7}")
_LEAST, _MOST = 10_000, 99_999


def demand_same_publisher(session: Session, publisher: Publisher) -> None:
    """Raise when a publisher of this name is here with other prefixes, or when the prefixes are none."""
    if not _PREFIX.fullmatch(publisher.prefix) or publisher.prefix.lower().startswith("mscrm"):
        raise InvalidRequest(
            f"'{publisher.prefix[:40]}' cannot be the prefix of the publisher '{publisher.unique_name[:100]}': one is "
            "2 to 8 letters and digits, begins with a letter, and not with 'mscrm'."
        )
    if not _LEAST <= publisher.option_prefix <= _MOST:
        raise InvalidRequest(
            f"{publisher.option_prefix} cannot be the option value prefix of the publisher "
            f"'{publisher.unique_name[:100]}': it lies between {_LEAST} and {_MOST}."
        )
    found = session.transaction.rows_where(session.table("publisher"), {"uniquename": publisher.unique_name}, limit=1)
    if not found:
        return
    for column, name, given in (
        ("customizationprefix", "prefix", publisher.prefix),
        ("customizationoptionvalueprefix", "option value prefix", publisher.option_prefix),
    ):
        there = found[0].values.get(column)
        if there is not None and there != given:
            raise InvalidRequest(
                f"The publisher '{publisher.unique_name}' is here with the {name} {there}, and the solution gives it "
                f"{given}: they are not the same. Give one of them another unique name.",
                code="0x80048037",
            )
