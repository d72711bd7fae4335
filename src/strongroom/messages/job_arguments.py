"""When a system job begins and comes again, and whom it tells: the arguments that actions with jobs share."""

from strongroom.background.jobs import When, when
from strongroom.errors import InvalidRequest
from strongroom.messages.operation import Arguments, Kind, Parameter
from strongroom.records import Session

NOTICE: tuple[Parameter, ...] = (
    Parameter("SendEmailNotification", Kind.BOOLEAN, required=False),
    Parameter("ToRecipients", Kind.COMPLEXES, required=False, type="Collection(mscrm.activityparty)"),
    Parameter("CCRecipients", Kind.COMPLEXES, required=False, type="Collection(mscrm.activityparty)"),
)
"""Whom Dataverse writes to when the job is over."""


def when_of(session: Session, arguments: Arguments, start: str) -> When:
    """When the job runs: `start` names the parameter with its first time; without it, and with `RunNow`, at once."""
    if arguments.flag("SendEmailNotification"):
        raise InvalidRequest(
            "Jobs send no mail: leave out SendEmailNotification, and look at asyncoperations(<JobId>) for how it ended."
        )
    recurrence = (arguments.optional_text("RecurrencePattern") or "").strip()
    is_at_once = not arguments.optional_text(start) or arguments.flag("RunNow")
    return when(session.clock, None if is_at_once else arguments.moment(start), recurrence)
