"""When a system job begins and comes again, and whom it tells: the arguments that actions with jobs share."""

from datetime import timedelta

from strongroom.background.jobs import When
from strongroom.background.recurrence import read_recurrence
from strongroom.clock import iso
from strongroom.errors import InvalidRequest
from strongroom.messages.operation import Arguments, Kind, Parameter
from strongroom.records import Session

_FARTHEST = timedelta(days=3653)

NOTICE: tuple[Parameter, ...] = (
    Parameter("SendEmailNotification", Kind.BOOLEAN, required=False),
    Parameter("ToRecipients", Kind.COMPLEXES, required=False, type="Collection(mscrm.activityparty)"),
    Parameter("CCRecipients", Kind.COMPLEXES, required=False, type="Collection(mscrm.activityparty)"),
)
"""Whom Dataverse writes to when the job is over."""


def when(session: Session, arguments: Arguments, start: str) -> When:
    """When the job runs: `start` names the parameter with its first time; without it, and with `RunNow`, at once."""
    if arguments.flag("SendEmailNotification"):
        raise InvalidRequest(
            "Jobs send no mail: leave out SendEmailNotification, and look at asyncoperations(<JobId>) for how it ended."
        )
    recurrence = (arguments.optional_text("RecurrencePattern") or "").strip()
    if recurrence:
        read_recurrence(recurrence)
    if not arguments.optional_text(start) or arguments.flag("RunNow"):
        return When(None, recurrence)
    moment = arguments.moment(start)
    if moment - session.clock.now() > _FARTHEST:
        raise InvalidRequest(f"'{start}' is more than ten years ahead; a job begins sooner.")
    return When(iso(moment), recurrence)
