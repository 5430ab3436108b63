"""Tuning of a retrain run: trials and their budget, the request, and whose parameters the baseline has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from include.errors import UserError
from include.pipelines.promotion.packages import Package, find_twin
from include.pipelines.retrain.jobs import JobInputs, job_requests, tuning_name
from include.pipelines.retrain.tuning import baseline_parameters, declaration_digest, trials_of, tuning_sentence
from include.workloads import Workload, load
from include.workloads.budget import BudgetSpec
from tests.support.packages import package
from tests.support.retrain_runs import SETTINGS
from tests.support.stores_in_memory import ItemsInMemory

FLIGHTS, FEEDBACK = load("flights"), load("feedback")  # the first declares model.tuning, the second does not
NO_BUDGET = (ItemsInMemory(), datetime(2026, 11, 10, tzinfo=UTC))  # of the month: nothing was spent, and no limit
FOUND = "learning_rate=0.08 max_iter=250"


def tuning(**changes: Any) -> Workload:
    """Flights with another tuning block."""
    spec = FLIGHTS.model.tuning
    assert spec is not None
    model = FLIGHTS.model.model_copy(update={"tuning": spec.model_copy(update=changes)})
    return FLIGHTS.model_copy(update={"model": model})


def tuned_package(version: int = 1, found: str = FOUND, declared: Workload = FLIGHTS) -> Package:
    made = package(version, "x")
    made.metadata.update({"tuning": "nj-tune-1", "tuned": found, "tuned_for": declaration_digest(declared)})
    return made


def requests(workload: Workload = FLIGHTS, champion: Package | None = None, trials: int = 0) -> Any:
    return job_requests(workload, SETTINGS, JobInputs("v1", "s3://lake/d/", "sha", champion, trials))


@pytest.mark.parametrize(
    ("workload", "params", "trials"),
    [
        (FLIGHTS, {"tune": None}, 0),
        (FLIGHTS, {}, 0),
        (FLIGHTS, {"tune": 12}, 12),
        (tuning(trials=3), {"tune": None}, 3),
        (tuning(trials=3), {"tune": 0}, 0),
        (FEEDBACK, {"tune": None}, 0),
        (FEEDBACK, {"tune": 0}, 0),
        (tuning(trials=90), {"tune": None}, 0),  # no night stops for its budget
    ],
)
def test_the_param_or_the_workload_says_how_many_trials_there_are(
    workload: Workload, params: dict[str, Any], trials: int
) -> None:
    assert trials_of(workload, params, SETTINGS, *NO_BUDGET) == trials


@pytest.mark.parametrize(
    ("workload", "asked", "text"),
    [
        (FLIGHTS, 90, r"90 trials may cost \$1.84 \(\$0.0383 each, at 600 s on ml.m5.xlarge\), more than .* \$1.00"),
        (FLIGHTS, 90, "Ask for at most 26 trials, or raise the budget"),
        (FLIGHTS, 101, "at most 100 trials"),
        (FEEDBACK, 2, "does not declare what may be tuned"),
    ],
)
def test_a_persons_mistake_is_refused_with_the_sum(workload: Workload, asked: int, text: str) -> None:
    with pytest.raises(UserError, match=text):
        trials_of(workload, {"tune": asked}, SETTINGS, *NO_BUDGET)


def test_the_most_trials_that_it_names_are_within_the_budget() -> None:
    assert trials_of(FLIGHTS, {"tune": 26}, SETTINGS, *NO_BUDGET) == 26
    with pytest.raises(UserError):
        trials_of(FLIGHTS, {"tune": 27}, SETTINGS, *NO_BUDGET)


def test_an_instance_without_a_price_has_no_budget() -> None:
    settings = SETTINGS.model_copy(update={"training_instance_type": "ml.unknown.large"})
    with pytest.raises(UserError, match=r"ml\.unknown\.large has no price"):
        trials_of(FLIGHTS, {"tune": 2}, settings, *NO_BUDGET)


def test_a_run_says_what_it_tunes_and_why_it_does_not() -> None:
    sentence = "Tuning: 12 trials, 2 at a time, at most $0.46 of the budget of $1.00."
    assert tuning_sentence(FLIGHTS, {"tune": 12}, SETTINGS, *NO_BUDGET) == sentence
    assert tuning_sentence(FLIGHTS, {}, SETTINGS, *NO_BUDGET) == ""
    assert tuning_sentence(FEEDBACK, {}, SETTINGS, *NO_BUDGET) == ""
    without = tuning_sentence(tuning(trials=90), {}, SETTINGS, *NO_BUDGET)
    assert without.startswith("Nothing is tuned. 90 trials may cost $1.84")
    assert tuning_sentence(tuning(trials=90), {"tune": 0}, SETTINGS, *NO_BUDGET) == ""


def test_what_is_left_of_the_months_budget_pays_for_trials_or_there_are_none() -> None:
    poor = tuning(trials=3).model_copy(update={"budget": BudgetSpec(usd_per_month=0.01)})
    assert trials_of(poor, {}, SETTINGS, *NO_BUDGET) == 0, "no night stops for its budget"
    assert tuning_sentence(poor, {}, SETTINGS, *NO_BUDGET).startswith("Nothing is tuned. The budget of $0.0")
    with pytest.raises(UserError, match="no paid extra is started"):
        trials_of(poor, {"tune": 3}, SETTINGS, *NO_BUDGET)
    rich = poor.model_copy(update={"budget": BudgetSpec(usd_per_month=5000)})
    assert trials_of(rich, {"tune": 3}, SETTINGS, *NO_BUDGET) == 3


def test_the_time_limit_of_all_trials_bounds_their_cost() -> None:
    assert "at most $0.03" in tuning_sentence(tuning(max_runtime_seconds=240), {"tune": 12}, SETTINGS, *NO_BUDGET)


def test_a_trial_differs_from_the_baseline_in_its_hyperparameters_and_where_its_model_goes() -> None:
    made = requests(champion=tuned_package(), trials=12)
    training, request = made["training"], made["tuning"]
    config, definition = request["HyperParameterTuningJobConfig"], request["TrainingJobDefinition"]
    assert config["Strategy"] == "Random" and config["RandomSeed"] == FLIGHTS.model.seed
    assert config["ResourceLimits"] == {
        "MaxNumberOfTrainingJobs": 12,
        "MaxParallelTrainingJobs": 2,
        "MaxRuntimeInSeconds": 14400,
    }
    assert config["HyperParameterTuningJobObjective"] == {"Type": "Maximize", "MetricName": "auc"}
    assert "auc" in [metric["Name"] for metric in definition["AlgorithmSpecification"]["MetricDefinitions"]]
    ranges = config["ParameterRanges"]
    assert {entry["Name"]: entry["ScalingType"] for entry in ranges["IntegerParameterRanges"]} == {
        "max_iter": "Linear",
        "max_leaf_nodes": "Logarithmic",
        "min_samples_leaf": "Logarithmic",
    }
    assert ranges["ContinuousParameterRanges"][0] == {
        "Name": "learning_rate",
        "MinValue": "0.01",
        "MaxValue": "0.2",
        "ScalingType": "Logarithmic",
    }
    same = ("RoleArn", "InputDataConfig", "ResourceConfig")
    assert {name: definition[name] for name in same} == {name: training[name] for name in same}
    assert definition["StaticHyperParameters"].keys() == {"workload", "code_sha", "dataset_version"}
    assert definition["StoppingCondition"] == {"MaxRuntimeInSeconds": 600}
    assert definition["OutputDataConfig"]["S3OutputPath"] == f"s3://artifact/jobs/flights/tune/{made['tuning_name']}/"
    assert not any("split=test" in str(channel) for channel in definition["InputDataConfig"])


def test_texts_of_a_list_are_json_so_that_the_container_reads_their_type() -> None:
    spec = FLIGHTS.model.tuning
    assert spec is not None
    listed = spec.ranges["max_iter"].model_copy(update={"values": (True, 3, "log_loss"), "min": None, "max": None})
    made = requests(tuning(ranges={"loss": listed}), trials=1)["tuning"]
    values = made["HyperParameterTuningJobConfig"]["ParameterRanges"]["CategoricalParameterRanges"]
    assert values == [{"Name": "loss", "Values": ["true", "3", '"log_loss"']}]


def test_the_name_of_a_tuning_job_is_short_and_changes_with_what_decides_its_trials() -> None:
    def name(workload: Workload = FLIGHTS, version: str = "v1", code: str = "sha", trials: int = 12) -> str:
        return tuning_name(workload, SETTINGS, version, code, trials)

    assert len(f"{name()}-f123456-a10") <= 32
    names = {
        name(),
        name(version="v2"),
        name(code="x"),
        name(trials=2),
        name(tuning(seed=1)),
        name(tuning(trial_seconds=60)),
    }
    assert len(names) == 6
    assert name(tuning(budget_usd=9.0, parallel=4, trials=5)) == name()
    assert name(trials=0) == "none" and requests()["tuning"] is None


def test_the_evaluation_of_a_tuned_run_is_another_one() -> None:
    assert requests(trials=2)["training_name"] == requests()["training_name"], "the baseline is adopted"
    assert requests(trials=2)["evaluation_name"] != requests()["evaluation_name"]


def test_the_baseline_has_the_champions_parameters_while_the_declaration_is_the_same() -> None:
    champion = tuned_package()
    assert baseline_parameters(FLIGHTS, champion) == {"learning_rate": 0.08, "max_iter": 250}
    texts = requests(champion=champion)["training"]["HyperParameters"]
    assert (texts["learning_rate"], texts["max_iter"]) == ("0.08", "250")
    assert requests(champion=champion)["training_name"] != requests()["training_name"]

    changed = FLIGHTS.model.model_copy(update={"hyperparameters": {"max_iter": 100}})
    assert baseline_parameters(FLIGHTS.model_copy(update={"model": changed}), champion) == {}
    assert baseline_parameters(FLIGHTS, package(1, "x")) == {} == baseline_parameters(FLIGHTS, None)
    assert "learning_rate" not in requests(champion=package(1, "x"))["training"]["HyperParameters"]


def test_a_version_with_other_tuning_is_no_twin() -> None:
    plain, tuned = package(1, "x"), tuned_package(2)
    names = ("dataset_version", "code_sha", "image")
    made_from: Any = {name: value for name, value in plain.metadata.items() if name in names}
    assert find_twin([plain], **made_from, tuning="none") == plain, "versions of earlier releases say nothing of tuning"
    assert find_twin([plain], **made_from, tuning="nj-tune-1") is None
    assert find_twin([tuned, plain], **made_from, tuning="nj-tune-1") == tuned
    assert find_twin([tuned], **made_from, tuning="none") is None
