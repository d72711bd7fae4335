"""`InitializeFrom`: a new row prefilled from an existing one (WA-400)."""

from strongroom.errors import InvalidRequest
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result
from strongroom.records import Session, require
from strongroom.schema.model import Rights


def _initialize_from(session: Session, arguments: Arguments) -> Result:
    """A row of the target table that points back to the source through their relationship."""
    source = arguments.reference("EntityMoniker")
    target = session.schema.tables.get(arguments.text("TargetEntityName"))
    if target is None:
        raise InvalidRequest(f"There is no table '{arguments.text('TargetEntityName')[:100]}'.", code="0x80041102")
    row = require(session, session.table(source.table), source.id, Rights.READ)
    prefilled: dict[str, object] = {"@odata.type": f"#Microsoft.Dynamics.CRM.{target.logical_name}"}
    address = f"/{row.table.entity_set_name}({row.id})"
    for relationship in session.schema.parents_of(target.logical_name):
        column = target.columns[relationship.referencing_column]
        is_business = column.valid_for_create and not relationship.referencing_column.startswith(("owning", "created"))
        if relationship.referenced_table == source.table and is_business:
            prefilled[f"{relationship.lookup_nav}@odata.bind"] = address
            break
    return prefilled


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "InitializeFrom",
        True,
        _initialize_from,
        (
            Parameter("EntityMoniker", Kind.REFERENCE),
            Parameter("TargetEntityName", Kind.STRING),
            Parameter("TargetFieldType", Kind.ENUM, required=False, type="mscrm.TargetFieldType"),
        ),
        result="crmbaseentity",
    ),
)
