# `make help` lists the commands. Settings are environment variables: NIGHTJAR_HOME, NIGHTJAR_AIRFLOW_PORT, … (docs/development.md).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
NIGHTJAR_HOME ?= $(CURDIR)/.nightjar
export NIGHTJAR_HOME
# Container images often set it. Without compiled modules, each command takes seconds longer.
unexport PYTHONDONTWRITEBYTECODE

# The path of the project may contain spaces, so each path is quoted.
LAPTOP := "$(NIGHTJAR_HOME)/venvs/laptop/bin/python" -m infra.laptop
PYTHON := "$(NIGHTJAR_HOME)/venvs/test/bin/python"
UV     := "$(NIGHTJAR_HOME)/uv/bin/uv"
PYTEST_ARGS ?=

# The option of a variable, quoted for the shell as it was given: $(call option,SQL) is --sql 'select …', or nothing.
quote  = '$(subst ','\'',$(1))'
option = $(if $(value $(1)),--$(shell tr A-Z a-z <<<$(1))=$(call quote,$(value $(1))))

# Every documented target is a command, none a file.
.PHONY: setup setup-test setup-sdk $(shell sed -n 's/^\([a-z-]*\):.*\#\#.*/\1/p' $(firstword $(MAKEFILE_LIST)))

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup:
	@scripts/setup.sh run

setup-test:
	@scripts/setup.sh test

setup-sdk:
	@scripts/setup.sh sdk

run: export NIGHTJAR_STARTED := $(shell date +%s)
run: export NIGHTJAR_IAC := $(IAC)
run: setup ## set up, start the laptop stack, ingest, process, train and deploy two days of real data, leave the stack running; one workload: WORKLOAD=flights; with Terraform's resources: IAC=terraform
	@$(LAPTOP) run $(call option,WORKLOAD)

tracking: export NIGHTJAR_TRACKING := 1
tracking: setup ## start the stack with MLflow beside it: retrain runs are tracked there until the next `make run` without NIGHTJAR_TRACKING=1
	@$(LAPTOP) up

nights: setup ## make the nights up to a day, from where the laptop is, and a page of them: make nights TO=2013-06-30; one workload: WORKLOAD=flights
	@$(LAPTOP) nights $(call option,WORKLOAD) $(call option,TO)

year: setup ## make every night that the history has, hours long; a part of it in a new run folder: make year FROM=2013-03-01 TO=2013-06-30
	@$(LAPTOP) year $(call option,WORKLOAD) $(call option,FROM) $(call option,TO)

status: setup ## print what runs and what is dead, what is live, and the last DAG runs; as JSON: make status JSON=1
	@$(LAPTOP) status $(if $(JSON),--json)

costs: setup ## what a workload's jobs, service and storage have cost in a month, and its forecast: make costs WORKLOAD=flights MONTH=2026-11 JSON=1
	@$(LAPTOP) costs $(call option,WORKLOAD) $(call option,MONTH) $(if $(JSON),--json)

alerts: setup ## list the open alarms and what a person would have been sent, and write a page of it: make alerts JSON=1
	@$(LAPTOP) alerts $(if $(JSON),--json)

dashboard: setup ## draw CloudWatch's dashboard of the last three hours as a page: requests, latency, CPU, tasks, ages
	@$(LAPTOP) dashboard

drill: setup ## cause an alarm for real, wait until it is in the inbox, mend it, wait until it is over: make drill ALARM=client-errors; without ALARM: the list
	@$(LAPTOP) drill $(call option,ALARM) $(call option,WORKLOAD)

stop: ## stop the processes that `make run` started; a `make run` that is at work is interrupted
	@if [[ -x "$(NIGHTJAR_HOME)/venvs/laptop/bin/python" ]]; then $(LAPTOP) stop; else echo "Nothing is set up here, so nothing is running."; fi

clean: stop ## stop, then delete the stack's state; environments and data packages are kept
	@if [[ -x "$(NIGHTJAR_HOME)/venvs/laptop/bin/python" ]]; then $(LAPTOP) clean; fi

restart: setup ## stop and start the stack, or one process of it: make restart WHAT=scheduler
	@$(LAPTOP) restart $(call option,WHAT)

logs: setup ## list the logs, or print the end of one: make logs WHAT=scheduler LINES=100 FOLLOW=1
	@$(LAPTOP) logs $(call option,WHAT) $(call option,LINES) $(if $(FOLLOW),--follow)

airflow: setup ## Airflow's own command line on the stack: make airflow ARGS="dags list"
	@$(LAPTOP) airflow -- $(ARGS)

query: setup ## an Athena query on the local cloud: make query SQL="select count(*) from flights_scheduled"
	@$(LAPTOP) query $(call option,SQL)

ingest: setup ## ingest the stream and the tables up to a day: make ingest WORKLOAD=flights DATE=2013-06-20
	@$(LAPTOP) ingest $(call option,WORKLOAD) $(call option,DATE)

requeue: setup ## after a mend, read the quarantined records of a stream again: make requeue WORKLOAD=flights
	@$(LAPTOP) requeue $(call option,WORKLOAD)

backfill: setup ## plan a range, then process it in chunks: make backfill WORKLOAD=flights FROM=2013-01-01 TO=2013-12-31 DRY_RUN=1 CHUNK=31 RETRAIN=weekly YES=1
	@$(LAPTOP) backfill $(call option,WORKLOAD) $(call option,FROM) $(call option,TO) $(call option,CHUNK) $(call option,RETRAIN) $(if $(DRY_RUN),--dry-run) $(if $(YES),--yes)

process: setup ## transform, audit and publish one day: make process WORKLOAD=flights DATE=2013-06-20
	@$(LAPTOP) process $(call option,WORKLOAD) $(call option,DATE)

reports: setup ## copy the Data Docs of every audited day to this machine, with an index by workload and day; print its URL
	@$(LAPTOP) reports

retrain: setup ## train, evaluate, decide, register: make retrain WORKLOAD=flights DATE=2013-06-20
	@$(LAPTOP) retrain $(call option,WORKLOAD) $(call option,DATE)

monitor: setup ## compare what arrives with the live model's training data, and predictions with outcomes: make monitor WORKLOAD=flights
	@$(LAPTOP) monitor $(call option,WORKLOAD) $(call option,DATE)

launch: setup setup-sdk ## train by hand on a published data set, through the SageMaker SDK; nothing is registered: make launch WORKLOAD=flights DATASET=newest SET="learning_rate=0.1 max_iter=200"
	@$(LAPTOP) launch $(call option,WORKLOAD) $(call option,DATASET) $(call option,SET)

deploy: setup ## deploy a version: make deploy WORKLOAD=flights VERSION=<n>|latest|previous|live RELEASE_HOLD=1; REASON="…" to go back further
	@$(LAPTOP) deploy $(call option,WORKLOAD) $(call option,VERSION) $(call option,REASON) $(if $(RELEASE_HOLD),--release-hold)

approve: setup ## approve a version that waits for a person, and deploy it: make approve WORKLOAD=flights VERSION=7 REASON="…"
	@$(LAPTOP) approve $(call option,WORKLOAD) $(call option,VERSION) $(call option,REASON)

repair-live: setup ## record again what is live, from what the service runs, with a hold: make repair-live WORKLOAD=flights
	@$(LAPTOP) deploy $(call option,WORKLOAD) --version repair

freeze: setup ## deploy nothing until a day is over, or an instant; a person may still go back: make freeze WORKLOAD=flights UNTIL=2026-12-27 REASON="…"
	@$(LAPTOP) freeze $(call option,WORKLOAD) $(call option,UNTIL) $(call option,REASON)

unfreeze: setup ## end a freeze of the deploys before its time: make unfreeze WORKLOAD=flights REASON="…"
	@$(LAPTOP) unfreeze $(call option,WORKLOAD) $(call option,REASON)

plan: setup ## plan Terraform's resources against a local cloud, and count them by module: make plan ENV=dev|prod|local
	@$(LAPTOP) plan $(call option,ENV)

apply-local: setup ## apply Terraform's configuration to the stack's local cloud, or to one that is stopped afterwards: make apply-local ENV=local
	@$(LAPTOP) apply-local $(call option,ENV)

iam: setup ## compare the roles' policies with the calls that `make test` recorded: unused grants, denied calls, exceptions by type
	@$(LAPTOP) iam

workload: setup ## lay out the folder of a new workload, which runs as it is (docs/workload.md): make workload NAME=orders
	@"$(NIGHTJAR_HOME)/venvs/laptop/bin/python" -m infra.laptop.workload new $(call option,NAME)

validate: setup ## check the folders of all workloads, or of one, in seconds: make validate WORKLOAD=orders
	@"$(NIGHTJAR_HOME)/venvs/laptop/bin/python" -m infra.laptop.workload validate $(call option,WORKLOAD)

test: setup-test ## lint and every test; some tests: make test PYTEST_ARGS="tests/e2e -k rollback"
	@$(if $(PYTEST_ARGS),$(PYTHON) -m pytest $(PYTEST_ARGS),$(PYTHON) -m scripts.run_tests)

test-sdk: setup-test setup-sdk ## train by hand with the real SageMaker SDK on a local cloud; installs the SDK, which make test skips where it is missing
	@$(PYTHON) -m pytest tests/training/test_launch_sdk.py

test-unit: setup-test ## the quick tests: no servers, no Spark; one runtime's: make test-unit RUNTIME=serving
	@$(if $(PYTEST_ARGS),$(PYTHON) -m pytest -m "not stack and not spark and not e2e" $(PYTEST_ARGS),$(PYTHON) -m scripts.run_tests --unit $(if $(RUNTIME),--runtime "$(RUNTIME)"))

lint: setup-test ## linters of code, SQL, text and scripts, and scanners of Terraform, policies, workflows and Dockerfiles; some: make lint LINTERS="mypy codespell"
	@$(PYTHON) -m scripts.lint $(LINTERS)

schemas: setup-test ## write what is derived from the types of a workload's files: JSON schemas for editors, names of library parts
	@$(PYTHON) -m scripts.schemas

cost: setup ## what dev and prod would cost a month by Terraform's plan, by resource, and one more workload (what was spent: make costs): make cost ENV=dev JSON=1 HTML=cost.html FRESH=1
	@"$(NIGHTJAR_HOME)/venvs/laptop/bin/python" -m infra.cost $(call option,ENV) $(call option,PLAN) $(call option,HTML) $(if $(JSON),--json) $(if $(FRESH),--fresh)

sbom: setup-test ## write a bill of materials of each runtime (CycloneDX) to NIGHTJAR_HOME/sbom: its packages, hashes, licences
	@$(PYTHON) -m scripts.sbom $(call option,OUT)

package: setup ## build the release of this tree in NIGHTJAR_HOME/dist: plugins, DAGs, Glue files, wheels, manifest; OUT=<folder>
	@"$(NIGHTJAR_HOME)/venvs/laptop/bin/python" -m infra.package $(call option,OUT)

chaos-cloud: setup-test ## kill a local cloud 20 times under concurrent writes; print what is lost or torn (nothing should be)
	@$(PYTHON) -m tests.support.cloud_chaos --kills 20

newcomer: setup-test ## follow docs/workload.md in a clone, with a stack of its own, to a live prediction of a third workload; print how long it took
	@$(PYTHON) -m tests.support.newcomer

soak: chaos-cloud newcomer test-sdk year ## what takes too long for make test: chaos-cloud, newcomer, test-sdk and year one after the other, hours in all

bench-loop: setup-test ## measure retrain runs on the running stack against their targets
	@$(PYTHON) -m benchmarks.loop

bench-backfill: setup-test ## compare a year in chunks with day by day, in a run folder that has processed no day: make bench-backfill NIGHTJAR_RUN=/tmp/bench
	@$(LAPTOP) up && $(PYTHON) -m benchmarks.backfill

bench-drift: setup-test ## drift over the weeks of 2013: false alarms, and misses of features that are corrupted on purpose
	@$(PYTHON) -m benchmarks.drift

bench-data: setup-test ## measure ingestion, transform, audit and data sets beside bare forms of the same work, against their targets, and price a night; QUICK=1: no year
	@code=0; for part in ingestion transform audit dataset; do $(PYTHON) -m benchmarks.data.$$part $(if $(QUICK),--quick) || code=1; done; $(PYTHON) -m benchmarks.data.dollars || code=1; exit $$code

bench-serving: setup-test ## compare the service with a plain one, no-op servers and (PEERS=1) other model servers
	@$(PYTHON) -m benchmarks.serving

bench-cloud: setup-test ## compare the local cloud's S3 and Athena with those of another commit: make bench-cloud BASE=<commit>
	@code=0; for part in cloud cloud_athena; do $(PYTHON) -m benchmarks.$$part $(if $(BASE),--base "$(BASE)") || code=1; done; exit $$code

COMPILE := $(UV) pip compile --quiet --no-config --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.12

lock: setup ## compile requirements/*.in to pinned and hashed requirements/*.txt
	@# test.txt is the union of all, with the versions of the MWAA image. It constrains the others, so every environment has the same versions.
	@$(COMPILE) --upgrade --constraint requirements/mwaa-constraints.txt --output-file requirements/test.txt requirements/test.in
	@for name in airflow training training-gpu serving localcloud laptop delivery; do \
	  $(COMPILE) --upgrade --constraint requirements/test.txt --output-file requirements/$$name.txt requirements/$$name.in; done
	@$(COMPILE) --upgrade --constraint requirements/test.txt --output-file requirements/mwaa.txt requirements.txt
	@for name in glue pytest; do \
	  $(COMPILE) --upgrade --universal --constraint requirements/test.txt --output-file requirements/$$name.txt requirements/$$name.in; done
	@# The scanners, the SBOM tool, MLflow's server and the SageMaker SDK have versions of their own: nothing else is installed beside them.
	@for name in scan sbom tracking sdk compiler; do $(COMPILE) --upgrade --output-file requirements/$$name.txt requirements/$$name.in; done
	@$(COMPILE) --upgrade --universal --output-file requirements/uv.txt requirements/uv.in
