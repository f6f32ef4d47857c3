# The only commands to learn: setup demo test check coverage.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check coverage fmt clippy deny machine parity clients onnx instructions hostile events pages readme bench bench-mcp bench-fleet bench-storage bench-learning fuzz watch lambda zips servers cdk packed built e2e deploy

CARGO ?= cargo
VENV := .venv
PYTHON := $(VENV)/bin/python
NODE_TOOLS := target/node-tools
NODE := $(NODE_TOOLS)/node_modules/node/bin/node
MLOPS := target/debug/mlops
# Debian's LLVM that matches rustc's, for tests/coverage.py.
export LLVM_COV ?= /usr/bin/llvm-cov-22
export LLVM_PROFDATA ?= /usr/bin/llvm-profdata-22

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# Selected beside a package alone, so that the crates it shares with the program have the same features and are not compiled again.
SHARED := --package mlops

demo: ## from an issue to a judged, registered model with a report
	@$(CARGO) build --quiet --package mlops
	@target/debug/mlops run examples/penguins-classification.md

test: ## every test that needs nothing but Rust
	@if $(CARGO) nextest --version >/dev/null 2>&1; then $(CARGO) nextest run; \
	else $(CARGO) test --quiet; fi

built: ## what `make test` runs, compiled
	@if $(CARGO) nextest --version >/dev/null 2>&1; then $(CARGO) nextest run --no-run --cargo-quiet; \
	else $(CARGO) test --quiet --no-run; fi

setup: ## what `check` and `coverage` need beyond Rust: Python and Node clients, Chromium, LLVM, cargo tools
	tests/setup.sh

check: fmt clippy deny machine parity clients onnx instructions hostile events pages servers ## everything else that CI checks

ADAPTERS := $(filter-out local,$(notdir $(wildcard lib/adapters/*)))
# Beside the default ones the features of benchmarks and of tests against servers; the functions are linted as they run on one machine.
LINTED := mlops-algorithms/bench mlops-data-preparation/bench $(patsubst %,mlops-%/servers,$(filter-out aws-environment,$(ADAPTERS)))

fmt:
	$(CARGO) fmt --all --check

clippy:
	$(CARGO) clippy --workspace --all-targets --features "$(LINTED)" --quiet -- --deny warnings

deny:
	$(CARGO) fetch --quiet
	$(CARGO) deny --offline check bans licenses sources

machine: ## the state machines, by the reference validator
	for file in statemachine/*.asl.json; do $(NODE_TOOLS)/node_modules/.bin/asl-validator --json-path $$file || exit 1; done

parity: ## the recorded histories of small state machines, recorded anew from MiniStack
	$(PYTHON) tests/golden/machines.py --check

clients: ## real MCP clients and the protocol's conformance suite against the built binary
	$(CARGO) build --quiet --package mlops
	$(PYTHON) tests/clients/python_client.py $(MLOPS)
	$(PYTHON) tests/clients/endpoint.py $(MLOPS) -- $(NODE) --no-warnings tests/clients/typescript_client.mts $(MLOPS)
	tests/clients/inspector.sh $(MLOPS) stdio
	$(PYTHON) tests/clients/endpoint.py $(MLOPS) -- tests/clients/inspector.sh $(MLOPS) http
	$(CARGO) build --quiet $(SHARED) --package mlops-host --features mlops-host/conformance --example conformance-server
	tests/clients/conformance.sh target/debug/examples/conformance-server
	$(PYTHON) tests/clients/webhook_payloads.py $(MLOPS)
	$(PYTHON) tests/clients/dockerfile.py

onnx: ## models of every kind as ONNX, by the checker of onnx and in onnxruntime
	$(CARGO) build --quiet $(SHARED) --package mlops-algorithms --example onnx_models
	$(PYTHON) tests/clients/onnx_models.py target/debug/examples/onnx_models

instructions: ## the instructions of small fits, counted by callgrind, against what they were; UPDATE=1 writes them down
	RUSTC_WORKSPACE_WRAPPER= CARGO_INCREMENTAL=0 $(CARGO) build --quiet $(SHARED) --package mlops-algorithms --example small_work
	$(PYTHON) tests/bench/instructions.py target/debug/examples/small_work $(if $(UPDATE),--update)

hostile: ## what strangers send: forged, oversized, nested, smuggled and slow requests, and 10,000 of them
	$(CARGO) build --quiet --package mlops
	$(PYTHON) tests/clients/hostile.py $(MLOPS)

bench: bench-mcp bench-fleet bench-storage bench-learning ## measure against the peers into docs/benchmarks.md; QUICK=1 for a first look

bench-mcp: ## remote tools against embedded ones; the MCP server against Python's
	$(CARGO) build --quiet --release --package mlops
	$(PYTHON) tests/bench/run.py target/release/mlops $(if $(QUICK),--quick)

PEERS := target/peers
$(PEERS): tests/bench/requirements.txt
	python3 -m venv $(PEERS) && $(PEERS)/bin/pip install --quiet --requirement tests/bench/requirements.txt && touch $(PEERS)

bench-fleet: zips $(PEERS) ## the functions as they are deployed: size, start, invocations, memory
	$(CARGO) build --quiet --release --package mlops-host --features lambda --example hello-world
	$(PYTHON) tests/servers/ministack.py -- $(PEERS)/bin/python tests/bench/fleet.py --starts target/starts.json $(if $(QUICK),--quick)

costs: bench-fleet cdk/node_modules ## one run of the deployed fleet, measured; and the table of costs that comes of it (docs/operations.md)
	$(PYTHON) tests/bench/costs.py target/lambda target/starts.json
	cd cdk && npx tsx scripts/costs.ts --write

bench-storage: $(PEERS) ## a large object through the S3 adapter, and with awscli
	$(CARGO) build --quiet --release --package mlops-aws-s3 --example transfer
	$(PYTHON) tests/servers/seaweedfs.py -- $(PYTHON) tests/bench/storage.py target/release/examples/transfer $(PEERS)/bin/aws $(if $(QUICK),--pairs 2)

bench-learning: $(PEERS) ## the learning engine against scikit-learn, XGBoost, LightGBM and umap-learn
	$(CARGO) build --quiet --release --package mlops-algorithms --package mlops-data-preparation --features bench --examples
	$(PEERS)/bin/python tests/bench/learning/run.py $(if $(QUICK),--quick)

fuzz: ## libFuzzer on what arrives from outside, MINUTES=10 for each target
	tests/fuzz/run.sh $(or $(MINUTES),10)

pages: ## the report in Chromium at 390 and 1280 pixels, and five tables that the fleet has never seen
	$(CARGO) build --quiet --package mlops
	$(PYTHON) tests/clients/report_page.py target/debug/mlops
	$(PYTHON) tests/clients/unseen_tables.py target/debug/mlops

coverage: ## the tests, and line coverage for each crate: at least 80 %; TABLE=file puts it there
	python3 tests/coverage.py 80 $(TABLE)

watch: ## every function on this machine; then: cargo lambda invoke NAME --data-file events/NAME/CASE.json
	@tests/lambda/watch.sh

events: ## every event of events/ against its function, in two random orders
	$(PYTHON) tests/lambda/invoke.py
	$(CARGO) build --quiet --package mlops
	$(PYTHON) tests/lambda/remote.py $(MLOPS)

FUNCTIONS := agent-data-preparation agent-evaluation agent-history-writer agent-issue-detector agent-judge agent-notification agent-planner agent-rollback agent-training mcp-endpoint
# What is deployed is arm64; a machine builds and runs its own.
ARCHITECTURE ?= x86-64

lambda: zips ## the zips of all functions, into target/lambda, and whether they are as small as they should be
	$(PYTHON) tests/lambda/zips.py

zips: ## the same without a judgement; ARCHITECTURE=arm64 for what cdk/ deploys by default
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(CARGO) lambda build --profile lambda --output-format zip --$(ARCHITECTURE) \
	  --no-default-features --features aws $(addprefix --package ,$(FUNCTIONS))
	$(PYTHON) tests/lambda/squeeze.py target/lambda

servers: ## the adapters of AWS and GitHub against servers that play them, and through a network that fails
	$(PYTHON) tests/servers/all.py

cdk/node_modules: cdk/package-lock.json
	cd cdk && npm ci --silent --no-audit --no-fund && touch node_modules

cdk: cdk/node_modules ## the CDK app: types, tests and cdk-nag, without an account
	cd cdk && npm run --silent build && npm run --silent format && npm test --silent

packed: ## the development build of the functions as zips, into target/e2e
	$(PYTHON) tests/e2e/pack.py target/e2e $(FUNCTIONS)

# ZIPS=target/lambda takes what `make zips` made in place of the development build.
e2e: $(if $(ZIPS),,packed) cdk/node_modules ## the whole fleet on a server that plays AWS: the deployed template, the functions' zips, signed deliveries
	$(PYTHON) tests/e2e/run.py $(or $(ZIPS),target/e2e)

deploy: ARCHITECTURE = arm64
deploy: zips cdk/node_modules ## put the fleet into the AWS account of your credentials (docs/operations.md)
	cd cdk && npx cdk deploy --all -c architecture=$(subst x86-64,x86_64,$(ARCHITECTURE))

readme: ## write the table of tools into the README
	UPDATE_README=1 $(CARGO) test --quiet --package mlops-tests readme
