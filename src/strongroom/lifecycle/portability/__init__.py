"""An environment as a file of its owner's, in open formats, and the same environment again from that file, on either
engine (TS-2101 to TS-2106).

- `layout`     where each table lies in the file, and how values are written
- `exporting`  one moment of an environment into a new ZIP
- `checking`   whether a file is what was exported, without a home
- `importing`  a new environment from a file
"""

from strongroom.lifecycle.portability.checking import ExportFile, check_export
from strongroom.lifecycle.portability.exporting import export_everything
from strongroom.lifecycle.portability.importing import import_everything

__all__ = ["ExportFile", "check_export", "export_everything", "import_everything"]
