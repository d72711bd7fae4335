"""Requests to an embedded store that would hold up all others: they are answered in a thread.

An embedded store is called on the event loop, which nothing else shares the time with. That is right for what takes
milliseconds. A change of metadata may go through every row of a table, and a request that writes while somebody else
does (another process, a job, such a change) waits for its turn; meanwhile others read.
"""

from strongroom.environment import Environment
from strongroom.webapi.http import Request
from strongroom.webapi.resources import WRITING

_CHANGES = (
    "EntityDefinitions",
    "RelationshipDefinitions",
    "GlobalOptionSetDefinitions",
    "CreateEntities",
    "CreateCustomerRelationships",
    "ImportSolution",
    "StageAndUpgrade",
    "DeleteAndPromote",
    "solutions(",
)
"""How the paths of requests begin that change metadata."""


def is_long(environment: Environment, request: Request) -> bool:
    """Whether a request is to be answered in a thread."""
    if request.method not in WRITING or environment.database.engine != "sqlcipher":
        return False
    return request.path.startswith(_CHANGES) or environment.database.is_busy()
