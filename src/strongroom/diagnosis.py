"""A bundle for whoever helps from afar: what there is to know of a home, without secrets and without personal data.

    strongroom diagnose --home DIR --out bundle.zip

Every part is collected by itself: what cannot be read, because the home is damaged, is noted as such in its place, and
the others are there all the same. In the bundle are versions, settings without their texts, names and sizes of files,
and of each environment counts, migrations and health. Not in it are keys, tokens, rows, names of people or of
environments, addresses, and texts that somebody wrote. `manifest.json` has the SHA-256 of every part.
"""

import io
import json
import platform
import re
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import metadata
from pathlib import Path

from strongroom import __version__
from strongroom.clock import Clock, SystemClock, iso
from strongroom.environment import Environment
from strongroom.errors import StrongroomError
from strongroom.home import EnvironmentRecord, Home, open_home
from strongroom.home.registry import REGISTRY_FILE, read_registry
from strongroom.keys.disk import Disk
from strongroom.monitoring.health import health_of
from strongroom.opening import open_environment
from strongroom.settings import described, load_settings
from strongroom.store.platform import MIGRATIONS

_MOST_FILES = 2000
_PACKAGES = ("cryptography", "psycopg", "sqlcipher3", "uvicorn", "starlette", "orjson", "msgspec", "pyjwt", "click")
_HIDDEN = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*"), "<address>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b[a-z][a-z+]*://\S+", re.IGNORECASE), "<url>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), "<ip>"),
    (re.compile(r"[A-Za-z0-9+/_=-]{32,}"), "<long>"),
    (re.compile(r"'[^']*'|\"[^\"]*\"|„[^“]*“"), "<text>"),
)


@dataclass(slots=True)
class _Bundle:
    """Parts by their names, and what could not be collected."""

    hidden: tuple[str, ...]
    parts: dict[str, bytes] = field(default_factory=dict[str, bytes])
    problems: list[str] = field(default_factory=list[str])

    def collect(self, name: str, make: Callable[[], object]) -> None:
        """One part. Whatever goes wrong is a line among the problems: a bundle is for homes where things go wrong."""
        try:
            found = make()
        except Exception as error:  # noqa: BLE001 - the boundary of each part: a damaged home must not end the bundle
            said = error.message if isinstance(error, StrongroomError) else str(error)
            self.problems.append(f"{name}: {type(error).__name__}: {hide(said, self.hidden)}")
            return
        self.parts[name] = json.dumps(found, indent=2, sort_keys=True, default=str).encode()


def diagnose(path: Path, environ: Mapping[str, str], clock: Clock | None = None) -> tuple[bytes, list[str]]:
    """The bundle of the home at `path` as a zip, and what could not be collected."""
    bundle = _Bundle(_names_to_hide(path))
    now = iso((clock or SystemClock()).now())
    bundle.collect("program.json", _program)
    bundle.collect("settings.json", lambda: _settings(path, environ))
    bundle.collect("files.json", lambda: _files(path))
    bundle.collect("registry.json", lambda: [_shown_record(each, at) for at, each in enumerate(_records(path), 1)])
    home = _opened(bundle, path, environ)
    if home is not None:
        bundle.collect("keys.json", lambda: {"testhome": home.is_test_home, "opens": True})
        for at, record in enumerate(home.environments(), 1):
            bundle.collect(f"environment-{at}.json", lambda record=record: _environment(home, record))
    bundle.parts["problems.json"] = json.dumps(bundle.problems, indent=2).encode()
    manifest = {
        "made": now,
        "version": __version__,
        "parts": {name: sha256(body).hexdigest() for name, body in sorted(bundle.parts.items())},
    }
    bundle.parts["manifest.json"] = json.dumps(manifest, indent=2, sort_keys=True).encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in sorted(bundle.parts.items()):
            archive.writestr(name, body)
    return target.getvalue(), bundle.problems


def hide(text: str, names: tuple[str, ...] = ()) -> str:
    """A message without what could be personal or secret: addresses, ids, URLs, long words, quoted texts, names."""
    for name in names:
        text = text.replace(name, "<name>")
    for pattern, shown in _HIDDEN:
        text = pattern.sub(shown, text)
    return text[:500]


def _program() -> dict[str, object]:
    return {
        "strongroom": __version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(terse=True),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
    }


def _settings(path: Path, environ: Mapping[str, str]) -> dict[str, object]:
    """Numbers and switches as they are; of texts only whether they are set."""
    settings = load_settings(path, environ)
    shown: dict[str, object] = {}
    for each in described():
        value: object = settings
        for name in each.name.split("."):
            value = getattr(value, name)
        is_open = isinstance(value, bool | int) or value == each.default
        shown[each.name] = value if is_open else "(set)"
    return shown


def _files(path: Path) -> list[dict[str, object]]:
    """Names of the home's own files, and of others only their number, kind and size."""
    found: list[dict[str, object]] = []
    for each in sorted(path.rglob("*"))[:_MOST_FILES]:
        told = each.lstat()
        folder = each.relative_to(path).parts[0] if len(each.relative_to(path).parts) > 1 else ""
        name = f"{folder}/*{each.suffix}" if folder else each.name
        found.append({"name": name, "mode": f"{told.st_mode & 0o7777:04o}", "size": told.st_size})
    return found


def _records(path: Path) -> tuple[EnvironmentRecord, ...]:
    return read_registry(path, Disk())


def _shown_record(record: EnvironmentRecord, at: int) -> dict[str, object]:
    return {
        "environment": at,
        "kind": record.kind.value,
        "engine": record.engine,
        "state": record.state.value,
        "created": iso(record.created_on),
    }


def _opened(bundle: _Bundle, path: Path, environ: Mapping[str, str]) -> Home | None:
    found: list[Home] = []
    bundle.collect("opening.json", lambda: found.append(open_home(path, environ=environ)) or {"opens": True})
    return found[0] if found else None


def _environment(home: Home, record: EnvironmentRecord) -> dict[str, object]:
    environment: Environment = open_environment(home, record.name)
    try:
        with environment.database.read() as transaction:
            schema = transaction.schema
            own = [name for name in schema.tables if "_" not in name]
            return {
                "migrations": len(MIGRATIONS),
                "metadata": transaction.stamp.metadata_version,
                "tables": {"all": len(schema.tables), "of_customers": len(schema.tables) - len(own)},
                "rows": sum(sum(transaction.counts(schema.tables[name]).values()) for name in own),
                "health": health_of(transaction, environment.clock.now()).shown(),
                "rules": [each.name for each in environment.rules.registered],
                "doubts": len(environment.database.check()),
            }
    finally:
        environment.close()


def _names_to_hide(path: Path) -> tuple[str, ...]:
    """The home's own path, and the names of its environments where they can be read."""
    names = {str(path), str(path.resolve()), path.name}
    try:
        names |= {record.name for record in _records(path)}
    except (StrongroomError, OSError, ValueError):
        names.add(REGISTRY_FILE)
    return tuple(sorted((name for name in names if len(name) > 2), key=len, reverse=True))
