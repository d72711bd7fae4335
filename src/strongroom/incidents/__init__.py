"""The register of incidents and personal-data breaches (TS-1601 to TS-1607), in the control environment.

- `tables`    what is kept of an incident
- `clock`     the 72 hours in which an authority is to be told
- `register`  what is done: declared, scoped, notified, closed; and the rules of the tables
- `templates` what is written to authorities, people and customers, and whether it is complete
- `exposure`  what a principal read and changed in a time, and what they could read: computed from the trail
- `evidence`  entries and activities with the proofs that they are in the log
"""
