"""The rows: whether a target is a minimum or a maximum, and which figure is divided by which."""

import dataclasses

from benchmarks.serving import report
from benchmarks.serving.agree import Agreement
from benchmarks.serving.contestants import ASGI_NOOP, FASTAPI_NOOP, OURS, OURS_OFF, SOURCE
from benchmarks.serving.load import Result
from benchmarks.serving.measure import Figures
from benchmarks.serving.peers import Absent
from benchmarks.serving.report import AtLeast
from benchmarks.serving.starts import Start
from benchmarks.table import MET, MISSED, NO_TARGET, NOT_MEASURED, Row


def figures(per_second, cpu, p99=1.0, levels=report.LEVELS):
    one = Figures(per_second, cpu, 0.5, p99, 0, 0.1, (per_second,))
    return dict.fromkeys(levels, one)


RUN = {
    SOURCE: figures(100, 9000),
    FASTAPI_NOOP: figures(11_000, 80),
    ASGI_NOOP: figures(50_000, 20),
    OURS: figures(9_500, 90),
    OURS_OFF: figures(10_000, 70),
    "Peer": figures(50, 9000),
    "Better peer": figures(500, 9000),
}


def rounded(row, digits):
    assert row.value is not None
    return round(row.value, digits)


def named(rows, part):
    return next(row for row in rows if part in row.name)


def test_a_minimum_is_met_above_and_missed_below():
    assert AtLeast("a", 40.0, "times", None, at_least=40).verdict == MET
    assert AtLeast("a", 39.9, "times", None, at_least=40).verdict == MISSED
    assert AtLeast("a", None, "times", None, at_least=40).verdict == NOT_MEASURED
    assert (
        AtLeast("a", 1.0, "times", None, at_least=40).to_json() | {"verdict": MISSED, "at_least": 40}
        == AtLeast("a", 1.0, "times", None, at_least=40).to_json()
    )


def test_each_row_divides_the_right_way():
    rows = report.fast_rows(RUN, ["Peer", "Better peer"])
    values = {row.name: (rounded(row, 3), row.verdict) for row in rows}
    assert values["requests/s at 1, ours / the source's"] == (95.0, MET)
    assert values["requests/s at 64, ours / the source's"] == (95.0, MISSED)
    assert values["CPU per request at 8, the source's / ours"] == (100.0, MISSED)
    assert values["CPU per request at 8, ours / FastAPI no-op"] == (1.125, MISSED)
    assert values["CPU per request at 8, ours / bare ASGI no-op"] == (4.5, MISSED)
    assert values["requests/s at 8, ours / the best peer's"] == (19.0, MISSED)
    assert values["CPU per request at 8, telemetry all on - off"] == (20.0, MISSED)
    assert values["p99 at 64, ours / bare ASGI no-op"] == (1.0, MET)
    assert named(rows, "best peer").note == "Better peer"


def test_without_peers_their_rows_say_why():
    row = named(report.fast_rows(RUN, []), "best peer")
    assert (row.verdict, row.note) == (NOT_MEASURED, "no peer ran: PEERS=1")


def test_goodput_is_compared_with_the_best_at_fewer_connections():
    slow = {8: figures(90, 1, 10.0)[8], 64: figures(100, 1, 20.0)[8], 400: figures(89, 1, 31.0)[8]}
    kept, growth = report.slow_rows(slow)
    assert (rounded(kept, 0), kept.verdict) == (89, MISSED)
    assert (rounded(growth, 1), growth.verdict) == (3.1, MISSED)
    none = dataclasses.replace(slow[400], per_second=0.0, p99=None)
    kept, growth = report.slow_rows({**slow, 400: none})
    assert (kept.value, growth.value) == (0, None)


def test_joblib_counts_from_its_first_answer():
    ready, memory = report.start_rows(
        5_018_322, Start(3.0, None, 660_000_000), Start(2.0, 9.0, 2_500_000_000), targets=True
    )
    assert (ready.value, ready.verdict) == (1.5, MISSED)
    assert memory.verdict == MISSED
    free = report.start_rows(81_000, Start(3.0, None, 660_000_000), Start(2.0, 9.0, 2_500_000_000), targets=False)
    assert [row.verdict for row in free] == [NO_TARGET] * 2


def test_two_processes_are_compared_with_one():
    assert report.processes_row(100.0, 170.0).verdict == MET
    assert report.processes_row(100.0, 169.0).verdict == MISSED


def test_figures_are_medians_and_failed_requests_cost_no_goodput():
    results = [
        Result(2.0, good, {"status 503": 5}, 1.0, p99, 0.5, 0.2) for good, p99 in ((100, 3.0), (200, 9.0), (400, 4.0))
    ]
    found = Figures.of(results)
    assert (found.per_second, found.cpu, found.p99, found.failed) == (100.0, 2500.0, 4.0, 15)
    nothing = Figures.of([Result(2.0, 0, {"status 503": 5}, None, None, 0.5, 0.2)])
    assert (nothing.per_second, nothing.cpu, nothing.p99) == (0, None, None)


def test_the_tables_show_target_verdict_and_reason():
    text = report.targets([AtLeast("fast", 41.0, "times", None, at_least=40), Row("lean", 5.0, "", 4, "why")])
    assert "≥ 40 times" in text and "≤ 4" in text and MET in text and MISSED in text and "    why" in text
    assert f"{'bare ASGI no-op':<26}" in report.field_table(RUN)


def test_the_notes_name_the_peers_that_were_not_measured(tmp_path):
    agreements = [Agreement("ours", 7, 1e-9, 0, ()), Agreement("source", 7, None, 1, ())]
    text = report.notes(
        agreements, [Absent("MLServer", "no wheel")], {"traces": 3}, RUN[ASGI_NOOP][8], single_core=True
    )
    assert "MLServer was not measured: no wheel" in text
    assert "(labels; 1 labels too close" in text and "1.0e-09" in text and "3 traces" in text and "ONE CORE" in text


def test_the_picture_is_drawn(tmp_path):
    report.picture(RUN, tmp_path / "serving.png")
    assert (tmp_path / "serving.png").read_bytes().startswith(b"\x89PNG")
