"""Which privileges there are: those of a table by its ownership (SM-10 to SM-12, SM-20), and those without a table."""

from strongroom.schema.model import Depth, Ownership, Privilege, Rights
from strongroom.schema.stable_ids import stable_id

ALL_DEPTHS = frozenset(Depth)
GLOBAL_ONLY = frozenset({Depth.GLOBAL})
UNIT_DEPTHS = frozenset({Depth.LOCAL, Depth.DEEP, Depth.GLOBAL})

VERBS: dict[Rights, str] = {
    Rights.CREATE: "Create",
    Rights.READ: "Read",
    Rights.WRITE: "Write",
    Rights.DELETE: "Delete",
    Rights.ASSIGN: "Assign",
    Rights.SHARE: "Share",
    Rights.APPEND: "Append",
    Rights.APPEND_TO: "AppendTo",
}
"""The verb of each right in privilege names, in the order in which `Privileges` lists them."""

RIGHTS_BY_VERB = {verb: right for right, verb in VERBS.items()}

_WITHOUT_OWNER = (Rights.CREATE, Rights.READ, Rights.WRITE, Rights.DELETE, Rights.APPEND, Rights.APPEND_TO)

_CUSTOMIZATION_KINDS = ("Entity", "Attribute", "Relationship", "OptionSet")
_CUSTOMIZATION_VERBS = ("Create", "Read", "Write", "Delete")

_OTHERS = (
    "prvActOnBehalfOfAnotherUser",
    "prvReadAuditSummary",
    "prvReadRecordAuditHistory",
    "prvReadAuditPartitions",
    "prvDeleteAuditPartitions",
    "prvDeleteRecordChangeHistory",
    "prvDeleteAuditData",
    "prvOverrideCreatedOnCreatedBy",
    "prvBypassCustomPlugins",
    "prvBypassCustomBusinessLogic",
    "prvPublishCustomization",
    "prvImportCustomization",
    "prvExportCustomization",
    "prvBulkDelete",
    "prvMerge",
    "prvExportToExcel",
)


def table_privileges(
    logical_name: str, schema_name: str, ownership: Ownership, version: int | None = None
) -> dict[Rights, Privilege]:
    """The privileges that a table of this ownership has, keyed by right.

    User-owned tables have all eight at every depth (SM-20), organization-owned ones six at Global only (SM-11),
    business-owned ones six at Local and wider (SM-12), the rest none: they take the access of their parent (SM-10).
    """
    match ownership:
        case Ownership.USER:
            rights, depths = tuple(VERBS), ALL_DEPTHS
        case Ownership.ORGANIZATION:
            rights, depths = _WITHOUT_OWNER, GLOBAL_ONLY
        case Ownership.BUSINESS:
            rights, depths = _WITHOUT_OWNER, UNIT_DEPTHS
        case Ownership.NONE:
            return {}
    made: dict[Rights, Privilege] = {}
    for right in rights:
        name = f"prv{VERBS[right]}{schema_name}"
        made[right] = Privilege(stable_id("privilege", name, version), name, right, logical_name, depths)
    return made


def privileges_without_table() -> dict[str, Privilege]:
    """The platform's privileges that belong to no table, by name; all Global only (SM-20)."""
    names = [f"prv{verb}{kind}" for kind in _CUSTOMIZATION_KINDS for verb in _CUSTOMIZATION_VERBS]
    return {name: _without_table(name) for name in [*names, *_OTHERS]}


def _without_table(name: str) -> Privilege:
    return Privilege(stable_id("privilege", name), name, Rights.NONE, None, GLOBAL_ONLY)
