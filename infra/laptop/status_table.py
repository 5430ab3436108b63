"""``make status`` as text: tables of the processes, the workloads and the last runs, and what to do about problems."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.laptop import parts

STYLES = {
    "running": "green",
    "success": "green",
    "Approved": "green",
    "queued": "yellow",
    "restarting": "yellow",
    "PendingManualApproval": "yellow",
    "stopped": "dim",
}


def show(console: Console, status: dict[str, Any], now: datetime) -> None:
    """Prints what :func:`infra.laptop.status.status` returned. ``now`` is the time from which ages are counted."""
    _processes(console, status, now)
    for name, workload in status["workloads"].items():
        _workload(console, name, workload, now)
    _problems(console, status)


def _processes(console: Console, status: dict[str, Any], now: datetime) -> None:
    urls = {parts.API: status["urls"]["airflow"], parts.CLOUD: status["urls"]["aws_endpoint"]}
    table = _table("process", "state", "pid", "started", "")
    for name, process in status["processes"].items():
        died = f"restarted {process['restarts']} times" if process.get("restarts") else ""
        code = f"last exit code {process['last_exit_code']}" if "last_exit_code" in process else ""
        notes = [text for text in (urls.get(name), died, code) if text]
        state, pid = _styled(process["state"]), _text(process.get("pid"))
        table.add_row(parts.short(name), state, pid, _age(process.get("since"), now), ", ".join(notes))
    table.add_row("supervisor", _styled(status["supervisor"]["state"]), _text(status["supervisor"].get("pid")))
    console.print(table)


def _workload(console: Console, name: str, workload: dict[str, Any], now: datetime) -> None:
    console.print(f"\n[bold]{escape(name)}[/]  {_found(workload['url'])}")
    console.print(f"  live      {_live(workload['live'])}")
    for number, line in enumerate(_versions(workload["versions"])):
        console.print(f"  {'versions' if number == 0 else '':<9} {line}")
    console.print(f"  costs     {_costs(workload['costs'])}")
    if "error" in workload["last_runs"]:
        console.print(f"  runs      {_found(workload['last_runs'])}")
        return
    table = _table("  last runs", "state", "started", "seconds", "")
    for dag, runs in workload["last_runs"].items():
        for number, run in enumerate(runs):
            seconds = f"{run['duration']:.0f}" if run["duration"] is not None else ""
            conf = " ".join(f"{key}={value}" for key, value in (run["conf"] or {}).items() if value is not None)
            shown = f"  {dag}" if number == 0 else ""
            state = _styled(run["state"])
            table.add_row(shown, state, _age(run["start_date"], now), seconds, escape(conf) or run["run_type"])
        if not runs:
            table.add_row(f"  {dag}", "[dim]none[/]")
    console.print(table)


def _live(live: dict[str, Any] | None) -> str:
    if not live or ("error" not in live and live.get("version") is None):
        return "[dim]no version yet[/]"
    if "error" in live:
        return _found(live)
    held = "  [yellow]on hold: automatic deploys wait until a deploy with release_hold[/]" if live.get("hold") else ""
    previous = f", previous {live['previous']}" if live.get("previous") is not None else ""
    return f"version {live['version']}{previous}{held}"


def _costs(costs: dict[str, Any]) -> str:
    if "error" in costs:
        return _found(costs)
    text = f"${costs['today_usd']:.4f} today, ${costs['month_usd']:.4f} in {costs['month']}, "
    text += f"about ${costs['forecast_usd']:.2f} by its end"
    if costs["budget_usd"] is None:
        return text
    style = "red" if costs["month_usd"] >= costs["budget_usd"] else "green"
    return f"{text}, [{style}]budget ${costs['budget_usd']:.2f}[/]"


def _versions(versions: Any) -> list[str]:
    if not isinstance(versions, list):
        return [_found(versions)]
    return [
        f"{version['version']:>3} {_styled(version['status'])}  day {version['day']}  AUC {_text(version['auc'])}"
        for version in versions
    ] or ["[dim]none[/]"]


def _problems(console: Console, status: dict[str, Any]) -> None:
    """What a person should do something about."""
    lines = status["problems"]
    console.print()
    for line in lines:
        console.print(f"[red]✘[/] {escape(line)}", soft_wrap=True)
    if not lines:
        console.print("[green]✔[/] Everything runs, and every DAG file was imported.")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=bool(column), justify="right" if column in ("pid", "seconds") else "left")
    return table


def _styled(state: str) -> str:
    return f"[{STYLES.get(state, 'red')}]{escape(state)}[/]"


def _found(value: Any) -> str:
    return f"[red]{escape(value['error'])}[/]" if isinstance(value, dict) else escape(str(value))


def _text(value: Any) -> str:
    return "" if value is None else escape(str(value))


def _age(instant: str | None, now: datetime) -> str:
    """How long ago an ISO 8601 instant was, in its largest unit."""
    if not instant:
        return ""
    seconds = int((now - datetime.fromisoformat(instant).astimezone(UTC)).total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"
