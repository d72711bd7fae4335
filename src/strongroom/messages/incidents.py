"""The register of incidents in the control environment, and what a user did, in every one (TS-1601 to TS-1607)."""

from collections.abc import Callable, Mapping
from typing import cast

from strongroom.clock import iso
from strongroom.errors import InvalidRequest, ResourceNotFound
from strongroom.ids import Guid, parse_guid
from strongroom.incidents.clock import BreachClock
from strongroom.incidents.evidence import evidence_of
from strongroom.incidents.exposure import exposure_of
from strongroom.incidents.figures import figures_of
from strongroom.incidents.register import (
    ScopePart,
    add_step,
    close_incident,
    declare_breach,
    incident_clock,
    notice,
    notify,
    record_scope,
)
from strongroom.incidents.tables import INCIDENT, TO_AUTHORITY, TO_CUSTOMER, TO_SUBJECTS
from strongroom.messages.operation import Arguments, Json, Kind, Operation, Parameter, Result
from strongroom.records import Session


def _about(session: Session, arguments: Arguments) -> Guid:
    """The incident that is named; the operations are there in the control environment alone."""
    if INCIDENT not in session.schema.tables:
        raise ResourceNotFound("The register of incidents is in the control environment.")
    return arguments.guid("SecurityIncidentId")


def _declare(session: Session, arguments: Arguments) -> Result:
    incident = _about(session, arguments)
    aware = arguments.moment("AwareOn") if arguments.values.get("AwareOn") is not None else None
    assessment = arguments.optional_text("Assessment") or ""
    return _clock(declare_breach(session, incident, arguments.integer("RiskLevel"), assessment, aware))


def _show_clock(session: Session, arguments: Arguments) -> Result:
    return _clock(incident_clock(session, _about(session, arguments)))


def _add_step(session: Session, arguments: Arguments) -> Result:
    incident = _about(session, arguments)
    return {"StepId": add_step(session, incident, arguments.text("Name"), arguments.optional_text("Note") or "")}


def _record_scope(session: Session, arguments: Arguments) -> Result:
    incident = _about(session, arguments)
    return {"Tables": record_scope(session, incident, [_part(each) for each in arguments.objects("Parts")])}


def _preview(session: Session, arguments: Arguments) -> Result:
    words = notice(session, _about(session, arguments), arguments.integer("Recipient"))
    return {"Content": words.content, "Missing": list(words.missing), "Phase": words.phase}


def _notify_authority(session: Session, arguments: Arguments) -> Result:
    authority = arguments.values.get("SupervisoryAuthorityId")
    made = notify(
        session,
        _about(session, arguments),
        TO_AUTHORITY,
        delay_reason=arguments.optional_text("DelayReason") or "",
        exception=arguments.optional_text("Exception") or "",
        authority=cast("Guid | None", authority),
    )
    return {"NotificationId": made}


def _notify_subjects(session: Session, arguments: Arguments) -> Result:
    exception = arguments.optional_text("Exception") or ""
    return {"NotificationId": notify(session, _about(session, arguments), TO_SUBJECTS, exception=exception)}


def _notify_customer(session: Session, arguments: Arguments) -> Result:
    return {"NotificationId": notify(session, _about(session, arguments), TO_CUSTOMER)}


def _close(session: Session, arguments: Arguments) -> Result:
    close_incident(session, _about(session, arguments), arguments.text("Lessons"))
    return None


def _exposure(session: Session, arguments: Arguments) -> Result:
    found = exposure_of(session, arguments.guid("UserId"), arguments.moment("From"), arguments.moment("To"))
    shown = [
        {
            "Table": each.table,
            "Could": each.could,
            "Read": len(each.read) + each.unnamed,
            "Changed": len(each.changed),
            "People": each.is_of_people,
            "Digest": each.digest,
        }
        for each in found.tables
    ]
    return {
        "Rows": found.rows,
        "People": found.people,
        "Activities": found.activities,
        "Entries": found.entries,
        "Tables": shown,
    }


def _evidence(session: Session, arguments: Arguments) -> Result:
    return evidence_of(session, arguments.guid("UserId"), arguments.moment("From"), arguments.moment("To"))


def _figures(session: Session, _: Arguments) -> Result:
    if INCIDENT not in session.schema.tables:
        raise ResourceNotFound("The register of incidents is in the control environment.")
    return {
        "Figures": [
            {
                "What": each.what,
                "Incidents": each.incidents,
                "MedianHours": each.median_h,
                "LongestHours": each.longest_h,
            }
            for each in figures_of(session)
        ]
    }


def _clock(clock: BreachClock) -> Result:
    return {
        "AwareOn": None if clock.aware is None else iso(clock.aware),
        "DueOn": None if clock.due is None else iso(clock.due),
        "NotifiedOn": None if clock.notified is None else iso(clock.notified),
        "RemainingSeconds": None if clock.remaining is None else int(clock.remaining.total_seconds()),
        "WarningHours": clock.warning_h,
        "Late": clock.is_late,
    }


def _part(given: Json) -> ScopePart:
    user = parse_guid(str(given.get("UserId")))
    numbers = [given.get(name) for name in ("Could", "Read", "Changed")]
    texts = [given.get(name) for name in ("Environment", "From", "To", "Table", "Digest")]
    if user is None or not all(isinstance(each, int) and each >= 0 for each in numbers):
        raise InvalidRequest("A part of a scope has UserId, and Could, Read and Changed as numbers of rows.")
    if not all(isinstance(each, str) and each for each in texts):
        raise InvalidRequest("A part of a scope has Environment, From, To, Table and Digest as texts.")
    environment, since, until, table, digest = cast("list[str]", texts)
    could, read, changed = cast("list[int]", numbers)
    is_of_people = given.get("People") is True
    return ScopePart(environment, user, since, until, table, could, read, changed, is_of_people, digest)


_INCIDENT = Parameter("SecurityIncidentId", Kind.GUID)
_EXCEPTION = Parameter("Exception", Kind.STRING, required=False)
_NOTIFIED = {"NotificationId": "Edm.Guid"}
_CLOCK = {
    "AwareOn": "Edm.DateTimeOffset",
    "DueOn": "Edm.DateTimeOffset",
    "NotifiedOn": "Edm.DateTimeOffset",
    "RemainingSeconds": "Edm.Int64",
    "WarningHours": "Edm.Int32",
    "Late": "Edm.Boolean",
}
_OF_USER = (
    Parameter("UserId", Kind.GUID),
    Parameter("From", Kind.STRING, type="Edm.DateTimeOffset"),
    Parameter("To", Kind.STRING, type="Edm.DateTimeOffset"),
)


def _own(
    name: str,
    run: Callable[[Session, Arguments], Result],
    *parameters: Parameter,
    properties: Mapping[str, str] | None = None,
    is_function: bool = False,
) -> Operation:
    """An operation of ours; with `properties` it answers a `<name>Response`, else 204."""
    result = f"{name}Response" if properties else None
    return Operation(name, is_function, run, parameters, result=result, properties=properties or {}, is_own=True)


OPERATIONS: tuple[Operation, ...] = (
    _own(
        "DeclareBreach",
        _declare,
        _INCIDENT,
        Parameter("RiskLevel", Kind.INTEGER),
        Parameter("AwareOn", Kind.STRING, required=False, type="Edm.DateTimeOffset"),
        Parameter("Assessment", Kind.STRING, required=False),
        properties=_CLOCK,
    ),
    _own("RetrieveIncidentClock", _show_clock, _INCIDENT, properties=_CLOCK, is_function=True),
    _own(
        "AddIncidentStep",
        _add_step,
        _INCIDENT,
        Parameter("Name", Kind.STRING),
        Parameter("Note", Kind.STRING, required=False),
        properties={"StepId": "Edm.Guid"},
    ),
    _own(
        "RecordIncidentScope",
        _record_scope,
        _INCIDENT,
        Parameter("Parts", Kind.COMPLEXES, type="Collection(Strongroom.IncidentScopePart)"),
        properties={"Tables": "Edm.Int32"},
    ),
    _own(
        "PreviewNotification",
        _preview,
        _INCIDENT,
        Parameter("Recipient", Kind.INTEGER),
        properties={"Content": "Edm.String", "Missing": "Collection(Edm.String)", "Phase": "Edm.Int32"},
        is_function=True,
    ),
    _own(
        "NotifyAuthority",
        _notify_authority,
        _INCIDENT,
        Parameter("SupervisoryAuthorityId", Kind.GUID, required=False),
        Parameter("DelayReason", Kind.STRING, required=False),
        _EXCEPTION,
        properties=_NOTIFIED,
    ),
    _own("NotifySubjects", _notify_subjects, _INCIDENT, _EXCEPTION, properties=_NOTIFIED),
    _own("NotifyCustomer", _notify_customer, _INCIDENT, properties=_NOTIFIED),
    _own(
        "RetrieveIncidentFigures",
        _figures,
        properties={"Figures": "Collection(Strongroom.IncidentFigure)"},
        is_function=True,
    ),
    _own("CloseIncident", _close, _INCIDENT, Parameter("Lessons", Kind.STRING)),
    _own(
        "EstimateExposure",
        _exposure,
        *_OF_USER,
        properties={
            "Rows": "Edm.Int64",
            "People": "Edm.Int64",
            "Activities": "Edm.Int64",
            "Entries": "Edm.Int64",
            "Tables": "Collection(Strongroom.TableExposure)",
        },
        is_function=True,
    ),
    _own(
        "RetrieveEvidence",
        _evidence,
        *_OF_USER,
        properties={"Head": "Strongroom.TreeHead", "Items": "Collection(Strongroom.EvidenceItem)"},
        is_function=True,
    ),
)
