"""The summary of ``make run``, as text and as JSON: versions, metrics, decisions, durations and a prediction."""

from __future__ import annotations

import io
import json
import os
import tarfile
from datetime import UTC, date, datetime
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from include.model.files import GOLDEN
from infra.laptop import nights_page, registry, wallclock
from infra.laptop.bootstrap import Resources
from infra.laptop.config import LaptopError
from infra.laptop.stages import Connection


def collect(
    connection: Connection,
    resources: Resources,
    outcomes: dict[str, dict[date, str]],
    stages: list[tuple[str, float]],
) -> dict[str, Any]:
    """Collects the summary as JSON values.

    ``outcomes`` has the outcome of each deploy by workload and day; ``stages`` has the title and seconds of each stage.
    """
    config = connection.config
    return {
        "workloads": {
            name: {
                "retrain_runs": {
                    day.isoformat(): _retrain_run(connection, name, day, outcome) for day, outcome in days.items()
                },
                "live": _json(registry.live(connection.aws, connection.state_table, name)),
                "service": resources.service_urls[name],
                "sample": sample_prediction(connection, name, resources.service_urls[name]),
            }
            for name, days in outcomes.items()
        },
        "stages": [{"stage": title, "seconds": round(seconds, 1)} for title, seconds in stages],
        "seconds": round(connection.reporter.elapsed, 1),  # stages of several workloads overlap
        "runs": wallclock.runs(config, os.environ, datetime.now(UTC)),
        "links": {
            "Airflow": config.airflow_url,
            "AWS endpoint": config.endpoint,
            "logs": str(config.logs),
            "nights": nights_page.write(config).as_uri(),
            **{f"{name} service": f"{url}/docs" for name, url in resources.service_urls.items()},
        },
    }


def sample_prediction(connection: Connection, workload: str, url: str) -> dict[str, Any] | None:
    """Sends the first golden row of the live bundle to the service; None when no version is live."""
    pointer = registry.live(connection.aws, connection.state_table, workload)
    if not pointer or pointer["version"] is None:
        return None
    package = registry.version(connection.aws, workload, int(pointer["version"]))
    if package is None:
        return None
    bundle = registry.content(connection.aws, package["CustomerMetadataProperties"]["bundle_uri"])
    row = _first_golden_row(bundle)
    answer = httpx.post(f"{url}/predict", json=row["request"], timeout=30)
    return {
        "request": row["request"],
        "status": answer.status_code,
        "answer": answer.json(),
        "in_training": row["probability"],
    }


def write(connection: Connection, summary: dict[str, Any]) -> None:
    """Prints the summary and writes ``summary.txt`` and ``summary.json`` to the run folder."""
    state = connection.config.state
    (state / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    with (state / "summary.txt").open("w") as file:
        show(Console(file=file, width=120), summary)
    show(connection.reporter.console, summary)


def show(console: Console, summary: dict[str, Any]) -> None:
    """Prints the summary."""
    for name, workload in summary["workloads"].items():
        console.print()
        console.rule(f"[bold]{name}", align="left")
        for day, run in workload["retrain_runs"].items():
            _show_retrain_run(console, day, run)
        _show_sample(console, workload)
    _show_times(console, summary)
    console.print("\n[bold]Links[/]")
    for what, where in summary["links"].items():
        console.print(f"  {what:<16} {where}", soft_wrap=True)
    console.print("\nThe stack keeps running. `make status` shows its state, `make stop` stops it.")


def _first_golden_row(bundle: bytes) -> dict[str, Any]:
    with tarfile.open(fileobj=io.BytesIO(bundle)) as tar:
        golden = next(member for member in tar.getmembers() if member.name.endswith(GOLDEN))
        lines = tar.extractfile(golden)
        if lines is None:
            raise LaptopError(f"{golden.name} in the live bundle is not a file. Deploy another version.")
        return json.loads(lines.readline())


def _retrain_run(connection: Connection, workload: str, day: date, outcome: str) -> dict[str, Any]:
    package = registry.version_of_day(connection.aws, workload, day)
    if package is None:
        return {"outcome": outcome}
    metadata = package["CustomerMetadataProperties"]
    evaluation = registry.document(connection.aws, metadata["evaluation_uri"])
    decision = registry.document(connection.aws, metadata["decision_uri"])
    return {
        "model_version": package["ModelPackageVersion"],
        "status": package["ModelApprovalStatus"],
        "dataset_version": metadata["dataset_version"],
        "cutoff": metadata["data_cutoff"],
        "code_sha": metadata["code_sha"],
        "candidate": _scores(evaluation["candidate"]),
        "champion": _scores(evaluation["champion"]),
        "difference": evaluation["difference"],
        "decision": metadata["decision"],
        "reasons": decision.get("reasons", []),
        "cost_usd": metadata["cost_usd"],
        "outcome": outcome,
    }


def _scores(scores: dict[str, Any] | None) -> dict[str, Any] | None:
    if scores is None:
        return None
    return {
        name: scores[name] for name in ("auc", "auc_low", "auc_high", "log_loss", "brier", "rows") if name in scores
    }


def _show_retrain_run(console: Console, day: str, run: dict[str, Any]) -> None:
    console.print(f"[bold]Retrain run of {day}[/]  {run['outcome']}")
    if "model_version" not in run:
        return
    console.print(f"  data set   {run['dataset_version'][:16]}…  data up to {run['cutoff']}  code {run['code_sha']}")
    console.print(f"  model      version {run['model_version']} ({run['status']})")
    console.print(f"  candidate  {_auc(run['candidate'])}")
    console.print(f"  champion   {_auc(run['champion']) if run['champion'] else 'none was live yet'}")
    if run["difference"]:
        difference = run["difference"]
        interval = f"95 % interval {difference['low']:+.4f} to {difference['high']:+.4f}"
        console.print(f"  difference AUC {difference['auc']:+.4f}  ({interval})")
    console.print(f"  cost       ${run['cost_usd']} of its jobs (more: make costs WORKLOAD=<name>)")
    console.print(f"  decision   {run['decision']}")
    for reason in run["reasons"]:
        console.print(f"             {reason}", soft_wrap=True, markup=False)


def _auc(scores: dict[str, Any]) -> str:
    return (
        f"AUC {scores['auc']:.4f}  (95 % interval {scores['auc_low']:.4f} to {scores['auc_high']:.4f})"
        f"  log loss {scores['log_loss']:.4f}  on {scores['rows']:,} rows"
    )


def _show_sample(console: Console, workload: dict[str, Any]) -> None:
    sample = workload["sample"]
    if sample is None:
        console.print("No version is live.")
        return
    console.print(f"[bold]A sample request[/] to {workload['service']}/predict")
    console.print(f"  {json.dumps(sample['request'])}", soft_wrap=True, markup=False)
    console.print(f"  → {sample['status']} {json.dumps(sample['answer'])}", soft_wrap=True, markup=False)


def _show_times(console: Console, summary: dict[str, Any]) -> None:
    table = Table(title="Duration of each stage", title_justify="left", box=None, pad_edge=False)
    table.add_column("stage")
    table.add_column("seconds", justify="right")
    for row in summary["stages"]:
        table.add_row(row["stage"], f"{row['seconds']:.1f}")
    table.add_row("[bold]total[/]", f"[bold]{summary['seconds']:.1f}[/]")
    console.print()
    console.print(table)


def _json(item: dict[str, Any] | None) -> dict[str, Any] | None:
    return json.loads(json.dumps(item, default=float)) if item else None
