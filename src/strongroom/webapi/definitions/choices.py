"""Option sets on the wire: global choices, and the options of one column (WA-328, WA-333)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from strongroom.schema.model import Choice, Column, ColumnType, Option, Schema, Table
from strongroom.schema.stable_ids import stable_id
from strongroom.webapi.definitions.labels import label, managed
from strongroom.webapi.definitions.shapes import Declared, Node, Shape, Shown, declared


@dataclass(frozen=True, slots=True)
class OptionSetItem:
    """The options of a global choice or of one column."""

    id: str
    name: str
    text: str
    kind: str
    options: tuple[Option, ...]
    is_global: bool
    is_custom: bool
    is_managed: bool
    is_customizable: bool = True


_COMMON: dict[str, Callable[[OptionSetItem], object]] = {
    "MetadataId": lambda item: item.id,
    "HasChanged": lambda item: None,
    "IsCustomOptionSet": lambda item: item.is_custom,
    "IsGlobal": lambda item: item.is_global,
    "IsManaged": lambda item: item.is_managed,
    "Name": lambda item: item.name,
    "ExternalTypeName": lambda item: "",
    "OptionSetType": lambda item: item.kind,
    "IntroducedVersion": lambda item: "1.0.0.0",
    "Description": lambda item: label("", item.id, "Description", is_managed=False),
    "DisplayName": lambda item: label(item.text, item.id, "DisplayName", is_managed=item.is_managed),
    "IsCustomizable": lambda item: managed(item.is_customizable, "iscustomizable"),
}
_LIST: dict[str, Callable[[OptionSetItem], object]] = {
    **_COMMON,
    "ParentOptionSetName": lambda item: None,
    "Options": lambda item: [_option(item, option) for option in item.options],
}
_YES_NO: dict[str, Callable[[OptionSetItem], object]] = {
    **_COMMON,
    "TrueOption": lambda item: _of_value(item, 1),
    "FalseOption": lambda item: _of_value(item, 0),
}
_LISTED = Shape("OptionSetMetadata", _LIST)
_LISTED_GLOBAL = Shape("OptionSetMetadata", _LIST, is_typed=True)
_TWO = Shape("BooleanOptionSetMetadata", _YES_NO)

OPTION_SET: Declared = declared("OptionSetMetadata", _LISTED, _TWO)


def global_choices(schema: Schema) -> list[Shown]:
    """All global choices."""
    return [_global(choice) for choice in schema.choices.values()]


def option_set_of(table: Table, column: Column) -> Shown:
    """The options of a column, also when they are those of a global choice."""
    kind = "Picklist" if column.type is ColumnType.MULTISELECT else column.type.value
    item = OptionSetItem(
        id=stable_id("optionset", column.metadata_id),
        name=column.global_choice or f"{table.logical_name}_{column.logical_name}",
        text=column.label,
        kind=kind,
        options=column.options,
        is_global=column.global_choice is not None,
        is_custom=column.is_custom,
        is_managed=column.is_managed or not column.is_custom,
        is_customizable="iscustomizable" not in column.withheld,
    )
    return Node(_TWO if column.type is ColumnType.BOOLEAN else _LISTED, item)


def global_choice_of(schema: Schema, column: Column) -> Shown | None:
    """The global choice that a column uses."""
    choice = schema.choices.get(column.global_choice or "")
    return None if choice is None else _global(choice)


def _global(choice: Choice) -> Shown:
    item = OptionSetItem(
        choice.metadata_id,
        choice.name,
        choice.label,
        "Picklist",
        choice.options,
        is_global=True,
        is_custom=choice.is_custom,
        is_managed=choice.is_managed or not choice.is_custom,
        is_customizable="iscustomizable" not in choice.withheld,
    )
    return Node(_LISTED_GLOBAL, item)


def _of_value(item: OptionSetItem, value: int) -> object:
    found: Sequence[Option] = [option for option in item.options if option.value == value]
    return _option(item, found[0]) if found else None


def _option(item: OptionSetItem, option: Option) -> dict[str, object]:
    kind = f"option.{option.value}"
    shown: dict[str, object] = {
        "Value": option.value,
        "Label": label(option.label, item.id, kind, is_managed=item.is_managed),
        "Description": label("", item.id, kind, is_managed=False),
        "Color": None,
        "IsManaged": item.is_managed,
        "ExternalValue": "",
        "ParentValues": [],
        "Tag": None,
        "IsHidden": False,
        "MetadataId": None,
        "HasChanged": None,
    }
    if item.kind == "State":
        shown = {
            "@odata.type": "#Microsoft.Dynamics.CRM.StateOptionMetadata",
            **shown,
            "DefaultStatus": option.default_status,
            "InvariantName": option.label,
        }
    elif item.kind == "Status":
        shown = {
            "@odata.type": "#Microsoft.Dynamics.CRM.StatusOptionMetadata",
            **shown,
            "State": option.state,
            "TransitionData": None,
        }
    return shown
