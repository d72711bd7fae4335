"""Events in ArcSight's Common Event Format (TS-819): one line, whose fields cannot be broken out of.

    CEF:0|Strongroom|Strongroom|0.1.0|delete|delete|5|rt=… externalId=… suid=… cs1Label=environment cs1=main …

In the head `|` and `\\` are escaped, in the extension `=` and `\\`; ends of lines become the two characters `\\n`, and
other control characters a question mark.
"""

import re
from datetime import datetime

import orjson

from strongroom import __version__
from strongroom.audit.activities import Activity
from strongroom.monitoring.events import Event

_BREAKS = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LONGEST = 4000
_ORDINARY, _FAILED = 3, 6
_OF_ALERT = {1: 4, 2: 6, 3: 8, 4: 10}


def written(event: Event) -> str:
    """The event as one line."""
    head = ("Strongroom", "Strongroom", __version__, event.what, event.what, str(_severity(event)))
    extension = " ".join(f"{name}={in_extension(value)}" for name, value in _fields(event))
    return f"CEF:0|{'|'.join(in_head(each) for each in head)}|{extension}"


def in_head(text: str) -> str:
    """A text between the bars of the head."""
    return _plain(text).replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def in_extension(text: str) -> str:
    """A value of the extension."""
    return _plain(text).replace("\\", "\\\\").replace("=", "\\=").replace("\n", "\\n")


def _plain(text: str) -> str:
    """Every end of a line as a line feed, no other control characters, not too long."""
    parts = _BREAKS.sub("\n", text[:_LONGEST]).split("\n")
    return "\n".join(_CONTROLS.sub("?", part) for part in parts)


def _severity(event: Event) -> int:
    severity = event.details.get("severity")
    if event.what == Activity.ALERT_RAISED.value and isinstance(severity, int):
        return _OF_ALERT.get(severity, _ORDINARY)
    return _FAILED if event.is_failure else _ORDINARY


def _fields(event: Event) -> list[tuple[str, str]]:
    labelled = {
        "environment": event.origin.environment,
        "table": event.table,
        "row": event.row,
        "columns": ",".join(event.columns) or None,
        "request": event.correlation,
        "named": " ".join(event.named) or None,
    }
    found: list[tuple[str, str | None]] = [
        ("rt", str(int(datetime.fromisoformat(event.at).timestamp() * 1000)) if event.at else None),
        ("externalId", event.id),
        ("cn1Label", "sequence"),
        ("cn1", str(event.sequence)),
        ("cat", event.kind),
        ("act", event.what),
        ("outcome", "failure" if event.is_failure else "success"),
        ("suid", event.user),
        ("src", event.address),
        ("requestClientApplication", event.client),
        ("cnt", None if event.count is None else str(event.count)),
        ("msg", orjson.dumps(event.details).decode() if event.details else None),
    ]
    for number, (label, value) in enumerate(labelled.items(), 1):
        found += [(f"cs{number}Label", None if value is None else label), (f"cs{number}", value)]
    return [(name, value) for name, value in found if value is not None]
