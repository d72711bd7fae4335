"""Policies, named locations, directory groups and risk as tables of the control environment (TS-722, TS-726, TS-727).

Conditions are lists of words, parted by commas or lines, because a policy is read and written by people: the words are
those of `docs/how-to/limit-sign-ins.md`, and `conditional.reading` says which of them is wrong.
"""

from strongroom.schema.model import ColumnType, Table
from strongroom.schema.platform_tables import Given, platform_table

_TEXT, _MEMO, _WHEN = ColumnType.STRING, ColumnType.MEMO, ColumnType.DATETIME
_FLAG, _NUMBER, _CHOICE, _LOOKUP = ColumnType.BOOLEAN, ColumnType.INTEGER, ColumnType.PICKLIST, ColumnType.LOOKUP

POLICY, LOCATION, GROUP, MEMBER, RISK = (
    "conditionalaccesspolicy",
    "namedlocation",
    "directorygroup",
    "directorygroupmember",
    "riskevent",
)


def conditional_tables() -> tuple[Table, ...]:
    """All of them."""
    return (_policies(), _locations(), *_groups(), _risks())


def _policies() -> Table:
    return platform_table(
        POLICY,
        "Conditional Access Policy",
        10710,
        (
            Given("name", _TEXT, "Name", written=True),
            Given("state", _CHOICE, "State", written=True, options=("Off", "Report only", "On")),
            Given("includeusers", _MEMO, "Include Users", written=True),
            Given("excludeusers", _MEMO, "Exclude Users", written=True),
            Given("environments", _TEXT, "Environments", length=2000, written=True),
            Given("includeapplications", _MEMO, "Include Applications", written=True),
            Given("excludeapplications", _MEMO, "Exclude Applications", written=True),
            Given("clientkinds", _TEXT, "Client Kinds", written=True),
            Given("includenetworks", _MEMO, "Include Networks", written=True),
            Given("excludenetworks", _MEMO, "Exclude Networks", written=True),
            Given("devices", _TEXT, "Device States", written=True),
            Given("leastsigninrisk", _NUMBER, "Least Sign-in Risk", written=True),
            Given("leastuserrisk", _NUMBER, "Least User Risk", written=True),
            Given("days", _TEXT, "Days", written=True),
            Given("hours", _TEXT, "Hours", written=True),
            Given("timezone", _TEXT, "Time Zone", written=True),
            Given("outsidehours", _FLAG, "Outside of These Hours", written=True),
            Given("outcome", _CHOICE, "Outcome", written=True, options=("Block", "Grant")),
            Given("requires", _TEXT, "Requires", written=True),
            Given("oneisenough", _FLAG, "One Is Enough", written=True),
            Given("sessionminutes", _NUMBER, "Session Minutes", written=True),
            Given("readonly", _FLAG, "Read Only", written=True),
        ),
        description="Who gets in, from where, how and when.",
        plural="conditionalaccesspolicies",
        keys=(("name",),),
    )


def _locations() -> Table:
    return platform_table(
        LOCATION,
        "Named Location",
        10711,
        (
            Given("name", _TEXT, "Name", written=True),
            Given("networks", _MEMO, "Networks", written=True),
            Given("istrusted", _FLAG, "Trusted", written=True),
        ),
        description="Networks under a name, for policies.",
        keys=(("name",),),
    )


def _groups() -> tuple[Table, ...]:
    return (
        platform_table(
            GROUP,
            "Directory Group",
            10712,
            (
                Given("name", _TEXT, "Name", written=True),
                Given("externalid", _TEXT, "External Id", length=500, written=True, indexed=True),
            ),
            description="People who belong together; a team of an environment may follow one.",
            keys=(("name",),),
        ),
        platform_table(
            MEMBER,
            "Directory Group Member",
            10713,
            (
                Given("name", _TEXT, "Name"),
                Given("directorygroupid", _LOOKUP, "Group", target=GROUP),
                Given("directoryuserid", _LOOKUP, "User", target="directoryuser"),
                Given("source", _TEXT, "Source"),
            ),
            description="One person in one group.",
        ),
    )


def _risks() -> Table:
    return platform_table(
        RISK,
        "Risk Event",
        10714,
        (
            Given("name", _TEXT, "What Happened"),
            Given("directoryuserid", _LOOKUP, "User", target="directoryuser"),
            Given("level", _NUMBER, "Level"),
            Given("address", _TEXT, "Address", length=64),
            Given("settledon", _WHEN, "Settled"),
            Given("settlement", _CHOICE, "Settlement", options=("Dismissed", "Confirmed")),
        ),
        description="What makes an account suspect, until an administrator settles it.",
    )
