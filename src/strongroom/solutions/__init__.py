"""Solutions: customisations that travel from one environment to another, in the form in which Dataverse exports them.

- `archive`    the files of an export: a zip, or the unpacked folder of source control; within limits
- `model`      what a solution holds, typed
- `reading`    files → model; what is not understood is kept and listed
- `writing`    model → files
- `planning`   what an import would do, and what it waits for
- `importing`  doing it, in one transaction
- `layers`     what each managed solution says of a component; `layering` how a new one meets what is there
- `customizing` what may be done by hand to managed components
- `removing`   taking a managed solution out again; `upgrading` a new version in its place; `patches` of a solution
- `dependencies` which component needs which
- `contents`   which components a solution has, and the archive that it came in; `placing` what a request makes in one
- `exporting`  live metadata → an export that imports again; `overlay` writes it into the archive that came
- `operations` what a client does not wait for; `import_jobs` how far it is
"""

from strongroom.solutions.archive import Archive, open_archive, open_source, read_folder
from strongroom.solutions.contents import find_solution
from strongroom.solutions.exporting import export_solution
from strongroom.solutions.importing import Imported, ImportOptions, import_solution, plan_import
from strongroom.solutions.model import Solution
from strongroom.solutions.planning import Planned, Step, Verdict
from strongroom.solutions.reading import read_solution
from strongroom.solutions.removing import Removed, plan_removal
from strongroom.solutions.upgrading import plan_upgrade, promote, stage_and_upgrade

__all__ = [
    "Archive",
    "ImportOptions",
    "Imported",
    "Planned",
    "Removed",
    "Solution",
    "Step",
    "Verdict",
    "export_solution",
    "find_solution",
    "import_solution",
    "open_archive",
    "open_source",
    "plan_import",
    "plan_removal",
    "plan_upgrade",
    "promote",
    "read_folder",
    "read_solution",
    "stage_and_upgrade",
]
