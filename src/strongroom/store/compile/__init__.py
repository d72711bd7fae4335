"""compile(query, plan) → one SQL statement.

- `statements`: the entrance; a cache of compiled statements for one environment;
- `strategy`: which layout of the row predicate is cheapest, by the counters; `frame`, `lists`, `groups`: the layouts;
- `security`: a plan as conditions; `predicates`, `expressions`, `joins`, `order`, `patterns`: the query as SQL;
- `shape`: the key of a query without its values; `values`: values into parameters and out of columns.

The differences between the engines are in `store.dialect`.
"""

from strongroom.store.compile.estimate import Estimate, Visible
from strongroom.store.compile.statement import Compiled
from strongroom.store.compile.statements import Statements, compile_check, compile_count, compile_select

__all__ = ["Compiled", "Estimate", "Statements", "Visible", "compile_check", "compile_count", "compile_select"]
