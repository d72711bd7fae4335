"""`Merge`: two rows that mean the same become one (WA-401, SM-114)."""

from strongroom.errors import InvalidRequest
from strongroom.messages.entities import type_of, values_in
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action
from strongroom.records import Session, merge


def _merge(session: Session, arguments: Arguments) -> Result:
    target = arguments.reference("Target")
    body = arguments.optional_object("UpdateContent") or {}
    named = type_of(session.schema, body["@odata.type"]) if "@odata.type" in body else None
    if named is not None and named.logical_name != target.table:
        raise InvalidRequest(f"'UpdateContent' holds values of the target, which is a row of '{target.table}'.")
    merge(
        session,
        target,
        arguments.reference("Subordinate"),
        values_in(session, session.table(target.table), body, "UpdateContent"),
        same_parents=arguments.flag("PerformParentingChecks"),
    )
    return None


OPERATIONS: tuple[Operation, ...] = (
    action(
        "Merge",
        _merge,
        Parameter("Target", Kind.REFERENCE),
        Parameter("Subordinate", Kind.REFERENCE),
        Parameter("UpdateContent", Kind.COMPLEX, required=False, type="mscrm.crmbaseentity"),
        Parameter("PerformParentingChecks", Kind.BOOLEAN, required=False),
    ),
)
