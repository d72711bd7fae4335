"""The tables of the lockbox.

| table | where | a row is |
| --- | --- | --- |
| `lockboxpolicy` | control | what an environment's owner wants: protected or not, emergencies allowed or not |
| `lockboxrequest` | control | who asks for what, why and for how long; who decided |
| `lockboxexclusion` | control | an emergency access without consent, its second person and its review |
| `lockboxsession` | every environment | what was approved, and the user of its own that has it |
| `lockboxcommand` | every environment | one request of a session, as it was sent, without values; never changed |
"""

from functools import cache

from strongroom.schema.model import ColumnType, Table
from strongroom.schema.platform_tables import Given, platform_table

POLICY, REQUEST, EXCLUSION = "lockboxpolicy", "lockboxrequest", "lockboxexclusion"
SESSION, COMMAND = "lockboxsession", "lockboxcommand"

_TEXT, _MEMO, _WHEN, _FLAG = ColumnType.STRING, ColumnType.MEMO, ColumnType.DATETIME, ColumnType.BOOLEAN
_NUMBER, _CHOICE, _LOOKUP, _GUID = (
    ColumnType.INTEGER,
    ColumnType.PICKLIST,
    ColumnType.LOOKUP,
    ColumnType.UNIQUEIDENTIFIER,
)
STATUSES = ("Action needed", "Approved", "Denied", "Expired", "Revoked", "Ended")
_EXCLUSIONS = ("Waiting for the second person", "Open", "Ended", "Reviewed", "Expired")


@cache
def session_tables() -> tuple[Table, ...]:
    """Those of every environment."""
    return (
        platform_table(
            SESSION,
            "Support Session",
            10765,
            (
                Given("name", _TEXT, "Request", length=300),
                Given("requestid", _GUID, "Request Id", indexed=True),
                Given("principalid", _LOOKUP, "User", target="systemuser"),
                Given("requester", _TEXT, "Requested By", length=320),
                Given("justification", _MEMO, "Justification"),
                Given("scopetables", _MEMO, "Tables"),
                Given("scopeverbs", _TEXT, "Verbs", length=200),
                Given("scopecolumns", _MEMO, "Secured Columns"),
                Given("startedon", _WHEN, "Started"),
                Given("accessexpireson", _WHEN, "Ends At The Latest"),
                Given("endedon", _WHEN, "Ended"),
                Given("isemergency", _FLAG, "Emergency"),
            ),
            description="What support may do in this environment, and until when.",
        ),
        platform_table(
            COMMAND,
            "Support Command",
            10766,
            (
                Given("name", _TEXT, "Request", length=2000),
                Given("lockboxsessionid", _LOOKUP, "Session", target=SESSION),
                Given("correlationid", _TEXT, "Request Id", length=100),
                Given("address", _TEXT, "Address", length=64),
                Given("client", _TEXT, "Client", length=300),
            ),
            description="One request of support, written before it is answered.",
        ),
    )


@cache
def request_tables() -> tuple[Table, ...]:
    """Those of the control environment."""
    return (
        platform_table(
            POLICY,
            "Lockbox Policy",
            10767,
            (
                Given("name", _TEXT, "Environment", written=True, indexed=True),
                Given("isprotected", _FLAG, "Protected", written=True),
                Given("allowsbreakglass", _FLAG, "Emergencies Allowed", written=True),
                Given("protectionendson", _WHEN, "Protection Ends"),
            ),
            description="What the owner of an environment wants of support.",
            plural="lockboxpolicies",
            keys=(("name",),),
        ),
        platform_table(
            REQUEST,
            "Lockbox Request",
            10768,
            (
                Given("name", _TEXT, "Request", length=300),
                Given("supportcase", _TEXT, "Support Case"),
                Given("environmentname", _TEXT, "Environment", indexed=True),
                Given("requesterid", _LOOKUP, "Requested By", target="systemuser"),
                Given("justification", _MEMO, "Justification"),
                Given("scopetables", _MEMO, "Tables"),
                Given("scopeverbs", _TEXT, "Verbs", length=200),
                Given("scopecolumns", _MEMO, "Secured Columns"),
                Given("accessminutes", _NUMBER, "Minutes"),
                Given("requestedon", _WHEN, "Requested On"),
                Given("expireson", _WHEN, "Expires On"),
                Given("requeststatus", _CHOICE, "Status", options=STATUSES),
                Given("internallyapprovedby", _LOOKUP, "Second Support Person", target="systemuser"),
                Given("decidedby", _LOOKUP, "Decided By", target="systemuser"),
                Given("decidedon", _WHEN, "Decided On"),
                Given("decision", _MEMO, "Reason of the Decision"),
                Given("accessexpireson", _WHEN, "Access Ends"),
                Given("sessionuid", _GUID, "Session Id"),
            ),
            description="Somebody of support asks for access.",
        ),
        platform_table(
            EXCLUSION,
            "Lockbox Exclusion",
            10769,
            (
                Given("name", _TEXT, "Emergency", length=300),
                Given("environmentname", _TEXT, "Environment", indexed=True),
                Given("operatorid", _LOOKUP, "Operator", target="systemuser"),
                Given("secondoperatorid", _LOOKUP, "Second Operator", target="systemuser"),
                Given("reason", _MEMO, "Reason"),
                Given("exclusionstate", _CHOICE, "State", options=_EXCLUSIONS),
                Given("accessexpireson", _WHEN, "Access Ends"),
                Given("sessionuid", _GUID, "Session Id"),
                Given("reviewdueon", _WHEN, "Review Due"),
                Given("reviewedby", _LOOKUP, "Reviewed By", target="systemuser"),
                Given("reviewedon", _WHEN, "Reviewed On"),
                Given("review", _MEMO, "Review"),
            ),
            description="An access without consent, to restore the service.",
        ),
    )
