"""`ResetInheritedAccess`: end inherited rights whose relationship passes nothing on any more (SM-89)."""

from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result
from strongroom.query.ast import Field, Output, Select, Source
from strongroom.query.fetchxml import read_fetchxml
from strongroom.records import Session, reset_inherited_access, retrieve_page
from strongroom.records.reading_context import read_context
from strongroom.schema.model import Table

_SHARES = "principalobjectaccess"


def _reset(session: Session, arguments: Arguments) -> Result:
    shares = session.table(_SHARES)
    text = arguments.text("FetchXml")
    query = read_fetchxml(session.schema, text, read_context(session), expected_table=shares)
    select = _ids_only(shares, query.select)
    ended = reset_inherited_access(session, [record.id for record in retrieve_page(session, select).rows if record.id])
    return {"ResetInheritedAccessResponse": f"ExecutionMode: Synchronous. Inherited access ended on {ended} shares."}


def _ids_only(shares: Table, select: Select) -> Select:
    return Select(
        Source(shares),
        (Output(shares.primary_id, Field("", shares.id_column)),),
        joins=select.joins,
        where=select.where,
    )


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "ResetInheritedAccess",
        True,
        _reset,
        (Parameter("FetchXml", Kind.STRING),),
        result="ResetInheritedAccessResponse",
        properties={"ResetInheritedAccessResponse": "Edm.String"},
        changes=True,
    ),
)
