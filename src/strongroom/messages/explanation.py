"""Why somebody may or may not, who else may, and what somebody sees (section 16 of the security model).

Each question is noted in the audit trail (SM-165), under the row or the principal that it is about.
"""

from collections.abc import Sequence

from strongroom.access.explain import Denial, Explanation
from strongroom.access.plan import ColumnAccess, Reason
from strongroom.access.reasons import Source
from strongroom.access.rights import RIGHT_NAMES, format_rights, parse_rights
from strongroom.access.who import Access
from strongroom.errors import InvalidRequest
from strongroom.ids import Reference
from strongroom.messages.operation import Arguments, Json, Kind, Operation, Parameter, Result
from strongroom.records import Session
from strongroom.records.backgrounds import Background, DenialBackground, backgrounds, denial_background
from strongroom.records.explaining import Seen, what_can_see, who_can_see
from strongroom.records.explaining_acts import NO_ACT, Act, explain_act
from strongroom.records.trail import note_question
from strongroom.schema.model import Rights

_COLUMN_PERMISSIONS = {
    ColumnAccess.READ: "canread",
    ColumnAccess.UPDATE: "canupdate",
    ColumnAccess.CREATE: "cancreate",
}
_EXPLANATION = {
    "Allowed": "Edm.Boolean",
    "Reasons": "Collection(Strongroom.AccessReason)",
    "Denial": "Strongroom.AccessDenial",
    "WouldAllow": "Collection(Strongroom.AccessChange)",
}


def one_right(text: str) -> Rights:
    """The right that a text names: `ReadAccess`, or `Read`. Anything else is 400."""
    name = text.strip()
    right = parse_rights(name if name.endswith("Access") or "," in name else f"{name}Access")
    if right.value.bit_count() != 1:
        raise InvalidRequest("'Right' names one right, such as 'ReadAccess'.")
    return right


def some_rights(text: str) -> Rights:
    """The rights in a list: `ReadAccess,WriteAccess`, or `Read,Write`; none in an empty text. Anything else is 400."""
    names = [name for each in text.split(",") if (name := each.strip())]
    return parse_rights(",".join(name if name.endswith("Access") else f"{name}Access" for name in names))


def _right(arguments: Arguments) -> Rights:
    return one_right(arguments.optional_text("Right") or RIGHT_NAMES[Rights.READ])


# --- the questions -------------------------------------------------------------------------------------------------


def explained(session: Session, principal: Reference, target: Reference, right: Rights, act: Act = NO_ACT) -> Json:
    """The answer of `sr_ExplainAccess`."""
    explanation = explain_act(session, principal, target, right, act)
    note_question(session, target, "sr_ExplainAccess", f"{RIGHT_NAMES[right]} of {principal.table},{principal.id}")
    return explanation_json(
        explanation,
        backgrounds(session, principal, target, right, explanation),
        denial_background(session, target, explanation),
    )


def who_sees(session: Session, target: Reference, right: Rights) -> Json:
    """The answer of `sr_WhoCan`."""
    found = who_can_see(session, target, right)
    note_question(session, target, "sr_WhoCan", RIGHT_NAMES[right])
    return {"Right": RIGHT_NAMES[right], "Count": len(found), "Users": [_holder_json(access) for access in found]}


def what_sees(session: Session, principal: Reference, right: Rights) -> Json:
    """The answer of `sr_WhatCan`."""
    found = what_can_see(session, principal, right)
    note_question(session, principal, "sr_WhatCan", RIGHT_NAMES[right])
    return {"Right": RIGHT_NAMES[right], "Tables": [_seen_json(seen) for seen in found]}


def _explain(session: Session, arguments: Arguments) -> Result:
    act = Act(
        arguments.optional_text("Column"),
        arguments.optional_reference("Owner"),
        arguments.optional_reference("With"),
        some_rights(arguments.optional_text("Rights") or ""),
    )
    right = one_right(arguments.text("Right"))
    return explained(session, arguments.reference("Principal"), arguments.reference("Target"), right, act)


def _who(session: Session, arguments: Arguments) -> Result:
    return who_sees(session, arguments.reference("Target"), _right(arguments))


def _what(session: Session, arguments: Arguments) -> Result:
    return what_sees(session, arguments.reference("Principal"), _right(arguments))


# --- their answers -------------------------------------------------------------------------------------------------


def explanation_json(explanation: Explanation, background: Sequence[Background], known: DenialBackground) -> Json:
    """An explanation as `sr_ExplainAccess` gives it."""
    denial = explanation.denial
    whose = {} if known.changes_of is None else {"For": _source_json(known.changes_of)}
    return {
        "Allowed": explanation.allowed,
        "Reasons": [
            {**_reason_json(reason), **_background_json(each)}
            for reason, each in zip(explanation.reasons, background, strict=True)
        ],
        "Denial": None if denial is None else _denial_json(denial, known),
        "WouldAllow": [{"Code": code, **whose} for code in explanation.would_allow],
    }


def _denial_json(denial: Denial, known: DenialBackground) -> dict[str, object]:
    """A denial with what its code says of it, and only that."""
    said: dict[str, object] = {"Code": str(denial.code)}
    if denial.privilege is not None:
        said |= {"Privilege": denial.privilege, "TakenByAccessMode": denial.taken_by_access_mode}
    if denial.widest is not None:
        said |= {"WidestDepth": denial.widest.depth.wire_name, "WidestRole": denial.widest.held.role.name}
    if denial.column is not None:
        said |= {"Column": denial.column, "Lacks": _COLUMN_PERMISSIONS[denial.lacks]}
    if denial.right:
        said["LacksRights"] = format_rights(denial.right)
    if denial.relationship is not None:
        said["Relationship"] = denial.relationship
    sources = {
        "Owner": known.owner,
        "OwningBusinessUnit": known.unit,
        "Anchor": known.anchor,
        "Row": known.row,
    }
    return said | {name: _source_json(source) for name, source in sources.items() if source is not None}


def _reason_json(reason: Reason) -> dict[str, object]:
    return {"Code": str(reason.code), "Sources": [_source_json(source) for source in reason.sources]}


def _background_json(known: Background) -> dict[str, object]:
    """Only what is there: most reasons have no background."""
    shown: dict[str, object] = {}
    if known.given_by:
        shown["GivenBy"] = [{**_source_json(giver.user), "On": giver.on} for giver in known.given_by]
    if known.inherited_from:
        shown["InheritedFrom"] = [
            {"Relationship": origin.relationship, **_source_json(origin.parent)} for origin in known.inherited_from
        ]
    if known.path:
        shown["Path"] = [_source_json(source) for source in known.path]
    return shown


def _source_json(source: Source) -> dict[str, object]:
    table, row_id, name = source
    return {"Table": table, "Id": row_id, "Name": name}


def _holder_json(access: Access) -> Json:
    return {
        "Id": access.user.id,
        "Name": access.user.name,
        "Reasons": [_reason_json(reason) for reason in access.reasons],
    }


def _seen_json(seen: Seen) -> Json:
    return {"Table": seen.table.logical_name, "Rows": seen.rows, "Total": seen.total}


_PRINCIPAL = Parameter("Principal", Kind.REFERENCE)
_TARGET = Parameter("Target", Kind.REFERENCE)
_RIGHT = Parameter("Right", Kind.STRING, required=False)

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "sr_ExplainAccess",
        True,
        _explain,
        (
            _PRINCIPAL,
            _TARGET,
            Parameter("Right", Kind.STRING),
            Parameter("Column", Kind.STRING, required=False),
            Parameter("Owner", Kind.REFERENCE, required=False),
            Parameter("With", Kind.REFERENCE, required=False),
            Parameter("Rights", Kind.STRING, required=False),
        ),
        result="ExplainAccessResponse",
        properties=_EXPLANATION,
        is_own=True,
    ),
    Operation(
        "sr_WhoCan",
        True,
        _who,
        (_TARGET, _RIGHT),
        result="WhoCanSeeResponse",
        properties={
            "Right": "Edm.String",
            "Count": "Edm.Int32",
            "Users": "Collection(Strongroom.AccessHolder)",
        },
        is_own=True,
        own_name="WhoCanSee",
    ),
    Operation(
        "sr_WhatCan",
        True,
        _what,
        (_PRINCIPAL, _RIGHT),
        result="WhatCanSeeResponse",
        properties={"Right": "Edm.String", "Tables": "Collection(Strongroom.AccessCount)"},
        is_own=True,
        own_name="WhatCanSee",
    ),
)
