"""Why somebody may or may not (section 16 of the security model)."""

from strongroom.access.explain import Explanation
from strongroom.access.rights import parse_rights
from strongroom.errors import InvalidRequest
from strongroom.messages.operation import Arguments, Json, Kind, Operation, Parameter, Result
from strongroom.records import Session
from strongroom.records.explaining import explain_access

_PROPERTIES = {
    "Allowed": "Edm.Boolean",
    "Reasons": "Collection(Strongroom.AccessReason)",
    "Denial": "Strongroom.AccessDenial",
    "WouldAllow": "Collection(Strongroom.AccessChange)",
}


def _explain(session: Session, arguments: Arguments) -> Result:
    right = parse_rights(arguments.text("Right"))
    if right.value.bit_count() != 1:
        raise InvalidRequest("'Right' names one right, such as 'ReadAccess'.")
    explanation = explain_access(session, arguments.reference("Principal"), arguments.reference("Target"), right)
    return explanation_json(explanation)


def explanation_json(explanation: Explanation) -> Json:
    """An explanation as `sr_ExplainAccess` gives it."""
    denial = explanation.denial
    shown: dict[str, object] = {
        "Allowed": explanation.allowed,
        "Reasons": [
            {
                "Code": str(reason.code),
                "Sources": [{"Table": table, "Id": row_id, "Name": name} for table, row_id, name in reason.sources],
            }
            for reason in explanation.reasons
        ],
        "Denial": None,
        "WouldAllow": [{"Code": code} for code in explanation.would_allow],
    }
    if denial is not None:
        said: dict[str, object] = {"Code": str(denial.code)}
        if denial.privilege is not None:
            said["Privilege"] = denial.privilege
            said["TakenByAccessMode"] = denial.taken_by_access_mode
        if denial.widest is not None:
            said["WidestDepth"] = denial.widest.depth.wire_name
            said["WidestRole"] = denial.widest.held.role.name
        shown["Denial"] = said
    return shown


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "sr_ExplainAccess",
        True,
        _explain,
        (
            Parameter("Principal", Kind.REFERENCE),
            Parameter("Target", Kind.REFERENCE),
            Parameter("Right", Kind.STRING),
        ),
        result="ExplainAccessResponse",
        properties=_PROPERTIES,
        is_own=True,
    ),
)
