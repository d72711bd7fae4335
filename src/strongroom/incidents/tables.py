"""The tables of the register, which only the control environment has.

| table | a row is |
| --- | --- |
| `securityincident` | an incident; when it is a personal-data breach, with its risk and the clock of 72 hours |
| `incidentstep` | the timeline: who did or decided what; a ledger |
| `incidentscope` | what somebody could and did read or change in one environment, as the trail told it; a ledger |
| `incidenttask` | what is to be done, by whom, until when |
| `breachnotification` | what was sent to an authority, to people, to a customer, or why not; a ledger |
| `supervisoryauthority` | whom a breach is notified to |
| `notificationtemplate` | words to begin a notification with |
"""

from functools import cache

from strongroom.schema.model import ColumnType, Table
from strongroom.schema.platform_tables import Given, platform_table

INCIDENT, STEP, SCOPE, TASK = "securityincident", "incidentstep", "incidentscope", "incidenttask"
NOTIFICATION, AUTHORITY, TEMPLATE = "breachnotification", "supervisoryauthority", "notificationtemplate"

SEVERITIES = ("Low", "Medium", "High", "Critical")
STATES = ("New", "Triage", "Contained", "Eradicated", "Recovered", "Closed")
RISKS = ("None likely", "Risk", "High risk")
RECIPIENTS = ("Authority", "Subjects", "Customer")
KINDS = ("Note", "State", "Clock", "Scope", "Notification", "Decision")

NEW, TRIAGE, CONTAINED, ERADICATED, RECOVERED, CLOSED = range(1, 7)
NO_RISK, RISK, HIGH_RISK = range(1, 4)
NOTE, STATE, CLOCK, SCOPED, NOTIFIED, DECISION = range(1, 7)
TO_AUTHORITY, TO_SUBJECTS, TO_CUSTOMER = range(1, 4)

_TEXT, _MEMO, _WHEN, _FLAG = ColumnType.STRING, ColumnType.MEMO, ColumnType.DATETIME, ColumnType.BOOLEAN
_NUMBER, _CHOICE, _LOOKUP = ColumnType.INTEGER, ColumnType.PICKLIST, ColumnType.LOOKUP


@cache
def incident_tables() -> tuple[Table, ...]:
    """All of them."""
    return (_incident(), *_ledgers(), *_others())


def _of_incident() -> Given:
    return Given("securityincidentid", _LOOKUP, "Incident", target=INCIDENT, written=True)


def _incident() -> Table:
    return platform_table(
        INCIDENT,
        "Security Incident",
        10750,
        (
            Given("name", _TEXT, "Name", written=True),
            Given("description", _MEMO, "Description", written=True),
            Given("detectedon", _WHEN, "Detected", written=True),
            Given("awareon", _WHEN, "Aware Since", written=True),
            Given("awarereason", _MEMO, "Why That Was Changed", written=True),
            Given("severity", _CHOICE, "Severity", written=True, options=SEVERITIES),
            Given("state", _CHOICE, "State", written=True, options=STATES),
            Given("responsibleid", _LOOKUP, "Responsible", target="systemuser", written=True),
            Given("ispersonaldatabreach", _FLAG, "Personal-data Breach"),
            Given("risklevel", _CHOICE, "Risk", options=RISKS),
            Given("assessment", _MEMO, "Assessment of the Risk"),
            Given("nature", _MEMO, "Nature of the Breach", written=True),
            Given("categories", _MEMO, "Categories of People and Data", written=True),
            Given("contact", _MEMO, "Contact", written=True),
            Given("consequences", _MEMO, "Likely Consequences", written=True),
            Given("measures", _MEMO, "Measures", written=True),
            Given("lessons", _MEMO, "Lessons"),
            Given("containedon", _WHEN, "Contained"),
            Given("authoritynotifiedon", _WHEN, "Authority Notified"),
            Given("subjectsnotifiedon", _WHEN, "People Notified"),
            Given("closedon", _WHEN, "Closed"),
        ),
        description="An incident, and whether it is a personal-data breach.",
    )


def _ledgers() -> tuple[Table, ...]:
    return (
        platform_table(
            STEP,
            "Incident Step",
            10751,
            (
                Given("name", _TEXT, "Step", length=400),
                _of_incident(),
                Given("kind", _CHOICE, "Kind", options=KINDS),
                Given("note", _MEMO, "Note"),
                Given("author", _LOOKUP, "By", target="systemuser"),
            ),
            description="The timeline of an incident.",
        ),
        platform_table(
            SCOPE,
            "Incident Scope",
            10752,
            (
                Given("name", _TEXT, "Table", length=128),
                _of_incident(),
                Given("environment", _TEXT, "Environment"),
                Given("principalid", ColumnType.UNIQUEIDENTIFIER, "User"),
                Given("fromtime", _WHEN, "From"),
                Given("totime", _WHEN, "To"),
                Given("rowscould", _NUMBER, "Rows That Could Be Read"),
                Given("rowsread", _NUMBER, "Rows That Were Read"),
                Given("rowschanged", _NUMBER, "Rows That Were Changed"),
                Given("isofpeople", _FLAG, "Rows Are People"),
                Given("digest", _TEXT, "Digest of the Rows", length=64),
            ),
            description="What somebody could and did read or change, as the trail told it.",
        ),
        platform_table(
            NOTIFICATION,
            "Breach Notification",
            10753,
            (
                Given("name", _TEXT, "Subject", length=400),
                _of_incident(),
                Given("recipient", _CHOICE, "To", options=RECIPIENTS),
                Given("supervisoryauthorityid", _LOOKUP, "Authority", target=AUTHORITY),
                Given("issent", _FLAG, "Sent"),
                Given("phase", _NUMBER, "Phase"),
                Given("delayreason", _MEMO, "Reason of the Delay"),
                Given("reason", _MEMO, "Why It Was Not Sent"),
                Given("content", _MEMO, "Content"),
                Given("contentsha256", _TEXT, "SHA-256 of the Content", length=64),
            ),
            description="What was sent to an authority, to people or to a customer, or why not.",
        ),
    )


def _others() -> tuple[Table, ...]:
    return (
        platform_table(
            TASK,
            "Incident Task",
            10754,
            (
                Given("name", _TEXT, "Task", length=400, written=True),
                _of_incident(),
                Given("responsibleid", _LOOKUP, "Responsible", target="systemuser", written=True),
                Given("dueon", _WHEN, "Due", written=True),
                Given("isdone", _FLAG, "Done", written=True),
            ),
            description="What is to be done about an incident.",
        ),
        platform_table(
            AUTHORITY,
            "Supervisory Authority",
            10755,
            (
                Given("name", _TEXT, "Name", written=True),
                Given("country", _TEXT, "Country", written=True),
                Given("address", _MEMO, "Address", written=True),
                Given("mail", _TEXT, "Mail", length=320, written=True),
            ),
            description="Whom a breach is notified to.",
            plural="supervisoryauthorities",
        ),
        platform_table(
            TEMPLATE,
            "Notification Template",
            10756,
            (
                Given("name", _TEXT, "Subject", length=400, written=True),
                Given("recipient", _CHOICE, "To", options=RECIPIENTS, written=True),
                Given("content", _MEMO, "Content", written=True),
            ),
            description="Words to begin a notification with; {nature} and its kin stand for what the incident says.",
        ),
    )
