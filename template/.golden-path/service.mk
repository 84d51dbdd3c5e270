# The verbs of every service. A comment of three # is one of `make help ALL=1`.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Fixed into what `build` makes. CI passes them; on a laptop git tells. A tag may be called $(...), which make or the
# shell would run in a recipe: recipes read them from the environment.
ifeq ($(origin VERSION),undefined)
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo 0.0.0-dev)
else ifeq ($(origin VERSION),environment)
VERSION := $(value VERSION)
endif
ifeq ($(origin REVISION),undefined)
REVISION := $(shell git rev-parse --verify --quiet HEAD 2>/dev/null || echo unknown)
else ifeq ($(origin REVISION),environment)
REVISION := $(value REVISION)
GIVEN += REVISION
endif
export VERSION REVISION

# Runs a command and prints one line, or all of its output when it fails; V=1 prints everything.
STEP := .golden-path/step.sh

include .golden-path/tools.mk
include .golden-path/language.mk
include .golden-path/contract.mk
include .golden-path/parts.mk
include .golden-path/ci.mk
include .golden-path/template.mk

##@ Every day
.PHONY: setup
setup: setup-tools setup-language ## Install the pinned tools and the locked dependencies

.PHONY: lint
lint: lint-language ## Check format, style and types

.PHONY: format
format: format-language ## Rewrite the sources in the one format

.PHONY: test
test: test-language ## Run the unit tests

.PHONY: contract
contract: contract-language ## Write the contract with the upstream, verify the contracts with the consumers

.PHONY: build
build: build-language ## Build what runs, version and revision included

.PHONY: run
run: build ## Build and run on 127.0.0.1; stop with Ctrl-C
	@echo "http://127.0.0.1:$(PORT)/readyz"
	@HOST="$${HOST:-127.0.0.1}" PORT="$(PORT)" SHUTDOWN_DRAIN_SECONDS="$${SHUTDOWN_DRAIN_SECONDS:-0}" exec $(RUN)

.PHONY: check
check: lint test contract build policy ## All that CI runs but for the image

##@ Now and then
.PHONY: lock
lock: lock-language ## Bring the lock files up to date with the manifest

.PHONY: clean
clean: clean-language ## Remove what was built (the tools stay)

.PHONY: help
help: ## Show these; with ALL=1 every verb
	@awk -v all="$${ALL:-}" -f .golden-path/help.awk $(MAKEFILE_LIST)
