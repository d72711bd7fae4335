"""Work that goes on after its request: system jobs, which are rows of `asyncoperation` (WA-308, WA-404, TS-007).

`jobs` what a job is, and its states · `work` what does a kind of job, piece by piece · `running` who runs them, in
turns · `recurrence` jobs that come again · `rules` what clients may do to a job · `tables` what jobs write beside ·
`queries` the rows that they are about · `bulk_delete` deleting what queries find · `duplicate_search` pairs of
duplicates in a table · `recalculation` rollups and calculated columns.

`system_jobs` runs them in a server; operations on solutions are such jobs too (`solutions.operations`).
"""

from collections.abc import Mapping

from strongroom.background import bulk_delete, duplicate_search, recalculation
from strongroom.background.work import Work

WORKS: Mapping[int, Work] = {
    bulk_delete.KIND: bulk_delete.WORK,
    duplicate_search.KIND: duplicate_search.WORK,
    recalculation.KIND: recalculation.WORK,
}
"""What does each kind of job that this room knows, by `operationtype`."""

__all__ = ["WORKS"]
