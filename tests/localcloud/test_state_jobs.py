"""Jobs and services over a stop and a kill of the server: jobs fail with that reason, services come back."""

from __future__ import annotations

import json
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.laptop.free_ports import free_port
from infra.localcloud.errors import SERVER_ENDED
from tests.support.ecs_services import CLUSTER, balance, completed, described, last_rollout, tasks_of
from tests.support.localcloud import ROLE, VENVS
from tests.support.restarts import RestartedCloud

pytestmark = pytest.mark.stack
PORT = 14680
APP = """
import http.server, json, os, sys, time
if sys.argv[1:2] == ["sleep"]:
    time.sleep(300)
if sys.argv[1:2] == ["exit"]:
    sys.exit(int(sys.argv[2]))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"version": os.environ.get("VERSION"), "pid": os.getpid()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RestartedCloud]:
    (tmp_path / "app.py").write_text(APP)
    image = {
        "python": str(VENVS / "test" / "bin" / "python"),
        "cwd": str(tmp_path),
        "env": {"HOST": "{host}", "PORT": "{port}"},
        "command": ["python", "app.py"],
    }
    with RestartedCloud(tmp_path, images={"app:1": image}) as running:
        yield running


def register(ecs: Any, family: str, command: list[str] | None = None, version: str = "1") -> str:
    container = {
        "name": "app", "image": "app:1", "portMappings": [{"containerPort": PORT}], "stopTimeout": 5,
        "environment": [{"name": "VERSION", "value": version}], **({"command": command} if command else {}),
    }  # fmt: skip
    answer = ecs.register_task_definition(
        family=family, containerDefinitions=[container], requiresCompatibilities=["FARGATE"], networkMode="awsvpc",
        cpu="256", memory="512", tags=[{"key": "k", "value": "v"}],
    )  # fmt: skip
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def start_jobs(server: RestartedCloud) -> dict[str, str]:
    """A Glue run, a training job, a processing job and an ECS task that run, and an ECS task that has ended."""
    cloud = server.cloud
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="jobs")
    s3.put_object(Bucket="jobs", Key="sleep.py", Body=b"import time; time.sleep(300)")
    s3.put_object(Bucket="jobs", Key="in/a.csv", Body=b"1")
    glue, sagemaker, ecs = cloud.client("glue"), cloud.client("sagemaker"), cloud.client("ecs")
    glue.create_job(Name="slow", Role=ROLE, Command={"Name": "glueetl", "ScriptLocation": "s3://jobs/sleep.py"})
    run = glue.start_job_run(JobName="slow")["JobRunId"]
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    sagemaker.create_training_job(
        TrainingJobName="slow", RoleArn=ROLE, ResourceConfig=resources,
        AlgorithmSpecification={
            "TrainingImage": "app:1", "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python", "app.py"], "ContainerArguments": ["sleep"],
        },
        OutputDataConfig={"S3OutputPath": "s3://jobs/out"}, StoppingCondition={"MaxRuntimeInSeconds": 600},
    )  # fmt: skip
    sagemaker.create_processing_job(
        ProcessingJobName="slow", RoleArn=ROLE, ProcessingResources={"ClusterConfig": resources},
        AppSpecification={"ImageUri": "app:1", "ContainerEntrypoint": ["python", "app.py", "sleep"]},
    )  # fmt: skip
    ecs.create_cluster(clusterName=CLUSTER)
    task = ecs.run_task(
        cluster=CLUSTER, taskDefinition=register(ecs, "slow", ["python", "app.py", "sleep"]), launchType="FARGATE"
    )
    ended = ecs.run_task(
        cluster=CLUSTER, taskDefinition=register(ecs, "exit", ["python", "app.py", "exit", "7"]), launchType="FARGATE"
    )
    jobs = {"run": run, "task": task["tasks"][0]["taskArn"], "ended": ended["tasks"][0]["taskArn"]}

    def all_run() -> bool:
        return (
            glue.get_job_run(JobName="slow", RunId=run)["JobRun"]["JobRunState"] == "RUNNING"
            and sagemaker.describe_training_job(TrainingJobName="slow")["SecondaryStatus"] == "Training"
            and ecs.describe_tasks(cluster=CLUSTER, tasks=[jobs["task"]])["tasks"][0]["lastStatus"] == "RUNNING"
            and ecs.describe_tasks(cluster=CLUSTER, tasks=[jobs["ended"]])["tasks"][0]["lastStatus"] == "STOPPED"
        )

    cloud.wait_until(all_run)
    return jobs


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_job_whose_process_ended_with_the_server_is_failed(server: RestartedCloud, number: signal.Signals) -> None:
    jobs = start_jobs(server)
    ecs = server.cloud.client("ecs")
    before = server.cloud.wait_until(
        lambda: [t for t in ecs.describe_tasks(cluster=CLUSTER, tasks=[jobs["ended"]])["tasks"] if t.get("stoppedAt")]
    )
    cloud = server.restart(number)
    run = cloud.client("glue").get_job_run(JobName="slow", RunId=jobs["run"])["JobRun"]
    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", SERVER_ENDED)
    assert run["CompletedOn"] >= run["StartedOn"]
    training = cloud.client("sagemaker").describe_training_job(TrainingJobName="slow")
    assert (training["TrainingJobStatus"], training["FailureReason"]) == ("Failed", SERVER_ENDED)
    assert training["SecondaryStatus"] == "Failed"
    processing = cloud.client("sagemaker").describe_processing_job(ProcessingJobName="slow")
    assert (processing["ProcessingJobStatus"], processing["FailureReason"]) == ("Failed", SERVER_ENDED)
    ecs = cloud.client("ecs")
    task, ended = ecs.describe_tasks(cluster=CLUSTER, tasks=[jobs["task"], jobs["ended"]])["tasks"]
    assert (task["lastStatus"], task["stoppedReason"]) == ("STOPPED", SERVER_ENDED)
    assert ended["containers"][0]["exitCode"] == 7
    assert ended == before[0]
    # The failed run no longer counts against MaxConcurrentRuns, and a new one starts.
    assert cloud.client("glue").start_job_run(JobName="slow")["JobRunId"]


def start_service(server: RestartedCloud, listener: int) -> None:
    cloud = server.cloud
    ecs = cloud.client("ecs")
    ecs.create_cluster(clusterName=CLUSTER)
    group = balance(cloud, "web", listener, PORT, 1)
    ecs.create_service(
        cluster=CLUSTER, serviceName="web", taskDefinition=register(ecs, "web"), desiredCount=2, launchType="FARGATE",
        loadBalancers=[{"targetGroupArn": group, "containerName": "app", "containerPort": PORT}],
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        tags=[{"key": "team", "value": "a"}],
    )  # fmt: skip
    cloud.wait_until(lambda: completed(ecs, "web"))


def version(listener: int) -> dict[str, Any] | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{listener}/version", timeout=60) as answer:
            return dict(json.load(answer))
    except OSError:
        return None


def service_state(server: RestartedCloud) -> dict[str, Any]:
    """What a restart must not change: everything but tasks, events and their counts."""
    ecs, elb = server.cloud.client("ecs"), server.cloud.client("elbv2")
    service = described(ecs, "web")
    for name in ("events", "runningCount", "pendingCount"):
        del service[name]
    for part in (*service["deployments"], *service["currentServiceRevisions"]):
        for name in ("runningCount", "pendingCount", "runningTaskCount", "pendingTaskCount"):
            part.pop(name, None)
    rollout = last_rollout(ecs, "web")
    for revision in (rollout["targetServiceRevision"], *rollout["sourceServiceRevisions"]):
        del revision["runningTaskCount"], revision["pendingTaskCount"]
    balancers = elb.describe_load_balancers()["LoadBalancers"]
    return {
        "service": service,
        "rollout": rollout,
        "definition": ecs.describe_task_definition(taskDefinition="web", include=["TAGS"])["taskDefinition"],
        "balancers": balancers,
        "listeners": elb.describe_listeners(LoadBalancerArn=balancers[0]["LoadBalancerArn"])["Listeners"],
        "groups": elb.describe_target_groups()["TargetGroups"],
        "tags": ecs.list_tags_for_resource(resourceArn=service["serviceArn"])["tags"],
    }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_service_comes_back_by_itself(server: RestartedCloud, number: signal.Signals) -> None:
    listener = free_port()
    start_service(server, listener)
    before, answer = service_state(server), version(listener)
    assert answer is not None
    old_tasks = {task["taskArn"] for task in tasks_of(server.cloud.client("ecs"), "web")}
    cloud = server.restart(number)
    again = cloud.wait_until(lambda: version(listener))
    assert again["version"] == "1"
    assert again["pid"] != answer["pid"]
    ecs = cloud.client("ecs")
    cloud.wait_until(lambda: completed(ecs, "web"))
    assert service_state(server) == before
    assert len(tasks_of(ecs, "web")) == 2
    stopped = ecs.describe_tasks(cluster=CLUSTER, tasks=sorted(old_tasks))["tasks"]
    assert {(task["lastStatus"], task["stoppedReason"]) for task in stopped} == {("STOPPED", SERVER_ENDED)}
    # The next deployment starts from the restored one.
    ecs.update_service(cluster=CLUSTER, service="web", taskDefinition=register(ecs, "web", version="2"))
    cloud.wait_until(lambda: completed(ecs, "web"))
    cloud.wait_until(lambda: (version(listener) or {}).get("version") == "2")
    assert last_rollout(ecs, "web")["status"] == "SUCCESSFUL"


def test_a_target_that_was_registered_by_hand_is_checked_again(server: RestartedCloud) -> None:
    listener = free_port()
    group = balance(server.cloud, "hand", listener, PORT, 1)
    elb = server.cloud.client("elbv2")
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.5"}, {"Id": "127.0.0.6", "Port": 9}])
    elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.6", "Port": 9}])
    cloud = server.restart(signal.SIGKILL)
    health = cloud.client("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert [entry["Target"] for entry in health] == [{"Id": "127.0.0.5", "Port": PORT}]
