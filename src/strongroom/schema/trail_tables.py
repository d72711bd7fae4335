"""The tables that come with the trail in every environment: legal holds, and searches that somebody keeps."""

from strongroom.schema.model import ColumnType, Table
from strongroom.schema.platform_tables import Given, platform_table

HOLD = "legalhold"
SEARCH = "activitysearch"


def trail_tables() -> tuple[Table, ...]:
    """Both."""
    return (_hold_table(), _search_table())


def _hold_table() -> Table:
    return platform_table(
        HOLD,
        "Legal Hold",
        10742,
        (
            Given("name", ColumnType.STRING, "Name", written=True),
            Given("matter", ColumnType.STRING, "Matter", length=400, written=True),
            Given("custodian", ColumnType.STRING, "Custodian", written=True),
            Given("tablename", ColumnType.STRING, "Table", length=128, written=True, indexed=True),
            Given("objectid", ColumnType.UNIQUEIDENTIFIER, "Row", written=True),
            Given("releasedon", ColumnType.DATETIME, "Released"),
            Given("releasedby", ColumnType.LOOKUP, "Released By", target="systemuser"),
            Given("releasereason", ColumnType.MEMO, "Reason of the Release"),
        ),
        description="What must not be deleted while a matter is open (TS-909).",
    )


def _search_table() -> Table:
    return platform_table(
        SEARCH,
        "Activity Search",
        10743,
        (
            Given("name", ColumnType.STRING, "Name", written=True),
            Given("description", ColumnType.MEMO, "Description", written=True),
            Given("definition", ColumnType.MEMO, "Definition", written=True),
        ),
        description="A search of the activity log that somebody keeps (TS-821).",
        plural="activitysearches",
        keys=(("name",),),
    )
