#!/usr/bin/env bash
# The protocol's conformance suite against the server with the suite's fixtures: conformance.sh SERVER
# SERVER is target/debug/examples/conformance-server: cargo build -p mlops-host --features conformance --examples
set -euo pipefail
server=$(realpath "$1")
tools=$(realpath target/node-tools/node_modules)
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

for version in 2025-11-25 2026-07-28; do
  # The score decides: the suite's own exit code knows no warnings.
  PATH="$tools/node/bin:$PATH" python3 tests/clients/endpoint.py "$server" 127.0.0.1:0 -- \
    bash -c 'node "$1" server --url "$MCP_URL" --requirements "$2" --output-dir "$3"' \
    suite "$tools/.bin/conformance" "$version" "$results/$version" >"$results/$version.txt" 2>&1 || true
  python3 tests/clients/conformance_score.py "$version" "$results/$version" || { cat "$results/$version.txt" >&2; exit 1; }
done
