"""The standard roles keep up with the tables that there are (SM-20, SM-64, SM-66)."""

from strongroom.ids import Reference
from strongroom.records.security_rules.handing_out import store_privileges
from strongroom.records.session import Session
from strongroom.records.standard_roles import STANDARD_ROLES
from strongroom.schema.model import Schema


def refit_standard_roles(session: Session, before: Schema, after: Schema) -> None:
    """Give new privileges to the standard roles that hold their kind, and take privileges that are gone from all."""
    transaction, kept = session.transaction, session.table("roleprivileges")
    added = after.privileges_by_id.keys() - before.privileges_by_id.keys()
    for privilege in before.privileges_by_id.keys() - after.privileges_by_id.keys():
        transaction.delete(kept, transaction.rows_where(kept, {"privilegeid": privilege}))
    if not added:
        return
    for standard in STANDARD_ROLES:
        if standard.template is None:
            continue
        template = Reference("roletemplate", standard.template)
        wanted = {id_: depth for id_, depth in standard.privileges(after).items() if id_ in added}
        for role in transaction.rows_where(session.table("role"), {"roletemplateid": template}):
            if role.values.get("parentrootroleid") == role.reference():
                store_privileges(session, role.id, wanted)
