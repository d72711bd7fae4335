"""Functions and actions: one function each, listed in `operations()`; `catalogue` has the rooms.

`operation` what a message is · `entities` rows as arguments · `organization` who and where am I · `sharing` shares
and rights · `membership` teams and roles · `record_teams` access teams of rows · `moving_clock` of test homes ·
`moving_users` between units and managers · `privilege_sets` some privileges of a user · `auditing` the trail ·
`keeping` its retention and holds · `incidents` and breaches · `activity` who read and did what · `audit_proof` heads
and proofs of the trail · `restoring` rows as they were · `explanation` why and who · `identities` accounts, programs
and sessions · `access_info` where access comes from · `inherited_access` ending what is inherited · `foresight` what
a change would do · `merging` two rows into one · `monitoring` alerts · `lockbox` support · `conditional_access` who
would get in · `states` what may follow · `bulk_delete` jobs that delete · `job_arguments` when jobs begin ·
`duplicate_rules` published, and what they find · `rollups` worked out now ·
`environments` their life and keys · `entity_changes` since a token · `solutions` in and out · `solution_layers`
upgrades and patches · `dependencies` what needs what · `files` contents of file columns · `mapping` prefilled rows ·
`view_as` looking as somebody else · `possible_relationships` of tables · `not_offered` documented names that answer
501.
"""

from collections.abc import Mapping
from functools import cache

from strongroom.messages.not_offered import NOT_OFFERED
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter

__all__ = ["CHANGING_FUNCTIONS", "NOT_OFFERED", "Arguments", "Kind", "Operation", "Parameter", "operations"]


CHANGING_FUNCTIONS = frozenset({"CalculateRollupField", "ResetInheritedAccess"})
"""The operations with `changes`, by name: each request for a list asks, and needs no room for it."""


@cache
def operations() -> Mapping[str, Operation]:
    """Every operation that the server has, by name."""
    from strongroom.messages.catalogue import ROOMS  # it has all rooms, which a list needs none of

    return {operation.name: operation for room in ROOMS for operation in room.OPERATIONS}
