"""What ``make run`` ends with: versions, metrics, decisions, times, a prediction. For a person, and as JSON."""

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

from infra.laptop import registry, wallclock
from infra.laptop.bootstrap import Platform
from infra.laptop.stages import Connection


def collect(
    connection: Connection, platform: Platform, nights: dict[str, dict[date, str]], stages: list[tuple[str, float]]
) -> dict[str, Any]:
    """Everything as JSON-native values. ``nights``: workload → night → what came of its deploy; ``stages``: seconds each."""
    config = connection.config
    return {
        "workloads": {
            name: {
                "nights": {
                    night.isoformat(): _night(connection, name, night, outcome) for night, outcome in outcomes.items()
                },
                "live": _json(registry.live(connection.aws, connection.state_table, name)),
                "service": platform.service_urls[name],
                "sample": sample_prediction(connection, name, platform.service_urls[name]),
            }
            for name, outcomes in nights.items()
        },
        "stages": [{"stage": title, "seconds": round(seconds, 1)} for title, seconds in stages],
        "seconds": round(sum(seconds for _, seconds in stages), 1),
        "runs": wallclock.runs(config, os.environ, datetime.now(UTC)),
        "links": {
            "Airflow": config.airflow_url,
            "AWS endpoint": config.endpoint,
            "logs": str(config.logs),
            **{f"{name} service": f"{url}/docs" for name, url in platform.service_urls.items()},
        },
    }


def sample_prediction(connection: Connection, workload: str, url: str) -> dict[str, Any] | None:
    """The first golden row of the live bundle, asked of the service; None when nothing is live."""
    pointer = registry.live(connection.aws, connection.state_table, workload)
    if not pointer or pointer["version"] is None:
        return None
    package = next(
        p for p in registry.versions(connection.aws, workload) if p["ModelPackageVersion"] == int(pointer["version"])
    )
    bundle = registry.content(connection.aws, package["CustomerMetadataProperties"]["bundle_uri"])
    with tarfile.open(fileobj=io.BytesIO(bundle)) as tar:
        golden = next(member for member in tar.getmembers() if member.name.endswith("golden.jsonl"))
        row = json.loads(tar.extractfile(golden).readline())
    answer = httpx.post(f"{url}/predict", json=row["request"], timeout=30)
    return {
        "request": row["request"],
        "status": answer.status_code,
        "answer": answer.json(),
        "in_training": row["probability"],
    }


def write(connection: Connection, summary: dict[str, Any]) -> None:
    """Prints the summary and keeps it as ``summary.txt`` and ``summary.json`` in the run folder."""
    state = connection.config.state
    (state / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    with (state / "summary.txt").open("w") as file:
        show(Console(file=file, width=120), summary)
    show(connection.reporter.console, summary)


def show(console: Console, summary: dict[str, Any]) -> None:
    """The summary for a person."""
    for name, workload in summary["workloads"].items():
        console.print()
        console.rule(f"[bold]{name}", align="left")
        for day, night in workload["nights"].items():
            _show_night(console, day, night)
        _show_sample(console, workload)
    _show_times(console, summary)
    console.print("\n[bold]Links[/]")
    for what, where in summary["links"].items():
        console.print(f"  {what:<16} {where}", soft_wrap=True)
    console.print("\nThe platform goes on running. `make status` shows it, `make stop` stops it.")


def _night(connection: Connection, workload: str, night: date, outcome: str) -> dict[str, Any]:
    package = registry.of_night(connection.aws, workload, night)
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


def _show_night(console: Console, day: str, night: dict[str, Any]) -> None:
    console.print(f"[bold]Night of {day}[/]  {night['outcome']}")
    if "model_version" not in night:
        return
    console.print(
        f"  data set   {night['dataset_version'][:16]}…  data up to {night['cutoff']}  code {night['code_sha']}"
    )
    console.print(f"  model      version {night['model_version']} ({night['status']})")
    console.print(f"  candidate  {_auc(night['candidate'])}")
    console.print(f"  champion   {_auc(night['champion']) if night['champion'] else 'none was live yet'}")
    if night["difference"]:
        difference = night["difference"]
        console.print(
            f"  difference AUC {difference['auc']:+.4f}  (95 % interval {difference['low']:+.4f} to {difference['high']:+.4f})"
        )
    console.print(f"  decision   {night['decision']}")
    for reason in night["reasons"]:
        console.print(f"             {reason}", soft_wrap=True, markup=False)


def _auc(scores: dict[str, Any]) -> str:
    return (
        f"AUC {scores['auc']:.4f}  (95 % interval {scores['auc_low']:.4f} to {scores['auc_high']:.4f})"
        f"  log loss {scores['log_loss']:.4f}  on {scores['rows']:,} rows"
    )


def _show_sample(console: Console, workload: dict[str, Any]) -> None:
    sample = workload["sample"]
    if sample is None:
        console.print("Nothing is live.")
        return
    console.print(f"[bold]A sample request[/] to {workload['service']}/predict")
    console.print(f"  {json.dumps(sample['request'])}", soft_wrap=True, markup=False)
    console.print(f"  → {sample['status']} {json.dumps(sample['answer'])}", soft_wrap=True, markup=False)


def _show_times(console: Console, summary: dict[str, Any]) -> None:
    table = Table(title="Seconds a stage", title_justify="left", box=None, pad_edge=False)
    table.add_column("stage")
    table.add_column("seconds", justify="right")
    for row in summary["stages"]:
        table.add_row(row["stage"], f"{row['seconds']:.1f}")
    table.add_row("[bold]in all[/]", f"[bold]{summary['seconds']:.1f}[/]")
    console.print()
    console.print(table)


def _json(item: dict[str, Any] | None) -> dict[str, Any] | None:
    return json.loads(json.dumps(item, default=float)) if item else None
