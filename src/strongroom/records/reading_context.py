"""What query readers need to know of the caller of a session."""

from collections.abc import Mapping

from strongroom.query.ast import ReadContext
from strongroom.records.session import Session

_NO_ALIASES: Mapping[str, str] = {}


def read_context(session: Session, aliases: Mapping[str, str] = _NO_ALIASES) -> ReadContext:
    """The caller, its time zone and the present, for conditions such as `Today` and `eq-userid`, and the organisation's
    calendar (WA-204, WA-205)."""
    facts = session.caller.facts
    settings = facts.settings
    return ReadContext(
        user_id=facts.id,
        business_unit_id=session.caller.unit_id,
        team_ids=tuple(team.id for team in facts.teams if team.owns_rows),
        now=session.now,
        time_zone=facts.time_zone,
        language=facts.language,
        week_starts_on=settings.week_starts_on,
        fiscal_start=settings.fiscal_start,
        fiscal_period_months=settings.fiscal_period_months,
        aliases=aliases,
    )
