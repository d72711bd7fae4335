"""Rows from files and into files: CSV, JSON lines, Excel workbooks and packages of the Configuration Migration tool.

| to find | open |
| --- | --- |
| the order of an import, its batches and halves | `importing` |
| how a row becomes a create, an update or nothing | `storing` |
| what a header, a cell, a lookup's cell means | `mapping`, `values`, `lookups` |
| how an import goes on after it was ended; the file of errors | `journal` |
| files, images and party lists of rows | `contents`, `party_lists`, `export_contents`, `beside` |
| the formats | `flat_files`, `excel`, `package`, `package_writing` |
| exports | `exporting` |

Everything goes through the verbs of `records` as one user: security, validation and audit are those of the Web API.
"""

from strongroom.jobs.data.beside import write_content
from strongroom.jobs.data.exporting import Wanted, export_data, export_pieces
from strongroom.jobs.data.importing import Files, import_data
from strongroom.jobs.data.mapping import read_map
from strongroom.jobs.data.shapes import Counts, Report
from strongroom.jobs.data.sources import Format, format_of, open_data

__all__ = [
    "Counts",
    "Files",
    "Format",
    "Report",
    "Wanted",
    "export_data",
    "export_pieces",
    "format_of",
    "import_data",
    "open_data",
    "read_map",
    "write_content",
]
