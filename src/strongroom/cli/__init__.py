"""The command line: arguments and messages for people; no rule lives here.

- `main`     the entry point: errors as one line on standard error, exit status 0, 1 or 2
- `options`  options that several commands share, and opening the home
- `output`   tables, JSON, progress
- `welcome`  what `serve` says when it listens
- `reference`  the documentation page, from the commands
- one module for each command: `init`, `serve`, `token`, `explain`, `check`, `keys`, `bench`

Everything heavy is imported inside the command that needs it, so that `strongroom --help` answers at once.
"""

from strongroom.cli.main import main

__all__ = ["main"]
