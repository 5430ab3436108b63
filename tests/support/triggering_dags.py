"""DAGs of the tests on a real Airflow: one that triggers runs of another, in turn and after an approval."""

from __future__ import annotations

DAGS = '''
from datetime import timedelta

from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import DAG, BaseOperator, Param, TriggerRule, task
from airflow.sdk.exceptions import AirflowFailException
from nightjar.approval import ApproveIfOperator
from nightjar.runs import dag_options
from nightjar.turns import failed_runs, runs_in_turn

OPTIONS = dag_options("a", "b", "owner", "arn:aws:sns:us-east-1:123456789012:alerts")
OPTIONS["on_failure_callback"] = None


class Hold(BaseOperator):
    """Waits for ten minutes if the run is asked to."""

    def execute(self, context):
        if context["params"]["hold"]:
            self.defer(trigger=TimeDeltaTrigger(timedelta(minutes=10)), method_name="resume")

    def resume(self, context, event):
        return None


CHILD = {"hold": Param(False, type="boolean"), "fail": Param(False, type="boolean")}
with DAG("child", schedule=None, params=CHILD, **OPTIONS):

    @task
    def work(params=None):
        if params["fail"]:
            raise AirflowFailException("as asked")

    work() >> Hold(task_id="hold")

PARENT = {
    "runs": Param([], type="array"),
    "limit": Param(1, type="integer"),
    "reason": Param("", type="string"),
}
with DAG("parent", schedule=None, params=PARENT, render_template_as_native_obj=True, **OPTIONS):

    @task
    def plan(params=None):
        return params["runs"]

    @task(trigger_rule=TriggerRule.ALL_DONE)
    def report(dag_run=None, params=None):
        return failed_runs(dag_run, "chunks", params["runs"])

    @task(trigger_rule=TriggerRule.NONE_FAILED)
    def end():
        return None

    approve = ApproveIfOperator(
        task_id="approve", subject="Go on?", reason="{{ params.reason }}", response_timeout=timedelta(hours=1)
    )
    planned = plan()
    approve >> planned
    chunks = runs_in_turn(
        "chunks", "child", planned, "{{ params.limit }}", pool="default_pool", poll_seconds=1,
        longest=timedelta(hours=1), total=timedelta(hours=1),
    )
    reported = report()
    chunks >> reported
    [chunks, reported] >> end()
'''
