"""The organisation's switches: columns of the `organization` row, and the XML of its `orgdborgsettings`."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from strongroom.access.caller import AuditRetention, SecuritySettings
from strongroom.access.retention import retention_of
from strongroom.errors import InvalidRequest
from strongroom.ids import Key
from strongroom.store.engine import Raw
from strongroom.store.work import Work

_COLUMNS = (
    "sharetopreviousowneronassign",
    "ishierarchicalsecuritymodelenabled",
    "usepositionhierarchy",
    "maxdepthforhierarchicalsecuritymodel",
    "orgdborgsettings",
    "weekstartdaycode",
    "fiscalcalendarstart",
    "fiscalperiodtype",
    "isauditenabled",
    "isuseraccessauditenabled",
    "isreadauditenabled",
    "auditretentionperiodv2",
    "auditsettings",
    "blockcredentials",
    "useraccessauditinginterval",
)

_FISCAL_MONTHS = {2000: 12, 2001: 6, 2002: 3, 2003: 1}
"""`fiscalperiodtype`: annually, semi-annually, quarterly, monthly. Periods of four weeks count as quarters."""


def read_settings(work: Work) -> SecuritySettings:
    """The switches as they stand; the defaults while there is no organization row, the strictest values when the
    settings cannot be read (SM-7)."""
    known = work.table("organization").columns
    columns = ", ".join(name if name in known else "null" for name in _COLUMNS)
    found = work.connection.query(f"select {columns} from organization order by id limit 1")
    if not found:
        return SecuritySettings()
    return replace(settings_of(found[0]), entry_team=_entry_team(work))


def _entry_team(work: Work) -> Key | None:
    """The group team of the environment's security group (SM-69): `organization.usergroupid` is the group's id in the
    directory."""
    found = work.connection.query(
        "select t.id from organization o left join team t on t.azureactivedirectoryobjectid = o.usergroupid"
        " and t.teamtype in (2, 3) where o.usergroupid is not null order by o.id, t.id limit 1"
    )
    return None if not found else Key(found[0][0] or 0)


def settings_of(row: Raw) -> SecuritySettings:
    """The switches in one `organization` row: the columns above, in their order."""
    share, hierarchy, positions, depth, xml, week_start, fiscal_start, fiscal_type, *trail = row
    audits, refusals, reads, period, kept, blocks, interval = trail
    calendar = SecuritySettings(
        week_starts_on=week_start if week_start in range(7) else 0,
        fiscal_start=_month_and_day(fiscal_start),
        fiscal_period_months=_FISCAL_MONTHS.get(fiscal_type, 3),
        audit_enabled=audits is None or bool(audits),
        audit_of_access=refusals is None or bool(refusals),
        access_interval_h=interval or 0,
        audit_of_reads=bool(reads),
        retention=_retention(period, kept),
        blocks_credentials=bool(blocks),
    )
    switches = _switches(xml)
    if switches is None:
        return replace(calendar, hierarchy_enabled=False, hierarchy_disabled_users=False, hierarchy_write_levels=0)
    return replace(
        calendar,
        matrix_access=_flag(switches, "EnableOwnershipAcrossBusinessUnits", default=False),
        always_move_record=_flag(switches, "AlwaysMoveRecordToOwnerBusinessUnit", default=True),
        keep_roles_on_unit_change=_flag(switches, "DoNotRemoveRolesOnChangeBusinessUnit", default=False),
        share_to_previous_owner=bool(share),
        hierarchy_enabled=bool(hierarchy),
        hierarchy_by_position=bool(positions),
        hierarchy_depth=3 if depth is None else int(depth),
        hierarchy_write_levels=_number(switches, "HierarchyLevelForHierarchyFeature", default=1),
        hierarchy_same_unit=_flag(switches, "ManagersMustBeInSameOrParentBusinessUnitAsReports", default=True),
        hierarchy_disabled_users=_flag(switches, "AuthorizationEnableHSMForDisabledUsers", default=True),
    )


def _retention(period: str | None, settings: str | None) -> AuditRetention:
    """What was checked when it was written; for ever, where it cannot be read all the same: nothing goes by mistake."""
    try:
        return retention_of(period, settings)
    except InvalidRequest:
        return AuditRetention()


def _month_and_day(start: object) -> tuple[int, int]:
    """The month and day of a stored date-time, such as `2024-04-01T00:00:00Z` or the engine's own value of it."""
    text = start.isoformat() if isinstance(start, date) else str(start or "")
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return 1, 1
    return day.month, day.day


def _switches(xml: str | None) -> dict[str, str] | None:
    """Names (folded) and texts of the settings; None when the text is not XML."""
    if not xml:
        return {}
    try:
        root = fromstring(xml)
    except (ParseError, DefusedXmlException):
        return None
    return {child.tag.lower(): (child.text or "").strip().lower() for child in root}


def _flag(switches: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = switches.get(name.lower(), "")
    return text in ("true", "1") if text else default


def _number(switches: Mapping[str, str], name: str, *, default: int) -> int:
    text = switches.get(name.lower(), "")
    return int(text) if text.isdigit() else default
