"""The trail: who changed what, when, from which value to which, written in the transaction of the change.

`entries` makes the rows of the `audit` table; whoever stores a change stores them with it. `history` reads them: what
happened to a row or to a column, and one entry in full, each without the columns that the caller may not read.
"""

from strongroom.audit.entries import Action, Author, Changes, Operation, creation, entry
from strongroom.audit.history import (
    AuditDetail,
    History,
    attribute_change_history,
    audit_detail,
    record_change_history,
)

__all__ = [
    "Action",
    "AuditDetail",
    "Author",
    "Changes",
    "History",
    "Operation",
    "attribute_change_history",
    "audit_detail",
    "creation",
    "entry",
    "record_change_history",
]
