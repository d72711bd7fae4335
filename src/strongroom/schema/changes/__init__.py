"""Changes of metadata: pure functions from one `Schema` to the next, whose version is one higher.

Each checks what it is asked for and raises a precise 400 or 404; nothing is half done. The new part is looked up by
its name in the schema that comes back.
"""

from strongroom.schema.changes.choices import (
    create_choice,
    delete_choice,
    delete_option,
    insert_option,
    options_at,
    replace_choice,
    update_option,
    with_options,
)
from strongroom.schema.changes.columns import create_column, delete_column, replace_column
from strongroom.schema.changes.keys import create_key, delete_key, set_key_active
from strongroom.schema.changes.relationships import (
    create_association,
    create_lookup,
    delete_relationship,
    replace_relationship,
)
from strongroom.schema.changes.requests import (
    NewAssociation,
    NewChoice,
    NewColumn,
    NewKey,
    NewOption,
    NewRelationship,
    NewTable,
    TableChange,
)
from strongroom.schema.changes.tables import create_table, delete_table, replace_table

__all__ = [
    "NewAssociation",
    "NewChoice",
    "NewColumn",
    "NewKey",
    "NewOption",
    "NewRelationship",
    "NewTable",
    "TableChange",
    "create_association",
    "create_choice",
    "create_column",
    "create_key",
    "create_lookup",
    "create_table",
    "delete_choice",
    "delete_column",
    "delete_key",
    "delete_option",
    "delete_relationship",
    "delete_table",
    "insert_option",
    "options_at",
    "replace_choice",
    "replace_column",
    "replace_relationship",
    "replace_table",
    "set_key_active",
    "update_option",
    "with_options",
]
