#!/usr/bin/env bash
# Makes events/ anew: two real runs on the penguins, their payloads as events, and what earlier invocations left behind.
# The responses are made by `.venv/bin/python tests/lambda/invoke.py --update`.
set -euo pipefail
cd "$(dirname "$0")/../.."
work="$PWD/target/fixtures"
rm -rf "$work"
mkdir -p "$work/run/s3/mlops-fixtures"
cp examples/penguins.csv "$work/run/s3/mlops-fixtures/"
cargo build --quiet --package mlops
unset MLOPS_LANG MLOPS_SECRETS_FILE MLOPS_BUCKETS
for request in first second; do
  MLOPS_HOME="$work/run" MLOPS_STORE=s3://mlops-fixtures/runs target/debug/mlops run "tests/lambda/$request.md"
done
.venv/bin/python tests/lambda/events.py "$work"
