"""The page of a monitor run: one HTML file, which loads nothing and has no script. Every value is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from include.pipelines.monitor.notes import found as sentence
from include.pipelines.monitor.plots import bars
from include.pipelines.monitor.types import AccuracyResult, ColumnResult, MonitorReport, SourceResult

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
:root {{ color-scheme: light dark; background: Canvas; color: CanvasText; }}
:root {{ --line: #d8dce2; --a: #8b929c; --b: #0b6bcb; --bad: #c2410c; }}
@media (prefers-color-scheme: dark) {{ :root {{ --line: #3a3f47; --a: #7b828c; --b: #58a6ff; --bad: #ff9a66; }} }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 68rem; padding: 0 1rem; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; margin: .5rem 0 1.5rem; }}
th, td {{ border-bottom: 1px solid var(--line); padding: .25rem .7rem; text-align: left; vertical-align: top; }}
td.n {{ text-align: right; font-variant-numeric: tabular-nums; }}
.plots {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); gap: 1.2rem; }}
figure {{ margin: 0; }} figcaption {{ font-size: .85rem; }}
svg {{ width: 100%; }} svg text {{ font-size: 8px; fill: currentColor; }} svg path {{ stroke: var(--a); }}
.a {{ fill: none; stroke: var(--a); }} .b {{ fill: var(--b); }}
.bad {{ color: var(--bad); font-weight: 600; }}
code {{ overflow-wrap: anywhere; }}
</style></head><body><main>
<h1>{title}</h1>
{body}
</main></body></html>
"""


def page(report: MonitorReport) -> bytes:
    """Renders the page."""
    title = f"Monitoring of {report['workload']}, version {report['version']}, up to {report['window_end'][:16]}Z"
    parts = [f"<p>{escape(sentence(report))}</p>", _drift(report), _accuracy(report), _skew(report)]
    sources = (
        (f"Published days {report['days'][0]} to {report['days'][-1]}: features", report["lake"]),
        (f"Prediction log since {report['window_start'][:16]}Z: fields of the requests, score", report["log"]),
    )
    parts += [_source(heading, source) for heading, source in sources]
    parts.append(_metrics(report))
    if report["baseline"]:
        parts.append(f"<p>Baseline <code>{escape(report['baseline'])}</code></p>")
    return _PAGE.format(title=escape(title), body="\n".join(parts)).encode()


def _drift(report: MonitorReport) -> str:
    if not report["drifted"]:
        return ""
    rows = [
        (subject, "confirmed" if subject in report["confirmed"] else "in this window only", reason)
        for subject, reason in report["drifted"].items()
    ]
    return "<h2>Drift</h2>" + _table("Drift", ("subject", "state", "why"), rows)


def _accuracy(report: MonitorReport) -> str:
    heading = "<h2>Accuracy in production</h2>"
    if not report["accuracy"]:
        return heading + f"<p>No prediction since {escape(report['period_start'][:16])}Z has a label yet.</p>"
    heads = ("version", "day", "labels", "positive", "AUC", "95 % interval", "log loss", "Brier score")
    return heading + _delay(report) + _table("Accuracy in production", heads, map(_accuracy_row, report["accuracy"]))


def _accuracy_row(one: AccuracyResult) -> Sequence[object]:
    has_interval = one["low"] is not None and one["high"] is not None
    return (
        one["version"],
        one["period"],
        one["rows"],
        one["positives"],
        "too few" if one["auc"] is None else f"{one['auc']:.4f}",
        f"{one['low']:.4f} to {one['high']:.4f}" if has_interval else "",
        f"{one['log_loss']:.4f}",
        f"{one['brier']:.4f}",
    )


def _delay(report: MonitorReport) -> str:
    delay, predictions = report["delay"], sum(report["versions"].values())
    text = f"{delay['rows']} of {predictions} predictions have a label."
    if delay["median"] is not None and delay["ninth_decile"] is not None:
        text += (
            f" Half of the labels came within {_time(delay['median'])}, nine of ten in {_time(delay['ninth_decile'])}."
        )
    return f"<p>{text}</p>"


def _time(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} seconds"


def _skew(report: MonitorReport) -> str:
    skew = report["skew"]
    heading = "<h2>Training–serving skew</h2>"
    if not skew["rows"]:
        return heading + "<p>No prediction has the key of a row in the lake.</p>"
    text = f"{skew['differing']} of {skew['rows']} predictions were made from other values than the lake has."
    fields = sorted(skew["fields"].items(), key=lambda item: -item[1])
    head = ("field", "rows that differ")
    return heading + f"<p>{text}</p>" + (_table("Fields that differ", head, fields) if fields else "")


def _source(heading: str, source: SourceResult) -> str:
    text = f"<h2>{escape(heading)}</h2><p>{source['rows']} rows. {escape(source['unmeasured'])}</p>"
    if source["label"]:
        label = source["label"]
        text += (
            f"<p>{label['rate']:.1%} of {label['rows']} labels are positive, {label['expected']:.1%} in training.</p>"
        )
    if not source["columns"]:
        return text
    heads = ("column", "PSI", "limit", "q", "missing", "unknown", "out of range", "drift")
    found = sorted(source["columns"], key=lambda one: (not one["drifted"], -one["psi"]))
    plots = f'<p>□ training, ■ window</p><div class="plots">{"".join(map(_figure, found))}</div>'
    return text + _table(heading, heads, map(_column_row, found)) + plots


def _column_row(one: ColumnResult) -> Sequence[object]:
    shares = (f"{one['missing']:.1%}", f"{one['unknown']:.1%}", f"{one['outside']:.1%}")
    return (
        one["name"],
        f"{one['psi']:.3f}",
        f"{one['psi_limit']:.2f}",
        f"{one['q']:.2g}",
        *shares,
        "; ".join(one["drifted"]),
    )


def _figure(one: ColumnResult) -> str:
    mark, word = (' class="bad"', ", drifted") if one["drifted"] else ("", "")
    caption = f"{escape(one['name'])}: PSI {one['psi']:.2f}{word}"
    return f"<figure>{bars(one)}<figcaption{mark}>{caption}</figcaption></figure>"


def _metrics(report: MonitorReport) -> str:
    rows = [(name, f"{value:.6g}") for name, value in report["metrics"].items()]
    return "<h2>Metrics</h2>" + _table("Metrics", ("metric", "value"), rows)


def _table(name: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    label = f'aria-label="{escape(name)}"'
    return f'<div class="wide" role="group" {label} tabindex="0"><table {label}><tr>{head}</tr>{body}</table></div>'


def _cell(value: object) -> str:
    return f'<td class="n">{value}</td>' if isinstance(value, int) else f"<td>{escape(str(value))}</td>"
