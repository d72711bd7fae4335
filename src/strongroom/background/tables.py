"""The tables that jobs write beside their own row, and the one of them that the catalogue of standard tables lacks.

`duplicaterecord` is Dataverse's: a row for each pair that a search for duplicates has found. Whoever may read the job
may read its pairs (`access.parents`).
"""

from dataclasses import replace
from functools import cache

from strongroom.schema.model import ColumnType, Ownership, Table
from strongroom.schema.platform_tables import Given, platform_table
from strongroom.schema.stable_ids import stable_id

OPERATION = "bulkdeleteoperation"
FAILURE = "bulkdeletefailure"
DUPLICATE = "duplicaterecord"

_TYPE_CODE = 4415
_LEFT_OUT = frozenset({"modifiedby", "modifiedon", "modifiedonbehalfby", "organizationid", "statecode", "statuscode"})


@cache
def job_tables() -> tuple[Table, ...]:
    """Those that an environment may lack."""
    return (_duplicate_table(),)


def _duplicate_table() -> Table:
    given = (
        Given("asyncoperationid", ColumnType.LOOKUP, "System Job", target="asyncoperation", indexed=True),
        Given("baserecordid", ColumnType.LOOKUP, "Base Record ID", indexed=True),
        Given("duplicaterecordid", ColumnType.LOOKUP, "Duplicate Record ID"),
        Given("duplicateruleid", ColumnType.LOOKUP, "Duplicate Rule ID", target="duplicaterule"),
    )
    made = platform_table(
        "duplicate",  # Dataverse calls the primary key `duplicateid`
        "Duplicate Record",
        _TYPE_CODE,
        given,
        description="A pair of rows that a search for duplicates has found.",
        is_audited=False,
    )
    return replace(
        made,
        logical_name=DUPLICATE,
        schema_name="DuplicateRecord",
        entity_set_name="duplicaterecords",
        metadata_id=stable_id("table", DUPLICATE),
        ownership=Ownership.NONE,
        primary_name=None,
        columns={name: column for name, column in made.columns.items() if name not in _LEFT_OUT},
        derived={derived: base for derived, base in made.derived.items() if base not in _LEFT_OUT},
        privileges={},
    )
