"""The life of environments: back-ups and restores, copies, deletion.

- `backup_file`   the encrypted file of a back-up: parts in, parts out
- `manifest`      what is said of a back-up beside it, signed
- `backups`       `Backups`: taking, listing, verifying, expiring, removing
- `forks`         the statement in the trail that a state was put back
- `restoring`     putting a back-up in the place of an environment, or beside it
- `environments`  creating, copying, resetting, closing, deleting
- `certificates`  what proves that an environment was destroyed
- `upkeep`        what a server does about all of this beside the requests
"""
