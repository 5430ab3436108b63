"""Writes what a monitor run found."""

from __future__ import annotations

import re

from include.lake import layout
from include.lake.fingerprint import canonical_json
from include.lake.uris import s3_uri
from include.pipelines.monitor.page import page
from include.pipelines.monitor.types import MonitorReport
from include.pipelines.protocols import ObjectStore


def store_report(report: MonitorReport, bucket: str, objects: ObjectStore) -> str:
    """Writes document and page, in place of those of the same window; returns the page's URI."""
    window = re.sub(r"[:.]", "-", report["window_end"])
    objects.put(bucket, layout.monitor_key(report["workload"], window, "json"), canonical_json(report))
    key = layout.monitor_key(report["workload"], window, "html")
    objects.put(bucket, key, page(report))
    return s3_uri(bucket, key)
