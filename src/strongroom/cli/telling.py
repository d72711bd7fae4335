"""What commands tell the trail: who stands at the machine does nothing unseen (TS-809, TS-818).

A command has no credentials of its own, so an activity of it has no user: `details` names the operator, the account of
the operating system, and the command.
"""

import getpass
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from strongroom.audit.activities import Activity
    from strongroom.environment import Environment
    from strongroom.records import RequestFacts

CLIENT = "strongroom"


def operator() -> str:
    """The account that runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        return f"uid {os.getuid()}"


def facts_of_command() -> "RequestFacts":
    """What a session of a command says of where it comes from."""
    from strongroom.records import RequestFacts

    return RequestFacts(client=f"{CLIENT}, operator {operator()}")


def tell_command(
    environment: "Environment", what: "Activity", command: str, /, **details: str | int | bool | None
) -> None:
    """Tell what a command does to an environment. Raises what the store raises: a command that cannot be told is not
    run, so tell first."""
    from strongroom.audit.activities import Actor, activity
    from strongroom.clock import iso

    told = activity(
        Actor(iso(environment.clock.now()), client=CLIENT),
        what,
        details={**details, "command": command, "operator": operator()},
    )
    with environment.database.write() as transaction:
        transaction.append_activity((told,))
