"""The tables of monitoring, which every environment has.

| table | a row is |
| --- | --- |
| `alertrule` | what to look for in the trail, how often in what time, and who is told (TS-823, TS-824) |
| `alert` | what a rule found: the entries behind it, who looks after it, how it ended (TS-825) |
| `siemdestination` | where events of the trail are sent, and in what form (TS-818) |
| `siemdelivery` | how far a reader of the trail has come: each destination, and the alert rules (TS-818) |

Those of witnesses, who keep heads of the trail, are in `witness_tables`, and what clients asked for in vain in `trace`.
Rules and destinations are written by clients;
the others by the platform alone. `siemdelivery` leaves no entries in the trail: each would be an event to send, which
would move the reader on, which would leave an entry.
"""

from functools import cache

from strongroom.monitoring.trace import trace_table
from strongroom.monitoring.witness_tables import witness_tables
from strongroom.schema.model import ColumnType, Table
from strongroom.schema.platform_tables import Given, platform_table

_TEXT, _MEMO, _WHEN = ColumnType.STRING, ColumnType.MEMO, ColumnType.DATETIME
_FLAG, _NUMBER, _CHOICE, _LOOKUP = ColumnType.BOOLEAN, ColumnType.INTEGER, ColumnType.PICKLIST, ColumnType.LOOKUP

RULE, ALERT, DESTINATION, DELIVERY = "alertrule", "alert", "siemdestination", "siemdelivery"

SEVERITIES = ("Low", "Medium", "High", "Critical")
STATES = ("New", "Acknowledged", "In progress", "Resolved", "False positive")
COUNTS = ("Entries", "Sum of a column", "Different values of a column")
SOURCES = ("audit", "activitylog")
CONDITIONS = ("Administrator role", "To oneself", "From a new network", "Not active for 90 days")
KINDS = ("File", "Webhook", "Syslog over TCP", "Syslog over TLS")
FORMATS = ("OCSF", "CEF", "Plain JSON")
DELIVERY_STATES = ("Waiting", "Delivering", "Failing", "Refused")


@cache
def monitoring_tables() -> tuple[Table, ...]:
    """All of them."""
    return (*_alerts(), *_stream(), *witness_tables(), trace_table())


def _alerts() -> tuple[Table, ...]:
    return (
        platform_table(
            RULE,
            "Alert Rule",
            10761,
            (
                Given("name", _TEXT, "Name", written=True),
                Given("code", _TEXT, "Code", length=100, indexed=True),
                Given("isenabled", _FLAG, "Enabled", written=True),
                Given("severity", _CHOICE, "Severity", written=True, options=SEVERITIES),
                Given("source", _TEXT, "Table of the Trail", length=100, written=True),
                Given("filter", _MEMO, "Filter", written=True),
                Given("condition", _CHOICE, "Further Condition", written=True, options=CONDITIONS),
                Given("windowminutes", _NUMBER, "Window in Minutes", written=True),
                Given("threshold", _NUMBER, "Threshold", written=True),
                Given("counts", _CHOICE, "What Is Counted", written=True, options=COUNTS),
                Given("countcolumn", _TEXT, "Counted Column", length=100, written=True),
                Given("groupby", _TEXT, "Group By", length=100, written=True),
                Given("suppressminutes", _NUMBER, "Suppression in Minutes", written=True),
                Given("recipients", _MEMO, "Recipients", written=True),
                Given("webhook", _TEXT, "Webhook", length=1000, written=True),
                Given("escalateminutes", _NUMBER, "Escalation after Minutes", written=True),
                Given("escalationrecipients", _MEMO, "Recipients of Escalations", written=True),
                Given("offreason", _TEXT, "Reason for Switching Off", length=500, written=True),
            ),
            description="What to look for in the trail, and who is told.",
        ),
        platform_table(
            ALERT,
            "Alert",
            10762,
            (
                Given("name", _TEXT, "Name", length=500),
                Given("alertruleid", _LOOKUP, "Rule", target=RULE),
                Given("code", _TEXT, "Code", length=100),
                Given("severity", _CHOICE, "Severity", options=SEVERITIES),
                Given("state", _CHOICE, "State", options=STATES),
                Given("groupvalue", _TEXT, "Group", length=400, indexed=True),
                Given("hits", _NUMBER, "Entries"),
                Given("total", _NUMBER, "Count"),
                Given("firsthiton", _WHEN, "First Entry"),
                Given("lasthiton", _WHEN, "Last Entry"),
                Given("suppresseduntil", _WHEN, "Suppressed Until"),
                Given("suppressionreason", _TEXT, "Reason for Suppression", length=500),
                Given("trailrows", _MEMO, "Entries of the Trail"),
                Given("involvedusers", _MEMO, "Involved Users"),
                Given("acknowledgedby", _LOOKUP, "Acknowledged By", target="systemuser"),
                Given("acknowledgedon", _WHEN, "Acknowledged On"),
                Given("proposedby", _LOOKUP, "Closing Proposed By", target="systemuser"),
                Given("closedby", _LOOKUP, "Closed By", target="systemuser"),
                Given("closedon", _WHEN, "Closed On"),
                Given("note", _MEMO, "Note"),
                Given("toldon", _WHEN, "Told On"),
                Given("tellattempts", _NUMBER, "Attempts to Tell"),
                Given("tellnexton", _WHEN, "Next Attempt"),
                Given("tellerror", _TEXT, "Why It Could Not Be Told", length=500),
                Given("escalatedon", _WHEN, "Escalated On"),
            ),
            description="What a rule found in the trail.",
        ),
    )


def _stream() -> tuple[Table, ...]:
    return (
        platform_table(
            DESTINATION,
            "Stream Destination",
            10763,
            (
                Given("name", _TEXT, "Name", length=60, written=True, indexed=True),
                Given("isenabled", _FLAG, "Enabled", written=True),
                Given("kind", _CHOICE, "Kind", written=True, options=KINDS),
                Given("format", _CHOICE, "Format", written=True, options=FORMATS),
                Given("address", _TEXT, "Address", length=1000, written=True),
                Given("certificates", _MEMO, "Trusted Certificates (PEM)", written=True),
                Given("dropspersonal", _FLAG, "Personal Values Left Out", written=True),
                Given("secretversion", _NUMBER, "Version of the Secret", written=True),
            ),
            description="Where events of the trail are sent, and in what form.",
            keys=(("name",),),
        ),
        platform_table(
            DELIVERY,
            "Stream Delivery",
            10764,
            (
                Given("name", _TEXT, "Reader", length=100, indexed=True),
                Given("siemdestinationid", _LOOKUP, "Destination", target=DESTINATION),
                Given("position", ColumnType.BIGINT, "Next Place of the Log"),
                Given("state", _CHOICE, "State", options=DELIVERY_STATES),
                Given("delivered", ColumnType.BIGINT, "Delivered Events"),
                Given("deliveredon", _WHEN, "Last Delivery"),
                Given("lastevent", _WHEN, "Time of the Last Event"),
                Given("failures", _NUMBER, "Failures in a Row"),
                Given("failingsince", _WHEN, "Failing Since"),
                Given("lasterror", _TEXT, "Last Error", length=500),
                Given("testwanted", _FLAG, "Test Wanted"),
                Given("testedon", _WHEN, "Last Test"),
                Given("testresult", _TEXT, "Result of the Last Test", length=500),
            ),
            description="How far a reader of the trail has come.",
            plural="siemdeliveries",
            keys=(("name",),),
            is_audited=False,
        ),
    )
