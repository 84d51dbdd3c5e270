SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory
PYTHON := .venv/bin/python
# Which languages the tests of services and `make demo` take; all by default.
LANGUAGE ?= go
LANGUAGES ?= go,java,node,python
# How many tests run side by side; they share the labs, and many of them mostly wait.
WORKERS ?= 3

.venv/ready: requirements.txt
	@command -v python3 >/dev/null || { echo "python3 is missing: install Python 3.11 or newer" >&2; exit 1; }
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "python3 is $$(python3 -V): install Python 3.11 or newer" >&2; exit 1; }
	@echo "installing the pinned Python packages into .venv"
	@python3 -m venv --clear .venv
	@.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.PHONY: demo
demo: .venv/ready ## Write a service (LANGUAGE=go), run it until /readyz answers, call it, stop it
	@$(PYTHON) -m tests.labs.demo --language "$(LANGUAGE)"

# What was green with the same inputs is not run again, but with ALL=1.
ALL ?=
# What this make was told is not for those that tests start: they have an ALL of their own.
PYTEST = env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES -u MAKELEVEL -u ALL $(PYTHON) -m pytest --languages "$(LANGUAGES)" --numprocesses "$(WORKERS)" --dist loadscope --no-loadscope-reorder \
	--stamps $(if $(ALL),write,use)

.PHONY: test
test: .venv/ready lint ## Lint, then run the tests that need no lab and no root (LANGUAGES=go,java,node,python; ALL=1)
	@$(PYTEST) --suites quick $(PYTEST_ARGS)

.PHONY: test-rest
test-rest: .venv/ready ## Run the tests that `make test` leaves out: images, workflows, cluster, ...
	@$(PYTEST) --suites rest $(PYTEST_ARGS)

.PHONY: test-all
test-all: .venv/ready lint ## Lint, then run every test, labs included
	@$(PYTEST) $(PYTEST_ARGS)

.PHONY: benchmark
benchmark: .venv/ready ## Measure copier copy and the services beside bare ones; BENCHMARK_ARGS="--parts image-cache,image-run,pipeline": images, ci.yml
	@$(PYTHON) -m benchmarks --languages "$(LANGUAGES)" $(BENCHMARK_ARGS)

# From the last two releases, or from what SIMULATE_ARGS="--from main" names. The check needs no toolchain of a language.
SIMULATE_CHECK := make help >/dev/null && "$(CURDIR)/$(PYTHON)" .golden-path policy .
.PHONY: simulate
simulate: .venv/ready ## Rehearse the upgrade of services to what is committed (SIMULATE_ARGS="--from main")
	@$(PYTHON) -m golden_path simulate . --trust --answers tests/updates/scenarios.yaml --check '$(SIMULATE_CHECK)' $(SIMULATE_ARGS)

.PHONY: lint
lint: .venv/ready ## Check format, style and types of the template's own code
	@.venv/bin/ruff check --quiet . && .venv/bin/ruff format --quiet --check . && .venv/bin/mypy --no-error-summary

.PHONY: format
format: .venv/ready ## Rewrite the project's own code in the one format
	@.venv/bin/ruff check --quiet --fix . && .venv/bin/ruff format --quiet .

.PHONY: golden
golden: .venv/ready ## Write the golden trees and the page of rules anew; read the diff before you commit it
	@$(PYTHON) -m tests.render.golden_trees && $(PYTHON) -m tests.docs.rules_page

.PHONY: lock
lock: .venv/ready ## Bring the lock files up to date with pyproject.toml and pins.yaml
	@$(PYTHON) -m tests.labs.lock

.PHONY: release-check
release-check: .venv/ready ## Say which version HEAD is, and refuse what may not be released (NOTES=FILE: its changelog)
	@$(PYTHON) -m tests.labs.release $(if $(NOTES),--notes "$(NOTES)")

.PHONY: help
help: ## Show this help
	@awk 'match($$0, /^[a-z-]+:.*## /) { verb = substr($$0, 1, index($$0, ":") - 1); printf "  make %-13s %s\n", verb, substr($$0, RSTART + RLENGTH) }' Makefile
