"""`PublishDuplicateRule` and its end: from when on, and until when, a rule finds duplicates (WA-422).

A rule is published in the request that asks for it; the job that documentation describes is the record of that.
"""

from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action
from strongroom.records import Session, update
from strongroom.records.create import store_new
from strongroom.records.duplicate_rules import PUBLISHED, RULE, UNPUBLISHED
from strongroom.store.protocol import Value

_PUBLISHING = 7  # asyncoperation.operationtype
_COMPLETED, _SUCCEEDED = 3, 30


def _publish(session: Session, arguments: Arguments) -> Result:
    rule = arguments.bound()
    update(session, session.table(RULE), rule.id, {"statecode": PUBLISHED})
    values: dict[str, Value] = {
        "name": "Publish duplicate rule",
        "operationtype": _PUBLISHING,
        "statecode": _COMPLETED,
        "statuscode": _SUCCEEDED,
        "startedon": session.now,
        "completedon": session.now,
    }
    job = store_new(session, session.table("asyncoperation"), values)
    return {
        "@odata.type": "#Microsoft.Dynamics.CRM.asyncoperation",
        "asyncoperationid": job.id,
        **{name: job.values[name] for name in values},
    }


def _unpublish(session: Session, arguments: Arguments) -> Result:
    update(session, session.table(RULE), arguments.guid("DuplicateRuleId"), {"statecode": UNPUBLISHED})
    return None


OPERATIONS: tuple[Operation, ...] = (
    Operation("PublishDuplicateRule", False, _publish, bound_to=(RULE,), result="asyncoperation"),
    action("UnpublishDuplicateRule", _unpublish, Parameter("DuplicateRuleId", Kind.GUID)),
)
