"""What the server tells about itself: one log line a request, and counters for Prometheus.

Neither holds personal data or secrets: of a path only its shape is kept (`accounts(…)/name`), of a query nothing.
"""

import logging
import os
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from strongroom.webapi.http import Response

_REQUESTS = Counter("strongroom_requests_total", "Answered requests", ["method", "resource", "status"])
_SECONDS = Histogram(
    "strongroom_request_seconds",
    "Time from the first byte of the head to the last byte of the answer",
    ["method", "resource"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30),
)
_KEYS = re.compile(r"\((?:[^()']|'[^']*')*\)?|%28.*", re.DOTALL)
_ROOT = re.compile(r"^(?:/e/[a-z0-9-]+)?/api/data/v[0-9.]+/?")
_PLAIN = re.compile(r"[\w$./\-]{0,120}")
_KNOWN = re.compile(r"[a-zA-Z_$][\w$.]*")
_SHOWN = 300
"""Characters of a path that are looked at."""

access_log = logging.getLogger("strongroom.access")


@dataclass(frozen=True, slots=True)
class Observation:
    """One request, as far as it may be written down."""

    request_id: str
    method: str
    path: str

    @property
    def shape(self) -> str:
        """The path with keys and arguments replaced by `(…)`; `?` when it has characters that names do not have."""
        return shape_of(self.path)

    @property
    def resource(self) -> str:
        """A label with few values: `data`, `metadata`, `batch`, `health`, `other`."""
        return _resource(self.path[:_SHOWN])


def shape_of(path: str) -> str:
    """A path, or what follows the service root, with keys and arguments replaced by `(…)`."""
    return _shape(path[:_SHOWN])


@lru_cache(maxsize=1024)  # lists are asked for under few paths
def _shape(path: str) -> str:
    text = _KEYS.sub("()", path)
    return text.replace("()", "(…)") if _PLAIN.fullmatch(text.replace("()", "")) else "?"


@lru_cache(maxsize=1024)
def _resource(path: str) -> str:
    rest = _ROOT.sub("", path)
    if rest == path:
        return "health" if path in ("/healthz", "/metrics") else "other"
    first = _KNOWN.match(rest)
    name = first[0] if first else ""
    if name in ("$metadata", "EntityDefinitions", "RelationshipDefinitions", "GlobalOptionSetDefinitions", ""):
        return "metadata"
    return "batch" if name == "$batch" else "data"


def observe(observation: Observation, status: int, seconds: float) -> None:
    """Count one answered request and write its log line."""
    method = observation.method if observation.method in ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD") else "other"
    resource = observation.resource
    requests, times = _meters(method, resource, status)
    requests.inc()
    times.observe(seconds)
    if access_log.isEnabledFor(logging.INFO):
        # A record of our own: the logger would look for the place in the code that it comes from, which nobody reads.
        line = logging.LogRecord(access_log.name, logging.INFO, "", 0, "request", None, None)
        line.__dict__.update(
            request_id=observation.request_id,
            method=method,
            path=observation.shape,
            status=status,
            ms=round(seconds * 1000, 2),
        )
        access_log.handle(line)


@lru_cache(maxsize=1024)
def _meters(method: str, resource: str, status: int) -> tuple[Counter, Histogram]:
    """The counter and the histogram behind one combination of labels, of which there are few."""
    return _REQUESTS.labels(method, resource, str(status)), _SECONDS.labels(method, resource)


def metrics() -> Response:
    """`/metrics`: the numbers of all workers together."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
        return Response(200, (("Content-Type", CONTENT_TYPE_LATEST),), generate_latest(registry))
    return Response(200, (("Content-Type", CONTENT_TYPE_LATEST),), generate_latest())


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, request id, and the fields above."""

    _FIELDS = ("request_id", "method", "path", "status", "ms")

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: record.__dict__[name] for name in self._FIELDS if name in record.__dict__}
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = type(error).__name__
            line["where"] = _where(error)
        return orjson.dumps(line, default=str).decode()


def _where(error: BaseException) -> list[str]:
    """File and line of each frame, without values: an exception's text may hold what its caller sent."""
    frames: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        place = "/".join(Path(code.co_filename).parts[-2:])
        frames.append(f"{place}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return frames[-12:]


def set_up_logging(level: str) -> None:
    """Send all logs as JSON lines to standard error. `level` is one of Python's level names.

    Warnings of the PostgreSQL driver name the host, database and user of a connection, so they are left out; what they
    are about is an error of the request that met it.
    """
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    # What no line shows is not looked up for it: each costs a call to the system, or to the event loop.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
