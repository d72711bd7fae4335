"""What tables, columns, relationships, choices and privileges exist. Pure: nothing here does I/O but for reading the
catalogue's own files.

- `model`: the values; a `Schema` is one immutable snapshot;
- `standard_tables`: the catalogue that every environment starts with, built from the facts in `standard/` and the
  decisions in `standard_corrections`;
- `changes`: functions from one snapshot to the next (create a table, secure a column …);
- `codec`: what an environment has changed in the catalogue, as JSON documents for a store;
- `privileges`, `system_columns`, `intersects`, `naming`, `stable_ids`, `build`: what these are made of.
"""
