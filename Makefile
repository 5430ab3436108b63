# `make help` prints this list. Settings are environment variables: NIGHTJAR_HOME, NIGHTJAR_AIRFLOW_PORT, … (docs/development.md).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
NIGHTJAR_HOME ?= $(CURDIR)/.nightjar
export NIGHTJAR_HOME

LAPTOP := $(NIGHTJAR_HOME)/venvs/laptop/bin/python -m infra.laptop
TEST   := $(NIGHTJAR_HOME)/venvs/test/bin
UV     := $(NIGHTJAR_HOME)/uv/bin/uv
PYTEST_ARGS ?=

.PHONY: help run status stop clean ingest process retrain deploy test test-unit lint bench-loop bench-serving lock setup setup-test

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup:
	@scripts/setup.sh run

setup-test:
	@scripts/setup.sh test

run: export NIGHTJAR_STARTED := $(shell date +%s)
run: setup ## set up, start the platform, run two nights of the loop on real data, leave it running
	@$(LAPTOP) run

status: setup ## what runs, what is live, what is registered, the last runs (JSON)
	@$(LAPTOP) status

stop: ## stop what `make run` started, and nothing else
	@if [[ -x "$(NIGHTJAR_HOME)/venvs/laptop/bin/python" ]]; then $(LAPTOP) stop; else echo "nothing was set up here, so nothing runs"; fi

clean: stop ## stop, then delete the platform's state (environments and data packages stay)
	@if [[ -x "$(NIGHTJAR_HOME)/venvs/laptop/bin/python" ]]; then $(LAPTOP) clean; fi

ingest: setup ## ingest stream and tables up to DATE: make ingest WORKLOAD=flights DATE=2013-07-15
	@$(LAPTOP) ingest $(if $(WORKLOAD),--workload "$(WORKLOAD)") $(if $(DATE),--date "$(DATE)")

process: setup ## transform, audit and publish one day: make process WORKLOAD=flights DATE=2013-07-15
	@$(LAPTOP) process $(if $(WORKLOAD),--workload "$(WORKLOAD)") $(if $(DATE),--date "$(DATE)")

retrain: setup ## train, evaluate, decide, register: make retrain WORKLOAD=flights DATE=2013-07-15
	@$(LAPTOP) retrain $(if $(WORKLOAD),--workload "$(WORKLOAD)") $(if $(DATE),--date "$(DATE)")

deploy: setup ## deploy a version: make deploy WORKLOAD=flights VERSION=<n>|previous
	@$(LAPTOP) deploy $(if $(WORKLOAD),--workload "$(WORKLOAD)") $(if $(VERSION),--version "$(VERSION)")

test: setup-test ## every test (PYTEST_ARGS="-k name" for some)
	@$(TEST)/python -m pytest $(PYTEST_ARGS)

test-unit: setup-test ## the tests that start no process: under a minute
	@$(TEST)/python -m pytest -m "not stack and not spark and not e2e" $(PYTEST_ARGS)

lint: setup-test ## ruff, and shellcheck where there is one
	@$(TEST)/ruff check .
	@$(TEST)/ruff format --check .
	@if command -v shellcheck >/dev/null; then shellcheck scripts/*.sh .ci/run; else echo "shellcheck is not installed: shell scripts were not checked"; fi

bench-loop: setup-test ## measure a night against its targets, printed as a table
	@$(TEST)/python -m benchmarks.loop

bench-serving: setup-test ## measure the service against the source's, no-ops and (PEERS=1) other servers
	@$(TEST)/python -m benchmarks.serving

COMPILE := $(UV) pip compile --quiet --no-config --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.12

lock: setup ## compile requirements/*.in to pinned, hashed requirements/*.txt
	@# `test` is the union of all and has the versions of the MWAA image; it constrains the others, so a package has one version everywhere.
	@$(COMPILE) --upgrade --constraint requirements/mwaa-constraints.txt --output-file requirements/test.txt requirements/test.in
	@for name in airflow training serving localcloud laptop; do \
	  $(COMPILE) --upgrade --constraint requirements/test.txt --output-file requirements/$$name.txt requirements/$$name.in; done
	@$(COMPILE) --upgrade --universal --constraint requirements/test.txt --output-file requirements/glue.txt requirements/glue.in
	@$(COMPILE) --upgrade --universal --output-file requirements/uv.txt requirements/uv.in
