"""Keeping the trail: its partitions and storage, legal holds, and erasing what it says (TS-805 to TS-807, TS-816)."""

from typing import cast

from strongroom.access.resolve import require_privilege, require_usable
from strongroom.audit.partitions import Partition, partitions
from strongroom.clock import iso
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action, function
from strongroom.records import Session
from strongroom.records.holds import release_hold
from strongroom.records.trail_removal import delete_partitions, delete_record_history, erase_record_values
from strongroom.records.trail_storage import trail_storage


def _partition_list(session: Session, _: Arguments) -> Result:
    require_usable(session.caller)
    require_privilege(session.caller, "prvReadAuditPartitions")
    found = partitions(session.transaction, session.clock.now())
    details = [_partition(each) for each in found]
    return {"AuditPartitionDetailCollection": {"IsLogicalCollection": False, "AuditPartitionDetails": details}}


def _delete_data(session: Session, arguments: Arguments) -> Result:
    return {"PartitionsDeleted": delete_partitions(session, arguments.moment("EndDate"))}


def _delete_history(session: Session, arguments: Arguments) -> Result:
    return {"DeletedEntriesCount": delete_record_history(session, arguments.reference("Target"))}


def _erase(session: Session, arguments: Arguments) -> Result:
    return {"ErasedEntriesCount": erase_record_values(session, arguments.reference("Target"))}


def _release(session: Session, arguments: Arguments) -> Result:
    release_hold(session, arguments.guid("LegalHoldId"), arguments.text("Reason"))
    return None


def _storage(session: Session, arguments: Arguments) -> Result:
    days = cast("int | None", arguments.values.get("Days"))
    report = trail_storage(session, 7 if days is None else days)
    return {
        "Entries": report.entries,
        "Activities": report.activities,
        "Leaves": report.leaves,
        "Days": report.days,
        "BytesInAYear": report.bytes_in_a_year,
        "Partitions": [_partition(each) for each in report.partitions],
        "Growth": [
            {
                "Table": each.table,
                "EntriesADay": round(each.entries_a_day, 3),
                "BytesADay": round(each.bytes_a_day),
                "RetentionDays": -1 if each.retention_days is None else each.retention_days,
                "BytesInAYear": each.bytes_in_a_year,
            }
            for each in report.growth
        ],
    }


def _partition(partition: Partition) -> dict[str, object]:
    return {
        "PartitionNumber": partition.number,
        "StartDate": iso(partition.start),
        "EndDate": None if partition.end is None else iso(partition.end),
        "Size": partition.entries,
    }


_TARGET = Parameter("Target", Kind.REFERENCE)

OPERATIONS: tuple[Operation, ...] = (
    function(
        "RetrieveAuditPartitionList",
        _partition_list,
        properties={"AuditPartitionDetailCollection": "mscrm.AuditPartitionDetailCollection"},
    ),
    action("DeleteRecordChangeHistory", _delete_history, _TARGET, properties={"DeletedEntriesCount": "Edm.Int32"}),
    action(
        "DeleteAuditData",
        _delete_data,
        Parameter("EndDate", Kind.STRING, type="Edm.DateTimeOffset"),
        properties={"PartitionsDeleted": "Edm.Int32"},
    ),
    Operation(
        "EraseRecordChangeHistory",
        False,
        _erase,
        (_TARGET,),
        result="EraseRecordChangeHistoryResponse",
        properties={"ErasedEntriesCount": "Edm.Int32"},
        is_own=True,
    ),
    Operation(
        "ReleaseLegalHold",
        False,
        _release,
        (Parameter("LegalHoldId", Kind.GUID), Parameter("Reason", Kind.STRING)),
        is_own=True,
    ),
    function(
        "RetrieveAuditStorage",
        _storage,
        Parameter("Days", Kind.INTEGER, required=False),
        properties={
            "Entries": "Edm.Int64",
            "Activities": "Edm.Int64",
            "Leaves": "Edm.Int64",
            "Days": "Edm.Int32",
            "BytesInAYear": "Edm.Int64",
            "Partitions": "Collection(Strongroom.TrailPartition)",
            "Growth": "Collection(Strongroom.TrailGrowth)",
        },
        is_own=True,
    ),
)
