"""Traces and figures of requests for a collector that speaks OTLP, where the owner of the home has set one.

Off unless `telemetry.otlp` is set, and then sent only there. A span says what the log line of a request says: method,
shape of the path without keys and values, status, duration; no user, no address, no query, no header. OpenTelemetry is
an extra (`pip install 'strongroom[telemetry]'`), and is loaded only here.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from strongroom import __version__
from strongroom.errors import HomeError
from strongroom.monitoring.outbound import Outbound, endpoint_of
from strongroom.webapi.telemetry import Observation, observe

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace import TracerProvider

Observer = Callable[[Observation, int, float], None]

_INTERVAL_MS = 15_000
_TIMEOUT_S = 5


@dataclass(frozen=True, slots=True)
class Tracing:
    """What observes requests, and how it ends: what is not sent yet is sent."""

    observe: Observer
    end: Callable[[], None]


def _nothing() -> None:
    """There is nothing to end."""


NO_TRACING = Tracing(observe, _nothing)
"""Requests observed for the log and the counters alone."""


def tracing_to(address: str, outbound: Outbound, *, interval_ms: int = _INTERVAL_MS) -> Tracing:
    """Requests observed as ever, and told to the collector at `address` besides. Without an address, as ever.

    Raises `HomeError` when the address is not allowed, or the extra is not installed.
    """
    if not address:
        return NO_TRACING
    outbound.demand(endpoint_of(address, ("http", "https"), "telemetry.otlp"), "telemetry.otlp")
    try:
        traces, meters = _providers(address.rstrip("/"), interval_ms)
    except ModuleNotFoundError:
        raise HomeError(
            "telemetry.otlp is set, and OpenTelemetry is not installed: pip install 'strongroom[telemetry]'."
        ) from None
    tracer = traces.get_tracer("strongroom", __version__)
    seconds = meters.get_meter("strongroom", __version__).create_histogram(
        "http.server.request.duration", unit="s", description="Time to answer a request"
    )

    def told(observation: Observation, status: int, duration: float) -> None:
        observe(observation, status, duration)
        ended = time.time_ns()
        facts = {
            "http.request.method": observation.method,
            "http.route": observation.shape,
            "http.response.status_code": status,
        }
        span = tracer.start_span(
            f"{observation.method} {observation.resource}",
            start_time=ended - int(duration * 1_000_000_000),
            attributes={**facts, "strongroom.request_id": observation.request_id},
        )
        span.end(ended)
        seconds.record(duration, {**facts, "http.route": observation.resource})

    def end() -> None:
        traces.shutdown()
        meters.shutdown()

    return Tracing(told, end)


def _providers(address: str, interval_ms: int) -> "tuple[TracerProvider, MeterProvider]":
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource({"service.name": "strongroom", "service.version": __version__})
    traces = TracerProvider(resource=resource)
    spans = OTLPSpanExporter(endpoint=f"{address}/v1/traces", timeout=_TIMEOUT_S)
    traces.add_span_processor(BatchSpanProcessor(spans, schedule_delay_millis=interval_ms))
    figures = OTLPMetricExporter(endpoint=f"{address}/v1/metrics", timeout=_TIMEOUT_S)
    reader = PeriodicExportingMetricReader(figures, export_interval_millis=interval_ms)
    return traces, MeterProvider([reader], resource=resource)
