"""The request headers that change an answer: `Prefer`, `Accept`, `Content-Type`, `If-Match` (WA-30 to WA-48)."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from strongroom.errors import InvalidRequest, NotAcceptable, PreconditionFailed, UnsupportedMediaType
from strongroom.webapi.http import Request

_PREFERENCE = re.compile(r'\s*([A-Za-z][\w.\-]*)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^;,]*))?((?:\s*;[^,]*)?)\s*')
FORMATTED = "OData.Community.Display.V1.FormattedValue"
ATTRIBUTE_NAME = "OData.Community.Display.V1.AttributeName"
CRM = "Microsoft.Dynamics.CRM."
LOOKUP_NAME = CRM + "lookuplogicalname"
NAVIGATION = CRM + "associatednavigationproperty"


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the client prefers. `applied` are the known preferences as received; an answer names those of them that it
    honours (WA-39)."""

    annotations: tuple[str, ...] = ()
    max_page_size: int | None = None
    representation: bool = False
    track_changes: bool = False
    continue_on_error: bool = False
    applied: tuple[str, ...] = ()

    def wants(self, annotation: str) -> bool:
        """Whether an annotation is to be sent (WA-44): listed, matched by `*` or `prefix.*`, not excluded by `-`."""
        wanted = False
        for pattern in self.annotations:
            if pattern.startswith("-"):
                if fnmatchcase(annotation, pattern[1:]):
                    return False
            elif fnmatchcase(annotation, pattern):
                wanted = True
        return wanted


NO_PREFERENCES = Preferences()

RETURN = "return"
ANNOTATIONS = "include-annotations"
PAGE_SIZE = "maxpagesize"
TRACK_CHANGES = "track-changes"


def preference_name(text: str) -> str:
    """The name of a preference as received, without the prefix `odata.` (WA-43)."""
    return text.partition("=")[0].strip().removeprefix("odata.")


def read_preferences(header: str | None) -> Preferences:
    """The `Prefer` header. Unknown preferences and values that make no sense are ignored (WA-43, WA-230)."""
    return _read(header) if header else NO_PREFERENCES


@lru_cache(maxsize=512)  # a program sends the same preferences again and again
def _read(header: str) -> Preferences:
    annotations: list[str] = []
    page_size: int | None = None
    representation = track = proceed = False
    applied: list[str] = []
    for name, value, raw in _split(header):
        match name.removeprefix("odata."):
            case "include-annotations":
                annotations += [part.strip() for part in value.split(",") if part.strip()]
                applied.append(raw)
            case "maxpagesize" if value.isdigit() and int(value) >= 1:
                page_size = min(int(value), 5000)
                applied.append(raw)
            case "return" if value == "representation":
                representation = True
                applied.append(raw)
            case "track-changes":
                track = True
                applied.append(raw)
            case "continue-on-error" if value.lower() != "false":
                proceed = True
            case _:
                continue
    return Preferences(tuple(annotations), page_size, representation, track, proceed, tuple(applied))


def _split(header: str) -> list[tuple[str, str, str]]:
    """(name, value, text as received) of each preference. An unquoted value goes on over commas until a token that
    holds `=` or is a known word starts the next preference (WA-42)."""
    found: list[tuple[str, str, str]] = []
    position = 0
    while position < len(header):
        if header[position] in ", \t":
            position += 1
            continue
        matched = _PREFERENCE.match(header, position)
        if matched is None or matched.end() == position:
            end = header.find(",", position)
            position = len(header) if end < 0 else end + 1
            continue
        name, value = matched[1], (matched[2] or "").strip()
        text = matched[0].strip()
        if "=" not in text and found and found[-1][0].endswith("include-annotations") and not _is_word(name):
            before = found[-1]
            found[-1] = (before[0], f"{before[1]},{text}", f"{before[2]},{text}")
        elif value.startswith('"'):
            found.append((name, value[1:-1].replace('\\"', '"'), text))
        else:
            found.append((name, value, text))
        position = matched.end()
        if position < len(header) and header[position] != ",":
            end = header.find(",", position)
            skipped = header[position : len(header) if end < 0 else end].strip()
            if skipped and found and found[-1][0].endswith("include-annotations"):
                before = found[-1]
                found[-1] = (before[0], before[1] + skipped, before[2] + skipped)
            position = len(header) if end < 0 else end
    return found


def _is_word(name: str) -> bool:
    return name.removeprefix("odata.") in ("track-changes", "continue-on-error", "respond-async", "return")


_NOT_JSON = ("/$value", "/$count", "$metadata")


def check_accept(request: Request) -> None:
    """406 when the client takes nothing that JSON could be (WA-31). Texts, counts, files and `$metadata` are not JSON
    and go out whatever `Accept` says."""
    accept = request.header("accept")
    if request.path.rstrip("/").endswith(_NOT_JSON):
        return
    if not accept:
        return
    for part in accept.split(","):
        media = part.split(";", 1)[0].strip().lower()
        if media in ("", "*/*", "application/*", "application/json", "text/json", "multipart/mixed"):
            return
    raise NotAcceptable(f"The service answers with application/json; the request accepts only '{accept[:200]}'.")


def check_version(request: Request) -> None:
    """400 for an `OData-Version` above 4.0 (WA-30)."""
    version = request.header("odata-version")
    if version is not None and version.strip() not in ("4.0", "4", ""):
        raise InvalidRequest(f"OData-Version '{version[:20]}' is not supported; send 4.0.", code="0x80060888")


def check_json(request: Request) -> None:
    """415 when a body is not sent as JSON (WA-32)."""
    media = (request.header("content-type") or "").split(";", 1)[0].strip().lower()
    if request.body and media not in ("application/json", "text/json"):
        raise UnsupportedMediaType(f"A body of type '{media[:100]}' cannot be read here; send application/json.")


@dataclass(frozen=True, slots=True)
class Condition:
    """`If-Match` / `If-None-Match`. `any` is `*`; `versions` are the numbers of the tags."""

    any: bool = False
    versions: tuple[int, ...] = ()


_TAG = re.compile(r'(?:W/)?"?(\d{1,19})"?')


def read_condition(header: str | None) -> Condition | None:
    """None when the header is absent or says `null`. What cannot be read is 412 (WA-143)."""
    if header is None or header.strip() in ("", "null"):
        return None
    if header.strip() in ("*", '"*"'):
        return Condition(any=True)
    versions: list[int] = []
    for part in header.split(","):
        matched = _TAG.fullmatch(part.strip())
        if matched is None:
            raise PreconditionFailed(f"'{part.strip()[:60]}' is not an ETag of this service; it looks like W/\"1234\".")
        versions.append(int(matched[1]))
    return Condition(versions=tuple(versions))
