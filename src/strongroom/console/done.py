"""What a page says after something was done. The address carries the key (`?done=saved`), never the text."""


def _(text: str) -> str:
    """Marks a text for the catalogues; it is translated where it is shown."""
    return text


DONE = {
    "created": _("The row was created."),
    "saved": _("The changes are saved."),
    "deleted": _("The row was deleted."),
    "assigned": _("The row has a new owner."),
    "shared": _("The row is shared."),
    "unshared": _("The share has ended."),
    "state": _("The state has changed."),
    "role-saved": _("The role is saved. It holds from the next request on."),
    "role-given": _("The role is given."),
    "role-taken": _("The role is taken away."),
    "restored": _("The earlier value is back, as a change of its own."),
    "alert-acknowledged": _("The alert is acknowledged."),
    "alert-proposed": _("Closing is proposed: another person has to agree."),
    "alert-closed": _("The alert is closed."),
    "alert-suppressed": _("The alert is suppressed."),
    "lockbox-asked": _("It is asked for; who decides is told."),
    "lockbox-decided": _("The decision is kept."),
    "solution-removed": _("The solution is gone."),
    "note": _("The note was added."),
}
