# The verbs of every service. A comment of three # is one of `make help ALL=1`.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

include .golden-path/version.mk

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
build: build-named build-language ## Build what runs, version and revision included

# What it is called must arrive in it as it is.
.PHONY: build-named
build-named:
	@python3 .golden-path version build

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
