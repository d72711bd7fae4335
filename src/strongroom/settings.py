"""The configuration of a home: `strongroom.toml`, overridden by `STRONGROOM_*` variables.

`server.port` in the file is `STRONGROOM_SERVER_PORT` in the environment. A key that is not known is an error in both,
because a setting that is silently ignored is a protection that is silently off.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, cast

from strongroom.errors import HomeError

SETTINGS_FILE = "strongroom.toml"
PREFIX = "STRONGROOM_"

OTHER_VARIABLES = ("STRONGROOM_HOME", "STRONGROOM_PASSPHRASE", "STRONGROOM_TOKEN", "STRONGROOM_URL")
"""Variables that are no settings: for the command line, for key providers, and for the documentation's examples."""

_FOREIGN = (
    "STRONGROOM_SERVICE_",
    "STRONGROOM_PORT",
    "STRONGROOM_SERVE_",
    "STRONGROOM_TEST_",
    "STRONGROOM_PASSPHRASE_",
)
"""Beginnings of names that are not settings. Kubernetes sets the first two in every pod beside a service that is called
`strongroom`; with the third the server tells its workers what to do."""


_ORIGIN = re.compile(r"\*|https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")
"""As browsers write them: scheme and host in small letters, no slash at the end."""

_KINDS: Mapping[type[object], str] = {
    bool: "true or false",
    int: "a whole number",
    str: "a text in quotes",
    tuple: "a list of texts",
}


def _setting(default: object, text: str, *, least: int | None = None, most: int | None = None) -> Any:
    return field(default=default, metadata={"text": text, "least": least, "most": most})


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How `strongroom serve` listens and what it takes in."""

    host: str = _setting("127.0.0.1", "Address to listen on; 0.0.0.0 and :: listen on all.")
    port: int = _setting(8000, "Port to listen on.", least=0, most=65535)
    workers: int = _setting(1, "Processes that answer requests.", least=1, most=256)
    tls_cert: str = _setting("", "File with the certificate chain (PEM). Needs tls_key.")
    tls_key: str = _setting("", "File with the private key of the certificate (PEM).")
    tls_self_signed: bool = _setting(False, "Serve HTTPS with a certificate for localhost that is made in the home.")
    tls_minimum: str = _setting("1.2", "Oldest version of TLS that is spoken: 1.2 or 1.3.")
    tls_client_authority: str = _setting(
        "", "File with certificates (PEM): clients must have one that was issued by them."
    )
    trusted_proxies: tuple[str, ...] = _setting(
        ("127.0.0.1", "::1"), "Peers whose X-Forwarded-Proto and X-Forwarded-Host are believed (WA-6)."
    )
    cors_origins: tuple[str, ...] = _setting(
        (), "Origins (https://app.example) whose pages may call the Web API from a browser; * allows all (WA-15)."
    )
    protect: bool = _setting(False, "Enforce the service protection limits (429 with Retry-After).")
    protect_requests: int = _setting(6000, "Requests of one user in 300 seconds (WA-430).", least=1, most=1_000_000_000)
    protect_execution_s: int = _setting(
        1200, "Summed execution time of one user in 300 seconds (WA-430).", least=1, most=1_000_000
    )
    protect_concurrent: int = _setting(52, "Requests of one user at the same time (WA-430).", least=1, most=1_000_000)
    body_limit_mib: int = _setting(100, "Largest JSON or $batch body, in MiB (WA-13).", least=1, most=4096)
    request_timeout_s: int = _setting(
        120, "Longest time that a request's unit of work may take, in seconds (WA-433).", least=1, most=3600
    )
    trace: bool = _setting(False, "Keep what clients asked for that was refused or is not there (strongroom trace).")
    abandoned_after_s: int = _setting(
        2,
        "Seconds after which a request whose client has closed its connection is ended and undone.",
        least=0,
        most=3600,
    )
    graceful_stop_s: int = _setting(
        10, "Time that running requests get to end when the server stops.", least=0, most=600
    )


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """How long bearer tokens live."""

    minutes: int = _setting(60, "Life of a token when nothing else is asked for.", least=1, most=30 * 24 * 60)


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What the server writes to standard error."""

    level: str = _setting("info", "Least level that is written: debug, info, warning or error.")
    requests: bool = _setting(True, "Write a line for each request (without personal data or secrets).")


@dataclass(frozen=True, slots=True)
class OutboundSettings:
    """Where the platform may send anything at all."""

    allow: tuple[str, ...] = _setting(
        (), "Where anything may be sent: streams, webhooks, providers, telemetry: host:port, host, *.example.com:443."
    )

    def allows(self, host: str, port: int) -> bool:
        """Whether something may be sent to a host (lower case) and port."""
        return any(_covers(entry.strip().lower(), host, port) for entry in self.allow)


def _covers(entry: str, wanted: str, wanted_port: int) -> bool:
    host, _, port = entry.rpartition(":") if entry.rpartition(":")[2].isdigit() else (entry, "", "")
    if port and int(port) != wanted_port:
        return False
    host = host.strip("[]")
    if host.startswith("*."):
        return wanted.endswith(host[1:]) and len(wanted) > len(host) - 1
    return host == wanted


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The server that takes the mail of alerts; without a host none is sent."""

    host: str = _setting("", "Host of the mail server (SMTP).")
    port: int = _setting(587, "Its port.", least=1, most=65535)
    security: str = _setting("starttls", "How the connection is secured: starttls, tls or none.")
    sender: str = _setting("", "Address that mail comes from. Needed with a host.")
    user: str = _setting("", "Who signs in there; the password is set by `strongroom alerts mail-password`.")
    certificates: str = _setting("", "File with the certificates (PEM) to trust, where the machine's do not do.")


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """Who is told of alerts."""

    recipients: tuple[str, ...] = _setting((), "Addresses that are told of alerts whose rule names nobody.")


@dataclass(frozen=True, slots=True)
class AnchorSettings:
    """Heads of the trail that are kept outside of the home."""

    path: str = _setting("", "Folder outside of the home, to whose files ENVIRONMENT.jsonl signed heads are appended.")
    minutes: int = _setting(10, "Minutes between two heads that a witness gets.", least=1, most=1440)
    gap_hours: int = _setting(24, "Hours without a head at a witness that are worth an alert.", least=1, most=8760)


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """Back-ups that a running server takes by itself, and where all of them are."""

    folder: str = _setting("", "Folder of back-ups; by default the folder backups of the home. Another disk is better.")
    every_hours: int = _setting(
        24, "Hours between two system back-ups of an environment; 0 takes none.", least=0, most=720
    )
    drill_days: int = _setting(
        90,
        "Days between two drills: the newest back-up is restored aside and verified; 0 makes none.",
        least=0,
        most=3650,
    )


@dataclass(frozen=True, slots=True)
class LockboxSettings:
    """Access of support to environments of business data."""

    request_hours: int = _setting(96, "Hours after which a request that nobody answered is a no.", least=1, most=672)
    max_minutes: int = _setting(480, "Longest access that can be approved, in minutes.", least=1, most=1440)


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """What the server tells a collector of its own work, without personal data; nothing unless an address is set."""

    otlp: str = _setting(
        "", "Address of an OTLP/HTTP collector, such as http://127.0.0.1:4318; listed in outbound.allow."
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a home."""

    key_provider: str = _setting("", "Where the root key or its passphrase is read, when not where the ring says.")
    default_environment: str = _setting("", "Environment behind /api/data; by default the first one of business data.")
    regions: tuple[str, ...] = _setting((), "Regions in which environments may lie; without any, they have none.")
    key_grace_minutes: int = _setting(
        15, "Minutes for which an environment stays open when its customer's key cannot be reached.", least=0, most=1440
    )
    server: ServerSettings = field(default_factory=ServerSettings)
    tokens: TokenSettings = field(default_factory=TokenSettings)
    log: LogSettings = field(default_factory=LogSettings)
    backup: BackupSettings = field(default_factory=BackupSettings)
    outbound: OutboundSettings = field(default_factory=OutboundSettings)
    mail: MailSettings = field(default_factory=MailSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    auditanchor: AnchorSettings = field(default_factory=AnchorSettings)
    lockbox: LockboxSettings = field(default_factory=LockboxSettings)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)


@dataclass(frozen=True, slots=True)
class Described:
    """One setting for the documentation: `name` as in the file (`server.port`), its variable, default and meaning."""

    name: str
    variable: str
    default: object
    text: str


def load_settings(folder: Path, environ: Mapping[str, str]) -> Settings:
    """The settings of the home at `folder`. A missing file means defaults. Raises `HomeError` for whatever is not a
    known key with a value of its type and range."""
    settings = Settings()
    try:
        document = tomllib.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        document = {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HomeError(f"{SETTINGS_FILE} is not valid TOML: {error}.") from None
    for name, value in _flattened(document):
        settings = _with_value(settings, name, value, f"{SETTINGS_FILE}: {name}")
    variables = {found.variable: found.name for found in described()}
    for variable in sorted(environ):
        if variable in variables:
            settings = _with_text(settings, variables[variable], environ[variable], variable)
        elif variable.startswith(PREFIX) and variable not in OTHER_VARIABLES and not variable.startswith(_FOREIGN):
            known = (*variables, *OTHER_VARIABLES)
            raise HomeError(f"The environment variable {variable} is no setting{_nearest(variable, known)}.")
    return _checked(settings)


def described() -> list[Described]:
    """Every setting, in the order of the file."""
    found: list[Described] = []
    for section, item, default in _items():
        name = f"{section}.{item.name}" if section else item.name
        variable = PREFIX + name.replace(".", "_").upper()
        found.append(Described(name, variable, default, str(item.metadata["text"])))
    return found


def default_file() -> str:
    """A first `strongroom.toml`: every setting with its default, commented out."""
    lines = ["# Settings of this home. Variables STRONGROOM_* override them; unknown keys are an error."]
    section = ""
    for setting in described():
        table, _, key = setting.name.rpartition(".")
        if table != section:
            lines += ["", f"[{table}]"]
            section = table
        lines += ["", f"# {setting.text}", f"# {key} = {toml_value(setting.default)}"]
    return "\n".join(lines) + "\n"


def toml_value(value: object) -> str:
    """`value` as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(toml_value(part) for part in cast("tuple[object, ...]", value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[object]]]


def _items() -> Iterator[tuple[str, Field[object], object]]:
    """(section, field, default) of every setting."""
    whole = Settings()
    for item in fields(whole):
        value: object = getattr(whole, item.name)
        if is_dataclass(value):
            for inner in fields(cast("_Dataclass", value)):
                yield item.name, inner, getattr(value, inner.name)
        else:
            yield "", item, value


def _flattened(document: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in document.items():
        if isinstance(value, dict):
            for inner, inner_value in cast("dict[str, object]", value).items():
                yield f"{name}.{inner}", inner_value
        else:
            yield name, value


def _with_value(settings: Settings, name: str, value: object, where: str) -> Settings:
    """`settings` with one value set, checked against the type and range of the setting."""
    section, _, key = name.rpartition(".")
    found = next(((i, d) for s, i, d in _items() if (s, i.name) == (section, key)), None)
    if found is None:
        known = [setting.name for setting in described()]
        raise HomeError(f"{SETTINGS_FILE}: '{name}' is no setting{_nearest(name, known)}.")
    item, default = found
    kind: type[object] = type(default)
    least, most = item.metadata["least"], item.metadata["most"]
    if kind is tuple and isinstance(value, list):
        value = tuple(str(part) for part in cast("list[object]", value))
    if type(value) is not kind:
        raise HomeError(f"{where} must be {_KINDS[kind]}, not {toml_value(value)}.")
    if isinstance(value, int) and least is not None and not least <= value <= most:
        raise HomeError(f"{where} must be between {least} and {most}, not {value}.")
    if not section:
        return replace(settings, **{key: value})
    return replace(settings, **{section: replace(getattr(settings, section), **{key: value})})


def _with_text(settings: Settings, name: str, text: str, variable: str) -> Settings:
    """The same from a variable: whole numbers and true/false as in TOML, lists separated by commas."""
    default = next(setting.default for setting in described() if setting.name == name)
    value: object = text
    if isinstance(default, bool):
        value = {"true": True, "false": False, "1": True, "0": False}.get(text.lower(), text)
    elif isinstance(default, int) and text.removeprefix("-").isdecimal():
        value = int(text)
    elif isinstance(default, tuple):
        value = [part.strip() for part in text.split(",") if part.strip()]
    return _with_value(settings, name, value, variable)


def _checked(settings: Settings) -> Settings:
    server, levels = settings.server, ("debug", "info", "warning", "error")
    if bool(server.tls_cert) != bool(server.tls_key):
        raise HomeError("server.tls_cert and server.tls_key go together: one of them is missing.")
    if server.tls_cert and server.tls_self_signed:
        raise HomeError(
            "server.tls_self_signed makes its own certificate: leave out server.tls_cert and server.tls_key."
        )
    for origin in server.cors_origins:
        if not _ORIGIN.fullmatch(origin):
            raise HomeError(
                f"server.cors_origins holds origins such as https://app.example:8443, without a path, or *; not"
                f" '{origin[:100]}'."
            )
    if server.tls_minimum not in ("1.2", "1.3"):
        raise HomeError(f"server.tls_minimum must be 1.2 or 1.3, not '{server.tls_minimum}'.")
    if settings.log.level not in levels:
        raise HomeError(f"log.level must be one of {', '.join(levels)}, not '{settings.log.level}'.")
    if settings.mail.security not in ("starttls", "tls", "none"):
        raise HomeError(f"mail.security must be starttls, tls or none, not '{settings.mail.security}'.")
    if settings.mail.host and "@" not in settings.mail.sender:
        raise HomeError("mail.sender must be the address that mail comes from: mail.host is set.")
    return settings


def _nearest(name: str, known: list[str] | tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else f". Known are: {', '.join(known)}"
