"""The organization's settings must be readable, and switching matrix access off sets owning units back (SM-25)."""

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from strongroom.errors import InvalidRequest
from strongroom.records.possessions import settle_everybody
from strongroom.records.rules import Event, Rules
from strongroom.records.session import Session
from strongroom.store.protocol import Row, Value

_SETTINGS = "orgdborgsettings"
_MATRIX = "enableownershipacrossbusinessunits"


def register(rules: Rules) -> None:
    """Hang the rules of the organization in the verbs."""
    rules.on(Event.BEFORE_CREATE, "organization", _refuse_another, name="organization: there is one")
    rules.on(Event.BEFORE_DELETE, "organization", _refuse_none, name="organization: there is one")
    rules.on(Event.BEFORE_UPDATE, "organization", _demand_readable, name="organization: settings are XML")
    rules.on(Event.AFTER_UPDATE, "organization", _follow_matrix, name="organization: owning units without matrix")


def _refuse_another(_session: Session, _row: Row, _values: dict[str, Value]) -> None:
    raise InvalidRequest("An environment has one organization; another cannot be created.")


def _refuse_none(_session: Session, _row: Row, _values: dict[str, Value]) -> None:
    raise InvalidRequest("The organization of an environment cannot be deleted.")


def _demand_readable(_session: Session, _row: Row, changes: dict[str, Value]) -> None:
    xml = changes.get(_SETTINGS)
    if not isinstance(xml, str):
        return
    try:
        fromstring(xml)
    except (ParseError, DefusedXmlException):
        raise InvalidRequest(
            f"'{_SETTINGS}' must be XML such as <OrgSettings><Name>value</Name></OrgSettings>."
        ) from None


def _follow_matrix(session: Session, row: Row, before: dict[str, Value]) -> None:
    if _SETTINGS in before and _has_matrix(before[_SETTINGS]) and not _has_matrix(row.values.get(_SETTINGS)):
        settle_everybody(session, row)


def _has_matrix(xml: Value) -> bool:
    if not isinstance(xml, str) or not xml:
        return False
    return any(
        child.tag.lower() == _MATRIX and (child.text or "").strip().lower() in ("true", "1")
        for child in fromstring(xml)
    )
