#!/usr/bin/env bash
# Lets libFuzzer look for inputs that break something: run.sh MINUTES, for each target in turn. An input that it finds is kept
# below tests/fuzz/src/__fuzz__/ and is tried by the ordinary test from then on.
set -euo pipefail
minutes=$1
cd "$(dirname "$0")/../.."
command -v cargo-bolero >/dev/null || cargo install --locked cargo-bolero
for target in issue::issue_text webhook::webhook_body mcp::mcp_body table::table_file models::archive models::xgboost_json models::onnx_graph; do
  echo "== $target, $minutes minutes"
  cargo bolero test "$target" --package mlops-fuzz --rustc-bootstrap --sanitizer NONE -T "${minutes}m" --timeout 25s --max-input-length 4096 \
    --engine-args="-rss_limit_mb=4096 -len_control=10 -print_final_stats=1" 2>&1 | tail -25
done
