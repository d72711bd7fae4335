"""Where rows live: SQLCipher or PostgreSQL behind one contract, with one code path above the engines.

- `protocol`, `layout`: what the rooms above may ask, and how tables lie in the database;
- `database`: opening, making, removing an environment; read and write transactions; `transaction`: what they do;
- `engine`: what an engine gives; `sqlcipher`, `sqlcipher_file`, `turns`; `postgresql`, `postgresql_server`; `dialect`;
- `platform`, `ddl`, `indexes`, `metadata`, `system_rows`: tables, migrations, the stored schema and what mirrors it;
- `rows`, `shape`, `links`, `shares`, `counters`: writing, and reading by identity;
- `compile`, `reading`, `estimates`, `numbers`: queries and checks under plans;
- `facts`, `settings`, `hierarchy`: what the tables say about a principal; `integrity`: what `check` looks at.
"""
