"""What ``GET /metrics`` counts, in the format of Prometheus."""

from __future__ import annotations

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

disable_created_metrics()  # type: ignore[no-untyped-call]

SHARED = "PROMETHEUS_MULTIPROC_DIR"  # where the processes of --workers put their numbers together
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)

REQUESTS = Counter("ppocr_requests_total", "Answered requests", ["path", "status"])
REJECTED = Counter("ppocr_rejected_total", "Requests and connections that were not served, by reason", ["reason"])
PAGES = Counter("ppocr_pages_total", "Pages read")
BAD_PAGES = Counter("ppocr_bad_pages_total", "Pages that could not be read")
LINES = Counter("ppocr_lines_total", "Lines read")
BYTES = Counter("ppocr_received_bytes_total", "Bytes of request bodies")
STAGES = Histogram("ppocr_stage_seconds", "Seconds of each stage of a request", ["stage"], buckets=SECONDS)
UNDER_WAY = Gauge("ppocr_requests_under_way", "Requests under way", multiprocess_mode="livesum")
WAITING = Gauge("ppocr_pages_waiting", "Decoded pages that wait to be read", multiprocess_mode="livesum")
SPOOLED = Gauge("ppocr_spooled_bytes", "Bytes of request bodies on the disk", multiprocess_mode="livesum")


def exposition() -> tuple[bytes, str]:
    """Return all numbers and their media type."""
    if SHARED not in os.environ:
        return generate_latest(), CONTENT_TYPE_LATEST
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST
