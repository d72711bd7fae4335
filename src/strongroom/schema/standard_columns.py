"""Standard facts about a column → `Column`."""

from collections.abc import Mapping
from dataclasses import dataclass

from strongroom.schema import standard_corrections as corrections
from strongroom.schema.model import Column, ColumnType, DateBehavior, Option, RequiredLevel, SourceType
from strongroom.schema.stable_ids import stable_id
from strongroom.schema.standard_facts import ColumnFacts, TableFacts
from strongroom.schema.system_columns import INTEGER_MAXIMUM, INTEGER_MINIMUM, PLATFORM_KEPT

MONEY_LIMIT = 922_337_203_685_477.0
DECIMAL_LIMIT = 100_000_000_000.0


@dataclass(frozen=True, slots=True)
class _Kind:
    """What follows from the type of a column alone. Found by the type's name in the facts, once for each column."""

    type: ColumnType
    low: float | None = None
    high: float | None = None
    length: int | None = None
    precision: int | None = None
    format: str | None = None
    size_kb: int | None = None
    is_lookup: bool = False
    is_filled_by_platform: bool = False


_KINDS = {
    kind.type.value: kind
    for kind in (
        _Kind(ColumnType.BIGINT, -9223372036854775808.0, 9223372036854775807.0, is_filled_by_platform=True),
        _Kind(ColumnType.BOOLEAN),
        _Kind(ColumnType.CUSTOMER, is_lookup=True),
        _Kind(ColumnType.DATETIME, format="DateAndTime", is_filled_by_platform=True),
        _Kind(ColumnType.DECIMAL, -DECIMAL_LIMIT, DECIMAL_LIMIT, precision=2),
        _Kind(ColumnType.DOUBLE, -DECIMAL_LIMIT, DECIMAL_LIMIT, precision=2),
        _Kind(ColumnType.ENTITYNAME, is_filled_by_platform=True),
        _Kind(ColumnType.INTEGER, INTEGER_MINIMUM, INTEGER_MAXIMUM, format="None", is_filled_by_platform=True),
        _Kind(ColumnType.LOOKUP, is_lookup=True),
        _Kind(ColumnType.MANAGEDPROPERTY, is_filled_by_platform=True),
        _Kind(ColumnType.MEMO, length=2_000, format="TextArea"),
        _Kind(ColumnType.MONEY, -MONEY_LIMIT, MONEY_LIMIT, precision=2),
        _Kind(ColumnType.OWNER, is_lookup=True),
        _Kind(ColumnType.PARTYLIST),
        _Kind(ColumnType.PICKLIST, is_filled_by_platform=True),
        _Kind(ColumnType.STATE),
        _Kind(ColumnType.STATUS),
        _Kind(ColumnType.STRING, length=100, format="Text"),
        _Kind(ColumnType.UNIQUEIDENTIFIER, is_filled_by_platform=True),
    )
} | {
    "ImageType": _Kind(ColumnType.IMAGE, size_kb=10_240),
    "FileType": _Kind(ColumnType.FILE, size_kb=32_768),
    "MultiSelectPicklistType": _Kind(ColumnType.MULTISELECT),
}
_REQUIRED = {level.value: level for level in RequiredLevel}
_YES_NO = (Option(1, "Yes"), Option(0, "No"))


def column_from_facts(
    table: TableFacts,
    facts: ColumnFacts,
    number: int,
    known: Mapping[str, object],
    choices: Mapping[str, tuple[Option, ...]],
) -> Column | None:
    """The column, or None when it holds nothing of its own: a virtual one, or a lookup whose targets are all unknown.

    `known` are the tables of the catalogue, `choices` the options of the global choices.
    """
    kind = _KINDS.get(facts["type"] if facts["type"] != "Virtual" else facts.get("typeName", ""))
    owner, name = table["logicalName"], facts["name"]
    place = (owner, name)
    if kind is None or place in corrections.LEFT_OUT:
        return None
    if place in corrections.TEXTS:
        kind = _KINDS[ColumnType.STRING.value]
    targets = tuple(target for target in facts.get("targets", ()) if target in known)
    if kind.is_lookup and table["isIntersect"]:
        kind, targets = _KINDS["Uniqueidentifier"], ()
    if place in corrections.ANY_TABLE:
        targets = ()
    elif kind.is_lookup and not targets:
        return None
    type_ = kind.type
    valid = "cru" if place in corrections.WRITABLE else facts.get("valid", "cru")
    default = corrections.DEFAULTS.get(place, facts.get("default"))
    if type_ is ColumnType.BOOLEAN and default is None and "c" in valid:
        default = 0
    precision = facts.get("precision", kind.precision)
    behavior = facts.get("behavior")
    return Column(
        logical_name=name,
        schema_name=facts["schema"],
        type=type_,
        metadata_id=stable_id("column", f"{owner}.{name}"),
        label=facts.get("label", ""),
        required=_required(table, facts, kind, valid, default),
        max_length=corrections.TEXTS.get(place, facts.get("maxLength", kind.length)),
        precision=min(precision, 10) if precision is not None and type_ is ColumnType.DECIMAL else precision,
        minimum=_number(facts.get("min", kind.low)),
        maximum=_number(facts.get("max", kind.high)),
        format=facts.get("format", kind.format),
        behavior=DateBehavior(behavior) if behavior else DateBehavior.USER_LOCAL,
        targets=targets,
        options=_options(place, facts, type_, choices),
        global_choice=facts.get("globalChoice"),
        default=default,
        valid_for_create="c" in valid,
        valid_for_read="r" in valid,
        valid_for_update="u" in valid,
        can_be_secured=_can_be_secured(table, facts, type_, valid),
        is_secured=facts.get("secured", False),
        is_audited=facts.get("audit", False) or (table["source"] != "metadata-export" and valid != "r"),
        is_logical=facts.get("logical", False),
        is_indexed=name in corrections.INDEXED.get(owner, ()),
        source_type=SourceType(facts["sourceType"]) if "sourceType" in facts else SourceType.SIMPLE,
        max_size_kb=kind.size_kb,
        column_number=number,
    )


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _required(table: TableFacts, facts: ColumnFacts, kind: _Kind, valid: str, default: int | None) -> RequiredLevel:
    """The level of the facts, but for what a create may leave out although the facts call it SystemRequired: values
    that the platform fills in by itself, so that WA-112 does not refuse what Dataverse takes."""
    level = _REQUIRED.get(facts.get("required", ""), RequiredLevel.NONE)
    place = (table["logicalName"], facts["name"])
    if level is not RequiredLevel.SYSTEM_REQUIRED or facts["name"] == table["primaryId"] or "c" not in valid:
        return level
    if default is not None or place in corrections.SET_BY_CALLER:
        return level
    if kind.is_filled_by_platform or place in corrections.SET_BY_PLATFORM or place[0] == "organization":
        return RequiredLevel.APPLICATION_REQUIRED
    return level


def _options(
    place: tuple[str, str], facts: ColumnFacts, type_: ColumnType, choices: Mapping[str, tuple[Option, ...]]
) -> tuple[Option, ...]:
    if place in corrections.OPTIONS:
        return tuple(Option(value, label) for value, label in corrections.OPTIONS[place])
    if "options" not in facts:
        if type_ is ColumnType.BOOLEAN:
            return _YES_NO
        return choices.get(facts.get("globalChoice", ""), ())
    more = tuple(Option(value, label) for value, label in corrections.MORE_OPTIONS.get(place, ()))
    return options_from_facts(facts) + more


def options_from_facts(facts: ColumnFacts) -> tuple[Option, ...]:
    """`options` with the state of each status reason and the default status reason of each state."""
    defaults = facts.get("defaultStatus", {})
    return tuple(
        Option(
            int(value),
            str(label),
            state=int(rest[0]) if rest else None,
            default_status=defaults.get(str(value)),
        )
        for value, label, *rest in facts.get("options", ())
    )


def _can_be_secured(table: TableFacts, facts: ColumnFacts, type_: ColumnType, valid: str) -> bool:
    """Known for tables from metadata exports; elsewhere ordinary business columns can be secured (SM-139)."""
    if table["source"] == "metadata-export":
        return "securable" in facts
    return (
        table["ownership"] in ("UserOwned", "OrganizationOwned")
        and not table["isIntersect"]
        and valid == "cru"
        and facts["name"] not in PLATFORM_KEPT
        and facts["name"] not in (table["primaryId"], table["primaryName"])
        and type_ not in (ColumnType.OWNER, ColumnType.UNIQUEIDENTIFIER, ColumnType.MANAGEDPROPERTY)
    )
