"""What a form sent: its fields as values, and what is wrong with one of them."""

from starlette.datastructures import FormData, UploadFile

from strongroom.console.api import text
from strongroom.console.days import moment_in
from strongroom.console.visit import Visit


def line(form: FormData, name: str) -> str:
    """A field, stripped; empty when it was not sent."""
    value = form.get(name)
    return text(value).strip().replace("\r\n", "\n") if not isinstance(value, UploadFile) else ""


def whole(form: FormData, name: str) -> int:
    """A field that holds a whole number, 0 for anything else: the Web API says what it takes."""
    given = line(form, name)
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0


def filled(**values: object) -> dict[str, object]:
    """The values that are not empty, as the body of an action: what is left out takes its default."""
    return {name: value for name, value in values.items() if value not in ("", None)}


def moment(visit: Visit, form: FormData, name: str) -> str | None:
    """A field of the kind `datetime-local`, written in the reader's time zone; None when it is empty or no moment."""
    return moment_in(line(form, name), visit.zone)
