"""`?sql=` → the query AST (WA-270 to WA-277): one SELECT over tables and columns of the schema, nothing else."""

from strongroom.query.sql.reader import read_sql

__all__ = ["read_sql"]
