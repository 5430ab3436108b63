"""What a monitor run says in its note, and the page that it links to."""

from __future__ import annotations

from include.pipelines.monitor.accuracy import newest
from include.pipelines.monitor.types import MonitorReport

PAGE = "Monitor report"


def found(report: MonitorReport) -> str:
    """The outcome of a run in sentences."""
    lake, log = report["lake"], report["log"]
    days = report["days"]
    span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    texts = [
        f"Version {report['version']} against {lake['rows']} rows of {span} and {log['rows']} predictions.",
        *dict.fromkeys(text for text in (lake["unmeasured"], log["unmeasured"] if log["rows"] else "") if text),
        _drift(report),
    ]
    accuracy = newest(report["accuracy"], report["version"])
    if accuracy and accuracy["auc"] is not None:
        texts.append(
            f"AUC in production {accuracy['auc']:.3f} ({accuracy['low']:.3f} to {accuracy['high']:.3f}, "
            f"{accuracy['rows']} labels)."
        )
    skew = report["skew"]
    if skew["rows"]:
        texts.append(f"{skew['differing']} of {skew['rows']} predictions differ from the lake's rows.")
    return " ".join(text for text in texts if text)


def _drift(report: MonitorReport) -> str:
    if report["confirmed"]:
        return "Drift is confirmed: " + "; ".join(f"{name}: {why}" for name, why in report["confirmed"].items()) + "."
    if report["drifted"]:
        return f"Drifted in this window, not confirmed yet: {', '.join(report['drifted'])}."
    return "" if report["lake"]["unmeasured"] else "No drift."
