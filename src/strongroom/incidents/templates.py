"""What is written of a breach, and whether it is complete (TS-1602, TS-1603, TS-1605).

A template is text in which `{nature}`, `{categories}`, `{rows}`, `{people}`, `{contact}`, `{consequences}`,
`{measures}`, `{name}` and `{awareon}` stand for what the incident says; anything else in braces stays as it is.
"""

import re
from collections.abc import Mapping

from strongroom.incidents.tables import TO_AUTHORITY, TO_CUSTOMER, TO_SUBJECTS

NEEDED: Mapping[int, tuple[str, ...]] = {
    TO_AUTHORITY: ("nature", "categories", "contact", "consequences", "measures"),
    TO_SUBJECTS: ("nature", "contact", "consequences", "measures"),
    TO_CUSTOMER: ("nature",),
}
"""What a notification to each recipient has to say: columns of the incident."""

SHIPPED: Mapping[int, str] = {
    TO_AUTHORITY: (
        "Notification of a personal-data breach: {name}\n\nWe became aware of it on {awareon}.\n\nNature of the breach:"
        "\n{nature}\n\nCategories of people and data: {categories}\nApproximate numbers: {people} people, {rows} rows\n"
        "\nLikely consequences:\n{consequences}\n\nMeasures taken or proposed:\n{measures}\n\nContact: {contact}\n"
    ),
    TO_SUBJECTS: (
        "About your personal data\n\nWhat happened:\n{nature}\n\nWhat it may mean for you:\n{consequences}\n\nWhat we"
        " did, and what you can do:\n{measures}\n\nWhom to ask: {contact}\n"
    ),
    TO_CUSTOMER: (
        "Incident: {name}\n\nWe became aware of it on {awareon}.\n\nWhat happened:\n{nature}\n\nRows concerned: {rows},"
        " people: {people}\n\nMeasures:\n{measures}\n"
    ),
}
"""Words for each recipient where nobody has written a template."""

REMINDER = (
    "{left} to notify the authority of the breach '{name}'. Somebody became aware of it on {awareon}; the notification"
    " is due by {due}.\nWhat it would say and lacks: strongroom incidents notify {id} --to authority --preview\n"
)
"""Words to whoever is responsible before the time is over, where nobody has written a template."""

_PLACE = re.compile(r"\{([a-z]+)\}")


def filled(template: str, values: Mapping[str, str]) -> str:
    """The text with what the incident says in place of its names."""
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), template)


def missing(recipient: int, values: Mapping[str, str]) -> list[str]:
    """What a notification would have to say and does not."""
    return [name for name in NEEDED[recipient] if not values.get(name, "").strip()]
