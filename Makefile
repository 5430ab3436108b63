# `make help` lists the commands. Settings are environment variables: NIGHTJAR_HOME, NIGHTJAR_AIRFLOW_PORT, … (docs/development.md).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
NIGHTJAR_HOME ?= $(CURDIR)/.nightjar
export NIGHTJAR_HOME

LAPTOP := $(NIGHTJAR_HOME)/venvs/laptop/bin/python -m infra.laptop
TEST   := $(NIGHTJAR_HOME)/venvs/test/bin
UV     := $(NIGHTJAR_HOME)/uv/bin/uv
PYTEST_ARGS ?=

.PHONY: help run status stop clean ingest process retrain deploy repair-live test test-unit lint chaos-cloud bench-cloud bench-loop bench-serving lock setup setup-test

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup:
	@scripts/setup.sh run

setup-test:
	@scripts/setup.sh test

run: export NIGHTJAR_STARTED := $(shell date +%s)
run: setup ## set up, start the laptop stack, ingest, process, train and deploy two days of real data, leave the stack running
	@$(LAPTOP) run

status: setup ## print processes, live versions, registered versions and the last DAG runs (JSON)
	@$(LAPTOP) status

stop: ## stop the processes that `make run` started
	@if [[ -x "$(NIGHTJAR_HOME)/venvs/laptop/bin/python" ]]; then $(LAPTOP) stop; else echo "Nothing is set up here, so nothing is running."; fi

clean: stop ## stop, then delete the stack's state; environments and data packages are kept
	@if [[ -x "$(NIGHTJAR_HOME)/venvs/laptop/bin/python" ]]; then $(LAPTOP) clean; fi

ingest: setup ## ingest the stream and the tables up to a day: make ingest WORKLOAD=flights DATE=2013-06-20
	@$(LAPTOP) ingest $(if $(WORKLOAD),--workload "$(WORKLOAD)") $(if $(DATE),--date "$(DATE)")

process: setup ## transform, audit and publish one day: make process WORKLOAD=flights DATE=2013-06-20
	@$(LAPTOP) process $(if $(WORKLOAD),--workload "$(WORKLOAD)") $(if $(DATE),--date "$(DATE)")

retrain: setup ## train, evaluate, decide, register: make retrain WORKLOAD=flights DATE=2013-06-20
	@$(LAPTOP) retrain $(if $(WORKLOAD),--workload "$(WORKLOAD)") $(if $(DATE),--date "$(DATE)")

deploy: setup ## deploy a version: make deploy WORKLOAD=flights VERSION=<n>|previous; REASON="…" to go back further
	@$(LAPTOP) deploy $(if $(WORKLOAD),--workload "$(WORKLOAD)") $(if $(VERSION),--version "$(VERSION)") $(if $(REASON),--reason "$(REASON)")

repair-live: setup ## record again what is live, from what the service runs, with a hold: make repair-live WORKLOAD=flights
	@$(LAPTOP) deploy $(if $(WORKLOAD),--workload "$(WORKLOAD)") --version repair

test: setup-test ## lint and every test; some tests: make test PYTEST_ARGS="tests/e2e -k rollback"
	@$(if $(PYTEST_ARGS),$(TEST)/python -m pytest $(PYTEST_ARGS),$(TEST)/python -m scripts.run_tests)

test-unit: setup-test ## the quick tests: no servers, no Spark; one runtime's: make test-unit RUNTIME=serving
	@$(if $(PYTEST_ARGS),$(TEST)/python -m pytest -m "not stack and not spark and not e2e" $(PYTEST_ARGS),$(TEST)/python -m scripts.run_tests --unit $(if $(RUNTIME),--runtime "$(RUNTIME)"))

lint: setup-test ## mypy, import-linter, sqlfluff, codespell, ruff, shellcheck; some: make lint LINTERS="mypy codespell"
	@$(TEST)/python -m scripts.lint $(LINTERS)

chaos-cloud: setup-test ## kill a local cloud 20 times under concurrent writes; print what is lost or torn (nothing should be)
	@$(TEST)/python -m tests.support.cloud_chaos --kills 20

bench-loop: setup-test ## measure retrain runs on the running stack against their targets
	@$(TEST)/python -m benchmarks.loop

bench-serving: setup-test ## compare the service with a plain one, no-op servers and (PEERS=1) other model servers
	@$(TEST)/python -m benchmarks.serving

bench-cloud: setup-test ## compare the local cloud's S3 and Athena with those of another commit: make bench-cloud BASE=<commit>
	@code=0; for part in cloud cloud_athena; do $(TEST)/python -m benchmarks.$$part $(if $(BASE),--base "$(BASE)") || code=1; done; exit $$code

COMPILE := $(UV) pip compile --quiet --no-config --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.12

lock: setup ## compile requirements/*.in to pinned and hashed requirements/*.txt
	@# test.txt is the union of all, with the versions of the MWAA image. It constrains the others, so every environment has the same versions.
	@$(COMPILE) --upgrade --constraint requirements/mwaa-constraints.txt --output-file requirements/test.txt requirements/test.in
	@for name in airflow training serving localcloud laptop; do \
	  $(COMPILE) --upgrade --constraint requirements/test.txt --output-file requirements/$$name.txt requirements/$$name.in; done
	@for name in glue pytest; do \
	  $(COMPILE) --upgrade --universal --constraint requirements/test.txt --output-file requirements/$$name.txt requirements/$$name.in; done
	@$(COMPILE) --upgrade --universal --output-file requirements/uv.txt requirements/uv.in
