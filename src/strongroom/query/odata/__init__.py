"""The OData reader: query strings, filters, keys and references → the query language of `query.ast`.

Open `reader` for a whole query, `filter` for conditions, `parser` and `lexer` for the grammar, `scope` for how names
and paths are looked up, `keys` for what stands in `accounts(…)`. `parse_expression` gives the bare syntax tree, for
collections whose properties are not columns (metadata).
"""

from strongroom.query.odata.edm import edm_type, type_name
from strongroom.query.odata.keys import Key, parse_reference, read_key
from strongroom.query.odata.options import Options, split_options
from strongroom.query.odata.parser import parse_expression
from strongroom.query.odata.reader import read_filter, read_query
from strongroom.query.odata.select import all_columns, outputs

__all__ = [
    "Key",
    "Options",
    "all_columns",
    "edm_type",
    "outputs",
    "parse_expression",
    "parse_reference",
    "read_filter",
    "read_key",
    "read_query",
    "split_options",
    "type_name",
]
