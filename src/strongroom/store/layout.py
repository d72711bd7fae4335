"""How tables of the schema lie in the database. One layout for both engines; only the type names differ.

Every table `t` is a real table of the same name:

- `id`      integer primary key, the row's key, time-ordered; never leaves the process;
- `<t>id`   the GUID, unique;
- `owner`   on user-owned tables the key of the owning principal. Users and teams share one key space, so it names
            either. On `systemuser` and `team` it is the row's own key (Basic reaches oneself, SM-12);
- `unit`    on user-owned tables the key of the owning business unit; on business-owned ones the unit that counts
            (SM-12): `businessunitid` of users, teams and roles, the row itself for business units;
- every stored column under its logical name. A lookup is the target's GUID; when it may point to several tables,
  `<name>__table` beside it holds the logical name of the one it points to;
- `<name>__fold` beside an indexed text column (see `is_folded`): the text folded for comparison, null when null.

`ownerid`, `owninguser`, `owningteam` and `owningbusinessunit` of user-owned tables are not stored: they are read off
`owner` and `unit` through the table `principal(id, principalid, kind)` and the business units.

Values, from the side of the store's users → SQLite / PostgreSQL:

| type | value | SQLite | PostgreSQL |
| --- | --- | --- | --- |
| text, entity name, multi-select | str | text | text |
| integer, choice, bigint | int | integer | integer, bigint |
| boolean | bool | integer 0/1 | boolean |
| money, decimal | Decimal | integer, × 10^scale (`scale`) | numeric |
| double | float | real | double precision |
| date-time | `2024-05-01T10:15:00Z` | text, the same | timestamptz |
| date only | `2024-05-01` | text, the same | date |
| guid, lookup | lower-case GUID text | text, the same | uuid |

A lookup's `<name>__table` is text. Multi-select, managed-property, file and image columns are text as the rooms above
write them. PostgreSQL's text columns have the collation "C", so that both engines order by code point.

The platform's own tables, which no name of a customer's table can equal (those have a prefix):

- `principal(id, principalid, kind)`: every user and team; `kind` is `systemuser` or `team`;
- `counters(tablename, owner, unit, amount)`: how many rows of a table have this owner and unit (0, 0 without owner);
- `inheritedaccess(objecttypecode, object, principal, relationship, parent, rights)`: where inherited rights come from;
- `security_change(tablename, epoch)`: the security epoch of the last change to a table that decisions depend on;
- `filecontent(fileid, objecttypecode, object, objectid, attribute, filename, mimetype, filesize, thumbnail)` and
  `filechunk(fileid, number, body)`: what file and image columns hold (`store.file_contents`);
- `deletedrow(version, tablename, object, objectid, deletedon)`, `deletionfloor(version)`: rows that are gone
  (`store.tracking`);
- `filetransfer(token, …)` and `filetransferblock(token, blockid, start, size)`: files on their way (`store.transfers`),
  their bytes in `filechunk`;
- `columnkey(tablename, columnname, version, …)`: the wrapped keys of encrypted columns (`store.column_keys`), whose
  sealed texts stand in the columns themselves, without `__fold` and index;
- `sight(reader, tablename, …)`, on PostgreSQL: what readers by hand may see (`store.row_security`);
- `stamp(id, security_epoch, metadata_version, version)`: one row; `metadata(kind, name, body)`; `migration(number, …)`.

Shares are the table `principalobjectaccess`: its own columns (`objecttypecode` is the logical name of the table, as
text) and besides `object` (key of the row), `principal` (key of the user or team), both integers, what the row itself
says of itself, `owner`, `unit` and `sort` (its folded primary name, null without one), and `alone`: 1 when the row has
no other share, else 0. Of the indexes (principal, objecttypecode, sort, objectid, object) holds all of these and both
masks, so that a list or a number of shared rows reads no rows; (objecttypecode, object, principal) is unique.

Indexes of a table: unique (guid); (name, guid), (owner, name, guid), (unit, name, guid, owner), where name is the
`__fold` of the primary name; (lookup) where it is not null, for lookups that are followed backwards; (column, guid) for
columns with `is_indexed`, on the `__fold` of text; alternate keys, unique; (versionnumber) of
tables whose changes can be followed. PostgreSQL's order columns are declared
`nulls first`, and its indexes that begin with owner or unit include `id`. The GUID, not the key, breaks ties: a page
must be able to continue after a row that has been deleted since (WA-233), and clients only know its GUID. Audit entries
have (guid), (objectid), and (createdon, guid, userid), which serves the newest entries and those of one user in a time.

Text is compared through `fold`: lower case of every script by Unicode's one-to-one mapping, final sigma as sigma,
accents kept (WA-101); order is that of the code points of the folded text. Both engines compute the same function.
"""

from strongroom.schema.model import Column, ColumnType, Ownership, SourceType, Table

PRINCIPAL_TABLES = ("systemuser", "team")
SHARES = "principalobjectaccess"
VALUE_SHARES = "principalobjectattributeaccess"
"""Single values of secured columns that are shared (SM-134)."""
UNCOUNTED_TABLES = frozenset({"audit", "activitylog", SHARES})
OWNER_COLUMNS = frozenset({"ownerid", "owninguser", "owningteam", "owningbusinessunit"})


def fold(text: str) -> str:
    """The form of `text` in which texts are compared. Equal to PostgreSQL's
    `translate(lower(x collate pg_c_utf8), 'ς', 'σ')` for every text."""
    if text.isascii():
        return text.lower()
    return text.replace("\u0130", "i").lower().replace("ς", "σ")


def is_folded(table: Table, column: Column) -> bool:
    """Whether `column` has a stored `__fold` companion: indexed String columns, the primary name, parts of keys."""
    if column.type is not ColumnType.STRING or column.is_encrypted:
        return False
    in_key = any(column.logical_name in key.columns for key in table.keys)
    return column.is_indexed or column.logical_name == table.primary_name or in_key


def is_stored(table: Table, column: Column) -> bool:
    """Whether `column` has a column of its own in the database."""
    if table.ownership is Ownership.USER and column.logical_name in OWNER_COLUMNS:
        return False
    if column.type in (ColumnType.PARTYLIST, ColumnType.MANAGEDPROPERTY):
        return column.type is ColumnType.MANAGEDPROPERTY
    is_filled = column.source_type is not SourceType.CALCULATED or column.formula is not None
    return is_filled or column.logical_name == table.primary_name


def has_table_column(column: Column) -> bool:
    """Whether a lookup stores the name of its target's table beside it (`<name>__table`)."""
    return column.type.is_lookup and len(column.targets) != 1


def has_unit(table: Table) -> bool:
    """Whether rows carry `unit`: the owning business unit, or the one that counts (SM-12)."""
    return table.ownership in (Ownership.USER, Ownership.BUSINESS)


def has_owner_key(table: Table) -> bool:
    """Whether rows carry `owner`: user-owned tables, and users and teams, whose owner is the row itself (SM-12)."""
    return table.ownership is Ownership.USER or table.logical_name in PRINCIPAL_TABLES


def is_counted(table: Table) -> bool:
    """Whether `counters` follows the table. Links, audit entries and shares are not worth a counter."""
    return not table.is_intersect and table.logical_name not in UNCOUNTED_TABLES


def is_tracked(table: Table) -> bool:
    """Whether a copy of the table can be kept in step with it (WA-310): changes are found by version, and rows that go
    leave a line in `deletedrow`. Tables that only grow, and those of the platform's own, are not worth it."""
    return table.change_tracking and "versionnumber" in table.columns and is_counted(table)


def sort_column(table: Table) -> str | None:
    """The column that lists are ordered by unless asked otherwise: the folded primary name, when it is stored."""
    if table.primary_name is None or table.primary_name not in table.columns:
        return None
    column = table.columns[table.primary_name]
    if not is_stored(table, column):
        return None
    return f"{column.logical_name}__fold" if is_folded(table, column) else column.logical_name


def scale(column: Column) -> int:
    """Digits after the point that the store keeps of a decimal or money column (WA-84, WA-85)."""
    if column.type is ColumnType.MONEY:
        return 4
    return min(column.precision if column.precision is not None else 2, 10)
