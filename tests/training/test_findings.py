"""What MLflow is told of an evaluation."""

from __future__ import annotations

from include.training.findings import of_evaluation
from tests.support.evaluations import evaluation


def test_an_evaluation_says_metrics_curves_slices_and_digests() -> None:
    found = of_evaluation("nj-flights-train-k", evaluation(0.70, 0.69), "{}")
    assert (found.workload, found.job) == ("flights", "nj-flights-train-k")
    assert found.metrics["test_auc"] == 0.70 and found.metrics["test_brier"] == 0.16
    assert found.metrics["test_auc/carrier/AA"] == 0.70 and found.metrics["importance/distance"] == 0.05
    assert abs(found.metrics["champion_difference_auc"] - 0.01) < 1e-9
    assert found.curves["roc_true_positive_rate"] == {0: 0.0, 20: 0.5, 100: 1.0}
    assert found.curves["precision_at_recall"] == {0: 1.0, 50: 0.4, 100: 0.21}
    assert found.curves["observed_rate_at_predicted"] == {14: 0.13, 24: 0.27}
    assert found.tags["nightjar.bundle_digest"] == "d1" and found.tags["nightjar.champion_digest"] == "d3"
    assert found.documents == {"evaluation.json": "{}"}


def test_what_could_not_be_computed_is_left_out_and_names_are_those_that_mlflow_takes() -> None:
    document = evaluation()
    document["candidate"]["auc_low"] = None
    document["importance"] = None
    document["candidate"]["slices"]["carrier"] = {"a(b)=c/ü": document["candidate"]["slices"]["carrier"]["AA"]}
    found = of_evaluation("k", document, "{}")
    assert "test_auc_low" not in found.metrics and not [name for name in found.metrics if "importance" in name]
    assert "test_auc/carrier/a_b__c_ü" in found.metrics
    assert found.tags["nightjar.champion_digest"] == "none"
