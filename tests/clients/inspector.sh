#!/usr/bin/env bash
# The MCP Inspector, strict, against the built binary: inspector.sh BINARY
set -euo pipefail
binary=$(realpath "$1")
tools=$(realpath target/node-tools/node_modules)
MLOPS_HOME=$(mktemp -d)
export MLOPS_HOME
trap 'rm -rf "$MLOPS_HOME"' EXIT

inspect() {
  PATH="$tools/node/bin:$PATH" node "$tools/.bin/mcp-inspector" --cli "$binary" mcp --stdio "$@"
}

inspect --strict --method tools/list >"$MLOPS_HOME/tools.json" 2>"$MLOPS_HOME/complaints"
if [ -s "$MLOPS_HOME/complaints" ]; then cat "$MLOPS_HOME/complaints" >&2; exit 1; fi
listed=$(python3 -c 'import json,sys; print(len(json.load(open(sys.argv[1]))["tools"]))' "$MLOPS_HOME/tools.json")
known=$("$binary" tools --json | python3 -c 'import json,sys; print(len(json.load(sys.stdin)["tools"]))')
[ "$listed" = "$known" ] || { echo "the Inspector lists $listed tools of $known" >&2; exit 1; }
inspect --method tools/call --tool-name load_dataset --tool-arg uri=examples/penguins.csv >"$MLOPS_HOME/call.json"
python3 -c 'import json,sys; assert json.load(open(sys.argv[1]))["structuredContent"]["num_rows"] == 344' "$MLOPS_HOME/call.json"
inspect --method resources/list >/dev/null
echo "Inspector: $listed tools, strict, no complaint"
