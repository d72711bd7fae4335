"""The tables of witnesses: who keeps heads of the trail where its owner cannot reach them (TS-814, TS-815).

| table | a row is |
| --- | --- |
| `auditwitness` | a webhook, another environment of this home, or an environment of another one that gets the heads |
| `auditanchor` | how far the heads have come to one witness, and what it said last |
| `witnessedhead` | a head of somebody else's trail that this environment keeps; a ledger |

`auditanchor` leaves no entries in the trail: each would make a head, which would be anchored.
"""

from functools import cache

from strongroom.schema.model import ColumnType, Table
from strongroom.schema.platform_tables import Given, platform_table

WITNESS, ANCHOR, WITNESSED = "auditwitness", "auditanchor", "witnessedhead"

KINDS = ("Webhook", "Environment", "Another Home")
OUTCOMES = ("Waiting", "Accepted", "Failed", "Disagrees")

_TEXT, _MEMO, _WHEN, _BIG = ColumnType.STRING, ColumnType.MEMO, ColumnType.DATETIME, ColumnType.BIGINT
_FLAG, _NUMBER, _CHOICE = ColumnType.BOOLEAN, ColumnType.INTEGER, ColumnType.PICKLIST


@cache
def witness_tables() -> tuple[Table, ...]:
    """All of them."""
    return (_witness(), _anchor(), _witnessed())


def _witness() -> Table:
    return platform_table(
        WITNESS,
        "Witness of the Trail",
        10777,
        (
            Given("name", _TEXT, "Name", length=60, written=True, indexed=True),
            Given("isenabled", _FLAG, "Enabled", written=True),
            Given("kind", _CHOICE, "Kind", written=True, options=KINDS),
            Given("address", _TEXT, "Address", length=1000, written=True),
            Given("clientid", _TEXT, "Application There", length=40, written=True),
            Given("certificates", _MEMO, "Trusted Certificates (PEM)", written=True),
        ),
        description="Who gets the signed heads of the trail, to hold the platform to them.",
        plural="auditwitnesses",
        keys=(("name",),),
    )


def _anchor() -> Table:
    return platform_table(
        ANCHOR,
        "Anchor of the Trail",
        10778,
        (
            Given("name", _TEXT, "Witness", length=100, indexed=True),
            Given("outcome", _CHOICE, "Last Outcome", options=OUTCOMES),
            Given("treesize", _BIG, "Leaves under the Kept Head"),
            Given("roothash", _TEXT, "Its Root", length=64),
            Given("signedon", _WHEN, "Signed"),
            Given("depositedon", _WHEN, "Kept There Since"),
            Given("deposits", _BIG, "Heads Kept There"),
            Given("triedon", _WHEN, "Last Attempt"),
            Given("failures", _NUMBER, "Failures in a Row"),
            Given("lasterror", _TEXT, "What It Said", length=500),
        ),
        description="Where heads of the trail were deposited.",
        keys=(("name",),),
        is_audited=False,
    )


def _witnessed() -> Table:
    return platform_table(
        WITNESSED,
        "Witnessed Head",
        10779,
        (
            Given("name", _TEXT, "Whose", length=100),
            Given("environmentid", ColumnType.UNIQUEIDENTIFIER, "Environment", indexed=True),
            Given("treesize", _BIG, "Leaves"),
            Given("roothash", _TEXT, "Root", length=64),
            Given("signedon", _WHEN, "Signed"),
            Given("keyid", _TEXT, "Key", length=16),
            Given("publickey", _TEXT, "Public Key", length=100),
            Given("signature", _TEXT, "Signature", length=200),
            Given("previoushead", _TEXT, "Head Before", length=64),
            Given("istestclock", _FLAG, "Signed under a Test Clock"),
            Given("resetreason", _TEXT, "Why Another Log Begins After This", length=500),
        ),
        description="A head of somebody else's trail, kept as a witness.",
    )
