"""From when on a client wants to know changes, as text that it carries to the next request (WA-310, WA-313).

    $deltatoken=919042!05/01/2024 10:15:00!kZ0…

The first part is the version up to which the client knows the table, the second tells when that was, so that a token
can grow old. Two tags follow. One ties the token to the environment and the table; the other to the user besides, who
alone may be told which of the rows that he could read then he has lost since.
"""

import base64
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from strongroom.clock import iso
from strongroom.errors import InvalidRequest
from strongroom.schema.model import Table

_TOKEN = re.compile(
    r"(?P<version>\d{1,18})!(?P<date>\d\d/\d\d/\d{4} \d\d:\d\d:\d\d)!"
    r"(?P<tag>[A-Za-z0-9_-]{22})(?P<own>[A-Za-z0-9_-]{22})"
)
_DATE: Final = "%m/%d/%Y %H:%M:%S"


@dataclass(frozen=True, slots=True)
class DeltaToken:
    """What a token says. `is_own` when it was made for the user who brings it; `made_on` is a time as rows have it."""

    version: int
    made_on: str
    is_own: bool


class UnknownDeltaToken(InvalidRequest):
    """400: a token that was not made here, or is too old. The client must read the table anew (WA-313)."""

    default_code = "0x80040203"

    def __init__(self, why: str) -> None:
        super().__init__(f"The delta token {why}. Read the table anew with Prefer: odata.track-changes.")


def make_delta_token(version: int, now: str, table: Table, user: str, key: bytes) -> str:
    """The token for a client that knows `table` up to `version`. `now` is a time as rows have it."""
    date = datetime.fromisoformat(now).strftime(_DATE)
    signed = f"{version}!{date}"
    return f"{signed}!{_tag(signed, table, '', key)}{_tag(signed, table, user, key)}"


def read_delta_token(text: str, table: Table, user: str, key: bytes) -> DeltaToken:
    """What the token says. `UnknownDeltaToken` when it was changed, or made for another table or environment."""
    found = _TOKEN.fullmatch(text.strip())
    if found is None:
        raise UnknownDeltaToken("is not one of this service")
    signed = f"{found['version']}!{found['date']}"
    if not hmac.compare_digest(_tag(signed, table, "", key), found["tag"]):
        raise UnknownDeltaToken("was not made for this table of this environment")
    is_own = hmac.compare_digest(_tag(signed, table, user, key), found["own"])
    made_on = iso(datetime.strptime(found["date"], _DATE).replace(tzinfo=UTC))
    return DeltaToken(int(found["version"]), made_on, is_own)


def _tag(signed: str, table: Table, user: str, key: bytes) -> str:
    """128 bits over everything that counts: the key is the environment's, the table's id stays when its name does not
    and is another one for a new table of an old name."""
    text = f"delta\n{table.metadata_id}\n{user}\n{signed}".encode()
    return base64.urlsafe_b64encode(hmac.digest(key, text, "sha256")[:16]).rstrip(b"=").decode("ascii")
