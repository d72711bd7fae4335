"""Headers by which a client asks that custom rules are left out (WA-423).

They take privileges of their own. What they leave out are rules that a customer adds; authorization, audit and
uniqueness are no such rules and hold always.
"""

from collections.abc import Mapping
from typing import Final

from strongroom.access.messages import missing_privilege
from strongroom.access.resolve import holds, require_usable
from strongroom.records import Session

_PRIVILEGES: Final = {
    "mscrm.bypasscustompluginexecution": "prvBypassCustomPlugins",
    "mscrm.bypassbusinesslogicexecution": "prvBypassCustomBusinessLogic",
    "mscrm.bypassbusinesslogicexecutionstepids": "prvBypassCustomBusinessLogic",
}


def demand_bypasses(session: Session, headers: Mapping[str, str]) -> None:
    """403 when the request wants to bypass what its caller may not."""
    for name, privilege in _PRIVILEGES.items():
        value = headers.get(name, "").strip().lower()
        if value in ("", "false"):
            continue
        require_usable(session.caller)
        if not holds(session.caller, privilege):
            raise missing_privilege(session.caller, session.schema.privileges_by_name[privilege], None)
