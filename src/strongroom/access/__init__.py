"""The security model, pure: who asks, on which table, with which right → a `Plan`; and what follows from it.

`caller` who asks · `resolve` facts → caller · `plan` the answer · `planning` the rules that make it · `dependents`,
`parents` tables that nobody owns · `columns` secured columns · `planned` a whole query · `check` one row · `explain`,
`who` why and who · `privileges` lists of privileges and what may be handed out · `ownership` new owners · `sharing`
how shares travel along relationships · `hierarchy` who is below whom · `messages` the published errors.

Nothing here does I/O, and nothing here is decided twice: lists compile the branches of a plan, checks evaluate them on
one row, explanations print their reasons.
"""

from strongroom.access.caller import Caller, SecurityFacts
from strongroom.access.plan import Plan
from strongroom.access.planning import plan_for
from strongroom.access.resolve import require_usable, resolve

__all__ = ["Caller", "Plan", "SecurityFacts", "plan_for", "require_usable", "resolve"]
