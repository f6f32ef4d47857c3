# The only commands to learn: setup demo test check coverage.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check coverage fmt clippy deny machine clients pages readme

CARGO ?= cargo
VENV := .venv
PYTHON := $(VENV)/bin/python
NODE_TOOLS := target/node-tools
# Debian's LLVM that matches rustc's; cargo-llvm-cov reads these two.
export LLVM_COV ?= /usr/bin/llvm-cov-22
export LLVM_PROFDATA ?= /usr/bin/llvm-profdata-22

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: ## from an issue to a judged, registered model with a report
	@$(CARGO) build --quiet --package mlops
	@target/debug/mlops run examples/penguins-classification.md

test: ## every test that needs nothing but Rust
	@if $(CARGO) nextest --version >/dev/null 2>&1; then $(CARGO) nextest run --workspace; \
	else $(CARGO) test --workspace --quiet; fi

setup: ## what `check` and `coverage` need beyond Rust: Python and Node clients, Chromium, LLVM, cargo tools
	tests/setup.sh

check: fmt clippy deny machine clients pages ## everything else that CI checks

fmt:
	$(CARGO) fmt --all --check

clippy:
	$(CARGO) clippy --workspace --all-targets --quiet -- --deny warnings

deny:
	$(CARGO) deny --offline check bans licenses sources

machine: ## the state machines, by the reference validator
	$(NODE_TOOLS)/node_modules/.bin/asl-validator --json-path statemachine/training.asl.json

clients: ## real MCP clients against the built binary
	$(CARGO) build --quiet --package mlops
	$(PYTHON) tests/clients/python_client.py target/debug/mlops
	tests/clients/inspector.sh target/debug/mlops

pages: ## the report in Chromium at 390 and 1280 pixels, and five tables that the fleet has never seen
	$(CARGO) build --quiet --package mlops
	$(PYTHON) tests/clients/report_page.py target/debug/mlops
	$(PYTHON) tests/clients/unseen_tables.py target/debug/mlops

coverage: ## line coverage for each crate, at least 80 %
	$(CARGO) llvm-cov nextest --workspace --json --summary-only --output-path target/coverage.json
	python3 tests/coverage.py target/coverage.json 80

readme: ## write the table of tools into the README
	UPDATE_README=1 $(CARGO) test --quiet --package mlops-tests readme
